"""The controlling side of the simulation: `Switch` and `Call` over an `Exchange`."""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import gevent

from switch.port import (
    NONE,
    UNKNOWN_END,
    Admits,
    Call,
    CallEnded,
    CallId,
    CannotJoin,
    CannotPlay,
    CannotRecord,
    Capability,
    Cause,
    Key,
    Keys,
    Media,
    NoSuchCall,
    NotAnswered,
    Notice,
    Parted,
    Recording,
    Silence,
    Snapshot,
    Sound,
    SwitchLost,
    everyone,
)
from switch.shared.clock import Millis
from switch.shared.inbox import Inbox
from switch.simulated.exchange import PICKED_UP, Exchange, Line, Tape

Ended = Literal["key", "silence", "longest"]

SPEECH_EXPECTED = 1.0  # seconds in which silence does not end a recording yet


class SimulatedCall:
    """A leg on the simulated exchange. See `switch.port.Call` for what each method promises."""

    def __init__(self, line: Line, exchange: Exchange) -> None:
        self.line = line
        self._exchange = exchange
        self._clock = exchange.clock
        self.inbox = line.inbox
        self.id = line.id
        self.caller = line.caller
        self.caller_name = line.caller_name
        self.dialled = line.dialled
        self.account = line.account
        self.remembered: Mapping[str, str] = dict(line.remembered)
        self.was_joined = line.partner is not None

    def answer(self) -> None:
        self.inbox.check()
        self.line.answered = True

    def play(self, media: Sequence[Media], *, stop_on: Keys = NONE, back_to: str = "") -> Key | Notice | None:  # noqa: ARG002
        for medium in media:
            cut = self.inbox.cut_in(stop_on, 0)
            if cut is None:
                cut = self._play(medium, stop_on)
            if cut is not None:
                return cut
        self.inbox.check()
        return None

    def _play(self, medium: Media, stop_on: Keys) -> Key | Notice | None:
        match medium:
            case Silence(seconds):
                self.line.hears("silence", "")
            case Sound(path, text):
                seconds = _seconds(path)
                self.line.hears("sound", text, path)
        cut = self.inbox.cut_in(stop_on, seconds)
        self.line.silence(cut=cut is not None)
        return cut

    def record(self, to: Path, *, longest: float, silence: float, stop_on: Keys) -> Recording:
        self.inbox.check()
        self.inbox.drop_keys()
        self.line.silence()
        if self._exchange.disk_full:
            raise CannotRecord("no space left on the switch's disk")
        start = self.line.taped_since = self._clock.now()
        self.line.awaiting = True
        try:
            ended, key = self._listen(start, longest, silence, stop_on)
        except CallEnded as gone:
            if gone.cause not in UNKNOWN_END:
                self._finish(to, start)
            raise
        finally:
            self.line.awaiting = False
        if key is not None:
            self.inbox.take_key(key)
        self._finish(to, start)
        recorded = (self._clock.now() - start) / 1000
        return Recording(to, recorded, "key", key.digit) if key else Recording(to, recorded, ended)

    def _listen(self, start: Millis, longest: float, silence: float, stop_on: Keys) -> tuple[Ended, Key | None]:
        """Until a key, silence or the end of time: speech moves the moment at which silence ends it."""
        end = start + round(longest * 1000)
        while True:
            spoken = max((until for _, until, _ in self.line.spoken if until > start), default=start)
            quiet = max(spoken, start + round(SPEECH_EXPECTED * 1000)) + round(silence * 1000)
            due = min(end, quiet)
            now = self._clock.now()
            if now >= due:
                return ("longest" if due == end else "silence"), None
            cut = self.inbox.cut_in(stop_on, (due - now) / 1000)
            if isinstance(cut, Key):
                return "key", cut
            if isinstance(cut, Notice):
                self._clock.sleep((due - now) / 1000)

    def _finish(self, to: Path, start: Millis) -> None:
        self.line.taped_since = None
        self._exchange.left_tapes.pop(self.id, None)
        _write(self.line, to, start, self._clock.now())

    def start_recording(self, to: Path) -> None:
        self.inbox.check()
        if self._exchange.disk_full:
            raise CannotRecord("no space left on the switch's disk")
        if self.line.tape is not None:
            raise CannotRecord("this leg is being recorded already")
        self.line.tape = Tape(to, self._clock.now())
        self.line.on_end.append(lambda: _end_recording(self.line, self._clock.now()))

    def mask_recording(self, to: Path, masked: bool) -> None:
        self.inbox.check()
        if self.line.tape is not None and self.line.tape.to == to:
            self.line.tape.mask(masked, self._clock.now())

    def stop_recording(self, to: Path) -> float:
        if self.inbox is not self.line.inbox:
            self.inbox.check()
        if self.line.tape is not None and self.line.tape.to == to:
            _end_recording(self.line, self._clock.now())
        try:
            return _seconds(to)
        except CannotPlay as problem:
            raise CannotRecord(str(problem)) from problem

    def hold(self, music: str) -> None:
        self.inbox.check()
        path = self._exchange.music / f"{music}.wav" if self._exchange.music else None
        self.line.hears("music", music, path)

    def wait(self, within: float | None) -> Key | Notice | Parted | None:
        self.line.awaiting = True
        try:
            return self.inbox.take(within)
        finally:
            self.line.awaiting = False

    def post(self, notice: Notice | Parted) -> None:
        self.inbox.put(notice)

    def join(self, other: Call) -> None:
        self.inbox.check()
        partner = self._exchange.lines.get(other.id)
        if partner is None or partner.ended is not None:
            raise CannotJoin("the other leg is gone")
        self.line.connect(partner)

    def part(self) -> None:
        self.inbox.check()
        self.line.disconnect()

    def remember(self, name: str, value: str) -> None:
        self.inbox.check()
        self.line.remembered[name] = value

    def transfer(self, address: str) -> None:
        self.inbox.check()
        self.line.transferred_to = address
        self.line.end(Cause.NORMAL)
        self.inbox.check()

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        if self.inbox is self.line.inbox:
            self.line.end(cause)


