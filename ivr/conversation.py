"""One call's conversation, as its steps see it: what was said, what was keyed, what is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import structlog

from ivr.language.flow import REPEAT, Flow
from ivr.language.phrases import Phrase, Prompt, Texts
from ivr.language.templates import Template, template
from ivr.recorder import Recorder
from ivr.services import CallerFacts, CannotSpeak, CannotTransfer, Services
from ivr.state import Deed, State, encoded
from speech.words import Segment, join
from switch.port import (
    ANY,
    NONE,
    Call,
    CallEnded,
    CannotPlay,
    Cause,
    Key,
    Keys,
    Media,
    Notice,
    Parted,
    Recording,
    SwitchError,
    SwitchLost,
)

log = structlog.get_logger(__name__)

HIDDEN = "•"

Heed = Callable[[Notice], bool]
Row = Mapping[str, object] | None


class Jump(Exception):
    """The caller pressed one of the keys that work everywhere."""

    def __init__(self, key: str, target: str) -> None:
        super().__init__(target)
        self.key = key
        self.target = target


class TookTooLong(Exception):
    """The call has lasted as long as its flow allows."""


class MayBeDone(Exception):
    """It was begun before the appliance was restarted; nobody knows whether it was done, and twice would be wrong."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a called flow gives back; `sensitive` where a part of it is."""

    values: Mapping[str, object]
    sensitive: bool = False


class GoBack(Exception):
    """The flow leads back to the one that called it."""

    def __init__(self, returned: Returned) -> None:
        super().__init__()
        self.returned = returned


InCalledFlow = Callable[[str, Mapping[str, object], AbstractSet[str]], Returned]


def _none(_: Notice) -> bool:
    return False


