"""The agent's table: every pair of state and input, written out a second time and in another shape."""

from __future__ import annotations

import pytest

from acd.agents import TABLE, Input, LiveAgent, Wish
from acd.model import Agent, AgentState

OFF, NOT, READY = AgentState.LOGGED_OFF, AgentState.NOT_READY, AgentState.READY
RESERVED, BUSY, WORK = AgentState.RESERVED, AgentState.BUSY, AgentState.WORKING_AFTER_CALL
LATER, FORGET, ____ = Wish.LATER, Wish.FORGET, None

STATES = (OFF, NOT, READY, RESERVED, BUSY, WORK)
EXPECTED = {
    Input.LOG_ON: (NOT, ____, ____, FORGET, FORGET, ____),
    Input.LOG_OFF: (____, OFF, OFF, LATER, LATER, OFF),
    Input.BE_READY: (____, READY, READY, FORGET, FORGET, READY),
    Input.BE_NOT_READY: (____, NOT, NOT, LATER, LATER, NOT),
    Input.OFFER: (____, ____, RESERVED, ____, ____, ____),
    Input.RELEASE: (____, ____, ____, READY, ____, ____),
    Input.BENCH: (____, ____, ____, NOT, ____, ____),
    Input.CONNECT: (____, ____, ____, BUSY, ____, ____),
    Input.FOUND: (BUSY, BUSY, BUSY, ____, ____, ____),
    Input.TALK_END: (____, ____, ____, ____, WORK, ____),
    Input.WRAP_UP_END: (____, ____, ____, ____, ____, READY),
}
PAIRS = [
    pytest.param(state, input_, row[at], id=f"{state}, {input_}")
    for input_, row in EXPECTED.items()
    for at, state in enumerate(STATES)
]


def test_no_state_and_no_input_is_forgotten():
    assert set(TABLE) == set(AgentState) == set(STATES)
    assert set(EXPECTED) == set(Input)


@pytest.mark.parametrize(("state", "input_", "leads_to"), PAIRS)
def test_every_pair(state: AgentState, input_: Input, leads_to: AgentState | Wish | None):
    agent = LiveAgent(Agent("1001"), 0)
    agent.state, agent.pending = state, (Input.LOG_OFF, "before")
    before = agent.take(input_, "why", 5_000)
    match leads_to:
        case AgentState():
            assert (before, agent.state, agent.reason) == (state, leads_to, "why")
            assert agent.since == (5_000 if leads_to is not state else 0)
        case Wish.LATER:
            assert (before, agent.state, agent.pending) == (None, state, (input_, "why"))
        case Wish.FORGET:
            assert (before, agent.state, agent.pending) == (None, state, None)
        case None:
            assert (before, agent.state, agent.pending) == (None, state, (Input.LOG_OFF, "before"))
