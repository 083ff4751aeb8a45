"""A leg that we dial: ours from the request on, a call once the far end has answered."""

from __future__ import annotations

import math

from switch.asterisk import encoding
from switch.asterisk.ari import named
from switch.asterisk.calls import AsteriskCall, Facts
from switch.asterisk.config import APPLICATION, MEMORY
from switch.asterisk.http import Refused
from switch.asterisk.line import Line, Pending
from switch.port import CallEnded, Cause, NotAnswered, Notice, SwitchLost, telephone

OUTBOUND = encoding.memory({"outbound": "yes"})  # how a later controller knows the leg
LONGEST = 14400  # seconds that any leg lives; the dialplan says the same of those that come in


class DialledCall(AsteriskCall):
    """See `switch.port.OutboundCall`."""

    def __init__(self, line: Line, address: str, *, caller: str, caller_name: str, ring_for: float) -> None:
        super().__init__(line, Facts(caller, caller_name, address, "", {"outbound": "yes"}, answered=True))
        self._picked_up = Pending()
        self._rings = True
        line.on_entered = self._on_picked_up
        self._give_up = line.clock.after(ring_for, self._no_answer)
        self._ring_for = ring_for

    def ring(self) -> None:
        """Starts to ring; what prevents it is told by `answered`. Raises SwitchLost."""
        try:
            endpoint = self._endpoint()
            if endpoint is None:
                self._fail(Cause.UNREACHABLE)
            else:
                self._originate(endpoint)
        except Refused as refused:
            # 500 is an account that is unknown or has no phone registered, 409 an id that is in use.
            self._fail(Cause.UNREACHABLE if refused.status == 500 else Cause.FAILED)
        except SwitchLost:
            # It may ring nevertheless, and nobody is there to talk.
            self.hang_up()
            raise

    def _originate(self, endpoint: str) -> None:
        self.line.link.request(
            "POST",
            named("channels", self.id),
            endpoint=endpoint,
            app=APPLICATION,
            appArgs="dialled",
            callerId=encoding.caller_id(self.caller, self.caller_name),
            timeout=math.ceil(self._ring_for) + 1,
            variables={"HOTLINE_DIALLED": self.dialled, "TIMEOUT(absolute)": str(LONGEST), MEMORY: OUTBOUND},
        )

    def _endpoint(self) -> str | None:
        number = telephone(self.dialled)
        if number is None:
            return encoding.endpoint(self.dialled)
        trunk = self.line.link.request("GET", "asterisk/variable", variable="HOTLINE_TRUNK")["value"]
        return encoding.endpoint(f"{number}@{trunk}")

    def answered(self) -> Notice | None:
        while self._rings:
            try:
                item = self._inbox.take(None)
            except CallEnded as ended:
                raise NotAnswered(ended.cause) from ended
            if item is self._picked_up:
                self._rings = False
            elif isinstance(item, Notice):
                return item
        return None

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        self._give_up.cancel()
        super().hang_up(cause) if self.line.entered else self.line.hang_up(cause, ended_with=Cause.CANCELLED)

    def await_gone(self, within: float) -> None:
        self.line.off.wait(within)

    def _on_picked_up(self) -> None:
        self._give_up.cancel()
        self._inbox.put(self._picked_up)

    def _no_answer(self) -> None:
        self.line.hang_up(Cause.NO_ANSWER, ended_with=Cause.NO_ANSWER)

    def _fail(self, cause: Cause) -> None:
        self._give_up.cancel()
        self.line.gone(cause)
