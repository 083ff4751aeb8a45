"""`switch.port.Call` on FreeSWITCH: what each promise takes in commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

import gevent
import structlog
from gevent import get_hub

from switch.freeswitch import encoding, esl, names
from switch.freeswitch.leg import LAST_EVENTS, NAP, Application, Bridge, Leg, Pending, Tape
from switch.freeswitch.media import Programme, programme, wav_seconds, write_empty_wav
from switch.freeswitch.music import STREAM
from switch.port import (
    NONE,
    UNKNOWN_END,
    Call,
    CallEnded,
    CallId,
    CannotJoin,
    CannotPlay,
    CannotRecord,
    Cause,
    Key,
    Keys,
    Media,
    Notice,
    Parted,
    Recording,
    SwitchError,
)

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

LATE = 10.0  # seconds after which something that should have ended by itself is given up
BREAK_AGAIN = 0.64  # seconds, at most, until a sound that goes on is broken off once more
SPEECH_EXPECTED = 1.0  # seconds in which silence does not end a recording yet
SHORT = 0.3  # seconds that may be missing of what was played; more, and something was not played at all
PLAYED = "FILE PLAYED"
AGAIN_AFTER = 1.0  # music that ends sooner than this cannot be played, and is not tried again

_BY_SILENCE = ("success-silence", "no-input-timeout", "empty-file")


class FreeSwitchCall:
    """A leg that FreeSWITCH has handed to us. See `switch.port.Call` for what each method promises."""

    was_joined = False

    def __init__(self, leg: Leg, channel: esl.Event) -> None:
        self.id: CallId = leg.id
        self.caller = channel["Caller-Caller-ID-Number"]
        name = channel["Caller-Caller-ID-Name"]
        self.caller_name = "" if name == self.caller else name  # FreeSWITCH fills the number in where no name came
        self.dialled = dialled(channel)
        self.account = channel[f"variable_{names.ACCOUNT}"]
        self.remembered: Mapping[str, str] = encoding.remembered(channel.startingwith(f"variable_{names.REMEMBERED}"))
        self.leg = leg
        self._inbox = leg.inbox
        self._answered = channel["Answer-State"] == "answered"
        self._sound: Application | None = None
        self._cut_by_key = False  # the sound was stopped inside FreeSWITCH, by a key of playback_terminators
        self._music = ""
        self._music_since = 0
        self._by_stream = False
        self._as_coded = False  # the music: in another codec it would be noise
        self.set_by_dialplan(channel)
        self._joined = False
        self._tape: Tape | None = None
        leg.met_again = self._met_again
        leg.recoded = self._recoded

    @property
    def in_talk(self) -> bool:
        """Whether it is with another leg, and comes to us by itself when that is over."""
        return self._joined

    def set_by_dialplan(self, channel: esl.Event) -> None:
        """Notes what the dialplan, which the leg has just come through, has set on it."""
        self._terminators = channel["variable_playback_terminators"]
        self._comes_back = channel["variable_transfer_after_bridge"] == names.MEETS_AGAIN

    def answer(self) -> None:
        self._inbox.check()
        if not self._answered:
            # By api and not as an application: whatever is sent after it finds the leg answered, and no nap of
            # the leg's own thread comes before it.
            self.leg.send(esl.command(f"api uuid_answer {self.id}"))
            self._answered = True

    def play(self, media: Sequence[Media], *, stop_on: Keys = NONE, back_to: str = "") -> Key | Notice | None:  # noqa: ARG002  # the dialplan's fallback is music
        cut = self._cut_in(stop_on, within=0)
        if cut is not None:
            return cut
        wanted = programme(media)
        if wanted.argument:
            self._quiet()
            cut = self._play(wanted, stop_on)
        if cut is None and wanted.missing:
            raise CannotPlay(f"{wanted.missing}: no such file, not readable, or a name that cannot be passed on")
        return cut

    def record(self, to: Path, *, longest: float, silence: float, stop_on: Keys) -> Recording:
        self._inbox.check()
        self._inbox.drop_keys()
        self._quiet()
        tape = Tape(_name(to))
        self.leg.taping(tape)
        try:
            self._start(tape, silence)
            key = self._listen(tape, longest, stop_on)
        finally:
            self.leg.taped(tape)
        return self._recorded(tape, to, key)

    def start_recording(self, to: Path) -> None:
        self._inbox.check()
        tape = self._tape = Tape(_name(to))
        # Mixed by FreeSWITCH; `uuid_bridge` and `playback` leave it as it is.
        options = "RECORD_STEREO=false,RECORD_MIN_SEC=0,enable_file_write_buffering=false"
        self.leg.taping(tape)
        if not self.leg.api(f"uuid_record {self.id} start {tape.path} 0 {{{options}}}").startswith("+OK"):
            self.leg.taped(tape)
            raise CannotRecord("FreeSWITCH cannot write the file")

    def mask_recording(self, to: Path, masked: bool) -> None:
        if self.leg.api(f"uuid_record {self.id} {'mask' if masked else 'unmask'} {_name(to)}").startswith("-ERR"):
            raise CannotRecord("FreeSWITCH has no such recording")

    def stop_recording(self, to: Path) -> float:
        tape = self._tape
        if tape is None or tape.path != _name(to):
            tape = Tape(_name(to))  # begun by the controller before us
            self.leg.taping(tape)
        try:
            if not tape.over:
                known = self.leg.api(f"uuid_record {self.id} stop {tape.path}").startswith("+OK")
                self.leg.is_over(tape, LATE if known else LAST_EVENTS)
        except CallEnded as ended:
            if ended.cause in UNKNOWN_END:
                raise
        finally:
            self.leg.taped(tape)
        return self._aside(_complete, to, tape)

    def hold(self, music: str) -> None:
        self._inbox.check()
        name = encoding.display(music)
        if self._sound is not None and not self._sound.over and self._music == name:
            return
        self._quiet()
        self._music = name
        self._start_music()

    def wait(self, within: float | None) -> Key | Notice | Parted | None:
        clock = self.leg.clock
        until = None if within is None else clock.now() + round(within * 1000)
        while True:
            item = self._inbox.take(within)
            if not isinstance(item, Pending):
                return item
            if item is self._sound and self._music:
                self._music_ended()
            if until is not None:
                within = max(0, until - clock.now()) / 1000

    def post(self, notice: Notice | Parted) -> None:
        self._inbox.put(notice)

    def join(self, other: Call) -> None:
        self._inbox.check()
        if not isinstance(other, FreeSwitchCall) or not other.leg.attached:
            raise CannotJoin("the other leg is not ours on this switch")
        if other.leg.inbox.ended is not None:
            raise CannotJoin("the other leg is gone")
        self._quiet()
        bridge = Bridge()
        self.leg.bridging(bridge)
        try:
            self._bridge_to(other)
            self._await_talk(bridge)
        except CallEnded:
            other._part()
            raise
        finally:
            self.leg.bridging(None)

    def part(self) -> None:
        self._inbox.check()
        self._part()

    def remember(self, name: str, value: str) -> None:
        self.leg.api(f"uuid_setvar {self.id} {encoding.variable(name)} {encoding.value(value)}")

    def transfer(self, address: str) -> None:
        self._inbox.check()
        number = encoding.address(address)
        if number is None:
            raise SwitchError("not an address that a call can be transferred to")
        self.leg.api(f"uuid_transfer {self.id} {number} XML {names.TRANSFER}")
        self.leg.end(Cause.NORMAL)
        raise CallEnded(Cause.NORMAL)

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        self.leg.kill(cause)

    # --- sound

    def _cut_in(self, stop_on: Keys, *, within: float, sound: Application | None = None) -> Key | Notice | None:
        """Waits for a key of `stop_on`, a notice or the end of the sound, and leaves it where it is."""
        item = self._inbox.find(
            lambda item: (
                item is sound
                if isinstance(item, Pending)
                else isinstance(item, Notice) or (isinstance(item, Key) and item.digit in stop_on)
            ),
            within,
        )
        assert not isinstance(item, Parted)
        return item

    def _play(self, wanted: Programme, stop_on: Keys) -> Key | Notice | None:
        sound = self._sound = self._start_playing(wanted.argument, stop_on)
        item = self._cut_in(stop_on, within=wanted.seconds + LATE, sound=sound)
        if item is sound:
            self._inbox.remove(sound)
            _check(sound, wanted)
            return None
        if item is None:
            self._quiet()
            raise CannotPlay("the switch did not say that the sound has ended")
        self._cut_by_key = isinstance(item, Key)
        return item

    def _start_playing(self, argument: str, stop_on: Keys) -> Application:
        keys = "".join(key for key in names.EVERY_KEY if key in stop_on) or "none"
        setting = b""
        if keys != self._terminators:
            setting = esl.command(f"api uuid_setvar {self.id} playback_terminators {keys}")
            self._terminators = keys
        return self.leg.execute("playback", argument, before=setting)

    def _quiet(self) -> None:
        """Returns when nothing plays any more."""
        sound, self._sound = self._sound, None
        cut_by_key, self._cut_by_key = self._cut_by_key, False
        self._music = ""
        if sound is None:
            return
        if sound.over:
            self._inbox.remove(sound)
            return
        if cut_by_key and self.leg.is_over_soon(sound, NAP):
            return
        # A break is lost on a sound that has not quite begun: repeat it until the end has come. A FreeSWITCH that is
        # short of processor may take seconds, and nobody is hung up for that. What it has not read yet keeps the end
        # from being told: so the next waits for the answer to the one before, and longer each time.
        breaks, until = 0, self.leg.clock.now() + round(LATE * 1000)
        while (left := until - self.leg.clock.now()) > 0:
            if not (breaks and self.leg.busy):
                self.leg.send(esl.command(f"api uuid_break {self.id}"))
                breaks += 1
            if self.leg.is_over_soon(sound, min(2**breaks * 2 * NAP, BREAK_AGAIN, left / 1000)):
                return
        self.leg.give_up("the sound does not stop")

    def _start_music(self, *, by_stream: bool = False) -> None:
        self._music_since = self.leg.clock.now()
        argument = f"{STREAM}{self._music}" if by_stream else self.leg.music.argument(self._music, self._music_since)
        self._by_stream = argument.startswith(STREAM)
        self._as_coded = self.leg.music.is_coded(argument)
        self._sound = self._start_playing(argument, NONE)

    def _recoded(self) -> None:
        """The far end has changed the codec, so music that is coded begins anew."""
        if self._music and self._as_coded and self._sound is not None:
            gevent.spawn(self._break_off, self._sound)

    def _break_off(self, music: Application) -> None:
        if self._sound is music and not music.over:
            music.broken_off = True
            with suppress(CallEnded):
                self.leg.send(esl.command(f"api uuid_break {self.id}"))

    def _music_ended(self) -> None:
        """The piece is over and begins anew, or it cannot be played."""
        sound, self._sound = self._sound, None
        played = sound is not None and sound.response == PLAYED and (sound.seconds > 0 or sound.broken_off)
        if not self._by_stream and played:
            self._start_music()
        elif not self._by_stream:
            log.error("music cannot be played from its file", call=self.id, music=self._music)
            self._start_music(by_stream=True)
        else:
            lasted = (self.leg.clock.now() - self._music_since) / 1000
            log.error("a stream of music ended by itself", call=self.id, music=self._music, lasted=lasted)
            if lasted > AGAIN_AFTER:
                self._start_music()

    # --- recording

    def _start(self, tape: Tape, silence: float) -> None:
        options = {
            "RECORD_READ_ONLY": "true",
            "RECORD_MIN_SEC": "0",
            "RECORD_USE_THREAD": "false",  # a full disk shows at once, and the file is complete when we hear so
            "enable_file_write_buffering": "false",
            "RECORD_INITIAL_TIMEOUT_MS": str(round((SPEECH_EXPECTED + silence) * 1000)),
            "RECORD_FINAL_TIMEOUT_MS": str(round(silence * 1000)),
        }
        listed = ",".join(f"{option}={value}" for option, value in options.items())
        if not self.leg.api(f"uuid_record {self.id} start {tape.path} 0 {{{listed}}}").startswith("+OK"):
            self._aside(_discard, Path(tape.path))
            raise CannotRecord("FreeSWITCH cannot write the file")

    def _listen(self, tape: Tape, longest: float, stop_on: Keys) -> Key | None:
        """Returns when the file is complete: the key that ended it, or None."""
        found = self._inbox.find(
            lambda item: item is tape or (isinstance(item, Key) and item.digit in stop_on), longest
        )
        if isinstance(found, Key):
            self._inbox.remove(found)
        if not tape.over:
            self.leg.api(f"uuid_record {self.id} stop {tape.path}")
        if not self.leg.is_over(tape, LATE):
            raise CannotRecord("FreeSWITCH did not say that the file is complete")
        return found if isinstance(found, Key) else None

    def _recorded(self, tape: Tape, to: Path, key: Key | None) -> Recording:
        seconds = self._aside(_complete, to, tape)
        if key is not None:
            return Recording(to, seconds, "key", key.digit)
        return Recording(to, seconds, "silence" if tape.cause in _BY_SILENCE else "longest")

    def _aside(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does what touches the disk in a native thread."""
        with self.leg.clock.working():
            return get_hub().threadpool.apply(function, args, kwargs)

    # --- talking

    def _bridge_to(self, other: FreeSwitchCall) -> None:
        try:
            other._come_back_after_talk()
        except CallEnded as gone:
            raise CannotJoin("the other leg is gone") from gone
        self._come_back_after_talk()
        self._joined = other._joined = True
        if not self.leg.api(f"uuid_bridge {self.id} {other.id}").startswith("+OK"):
            self._joined = other._joined = False
            self._end_if_gone()
            raise CannotJoin("the other leg is gone")

    def _end_if_gone(self) -> None:
        """Raises CallEnded where FreeSWITCH does not know this leg any more, though its end was not told yet."""
        if self.leg.api(f"uuid_exists {self.id}") == "false":
            self._inbox.find(lambda _: False, LAST_EVENTS)
            self.leg.end(Cause.NORMAL)
            self._inbox.check()

    def _come_back_after_talk(self) -> None:
        """After a talk the leg meets us again in the dialplan, whether we live or not.

        Our dialplan sees to it; this is for a leg that has come by another, or by that of an earlier version. Where the
        other one dies between uuid_bridge's +OK and the bridge, `rdnis` does the same, or else the leg is parked
        instead of hung up.
        """
        if not self._comes_back:
            self.leg.api(f"uuid_setvar_multi {self.id} {names.COME_BACK}")

    def _await_talk(self, bridge: Bridge) -> None:
        """Returns when the two talk. Raises CannotJoin once the leg, left alone, is with us again."""
        while True:
            item = self._inbox.find(lambda item: item is bridge or isinstance(item, Parted), LATE)
            if item is not None:
                self._inbox.remove(item)
            if item is not bridge:
                raise CannotJoin("the other leg was gone before the two were joined")
            if bridge.begun:
                return
            self._part()

    def _part(self) -> None:
        """Takes the leg out of a talk that never began, where FreeSWITCH would leave it for ever."""
        if self._joined:
            with suppress(CallEnded):
                self.leg.api(f"uuid_transfer {self.id} {names.AGAIN} XML {names.CONTEXT}")

    def _met_again(self) -> None:
        self._terminators = ""  # the dialplan has set them anew
        if self._joined:
            self._joined = False
            self._inbox.put(Parted())