class Conversation:
    """A `Call` with a language, variables and services.

    Every method that speaks or listens answers the call first and raises CallEnded when the caller is
    gone. Keys that are pressed early are kept; notices that nobody heeds are dropped.
    """

    def __init__(
        self,
        call: Call,
        flow: Flow,
        state: State,
        services: Services,
        caller: CallerFacts,
        *,
        in_called_flow: InCalledFlow,
    ) -> None:
        self.call = call
        self.flow = flow
        self.state = state
        self.services = services
        self.caller = caller
        self.in_called_flow = in_called_flow  # walks another flow by its name, and comes back
        self._main = flow
        self.recorder = Recorder(call, services.recordings, services.journal.note)
        self.transferred = False  # the call has been handed over
        self.over = ""  # the exit by which the present step is over, also for a caller who hangs up now
        self.progressed = False  # the caller heard, said or keyed something since this was last reset
        self._facts = {**asdict(caller)}
        self._inbox: deque[Key | Notice | Parted] = deque()
        self._answered = False
        self._surplus: tuple[str, float] | None = None
        self._began = services.clock.seconds() - state.spent
        self._paused: float | None = None

    # --- what is known -----------------------------------------------------------------------------

    @property
    def variables(self) -> dict[str, object]:
        """Every variable that a template may read, as of now."""
        return {
            **self.state.variables,
            "caller": self._facts,
            "dialled": self.call.dialled,
            "language": self.state.language,
            "now": self.services.clock.now(),
            "call": {"id": str(self.call.id)},
        }

    def set(self, name: str, value: object, *, sensitive: bool = False) -> None:
        """Gives a variable its value; `sensitive` keeps it out of journal, log and spoken files."""
        self.state.variables[name] = value
        (self.state.sensitive.add if sensitive else self.state.sensitive.discard)(name)

    def value(self, written: Template) -> object:
        """What an expression is worth. Raises CannotEvaluate."""
        return written.value(self.variables, self.state.language)

    def filled(self, written: Template, each: Callable[[str], str]) -> str:
        """The whole as text, with what `each` makes of the value of every expression. Raises CannotEvaluate."""
        return written.filled(self.variables, self.state.language, each)

    def shields(self, *written: Template) -> bool:
        """Whether something sensitive stands in one of these, so that what is made of them is sensitive too."""
        return any(name in self.state.sensitive for one in written for name, *_ in one.reads)

    def leads(self, exit: str) -> bool:
        """Whether the present step has such a way out."""
        return exit in self.flow.steps[self.state.step].targets

    def now(self) -> datetime:
        return self.services.clock.now()

    def note(self, type: str, **facts: object) -> None:
        self.services.journal.note(type, **facts)

    def once(self, what: str, do: Callable[[str], Row], *, again: bool, sensitive: bool = False) -> Row:
        """Acts on the world, once for this visit of the step, also where the call is resumed in it.

        `do` is given the idempotency key. What an earlier process did is not done again; its result is
        returned, unless it was `sensitive` and thus not kept. Where nobody knows whether it was done it is
        repeated under the same key if that does no harm (`again`); else raises MayBeDone.
        """
        deed = self.state.deed
        if deed is not None and deed.done:
            return deed.result
        if deed is not None and not again:
            raise MayBeDone
        self.state.deed = Deed(deed.key if deed else f"{self.call.id}-{self.state.visit}")
        self.note("DeedBegun", key=self.state.deed.key, what=what)
        result = do(self.state.deed.key)
        self.state.deed = Deed(self.state.deed.key, done=True, result=result)
        kept = {"hidden": True} if sensitive else {"result": encoded(result)}
        self.note("DeedDone", key=self.state.deed.key, what=what, **kept)
        return result

    # --- speaking ----------------------------------------------------------------------------------

    @property
    def audible(self) -> bool:
        """Whether the caller hears us: not while an unanswered call is left to an agent."""
        return self._answered

    def answer(self) -> None:
        if not self._answered:
            self._answered = True
            self.note("CallAnswered")
            self.call.answer()

    def resume(self) -> None:
        """The call was answered in an earlier life, or was just about to be."""
        self._answered = True
        self.call.answer()

    def say(
        self,
        phrase: Phrase,
        *,
        stop_on: Keys = ANY,
        heed: Heed = _none,
        values: Mapping[str, object] = MappingProxyType({}),
        sensitive: frozenset[str] = frozenset(),
        back_to: str = "",
    ) -> Key | Notice | None:
        """Says a phrase to its end (None), or until a key or heeded notice cuts in, which stays to be read.

        `values` are variables for this phrase alone, those in `sensitive` for the ear only. Where a key
        waits already, nothing is said. `back_to` is as in `switch.port.Call.play`.
        Raises CannotSpeak, CannotPlay, TookTooLong.
        """
        self._read_mailbox(heed)
        if waiting := self._waiting(stop_on, heed):
            return waiting
        variables = {**self.variables, **values}
        spoken, media = self._media(phrase, variables, sensitive | self.state.sensitive)
        if not media:
            return None
        self.left()
        self.answer()
        self.note("PromptPlayed", **spoken, language=self.state.language)
        with self.recorder.hidden(HIDDEN in spoken.get("text", "")):  # a secret is in no recording either
            try:
                return self._play(media, stop_on, heed, back_to)
            except CannotPlay as error:
                log.warning("cannot play a recording; its text is spoken", error=str(error), **spoken)
                return self._play(self._instead(phrase, error), stop_on, heed, back_to)

    def take_leave(self) -> None:
        """Tells a caller whose time is up that it is, as well as that can be done. Raises only CallEnded."""
        if not self._answered:
            return
        self._began = self.services.clock.seconds()  # for this there is time
        try:
            self.say(Prompt("time-is-up"), stop_on=NONE)
        except (CannotSpeak, CannotPlay) as error:
            log.error("cannot say that the time is up", error=str(error))

    def play(self, media: Sequence[Media], *, what: str, stop_on: Keys = ANY) -> Key | Notice | None:
        """Plays audio that is no prompt, such as a message; the journal learns only `what` it is. Otherwise as `say`.

        Raises CannotPlay, TookTooLong.
        """
        self._read_mailbox(_none)
        if waiting := self._waiting(stop_on, _none):
            return waiting
        self.left()
        self.answer()
        self.note("AudioPlayed", what=what)
        return self._play(media, stop_on, _none)

    def apologise(self) -> None:
        """Says that something went wrong, as well as that can still be done. Raises only CallEnded."""
        try:
            self.say(Prompt("sorry-technical"), stop_on=NONE)
        except (CannotSpeak, CannotPlay, TookTooLong) as error:
            log.error("cannot even apologise", error=str(error))

    def _media(
        self, phrase: Phrase, variables: dict[str, object], sensitive: frozenset[str]
    ) -> tuple[dict[str, str], Sequence[Media]]:
        """What to play, and how the journal names it."""
        language = self.state.language
        if isinstance(phrase, Texts):
            written = phrase.by_language[language]
        else:
            written = _catalogued(self.services.voice.catalogue_text(phrase.id, language))
            if written.fixed:
                return {"prompt": phrase.id}, self.services.voice.prompt(phrase.id, language)
        segments = written.speech(variables, language, sensitive)
        spoken = {"text": join(_masked(segments))}
        if isinstance(phrase, Prompt):
            spoken["prompt"] = phrase.id
        return spoken, self.services.voice.text(segments, language) if segments else ()

    def _instead(self, phrase: Phrase, error: CannotPlay) -> Sequence[Media]:
        """The spoken text of a prompt whose recording cannot be played."""
        text = self.services.voice.catalogue_text(phrase.id, self.state.language) if isinstance(phrase, Prompt) else ""
        if not text or not _catalogued(text).fixed:
            raise error
        return self.services.voice.text((Segment(text),), self.state.language)

    def _play(self, media: Sequence[Media], stop_on: Keys, heed: Heed, back_to: str = "") -> Key | Notice | None:
        """Plays again from the start when a notice that nobody heeds, or a surplus key, cut in."""
        while True:
            cut = self.call.play(media, stop_on=stop_on, back_to=back_to)
            if cut is None:
                self.progressed = True
                return None
            self._read_mailbox(heed)
            if waiting := self._waiting(stop_on, heed):
                return waiting

    # --- listening ---------------------------------------------------------------------------------

    def key(self, within: float, *, own: Keys = ANY, masked: bool = False) -> str | None:
        """The next key; None when none came within so many seconds.

        A key that is not among the step's `own` and works everywhere in this flow raises Jump.
        """
        self.answer()
        until = self.services.clock.seconds() + within
        while True:
            left = until - self.services.clock.seconds()
            event = self.event(min(max(left, 0.0), self.left()))
            if isinstance(event, Key):
                return self._pressed(event.digit, own, masked=masked)
            self.left()
            if event is None and self.services.clock.seconds() >= until:
                return None

    def secret(self, prompt: Phrase, within: float, *, most: int = 16) -> str:
        """Asks for a PIN: the digits up to ``#`` or a silence, "" for none. Neither journal nor log sees them."""
        self.say(prompt)
        keyed = ""
        while len(keyed) < most:
            key = self.key(within, masked=True)
            if key is None or key == "#":
                break
            keyed = keyed + key if key.isdecimal() else ""
        return keyed

    def event(self, within: float | None, heed: Heed = _none) -> Key | Notice | Parted | None:
        """The next thing that happens: a key, a heeded notice, a parting; None after `within` seconds."""
        self._read_mailbox(heed)
        if self._inbox:
            return self._inbox.popleft()
        event = self.call.wait(within)
        return event if event is not None and self._wanted(event, heed) else None

    def until_parted(self) -> None:
        """Waits for the end of a talk; what is keyed in it means nothing."""
        with self.untimed():
            while not isinstance(self.event(None), Parted):
                continue
        self.forget_keys()
        self.recorder.talk_over()

    def obey(self) -> None:
        """Where the key that waits next works everywhere, lets it work. Raises Jump."""
        self._read_mailbox(_none)
        first = next((item for item in self._inbox if isinstance(item, Key)), None)
        if first is not None and first.digit in self.flow.keys:
            self._inbox.remove(first)
            self._pressed(first.digit, NONE, masked=False)

    def forget_keys(self) -> None:
        """Drops what was keyed ahead: after a wrong key it was meant for something else."""
        self._read_mailbox(_none)
        self._inbox = deque(item for item in self._inbox if not isinstance(item, Key))

    def let_pass(self, key: str, within: float) -> None:
        """The next key is dropped if it is this one and comes soon: a ``#`` after an entry that was complete."""
        self._surplus = (key, self.services.clock.seconds() + within)

    def record(self, to: Path, *, longest: float, silence: float, stop_on: Keys) -> Recording:
        """Records the caller; see `switch.port.Call.record`."""
        self.answer()
        self._inbox.clear()
        recording = self.call.record(to, longest=min(longest, self.left()), silence=silence, stop_on=stop_on)
        self.progressed = True
        return recording

    def utterance(self, to: Path, *, longest: float, silence: float, own: Keys) -> str | None:
        """Records what the caller says now; a key ends it and is returned. Raises Jump as `key` does, CannotRecord."""
        recording = self.record(to, longest=longest, silence=silence, stop_on=ANY)
        return self._pressed(recording.key, own, masked=False) if recording.key else None

    def transfer(self, address: str, *, hidden: bool) -> None:
        """Hands the call over to an address; raises CallEnded when it has gone, CannotTransfer where it stays."""
        self.note("CallTransferred", to=HIDDEN if hidden else address)
        try:
            self.call.transfer(address)
        except CallEnded as ended:
            self.transferred = ended.cause is Cause.NORMAL
            raise
        except SwitchLost:
            raise
        except SwitchError as error:
            raise CannotTransfer(f"the switch refuses it: {error}") from error

    def hold(self, music: str) -> None:
        """Plays endless music, or lets the caller hear ringing while the call is left to an agent to answer."""
        self.progressed = True
        if self._main.answer:
            self.answer()
        if self._answered:
            self.call.hold(music)

    def _pressed(self, digit: str, own: Keys, *, masked: bool) -> str:
        self.progressed = True
        self.note("KeyPressed", key=HIDDEN if masked else digit, step=self.state.step)
        if digit not in own and (target := self.flow.keys.get(digit)):
            raise Jump(digit, self.state.step if target == REPEAT else target)
        return digit

    def _read_mailbox(self, heed: Heed) -> None:
        while (item := self.call.wait(0)) is not None:
            if self._wanted(item, heed):
                self._inbox.append(item)

    def _wanted(self, item: Key | Notice | Parted, heed: Heed) -> bool:
        if isinstance(item, Notice):
            return heed(item)
        if isinstance(item, Key) and self._surplus:
            (key, until), self._surplus = self._surplus, None
            return item.digit != key or self.services.clock.seconds() > until
        return True

    def _waiting(self, stop_on: Keys, heed: Heed) -> Key | Notice | None:
        """What waits already and would cut a prompt short."""
        for item in self._inbox:
            if isinstance(item, Key) and item.digit in stop_on:
                return item
            if isinstance(item, Notice) and heed(item):
                return item
        return None

    # --- failures and time -------------------------------------------------------------------------

    def failed(self) -> int:
        """Counts a silence or a wrong key at this step, also across visits, and returns how many there were."""
        self.state.failures[self.state.step] = self.state.failures.get(self.state.step, 0) + 1
        return self.state.failures[self.state.step]

    def succeeded(self) -> None:
        """The caller got through this step, or was led away from it: the next visit begins anew."""
        self.state.failures.pop(self.state.step, None)

    def spent(self) -> float:
        """The seconds that count towards the flow's `longest`."""
        return (self.services.clock.seconds() if self._paused is None else self._paused) - self._began

    def left(self) -> float:
        """The seconds that the call may still last. Raises TookTooLong when there are none."""
        left = self._main.longest - self.spent()
        if left <= 0:
            raise TookTooLong
        return left

    @contextmanager
    def untimed(self) -> Iterator[None]:
        """Queue and talk do not count towards the flow's `longest`."""
        since = self._paused = self.services.clock.seconds()
        try:
            yield
        finally:
            self._paused = None
            self._began += self.services.clock.seconds() - since


@lru_cache(maxsize=2000)
def _catalogued(text: str) -> Template:
    return template(text)


def _masked(segments: Sequence[Segment]) -> list[Segment]:
    """What the journal may hold of a text: nothing of what a sensitive step collected, not even its length."""
    masked: list[Segment] = []
    for segment in segments:
        if not segment.alone:
            masked.append(segment)
        elif not masked or masked[-1].text != HIDDEN:
            masked.append(Segment(HIDDEN))
    return masked
