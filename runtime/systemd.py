"""systemd's side of the service: told when calls are taken, and from then on that they still are (sd_notify)."""

from __future__ import annotations

import os
from collections.abc import Mapping

import structlog
from gevent import socket

log = structlog.get_logger(__name__)


class Systemd:
    """Whoever watches this process; nobody where the environment names no NOTIFY_SOCKET. Never blocks, never raises."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watches_for = _watch_seconds(environment) if address else None

    def tell(self, *words: str) -> None:
        """Such as ``READY=1``, ``WATCHDOG=1``, ``STATUS=...``."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.setblocking(False)
            try:
                end.sendto("\n".join(words).encode(), self._address)
            except OSError as error:
                log.warning("systemd was not told", reason=error.strerror)


def _watch_seconds(environment: Mapping[str, str]) -> float | None:
    """Within how many seconds systemd wants to hear from us each time; None where it does not watch us."""
    wanted, of = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not wanted.isdigit() or int(wanted) == 0 or (of and of != str(os.getpid())):
        return None
    return int(wanted) / 1e6
