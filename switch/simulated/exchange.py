"""The physical side of the simulation: lines with people at their far ends, and agents' phones."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from switch.port import CallId, Cause, Key, Parted
from switch.shared.clock import Alarm, Clock, Millis
from switch.shared.inbox import Inbox

FALLBACK = "fallback-sorry"  # the apology of the switches' dialplans, and what is heard after it
FALLBACK_SECONDS = 15.0

HeardKind = Literal["sound", "silence", "music", "voice"]
Spoken = tuple[Millis, Millis, float]  # from, until, and the tone in hertz that stands for a voice


@dataclass(slots=True)
class Heard:
    """One thing that a far end heard: from `at` to `until` (None while it lasts), in milliseconds."""

    kind: HeardKind
    text: str
    at: Millis
    until: Millis | None = None
    path: Path | None = None
    cut: bool = False


@dataclass(slots=True)
class Talk:
    """A talk with another person, who said `spoken`."""

    at: Millis
    spoken: list[Spoken]
    until: Millis | None = None


@dataclass(slots=True)
class Tape:
    """A recording of both directions of a leg: where to, since when, and the passages that it must not hold."""

    to: Path
    start: Millis
    masks: list[tuple[Millis, Millis | None]] = field(default_factory=list)

    def mask(self, masked: bool, now: Millis) -> None:
        if masked == bool(self.masks and self.masks[-1][1] is None):
            return
        if masked:
            self.masks.append((now, None))
        else:
            self.masks[-1] = (self.masks[-1][0], now)


@dataclass(slots=True)
class Phone:
    """How an agent's phone behaves when it rings.

    `answers_after` None rings until somebody calls `Line.pick_up`. `refuses` answers with that cause
    at once. `talks_for` None stays until the other side leaves. `waiting` is what its lamp shows: new and old
    messages.
    """

    account: str
    registered: bool = True
    answers_after: float | None = None
    refuses: Cause | None = None
    talks_for: float | None = None
    says: str = ""
    waiting: tuple[int, int] = (0, 0)


@dataclass(slots=True, eq=False)
class Line:
    """One leg as the exchange sees it; the far end's actions are its methods."""

    clock: Clock
    id: CallId
    caller: str
    caller_name: str
    dialled: str
    account: str
    inbox: Inbox
    observe: Callable[[Line, Heard], None]
    left_tapes: dict[CallId, Line]
    answered: bool = False
    phone: Phone | None = None
    remembered: dict[str, str] = field(default_factory=dict)
    partner: Line | None = None
    heard: list[Heard] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    tape: Tape | None = None
    awaiting: bool = False
    taped_since: Millis | None = None  # since when the far end alone is recorded
    ended: Cause | None = None
    ended_at: Millis | None = None
    transferred_to: str = ""
    on_end: list[Callable[[], None]] = field(default_factory=list)
    _alarms: list[Alarm] = field(default_factory=list)

    # --- what the person at the far end does

    def press(self, digit: str) -> None:
        if self.ended is None:
            self.inbox.put(Key(digit))

    def speak(self, seconds: float, tone: float = 440.0) -> None:
        """Sends a tone from now on for so many seconds."""
        now = self.clock.now()
        self.spoken.append((now, now + round(seconds * 1000), tone))

    def pick_up(self) -> None:
        """Answers a ringing phone."""
        if self.ended is None and not self.answered:
            self.answered = True
            self.inbox.put(PICKED_UP)
            if self.phone is not None and self.phone.talks_for is not None:
                self._alarms.append(self.clock.after(self.phone.talks_for, self.hang_up))

    def refuse(self, cause: Cause) -> None:
        self.end(cause)

    def hang_up(self) -> None:
        self.end(Cause.NORMAL)

    # --- what the exchange does

    def end(self, cause: Cause) -> None:
        if self.ended is not None:
            return
        self.ended, self.ended_at = cause, self.clock.now()
        for alarm in self._alarms:
            alarm.cancel()
        self.silence()
        partner, self.partner = self.partner, None
        self.part()
        if self.taped_since is not None:
            self.left_tapes[self.id] = self
        self.inbox.end(cause)
        if partner is not None and partner.partner is self:
            partner.partner = None
            partner.part()
            partner.silence()
            partner.inbox.put(Parted())
        for told in self.on_end:
            told()

    def ring(self, behaviour: Phone, within: float) -> None:
        self.phone = behaviour
        self._alarms.append(self.clock.after(within, self._give_up_ringing))
        if behaviour.refuses is not None:
            self.refuse(behaviour.refuses)
        elif behaviour.answers_after is not None:
            self._alarms.append(self.clock.after(behaviour.answers_after, self.pick_up))

    def later(self, seconds: float, wake: Callable[[], None]) -> None:
        """Calls `wake` after so long, unless the line has ended."""
        self._alarms.append(self.clock.after(seconds, wake))

    def _give_up_ringing(self) -> None:
        if not self.answered:
            self.end(Cause.NO_ANSWER)

    def hears(self, kind: HeardKind, text: str, path: Path | None = None) -> Heard:
        self.silence()
        heard = Heard(kind, text, self.clock.now(), path=path)
        self.heard.append(heard)
        self.observe(self, heard)
        return heard

    def silence(self, *, cut: bool = False) -> None:
        """What the far end hears at this moment stops."""
        if self.heard and self.heard[-1].until is None:
            self.heard[-1].until = self.clock.now()
            self.heard[-1].cut = cut

    def part(self) -> None:
        """The talk is over."""
        if self.talks and self.talks[-1].until is None:
            self.talks[-1].until = self.clock.now()

    def connect(self, other: Line) -> None:
        for line, partner in ((self, other), (other, self)):
            line.silence()
            line.partner = partner
            line.hears("voice", partner.phone.says if partner.phone else partner.caller)
            line.talks.append(Talk(self.clock.now(), partner.spoken))

    def disconnect(self) -> None:
        """Both ends of a talk are with the exchange again."""
        partner = self.partner
        for line in (self, partner) if partner is not None else ():
            line.partner = None
            line.silence()
            line.part()
            line.inbox.put(Parted())


