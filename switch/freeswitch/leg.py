"""A leg as the event socket shows it: its sockets, what is under way on it, and its end.

What an application did is known by its Event-UUID alone. Answers to commands are waited for only where
they decide something; what is sent without waiting stays in order, because everything is event-locked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import structlog

from switch.freeswitch import causes, esl, identity, names
from switch.freeswitch.client import Connection
from switch.freeswitch.music import Music
from switch.port import CallEnded, CallId, Cause, Key, Notice, SwitchLost
from switch.shared.clock import Clock
from switch.shared.inbox import Inbox

log = structlog.get_logger(__name__)

LINGER = 5  # seconds in which FreeSWITCH keeps the socket for the last events; without the number, for ever
LAST_EVENTS = 1.0  # seconds in which the reason of a hang-up, and a recording's end, may follow it
# What every leg needs; for a recording or a talk more is asked for. FreeSWITCH writes out all that it knows of a
# channel for each event that somebody wants.
EVENTS = "CHANNEL_EXECUTE_COMPLETE DTMF CODEC CHANNEL_HANGUP"
NAP = 0.02  # FreeSWITCH looks for events to send every 20 ms, or when it is spoken to


class Pending(Notice):
    """Something under way on a leg. When it is over it comes into the leg's inbox itself."""

    __setattr__ = object.__setattr__  # notices are frozen, this is not

    def __init__(self) -> None:
        self.over = False


class Application(Pending):
    """An application that was sent to the leg, until its EXECUTE_COMPLETE has come."""

    def __init__(self) -> None:
        super().__init__()
        self.uuid = identity.new()
        self.seconds = 0.0  # how much of a file was played
        self.broken_off = False  # by us, so that it begins anew
        self.response = ""


class Tape(Pending):
    """A recording, until its RECORD_STOP has come."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.seconds = 0.0
        self.cause = ""


class Bridge(Pending):
    """The talk that was asked for, until it has begun, or until FreeSWITCH has parked the leg instead."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = False


