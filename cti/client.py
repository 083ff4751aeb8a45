"""The side of the control socket that commands and consoles are on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent.socket

from config.values import UserError

REPLY_SECONDS = 10.0


class NotRunning(UserError):
    """No appliance answers."""


class Control:
    """Asks a running appliance. Raises NotRunning, or another UserError when it refuses."""

    def __init__(self, path: Path, *, reply_within: float = REPLY_SECONDS) -> None:
        self._path = path
        self._reply_within = reply_within

    def ask(self, do: str, **arguments: object) -> Any:
        try:
            with self._connected() as connection:
                self._send(connection, {"do": do, **arguments})
                with connection.makefile("rb") as replies:
                    line = replies.readline()
        except TimeoutError:
            raise UserError(f"the appliance gave no reply within {self._reply_within:.0f} s; see its log") from None
        except OSError:
            line = b""  # it went away
        if not line:
            raise UserError("the appliance closed the connection without a reply; see its log")
        reply = json.loads(line)
        if not reply["ok"]:
            raise UserError(reply["error"])
        return reply["result"]

    def follow(self) -> Iterator[dict[str, Any]]:
        """Journal records from now on, until the appliance stops."""
        with self._connected() as connection:
            self._send(connection, {"do": "follow"})
            connection.settimeout(None)
            with connection.makefile("rb") as records:
                for line in records:
                    yield json.loads(line)

    def _connected(self) -> gevent.socket.socket:
        connection = gevent.socket.socket(gevent.socket.AF_UNIX, gevent.socket.SOCK_STREAM)
        connection.settimeout(self._reply_within)
        try:
            connection.connect(str(self._path))
        except PermissionError as error:
            connection.close()
            raise UserError(
                f"you may not open {self._path}; ask as the appliance's own user or in its group"
            ) from error
        except OSError as error:
            connection.close()
            raise NotRunning(
                f"no appliance is running here (no answer on {self._path}); start it with: ./appliance.py run"
            ) from error
        return connection

    def _send(self, connection: gevent.socket.socket, request: dict[str, object]) -> None:
        connection.sendall(json.dumps(request).encode() + b"\n")
