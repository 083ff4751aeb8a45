"""The side of the control socket that the appliance is on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gevent.socket
import structlog
from gevent.queue import Full, Queue
from gevent.server import StreamServer

from config.values import UserError

log = structlog.get_logger(__name__)

LONGEST_REQUEST = 64 * 1024
IDLE_SECONDS = 60.0
FOLLOWER_BACKLOG = 10_000  # records
FOLLOWERS = 20  # at a time

Command = Callable[[Mapping[str, Any]], object]


class Refused(Exception):
    """A request that cannot be done; the text is one clear line for the person who asked."""


class Request(dict[str, Any]):
    """What was asked, as a command reads it: a part that is missing is the asker's mistake."""

    def __missing__(self, part: str) -> Any:
        raise Refused(f"'{self.get('do')}' needs '{part}'")


class ControlServer:
    """Answers requests on a unix socket that only the appliance's own user and group may open."""

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        self._path = path
        self._commands = commands
        self._followers: set[Queue[bytes]] = set()
        self._server: StreamServer | None = None

    def start(self) -> None:
        """Begins to answer. Raises UserError where the socket cannot be made."""
        listener = gevent.socket.socket(gevent.socket.AF_UNIX, gevent.socket.SOCK_STREAM)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            listener.bind(str(self._path))
            self._path.chmod(0o660)
        except OSError as error:
            listener.close()
            raise UserError(f"the control socket {self._path} cannot be made: {error.strerror or error}") from error
        listener.listen(64)
        self._server = StreamServer(listener, self._converse)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(timeout=0)
            self._path.unlink(missing_ok=True)

    def publish(self, line: bytes) -> None:
        """Sends a journal record to everyone who follows; who is too slow is cut off."""
        for follower in list(self._followers):
            try:
                follower.put_nowait(line)
            except Full:
                self._followers.discard(follower)

    def _converse(self, client: gevent.socket.socket, _address: object) -> None:
        client.settimeout(IDLE_SECONDS)
        try:
            with client, client.makefile("rb") as requests:
                while line := requests.readline(LONGEST_REQUEST + 1):
                    if len(line) > LONGEST_REQUEST:
                        client.sendall(_error("the request is too long"))
                        return
                    if not self._serve(client, line):
                        return
        except OSError:
            return  # the client went away or fell silent, which is its right

    def _serve(self, client: gevent.socket.socket, line: bytes) -> bool:
        """Answers one request; False when the conversation is over."""
        try:
            request = json.loads(line)
            name = request["do"]
        except (ValueError, TypeError, KeyError):
            client.sendall(_error('a request is one JSON object a line, with a "do"'))
            return False
        if name == "follow":
            self._follow(client)
            return False
        client.sendall(self._answer(name, Request(request)))
        return True

    def _answer(self, name: str, request: Mapping[str, Any]) -> bytes:
        command = self._commands.get(name) if isinstance(name, str) else None
        if command is None:
            return _error(f"no command '{name}'; there are {', '.join(sorted(self._commands))}")
        try:
            return _line({"ok": True, "result": command(request)})
        except Refused as refused:
            return _error(str(refused))
        except Exception:  # of ours: this one answer is lost, and the conversation goes on
            log.exception("a command of the control socket broke off", command=name)
            return _error(f"'{name}' broke off by an error of the appliance itself; its log says more")

    def _follow(self, client: gevent.socket.socket) -> None:
        if len(self._followers) >= FOLLOWERS:
            client.sendall(_error(f"{FOLLOWERS} follow already; as many as may"))
            return
        backlog: Queue[bytes] = Queue(FOLLOWER_BACKLOG)
        self._followers.add(backlog)
        try:
            while backlog in self._followers or not backlog.empty():
                client.sendall(backlog.get())
        finally:
            self._followers.discard(backlog)


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode() + b"\n"


def _error(text: str) -> bytes:
    return _line({"ok": False, "error": text})
