"""ARI as requests and events: one websocket for both, mended when it breaks, HTTP beside it.

Since 22.4 Asterisk takes requests over the events' websocket, which is faster under load; where it does
not, and for long answers, requests go by HTTP. Of calls this module knows nothing.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import gevent
import structlog

from switch.asterisk.http import Broken, Http, Refused, connect, host
from switch.asterisk.websocket import Json, Session
from switch.port import SwitchLost

log = structlog.get_logger(__name__)

WITHIN = 5.0  # seconds for a request
ODD = (LookupError, TypeError, AttributeError, ValueError)  # what an answer of another shape than Asterisk's raises
BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before each further attempt to connect; the last repeats


@dataclass(slots=True)
class Events:
    """Whom an `Ari` tells what happens.

    `happened` and `down` must not block. `opening` may make requests by HTTP, and says whether to go on; `up` may make
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
        self._authorization = _authorization(user, password)
        self._http = Http(self._url, [self._authorization])
        self._session: Session | None = None
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
        if (session := self._session) is not None:
            session.say_goodbye()  # by which it may end
            session.end("closed by us")
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
        text: str | bytes
        try:
            if session is not None and session.takes_requests and not by_http:
                status, text = session.request(method, uri, body, within)
            else:
                status, text = self._http.request(method, f"{self._prefix}/{uri}", body.encode(), within)
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
        attempts, told = 0, ""
        while not self._closing:
            try:
                with _of_an_asterisk():
                    session = self._connect()
            except Exception as problem:  # whatever it is: without a next attempt nobody is served any more
                if (reason := f"{problem!r} {problem.__cause__!r}") != told:
                    foreseen = isinstance(problem, Broken | Refused | SwitchLost) and not isinstance(
                        problem.__cause__, ODD
                    )
                    log.warning("no connection to Asterisk, trying on", reason=str(problem), exc_info=not foreseen)
                    told = reason
                gevent.sleep(BACK_OFF[min(attempts, len(BACK_OFF) - 1)])
                attempts += 1
                continue
            if session is None:
                return
            attempts, told = 0, ""
            log.info("connected to Asterisk", version=self.version, requests_by_websocket=session.takes_requests)
            session.ended.wait()
            if not self._closing:
                log.warning("connection to Asterisk lost", reason=session.reason)

    def _connect(self) -> Session | None:
        """A session that is set up, or None when we shall not have one."""
        if not self._events.opening():
            return None
        query = urlencode({"app": self._application, "subscribeAll": "false"})
        session = Session(connect(self._url, WITHIN), self._events.happened, self._lost)
        try:
            session.shake_hands(host(self._url), f"{self._prefix}/events?{query}", self._authorization)
            session.start()
            session.probe()
            self._session = session
            self._set_up()
            self._events.up()
        except BaseException:
            session.end("not set up")
            raise
        return session

    def _lost(self, session: Session) -> None:
        """Known at once: what is asked for from now on waits for the next connection."""
        if session is self._session:
            self._session = None
            self._events.down()

    def _set_up(self) -> None:
        told = self.request("GET", "asterisk/info", only="system")
        self.version = _version(told)
        # An event filter holds back answers to requests too, unless it names them.
        allowed = [{"type": kind} for kind in (*self._wanted, "RESTResponse")]
        self.request("PUT", f"applications/{self._application}/eventFilter", allowed=allowed)


def look(url: str, *, user: str, password: str) -> tuple[str, datetime]:
    """Asks once: the version of the Asterisk there, and when it last read its whole configuration.

    Raises Refused, SwitchLost.
    """
    split = urlsplit(url)
    http = Http(split, [_authorization(user, password)])
    try:
        status, body = http.request("GET", f"{split.path.rstrip('/')}/ari/asterisk/info", b"", WITHIN)
        with _of_an_asterisk():
            told = _understood(status, body)
            return _version(told), datetime.fromisoformat(told["status"]["last_reload_time"])
    except Broken as error:
        raise SwitchLost(str(error)) from error
    finally:
        http.close()


@contextmanager
def _of_an_asterisk() -> Iterator[None]:
    """What is raised where an answer has not the shape of Asterisk's is told as that: SwitchLost."""
    try:
        yield
    except ODD as error:
        raise SwitchLost("the answers are not those of an Asterisk") from error


def _authorization(user: str, password: str) -> tuple[str, str]:
    return "Authorization", f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _version(told: Json) -> str:
    return f"Asterisk {str(told['system']['version']).partition('+')[0]}"


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
