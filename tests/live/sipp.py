"""sipp as the signalling half of a telephone: one process, told over its own command link what to do.

sipp needs no rights. Its scenarios (sip/*.xml) say over the link (``-3pcc``) what the far end did, and wait there for
what to do next, so a call lasts as long as the test wants it to.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import re
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent / "sip"
PROGRAM = ["sipp"]  # how sipp is run on this machine; provision/phones.py knows
_REFUSALS = (400, 403, 404, 408, 410, 415, 480, 483, 484, 486, 487, 488, 500, 501, 502, 503, 504, 600, 603, 604, 606)
_REFUSED = (
    '<ereg regexp="SIP/2.0 ([0-9]+)" search_in="msg" assign_to="line,code"/>'
    '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="them"/>'
)
_SDP = """v=0
    o=phone 1 1 IN IP4 [local_ip]
    s=-
    c=IN IP4 [local_ip]
    t=0 0
    m=audio [$rtp_port] RTP/AVP [payload] 101
    a=rtpmap:[payload] [codec]/8000
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=sendrecv"""
_HEAR_SDP = (
    '<ereg regexp="c=IN IP4 ([0-9.]+)" search_in="body" assign_to="all,address"/>'
    '<ereg regexp="m=audio ([0-9]+)" search_in="body" assign_to="all,port"/>'
)


def _refusals(*more: int) -> str:
    return "".join(
        f'<recv response="{code}" optional="true" next="92"><action>{_REFUSED}</action></recv>'
        for code in (*_REFUSALS, *more)
    )


def assembled(scenario: str) -> str:
    """The scenario in one piece: sipp knows no includes, nor variables for what it listens to.

    ``NAME-without-events`` is that scenario without telephone-event in its SDP.
    """
    dialling = (HERE / "dialling.xml").read_text()
    parts = {
        "@ONCE@": dialling.replace("@N@", "1").replace("@REFUSALS@", _refusals()),
        "@AGAIN@": dialling.replace("@N@", "2").replace("@REFUSALS@", _refusals(401, 407)),
        "@TALK@": (HERE / "talk.xml").read_text(),
        "@REFUSED@": _REFUSED,
        "@HEAR-SDP@": _HEAR_SDP,
        "@SDP@": _SDP,
        "@OTHER-SDP@": _SDP.replace("[payload]", "[$law]").replace("[codec]", "[$lawname]"),
    }
    name, without_events, _ = scenario.partition("-without-events")
    if without_events:
        parts["@SDP@"] = "\n".join(line for line in _SDP.splitlines() if "101" not in line or "m=" in line)
        parts["@SDP@"] = parts["@SDP@"].replace(" 101", "")
    text = (HERE / f"{name}.xml").read_text()
    for place, part in parts.items():
        text = text.replace(place, part)
    return text


class Sipp:
    """One sipp process and its command link. `on_news(call id, words)` runs in the link's thread."""

    def __init__(
        self,
        scenario: str,
        arguments: list[str],
        *,
        log: Path,
        to: tuple[str, int] | None = None,
        port: int = 0,
        local: str = "127.0.0.1",
        calls: int = 1,
        on_news: Callable[[str, str], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.log = log.with_suffix(".sip")
        self.port = port or free_port(local)
        self._on_news, self._on_end = on_news, on_end
        log.with_suffix(".xml").write_text(assembled(scenario))
        # A message may arrive while sipp is between two steps; with no default behaviour it is left for its repetition
        # instead of ending the call.
        with socket.create_server((local, 0)) as server:
            server.settimeout(10)
            link = server.getsockname()[1]
            with log.with_suffix(".out").open("wb") as out:
                self._process = subprocess.Popen(
                    [*PROGRAM, *([f"{to[0]}:{to[1]}"] if to else []), "-sf", str(log.with_suffix(".xml")), "-i", local,
                     "-p", str(self.port), "-m", str(calls), "-3pcc", f"{local}:{link}",
                     "-aa", "-default_behaviors", "none", "-nostdin",
                     "-ci", local, "-trace_msg", "-message_file", str(self.log), "-message_overwrite", "false",
                     "-trace_err", "-error_file", str(log.with_suffix(".err")), *arguments],
                    stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=log.parent,
                )  # fmt: skip
            self._link = server.accept()[0]
        self._link.settimeout(None)
        threading.Thread(target=self._read, name=f"sipp-{log.name}", daemon=True).start()

    def tell(self, call_id: str, what: str) -> None:
        try:
            self._link.sendall(f"Call-ID: {call_id}\r\ndo: {what}\r\n\x1b".encode())
        except OSError:
            return  # sipp has ended: its last news say why

    def stop(self) -> None:
        """Ends this sipp; a call that it still has is left to the far end's time limits."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._link.close()

    def _read(self) -> None:
        waiting = b""
        while True:
            try:
                data = self._link.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            *messages, waiting = (waiting + data).split(b"\x1b")
            for message in messages:
                text = message.decode(errors="replace")
                call_id = re.search(r"Call-ID: (\S+)", text)
                news = re.search(r"news: ?(.*)", text)
                if call_id and news:
                    self._on_news(call_id[1], news[1].strip())
        self._on_end()


_PORTS = itertools.cycle(random.sample(range(10000, 20000), 10000))  # away from those that the system gives out
_GIVING = threading.Lock()


def free_port(address: str) -> int:
    """A UDP port that is free, and not given to anybody else until long after."""
    while True:
        with _GIVING:
            port = next(_PORTS)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return port
