"""A terminal as a telephone: its keyboard is the keypad, its loudspeaker the handset."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import gevent
from gevent.os import tp_read

POLL_SECONDS = 0.1
PLAYERS = (("aplay", "-q"), ("paplay",))
KEYPAD = frozenset("0123456789*#ABCDh")


class Terminal:
    """The keyboard without line editing; leaving the `with` block gives the terminal back as it was."""

    def __init__(self) -> None:
        self._stdin = sys.stdin.fileno()
        self._before: list[Any] = []
        self._typed: list[str] = []
        self._reader: gevent.Greenlet[..., None] | None = None

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._stdin)
        tty.setcbreak(self._stdin)
        self._reader = gevent.spawn(self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.kill(block=False)
        termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._before)

    def keys(self, *, until: Callable[[], bool]) -> Iterator[str]:
        """The keys of a telephone as they are typed (h: hang up); everything else is passed over."""
        while not until():
            while self._typed:
                key = self._typed.pop(0)
                if key in KEYPAD:
                    yield key
            gevent.sleep(POLL_SECONDS)

    def _read(self) -> None:
        while data := tp_read(self._stdin, 32):
            self._typed += data.decode(errors="ignore")


class Speaker:
    """Plays WAV files where the machine has a sound device and a player; silent elsewhere."""

    def __init__(self, player: tuple[str, ...]) -> None:
        self._player = player
        self._playing: subprocess.Popen[bytes] | None = None

    @classmethod
    def find(cls) -> Speaker:
        has_device = any(Path("/dev/snd").glob("pcm*p"))
        found = next((player for player in PLAYERS if shutil.which(player[0])), ())
        return cls(found if has_device else ())

    @property
    def works(self) -> bool:
        return bool(self._player)

    def play(self, path: Path | None, *, endless: bool = False) -> None:
        self.stop()
        if path is not None and self._player and (not endless or path.exists()):
            self._playing = subprocess.Popen(
                [*self._player, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

    def stop(self) -> None:
        if self._playing is not None:
            self._playing.send_signal(signal.SIGTERM)
            self._playing.wait()
            self._playing = None