class SimulatedOutboundCall(SimulatedCall):
    """A leg that we dialled. See `switch.port.OutboundCall`."""

    def answered(self) -> Notice | None:
        while True:
            try:
                item = self.inbox.take(None)
            except CallEnded as ended:
                raise NotAnswered(ended.cause) from ended
            if item is PICKED_UP:
                return None
            if isinstance(item, Notice):
                return item

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        super().hang_up(cause if self.line.answered else Cause.CANCELLED)

    def await_gone(self, within: float) -> None:
        """It is at once."""


class SimulatedSwitch:
    """A controller of an exchange. Several may come and go over one exchange, as processes do."""

    capabilities = frozenset(Capability)
    version = "simulated"

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._calls: dict[CallId, SimulatedCall] = {}

    @property
    def connected(self) -> bool:
        return self._exchange.up

    @property
    def superseded(self) -> bool:
        return False

    def serve(self, on_call: Callable[[Call], None], *, admits: Admits = everyone) -> None:
        def take(line: Line) -> None:
            if admits(line.id, line.account):
                gevent.spawn(self._drive, self._ours(SimulatedCall(line, self._exchange)), on_call)
            else:
                self._exchange.fall_back(line)

        self._exchange.on_ring_in = take

    def die(self) -> None:
        """As kill -9 does: our lines go on, and whatever still tries to drive them has no hold on them any more."""
        self.stop()
        for call in list(self._calls.values()):
            if call.line.inbox is call.inbox:
                call.line.inbox = Inbox(self._exchange.clock)
            call.inbox.end(Cause.SUPERSEDED)

    def _drive(self, call: SimulatedCall, on_call: Callable[[Call], None]) -> None:
        try:
            on_call(call)
        finally:
            call.hang_up()

    def stop(self) -> None:
        self._exchange.on_ring_in = None

    def dial(
        self, address: str, *, call_id: CallId, caller: str, caller_name: str = "", ring_for: float
    ) -> SimulatedOutboundCall:
        self._check()
        line = self._exchange.ring_out(address, call_id, caller, caller_name, ring_for)
        call = SimulatedOutboundCall(line, self._exchange)
        self._ours(call)
        return call

    def adopt(self, call_id: CallId) -> SimulatedCall:
        self._check()
        line = self._exchange.lines.get(call_id)
        if line is None:
            raise NoSuchCall(call_id)
        former, line.inbox = line.inbox, Inbox(self._exchange.clock)
        former.end(Cause.SUPERSEDED)
        if line.partner is None:
            line.silence(cut=True)
        return self._ours(SimulatedCall(line, self._exchange))

    def strays(self) -> Mapping[CallId, Snapshot]:
        return {id: snapshot for id, snapshot in self.calls().items() if not self._is_ours(id)}

    def drop(self, call_id: CallId) -> None:
        self._check()
        if line := self._exchange.lines.get(call_id):
            line.end(Cause.NORMAL)

    def salvage(self, call_id: CallId, to: Path) -> bool:
        self._check()
        line = self._exchange.lines.get(call_id) or self._exchange.left_tapes.pop(call_id, None)
        if line is None or line.taped_since is None:
            return to.exists()
        start, line.taped_since = line.taped_since, None
        _write(line, to, start, self._exchange.clock.now() if line.ended_at is None else line.ended_at)
        return True

    def calls(self) -> Mapping[CallId, Snapshot]:
        self._check()
        return {
            line.id: Snapshot(
                id=line.id,
                caller=line.caller,
                dialled=line.dialled,
                answered=line.answered,
                joined_to=line.partner.id if line.partner else None,
                outbound=line.phone is not None,
                remembered=dict(line.remembered),
            )
            for line in self._exchange.lines.values()
        }

    def _ours(self, call: SimulatedCall) -> SimulatedCall:
        self._calls[call.id] = call
        call.line.on_end.append(lambda: self._forget(call))
        return call

    def _forget(self, call: SimulatedCall) -> None:
        if self._calls.get(call.id) is call:
            del self._calls[call.id]

    def _is_ours(self, call_id: CallId) -> bool:
        call = self._calls.get(call_id)
        return call is not None and call.line.inbox is call.inbox

    def registrations(self) -> frozenset[str]:
        self._check()
        return frozenset(phone.account for phone in self._exchange.phones.values() if phone.registered)

    def show_waiting(self, account: str, *, new: int, old: int) -> None:
        self._check()
        phone = self._exchange.phones.get(account)
        if phone is not None and phone.registered:
            phone.waiting = (new, old)

    def _check(self) -> None:
        if not self._exchange.up:
            raise SwitchLost("the simulated exchange is down")


def _write(line: Line, to: Path, start: Millis, end: Millis) -> None:
    """What the far end said between `start` and `end`, as a WAV file."""
    from switch.simulated import audio  # noqa: PLC0415 - numpy: a start does without it

    audio.write_wav(to, audio.spoken_between(line.spoken, start, end))


def _seconds(path: Path) -> float:
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, wave.Error, EOFError) as error:
        raise CannotPlay(f"{path}: {error}") from error


def _end_recording(line: Line, now: Millis) -> None:
    """Writes what was recorded of both directions, silent where it was masked."""
    from switch.simulated import audio  # noqa: PLC0415 - numpy: a start does without it

    tape, line.tape = line.tape, None
    if tape is None:
        return
    samples = audio.both_directions(line, tape.start, now)
    for first, last in tape.masks:
        begin, end = (((now if at is None else at) - tape.start) * audio.RATE // 1000 for at in (first, last))
        samples[begin:end] = 0
    audio.write_wav(tape.to, samples)
