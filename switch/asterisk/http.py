"""HTTP requests to Asterisk from greenlets: h11 on gevent's sockets, with a deadline on everything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult

import gevent
import h11
from gevent import socket, ssl

from switch.port import SwitchError

MOST_BYTES = 16_000_000  # of one answer; a listing of ten thousand channels is smaller
KEPT = 8  # idle connections


class Broken(Exception):
    """The connection failed or took too long."""


class Refused(SwitchError):
    """Asterisk answered a request with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status

    @property
    def gone(self) -> bool:
        """Whether the thing that was asked for is not there (any more)."""
        return self.status == 404


def connect(url: SplitResult, within: float) -> socket.socket:
    """A TCP (for https: TLS) connection to the host of `url`. Raises Broken."""
    try:
        plain = socket.create_connection((url.hostname, _port(url)), timeout=within)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if url.scheme != "https":
            return plain
        secured: socket.socket = ssl.create_default_context().wrap_socket(plain, server_hostname=url.hostname)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that can be no host's
        raise Broken(str(error)) from error
    return secured


def host(url: SplitResult) -> str:
    return f"{url.hostname}:{_port(url)}"


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


class Http:
    """Requests to one server, on connections that are kept and used again, with the cookie that it sets."""

    def __init__(self, url: SplitResult, headers: list[tuple[str, str]]) -> None:
        self._url = url
        self._headers = [("Host", host(url)), *headers]
        self._idle: deque[_Connection] = deque(maxlen=KEPT)
        self._cookie = ""

    def request(self, method: str, target: str, body: bytes, within: float) -> tuple[int, bytes]:
        """Status and body of the answer. Raises Broken."""
        answer = bytearray()
        with self.exchange(method, target, body, within) as (status, chunks):
            for chunk in chunks:
                answer += chunk
                if len(answer) > MOST_BYTES:
                    raise Broken("the answer is too long")
        return status, bytes(answer)

    @contextmanager
    def exchange(self, method: str, target: str, body: bytes, within: float) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Like `request`, with the body's pieces as they come. `within` bounds the whole exchange."""
        used_before = bool(self._idle)
        connection = self._idle.pop() if used_before else _Connection(connect(self._url, within))
        headers = [*self._headers, ("Content-Length", str(len(body))), ("Content-Type", "application/json")]
        if self._cookie:
            headers.append(("Cookie", self._cookie))
        with gevent.Timeout(within, Broken("no answer in time")):
            try:
                status = connection.ask(method, target, headers, body)
            except Broken:
                connection.close()
                if not used_before:
                    raise
                # The server had closed this idle connection; a new one tells whether it is there.
                connection = _Connection(connect(self._url, within))
                status = connection.ask(method, target, headers, body)
            self._cookie = connection.cookie or self._cookie
            try:
                yield status, connection.chunks()
            except BaseException:
                connection.close()
                raise
        if connection.reusable():
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class _Connection:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._http = h11.Connection(h11.CLIENT)
        self.cookie = ""  # the last one that the server set

    def ask(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> int:
        try:
            head = self._http.send(h11.Request(method=method, target=target, headers=headers)) or b""
            data = self._http.send(h11.Data(body)) or b""
            self._sock.sendall(head + data + (self._http.send(h11.EndOfMessage()) or b""))
            answer = self._next()
            while isinstance(answer, h11.InformationalResponse):
                answer = self._next()
        except (OSError, h11.ProtocolError) as error:
            raise Broken(str(error)) from error
        if not isinstance(answer, h11.Response):
            raise Broken("the server closed the connection")
        for name, value in answer.headers:
            if name == b"set-cookie":
                self.cookie = value.decode("ascii", "replace").partition(";")[0]
        return answer.status_code

    def chunks(self) -> Iterator[bytes]:
        try:
            while isinstance(piece := self._next(), h11.Data):
                yield bytes(piece.data)
        except (OSError, h11.ProtocolError) as error:
            raise Broken(str(error)) from error
        if not isinstance(piece, h11.EndOfMessage):
            raise Broken("the server closed the connection")

    def _next(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(self._sock.recv(65536))
            elif isinstance(event, h11.Event):
                return event
            else:
                raise Broken("the server spoke out of turn")

    def reusable(self) -> bool:
        """Whether the exchange is complete and both sides keep the connection."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def close(self) -> None:
        self._sock.close()
