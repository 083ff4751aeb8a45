"""`switch.port.Call` on Asterisk: what each promise takes in requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from switch.asterisk import encoding, recording, talk
from switch.asterisk.ari import named
from switch.asterisk.config import MEMORY, TRANSFER
from switch.asterisk.http import Refused
from switch.asterisk.line import Line, Pending, Playback
from switch.asterisk.websocket import Json
from switch.port import (
    NONE,
    Call,
    CallEnded,
    CallId,
    CannotJoin,
    CannotPlay,
    Cause,
    Key,
    Keys,
    Media,
    Notice,
    Parted,
    Recording,
    Silence,
    Sound,
    SwitchError,
    SwitchLost,
)

LATE = 0.5  # seconds within which a hang-up follows the failed playback that it caused
LOOK_AGAIN = 30.0  # seconds after which we ask whether a playback still plays


@dataclass(frozen=True, slots=True)
class Facts:
    """What a channel says of itself."""

    caller: str
    caller_name: str
    dialled: str
    account: str
    remembered: Mapping[str, str]
    answered: bool


def facts(channel: Json) -> Facts:
    variables = channel.get("channelvars") or {}
    return Facts(
        caller=channel["caller"]["number"],
        caller_name=channel["caller"]["name"],
        dialled=variables.get("HOTLINE_DIALLED", ""),
        account=variables.get("HOTLINE_ACCOUNT", ""),
        remembered=encoding.remembered(variables.get(MEMORY, "")),
        answered=channel["state"] == "Up",
    )


class AsteriskCall:
    """A leg in our Stasis application. See `switch.port.Call` for what each method promises."""

    def __init__(self, line: Line, told: Facts) -> None:
        self.id: CallId = line.id
        self.was_joined = line.bridge is not None
        self.caller = told.caller
        self.caller_name = told.caller_name
        self.dialled = told.dialled
        self.account = told.account
        self.remembered: Mapping[str, str] = told.remembered
        self.line = line
        self._memory = dict(told.remembered)
        self._answered = told.answered
        self._inbox = line.inbox

    def answer(self) -> None:
        self._inbox.check()
        if not self._answered:
            self.line.ask("POST", "answer")
            self._answered = True

    def play(self, media: Sequence[Media], *, stop_on: Keys = NONE, back_to: str = "") -> Key | Notice | None:
        cut = self._cut_in(stop_on, within=0)
        if cut is not None:
            return cut
        if back_to:
            return self._announce(media, stop_on, back_to)
        self.quieten()
        for medium in media:
            cut = self._play_one(medium, stop_on)
            if cut is not None:
                return cut
        return None

    def record(self, to: Path, *, longest: float, silence: float, stop_on: Keys) -> Recording:
        self._inbox.check()
        self._inbox.drop_keys()
        self.quieten()
        return recording.record(self.line, to, longest=longest, silence=silence, stop_on=stop_on)

    def start_recording(self, to: Path) -> None:  # noqa: ARG002  # fetched when it has ended
        self._inbox.check()
        talk.start(self.line)

    def mask_recording(self, to: Path, masked: bool) -> None:  # noqa: ARG002  # it is named by the leg
        talk.mask(self.line, masked)

    def stop_recording(self, to: Path) -> float:
        return talk.stop(self.line, to)

    def hold(self, music: str) -> None:
        self._inbox.check()
        self.line.leave()  # music that plays is replaced without a gap, in which we might die
        if self.line.music_class != encoding.music(music):
            self._music(music)

    def wait(self, within: float | None) -> Key | Notice | Parted | None:
        return self._inbox.take(within)

    def post(self, notice: Notice | Parted) -> None:
        self._inbox.put(notice)

    def join(self, other: Call) -> None:
        self._inbox.check()
        if not isinstance(other, AsteriskCall) or other.line.inbox.ended is not None:
            raise CannotJoin("the other leg is gone")
        self.quieten()
        other.quieten_for_join()
        bridge = self.line.next_name("bridge")
        self.line.request("POST", named("bridges", bridge), type="mixing,dtmf_events")
        lines = (self.line, other.line)
        for line in lines:
            line.join(bridge)
        once = True

        def done() -> bool:
            """Looked at before it is asked for again, which would part them first."""
            nonlocal once
            once = False
            return all(line.is_in(bridge) for line in lines)

        try:
            path = f"{named('bridges', bridge)}/addChannel"
            self.line.request("POST", path, channel=[line.id for line in lines], done=done)
        except BaseException as error:
            for line in lines:
                line.not_joined(surely=once and isinstance(error, Refused))  # it looks for all before it puts in any
            self.line.link.later("DELETE", named("bridges", bridge))
            if isinstance(error, Refused):
                raise CannotJoin("a leg was gone before the two were joined") from error
            raise
        for line in lines:
            line.joined()

    def part(self) -> None:
        self._inbox.check()
        if self.line.bridge is not None:
            self.line.link.later("DELETE", named("bridges", self.line.bridge))  # both hear that they were left alone

    def remember(self, name: str, value: str) -> None:
        memory = {**self._memory, name: value}
        self.line.ask("POST", "variable", variable=MEMORY, value=encoding.memory(memory))
        self._memory = memory

    def transfer(self, address: str) -> None:
        self._inbox.check()
        extension = encoding.extension(address)
        if extension is None:
            raise SwitchError("not an address that a call can be transferred to")
        self.quieten()
        self.line.ask("POST", "continue", context=TRANSFER, extension=extension, priority=1)
        self.line.end(Cause.NORMAL)
        raise CallEnded(Cause.NORMAL)

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        self.line.hang_up(cause)

    # --- sound

    def quieten(self) -> None:
        """Nothing plays any more, and the leg is alone."""
        self._inbox.check()
        self.line.leave()
        if self.line.music:
            self.line.music = False
            self.line.music_class = ""
            self.line.ask("DELETE", "moh")

    def quieten_for_join(self) -> None:
        """Like `quieten`, from the greenlet that drives the other leg. Raises CannotJoin."""
        try:
            self.quieten()
        except CallEnded as ended:
            raise CannotJoin("the other leg is gone") from ended

    def _music(self, music: str) -> None:
        """Endless music, as soon as what plays now has ended."""
        name = encoding.music(music)
        self.line.ask("POST", "moh", mohClass=name)
        self.line.music = True
        self.line.music_class = name

    def _announce(self, media: Sequence[Media], stop_on: Keys, back_to: str) -> Key | Notice | None:
        """Plays what interrupts music. Asterisk is told everything at once and needs us for nothing that follows."""
        sounds = [medium.path for medium in media if isinstance(medium, Sound)]  # in a pause music would play
        missing = next((path for path in sounds if not path.is_file()), None)
        if missing is not None:
            raise CannotPlay(f"{missing}: no such file")  # in the middle of several Asterisk would not tell
        self.line.leave()
        return self._play(sounds, stop_on, back_to) if sounds else None

    def _play_one(self, medium: Media, stop_on: Keys) -> Key | Notice | None:
        match medium:
            case Silence(seconds):
                return self._cut_in(stop_on, within=seconds)
            case Sound(path):
                return self._play([path], stop_on)

    def _play(self, paths: Sequence[Path], stop_on: Keys, back_to: str = "") -> Key | Notice | None:
        media = [_named(path) for path in paths]
        playback = self.line.playback = Playback(self.line.next_name("play"))
        try:
            self._start(media, playback)
            if back_to:
                self._music(back_to)
            cut = self._await(playback, stop_on)
        finally:
            self.line.playback = None
            if playback.over:
                self._inbox.remove(playback)
        if cut is not None and not playback.over:
            self.line.link.later("DELETE", named("playbacks", playback.id))
        elif playback.ended == [False]:
            # A hang-up fails the playback first and is told a moment later.
            self._inbox.find(lambda _: False, LATE)
            raise CannotPlay(f"{paths[-1]}: Asterisk could not play it")
        return cut

    def _start(self, media: Sequence[str], playback: Playback) -> None:
        self.line.starting = True
        try:
            there = partial(self.line.has, "playbacks", playback.id)
            self.line.ask("POST", "play", done=there, media=media, playbackId=playback.id)
        except Refused as refused:
            raise CannotPlay(str(refused)) from refused
        finally:
            self.line.starting = False

    def _await(self, playback: Playback, stop_on: Keys) -> Key | Notice | None:
        """Returns when it is over, or what cuts in."""
        while not playback.over:
            item = self._cut_in(stop_on, within=LOOK_AGAIN, playback=playback)
            if item is not None and item is not playback:
                return item
            if item is None:
                with suppress(SwitchLost):  # looked at again later, or when the connection is back
                    self.line.catch_up()
        return None

    def _cut_in(self, stop_on: Keys, *, within: float, playback: Playback | None = None) -> Key | Notice | None:
        """Waits for a key of `stop_on`, a notice or the end of the playback, and leaves it where it is."""
        item = self._inbox.find(
            lambda item: (
                item is playback
                if isinstance(item, Pending)
                else isinstance(item, Notice) or (isinstance(item, Key) and item.digit in stop_on)
            ),
            within,
        )
        assert not isinstance(item, Parted)
        return item


def _named(path: Path) -> str:
    """A file as Asterisk names it. Raises CannotPlay."""
    name = encoding.sound(path)
    if name is None:
        raise CannotPlay(f"{path}: not a WAV file by its name")
    return name
