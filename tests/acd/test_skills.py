"""What calls ask of agents: how it is written, who fits, who is preferred."""

from __future__ import annotations

import pytest

from acd.model import Agent, AgentBecameNotReady, AgentBecameReady, AgentChanged, AgentLoggedOn, Overflow, QueueRule
from acd.skills import Demand, Needs, call_demand, demand, needs
from tests.acd.script import Script, offers, rung


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("required", Demand("claims")),
        ("preferred", Demand("claims", required=False)),
        ("required 3", Demand("claims", 3)),
        ("preferred 5", Demand("claims", 5, required=False)),
        ("2", Demand("claims", 2)),
    ],
)
def test_a_queues_demand(words: str, meant: Demand):
    assert demand("claims", words) == meant
    assert call_demand(f"claims {words}") == meant


@pytest.mark.parametrize("words", ["needed", "required 0", "required 6", "required three", "-1", "٣"])
def test_what_is_no_demand_is_refused_in_a_queue(words: str):
    with pytest.raises(ValueError, match="write required, preferred"):
        demand("claims", words)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("claims", Demand("claims")), ("", None), ("  ", None), ("home loans", Demand("home loans"))],
)
def test_a_call_is_never_refused_for_its_spelling(text: str, meant: Demand | None):
    assert call_demand(text) == meant


def test_queue_and_call_ask_together_and_the_stricter_counts():
    rule = QueueRule("service", skills={"cmn": "required", "claims": "preferred 2"})
    assert needs(rule, ("claims 3", "yue preferred"), frozenset()) == Needs(
        required=(Demand("claims", 3), Demand("cmn")), preferred=(Demand("yue", required=False),)
    )


def test_who_fits():
    wanted = Needs(required=(Demand("cmn"), Demand("claims", 3)))
    assert wanted.fit({"cmn": 1, "claims": 3})
    assert not wanted.fit({"cmn": 5, "claims": 2})
    assert not wanted.fit({"claims": 5})
    assert Needs().fit({})


def test_only_able_agents_are_rung():
    script = Script(QueueRule("service", skills={"cmn": "required"}))
    script.agent("1001")
    script.agent("1002", skills={"cmn": 1})
    script.agent("1003", skills={"cmn": 1, "claims": 4})
    assert rung(script.call("c1", skills=("claims 4",))) == [("c1", "1003")]
    assert rung(script.call("c2", skills=("claims 5",))) == []
    assert rung(script.call("c3")) == [("c3", "1002")]


def test_a_caller_for_whom_nobody_is_able_does_not_stop_those_behind():
    script = Script(QueueRule("service"))
    script.call("c1", skills=("yue",))
    script.call("c2", at=5)
    script.tell(AgentChanged(Agent("1001", queues=("service",))))
    script.tell(AgentLoggedOn("1001"))
    assert rung(script.tell(AgentBecameReady("1001"))) == [("c2", "1001")]


def test_preferred_agents_first_the_more_levels_the_better():
    script = Script(QueueRule("service", skills={"claims": "preferred", "gold": "preferred"}))
    script.agent("1001")
    script.agent("1002", skills={"claims": 2})
    script.agent("1003", skills={"claims": 2, "gold": 1})
    order = [rung(script.call(f"c{number}"))[0][1] for number in range(3)]
    assert order == ["1003", "1002", "1001"]


def test_an_agent_who_learns_a_skill_gets_who_waits_for_it():
    script = Script(QueueRule("service"))
    script.agent("1001")
    script.call("c1", skills=("yue",))
    assert rung(script.tell(AgentChanged(Agent("1001", queues=("service",), skills={"yue": 1})))) == [("c1", "1001")]


def test_ever_new_skills_do_not_fill_the_memory():
    script = Script(QueueRule("service", overflow=(Overflow(after=1_000, exit="overflowed"),)))
    script.agent("1001", skills={f"skill {number}": 1 for number in range(1_000)})
    script.tell(AgentBecameNotReady("1001", "lunch"))
    for number in range(1_000):
        script.call(f"c{number}", skills=(f"skill {number}",))
        script.until(number + 1)
    assert len(script.acd._board.floor.queues["service"].lines) < 100
    assert len(script.acd._board.floor.agents["1001"].lines) < 100
    script.tell(AgentBecameReady("1001"))
    assert offers(script.call("last")) != []
