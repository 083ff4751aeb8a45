"""Why a call went as it did, in words, from the journal: why it waited, who was able, why that agent got it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from acd.agents import is_working
from acd.model import Agent, AgentId, AgentState, CallId, QueueName, QueueRule
from acd.skills import needs

Record = Mapping[str, Any]

_LEAVES_QUEUE = {"CallConnected", "CallAbandoned", "CallLeft", "EndWait"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened to the call, and why."""

    at: str
    text: str


@dataclass(slots=True)
class _Person:
    agent: Agent
    state: AgentState = AgentState.LOGGED_OFF
    reason: str = ""
    call: CallId = ""
    since: datetime | None = None


@dataclass(slots=True)
class _Told:
    """What is known of the floor while the journal is read, and what was said of our call."""

    call: CallId
    rules: Mapping[QueueName, QueueRule]
    people: dict[AgentId, _Person] = field(default_factory=dict)
    waiting: dict[CallId, QueueName] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    entered: datetime | None = None
    skills: tuple[str, ...] = ()


def why(records: Iterable[Record], call: CallId, rules: Mapping[QueueName, QueueRule] | None = None) -> list[Line]:
    """The story of one call; empty when the journal does not know it. `rules`: the queues, for strategy and skills."""
    told = _Told(call, rules or {})
    for record in records:
        _remember_agents(told, record)
        if record.get("call") == call:
            text = _sentence(told, record)
            if text:
                told.lines.append(Line(record["at"], text))
        _remember_calls(told, record)
    return told.lines


# --- what happened ----------------------------------------------------------------------------------


def _sentence(told: _Told, record: Record) -> str:
    tell = _SENTENCES.get(record["type"])
    return tell(told, record, datetime.fromisoformat(record["at"])) if tell else ""


def _queued(told: _Told, record: Record, at: datetime) -> str:
    queue, priority = record["queue"], record.get("priority", 0)
    told.entered, told.skills = at, tuple(record.get("skills", ()))
    asked = f", asking for {' and '.join(told.skills)}" if told.skills else ""
    before = list(told.waiting.values()).count(queue)
    words = f"queued in {queue} with priority {priority}{asked}; {before} waited there."
    return f"{words} {_nobody(told, queue)}" if not _free(told, queue, at) else words


def _offered(told: _Told, record: Record, at: datetime) -> str:
    rule = told.rules.get(record["queue"])
    others = [each for each in _free(told, record["queue"], at) if each.agent.id != record["agent"]]
    words = f"{record['agent']}'s phone rings"
    if not others:
        return f"{words}: the only able agent who is free."
    strategy = f"; {record['queue']} rings by {rule.strategy}" if rule else ""
    names = ", ".join(f"{each.agent.id} (Ready for {_span(each.since, at)})" for each in others)
    return f"{words}. Also free: {names}{strategy}."


def _moved(told: _Told, record: Record, _: datetime) -> str:
    queue = record["queue"]
    return f"moved to queue {queue} by its overflow, the arrival kept. {_nobody(told, queue)}"


def _withdrawn(_: _Told, record: Record, __: datetime) -> str:
    return f"the offer to {record['agent']} was taken back: {record['reason']}."


def _rang_out(_: _Told, record: Record, __: datetime) -> str:
    return f"{_who(record)} let it ring; the call kept its place."


def _refused(_: _Told, record: Record, __: datetime) -> str:
    return f"{_who(record)} could not have it ({record['cause']}); the call kept its place."


def _not_joined(_: _Told, record: Record, __: datetime) -> str:
    return f"{_who(record)} was gone before the two were joined; the call kept its place."


def _connected(told: _Told, record: Record, at: datetime) -> str:
    return f"connected with {_who(record)} after {_span(told.entered, at)}."


def _abandoned(told: _Told, _: Record, at: datetime) -> str:
    nobody = _nobody(told, told.waiting.get(told.call, ""))
    return f"the caller hung up after {_span(told.entered, at)}. {nobody}".rstrip()


def _left(told: _Told, _: Record, at: datetime) -> str:
    return f"the caller left by a key after {_span(told.entered, at)}."


