"""ARI as requests and events: one websocket for both, mended when it breaks, HTTP beside it.

Since 22.4 Asterisk takes requests over the events' websocket, which is faster under load; where it does
not, and for long answers, requests go by HTTP. Of calls this module knows nothing.
"""

from __future__ import annotations

import itertools
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import gevent
import structlog
import wsproto
from gevent import socket
from gevent.event import Event
from gevent.lock import RLock
from wsproto import events as ws

from switch.asterisk.http import MOST_BYTES, Broken, Http, connect, host
from switch.port import SwitchLost

log = structlog.get_logger(__name__)

Json = dict[str, Any]

WITHIN = 5.0  # seconds for a request
PROBE_WITHIN = 1.0  # seconds for the first request over the websocket, which old Asterisks never answer
QUIET = 5.0  # seconds without a byte after which the other side is asked for a sign of life
BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before each further attempt to connect; the last repeats


class Refused(Exception):
    """Asterisk answered a request with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status

    @property
    def gone(self) -> bool:
        """Whether the thing that was asked for is not there (any more)."""
        return self.status == 404


@dataclass(slots=True)
class Events:
    """Whom an `Ari` tells what happens.

    `happened` must not block. `opening` may make requests by HTTP, and says whether to go on; `up` may make
    requests; both may raise Refused and SwitchLost, after which a new connection is tried.
    """

    happened: Callable[[Json], None]
    opening: Callable[[], bool]
    up: Callable[[], None]
    down: Callable[[], None]


class Ari:
    """One application's connection to one Asterisk.

    Once opened it connects again, with back-off, until it is closed or another controller took the
    application over.
    """

    def __init__(
        self, url: str, *, user: str, password: str, application: str, wanted: list[str], events: Events
    ) -> None:
        self._url = urlsplit(url)
        self._application = application
        self._wanted = wanted
        self._events = events
        credentials = b64encode(f"{user}:{password}".encode()).decode()
        self._authorization = ("Authorization", f"Basic {credentials}")
        self._http = Http(self._url, [self._authorization])
        self._session: _Session | None = None
        self._runner: gevent.Greenlet[[], None] | None = None
        self._closing = False
        self.version = ""

    @property
    def connected(self) -> bool:
        return self._session is not None

    def open(self) -> None:
        if self._runner is None:
            self._runner = gevent.spawn(self._run)

    def close(self) -> None:
        self._closing = True
        if self._session is not None:
            self._session.say_goodbye()
            self._session.end("closed by us")
        if self._runner is not None:
            self._runner.kill()
            self._runner = None
        self._http.close()

    def give_way(self) -> None:
        """Keeps out from now on: another controller has the application."""
        self._closing = True

    def request(
        self, method: str, path: str, *, within: float = WITHIN, by_http: bool = False, **parameters: Any
    ) -> Any:
        """The answer's JSON, or None where there is none. Raises Refused, SwitchLost.

        `by_http` is for what takes long or answers much, so that nothing else waits behind it.
        """
        session = self._session
        uri, body = _addressed(method, path, parameters)
        try:
            if session is not None and session.takes_requests and not by_http:
                status, text = session.request(method, uri, body, within)
            else:
                status, answer = self._http.request(method, f"{self._prefix}/{uri}", body.encode(), within)
                text = answer.decode()
        except Broken as broken:
            raise SwitchLost(f"{method} {path.partition('/')[0]}: {broken}") from broken
        return _understood(status, text)

    @contextmanager
    def download(self, path: str, *, within: float) -> Iterator[Iterator[bytes]]:
        """The bytes of a file, piece by piece. Raises Refused, SwitchLost."""
        try:
            with self._http.exchange("GET", f"{self._prefix}/{path}", b"", within) as (status, chunks):
                if status >= 300:
                    _understood(status, b"".join(chunks))
                yield chunks
        except Broken as broken:
            raise SwitchLost(f"download: {broken}") from broken

    @property
    def _prefix(self) -> str:
        return f"{self._url.path.rstrip('/')}/ari"

    def _run(self) -> None:
        attempts = 0
        while not self._closing:
            try:
                session = self._connect()
            except (Broken, Refused, SwitchLost) as problem:
                if attempts == 0:
                    log.warning("no connection to Asterisk, trying on", reason=str(problem))
                gevent.sleep(BACK_OFF[min(attempts, len(BACK_OFF) - 1)])
                attempts += 1
                continue
            if session is None:
                return
            attempts = 0
            log.info("connected to Asterisk", version=self.version, requests_by_websocket=session.takes_requests)
            session.ended.wait()
            self._lost(session)

    def _connect(self) -> _Session | None:
        """A session that is set up, or None when we shall not have one."""
        if not self._events.opening():
            return None
        query = urlencode({"app": self._application, "subscribeAll": "false"})
        session = _Session(connect(self._url, WITHIN), self._events.happened)
        try:
            session.shake_hands(host(self._url), f"{self._prefix}/events?{query}", self._authorization)
            session.start()
            session.probe()
            self._session = session
            self._set_up()
            self._events.up()
        except BaseException as error:
            session.end("not set up")
            self._lost(session)
            if isinstance(error, LookupError | TypeError | AttributeError | ValueError):
                raise SwitchLost("the answers are not those of an Asterisk") from error
            raise
        return session

    def _lost(self, session: _Session) -> None:
        self._session = None
        self._events.down()
        if not self._closing:
            log.warning("connection to Asterisk lost", reason=session.reason)

    def _set_up(self) -> None:
        told = self.request("GET", "asterisk/info", only="system")
        self.version = f"Asterisk {str(told['system']['version']).partition('+')[0]}"
        # An event filter holds back answers to requests too, unless it names them.
        allowed = [{"type": kind} for kind in (*self._wanted, "RESTResponse")]
        self.request("PUT", f"applications/{self._application}/eventFilter", allowed=allowed)


def _addressed(method: str, path: str, parameters: Mapping[str, Any]) -> tuple[str, str]:
    """Address and body: parameters go in the body where the method has one."""
    present = {name: value for name, value in parameters.items() if value is not None}
    if method in {"POST", "PUT"}:
        return path, json.dumps(present) if present else ""
    return (f"{path}?{urlencode(present)}" if present else path), ""


def named(*parts: str) -> str:
    """A path of which every part is safely encoded."""
    return "/".join(quote(part, safe="") for part in parts)


def _understood(status: int, text: bytes | str) -> Any:
    try:
        answer = json.loads(text) if text else None
    except ValueError as error:
        raise SwitchLost("Asterisk's answer is not JSON") from error
    if status >= 300:
        message = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
        raise Refused(status, str(message or "no reason given"))
    return answer


@dataclass(slots=True)
class _Pending:
    answered: Event = field(default_factory=Event)
    status: int = 0
    body: str = ""


class _Session:
    """One websocket from its opening to its end."""

    def __init__(self, sock: socket.socket, happened: Callable[[Json], None]) -> None:
        self._sock = sock
        self._happened = happened
        self._socket = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self._sending = RLock()
        self._numbers = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        self._text: list[str] = []
        self._length = 0
        self._received = 0
        self.takes_requests = False
        self.ended = Event()
        self.reason = ""

    def shake_hands(self, host: str, target: str, authorization: tuple[str, str]) -> None:
        name, value = authorization
        headers = [(name.encode(), value.encode())]
        self._send(ws.Request(host=host, target=target, extra_headers=headers))
        with gevent.Timeout(WITHIN, Broken("no answer to the websocket's opening")):
            while True:
                self._receive()
                for event in self._socket.events():
                    if isinstance(event, ws.AcceptConnection):
                        return
                    if isinstance(event, ws.RejectConnection):
                        raise Refused(event.status_code, "the events' websocket was refused")

    def start(self) -> None:
        self._sock.settimeout(QUIET)
        gevent.spawn(self._read)

    def probe(self) -> None:
        """Finds out whether this Asterisk takes requests here; old ones do not answer."""
        answered, *_ = self._ask("GET", "asterisk/ping", "", PROBE_WITHIN)
        self.takes_requests = answered

    def request(self, method: str, uri: str, body: str, within: float) -> tuple[int, str]:
        """Raises Broken when the session ends, or nothing is answered in time."""
        received = self._received
        answered, status, text = self._ask(method, uri, body, within)
        if not answered:
            if self._received == received:
                self.end("not a word in time")
            raise Broken("no answer in time")
        return status, text

    def _ask(self, method: str, uri: str, body: str, within: float) -> tuple[bool, int, str]:
        """Whether it was answered, and with what. Raises Broken when the session ends."""
        number = str(next(self._numbers))
        asked = {"type": "RESTRequest", "transaction_id": number, "request_id": number, "method": method, "uri": uri}
        if body:
            asked |= {"content_type": "application/json", "message_body": body}
        pending = self._pending[number] = _Pending()
        try:
            if self.ended.is_set():
                raise Broken(self.reason)
            self._send(ws.TextMessage(json.dumps(asked)))
            pending.answered.wait(within)
            if self.ended.is_set():
                raise Broken(self.reason)
        finally:
            del self._pending[number]
        return pending.answered.is_set(), pending.status, pending.body

    def say_goodbye(self) -> None:
        with suppress(Broken):
            self._send(ws.CloseConnection(code=1000))

    def end(self, reason: str) -> None:
        if self.ended.is_set():
            return
        self.reason = reason
        self.ended.set()
        self._sock.close()
        for pending in self._pending.values():
            pending.answered.set()

    def _read(self) -> None:
        try:
            waiting_for_pong = False
            while not self.ended.is_set():
                try:
                    self._receive()
                    waiting_for_pong = False
                except socket.timeout:
                    if waiting_for_pong:
                        raise Broken("no sign of life") from None
                    self._send(ws.Ping())
                    waiting_for_pong = True
                self._take_events()
        except (Broken, OSError, wsproto.utilities.ProtocolError) as error:
            self.end(str(error) or type(error).__name__)

    def _receive(self) -> None:
        try:
            data = self._sock.recv(65536)
        except socket.timeout:
            raise
        except OSError as error:
            raise Broken(str(error)) from error
        if not data:
            raise Broken("Asterisk closed the connection")
        self._received += len(data)
        self._socket.receive_data(data)

    def _take_events(self) -> None:
        for event in self._socket.events():
            match event:
                case ws.TextMessage():
                    self._take_text(event)
                case ws.Ping():
                    self._send(event.response())
                case ws.CloseConnection():
                    raise Broken(f"Asterisk closed the websocket: {event.code}")

    def _take_text(self, event: ws.TextMessage) -> None:
        self._text.append(event.data)
        self._length += len(event.data)
        if self._length > MOST_BYTES:
            raise Broken("a message is too long")
        if not event.message_finished:
            return
        whole = "".join(self._text)
        self._text.clear()
        self._length = 0
        try:
            message = json.loads(whole)
        except ValueError as error:
            raise Broken("a message is not JSON") from error
        if not isinstance(message, dict):
            raise Broken("a message is not an object")
        if message.get("type") == "RESTResponse":
            self._take_answer(message)
        else:
            self._happened(message)

    def _take_answer(self, message: Json) -> None:
        pending = self._pending.get(str(message.get("request_id")))
        if pending is not None:
            status = message.get("status_code")
            pending.status = status if isinstance(status, int) and status else 500
            pending.body = str(message.get("message_body") or "")
            pending.answered.set()

    def _send(self, event: ws.Event) -> None:
        with self._sending:
            try:
                self._sock.sendall(self._socket.send(event))
            except (OSError, wsproto.utilities.ProtocolError) as error:
                raise Broken(str(error)) from error
