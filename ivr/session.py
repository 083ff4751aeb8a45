"""Walks one call through one flow, step by step, and never leaves the caller in silence."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from ivr.conversation import Conversation, Jump, TookTooLong
from ivr.language.flow import Flow, FlowStep
from ivr.services import CallerFacts, Services
from ivr.state import State, encoded
from ivr.step import HANG_UP
from switch.port import Call, CallEnded, SwitchLost

log = structlog.get_logger(__name__)

MOST_IDLE_STEPS = 50  # one after another in which the caller neither heard, said nor keyed anything
MOST_FAILURES = 3  # technical errors of one call


@dataclass(frozen=True, slots=True)
class _Left:
    """How a step was left: by which exit, and to which step ("" ends the call)."""

    exit: str
    target: str


class Session:
    """One call in one version of a flow.

    `state` is where an earlier session of the same call stood; without it the call begins at the start.
    """

    def __init__(
        self, call: Call, flow: Flow, services: Services, caller: CallerFacts, *, state: State | None = None
    ) -> None:
        self._flow = flow
        self.state = state or State(step=flow.start, language=flow.languages[0])
        if self.state.step not in flow.steps:  # it was resumed in a version without that step
            self.state.step = flow.start
        self._conversation = Conversation(call, flow, self.state, services, caller)
        self._idle = 0
        self._failures = 0

    def run(self) -> None:
        """Returns when the flow has ended and the call was hung up.

        Raises CallEnded when the caller was gone before, or SwitchLost; the journal has FlowEnded in any case.
        """
        try:
            reason = self._walk()
        except CallEnded as ended:
            self._note_end("call ended", cause=ended.cause.value)
            raise
        except SwitchLost:
            self._note_end("switch lost")
            raise
        self._note_end(reason)
        self._conversation.call.hang_up()

    def _walk(self) -> str:
        """Goes from step to step; returns why the flow ended."""
        while True:
            self.state.visit += 1
            self.state.spent = self._conversation.spent()
            self._conversation.note("StepEntered", step=self.state.step, visit=self.state.visit)
            before = dict(self.state.variables)
            try:
                left = self._through(self._flow.steps[self.state.step])
            except TookTooLong:
                return "longest"
            if left is None:
                self._conversation.apologise()
                return "technical error"
            self._note_left(left, before)
            if left.target == HANG_UP:
                return "hangup"
            if self._goes_round():
                self._conversation.apologise()
                return "went in circles"
            self.state.step = left.target

    def _through(self, step: FlowStep) -> _Left | None:
        """One step; None when it failed and nothing says how to go on. Raises CallEnded, SwitchLost, TookTooLong."""
        self._conversation.progressed = False
        try:
            exit = step.does.run(self._conversation)
            return _Left(exit, step.targets.get(exit, HANG_UP) if step.does.ends else step.targets[exit])
        except Jump as jump:
            return _Left(f"key {jump.key}", jump.target)
        except (CallEnded, SwitchLost, TookTooLong):
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller must not be left in silence
            return self._around(step, error)

    def _around(self, step: FlowStep, error: Exception) -> _Left | None:
        """The way on after a technical error: the step's own, else the flow's, else simply on; None to end."""
        log.error("a step failed", step=step.name, flow=self._flow.name, exc_info=error)
        self._conversation.note("StepFailed", step=step.name, error=type(error).__name__, detail=str(error))
        self._failures += 1
        if self._failures > MOST_FAILURES:
            return None
        ways = {exit: step.targets[exit] for exit in (step.does.broken, "next") if exit in step.targets}
        if step.does.broken not in ways and self._flow.failed not in {"", step.name}:
            ways = {"failed": self._flow.failed}
        if not ways:
            return None
        self._conversation.apologise()
        return _Left(*next(iter(ways.items())))

    def _goes_round(self) -> bool:
        self._idle = 0 if self._conversation.progressed else self._idle + 1
        return self._idle >= MOST_IDLE_STEPS

    def _note_left(self, left: _Left, before: dict[str, object]) -> None:
        changed = {
            name: encoded(value)
            for name, value in self.state.variables.items()
            if name not in self.state.sensitive and (name not in before or before[name] != value)
        }
        self._conversation.note(
            "StepLeft", step=self.state.step, exit=left.exit, language=self.state.language, set=changed
        )

    def _note_end(self, reason: str, **more: object) -> None:
        self._conversation.note("FlowEnded", flow=self._flow.name, step=self.state.step, reason=reason, **more)
