"""Recording both directions of a leg: a snoop channel hears it, Asterisk writes it, we fetch the file at the end.

The snoop channel lives as long as the leg, whoever controls it. It is in our application, but no call: `is_snoop`
tells it from one. It and its recording are named by the leg, so that a later controller finds them.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

from switch.asterisk import recording
from switch.asterisk.ari import named
from switch.asterisk.config import APPLICATION
from switch.asterisk.http import Refused
from switch.asterisk.line import Line, Talk, beginning
from switch.port import UNKNOWN_END, CallEnded, CallId, CannotRecord, Cause, SwitchLost

ARGUMENT = "snoop"
_SNOOP = "-snoop"
TRIES = 2  # to fetch a recording


def is_snoop(channel: str) -> bool:
    return channel.endswith(_SNOOP)


def name(leg: CallId | str) -> str:
    """The recording of a leg, as Asterisk knows it."""
    return f"{beginning('talk')}{leg}"


def start(line: Line) -> None:
    """See `switch.port.Call.start_recording`."""
    snoop = f"{line.id}{_SNOOP}"
    talk = line.link.talks[name(line.id)] = Talk()
    try:
        line.ask(
            "POST", "snoop", spy="both", whisper="none", app=APPLICATION, appArgs=f"{ARGUMENT},{line.id}",
            snoopId=snoop, done=partial(line.has, "channels", snoop),
        )  # fmt: skip
        talk.heard.wait(recording.FINISHED_WITHIN)  # before that the channel cannot be recorded
        line.request(
            "POST", f"{named('channels', snoop)}/record", name=name(line.id), format="wav", ifExists="overwrite",
            beep=False, terminateOn="none", done=partial(line.has, "recordings", "live", name(line.id)),
        )  # fmt: skip
    except Refused as refused:
        del line.link.talks[name(line.id)]
        line.link.later("DELETE", named("channels", snoop))
        raise CannotRecord(str(refused)) from refused


def mask(line: Line, masked: bool) -> None:
    """See `switch.port.Call.mask_recording`."""
    try:
        line.request("POST" if masked else "DELETE", f"{named('recordings', 'live', name(line.id))}/mute")
    except Refused as refused:
        raise CannotRecord(f"the recording has ended by itself: {refused}") from refused


def stop(line: Line, to: Path) -> float:
    """See `switch.port.Call.stop_recording`."""
    if line.inbox.ended in UNKNOWN_END:
        raise CallEnded(line.inbox.ended)
    talk = line.link.talks.setdefault(name(line.id), Talk())
    try:
        _stop(line)
        talk.ended.wait(recording.FINISHED_WITHIN)
    except Refused as refused:
        if not refused.gone:  # the end of the leg has ended it
            raise CannotRecord(str(refused)) from refused
    except SwitchLost as lost:
        if line.inbox.ended is None:
            raise CannotRecord(f"Asterisk does not say that it has ended: {lost}") from lost
        raise CallEnded(Cause.SWITCH_LOST) from lost  # Asterisk goes on recording, or keeps what it has
    finally:
        del line.link.talks[name(line.id)]
        line.link.later("DELETE", named("channels", f"{line.id}{_SNOOP}"))
    return _fetch(line, to)


def _stop(line: Line) -> None:
    path = f"{named('recordings', 'live', name(line.id))}/stop"
    if line.inbox.ended is None:
        with suppress(CallEnded):  # meanwhile
            line.request("POST", path)
            return
    line.link.request("POST", path)


def _fetch(line: Line, to: Path) -> float:
    """What cannot be fetched costs the recording, not the call."""
    for _ in range(TRIES):
        line.link.await_connection()
        try:
            return recording.fetch(line, name(line.id), to, keep_unfetched=True)
        except SwitchLost as lost:
            reason = str(lost)
    raise CannotRecord(f"it stays in Asterisk's spool: {reason}")
