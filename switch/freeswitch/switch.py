"""`switch.port.Switch` on FreeSWITCH: calls come by outbound sockets, everything else by inbound connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import gevent
import structlog
from gevent import socket
from gevent.event import AsyncResult
from gevent.lock import Semaphore
from gevent.pool import Pool

from switch.freeswitch import causes, encoding, esl, names
from switch.freeswitch.calls import FreeSwitchCall, dialled
from switch.freeswitch.client import Connection, Inbound
from switch.freeswitch.dialling import DialledCall, endpoint, originate
from switch.freeswitch.hanging_up import Unconfirmed
from switch.freeswitch.leg import Leg
from switch.freeswitch.music import MODULE, NO_MUSIC, Music
from switch.freeswitch.watching import LOOK, WatchedCall
from switch.port import (
    Admits,
    Call,
    CallEnded,
    CallId,
    Capability,
    Cause,
    NoSuchCall,
    OutboundCall,
    Snapshot,
    SwitchLost,
    everyone,
    telephone,
)
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

ARRIVES_WITHIN = 5.0  # seconds from a uuid_transfer to the leg's new socket
BACKLOG = 1024
REALM = "hotline"  # of the agents' registrations (freeswitch-conf/sofia.conf.xml)
PATROL = 20.0  # seconds between two looks for legs that nobody controls
ASKED_AT_ONCE = 16  # about legs, over the one connection
AT_THE_DOOR = 200  # legs at a time that have come and not said who they are


@dataclass(slots=True)
class Awaited:
    """A leg that we have sent for, and the music that it will go on hearing."""

    arrival: AsyncResult[FreeSwitchCall] = field(default_factory=AsyncResult)
    music: str = ""


class FreeSwitch:
    """One FreeSWITCH, and our side of all calls that it hands to us.

    `outbound` is the address that its dialplan's `socket` application connects to, `inbound` the one of
    its event socket. `epoch` must be greater than that of every controller before us. `most` calls at a
    time are taken: beyond that callers stay with the dialplan's fallback. `music` are WAV files by their names,
    `sources` those that they were made of.
    """

    capabilities = frozenset(Capability)

    def __init__(
        self,
        *,
        outbound: str = "127.0.0.1:8084",
        inbound: str = "127.0.0.1:8021",
        password: str,
        clock: Clock,
        epoch: int = 0,
        most: int = 2000,
        music: Mapping[str, Path] = NO_MUSIC,
        sources: Mapping[str, Path] = NO_MUSIC,
    ) -> None:
        self._outbound = outbound
        self._clock = clock
        self._epoch = epoch
        self._most = most
        self._music = Music(music, sources)
        host, port = _address(inbound)
        self._inbound = Inbound(host, port, password, on_up=self._on_up)
        self._calls: dict[CallId, FreeSwitchCall] = {}
        self._awaited: dict[CallId, Awaited] = {}
        self._unconfirmed = Unconfirmed(self._inbound)
        self._lost: frozenset[CallId] = frozenset()
        self._door = Semaphore(AT_THE_DOOR)
        self._listener: socket.socket | None = None
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self._on_call: Callable[[Call], None] = _refuse
        self._admits: Admits = everyone

    @property
    def connected(self) -> bool:
        return self._inbound.connected and self._listener is not None

    @property
    def superseded(self) -> bool:
        return False  # each leg says by itself who has it

    @property
    def version(self) -> str:
        return self._inbound.version

    def serve(self, on_call: Callable[[Call], None], *, admits: Admits = everyone) -> None:
        self._on_call, self._admits = on_call, admits
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(_address(self._outbound))
        listener.listen(BACKLOG)
        self._listener = listener
        self._greenlets = [
            gevent.spawn(self._accept, listener),
            gevent.spawn(self._over_and_over, self._look_for_lost_legs, PATROL),
            gevent.spawn(self._over_and_over, self._look_at_talks, LOOK),
        ]
        self._inbound.start()

    def stop(self) -> None:
        gevent.killall(self._greenlets)
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for call in list(self._calls.values()):
            call.leg.end(Cause.SWITCH_LOST)
        self._inbound.stop()

    def dial(
        self, address: str, *, call_id: CallId, caller: str, caller_name: str = "", ring_for: float
    ) -> OutboundCall:
        if not self._inbound.connected:
            raise SwitchLost("not connected to FreeSWITCH")  # so that nothing rings that must be stopped
        try:
            command = originate(
                endpoint(address, self._route() if telephone(address) else ""),
                call_id=call_id,
                caller=caller,
                caller_name=caller_name,
                ring_for=ring_for,
            )
        except ValueError:
            command = ""
        leg = Leg(call_id, self._clock, self._epoch, lambda: self._forget(call), music=self._music)
        call = DialledCall(
            leg, self._inbound, address, caller=caller, caller_name=caller_name, ring_for=ring_for, rings=bool(command)
        )
        self._calls[call_id] = call
        if not command:
            leg.end(Cause.UNREACHABLE)
            return call
        try:
            self._inbound.background(command, call.originated)
        except SwitchLost:
            leg.end(Cause.SWITCH_LOST)
            raise
        return call

    def _route(self) -> str:
        """How the dialplan reaches the world."""
        return self._inbound.api("global_getvar hotline_trunk_route")

    def adopt(self, call_id: CallId) -> Call:
        if call_id in self._calls:
            raise NoSuchCall(f"{call_id}: it is in our hands")
        awaited = self._awaited[call_id] = Awaited()
        try:
            return self._claim(call_id, awaited) or self._send_for(call_id, awaited.arrival)
        except (NoSuchCall, SwitchLost, gevent.Timeout) as reason:
            if awaited.arrival.ready():  # it came, whatever became of the answer to our command
                return _come(awaited.arrival)
            if isinstance(reason, gevent.Timeout):
                raise NoSuchCall(f"{call_id}: it did not come") from None
            raise
        finally:
            self._awaited.pop(call_id, None)

    def _claim(self, call_id: CallId, awaited: Awaited) -> Call | None:
        """Writes down on the leg that it is ours; where it talks that is all. Raises NoSuchCall, SwitchLost."""
        wanted = encoding.call_id(call_id)
        epoch = self._inbound.api(f"uuid_getvar {wanted} {names.EPOCH}")
        if epoch.startswith("-ERR"):
            raise NoSuchCall(call_id)
        if epoch.isdigit() and int(epoch) > self._epoch:
            raise NoSuchCall(f"{call_id}: a newer controller has it")
        self._inbound.api(f"uuid_setvar {wanted} {names.EPOCH} {self._epoch}")
        channel = self._dump(call_id)
        if not channel["Other-Leg-Unique-ID"] or call_id in self._calls:
            awaited.music = self._music_on(channel)
            return None
        leg = Leg(call_id, self._clock, self._epoch, lambda: self._forget(call), music=self._music)
        call = WatchedCall(leg, channel, self._inbound)
        self._calls[call_id] = call
        self._awaited.pop(call_id, None)
        return call

    def _send_for(self, call_id: CallId, arrival: AsyncResult[FreeSwitchCall]) -> Call:
        """Has the leg come to us, unless the dialplan has sent it meanwhile. Raises NoSuchCall, SwitchLost, Timeout."""
        if not arrival.ready():
            moved = self._inbound.api(f"uuid_transfer {encoding.call_id(call_id)} '{self._to_us()}' inline")
            if not moved.startswith("+OK") and not arrival.ready():
                raise NoSuchCall(call_id)
        return _come(arrival)

    def calls(self) -> Mapping[CallId, Snapshot]:
        return self._snapshots(row["uuid"] for row in self._channels())

    def strays(self) -> Mapping[CallId, Snapshot]:
        ours = self._calls.keys() | set(self._unconfirmed)
        return self._snapshots(row["uuid"] for row in self._channels() if CallId(row["uuid"]) not in ours)

    def drop(self, call_id: CallId) -> None:
        self._inbound.api(causes.kill(encoding.call_id(call_id), Cause.NORMAL))

    def salvage(self, call_id: CallId, to: Path) -> bool:
        if name := encoding.path(to):
            self._inbound.api(f"uuid_record {encoding.call_id(call_id)} stop {name}")
        return to.exists()

    def registrations(self) -> frozenset[str]:
        rows = _rows(self._inbound.api("show registrations as json"))
        now = self._clock.wall().timestamp()
        return frozenset(row["reg_user"] for row in rows if float(row.get("expires") or 0) > now)

    def show_waiting(self, account: str, *, new: int, old: int) -> None:
        self._inbound.send_event(
            "MESSAGE_WAITING",
            {
                "MWI-Messages-Waiting": "yes" if new else "no",
                "MWI-Message-Account": f"{encoding.call_id(CallId(account))}@{REALM}",
                "MWI-Voice-Message": f"{new}/{old} (0/0)",
            },
        )

    def _to_us(self) -> str:
        """An inline dialplan: the leg comes to this very controller, and goes to the fallback should we die.

        And once more to us before that, because the controller before us may still hold a socket of the leg:
        FreeSWITCH lets the leg out of ours when that one is closed.
        """
        again = f"execute_extension:{names.TAKEN_OVER} XML {names.CONTEXT}"
        return f"set:{names.CONTROLLER}={self._outbound},socket:{self._outbound} async full,{again}"

    # --- legs that come

    def _accept(self, listener: socket.socket) -> None:
        while True:
            self._door.acquire()  # beyond that they wait in the listener's backlog
            try:
                sock, _ = listener.accept()
            except OSError as error:
                self._door.release()
                log.error("cannot take a call", reason=str(error))
                gevent.sleep(0.1)
                continue
            gevent.spawn(self._arrived, sock)
            gevent.sleep(0)  # a crowd at the door must not keep those inside waiting

    def _arrived(self, sock: socket.socket) -> None:
        line = Connection(sock)
        line.start()
        try:
            channel = line.request(esl.command("connect")).event()
        except SwitchLost:
            return
        finally:
            self._door.release()
        call_id = CallId(channel["Unique-ID"])
        if not call_id:
            line.close()
            return
        call = self._calls.get(call_id)
        if call_id in self._unconfirmed:
            self._unconfirmed.hang_up(call_id)
            line.close()
        elif isinstance(call, DialledCall) and not call.leg.attached:
            with suppress(CallEnded):
                call.arrived(line, channel)
        elif isinstance(call, WatchedCall) and not call.leg.attached:
            call.arrived(line, channel)
        elif call is not None:
            call.leg.anchor(line)
        elif (awaited := self._awaited.pop(call_id, None)) is not None:
            awaited.arrival.set(self._meet(call_id, line, channel, music=awaited.music))
        elif len(self._calls) >= self._most:
            log.error("too many calls, left to the fallback", calls=len(self._calls))
            _leave(line, call_id)
        elif channel[f"variable_{names.OURS}"] != "dialled" and not self._admits(
            call_id, channel[f"variable_{names.ACCOUNT}"]
        ):
            _leave(line, call_id)
        else:
            self._drive(self._meet(call_id, line, channel), channel)

    def _meet(self, call_id: CallId, line: Connection, channel: esl.Event, *, music: str = "") -> FreeSwitchCall:
        leg = Leg(call_id, self._clock, self._epoch, lambda: self._forget(call), music=self._music)
        call = FreeSwitchCall(leg, channel)
        self._calls[call_id] = call
        with suppress(CallEnded):
            leg.attach(line)
            if music:
                call.hold(music)  # before anybody thinks about what comes next: nothing is heard meanwhile
        return call

    def _drive(self, call: FreeSwitchCall, channel: esl.Event) -> None:
        try:
            if channel[f"variable_{names.OURS}"] != "dialled":
                self._on_call(call)
            # A leg that another process has dialled and nobody waits for: an agent whose caller has gone.
        except CallEnded:
            pass
        finally:
            call.hang_up()

    def _forget(self, call: FreeSwitchCall) -> None:
        if self._calls.get(call.id) is call:
            del self._calls[call.id]
        if isinstance(call, DialledCall):
            gevent.spawn(call.cancel)
        if call.leg.condemned is not None:
            self._unconfirmed.add(call.id, call.leg.condemned)

    # --- what lives on the switch

    def _music_on(self, channel: esl.Event) -> str:
        """The music that a leg hears at this moment, "" for none."""
        playing = channel["variable_current_application"] == "playback"
        return self._music.name(channel["variable_current_application_data"]) if playing else ""

    def _channels(self) -> list[dict[str, str]]:
        return _rows(self._inbound.api("show channels as json"))

    def _snapshots(self, uuids: Iterable[str]) -> Mapping[CallId, Snapshot]:
        """Asks for several at a time: one after the other, each would wait for its answer's way. Raises SwitchLost."""
        found: dict[CallId, Snapshot] = {}
        for snapshot in Pool(ASKED_AT_ONCE).imap(self._snapshot_or_lost, uuids):
            match snapshot:
                case SwitchLost():
                    raise snapshot
                case Snapshot():
                    found[snapshot.id] = snapshot
        return found

    def _snapshot_or_lost(self, uuid: str) -> Snapshot | SwitchLost | None:
        """An error as a value: gevent would print one that ends a greenlet."""
        try:
            return self._snapshot(uuid)
        except SwitchLost as lost:
            return lost

    def _dump(self, call_id: CallId) -> esl.Event:
        # With the word "plain" it would come with its line ends as they are, a caller's included.
        return esl.Event(self._inbound.api(f"uuid_dump {encoding.call_id(call_id)}").encode())

    def _snapshot(self, uuid: str) -> Snapshot | None:
        channel = self._dump(CallId(uuid))
        if not channel[f"variable_{names.OURS}"]:
            return None
        return Snapshot(
            id=CallId(uuid),
            caller=channel["Caller-Caller-ID-Number"],
            dialled=dialled(channel),
            answered=channel["Answer-State"] == "answered",
            joined_to=CallId(channel["variable_bridge_uuid"]) if channel["Other-Leg-Unique-ID"] else None,
            outbound=channel[f"variable_{names.OURS}"] == "dialled",
            remembered=encoding.remembered(channel.startingwith(f"variable_{names.REMEMBERED}")),
        )

    def _on_up(self) -> None:
        self._lost = frozenset()
        with suppress(SwitchLost):
            self._music.native = self._inbound.has_module(MODULE)
        self._unconfirmed.hang_up_all()

    def _over_and_over(self, look: Callable[[], None], every: float) -> None:
        """An error ends one look, and never all that are to follow."""
        while True:
            self._clock.sleep(every)
            try:
                look()
            except SwitchLost:
                continue
            except Exception:
                log.exception("a look at what lives on FreeSWITCH broke off; it is done again")

    def _look_at_talks(self) -> None:
        """Notices when a leg ends that we watch from afar."""
        watched = [call for call in self._calls.values() if _from_afar(call)]
        if not watched:
            return
        living = {row["uuid"] for row in self._channels()}
        for call in watched:
            if call.id not in living and _from_afar(call):
                call.leg.end(Cause.NORMAL)

    def _look_for_lost_legs(self) -> None:
        """Sends our legs that nobody controls, twice in a row, through the dialplan again.

        Such are left by a controller that died between FreeSWITCH's connect and its own first word, or between
        asking for a talk and the talk: they stand in `socket`, or wait for ever for a leg that is gone. So does
        a leg of ours whose talk is over, where the socket by which it came back broke at the first word.
        """
        self._unconfirmed.hang_up_all()
        rows = self._channels()
        living = {row["uuid"] for row in rows}
        lost = frozenset(
            CallId(row["uuid"]) for row in rows if self._may_be_lost(CallId(row["uuid"])) and self._is_lost(row, living)
        )
        for call_id in lost & self._lost:
            if not self._may_be_lost(call_id):
                continue  # it came while we asked
            log.warning("a call that nobody controls is taken again", call=call_id)
            self._inbound.api(f"uuid_transfer {encoding.call_id(call_id)} '{self._to_us()}' inline")
        self._lost = lost

    def _may_be_lost(self, call_id: CallId) -> bool:
        call = self._calls.get(call_id)
        return call is None or call.in_talk

    def _is_lost(self, row: dict[str, str], living: set[str]) -> bool:
        leg = encoding.call_id(CallId(row["uuid"]))
        if row.get("state") == "CS_SOFT_EXECUTE":
            lost = self._inbound.api(f"uuid_getvar {leg} signal_bond") not in living
        else:
            lost = row.get("application") == "socket" or row.get("state") == "CS_PARK"
        return lost and self._inbound.api(f"uuid_getvar {leg} {names.OURS}") in ("caller", "dialled")


def _come(arrival: AsyncResult[FreeSwitchCall]) -> FreeSwitchCall:
    """The leg that was sent for. Raises Timeout."""
    call = arrival.get(timeout=ARRIVES_WITHIN)
    assert call is not None
    return call


def _from_afar(call: FreeSwitchCall) -> bool:
    return isinstance(call, WatchedCall) and not call.leg.attached


def _leave(line: Connection, call_id: CallId) -> None:
    """Gives a call to the dialplan's fallback.

    To close the connection is not enough: FreeSWITCH forgets an end that comes before it has begun to wait for our
    commands, and the call stands there until somebody looks.
    """
    fallback = f"answer,transfer:{names.WAIT} XML {names.CONTEXT}"
    with suppress(SwitchLost):
        line.request(esl.command(f"api uuid_transfer {encoding.call_id(call_id)} '{fallback}' inline"))
    line.close()


def _refuse(call: Call) -> None:
    call.hang_up(Cause.CONGESTION)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _rows(answer: str) -> list[dict[str, str]]:
    try:
        rows = json.loads(answer).get("rows", [])
    except ValueError:
        raise SwitchLost("FreeSWITCH's answer is no JSON") from None
    return [row for row in rows if isinstance(row, dict)]
