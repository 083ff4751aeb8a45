"""One end of an RTP stream: sends audio and keys in real time, and keeps all that it heard.

Audio is 16-bit mono at 8 kHz throughout. An endpoint has one timeline, in seconds from its creation;
what was heard stands on it at the moment it arrived, so silence can be measured as silence.
"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

RATE = 8000
PACKET = 160  # samples: 20 ms
EVENT = 101  # payload type of telephone-event, as every scenario offers it
_KEYS = "0123456789*#ABCD"
_SO_TIMESTAMPNS = 35  # the kernel stamps what arrives: a late thread moves nothing on the timeline
_SLIPPED = RATE // 4  # further than this from its place by the clock, a stream has jumped and is placed anew

Samples = np.ndarray
Source = Callable[[int, int], Samples]  # (first sample, how many) -> samples
T = TypeVar("T")


def _alaw_levels() -> Samples:
    code = np.arange(256) ^ 0x55
    segment, step = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    size = np.where(segment == 0, step, (step + 0x100) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _ulaw_levels() -> Samples:
    code = ~np.arange(256) & 0xFF
    size = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _nearest(levels: Samples) -> Samples:
    """The code of the nearest level for each of the 65,536 samples, indexed by the sample as uint16."""
    order = np.argsort(levels, kind="stable")
    ranked = levels[order].astype(np.float64)
    samples = np.arange(65536).astype(np.uint16).view(np.int16)
    return order[np.searchsorted((ranked[1:] + ranked[:-1]) / 2, samples)].astype(np.uint8)


@dataclass(frozen=True)
class Codec:
    name: str
    payload: int
    levels: Samples
    codes: Samples

    def encode(self, samples: Samples) -> bytes:
        return self.codes[samples.astype(np.int16).view(np.uint16)].tobytes()

    def decode(self, data: bytes) -> Samples:
        return self.levels[np.frombuffer(data, np.uint8)]


PCMA = Codec("PCMA", 8, _alaw_levels(), _nearest(_alaw_levels()))
PCMU = Codec("PCMU", 0, _ulaw_levels(), _nearest(_ulaw_levels()))
CODECS = {codec.payload: codec for codec in (PCMA, PCMU)}


def silence(first: int, count: int) -> Samples:
    return np.zeros(count, np.int16)


def tone(*frequencies: float, loudness: float = -12.0) -> Source:
    """An endless tone of one or more frequencies; each peaks at so many dB below full scale."""
    peak = 32767 * 10 ** (loudness / 20)

    def samples(first: int, count: int) -> Samples:
        at = np.arange(first, first + count) / RATE
        return sum(peak * np.sin(2 * np.pi * frequency * at) for frequency in frequencies).astype(np.int16)

    return samples


def once(audio: Samples) -> Source:
    """The given audio, then silence."""
    begun: list[int] = []

    def samples(first: int, count: int) -> Samples:
        if not begun:
            begun.append(first)
        part = audio[first - begun[0] : first - begun[0] + count]
        return np.pad(part, (0, count - len(part)))

    return samples


_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_PAD = "123A456B789C*0#D"


def key_tones(keys: str) -> Samples:
    """Keys as their two tones, as an old telephone sends them: 120 ms each, 100 ms apart."""
    gap = np.zeros(RATE // 10, np.int16)
    parts = [gap]
    for key in keys:
        row, column = divmod(_PAD.index(key), 4)
        parts += [tone(_ROWS[row], _COLUMNS[column], loudness=-13)(0, RATE * 12 // 100), gap]
    return np.concatenate(parts)


class Timeline:
    """What was heard, placed by RTP time stamps and anchored to the clock; gaps are zeros."""

    def __init__(self) -> None:
        self._audio = np.zeros(RATE * 30, np.int16)
        self._end = 0
        self._anchors: dict[int, tuple[int, int]] = {}  # SSRC -> (time stamp, place)

    def put(self, source: int, stamp: int, arrived: float, samples: Samples) -> None:
        """Places one packet that arrived `arrived` seconds after the start of the timeline."""
        by_clock = round(arrived * RATE)
        first, place = self._anchors.setdefault(source, (stamp, by_clock))
        where = place + _signed(stamp - first)
        if abs(where - by_clock) > _SLIPPED:
            self._anchors[source] = (stamp, by_clock)
            where = by_clock
        if where < 0:
            return
        end = where + len(samples)
        if end > len(self._audio):
            self._audio = np.concatenate([self._audio, np.zeros(max(end, len(self._audio)), np.int16)])
        self._audio[where:end] = samples
        self._end = max(self._end, end)

    def until(self, seconds: float) -> Samples:
        """All that was heard up to so many seconds, padded with silence."""
        count = max(0, round(seconds * RATE))
        return np.pad(self._audio[: min(count, self._end)], (0, max(0, count - self._end)))


def _signed(stamp: int) -> int:
    return (stamp + 0x80000000) % 0x100000000 - 0x80000000


class Endpoint:
    """A UDP socket that talks RTP from a thread of its own, until it is closed."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._socket = _even_port(address)
        self.port: int = self._socket.getsockname()[1]
        self._began, self._began_wall = time.monotonic(), time.time()
        self._codec = PCMA
        self._far: tuple[str, int] | None = None
        self._source: Source = silence
        self._keys: deque[str] = deque()
        self._event: tuple[int, int] | None = None  # key code, packets sent
        self._rest = 0  # packets until the next key may be sent
        self._sequence, self._stamp = secrets.randbelow(0x8000), secrets.randbelow(0x80000000)
        self._ssrc = secrets.randbits(32)
        self._timeline = Timeline()
        self._changed = threading.Condition()
        self._closed = False
        self.received = 0
        self.first_heard: float | None = None  # when the first packet came, as `now` counts
        self.keys_heard = ""
        self._last_event = -1
        self._thread = threading.Thread(target=self._run, name=f"rtp-{self.port}", daemon=True)
        self._thread.start()

    # What the test says to it

    def send_to(self, address: str, port: int, payload: int) -> None:
        """Starts to send there, in the codec of that payload type."""
        with self._changed:
            self._codec = CODECS[payload]
            self._far = (address, port)

    def stop_sending(self) -> None:
        """Sends no more packets at all, as a dead network does; what comes is still heard."""
        with self._changed:
            self._far = None

    def say(self, source: Source) -> None:
        with self._changed:
            self._source = source

    def press(self, keys: str) -> None:
        """Queues keys as RFC 2833 events: 100 ms each, 80 ms apart. A space is one more second apart."""
        unknown = set(keys) - set(_KEYS) - {" "}
        if unknown:
            raise ValueError(f"no such keys: {''.join(sorted(unknown))}")
        with self._changed:
            self._keys.extend(keys)

    def now(self) -> float:
        """Seconds since the timeline began."""
        return time.monotonic() - self._began

    def heard(self, since: float = 0.0, until: float | None = None) -> Samples:
        """All that was heard between two moments of the timeline, silence included."""
        with self._changed:
            return self._timeline.until(self.now() if until is None else until)[round(since * RATE) :].copy()

    def wait_until(self, found: Callable[[], T], within: float) -> T:
        """Looks again after every packet until `found()` is true; its last value after `within` seconds."""
        end = time.monotonic() + within
        looked = found()
        while not looked and (left := end - time.monotonic()) > 0:
            with self._changed:
                self._changed.wait(min(left, 0.1))
            looked = found()
        return looked

    def close(self) -> None:
        with self._changed:
            self._closed = True
        self._thread.join(2)
        self._socket.close()

    # The thread

    def _run(self) -> None:
        due = time.monotonic()
        while not self._closed:
            readable, _, _ = select.select([self._socket], [], [], max(0.0, due - time.monotonic()))
            if readable:
                self._receive()
            if time.monotonic() >= due:
                # A machine that held this thread up makes a gap, as a network does, and never a burst.
                due = max(due, time.monotonic() - PACKET / RATE / 2) + PACKET / RATE
                with self._changed:
                    self._send()

    def _receive(self) -> None:
        data, extra, _, _ = self._socket.recvmsg(2048, 64)
        if len(data) < 12 or data[0] >> 6 != 2:
            return
        arrived = time.time()
        for _, kind, value in extra:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanos = struct.unpack("qq", value[:16])
                arrived = seconds + nanos / 1e9
        _, kind, _, stamp, source = struct.unpack("!BBHII", data[:12])
        payload = data[12 + 4 * (data[0] & 0x0F) :]
        with self._changed:
            self.received += 1
            if self.first_heard is None:
                self.first_heard = arrived - self._began_wall
            codec = CODECS.get(kind & 0x7F)
            if codec is not None:
                self._timeline.put(source, stamp, arrived - self._began_wall, codec.decode(payload))
            elif kind & 0x7F == EVENT and len(payload) >= 4 and stamp != self._last_event:
                self._last_event = stamp
                self.keys_heard += _KEYS[payload[0] & 0x0F]
            self._changed.notify_all()

    def _send(self) -> None:
        """One packet: of a key while there are keys, otherwise of sound. The time stamp always goes on."""
        self._stamp = (self._stamp + PACKET) % 0x100000000
        if self._far is None:
            return
        if self._event is None and self._keys and not self._rest:
            key = self._keys.popleft()
            if key == " ":
                self._rest = 50
            else:
                self._event = (_KEYS.index(key), 0)
        if self._event is not None:
            self._send_event()
        else:
            self._rest = max(0, self._rest - 1)
            sound = self._source(self._stamp, PACKET)
            self._packet(self._codec.payload, self._stamp, self._codec.encode(sound))

    def _send_event(self) -> None:
        assert self._event is not None
        code, sent = self._event
        length = 5  # packets of 20 ms; then the end three times, as RFC 4733 asks
        began = (self._stamp - sent * PACKET) % 0x100000000
        last = sent >= length - 1
        event = struct.pack("!BBH", code, 0x80 * last | 10, min(sent + 1, length) * PACKET)
        for _ in range(3 if last else 1):
            self._packet(EVENT | 0x80 * (sent == 0), began, event)
        self._event = None if last else (code, sent + 1)
        self._rest = 4 if last else 0

    def _packet(self, payload: int, stamp: int, data: bytes) -> None:
        self._sequence = (self._sequence + 1) % 0x10000
        assert self._far is not None
        try:
            self._socket.sendto(
                struct.pack("!BBHII", 0x80, payload, self._sequence, stamp, self._ssrc) + data, self._far
            )
        except OSError:
            return  # the far end has closed its port: a hang-up is on its way


def _even_port(address: str) -> socket.socket:
    """A socket on an even port, as RTP asks for; some switches put RTCP on the next one."""
    while True:
        found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        found.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        found.bind((address, 0))
        if found.getsockname()[1] % 2 == 0:
            return found
        found.close()