class Leg:
    """One channel on FreeSWITCH and the sockets that it has to us.

    The first socket commands the leg as long as it lives. Each time the leg comes through the dialplan
    again it opens one more, which is kept open and silent: FreeSWITCH lets go of a leg that any of its
    sockets is closed for.
    """

    def __init__(self, call_id: CallId, clock: Clock, epoch: int, on_end: Callable[[], None], *, music: Music) -> None:
        self.id = call_id
        self.clock = clock
        self.inbox = Inbox(clock)
        self.music = music
        self.met_again: Callable[[], None] = lambda: None
        self.recoded: Callable[[], None] = lambda: None  # the far end has changed the codec; must not block
        self._on_end = on_end
        self._line: Connection | None = None
        self._anchors: list[Connection] = []
        self._epoch = epoch  # ours; a leg with a later one has a newer controller
        self._applications: dict[str, Application] = {}
        self._tapes: dict[str, Tape] = {}
        self._bridge: Bridge | None = None
        self._hung_up: Cause | None = None
        self.condemned: Cause | None = None  # with which we wanted to hang up, until FreeSWITCH has confirmed it

    @property
    def attached(self) -> bool:
        return self._line is not None

    @property
    def busy(self) -> bool:
        """Whether FreeSWITCH has not answered all that it was sent."""
        return self._line is not None and self._line.busy > 0

    def attach(self, line: Connection) -> None:
        """Takes the leg's first socket, and from it the events of this leg that we use, and no others."""
        self._line = line
        line.on_event, line.on_notice, line.on_close = self._on_event, self._on_notice, self._on_close
        if line.closed:
            self._on_close()
            return
        self.send(
            esl.command(f"linger {LINGER}"),
            esl.command(f"filter Unique-ID {self.id}"),
            esl.command(f"event plain {EVENTS}"),
        )

    def anchor(self, line: Connection) -> None:
        """Takes a further socket: the leg has come through the dialplan again."""
        if self.inbox.ended is not None:
            line.close()
            return
        self._anchors.append(line)
        self.met_again()

    def end(self, cause: Cause) -> None:
        """The leg is gone for us, whatever the reason; says so once."""
        if self.inbox.ended is not None:
            return
        self.inbox.end(cause)
        if cause is Cause.SUPERSEDED:  # a newer controller's hold on the leg would go with our sockets
            self.condemned = None
        else:
            self._close()
        self._on_end()

    # --- commands

    def send(self, *commands: bytes) -> None:
        """Sends what nobody waits for. Raises CallEnded."""
        self.inbox.check()
        assert self._line is not None
        try:
            self._line.send(*commands)
        except SwitchLost:
            self._lost()

    def api(self, line: str) -> str:
        """What an api command printed. Raises CallEnded."""
        self.inbox.check()
        assert self._line is not None
        try:
            answer = self._line.request(esl.command(f"api {line}")).answer
        except SwitchLost:
            self._lost()
        self.inbox.check()
        return answer

    def execute(self, name: str, argument: str = "", *, before: bytes = b"") -> Application:
        """Sends an application, which is pending from now on."""
        application = Application()
        self._applications[application.uuid] = application
        commands = [before] if before else []
        self.send(*commands, esl.execute(name, argument, uuid=application.uuid))
        return application

    def kill(self, cause: Cause) -> None:
        """Hangs up; never raises."""
        if self.inbox.ended is None and self._line is not None:
            self.condemned = cause
            with suppress(SwitchLost):
                self._line.request(esl.command(f"api {causes.kill(self.id, cause)}"))
                self.condemned = None
        self.end(cause)

    def is_over(self, pending: Pending, within: float) -> bool:
        """Waits for something under way to be over, and takes it out of the inbox. Raises CallEnded."""
        found = self.inbox.find(lambda item: item is pending, 0 if pending.over else within)  # or read by `wait` before
        if found is not None:
            self.inbox.remove(pending)
        return pending.over

    def is_over_soon(self, pending: Pending, within: float) -> bool:
        """The same for what should be over at once: has FreeSWITCH tell us before its nap ends."""
        for _ in range(max(1, round(within / NAP * 4))):
            self.nudge()
            if self.is_over(pending, NAP / 4):
                return True
        return pending.over

    def nudge(self) -> None:
        """Has FreeSWITCH say now what it would say within its nap. Raises CallEnded."""
        self.inbox.check()
        assert self._line is not None
        try:
            self._line.nudge()
        except SwitchLost:
            self._lost()

    def give_up(self, reason: str) -> None:
        """Ends a leg that does not do what it is told. Raises CallEnded."""
        log.error("a leg does not obey, hung up", call=self.id, reason=reason)
        self.kill(Cause.FAILED)
        self.inbox.check()

    def taping(self, tape: Tape) -> None:
        """From now on this recording's end is noticed, and the end of the leg waits for it."""
        self.send(esl.command("event plain RECORD_STOP"))
        self._tapes[tape.path] = tape

    def taped(self, tape: Tape) -> None:
        self._tapes.pop(tape.path, None)

    def bridging(self, bridge: Bridge | None) -> None:
        if bridge is not None:
            self.send(esl.command("event plain CHANNEL_BRIDGE CHANNEL_PARK"))
        self._bridge = bridge

    # --- what FreeSWITCH tells

    def _on_event(self, event: esl.Event) -> None:
        epoch = event[f"variable_{names.EPOCH}"]
        if epoch.isdigit() and int(epoch) > self._epoch:  # not every event says it: a key does not
            log.warning("another controller has taken over this call", call=self.id, epoch=epoch)
            self.end(Cause.SUPERSEDED)
            return
        match event.name:
            case "DTMF":
                self.inbox.put(Key(event["DTMF-Digit"]))
            case "CHANNEL_EXECUTE_COMPLETE":
                self._on_complete(event)
            case "RECORD_STOP":
                self._on_recorded(event)
            case "CHANNEL_BRIDGE" | "CHANNEL_PARK" if self._bridge is not None and not self._bridge.over:
                self._bridge.begun = event.name == "CHANNEL_BRIDGE"
                self._done(self._bridge)
            case "CODEC":
                self.recoded()
            case "CHANNEL_HANGUP":
                self._on_hangup(causes.cause(event["Hangup-Cause"]))

    def _on_complete(self, event: esl.Event) -> None:
        application = self._applications.pop(event["Application-UUID"], None)
        if application is not None:
            application.response = event["Application-Response"]
            application.seconds = _number(event["variable_playback_ms"]) / 1000
            self._done(application)

    def _on_recorded(self, event: esl.Event) -> None:
        tape = self._tapes.get(event["Record-File-Path"])
        if tape is None or tape.over:
            return
        tape.seconds = _number(event["variable_record_ms"]) / 1000
        tape.cause = event["Record-Completion-Cause"]
        self._done(tape)
        if self._hung_up is not None and not self._recorded_still():
            self.end(self._hung_up)

    def _recorded_still(self) -> bool:
        return any(not tape.over for tape in self._tapes.values())

    def _on_hangup(self, cause: Cause) -> None:
        self.condemned = None
        if not self._recorded_still():
            self.end(cause)
            return
        # A recording is complete only a moment after the hang-up.
        self._hung_up = cause
        self.clock.after(LAST_EVENTS, lambda: self.end(cause))

    def _on_notice(self, notice: esl.Message) -> None:
        """The leg is gone; its CHANNEL_HANGUP has come before, or comes now, or was lost.

        Where FreeSWITCH does not linger, it may have left us for another reason, and must still be hung up.
        """
        if notice.kind == b"text/disconnect-notice" and self.inbox.ended is None:
            if notice["Content-Disposition"] == "linger":
                self.condemned = None
            self.clock.after(LAST_EVENTS, lambda: self.end(Cause.NORMAL))

    def _on_close(self) -> None:
        self.end(Cause.SWITCH_LOST if self._hung_up is None else self._hung_up)

    def _done(self, pending: Pending) -> None:
        pending.over = True
        self.inbox.put(pending)

    def _lost(self) -> None:
        self.inbox.check()
        self.end(Cause.SWITCH_LOST)
        raise CallEnded(Cause.SWITCH_LOST)

    def _close(self) -> None:
        lines = [line for line in (self._line, *self._anchors) if line is not None]
        for line in lines:
            line.close()


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
