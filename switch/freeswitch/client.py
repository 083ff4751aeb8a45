"""The event socket over gevent: one connection, whoever opened it, and those that we keep open.

No wait is without a deadline, no reply is taken for another command's, and whatever a peer sends or
leaves out ends its own connection and nothing else.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, cast

import gevent
import structlog
from gevent import socket
from gevent.event import AsyncResult, Event
from gevent.lock import BoundedSemaphore

from switch.freeswitch import esl, identity
from switch.port import SwitchLost

log = structlog.get_logger(__name__)

COMMAND_WITHIN = 5.0  # seconds in which FreeSWITCH answers any command
SLICE = 0.003  # seconds of parsing after which everyone else gets a turn
# Where all connections read into, one at a time: nobody else runs between a read and the copy of what was read.
_ARRIVED = memoryview(bytearray(65536))


class PasswordRefused(SwitchLost):
    """FreeSWITCH knows another password of the event socket than we do."""


class Connection:
    """A socket with the protocol on it; a greenlet of its own reads.

    `on_event` gets events and `on_notice` what is neither event nor reply, in that greenlet and in order;
    they must not block. `on_close` is called once.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._framing = esl.Framing()
        self._replies: deque[AsyncResult[esl.Message] | None] = deque()
        self._sending = BoundedSemaphore(1)
        self.on_event: Callable[[esl.Event], None] = _ignore
        self.on_notice: Callable[[esl.Message], None] = _ignore
        self.on_close: Callable[[], None] = _nothing
        self.closed = False
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def busy(self) -> int:
        """How many commands wait for their replies."""
        return len(self._replies)

    def start(self) -> None:
        """Begins to read."""
        gevent.spawn(self._read)

    def request(self, command: bytes, *, within: float = COMMAND_WITHIN) -> esl.Message:
        """Sends a command and returns its reply. Raises SwitchLost when there is none in time."""
        reply: AsyncResult[esl.Message] = AsyncResult()
        self._send(command, [reply])
        reply.wait(within)
        if not reply.ready():  # looked at after the time, which is over before what came while we stood still is read
            # Replies are matched in order: without this one, no later one can be trusted.
            self.close()
            raise SwitchLost("no answer in time")
        return cast(esl.Message, reply.get())

    def send(self, *commands: bytes) -> None:
        """Sends commands in one go; what they are answered does not matter. Raises SwitchLost."""
        self._send(b"".join(commands), [None] * len(commands))

    def nudge(self) -> None:
        """Has FreeSWITCH look at its outgoing events now, not at the end of its 20 ms nap. Raises SwitchLost."""
        self._send(b"\n", [])

    def close(self) -> None:
        """Ends the connection; whoever waits for a reply gets SwitchLost."""
        first, self.closed = not self.closed, True
        self._socket.close()
        while self._replies:
            reply = self._replies.popleft()
            if reply is not None:
                reply.set_exception(SwitchLost("the connection was closed"))
        if first:
            self.on_close()

    def _send(self, data: bytes, replies: list[AsyncResult[esl.Message] | None]) -> None:
        try:
            with gevent.Timeout(COMMAND_WITHIN, SwitchLost("the switch does not read")), self._sending:
                self._replies.extend(replies)
                self._socket.sendall(data)
        except (OSError, SwitchLost) as error:
            self.close()
            raise SwitchLost(str(error)) from error
        if self.closed:
            self.close()
            raise SwitchLost("the connection was closed")

    def _read(self) -> None:
        try:
            yield_at = time.perf_counter() + SLICE
            while not self.closed and (count := self._socket.recv_into(_ARRIVED)):
                self._framing.feed(_ARRIVED[:count])
                for message in self._framing:
                    self._dispatch(message)
                    if time.perf_counter() >= yield_at:
                        # A peer that sends faster than we read would otherwise keep the hub to itself. By a
                        # timer: sleep(0) comes up to 50 times in a row before gevent looks at timers and sockets.
                        gevent.sleep(1e-6)
                        yield_at = time.perf_counter() + SLICE
                    if self.closed:
                        return
        except OSError:
            pass
        except esl.ProtocolError as error:
            log.warning("not the event socket's protocol, connection closed", reason=str(error))
        finally:
            self.close()

    def _dispatch(self, message: esl.Message) -> None:
        if message.is_event:
            self.on_event(message.event())
        elif not message.is_reply:
            self.on_notice(message)
        elif not self._replies:
            raise esl.ProtocolError("a reply to nothing")
        else:
            reply = self._replies.popleft()
            if reply is not None:
                reply.set(message)


