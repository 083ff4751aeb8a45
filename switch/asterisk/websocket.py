"""The events' websocket, from its opening to its end: wsproto on gevent's sockets, with ARI's requests in it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import gevent
import wsproto
from gevent import socket
from gevent.event import Event
from gevent.lock import RLock
from wsproto import events as ws

from switch.asterisk.http import MOST_BYTES, Broken, Refused

Json = dict[str, Any]

WITHIN = 5.0  # seconds for the opening
PROBE_WITHIN = 1.0  # seconds for the first request, which old Asterisks never answer
BITE = 16_384  # bytes taken at a time: a backlog of events keeps nobody else waiting
QUIET = 5.0  # seconds without a byte after which the other side is asked for a sign of life


@dataclass(slots=True)
class _Pending:
    answered: Event = field(default_factory=Event)
    status: int = 0
    body: str = ""


class Session:
    """One websocket from its opening to its end, which `over` is told as it happens."""

    def __init__(self, sock: socket.socket, happened: Callable[[Json], None], over: Callable[[Session], None]) -> None:
        self._sock = sock
        self._happened = happened
        self._over = over
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
        self._over(self)
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
                gevent.sleep(0)  # where more is there already, recv alone lets nobody else run
        except (Broken, OSError, wsproto.utilities.ProtocolError) as error:
            self.end(str(error) or type(error).__name__)
        except BaseException:
            self.end("nobody reads it any more")
            raise

    def _receive(self) -> None:
        try:
            data = self._sock.recv(BITE)
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
                self.end(str(error))  # half of it may be on its way: nothing can follow
                raise Broken(str(error)) from error
