"""A call flow that was found to be right: what a session walks through. Immutable."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field

from config.document import OneOrSeveral, Written
from config.values import Duration
from ivr.step import Key, Names, NewVariable, Step

REPEAT = "repeat"


def _number(text: str) -> str:
    if not (text and set(text.removeprefix("+")) <= set("0123456789*#")):
        raise ValueError(f"'{text}' is not a dialled number; write digits, for example \"4008001234\"")
    return text


class Head(Written):
    """All of a flow's file but its steps."""

    number: Annotated[tuple[Annotated[str, AfterValidator(_number)], ...], OneOrSeveral] = ()
    """The dialled numbers that this flow answers; none where other flows call it."""
    languages: Annotated[tuple[Annotated[str, Names("language")], ...], Field(min_length=1), OneOrSeveral]
    """The languages it speaks; a call begins in the first."""
    start: str
    """The first step."""
    longest: Annotated[Duration, Field(ge=1, le=86_400)] = 3600.0
    """How long a whole call may last, queue and talk apart."""
    keys: Mapping[Key, str] = Field(default_factory=dict)
    """Keys that work in every step that does not use them itself: a step's name, or `repeat`."""
    failed: str = ""
    """The step that a call goes to when another broke and names no way of its own."""
    answer: bool = True
    """Answers as soon as something is said or asked; `false` lets it ring until the queue's agent answers."""
    takes: Annotated[tuple[NewVariable, ...], OneOrSeveral] = ()
    """The variables that a flow which calls this one gives it."""


@dataclass(frozen=True, slots=True)
class FlowStep:
    """A step with its verb's fields and, by exit name, the step that follows ("" ends the call)."""

    name: str
    does: Step
    targets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Flow:
    """`failed` is where a call goes when a step without a way of its own could not do its work."""

    name: str
    numbers: tuple[str, ...]
    languages: tuple[str, ...]
    start: str
    steps: Mapping[str, FlowStep]
    longest: float = 3600.0  # seconds of a whole call, queue and talk apart
    keys: Mapping[str, str] = field(default_factory=dict)  # REPEAT or a step's name
    failed: str = ""
    answer: bool = True  # as soon as something is said; else by the queue's agent
    version: int = 0
    takes: tuple[str, ...] = ()  # the variables that whoever calls it gives
    calls: Mapping[str, Flow] = field(default_factory=dict)  # the flows that its steps call, as they were with it

    def called(self, name: str) -> Flow:
        """A flow that this one calls, or one that such a flow calls. Raises KeyError."""
        if name in self.calls:
            return self.calls[name]
        for flow in self.calls.values():
            with suppress(KeyError):
                return flow.called(name)
        raise KeyError(name)
