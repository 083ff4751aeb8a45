"""A caller's ear and finger: sends keys as RFC 2833 and notes when the first packet of another tone arrives.

The kernel stamps what arrives; a packet counts when most of its energy is in that tone. So the time found is that at
which a caller's telephone could have begun to play the tone, 20 ms of sound at a time.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np

from bench._menu import HIGH, LOW
from tests.live.rtp import EVENT, PCMA, RATE, Samples

PACKET = 160  # samples: 20 ms
KEY_PACKETS = 4  # of a key before the one that ends it, which is sent three times
TONES = (LOW, HIGH)
QUIET = 100.0  # mean level of a packet that is no sound, of 32768
_SO_TIMESTAMPNS = 35


def is_tone(samples: Samples, frequency: float) -> bool:
    """Whether most of a packet's energy is at this frequency."""
    level = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
    if level < QUIET:
        return False
    at = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / RATE)
    amplitude = 2 * abs(np.dot(samples.astype(np.float64), at)) / len(samples)
    return bool(amplitude**2 / 2 > level**2 / 2)


class Ear:
    """One RTP port. It learns where to send from what it hears, and sends silence, as a telephone does."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._far: tuple[str, int] | None = None
        self._sequence, self._stamp = 1, 160
        self._key: list[bytes] = []
        self._pressed = 0.0
        self._heard: dict[float, tuple[float, float]] = {}  # tone -> first and last arrival since it was asked for
        self._changed = threading.Condition()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    # From the thread of the measurement

    def press(self, key: str) -> None:
        """The key goes out with the next packets."""
        code = "0123456789*#ABCD".index(key)
        with self._changed:
            lengths = [(count + 1) * PACKET for count in range(KEY_PACKETS)] + [KEY_PACKETS * PACKET + PACKET] * 3
            self._key = [
                struct.pack("!BBH", code, 0x80 * (place >= KEY_PACKETS) | 10, length)
                for place, length in enumerate(lengths)
            ]
            self._pressed = 0.0
            self._heard.clear()

    def until_heard(self, tone: float, within: float) -> float | None:
        """Seconds from the key's first packet to the first packet of the tone; None when it did not come."""
        end = time.monotonic() + within
        with self._changed:
            while tone not in self._heard or not self._pressed:
                if not self._changed.wait(end - time.monotonic()):
                    return None
            return self._heard[tone][0] - self._pressed

    def until_tone(self, tone: float, within: float) -> bool:
        """Waits until a tone is heard."""
        with self._changed:
            return self._changed.wait_for(lambda: tone in self._heard, within)

    def until_over(self, tone: float, within: float) -> bool:
        """Waits until the tone has sounded and has been gone for a tenth of a second."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            with self._changed:
                _, last = self._heard.get(tone, (0.0, 0.0))
            if last and time.time() - last > 0.1:
                return True
            time.sleep(0.01)
        return False

    # From the thread that sends and receives

    def hear(self) -> None:
        """Takes one packet."""
        data, extra, _, sender = self._socket.recvmsg(2048, 64)
        if len(data) < 12 or data[1] & 0x7F != PCMA.payload:
            return
        seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
        arrived = seconds + nanoseconds / 1e9
        samples = PCMA.decode(data[12:])
        with self._changed:
            self._far = sender
            for tone in TONES:
                if is_tone(samples, tone):
                    first, _ = self._heard.get(tone, (arrived, arrived))
                    self._heard[tone] = (first, arrived)
                    self._changed.notify_all()

    def speak(self) -> None:
        """Sends the 20 ms that are due: silence, or a piece of a key."""
        if self._far is None:
            return
        if not self._key:
            self._packet(PCMA.payload, self._stamp, b"\xd5" * PACKET)
            self._stamp += PACKET
            return
        first = len(self._key) == KEY_PACKETS + 3
        closing = self._key if len(self._key) == 3 else self._key[:1]
        begun = time.time()  # before it is sent: the answer may be there before the next line
        for piece in list(closing):
            self._packet(EVENT | 0x80 * first, self._stamp, piece)
        with self._changed:
            del self._key[: len(closing)]
            if first:
                self._pressed = begun
                self._heard.clear()
                self._changed.notify_all()
        if not self._key:
            self._stamp += PACKET * (KEY_PACKETS + 1)

    def _packet(self, payload: int, stamp: int, data: bytes) -> None:
        assert self._far is not None
        self._sequence = (self._sequence + 1) % 0x10000
        with suppress(OSError):  # the far end has closed its port
            self._socket.sendto(struct.pack("!BBHII", 0x80, payload, self._sequence, stamp, 77) + data, self._far)


@contextmanager
def ears(count: int) -> Iterator[Sequence[Ear]]:
    """So many ears, with a thread that sends and receives for all of them."""
    made = [Ear() for _ in range(count)]
    over = threading.Event()
    pump = threading.Thread(target=_pump, args=(made, over), name="ears", daemon=True)
    pump.start()
    try:
        yield made
    finally:
        over.set()
        pump.join(5)
        for ear in made:
            ear.close()


def _pump(made: Sequence[Ear], over: threading.Event) -> None:
    due = time.monotonic()
    while not over.is_set():
        readable, _, _ = select.select(made, [], [], max(0.0, due - time.monotonic()))
        for ear in readable:
            ear.hear()
        if time.monotonic() >= due:
            due += PACKET / RATE
            for ear in made:
                ear.speak()
