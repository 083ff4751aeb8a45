"""`switch.port.Switch` on Asterisk: calls come into our Stasis application, everything else goes by ARI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import structlog

from switch.asterisk import causes, encoding, recording, talk
from switch.asterisk.ari import Ari, Events, named
from switch.asterisk.calls import AsteriskCall, Facts, facts
from switch.asterisk.config import APPLICATION, MEMORY
from switch.asterisk.dialling import DialledCall
from switch.asterisk.http import Refused
from switch.asterisk.lamps import Lamps
from switch.asterisk.line import NAMES_IN_TURN, Line, beginning, turn_name
from switch.asterisk.link import Mended
from switch.asterisk.websocket import Json
from switch.port import (
    Admits,
    Call,
    CallId,
    Capability,
    Cause,
    NoSuchCall,
    OutboundCall,
    Snapshot,
    SwitchLost,
    everyone,
)
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

FALLBACK = {"context": "hotline", "extension": "take", "label": "later"}  # of asterisk-conf/extensions.conf
EPOCH = "HOTLINE_EPOCH"  # the global variable that names the newest controller


class Asterisk:
    """One Asterisk, and our side of all calls in our Stasis application.

    `epoch` must be greater than that of every controller before us. A newer controller takes the
    application, and with it all calls, from an older one, which is `superseded` from then on. `patience`
    is how many seconds a call outlives a broken connection.
    """

    capabilities = frozenset(Capability)

    def __init__(
        self,
        *,
        url: str = "http://127.0.0.1:8088",
        user: str = "hotline",
        password: str,
        clock: Clock,
        epoch: int = 0,
        patience: float = 10.0,
    ) -> None:
        self._clock = clock
        self._epoch = epoch
        self._superseded = False
        self._handlers: Mapping[str, Callable[[Json], None]] = {
            "StasisStart": self._came,
            "StasisEnd": self._left,
            "ChannelHangupRequest": self._hung_up,
            "ChannelDestroyed": self._destroyed,
            "ChannelDtmfReceived": self._pressed,
            "PlaybackFinished": self._played,
            "RecordingFinished": self._recorded,
            "RecordingFailed": self._recorded,
            "ChannelTalkingStarted": self._talks,
            "ChannelTalkingFinished": self._talks,
            "ChannelLeftBridge": self._left_bridge,
            "ApplicationReplaced": self._replaced,
        }
        self._ari = Ari(
            url,
            user=user,
            password=password,
            application=APPLICATION,
            wanted=list(self._handlers),
            events=Events(happened=self._happened, opening=self._take_over, up=self._on_up, down=self._on_down),
        )
        self._lamps = Lamps(url, user=user, password=password)
        self._link = Mended(self._ari, clock, patience=patience, on_given_up=self._give_up)
        self._lines: dict[CallId, Line] = {}
        self._on_call: Callable[[Call], None] = _refuse
        self._admits: Admits = everyone

    @property
    def connected(self) -> bool:
        return self._link.connected

    @property
    def version(self) -> str:
        return self._ari.version

    @property
    def superseded(self) -> bool:
        return self._superseded

    def serve(self, on_call: Callable[[Call], None], *, admits: Admits = everyone) -> None:
        self._on_call, self._admits = on_call, admits
        self._ari.open()

    def stop(self) -> None:
        self._ari.close()
        self._lamps.close()
        self._end_all(Cause.SWITCH_LOST)

    def dial(
        self, address: str, *, call_id: CallId, caller: str, caller_name: str = "", ring_for: float
    ) -> OutboundCall:
        if not self._link.connected:
            raise SwitchLost("the connection to Asterisk is down")
        if call_id in self._lines:
            raise ValueError(f"{call_id} is in use")
        line = self._line(CallId(encoding.call_id(call_id)))
        call = DialledCall(line, address, caller=caller, caller_name=caller_name, ring_for=ring_for)
        call.ring()
        return call

    def adopt(self, call_id: CallId) -> Call:
        if not self._link.connected:
            raise SwitchLost("the connection to Asterisk is down")
        channel = self._channel(call_id)
        bridge = self._bridges().get(call_id)
        memory = self._memory(call_id)
        former = self._lines.get(call_id)
        if former is not None and former.inbox.ended is None:
            raise NoSuchCall(f"{call_id}: it is in our hands")  # it came by itself while Asterisk was asked
        line = self._line(call_id)
        line.entered = True
        if bridge is not None:
            line.join(bridge["id"])
            line.joined()
        call = AsteriskCall(line, replace(facts(channel), remembered=memory))
        try:
            if bridge is not None:
                line.catch_up()  # the talk may have ended before anybody listened to this leg
            else:
                self._silence(call_id)
                line.music = True
        except (Refused, SwitchLost) as error:
            line.gone(Cause.SWITCH_LOST)  # nobody drives it, so that it is a stray again
            raise SwitchLost(f"what a leg hears is not known: {error}") from error
        return call

    def calls(self) -> Mapping[CallId, Snapshot]:
        bridges = self._bridges()
        return {call_id: _snapshot(call_id, channel, bridges.get(call_id)) for call_id, channel in self._ours().items()}

    def strays(self) -> Mapping[CallId, Snapshot]:
        bridges = self._bridges()
        there = self._ours(ringing=True)
        for line in list(self._lines.values()):
            if line.overdue:  # what lives of it is in nobody's hands
                line.gone(Cause.NORMAL)
        return {
            call_id: _snapshot(call_id, channel, bridges.get(call_id))
            for call_id, channel in there.items()
            if call_id not in self._lines
        }

    def drop(self, call_id: CallId) -> None:
        with suppress(Refused):  # it has gone by itself
            self._ari.request("DELETE", named("channels", call_id))

    def salvage(self, call_id: CallId, to: Path) -> bool:
        return recording.salvage(Line(call_id, self._link, self._clock, forget=lambda _: None), to)

    def registrations(self) -> frozenset[str]:
        endpoints = self._listed("endpoints", "PJSIP")
        return frozenset(
            endpoint["resource"]
            for endpoint in endpoints
            if endpoint["state"] == "online" and not endpoint["resource"].startswith("trunk")
        )

    def show_waiting(self, account: str, *, new: int, old: int) -> None:
        if not self._link.connected:
            raise SwitchLost("the connection to Asterisk is down")
        self._lamps.show(account, new=new, old=old)

    # --- what is there

    def _listed(self, *path: str) -> Any:
        """Raises SwitchLost."""
        try:
            return self._ari.request("GET", named(*path), by_http=True)
        except Refused as refused:
            raise SwitchLost(f"Asterisk does not say what lives on it: {refused}") from refused

    def _channel(self, call_id: CallId) -> Json:
        """A channel in our application. Raises NoSuchCall, SwitchLost."""
        try:
            channel: Json = self._ari.request("GET", named("channels", call_id))
        except Refused as refused:
            raise NoSuchCall(call_id) from refused
        if channel["dialplan"]["app_name"] != "Stasis":
            raise NoSuchCall(f"{call_id}: it is not in our application")
        return channel

    def _ours(self, *, ringing: bool = False) -> dict[CallId, Json]:
        """The channels in our application, and those that still ring for it. Raises SwitchLost."""
        applications = self._listed("applications")
        ours = {call_id for each in applications if each["name"] == APPLICATION for call_id in each["channel_ids"]}
        return {
            CallId(channel["id"]): channel
            for channel in self._listed("channels")
            if (channel["id"] in ours or (ringing and _outbound(facts(channel)))) and not talk.is_snoop(channel["id"])
        }

    def _bridges(self) -> dict[CallId, Json]:
        """The bridge of every leg that is in one of ours. Raises SwitchLost."""
        return {
            CallId(channel): bridge
            for bridge in self._listed("bridges")
            if bridge["id"].startswith(beginning("bridge"))
            for channel in bridge["channels"]
        }

    def _memory(self, call_id: CallId) -> dict[str, str]:
        """What is remembered on a channel, asked for by name: what is shown with a channel may be older.

        Raises NoSuchCall, SwitchLost.
        """
        path = named("channels", call_id)
        try:
            return encoding.remembered(self._ari.request("GET", f"{path}/variable", variable=MEMORY)["value"])
        except Refused:
            pass  # a variable that was never set gives the same answer as a channel that is gone
        try:
            self._ari.request("GET", path)
        except Refused as refused:
            raise NoSuchCall(call_id) from refused
        return {}

    def _silence(self, call_id: CallId) -> None:
        """Ends what a former controller left playing or recording; music goes on. Raises SwitchLost."""
        left: list[tuple[str, str]] = []
        for turn in range(NAMES_IN_TURN):
            left.append(("DELETE", named("playbacks", turn_name(call_id, "play", turn))))
            left.append(("POST", f"{named('recordings', 'live', turn_name(call_id, 'tape', turn))}/stop"))
        for method, path in left:
            with suppress(Refused):  # most of them were never there
                self._ari.request(method, path)

    def _line(self, call_id: CallId) -> Line:
        line = self._lines[call_id] = Line(call_id, self._link, self._clock, forget=self._forget)
        return line

    def _forget(self, line: Line) -> None:
        if self._lines.get(line.id) is line:
            del self._lines[line.id]
        if line.bridge is not None:
            for other in list(self._lines.values()):
                other.left_alone(line.bridge)

    def _end_all(self, cause: Cause) -> None:
        lines, self._lines = self._lines, {}
        for line in lines.values():
            line.end(cause)

    # --- what happens

    def _happened(self, event: Json) -> None:
        handler = self._handlers.get(str(event.get("type")))
        if handler is None:
            return
        try:
            handler(event)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            # Without a traceback: to write many of them would hold up everybody else.
            log.error("an event of Asterisk is not as it should be", kind=str(event.get("type")), error=repr(error))

    def _came(self, event: Json) -> None:
        channel, args = event["channel"], event["args"]
        call_id = _id_of(channel)
        line = self._lines.get(call_id)
        if line is not None:
            line.enter()
        elif args[:1] == ["call"]:
            dialled, account = [*args[1:3], "", ""][:2]
            if not self._admits(call_id, account):
                self._link.later("POST", f"{named('channels', call_id)}/continue", **FALLBACK)
                return
            line = self._line(call_id)
            line.entered = True
            told = replace(facts(channel), dialled=dialled, account=account)
            gevent.spawn(self._drive, AsteriskCall(line, told))
        elif args[:1] == [talk.ARGUMENT]:
            if under_way := self._link.talks.get(talk.name(args[1])):
                under_way.heard.set()
        else:
            # Dialled by a controller that is gone, or cancelled while the far end answered: nobody waits for it.
            self._link.hang_up(call_id, Cause.NORMAL)

    def _drive(self, call: AsteriskCall) -> None:
        try:
            self._on_call(call)
        finally:
            call.hang_up()

    def _left(self, event: Json) -> None:
        if line := self._of(event):
            line.gone(Cause.NORMAL)

    def _destroyed(self, event: Json) -> None:
        if line := self._of(event):
            line.gone(causes.meaning(event.get("cause")))

    def _hung_up(self, event: Json) -> None:
        if line := self._of(event):
            line.end(causes.meaning(event.get("cause")))

    def _pressed(self, event: Json) -> None:
        if line := self._of(event):
            line.pressed(str(event["digit"]))

    def _talks(self, event: Json) -> None:
        if line := self._of(event):
            line.talks(event["type"] == "ChannelTalkingStarted")

    def _played(self, event: Json) -> None:
        playback = event["playback"]
        if line := self._target(playback):
            line.played(playback["id"], playback["state"])

    def _recorded(self, event: Json) -> None:
        recording = event["recording"]
        if under_way := self._link.talks.get(recording["name"]):
            under_way.ended.set()
        failure = "" if event["type"] == "RecordingFinished" else str(recording.get("cause") or "Asterisk failed")
        if line := self._target(recording):
            line.recorded(recording["name"], failure)

    def _left_bridge(self, event: Json) -> None:
        bridge = event["bridge"]
        if line := self._of(event):
            line.left(bridge["id"])
        for channel in bridge["channels"]:
            if other := self._lines.get(channel):
                other.left_alone(bridge["id"])

    def _of(self, event: Json) -> Line | None:
        return self._lines.get(CallId(event["channel"]["id"]))

    def _target(self, thing: Mapping[str, Any]) -> Line | None:
        return self._lines.get(CallId(str(thing["target_uri"]).removeprefix("channel:")))

    # --- the connection

    def _take_over(self) -> bool:
        """Whether we are the newest controller of this Asterisk; then it is told so."""
        newest = self._ari.request("GET", "asterisk/variable", by_http=True, variable=EPOCH)["value"]
        if newest.isdigit() and int(newest) > self._epoch:
            log.error("a newer controller drives this Asterisk; we take no calls")
            self._superseded = True
            self._end_all(Cause.SUPERSEDED)
            return False
        self._ari.request("POST", "asterisk/variable", by_http=True, variable=EPOCH, value=str(self._epoch))
        return True

    def _replaced(self, _: Json) -> None:
        log.error("a newer controller has taken over this Asterisk and its calls")
        self._superseded = True
        self._ari.give_way()
        self._end_all(Cause.SUPERSEDED)

    def _on_up(self) -> None:
        """Brings every line up to date. Raises SwitchLost."""
        self._report_left_over()
        before = list(self._lines.values())  # who comes while Asterisk is asked need not be in its answer
        there = self._ours(ringing=True)
        for line in before:
            if line.id in there:
                line.catch_up()
            else:
                line.gone(Cause.SWITCH_LOST)
        self._link.came_up()

    def _report_left_over(self) -> None:
        """Messages whose controller died before it fetched them stay in Asterisk's spool: somebody should know."""
        with suppress(SwitchLost):  # a spool that is too full to be listed keeps no call waiting
            names = [str(each["name"]) for each in self._listed("recordings", "stored")] if not self._lines else []
            left = sum(name.startswith((beginning("tape"), beginning("talk"))) for name in names)
            if left:
                log.warning("recordings that nobody fetched are in Asterisk's spool", count=left)

    def _on_down(self) -> None:
        self._link.went_down()

    def _give_up(self) -> None:
        """The connection has been down for too long. What Asterisk has of our legs it keeps: they are strays now."""
        self._end_all(Cause.SWITCH_LOST)


def _snapshot(call_id: CallId, channel: Json, bridge: Json | None) -> Snapshot:
    told: Facts = facts(channel)
    others = [other for other in bridge["channels"] if other != call_id] if bridge else []
    return Snapshot(
        id=call_id,
        caller=told.caller,
        dialled=told.dialled,
        answered=told.answered,
        joined_to=CallId(others[0]) if others else None,
        outbound=_outbound(told),
        remembered=told.remembered,
    )


def _id_of(channel: Json) -> CallId:
    """Raises ValueError where there is none: a call without it could be asked for nothing, not even its end."""
    match channel["id"]:
        case str(id) if id:
            return CallId(id)
        case odd:
            raise ValueError(f"no id of a channel: {odd!r}")


def _outbound(told: Facts) -> bool:
    return "outbound" in told.remembered


def _refuse(call: Call) -> None:
    call.hang_up(Cause.CONGESTION)
