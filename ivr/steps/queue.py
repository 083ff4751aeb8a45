"""queue: music until an agent is free, and the talk with the agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import structlog
from pydantic import Field

from ivr.conversation import Conversation, Heed
from ivr.language.expressions import CannotEvaluate, text_of
from ivr.language.house import House
from ivr.language.phrases import Prompt
from ivr.language.templates import Value, template
from ivr.services import (
    AgentReady,
    AnnouncementDue,
    CannotSpeak,
    MusicChanged,
    Place,
    PromptDue,
    QueueOver,
    QueueRequest,
    TalkRecording,
)
from ivr.step import HANG_UP, Exit, QueueName, ReadVariable, SkillValue, Step
from switch.port import NONE, CallEnded, CannotJoin, CannotPlay, Capability, Cause, Key, Notice, Parted

log = structlog.get_logger(__name__)


class Queue(Step):
    """Waits with music and announcements, talks with the agent, and goes on when the agent has left.

        to-service:
          queue:
            name: service
            priority: "{{ 10 if caller.tier == 'gold' else 0 }}"
            skills: ["{{ language }}"]
            attach: [order_number]
          answered: goodbye
          overflowed: sorry-busy
          left: leave-message

    While waiting only the queue's own keys work, so that no key gives the caller's place away by mistake.
    """

    verb = "queue"
    exits: ClassVar = {
        "answered": Exit(default=HANG_UP, silent=True, about="after the talk, when the agent has left"),
        "overflowed": Exit(
            required=True, silent=True, about="by a rule of the queue's `overflow`, or the queue is full"
        ),
        "left": Exit(default="overflowed", about="by a key of the queue's `while-waiting`"),
        "closed": Exit(default="overflowed", silent=True, about="by a rule of `overflow` with this exit"),
        "emergency": Exit(default="closed", silent=True, about="by a rule of `overflow` with this exit"),
        "unavailable": Exit(default="overflowed", silent=True, about="the queue cannot be used"),
    }
    broken = "unavailable"
    needs = frozenset({Capability.JOIN})
    prompts: ClassVar = {
        "your-position": {"position": 2},
        "wait-below": {"high": 60.0},
        "wait-between": {"low": 60.0, "high": 120.0},
        "wait-above": {"low": 600.0},
    }

    name: QueueName
    """A queue of `queues.yaml`."""
    priority: Value = Field(default_factory=lambda: template("0"))
    """A whole number or an expression; more is sooner."""
    skills: tuple[SkillValue, ...] = ()
    """What the agent must have, beside what the queue asks for."""
    attach: tuple[ReadVariable, ...] = ()
    """Variables that the agent is shown, those that have a value."""

    def speaks(self, house: House) -> frozenset[str]:
        return frozenset(self.prompts) | frozenset(house.queue_prompts.get(self.name, ()))

    def run(self, call: Conversation) -> str:
        with call.untimed():
            recording = call.services.queues.recording(self.name)
            if recording is not None and (call.audible or call.flow.answer):
                _told_of_recording(call, recording)
            place = call.services.queues.enter(call.call, self._request(call))
            wait = _Wait(call, place)
            try:
                return wait.until_over()
            except CallEnded as ended:
                if ended.cause is Cause.SWITCH_LOST:
                    wait.lost()
                raise
            finally:
                wait.settle()

    def _request(self, call: Conversation) -> QueueRequest:
        return QueueRequest(
            queue=self.name,
            priority=self._priority(call),
            skills=tuple(skill for written in self.skills if (skill := text_of(call.value(written)))),
            attached=self._attached(call),
            language=call.state.language,
            caller=call.caller,
        )

    def _priority(self, call: Conversation) -> int:
        """What the expression is worth; a caller whose priority cannot be told waits like everybody else."""
        try:
            return int(str(call.value(self.priority)))
        except (CannotEvaluate, ValueError) as error:
            log.warning("the priority is no whole number", queue=self.name, error=str(error))
            return 0

    def _attached(self, call: Conversation) -> Mapping[str, str]:
        known = call.variables
        return {
            name: text_of(known[name]) for name in self.attach if name in known and name not in call.state.sensitive
        }


class _Wait:
    """One caller's time in a queue, from the first music to the agent's last word."""

    def __init__(self, call: Conversation, place: Place) -> None:
        self._call = call
        self._place = place
        self._over: Literal["abandoned", "left", "answered", "lost", "given back"] = "abandoned"

    def lost(self) -> None:
        """The connection broke, which ends no talk: the switch goes on with it, and with a caller who waits."""
        if self._over != "given back":
            self._over = "lost"

    def settle(self) -> None:
        """Gives the place up, in whatever way the wait ended."""
        if self._over != "given back":
            self._place.leave(self._over)

    def until_over(self) -> str:
        """The exit by which the wait ended. Raises CallEnded."""
        self._call.hold(self._place.music)
        while True:
            match self._call.event(None, self._ours):
                case AnnouncementDue(position=position, wait=wait):
                    self._announce(position, wait)
                case PromptDue(prompt=prompt):
                    self._tell([(prompt, {})])
                case MusicChanged():
                    self._call.hold(self._place.music)
                case AgentReady() as ready:
                    if self._talked(ready):
                        return "answered"
                    self._call.hold(self._place.music)
                case QueueOver(exit=exit):
                    self._over = "given back"
                    return exit
                case Key(digit=digit) if digit in self._place.keys:
                    self._call.note("KeyPressed", key=digit, step=self._call.state.step)
                    if self._place.keys[digit] == "left":
                        self._over = "left"
                        return "left"

    def _ours(self, notice: Notice) -> bool:
        """Whether a notice is meant for this place; those for an earlier one came too late."""
        return getattr(notice, "place", None) == self._place.id

    def _cuts_in(self, notice: Notice) -> bool:
        """Whether a notice ends what is being said; behind that the music of then is heard anyway."""
        return self._ours(notice) and not isinstance(notice, MusicChanged)

    def _announce(self, position: int | None, wait: tuple[float, float | None] | None) -> None:
        phrases: list[tuple[str, Mapping[str, object]]] = []
        if position is not None:
            phrases.append(("your-position", {"position": position}))
        match wait:
            case (0, high):
                phrases.append(("wait-below", {"high": high}))
            case (low, None):
                phrases.append(("wait-above", {"low": low}))
            case (low, high):
                phrases.append(("wait-between", {"low": low, "high": high}))
        self._tell(phrases)

    def _tell(self, phrases: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        """Says what there is to say; a key of the queue or a notice cuts in and is looked at next."""
        cut: Key | Notice | None = None
        for prompt, values in phrases if self._call.audible else ():
            cut = cut or self._say(prompt, values)
        self._place.announced()
        if not self._call.audible:
            return
        if not isinstance(cut, Notice):
            self._call.hold(self._place.music)

    def _say(self, prompt: str, values: Mapping[str, object]) -> Key | Notice | None:
        keys, music = frozenset(self._place.keys), self._place.music
        try:
            return self._call.say(Prompt(prompt), stop_on=keys, heed=self._cuts_in, values=values, back_to=music)
        except (CannotSpeak, CannotPlay, CannotEvaluate) as error:
            log.error("an announcement cannot be spoken; the music goes on", prompt=prompt, error=str(error))
            self._call.note("NotSpoken", prompt=prompt, reason=str(error))
            return None

    def _talked(self, ready: AgentReady) -> bool:
        """Joins the caller to the agent until the agent leaves; False when the agent had left before."""
        self._call.answer()
        self._record(ready)
        try:
            self._call.call.join(ready.leg)
        except CannotJoin:
            if self._place.connect_failed():
                return False
            self._over = "given back"  # by the ACD, for which the talk is over
            return True
        else:
            self._over = "answered"
            self._place.connected()
            while not isinstance(self._call.event(None), Parted):
                continue  # keys and notices mean nothing while they talk
            self._call.forget_keys()
            return True
        finally:
            self._call.recorder.talk_over()

    def _record(self, ready: AgentReady) -> None:
        """Begins to record the talk where its queue says so, and the flow does not record already."""
        recorder = self._call.recorder
        if ready.recording is None or recorder.running:
            return
        if not _told_of_recording(self._call, ready.recording, heed=self._cuts_in):
            self._call.note("NotRecorded", queue=ready.queue, agent=ready.agent, reason="the caller could not be told")
            return
        days = ready.recording.keep_days
        recorder.start(flow=self._call.flow.name, queue=ready.queue, agent=ready.agent, keep_days=days)


def _told_of_recording(call: Conversation, recording: TalkRecording, *, heed: Heed = lambda _: False) -> bool:
    """Tells the caller that the talk is recorded, once in a call; whether that could be done to its end."""
    prompt = Prompt(recording.announce)
    if prompt in call.recorder.announced:
        return True
    try:
        if call.say(prompt, stop_on=NONE, heed=heed) is not None:
            return False
    except (CannotSpeak, CannotPlay, CannotEvaluate) as error:
        log.error("callers cannot be told that they are recorded, so they are not", prompt=prompt.id, error=str(error))
        return False
    call.recorder.announced.add(prompt)
    return True
