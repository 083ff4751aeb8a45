"""A private Asterisk for tests, on ports that nobody else uses, with our configuration and music of one tone."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from provision import asterisk
from provision.debs import Unavailable
from tests.live import heard

CHECKOUT = Path(__file__).resolve().parents[3]
PASSWORD = "a password of the tests"
ACCOUNTS = {"1001": "phone-1001", "1002": "phone-1002"}
MUSIC = 300.0  # hertz


def tone(frequency, seconds):
    return (0.4 * 32767 * np.sin(2 * np.pi * frequency * np.arange(int(8000 * seconds)) / 8000)).astype(np.int16)


def free_ports(count):
    probes = [socket.socket(socket.AF_INET, kind) for kind in [socket.SOCK_DGRAM] * (count - 1) + [socket.SOCK_STREAM]]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Exchange:
    """Started, killed and started again by the tests that need it."""

    def __init__(self, tree, home):
        self.tree, self.home = tree, home
        home.mkdir(parents=True, exist_ok=True)
        music = home / "music"
        music.mkdir()
        heard.write_wav(music / "tone.wav", tone(MUSIC, 30))
        agents, trunk, ari = free_ports(3)
        self.site = asterisk.Site(
            agents=ACCOUNTS, music={"default": music, "calm": music}, password=PASSWORD,
            agents_port=agents, trunk_port=trunk, ari_port=ari, rtp=(30000, 30999),
        )  # fmt: skip
        self.running = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.site.ari_port}"

    @property
    def recordings(self):
        return self.home / "spool" / "recording"

    def start(self):
        self.running = asterisk.start(self.tree, self.home, self.site)

    def stop(self):
        if self.running is not None:
            asterisk.stop(self.running)
            self.running = None

    def kill(self):
        """As a crash does."""
        self.running.process.send_signal(signal.SIGKILL)
        self.running.process.wait(10)
        self.running = None

    def console(self, command):
        return self.running.console(command)

    def channels(self):
        return int(self.console("core show channels count").split()[0])


def prepare(home):
    """An exchange that is not running yet; skips the test where there is no Asterisk, or fails it where one is due."""
    try:
        tree = asterisk.prepare(CHECKOUT / "var" / "asterisk")
    except Unavailable as reason:
        due = "asterisk" in os.environ.get("HOTLINE_REQUIRE", "").split(",")
        (pytest.fail if due else pytest.skip)(f"no private Asterisk: {reason}")
    return Exchange(tree, home)
