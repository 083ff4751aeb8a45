"""Asking a web service: one request out, the wanted parts of a JSON answer in, or WebFailed in time.

h11 on gevent's sockets, so that every wait can be cut short. Whatever the other side does (dawdles, sends
without end, redirects in circles, answers nonsense, names an address of our own), the call goes on by its
exit `failed`. A connection is made to the very address that was found to be allowed, so that a name server
which answers differently the second time gains nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import gevent
import h11
import structlog
from gevent import socket, ssl
from gevent.lock import Semaphore

from config.appliance import Web as Section
from config.values import UserError
from crm.addresses import Network, may_ask
from ivr.services import WebFailed, WebRequest
from store.text import storable
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

Resolve = Callable[[str, int], Sequence[str]]
Value = str | int | bool | Decimal | None

LONGEST_HEAD = 16 * 1024  # bytes of an answer's head
LONGEST_VALUE = 4000  # characters of a text in the answer
MOST_ADDRESSES = 3  # of one name that are tried
LARGEST_NUMBER = 2**63
REDIRECTS = {301, 302, 303, 307, 308}
UNCHANGED = {307, 308}  # redirects that keep method and body
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be asked, and how much of an answer is taken. `tokens` are sent to the host they are for."""

    private: Sequence[Network] = ()
    largest: int = 65_536  # bytes of an answer
    redirects: int = 3
    at_once: int = 20
    tokens: Mapping[str, str] = field(default_factory=dict)
    ca_file: Path | None = None