class _PickedUp(Parted):
    """In the inbox of a dialled leg: the far end answered."""


PICKED_UP = _PickedUp()


class Exchange:
    """Lines and phones. It goes on when a controlling `SimulatedSwitch` dies, as a real switch does."""

    def __init__(self, clock: Clock, *, music: Path | None = None) -> None:
        self.clock = clock
        self.music = music
        self.lines: dict[CallId, Line] = {}
        self.phones: dict[str, Phone] = {}
        self.up = True
        self.disk_full = False
        self.left_tapes: dict[CallId, Line] = {}  # lines that ended while they were recorded
        self.observers: list[Callable[[Line, Heard], None]] = []
        self.on_ring_in: Callable[[Line], None] | None = None
        self.on_phone_rings: list[Callable[[Line], None]] = []
        self._ids = itertools.count(1)

    def ring_in(self, dialled: str, caller: str, *, caller_name: str = "", account: str = "") -> Line:
        """A caller dials; whoever serves the exchange gets the call."""
        line = self._line(CallId(f"sim-{next(self._ids)}"), caller, caller_name, dialled, account)
        if self.on_ring_in is None or not self.up:
            line.end(Cause.UNREACHABLE)
        else:
            self.on_ring_in(line)
        return line

    def fall_back(self, line: Line) -> None:
        """What a dialplan does with a call that is not taken: an apology, music, and the call again in a while."""
        if not line.answered:
            line.answered = True
            line.hears("sound", FALLBACK)
        line.hears("music", FALLBACK)
        line.later(FALLBACK_SECONDS, lambda: self._again(line))

    def _again(self, line: Line) -> None:
        if line.ended is None:
            (self.on_ring_in or self.fall_back)(line)

    def ring_out(self, address: str, call_id: CallId, caller: str, caller_name: str, ring_for: float) -> Line:
        line = self._line(call_id, caller, caller_name, address, "")
        phone = self.phones.get(address)
        if phone is None or not phone.registered:
            line.end(Cause.UNREACHABLE)
            return line
        line.ring(phone, ring_for)
        if line.ended is None:
            for told in list(self.on_phone_rings):
                told(line)
        return line

    def lose(self) -> None:
        """The exchange dies: every line ends."""
        self.up = False
        for line in list(self.lines.values()):
            line.end(Cause.SWITCH_LOST)

    def restore(self) -> None:
        self.up = True

    def ringing(self, account: str) -> Line | None:
        """The line on which that phone rings at this moment."""
        return next((line for line in self.lines.values() if line.dialled == account and not line.answered), None)

    def _line(self, call_id: CallId, caller: str, caller_name: str, dialled: str, account: str) -> Line:
        inbox = Inbox(self.clock)
        line = Line(self.clock, call_id, caller, caller_name, dialled, account, inbox, self._observe, self.left_tapes)
        self.lines[call_id] = line
        line.on_end.append(lambda: self._forget(line))
        return line

    def _forget(self, line: Line) -> None:
        self.lines.pop(line.id, None)

    def _observe(self, line: Line, heard: Heard) -> None:
        for observer in self.observers:
            observer(line, heard)
