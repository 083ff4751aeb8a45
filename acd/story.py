"""The story of one call: in words, and stay by stay for whoever wants to look closer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from acd.model import AgentId, AgentState, CallId, QueueName


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened to the call, and why."""

    at: str
    text: str


@dataclass(slots=True)
class Doing:
    """What an able agent did while the call waited. Times as in the journal; `until` is "" while it lasts."""

    since: str
    state: AgentState
    reason: str
    call: CallId
    until: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """An able agent got another call while this one waited."""

    at: str
    agent: AgentId
    call: CallId
    queue: QueueName
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose phone rang for the call, who else was free, and why it was not one of those."""

    at: str
    agent: AgentId
    others: tuple[AgentId, ...]
    why: str


@dataclass(slots=True)
class Wait:
    """One stay of the call in one queue. `end`: answered, abandoned, left, moved, or the exit; "" while it waits."""

    queue: QueueName
    since: str
    priority: int
    skills: tuple[str, ...]
    ahead: int
    able: dict[AgentId, list[Doing]] = field(default_factory=dict)
    passed_by: list[Passed] = field(default_factory=list)
    offers: list[Choice] = field(default_factory=list)
    relaxed: list[str] = field(default_factory=list)  # skills that it asked for no more
    end: str = ""
    until: str = ""
    waited: float | None = None  # seconds
    agent: AgentId = ""


@dataclass(slots=True)
class Story:
    """All that the journal tells of one call: in words, and stay by stay."""

    call: CallId
    lines: list[Line] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)

    @property
    def agent(self) -> AgentId:
        """Who talked to it last."""
        return next((wait.agent for wait in reversed(self.waits) if wait.agent), "")


def as_json(story: Story) -> dict[str, Any]:
    """The story as one object of plain values; see docs/figures.md."""
    last = story.waits[-1] if story.waits else None
    return {
        "call": story.call,
        "queue": last.queue if last else None,
        "agent": story.agent or None,
        "outcome": (last.end or "waiting") if last else None,
        "waited": sum(wait.waited or 0.0 for wait in story.waits) if last else None,
        "waits": [asdict(wait) for wait in story.waits],
        "story": [asdict(line) for line in story.lines],
    }
