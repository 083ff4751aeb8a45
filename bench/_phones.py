"""Telephones of agents and callers on one UDP port, light enough to stand beside what they measure.

An agent's telephone answers at once; the kernel stamps the INVITE as it arrives. Callers stay until the switch lets
them go, and others may come in their place. Nobody speaks, and what is heard goes to a port that nobody reads.
"""

from __future__ import annotations

import heapq
import itertools
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from bench import _sip
from bench._sip import HOST, Message

REPEAT = 0.5  # seconds after which what was not answered is sent again
REPEATS = 8
GLANCE = 0.01  # seconds between two looks at what is due
_SO_TIMESTAMPNS = 35

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Rung:
    """An INVITE at an agent's telephone, `at` seconds since 1970."""

    agent: str
    call: str
    at: float


@dataclass(slots=True)
class Dialog:
    """One call as one telephone sees it."""

    call: str
    far: Address
    uri: str  # where our requests go
    ours: str
    theirs: str
    number: int = 0  # of our last request
    answer: bytes = b""  # to the INVITE of an agent
    confirmed: threading.Event = field(default_factory=threading.Event)


class Phones:
    """See the head of this file. `talk` is how many seconds after its answer an agent hangs up, None for not at all."""

    def __init__(self, trunk: Address, agents: Address) -> None:
        self._trunk, self._agents = trunk, agents
        self.talk: float | None = None
        self.rung: SimpleQueue[Rung] = SimpleQueue()
        self.answered: dict[str, float] = {}  # when the 200 to a caller's INVITE came, by call
        self.let_go: list[float] = []  # when the switch hung up a caller who had been answered
        self.refused = 0
        self._passwords: Mapping[str, str] = {}
        self._registered: set[str] = set()
        self._callers: dict[str, Dialog] = {}
        self._rings: dict[str, Dialog] = {}
        self._wanted, self._dialled, self._apart = 0, "", 1.0
        self._open: set[tuple[str, str]] = set()  # calls and what was sent in them that is not answered
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count(1)
        self._lock = threading.RLock()
        self._over = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self._sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sink.bind((HOST, 0))
        self._audio = _sip.audio(self._sink.getsockname()[1])

    # From the thread of the measurement

    def register(self, passwords: Mapping[str, str], within: float = 20.0) -> None:
        """Returns when all these accounts are registered. Raises TimeoutError."""
        self._passwords = passwords
        self._registered.clear()
        with self._lock:
            for account in passwords:
                self._register(account, f"r-{account}-{self.port}.{next(self._count)}")
        end = time.monotonic() + within
        while len(self._registered) < len(passwords):
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self._registered)} of {len(passwords)} telephones are registered")
            time.sleep(0.05)

    def call(self, number: str) -> str:
        """A caller who dials this number; its call."""
        count = next(self._count)
        uri = f"sip:{number}@{self._trunk[0]}:{self._trunk[1]}"
        ours = f"<sip:139{count:08d}@{HOST}:{self.port}>;tag=b{count}"
        dialog = Dialog(f"c{count}-{time.monotonic_ns():x}", self._trunk, uri, ours, f"<{uri}>")
        with self._lock:
            self._callers[dialog.call] = dialog
            self._ask(dialog, "INVITE", sdp=self._audio)
        return dialog.call

    def keep(self, number: str, *, calls: int, rate: float) -> None:
        """From now on so many callers, `rate` new ones a second at most; who is let go is followed by another."""
        with self._lock:
            begins = calls and not self._wanted
            self._dialled, self._wanted, self._apart = number, calls, 1 / rate
            if begins:
                self._fill()

    def there(self) -> int:
        """How many callers have been answered and are there."""
        with self._lock:
            return sum(call in self.answered for call in self._callers)

    def until_there(self, calls: int, within: float) -> int:
        """How many callers are there, once so many are, or after `within` seconds."""
        end = time.monotonic() + within
        while (there := self.there()) < calls and time.monotonic() < end:
            time.sleep(0.02)
        return there

    def next_rung(self, within: float) -> Rung | None:
        """The next INVITE at an agent's telephone; None when there is none in time."""
        with suppress(Empty):
            return self.rung.get(timeout=within)
        return None

    def until_confirmed(self, rung: Rung, within: float = 5.0) -> bool:
        """Waits until the switch has confirmed the agent's answer."""
        dialog = self._rings.get(rung.call)
        return dialog is not None and dialog.confirmed.wait(within)

    def hang_up(self, call: str) -> None:
        """Ends a call of an agent or a caller, if it is still there."""
        with self._lock:
            dialog = self._rings.pop(call, None) or self._callers.pop(call, None)
            if dialog is not None:
                self._ask(dialog, "BYE")

    def leave(self) -> None:
        """All hang up, and none follow."""
        self.keep("", calls=0, rate=1)
        for call in [*self._callers, *self._rings]:
            self.hang_up(call)
            time.sleep(0.002)

    # What is sent

    def _register(self, account: str, call: str, authorization: str = "") -> None:
        host, port = self._agents
        uri, us = f"sip:{host}:{port}", f"<sip:{account}@{host}:{port}>"
        more = {"Contact": f"<sip:{account}@{HOST}:{self.port}>", "Expires": "300"}
        if authorization:
            more["Authorization"] = authorization
        number = 1 if authorization else 0
        dialog = Dialog(call, self._agents, uri, f"{us};tag=r{account}", us, number=number)
        self._ask(dialog, "REGISTER", more=more)

    def _ask(self, dialog: Dialog, method: str, *, sdp: str = "", more: Mapping[str, str] | None = None) -> None:
        """Sends a request until it is answered."""
        dialog.number += 1
        data = _sip.request(
            method, dialog.uri, port=self.port, call=dialog.call, number=dialog.number, ours=dialog.ours,
            theirs=dialog.theirs, sdp=sdp, more=more,
        )  # fmt: skip
        self._until_heard((dialog.call, method), data, dialog.far)

    def _until_heard(self, what: tuple[str, str], data: bytes, far: Address) -> None:
        self._open.add(what)
        self._send_again(what, data, far, REPEATS)

    def _send_again(self, what: tuple[str, str], data: bytes, far: Address, times: int) -> None:
        if what in self._open and times:
            self._send(data, far)
            self._after(REPEAT, lambda: self._send_again(what, data, far, times - 1))

    def _send(self, data: bytes, far: Address) -> None:
        with suppress(OSError):  # the switch has closed its port
            self._socket.sendto(data, far)

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._count), do))

    def _fill(self) -> None:
        """Calls where a caller is wanted, and looks again when the next may come."""
        if len(self._callers) < self._wanted:
            self.call(self._dialled)
        if self._wanted:
            self._after(self._apart, self._fill)

    # What comes, in a thread of its own

    def run(self) -> None:
        """Receives and repeats until `close`."""
        while not self._over:
            readable, _, _ = select.select([self._socket], [], [], GLANCE)
            if readable:
                data, extra, _, far = self._socket.recvmsg(8192, 64)
                seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
                message = _sip.parsed(data)
                if message is not None:
                    with self._lock:
                        self._came(message, far, seconds + nanoseconds / 1e9)
            with self._lock:
                while self._timers and self._timers[0][0] <= time.monotonic():
                    heapq.heappop(self._timers)[2]()

    def close(self) -> None:
        self._over = True

    def _came(self, message: Message, far: Address, at: float) -> None:
        match message.status, message.method:
            case 0, "INVITE":
                self._on_invite(message, far, at)
            case 0, "ACK":
                self._on_ack(message)
            case 0, "BYE":
                self._send(_sip.response(message, "200 OK"), far)
                self._on_bye(message["Call-ID"], at)
            case 0, "CANCEL":  # it crossed our answer
                self._send(_sip.response(message, "200 OK"), far)
            case 0, _:
                self._send(_sip.response(message, "200 OK", tag="o"), far)
            case status, "INVITE":
                self._on_reply(message, status, at)
            case 401, "REGISTER":
                self._on_challenge(message)
            case status, method if status >= 200:
                self._open.discard((message["Call-ID"], method))
                if method == "REGISTER" and status == 200:
                    self._registered.add(message["Call-ID"].split("-")[1])

    def _on_challenge(self, message: Message) -> None:
        call = message["Call-ID"]
        if message.number == "1" and (call, "REGISTER") in self._open:
            account = call.split("-")[1]
            self._register(
                account, call, _sip.credentials(
                    message["WWW-Authenticate"], user=account, password=self._passwords[account], method="REGISTER",
                    uri=f"sip:{self._agents[0]}:{self._agents[1]}",
                ),
            )  # fmt: skip

    def _on_invite(self, message: Message, far: Address, at: float) -> None:
        call = message["Call-ID"]
        known = self._rings.get(call) or self._callers.get(call)
        if known is not None:  # it is repeated, or about another codec
            again = _sip.response(message, "200 OK", contact=self._contact(message.user), sdp=self._audio)
            self._send(again if ";tag=" in message["To"] else known.answer, far)
            return
        tag = f"a{next(self._count)}"
        answer = _sip.response(message, "200 OK", tag=tag, contact=self._contact(message.user), sdp=self._audio)
        us = f"{message['To']};tag={tag}"
        self._rings[call] = Dialog(call, far, message.contact, us, message["From"], answer=answer)
        self.rung.put(Rung(message.user, call, at))
        self._until_heard((call, "ACK"), answer, far)

    def _contact(self, account: str) -> str:
        return f"sip:{account}@{HOST}:{self.port}"

    def _on_ack(self, message: Message) -> None:
        call = message["Call-ID"]
        self._open.discard((call, "ACK"))
        dialog = self._rings.get(call)
        if dialog is not None and not dialog.confirmed.is_set():
            dialog.confirmed.set()
            if self.talk is not None:
                self._after(self.talk, lambda: self.hang_up(call))

    def _on_bye(self, call: str, at: float) -> None:
        self._rings.pop(call, None)
        if self._callers.pop(call, None) is not None:
            self.let_go.append(at)

    def _on_reply(self, message: Message, status: int, at: float) -> None:
        """An answer to a caller's INVITE."""
        call = message["Call-ID"]
        self._open.discard((call, "INVITE"))
        dialog = self._callers.get(call)
        if status < 200 or dialog is None:
            return
        dialog.theirs = message["To"]
        if message.contact:
            dialog.uri = message.contact
        self._send(
            _sip.request(
                "ACK", dialog.uri, port=self.port, call=call, number=int(message.number), ours=dialog.ours,
                theirs=dialog.theirs,
            ),
            dialog.far,
        )  # fmt: skip
        if status < 300:
            self.answered.setdefault(call, at)
        else:
            del self._callers[call]
            self.refused += 1


@contextmanager
def phones(trunk: Address, agents: Address) -> Iterator[Phones]:
    """Telephones, with the thread that moves them."""
    made = Phones(trunk, agents)
    mover = threading.Thread(target=made.run, name="phones", daemon=True)
    mover.start()
    try:
        yield made
    finally:
        made.leave()
        time.sleep(REPEAT)
        made.close()
        mover.join(5)