def _given_back(told: _Told, record: Record, at: datetime) -> str:
    return f"given back to its flow by '{record['exit']}' after {_span(told.entered, at)}."


def _announced(_: _Told, record: Record, __: datetime) -> str:
    position = f"position {record['position']}" if record.get("position") is not None else ""
    wait = f"a wait of about {record['wait']:.0f} s" if record.get("wait") is not None else ""
    return f"told {' and '.join(filter(None, (position, wait)))}."


def _asked(told: _Told, _: Record, at: datetime) -> str:
    return f"asked after {_span(told.entered, at)} whether to go on waiting."


_SENTENCES: Mapping[str, Callable[[_Told, Record, datetime], str]] = {
    "CallQueued": _queued,
    "MoveCall": _moved,
    "OfferCall": _offered,
    "WithdrawOffer": _withdrawn,
    "OfferNotAnswered": _rang_out,
    "OfferDeclined": _refused,
    "OfferFailed": _refused,
    "ConnectFailed": _not_joined,
    "CallConnected": _connected,
    "Announce": _announced,
    "AskToStay": _asked,
    "TalkEnded": lambda *_: "the talk ended.",
    "CallAbandoned": _abandoned,
    "CallLeft": _left,
    "EndWait": _given_back,
}


# --- who could have had it --------------------------------------------------------------------------


def _able(told: _Told, queue: QueueName) -> list[_Person]:
    members = [each for _, each in sorted(told.people.items()) if queue in each.agent.queues]
    rule = told.rules.get(queue)
    wanted = needs(
        rule or QueueRule(queue), told.skills, frozenset(s.relax for s in rule.overflow) if rule else frozenset()
    )
    return [each for each in members if wanted.fit(each.agent.skills)]


def _free(told: _Told, queue: QueueName, at: datetime) -> list[_Person]:
    """Those who are Ready, or became Reserved for this very call in the same moment."""
    return [
        each
        for each in _able(told, queue)
        if (each.state is AgentState.READY and not each.reason) or (each.call == told.call and each.since == at)
    ]


def _nobody(told: _Told, queue: QueueName) -> str:
    """Why nobody took it: what every agent was doing who is able, or will be when all is relaxed."""
    able = _able(told, queue)
    if not able:
        return "No agent of this queue is able for it." if queue else ""
    there = [each for each in able if each.state is not AgentState.LOGGED_OFF]
    if not there:
        return "Nobody who is able was logged on."
    doing = ", ".join(f"{each.agent.id} {_doing(each)}" for each in there)
    at_work = sum(is_working(each.state) for each in there)
    return f"Able and logged on: {doing}." if at_work else f"All who are able take no calls: {doing}."


def _doing(person: _Person) -> str:
    with_call = f" with {person.call}" if person.call else ""
    reason = f" ({person.reason})" if person.reason else ""
    return f"{person.state}{with_call}{reason}"


# --- keeping up with the floor ----------------------------------------------------------------------


def _remember_agents(told: _Told, record: Record) -> None:
    match record["type"]:
        case "AgentChanged":
            agent = Agent(record["agent"], queues=tuple(record["queues"]), skills=record["skills"])
            person = told.people.setdefault(agent.id, _Person(agent))
            person.agent = agent
        case "AgentRemoved":
            told.people.pop(record["agent"], None)
        case "AgentStateChanged" if record["agent"] in told.people:
            person = told.people[record["agent"]]
            state = AgentState(record["state"])
            if state is not person.state:
                person.since = datetime.fromisoformat(record["at"])
            person.state, person.reason, person.call = state, record.get("reason", ""), record.get("call", "")


def _remember_calls(told: _Told, record: Record) -> None:
    if record["type"] in {"CallQueued", "MoveCall"}:
        told.waiting[record["call"]] = record["queue"]
    elif record["type"] in _LEAVES_QUEUE:
        told.waiting.pop(record["call"], None)


def _who(record: Record) -> str:
    return str(record.get("agent", "the agent"))


def _span(since: datetime | None, until: datetime) -> str:
    seconds = ((until - since) if since else timedelta()).total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
