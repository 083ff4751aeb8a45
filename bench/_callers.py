"""Many callers at a time: sipp, with what it counted and timed."""

from __future__ import annotations

import csv
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provision import phones
from provision.debs import Unavailable
from tests.live.sipp import free_port
from tests.live.switches import CHECKOUT

SCENARIOS = Path(__file__).parent / "scenarios"
CROWDS_PATIENCE = 75.0  # seconds: twice the thirty that callers of a crowd have themselves
PATIENCE = 15.0  # seconds beyond the last call's arrival after which sipp is stopped
_BY_SOUND = """<nop start_rtd="told"><action><exec play_pcap_audio="{pcap}"/></action></nop>"""
_BY_INFO = """<send retrans="500" start_rtd="told"><![CDATA[
    INFO [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
    [routes]
    From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]b[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 2 INFO
    Max-Forwards: 70
    Content-Type: application/dtmf-relay
    Content-Length: [len]

    Signal={key}
    Duration=160
  ]]></send>
  <recv response="200"/>"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one load. Times are in milliseconds, one for each call that got so far."""

    asked: int
    succeeded: int
    repeated: int  # SIP messages that had to be sent again
    answer: Sequence[float]
    told: Sequence[float]


@dataclass(frozen=True, slots=True)
class Crowd:
    """What came of callers of whom there were too many. Times are in milliseconds, one for each caller."""

    asked: int
    orderly: int  # served, refused, or out of patience: as SIP has it
    answer: Sequence[float]
    told: Sequence[float]

    @property
    def refused(self) -> int:
        """Callers who were refused by SIP."""
        return max(0, self.orderly - len(self.answer))

    @property
    def unheard(self) -> int:
        """Callers who got no answer of any kind."""
        return max(0, self.asked - len(self.answer) - self.refused)


@dataclass(frozen=True, slots=True)
class Callers:
    """sipp, calling `to` from loopback. `logs` keeps its files."""

    program: Sequence[str]
    key_press: str
    how_keys_are_pressed: str
    to: tuple[str, int]
    logs: Path

    def call(self, number: str, *, rate: int, seconds: float) -> Outcome:
        """Lets `rate` callers a second walk through the order menu; returns when the last of them has hung up."""
        calls = round(rate * seconds)
        with self._sipp("order", number, calls=calls, rate=rate, ports=[]) as (process, files):
            try:
                process.wait(seconds + PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        counted, times = _counted(files), _times(files)
        return Outcome(calls, *counted, answer=times.get("answer", []), told=times.get("told", []))

    def crowd(self, number: str, *, rate: int, seconds: float) -> Crowd:
        """Lets `rate` callers a second try for so long, each with some patience; returns when the last has gone."""
        calls = round(rate * seconds)
        more = ["-recv_timeout", "60000"]
        with self._sipp("crowd", number, calls=calls, rate=rate, ports=[], more=more) as (process, files):
            try:
                process.wait(seconds + CROWDS_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        times = _times(files)
        return Crowd(calls, _counted(files)[0], answer=times.get("answer", []), told=times.get("told", []))

    @contextmanager
    def held(self, number: str, *, calls: int, rate: int, ports: Sequence[int] = ()) -> Iterator[None]:
        """So many callers who stay until the block is left; `ports` are where they listen, in turn."""
        with self._sipp(
            "hold", number, calls=calls, rate=rate, ports=ports, more=["-d", "600000", "-recv_timeout", "60000"]
        ) as (process, _):
            yield
            process.kill()
            process.wait(5)

    @contextmanager
    def _sipp(
        self, scenario: str, number: str, *, calls: int, rate: int, ports: Sequence[int], more: Sequence[str] = ()
    ) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        files = self.logs / f"{scenario}-{time.monotonic_ns()}"
        files.mkdir(parents=True)
        text = (SCENARIOS / f"{scenario}.xml").read_text().replace("@KEY@", self.key_press)
        (files / "scenario.xml").write_text(text)
        (files / "callers.csv").write_text(_callers(ports or [free_port("127.0.0.1")]))
        process = subprocess.Popen(
            [*self.program, f"{self.to[0]}:{self.to[1]}", "-sf", "scenario.xml", "-inf", "callers.csv", "-s", number,
             "-i", "127.0.0.1", "-mi", "127.0.0.1", "-ci", "127.0.0.1", "-p", str(free_port("127.0.0.1")),
             "-r", str(rate), "-rp", "1000", "-m", str(calls), "-l", str(10 * calls), "-nostdin",
             "-recv_timeout", "9000", "-trace_rtt", "-rtt_freq", "1", "-trace_stat", "-stf", "stat.csv", "-fd", "1",
             "-trace_err", "-error_file", "errors.log", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=files,
        )  # fmt: skip
        try:
            yield process, files
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(5)


def ready(to: tuple[str, int], logs: Path, key: str) -> Callers:
    """Callers; they press keys as RFC 2833 where sipp may send raw packets (root). Raises FileNotFoundError."""
    try:
        found = phones.prepare(CHECKOUT / "var" / "phones")
    except Unavailable as absent:
        raise FileNotFoundError(f"no sipp to call with: {absent}") from absent
    if os.geteuid() == 0:
        press, how = _BY_SOUND.format(pcap=found.pcaps / f"dtmf_2833_{key}.pcap"), "RFC 2833"
    else:
        press, how = _BY_INFO.format(key=key), "SIP INFO"
    return Callers(found.sipp, press, how, to, logs)


def _callers(ports: Sequence[int]) -> str:
    """sipp's injection file: a thousand callers' numbers, and their ports in turn."""
    lines = [f"139{number:08d};{ports[number % len(ports)]}" for number in range(max(1000, len(ports)))]
    return "SEQUENTIAL\n" + "\n".join(lines) + "\n"


def _counted(files: Path) -> tuple[int, int]:
    """Calls that went through the whole scenario, and messages repeated, by sipp's last word on it."""
    with (files / "stat.csv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter=";"))
    return (int(rows[-1]["SuccessfulCall(C)"]), int(rows[-1]["Retransmissions(C)"])) if rows else (0, 0)


def _times(files: Path) -> dict[str, list[float]]:
    """Response times by name, in milliseconds."""
    times: dict[str, list[float]] = {}
    for file in files.glob("*_rtt.csv"):
        for line in file.read_text().splitlines()[1:]:
            cells = line.split(";")
            if len(cells) >= 3:
                times.setdefault(cells[2].strip(), []).append(float(cells[1]))
    return times