def dialled(channel: esl.Event) -> str:
    """The number that was dialled first, also where the leg has been sent to an extension of ours since."""
    number = channel["Caller-Destination-Number"]
    return channel["variable_sip_req_user"] if number.startswith(names.OWN_EXTENSIONS) else number


def _name(file: Path) -> str:
    """The path as a command can hold it. Raises CannotRecord."""
    name = encoding.path(file)
    if name is None:
        raise CannotRecord("the file's name has signs that cannot be passed on")
    return name


def _check(sound: Application, wanted: Programme) -> None:
    if sound.response != PLAYED:
        raise CannotPlay(f"{wanted.argument}: {sound.response or 'not played'}")
    if sound.seconds + SHORT < wanted.seconds:
        raise CannotPlay(f"{wanted.argument}: {sound.seconds:.1f} s of {wanted.seconds:.1f} s were played")


def _complete(file: Path, tape: Tape) -> float:
    """How long the recording is. Raises CannotRecord, and removes what is there, when it is not whole."""
    if tape.cause == "empty-file":
        write_empty_wav(file)
        return 0.0
    seconds = wav_seconds(file)
    if tape.cause == "uri-failure" or seconds is None:
        _discard(file)
        raise CannotRecord("the disk is full, or the file cannot be written")
    return seconds


def _discard(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
