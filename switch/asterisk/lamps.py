"""Telephones' message lamps: NOTIFYs that Asterisk sends for us.

ARI cannot do it in the Asterisk of Debian (it lacks res_mwi_external), the manager interface can; it is reached
through the web server that carries ARI.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import structlog

from switch.asterisk.http import Broken, Http
from switch.port import SwitchLost

log = structlog.get_logger(__name__)

WITHIN = 5.0  # seconds
ACCOUNT = re.compile(r"[0-9A-Za-z_.-]{1,32}")


class Lamps:
    """One session of the manager interface, opened when it is needed."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        address = urlsplit(url)
        self._prefix = address.path.rstrip("/")
        self._http = Http(address, [])
        self._user = user
        self._password = password
        self._absent = False

    def show(self, account: str, *, new: int, old: int) -> None:
        """See `switch.port.Switch.show_waiting`. Raises SwitchLost."""
        if not ACCOUNT.fullmatch(account):
            return
        summary = (
            "Event=message-summary",
            "Content-type=application/simple-message-summary",
            f"Content=Messages-Waiting: {'yes' if new else 'no'}",
            f"Content=Voice-Message: {new}/{old} (0/0)",
        )
        fields = [("Endpoint", account), *(("Variable", line) for line in summary)]
        if "Permission denied" in self._action("PJSIPNotify", fields):
            self._log_on()
            self._action("PJSIPNotify", fields)

    def close(self) -> None:
        self._http.close()

    def _log_on(self) -> None:
        answer = self._action("Login", [("Username", self._user), ("Secret", self._password), ("Events", "off")])
        if "Success" not in answer:
            self._tell_absent("it refuses our password")

    def _action(self, name: str, fields: list[tuple[str, str]]) -> str:
        """What the manager interface answers, "" where there is none."""
        target = f"{self._prefix}/rawman?{urlencode([('action', name), *fields])}"
        try:
            status, body = self._http.request("GET", target, b"", WITHIN)
        except Broken as broken:
            raise SwitchLost(f"manager interface: {broken}") from broken
        if status == 404:
            self._tell_absent("it is not enabled; see asterisk-conf/manager.conf")
        return body.decode("utf-8", "replace") if status == 200 else ""

    def _tell_absent(self, why: str) -> None:
        """Without lamps there are still calls: said once."""
        if not self._absent:
            self._absent = True
            log.error("message lamps stay dark: Asterisk's manager interface cannot be used", reason=why)
