"""A leg that we dial: it rings by an `originate` of ours, and is ours once its outbound socket has come."""

from __future__ import annotations

import math

import structlog
from gevent.event import Event

from switch.freeswitch import causes, encoding, esl, names
from switch.freeswitch.calls import FreeSwitchCall
from switch.freeswitch.client import Connection, Inbound
from switch.freeswitch.leg import Leg, Pending
from switch.port import CallEnded, CallId, Cause, NotAnswered, Notice, SwitchLost, telephone

log = structlog.get_logger(__name__)

ARRIVES_WITHIN = 5.0  # seconds from the answer to the leg's socket
CANCEL_TRIES = 20


class PickedUp(Pending):
    """The far end's answer, until it has come."""


def endpoint(address: str, route: str) -> str:
    """What FreeSWITCH rings for an address. Raises ValueError for an address that is none.

    `%` makes it look the account up among those registered. `route` is the way by the trunk, with ``$1`` for a number.
    """
    number = telephone(address)
    if number is not None:
        return route.replace("$1", number)
    account = encoding.address(address)
    if account is None:
        raise ValueError("not an address that can be dialled")
    return f"sofia/{names.AGENTS}/{account}%{names.DOMAIN}"


def originate(endpoint: str, *, call_id: CallId, caller: str, caller_name: str, ring_for: float) -> str:
    """The command that rings a phone, whose leg comes to us by the dialplan when it is answered.

    The caller's own text gets here as letters and digits only. A hang-up before the answer gives the cause as
    its answer. What is the same for all stands in freeswitch-conf/: FreeSWITCH reads this a byte at a time.
    """
    number, name = encoding.display(caller), encoding.display(caller_name)
    variables = {
        "origination_uuid": encoding.call_id(call_id),
        "origination_caller_id_number": number or "anonymous",
        "originate_timeout": str(math.ceil(ring_for) + 1),
        "ignore_early_media": "true",
        names.OURS: "dialled",
    }
    if not number or name not in ("", number):  # where there is none, a telephone shows the number
        variables["origination_caller_id_name"] = name or "anonymous"
    listed = ",".join(f"{name}={_quoted(value)}" for name, value in variables.items())
    return f"originate {{{listed}}}{endpoint} {names.DIALLED} XML {names.CONTEXT}"


def _quoted(value: str) -> str:
    return f"'{value}'" if " " in value else value


class DialledCall(FreeSwitchCall):
    """See `switch.port.OutboundCall`."""

    def __init__(
        self,
        leg: Leg,
        inbound: Inbound,
        address: str,
        *,
        caller: str,
        caller_name: str,
        ring_for: float,
        rings: bool,
    ) -> None:
        """`rings`: whether FreeSWITCH is told of it at all."""
        super().__init__(leg, esl.Event(b""))
        self.caller, self.caller_name, self.dialled = caller, caller_name, address
        self._inbound = inbound
        self._picked_up = PickedUp()
        self._refused: Cause | None = None
        self._given_up = leg.clock.after(ring_for, lambda: self._fail(Cause.NO_ANSWER))
        self._rings = rings
        self._rings_until = leg.clock.now() + round((ring_for + 1) * 1000)  # FreeSWITCH ends it by then
        self._gone = Event()

    def answered(self) -> Notice | None:
        while not self._picked_up.over:
            try:
                item = self._inbox.take(None)
            except CallEnded as ended:
                raise NotAnswered(ended.cause) from ended
            if isinstance(item, Notice) and not isinstance(item, Pending):
                return item
        return None

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        if self.leg.attached:
            super().hang_up(cause)
        else:
            self._fail(Cause.CANCELLED)

    def await_gone(self, within: float) -> None:
        self._gone.wait(within)

    def arrived(self, line: Connection, channel: esl.Event) -> None:
        """The far end has answered, and the leg has come to us."""
        self._given_up.cancel()
        self._rings = False
        self._answered = True
        self.leg.attach(line)
        self.set_by_dialplan(channel)
        if channel[f"variable_{names.OURS}"] != "dialled":
            log.error("FreeSWITCH runs with the dialplan of an earlier version: fs_cli -x reloadxml", call=self.id)
            self.leg.api(f"uuid_setvar {self.id} {names.OURS} dialled")
        self._picked_up.over = True
        self._inbox.put(self._picked_up)

    def originated(self, answer: str | None) -> None:
        """What FreeSWITCH said about our originate: None when the connection was lost meanwhile, and it may ring on."""
        if answer is None:
            if not self.leg.attached:
                self._fail(Cause.SWITCH_LOST)
            return
        self._rings = False
        if answer.startswith("-"):
            self._fail(causes.cause(answer.removeprefix("-ERR").strip()))
        elif not self.leg.attached:
            self.leg.clock.after(ARRIVES_WITHIN, self._not_arrived)

    def _not_arrived(self) -> None:
        if not self.leg.attached:
            self._fail(Cause.FAILED)

    def _fail(self, cause: Cause) -> None:
        self._given_up.cancel()
        self.leg.end(cause)

    def cancel(self) -> None:
        """Stops the ringing on the switch, where it rings still."""
        try:
            self._cancel()
        finally:
            self._gone.set()

    def _cancel(self) -> None:
        """The command may overtake the call that it is meant for; without a connection it waits for the next."""
        tries = CANCEL_TRIES
        while self._rings and tries:
            try:
                if self._inbound.api(causes.kill(self.id, Cause.CANCELLED)).startswith("+OK"):
                    return
                tries -= 1
            except SwitchLost:
                if self.leg.clock.now() > self._rings_until:
                    return
                self.leg.clock.sleep(0.2)
            self.leg.clock.sleep(0.05)
