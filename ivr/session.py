"""Walks one call through one flow, step by step, and never leaves the caller in silence."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import structlog

from ivr.conversation import Conversation, GoBack, Jump, Returned, TookTooLong
from ivr.language.flow import Flow, FlowStep
from ivr.language.mentions import reads
from ivr.language.phrases import Prompt
from ivr.services import CallerFacts, CannotSpeak, Services
from ivr.state import State, encoded
from ivr.step import HANG_UP
from switch.port import NONE, Call, CallEnded, CannotPlay, Cause, SwitchLost

log = structlog.get_logger(__name__)

MOST_IDLE_STEPS = 50  # one after another in which the caller neither heard, said nor keyed anything
MOST_FAILURES = 3  # technical errors of one call


@dataclass(frozen=True, slots=True)
class _Left:
    """How a step was left: by which exit, and to which step ("" ends the call)."""

    exit: str
    target: str


class _Over(Exception):
    """The call's flow has ended; the text says why."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What became of a step while nobody drove the call.

    `answered`: the call was answered before. `talking`: it is joined still, and the step is over by `answered`
    once the other has left. `exit`: the step is over already. `sorry`: what the caller hears before the step
    is done again, or left. `hidden`: for each flow the sensitive variables that were lost, each with the step
    that asks for it.
    """

    answered: bool = True
    talking: bool = False
    exit: str = ""
    sorry: str = ""
    hidden: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Lost(Exception):
    """What a step needs was never written down, and it may have done its work before: it is not done again."""


class Session:
    """One call in one version of a flow.

    `state` is where an earlier session of the same call stood, and `interrupted` what became of its step
    meanwhile; without them the call begins at the start.
    """

    def __init__(
        self,
        call: Call,
        flow: Flow,
        services: Services,
        caller: CallerFacts,
        *,
        state: State | None = None,
        interrupted: Interrupted | None = None,
    ) -> None:
        self._main = flow
        self._interrupted = interrupted
        self._hidden = interrupted.hidden if interrupted else {}
        self.state = state or State(step=flow.start, language=flow.languages[0])
        if self.state.step not in {*flow.steps, HANG_UP}:  # it was resumed in a version without that step
            self.state.step, self.state.inner = flow.start, None
        self._conversation = Conversation(call, flow, self.state, services, caller, in_called_flow=self._in_called_flow)
        self._idle = 0
        self._failures = 0

    @property
    def transferred(self) -> bool:
        """Whether the call has been handed over to another telephone."""
        return self._conversation.transferred

    def run(self) -> None:
        """Returns when the flow has ended and the call was hung up.

        Raises CallEnded when the caller was gone before, or SwitchLost; the journal has FlowEnded in any case.
        """
        try:
            self._walk_and_note()
        finally:
            self._conversation.recorder.finish()

    def _walk_and_note(self) -> None:
        try:
            reason = self._to_the_end()
        except CallEnded as ended:
            self._note_end("transferred" if self.transferred else "call ended", cause=ended.cause.value)
            raise
        except SwitchLost:
            self._note_end("switch lost")
            raise
        self._note_end(reason)
        self._conversation.call.hang_up()

    def _to_the_end(self) -> str:
        """Walks the call's flow; returns why it ended."""
        if self._interrupted is not None and self._interrupted.answered:
            self._conversation.resume()
        try:
            self._walk(self._main)
        except _Over as over:
            return str(over)
        except TookTooLong:
            self._conversation.take_leave()
            return "longest"
        return "hangup"  # it led back, and nobody had called it

    def _walk(self, flow: Flow) -> Returned:
        """Goes from step to step until a step leads back. Raises _Over, CallEnded, SwitchLost, TookTooLong."""
        state = self._conversation.state
        within = state.inner is not None  # the call was resumed in a flow that the present step has called
        while state.step != HANG_UP:
            interrupted = None
            if not within:
                interrupted, self._interrupted = self._interrupted, None
            self._ask_again_first(flow, interrupted)
            self.state.spent = self._conversation.spent()
            if not within:
                self._note("StepEntered", step=state.step, visit=state.visit, spent=round(self.state.spent, 1))
            within = False
            before = dict(state.variables)
            try:
                left = self._through(flow, flow.steps[state.step], interrupted)
            except GoBack as back:
                self._note_left(_Left("back", HANG_UP), before)
                return back.returned
            except CallEnded as ended:
                if ended.cause is Cause.NORMAL:
                    self._without_the_caller(flow, before)
                raise
            if left is None:
                self._conversation.apologise()
                raise _Over("technical error")
            self._note_left(left, before)
            if left.target == HANG_UP:
                break
            if self._goes_round():
                self._conversation.apologise()
                raise _Over("went in circles")
            state.step, state.visit, state.deed = left.target, state.visit + 1, None
        raise _Over("hangup")

    def _without_the_caller(self, flow: Flow, before: Mapping[str, object]) -> None:
        """The caller has hung up in a step whose work was done: what follows and needs no caller is done as well.

        So a complaint gets its ticket also from those who end it by hanging up. Where a step needs the caller
        again, the flow has ended.
        """
        talk, state = self._conversation, self._conversation.state
        exit = talk.over
        for _ in range(MOST_IDLE_STEPS):
            target = flow.steps[state.step].targets.get(exit, HANG_UP)
            if not exit or target == HANG_UP or not _needs_no_caller(flow.steps[target]):
                return
            self._note_left(_Left(exit, target), before)
            state.step, state.visit, state.deed = target, state.visit + 1, None
            self._note("StepEntered", step=state.step, visit=state.visit, spent=round(self.state.spent, 1))
            before = dict(state.variables)
            try:
                exit = flow.steps[target].does.run(talk)
            except Exception as error:
                log.error("a step failed after the caller had hung up", step=target, flow=flow.name, exc_info=error)
                talk.note("StepFailed", step=target, error=type(error).__name__, detail=str(error))
                return

    def _in_called_flow(self, name: str, given: Mapping[str, object], sensitive: AbstractSet[str]) -> Returned:
        """Walks a flow that the present step calls, or goes on in it where the call was resumed there."""
        talk = self._conversation
        flow, state = talk.flow, talk.state
        called = flow.calls[name]
        if state.inner is None:
            shown = {variable: encoded(value) for variable, value in given.items() if variable not in sensitive}
            talk.note("FlowCalled", flow=name, within=state.flow, set=shown)
            state.inner = State(
                called.start, state.language, dict(given), state.visit + 1, sensitive=set(sensitive), flow=name
            )
        elif state.inner.step not in {*called.steps, HANG_UP}:
            state.inner.step, state.inner.inner = called.start, None
        inner = state.inner
        talk.flow, talk.state = called, inner
        try:
            returned = self._walk(called)
        finally:
            talk.flow, talk.state = flow, state
        talk.note("FlowReturned", flow=name, within=state.flow)
        state.inner, state.visit = None, inner.visit
        if inner.language in flow.languages:
            state.language = inner.language
        return returned

    def _through(self, flow: Flow, step: FlowStep, interrupted: Interrupted | None) -> _Left | None:
        """One step; None when it failed and nothing says how to go on.

        Raises CallEnded, SwitchLost, TookTooLong, GoBack, _Over.
        """
        self._conversation.progressed, self._conversation.over = False, ""
        try:
            exit = self._settled(step, interrupted) if interrupted else ""
            if not exit:
                with self._conversation.recorder.hidden(step.does.confidential()):
                    exit = step.does.run(self._conversation)
            return _Left(exit, step.targets.get(exit, HANG_UP) if step.does.ends else step.targets[exit])
        except Jump as jump:
            return _Left(f"key {jump.key}", jump.target)
        except (CallEnded, SwitchLost, TookTooLong, GoBack, _Over):
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller must not be left in silence
            return self._around(flow, step, error)

    def _settled(self, step: FlowStep, was: Interrupted) -> str:
        """The exit by which an interrupted step is over, "" where it is to be done again. Raises Lost."""
        if was.talking:
            self._conversation.until_parted()
        if was.sorry and not step.does.instant:
            self._say_sorry(was.sorry)
        exit = "answered" if was.talking else was.exit
        if exit in step.targets:
            return exit
        if self._asked_again(step):
            raise Lost("what the caller keyed in confidence was not written down")
        return ""

    def _ask_again_first(self, flow: Flow, interrupted: Interrupted | None) -> None:
        """Goes back to the step that asks for what the coming one reads and nobody wrote down.

        A step that is to be done again and may have acted on the world already does not go back: see `_settled`.
        """
        state, step = self._conversation.state, flow.steps[self._conversation.state.step]
        if interrupted and (interrupted.talking or interrupted.exit or step.does.instant):
            return
        if asker := self._asked_again(step):
            state.step, state.visit, state.deed = asker, state.visit + 1, None

    def _asked_again(self, step: FlowStep) -> str:
        """The step that asks for a lost variable that this one reads; "" where it reads none."""
        state = self._conversation.state
        lost = {
            name: asker
            for name, asker in self._hidden.get(state.flow, {}).items()
            if name not in state.variables and asker != step.name
        }
        read = reads(step.does) if lost else frozenset()
        return next((asker for name, asker in lost.items() if name in read), "")

    def _say_sorry(self, prompt: str) -> None:
        try:
            self._conversation.say(Prompt(prompt), stop_on=NONE)
        except (CannotSpeak, CannotPlay) as error:
            log.error("the call goes on without a word", prompt=prompt, error=str(error))

    def _around(self, flow: Flow, step: FlowStep, error: Exception) -> _Left | None:
        """The way on after a technical error: the step's own, else the flow's, else simply on; None to end."""
        log.error("a step failed", step=step.name, flow=flow.name, exc_info=error)
        self._conversation.note("StepFailed", step=step.name, error=type(error).__name__, detail=str(error))
        self._failures += 1
        if self._failures > MOST_FAILURES:
            return None
        ways = {exit: step.targets[exit] for exit in (step.does.broken, "next") if exit in step.targets}
        if step.does.broken not in ways and flow.failed not in {"", step.name}:
            ways = {"failed": flow.failed}
        if not ways:
            return None
        self._conversation.apologise()
        return _Left(*next(iter(ways.items())))

    def _goes_round(self) -> bool:
        self._idle = 0 if self._conversation.progressed else self._idle + 1
        return self._idle >= MOST_IDLE_STEPS

    def _note_left(self, left: _Left, before: Mapping[str, object]) -> None:
        state = self._conversation.state
        changed = {
            name: encoded(value)
            for name, value in state.variables.items()
            if name not in state.sensitive and (name not in before or before[name] != value)
        }
        hidden = [name for name in state.sensitive if before.get(name) != state.variables.get(name)]
        more = {"hidden": sorted(hidden)} if hidden else {}
        self._note("StepLeft", step=state.step, exit=left.exit, language=state.language, set=changed, **more)

    def _note(self, type: str, **facts: object) -> None:
        """A record of the present step, which says in which flow it is where that was called."""
        within = {"flow": self._conversation.state.flow} if self._conversation.state.flow else {}
        self._conversation.note(type, **facts, **within)

    def _note_end(self, reason: str, **more: object) -> None:
        step = self.state.innermost.step
        self._conversation.note("FlowEnded", flow=self._main.name, step=step, reason=reason, **more)


def _needs_no_caller(step: FlowStep) -> bool:
    return step.does.instant and not step.does.needs
