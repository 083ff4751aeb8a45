"""Callers and agents without people: sipp plays their telephones, by the scenarios in sip/.

They speak SIP only: keys are sent by INFO, and nobody says anything.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).parent / "sip"
BETWEEN_KEYS = 0.3  # seconds
LONGEST = 180  # seconds, of any scripted call


class NotSo(Exception):
    """A scripted call did not go as its script says; the text names the file with what sipp says of it."""


@dataclass(frozen=True, slots=True)
class Account:
    """A SIP account at a switch."""

    name: str
    password: str
    switch: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Telephone:
    """A telephone with an account. `sipp` begins its command lines; logs go to `home`."""

    sipp: Sequence[str]
    account: Account
    home: Path

    def dial(self, number: str, keys: Sequence[tuple[float, str]] = ()) -> None:
        """Calls, presses each group of keys so many seconds after the one before, and stays until it is hung up.

        Raises NotSo.
        """
        self._play("dial", _dialling(keys), ["-s", number], port=_free_port(self._local)).check()

    @contextmanager
    def answering(self, *, after: float, talk_for: float) -> Iterator[None]:
        """Registered, and answering every call, while the block lasts. Raises NotSo when it cannot register."""
        port = _free_port(self._local)
        self._play("register", (SCENARIOS / "register.xml").read_text(), ["-m", "1"], port=port).check()
        scenario = (SCENARIOS / "answer.xml").read_text()
        scenario = scenario.replace("@RING-FOR@", _millis(after)).replace("@TALK-FOR@", _millis(talk_for))
        playing = self._play("answer", scenario, ["-m", "1000"], port=port)
        try:
            yield
        finally:
            playing.stop()

    @property
    def _local(self) -> str:
        return self.account.switch[0]

    def _play(self, name: str, scenario: str, arguments: Sequence[str], *, port: int) -> _Playing:
        self.home.mkdir(parents=True, exist_ok=True)
        file = self.home / f"{self.account.name}-{name}"
        file.with_suffix(".xml").write_text(scenario)
        command = [
            *self.sipp, "{}:{}".format(*self.account.switch), "-sf", f"{file}.xml", "-m", "1",
            "-i", self._local, "-mi", self._local, "-p", str(port), "-nostdin", "-ci", self._local,
            "-key", "account", self.account.name, "-au", self.account.name, "-ap", self.account.password,
            "-timeout", f"{LONGEST}s", "-timeout_error", "-trace_msg", "-message_file", f"{file}.sip", *arguments,
        ]  # fmt: skip
        with (out := file.with_suffix(".out")).open("wb") as said:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.home)
        return _Playing(process, f"the scripted telephone {self.account.name} could not {name}", out)


@dataclass(frozen=True, slots=True)
class _Playing:
    process: subprocess.Popen[bytes]
    complaint: str
    out: Path

    def check(self) -> None:
        """Returns when all has gone as written; stops it where this is broken off. Raises NotSo."""
        try:
            code = self.process.wait(LONGEST + 10)
        finally:
            self.stop()
        if code:
            raise NotSo(f"{self.complaint}; see {self.out} and {self.out.with_suffix('.sip')}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


def _dialling(keys: Sequence[tuple[float, str]]) -> str:
    key = (SCENARIOS / "key.xml").read_text()
    pressed = [
        key.replace("@AFTER@", _millis(after if first else BETWEEN_KEYS)).replace("@KEY@", digit)
        for after, group in keys
        for first, digit in zip([True] + [False] * (len(group) - 1), group, strict=True)
    ]
    return (SCENARIOS / "dial.xml").read_text().replace("<!-- KEYS -->", "".join(pressed))


def _millis(seconds: float) -> str:
    return str(round(seconds * 1000))


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
