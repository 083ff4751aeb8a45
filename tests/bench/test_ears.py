"""The ear: against a far end that answers each key with a tone, over real sockets."""

import socket
import struct
import threading
import time

import numpy as np
import pytest

from bench import _ears
from tests.live.rtp import EVENT, PCMA, RATE


class FarEnd:
    """Sends packets of a tone, or of silence, to one ear, and takes what it sends."""

    def __init__(self, ear):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.ear = ("127.0.0.1", ear.port)
        self.sent = 0

    def sound(self, frequency=None):
        at = np.arange(self.sent * 160, self.sent * 160 + 160) / RATE
        samples = 8000 * np.sin(2 * np.pi * frequency * at) if frequency else np.zeros(160)
        header = struct.pack("!BBHII", 0x80, PCMA.payload, self.sent, self.sent * 160, 5)
        self.socket.sendto(header + PCMA.encode(samples), self.ear)
        self.sent += 1

    def event(self):
        """The next packet of a key: its code, whether it ends the key, and its length."""
        while True:
            data = self.socket.recv(2048)
            if data[1] & 0x7F == EVENT:
                code, flags, length = struct.unpack("!BBH", data[12:16])
                return code, bool(flags & 0x80), length


@pytest.fixture
def ear():
    with _ears.ears(1) as made:
        yield made[0]


@pytest.fixture
def far(ear):
    made = FarEnd(ear)
    yield made
    made.socket.close()


def test_a_key_is_one_event_that_ends_three_times(ear, far):
    far.sound()
    ear.press("5")
    events = [far.event() for _ in range(_ears.KEY_PACKETS + 3)]
    assert [code for code, _, _ in events] == [5] * len(events)
    assert [ended for _, ended, _ in events] == [False] * _ears.KEY_PACKETS + [True] * 3
    assert events[-1][2] == 160 * (_ears.KEY_PACKETS + 1)


def test_the_old_prompt_is_passed_over_until_the_other_tone_comes(ear, far):
    far.sound(_ears.LOW)
    assert ear.until_tone(_ears.LOW, 5)

    def answer():
        far.event()
        far.sound(_ears.LOW)
        far.sound(_ears.HIGH)

    answering = threading.Thread(target=answer)
    before_the_key = time.time()
    answering.start()
    ear.press("1")
    took = ear.until_heard(_ears.HIGH, 5)
    answering.join()
    assert 0 < took < time.time() - before_the_key


def test_a_tone_that_never_comes_is_none(ear, far):
    far.sound(_ears.LOW)
    ear.press("1")
    far.event()
    assert ear.until_heard(_ears.HIGH, 0.05) is None


def test_a_tone_that_was_heard_before_the_key_does_not_count(ear, far):
    far.sound(_ears.HIGH)
    assert ear.until_tone(_ears.HIGH, 5)
    ear.press("1")
    far.event()
    assert ear.until_heard(_ears.HIGH, 0.05) is None


def test_silence_is_no_tone():
    assert not _ears.is_tone(np.zeros(160), _ears.LOW)
