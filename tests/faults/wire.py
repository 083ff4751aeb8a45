"""A bad network between the appliance and its switch, by a seed: delays, splits, breaks, events doubled and swapped.

Bytes are delayed and split anywhere, and a connection breaks after any byte. Whole events alone are doubled and swapped
with the next: answers have no number on the event socket, and nobody could tell which is which.
"""

from __future__ import annotations

import json
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

LONGEST_HELD = 0.2  # seconds that an event waits for another to be swapped with


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad it is. `lives`: bytes that a connection passes on the average until it breaks, 0 for ever."""

    delay: float = 0.0  # seconds, at most, before anything is passed on
    split: float = 0.0  # chance that something is passed on in two pieces
    lives: int = 0
    double: float = 0.0  # chance of an event to come twice
    swap: float = 0.0  # chance of an event to come after the next


TROUBLES = {
    "slow and in pieces": Faults(delay=0.1, split=0.5),
    "breaking": Faults(lives=20_000, split=0.2),
    "doubled and swapped": Faults(double=0.3, swap=0.3),
    "all of it": Faults(delay=0.05, split=0.2, lives=40_000, double=0.2, swap=0.2),
}


@dataclass(frozen=True, slots=True)
class Piece:
    data: bytes
    event: bool = False


class EventSocket:
    """What FreeSWITCH says, cut into its messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Piece]:
        self._rest += data
        while (end := self._rest.find(b"\n\n")) >= 0:
            head = self._rest[:end]
            size = next((int(line[16:]) for line in head.split(b"\n") if line.startswith(b"Content-Length: ")), 0)
            if len(self._rest) < end + 2 + size:
                return
            message, self._rest = self._rest[: end + 2 + size], self._rest[end + 2 + size :]
            yield Piece(message, event=b"text/event-plain" in head)


class WebSocket:
    """What Asterisk says: HTTP as it comes, or the frames of the events' websocket."""

    def __init__(self) -> None:
        self._rest = b""
        self._frames: bool | None = None  # unknown until the first head is whole

    def feed(self, data: bytes) -> Iterator[Piece]:
        self._rest += data
        if self._frames is None and b"\r\n\r\n" in self._rest:
            head, _, self._rest = self._rest.partition(b"\r\n\r\n")
            self._frames = b" 101 " in head.partition(b"\r\n")[0]
            yield Piece(head + b"\r\n\r\n")
        if self._frames:
            yield from self._whole_frames()
        elif self._frames is not None and self._rest:
            passed, self._rest = self._rest, b""
            yield Piece(passed)

    def _whole_frames(self) -> Iterator[Piece]:
        while (size := _frame(self._rest)) is not None and len(self._rest) >= size[1]:
            frame, self._rest = self._rest[: size[1]], self._rest[size[1] :]
            yield Piece(frame, event=frame[0] == 0x81 and _is_event(frame[size[0] :]))


def _frame(data: bytes) -> tuple[int, int] | None:
    """Lengths of a frame's head and of all of it, None where that is not known yet."""
    if len(data) < 2:
        return None
    longer = {126: 2, 127: 8}.get(data[1] & 0x7F, 0)
    if len(data) < 2 + longer:
        return None
    body = int.from_bytes(data[2 : 2 + longer]) if longer else data[1] & 0x7F
    return 2 + longer, 2 + longer + body


def _is_event(text: bytes) -> bool:
    return json.loads(text).get("type") != "RESTResponse"


class Wire:
    """Listens where the one side is told that the other one listens, and passes on what both say.

    `server_talks`: whose events are doubled and swapped, those of who listens or those of who connects.
    """

    def __init__(
        self,
        listen: int,
        to: int,
        *,
        seed: int,
        faults: Faults,
        framing: Callable[[], EventSocket | WebSocket],
        server_talks: bool = True,
    ) -> None:
        self.faults = faults
        self.done = dict.fromkeys(("broken", "doubled", "swapped"), 0)
        self._to = to
        self._framing = framing
        self._server_talks = server_talks
        self._dice = random.Random(seed)
        self._open: set[socket.socket] = set()
        self._cut = False
        self._server = socket.create_server(("127.0.0.1", listen))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for end in list(self._open):
            _break(end)

    def cut(self) -> None:
        """Breaks every connection; nobody gets through before `mend`."""
        self._cut = True
        for end in list(self._open):
            _break(end)

    def mend(self) -> None:
        self._cut = False

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                if self._cut:
                    near.close()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    near.close()
                    continue
                self._connect(near, far)

    def _connect(self, near: socket.socket, far: socket.socket) -> None:
        self._open |= {near, far}
        for end in (near, far):  # before either way runs: the first may break both in no time
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink, talks in ((near, far, not self._server_talks), (far, near, self._server_talks)):
            way = _Way(self, source, sink, self._framing() if talks else None, random.Random(self._dice.random()))
            threading.Thread(target=way.run, daemon=True).start()

    def forget(self, *ends: socket.socket) -> None:
        for end in ends:
            _break(end)
            self._open.discard(end)


class _Way:
    """One direction of one connection."""

    def __init__(
        self,
        wire: Wire,
        source: socket.socket,
        sink: socket.socket,
        framing: EventSocket | WebSocket | None,
        dice: random.Random,
    ) -> None:
        self._wire, self._source, self._sink, self._framing, self._dice = wire, source, sink, framing, dice
        self._held: Piece | None = None
        self._left: int | None = None  # bytes until it breaks

    def run(self) -> None:
        with suppress(OSError, ValueError):  # ValueError: the other way has closed it
            while True:
                if self._held is not None and not self._ready(LONGEST_HELD):
                    self._take(self._held)
                elif self._ready(None):
                    data = self._source.recv(65536)
                    if not data:
                        break
                    for piece in [Piece(data)] if self._framing is None else self._framing.feed(data):
                        self._take(piece)
        self._wire.forget(self._source, self._sink)

    def _ready(self, within: float | None) -> bool:
        return bool(select.select([self._source], [], [], within)[0])

    def _take(self, piece: Piece) -> None:
        faults, dice = self._wire.faults, self._dice
        held, self._held = self._held, None
        if held is None and piece.event and dice.random() < faults.swap:
            self._held = piece
            return
        self._pass(piece)
        if held is not None and held is not piece:
            self._wire.done["swapped"] += 1
            self._pass(held)
        if piece.event and dice.random() < faults.double:
            self._wire.done["doubled"] += 1
            self._pass(piece)

    def _pass(self, piece: Piece) -> None:
        """Raises OSError where the connection breaks."""
        faults, dice, data = self._wire.faults, self._dice, piece.data
        time.sleep(dice.uniform(0, faults.delay))
        if faults.lives:
            self._break_or_go_on(data, faults.lives)
        cut = dice.randrange(len(data) + 1) if dice.random() < faults.split else 0
        for part in (data[:cut], data[cut:]):
            self._sink.sendall(part)

    def _break_or_go_on(self, data: bytes, lives: int) -> None:
        """Raises OSError, after a part of it, when it is time for the connection to break."""
        if self._left is None:
            self._left = round(self._dice.expovariate(1 / lives))
        if self._left < len(data):
            self._sink.sendall(data[: self._left])
            self._wire.done["broken"] += 1
            raise BrokenPipeError
        self._left -= len(data)


def _break(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