class Inbound:
    """Our own connections to FreeSWITCH, opened again with back-off whenever one is lost.

    One asks and hears events. The others start what runs in the background: FreeSWITCH reads such a command a byte
    at a time and gives its processor away after each, so that with many calls a long one takes tenths of a second,
    for which everything behind it on the same connection would wait.
    """

    FIRST_PAUSE = 0.25
    LONGEST_PAUSE = 5.0
    STARTING = 4  # connections that start what runs in the background

    def __init__(self, host: str, port: int, password: str, *, on_up: Callable[[], None]) -> None:
        self._address = (host, port)
        self._password = password
        self._on_up = on_up
        self._connection: Connection | None = None
        self._starting: Sequence[Connection] = ()
        self._jobs: dict[str, Callable[[str | None], None]] = {}
        self._lost = Event()
        self._greenlet: gevent.Greenlet[[], None] | None = None
        self.version = ""

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def start(self) -> None:
        """Connects, and goes on connecting, in the background."""
        self._greenlet = gevent.spawn(self._stay_connected)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
        self._close()

    def api(self, line: str, *, within: float = COMMAND_WITHIN) -> str:
        """What an api command printed, without its line end. Raises SwitchLost."""
        return self._usable().request(esl.command(f"api {line}"), within=within).answer

    def has_module(self, name: str) -> bool:
        """Whether FreeSWITCH has loaded a module of that name. Raises SwitchLost."""
        return self.api(f"module_exists {name}") == "true"

    def send_event(self, name: str, headers: Mapping[str, str]) -> None:
        """Fires an event in FreeSWITCH. Raises SwitchLost."""
        self._usable().request(esl.event(name, headers))

    def background(self, line: str, done: Callable[[str | None], None]) -> None:
        """Starts an api command; `done` gets what it printed, or None when the switch was lost. Raises SwitchLost."""
        self._usable()
        connection = min(self._starting, key=lambda each: each.busy)
        job = identity.new()
        self._jobs[job] = done
        try:
            answer = connection.request(esl.background(line, job=job)).answer
        except SwitchLost:
            self._jobs.pop(job, None)
            raise
        if not answer.startswith("+OK") and self._jobs.pop(job, None) is not None:
            done(answer)

    def _usable(self) -> Connection:
        if self._connection is None:
            raise SwitchLost("not connected to FreeSWITCH")
        return self._connection

    def _stay_connected(self) -> None:
        pause = self.FIRST_PAUSE
        while True:
            try:
                self.connect()
            except (OSError, SwitchLost) as error:
                log.warning("cannot reach FreeSWITCH, trying again", reason=str(error), pause=pause)
                gevent.sleep(pause)
                pause = min(self.LONGEST_PAUSE, pause * 2)
                continue
            pause = self.FIRST_PAUSE
            log.info("connected to FreeSWITCH", version=self.version)
            gevent.spawn(self._on_up)
            self._lost.wait()
            log.warning("FreeSWITCH was lost")
            gevent.sleep(pause)

    def connect(self) -> None:
        """Connects once. Raises OSError, SwitchLost."""
        self._lost.clear()
        opened: list[Connection] = []
        try:
            for _ in range(1 + self.STARTING):
                opened.append(self._opened())
            self._use(*opened)
        except BaseException:
            for each in opened:
                each.close()
            raise

    def _use(self, connection: Connection, *starting: Connection) -> None:
        connection.on_event = self._on_event
        connection.request(esl.command("event plain BACKGROUND_JOB"))
        self.version = _version(connection.request(esl.command("api version")).answer)
        for each in (connection, *starting):
            each.on_close = self._close
            if each.closed:
                raise SwitchLost("the connection was closed")
        self._connection, self._starting = connection, starting

    def _opened(self) -> Connection:
        """A connection on which we have logged on. Raises OSError, SwitchLost."""
        asked = Event()

        def notice(message: esl.Message) -> None:
            if message.kind == b"auth/request":
                asked.set()
            elif message.kind == b"text/rude-rejection":
                connection.close()

        sock = socket.create_connection(self._address, timeout=COMMAND_WITHIN)
        sock.settimeout(None)
        connection = Connection(sock)
        connection.on_notice = notice
        connection.start()
        try:
            self._log_on(connection, asked)
        except BaseException:
            connection.close()
            raise
        return connection

    def _log_on(self, connection: Connection, asked: Event) -> None:
        if not asked.wait(COMMAND_WITHIN) or connection.closed:
            raise SwitchLost("no event socket, or its access list refuses us")
        if not connection.request(esl.command(f"auth {self._password}")).answer.startswith("+OK"):
            raise PasswordRefused("FreeSWITCH refuses the event socket's password")

    def _on_event(self, event: esl.Event) -> None:
        if event.name == "BACKGROUND_JOB":
            done = self._jobs.pop(event["Job-UUID"], None)
            if done is not None:
                done(event.body.decode(errors="replace").strip())

    def _close(self) -> None:
        """One is of no use without the others."""
        connections = [each for each in (self._connection, *self._starting) if each is not None]
        self._connection, self._starting = None, ()
        for each in connections:
            each.close()
        jobs, self._jobs = self._jobs, {}
        for done in jobs.values():
            done(None)
        self._lost.set()


class Seen(NamedTuple):
    """What a FreeSWITCH says of itself: its global variables, and which of the modules that were asked for it has."""

    version: str
    variables: Mapping[str, str]
    modules: frozenset[str]


def look(host: str, port: int, password: str, *, modules: Iterable[str] = ()) -> Seen:
    """Logs on once, and asks. Raises OSError, SwitchLost."""
    inbound = Inbound(host, port, password, on_up=_nothing)
    try:
        inbound.connect()
        named = (line.partition("=") for line in inbound.api("global_getvar").splitlines())
        return Seen(
            inbound.version,
            {name: value for name, _, value in named},
            frozenset(module for module in modules if inbound.has_module(module)),
        )
    finally:
        inbound.stop()


def _ignore(_: object) -> None:
    pass


def _nothing() -> None:
    pass


def _version(answer: str) -> str:
    """``FreeSWITCH Version 1.11.2-release+git~... (...)`` is ``FreeSWITCH 1.11.2``."""
    words = answer.split()
    return f"FreeSWITCH {words[2].split('-')[0].split('+')[0]}" if len(words) > 2 else answer