class Web:
    """`ivr.services.Web` over HTTP/1.1 and TLS."""

    def __init__(self, reach: Reach, clock: Clock, *, resolve: Resolve | None = None) -> None:
        self._reach = reach
        self._clock = clock
        self._resolve = resolve or _look_up
        self._free = Semaphore(reach.at_once)
        self._tls = _tls(reach.ca_file)

    def ask(self, request: WebRequest) -> Mapping[str, object] | None:
        late = WebFailed(f"no answer in {request.within:g} s")
        try:
            with self._clock.working(), gevent.Timeout(request.within, late), self._free:
                body = self._followed(request)
            return picked(body, request.wanted) if request.wanted else None
        except WebFailed as failure:
            log.warning("a web service failed", host=urlsplit(request.url).hostname, error=str(failure))
            raise

    def _followed(self, request: WebRequest) -> bytes:
        """The body of the answer at the end of all redirects."""
        url, method, body = _checked(request.url), request.method, request.body
        for _ in range(self._reach.redirects + 1):
            status, found = self._exchange(url, method, body, request)
            if status not in REDIRECTS:
                return found
            url = _checked(urljoin(url.geturl(), found.decode("latin-1")), after=url)
            if status not in UNCHANGED:
                method, body = "GET", b""
        raise WebFailed("it redirects without end")

    def _exchange(self, url: SplitResult, method: str, body: bytes, request: WebRequest) -> tuple[int, bytes]:
        """Status and body of one answer; of a redirect where it leads to."""
        line = self._connected(url)
        try:
            exchange = _Exchange(line, largest=self._reach.largest)
            exchange.send(method, _target(url), self._headers(url, method, body, request), body)
            answer = exchange.answer()
            if answer.status_code in REDIRECTS:
                return answer.status_code, _header(answer, b"location")
            if not 200 <= answer.status_code < 300:
                raise WebFailed(f"it answered with the status {answer.status_code}")
            if _header(answer, b"content-encoding").lower() not in {b"", b"identity"}:
                raise WebFailed("it answered compressed, which was not asked for")
            return answer.status_code, exchange.body() if request.wanted else b""
        except h11.LocalProtocolError as error:  # whose text quotes what may be a caller's
            raise WebFailed("a header has signs in it that cannot be sent") from error
        except h11.RemoteProtocolError as error:
            raise WebFailed("its answer is not HTTP as it should be") from error
        except OSError as error:
            raise WebFailed(f"the connection failed: {error}") from error
        finally:
            line.close()

    def _headers(self, url: SplitResult, method: str, body: bytes, request: WebRequest) -> list[tuple[str, str]]:
        port = "" if url.port in {None, PORTS[url.scheme]} else f":{url.port}"
        headers = [
            ("Host", f"[{url.hostname}]{port}" if ":" in (url.hostname or "") else f"{url.hostname}{port}"),
            ("User-Agent", "Hotline"),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        if method != "GET":
            headers += [("Idempotency-Key", request.key), ("Content-Length", str(len(body)))]
        if body:
            headers.append(("Content-Type", "application/json"))
        if url.hostname == urlsplit(request.url).hostname:  # what is meant for one host is not told to another
            headers += request.headers.items()
            if (token := self._reach.tokens.get(url.hostname or "")) and url.scheme == "https":
                headers.append(("Authorization", f"Bearer {token}"))
        return headers

    def _connected(self, url: SplitResult) -> socket.socket:
        """A connection to an address of the URL's host that may be asked."""
        host, port = url.hostname or "", url.port or PORTS[url.scheme]
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise WebFailed("the name of its host is not known") from error
        allowed = [address for address in addresses if may_ask(address, self._reach.private)]
        if not allowed:
            raise WebFailed("it has an address of our own network, which web.private of appliance.yaml does not allow")
        failure: OSError | None = None
        for address in allowed[:MOST_ADDRESSES]:
            try:
                line = socket.create_connection((address, port))
                return self._secured(line, host) if url.scheme == "https" else line
            except OSError as error:
                failure = error
        raise WebFailed(f"it cannot be reached: {failure}") from failure

    def _secured(self, line: socket.socket, host: str) -> socket.socket:
        try:
            secured: socket.socket = self._tls.wrap_socket(line, server_hostname=host)
        except BaseException:
            line.close()
            raise
        return secured


class _Exchange:
    """One request and its answer on a line of its own."""

    def __init__(self, line: socket.socket, *, largest: int) -> None:
        self._line = line
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._left = largest + LONGEST_HEAD
        self._largest = largest

    def send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> None:
        head = self._http.send(h11.Request(method=method, target=target, headers=headers)) or b""
        data = self._http.send(h11.Data(body)) or b"" if body else b""
        self._line.sendall(head + data + (self._http.send(h11.EndOfMessage()) or b""))

    def answer(self) -> h11.Response:
        event = self._next()
        while isinstance(event, h11.InformationalResponse):
            event = self._next()
        if not isinstance(event, h11.Response):
            raise WebFailed("it closed the connection without an answer")
        return event

    def body(self) -> bytes:
        body = bytearray()
        while isinstance(event := self._next(), h11.Data):
            body += event.data
            if len(body) > self._largest:
                raise WebFailed(f"its answer is larger than {self._largest} bytes")
        if not isinstance(event, h11.EndOfMessage):
            raise WebFailed("it closed the connection in the middle of its answer")
        return bytes(body)

    def _next(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            received = self._line.recv(16_384)
            self._left -= len(received)
            if self._left < 0:
                raise WebFailed(f"its answer is larger than {self._largest} bytes")
            self._http.receive_data(received)
        return event


def open_web(section: Section, clock: Clock) -> Web:
    """The web as `web` in appliance.yaml lets it be asked. Raises UserError."""
    tokens = {}
    for host, file in section.tokens.items():
        try:
            tokens[host] = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"web.tokens.{host}: {file} cannot be read: {error}") from error
    reach = Reach(section.private, section.largest, at_once=section.at_once, tokens=tokens, ca_file=section.ca_file)
    try:
        return Web(reach, clock)
    except OSError as error:
        raise UserError(f"web.ca-file: {section.ca_file} holds no certificates: {error}") from error


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # names and certificates are checked
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


def _checked(text: str, *, after: SplitResult | None = None) -> SplitResult:
    """The URL of a text; `after` is the one that led there."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise WebFailed("its URL cannot be read") from error
    if url.scheme not in PORTS or not url.hostname or port == 0:
        raise WebFailed("it leads to something that is no web address" if after else "its URL is no web address")
    if url.username is not None:
        raise WebFailed("its URL has a user's name in it")
    if after is not None and after.scheme == "https" and url.scheme == "http":
        raise WebFailed("it leads from https to http")
    return url


def _target(url: SplitResult) -> str:
    path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~")
    return f"{path}?{quote(url.query, safe='/%:@!$&()*+,;=~?')}" if url.query else path


def _header(answer: h11.Response, name: bytes) -> bytes:
    return next((value for found, value in answer.headers if found == name), b"")


# --- the answer --------------------------------------------------------------------------------------


def picked(body: bytes, wanted: Mapping[str, str]) -> dict[str, Value]:
    """The wanted parts of a JSON text, each by its path. Raises WebFailed."""
    try:
        answer = json.loads(body.decode("utf-8"), parse_constant=_no_number, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise WebFailed("its answer is not JSON") from error
    return {name: _value(name, _part(answer, path)) for name, path in wanted.items()}


def _part(answer: Any, path: str) -> Any:
    for word in path.split("."):
        if isinstance(answer, dict) and word in answer:
            answer = answer[word]
        elif isinstance(answer, list) and word.isdecimal() and int(word[:4]) < len(answer):
            answer = answer[int(word[:4])]
        else:
            raise WebFailed(f"its answer has no '{path}'")
    return answer


def _value(name: str, value: Any) -> Value:
    match value:
        case None | bool():
            return value
        case int() if abs(value) < LARGEST_NUMBER:
            return value
        case Decimal() if value.is_finite() and abs(value.adjusted()) < 20:
            return value
        case str():
            return storable(value, LONGEST_VALUE)
    raise WebFailed(f"'{name}' in its answer is neither text nor a number of a usual size")


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
