"""Recording the far end: Asterisk writes, we say when it is enough, and fetch the file.

Asterisk's own silence detection counts whole seconds and not at all while no audio comes in, so the end is
decided here: from what Asterisk tells of talking, and from the count of audio packets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import structlog
from gevent.threadpool import ThreadPool

from switch.asterisk.ari import named
from switch.asterisk.http import Refused
from switch.asterisk.line import NAMES_IN_TURN, Line, Tape, turn_name
from switch.port import UNKNOWN_END, CallEnded, CannotRecord, Key, Keys, Recording, SwitchLost

log = structlog.get_logger(__name__)

SPEECH_EXPECTED = 1.0  # seconds in which silence does not end a recording yet
PAUSE = 0.4  # seconds without speech that count as not talking
FLOW_CHECKED_EVERY = 2.0  # seconds, while the far end talks: does audio still come?
FINISHED_WITHIN = 5.0  # seconds from the stop to the complete file
LATE = 0.5  # seconds within which a hang-up follows the end of the recording that it caused
FETCHED_WITHIN = 30.0  # seconds
LOUDNESS = 256  # mean amplitude of a sample from which on sound counts as speech; Asterisk's own default
HEADER = 44  # bytes of a WAV file before its samples
BYTES_PER_SECOND = 16_000

Ended = Literal["key", "silence", "longest"]

_files = ThreadPool(2)


def record(line: Line, to: Path, *, longest: float, silence: float, stop_on: Keys) -> Recording:
    """See `switch.port.Call.record`."""
    tape = line.tape = Tape(line.next_name("tape"))
    try:
        _start(line, tape, longest, silence)
        ended, key = _listen(line, tape, longest, silence, stop_on)
        _stop(line, tape)
    except CallEnded as gone:
        if tape.started and gone.cause not in UNKNOWN_END:
            tape.finished.wait(FINISHED_WITHIN)
            _keep_what_was_said(line, tape, to)
        raise
    finally:
        line.tape = None
        line.listened(tape)
    return Recording(to, _fetch(line, tape, to), ended, key)


def salvage(line: Line, to: Path) -> bool:
    """What a former controller was recording, or had recorded and not fetched. See `switch.port.Switch`."""
    for turn in range(NAMES_IN_TURN):
        name = turn_name(line.id, "tape", turn)
        with suppress(Refused):
            line.link.request("POST", f"{named('recordings', 'live', name)}/stop")
    for turn in range(NAMES_IN_TURN):
        with suppress(CannotRecord, Refused):
            name = turn_name(line.id, "tape", turn)
            line.link.request("GET", named("recordings", "stored", name))
            fetch(line, name, to)
            return True
    return False


def _start(line: Line, tape: Tape, longest: float, silence: float) -> None:
    tape.pause = round(min(PAUSE, silence) * 1000)
    try:
        line.ask("POST", "variable", variable="TALK_DETECT(set)", value=f"{tape.pause},{LOUDNESS}")
        line.ask(
            "POST", "record", name=tape.name, format="wav", ifExists="overwrite", beep=False, terminateOn="none",
            maxDurationSeconds=math.ceil(longest) + 5,  # should we not be there to stop it
            done=partial(line.has, "recordings", "live", tape.name),  # asked for twice it is refused with 409
        )  # fmt: skip
    except Refused as refused:
        raise CannotRecord(str(refused)) from refused
    tape.started = True


def _listen(line: Line, tape: Tape, longest: float, silence: float, stop_on: Keys) -> tuple[Ended, str]:
    """Returns when it is enough: why, and by which key."""
    clock = line.clock
    start = tape.quiet_since = clock.now()
    end = start + round(longest * 1000)
    flow = _Flow(line)
    while not tape.finished.is_set():
        now = clock.now()
        quiet = max(tape.quiet_since, start + round(SPEECH_EXPECTED * 1000)) + round(silence * 1000)
        due = min(end, now + round(FLOW_CHECKED_EVERY * 1000) if tape.talking else quiet)
        if now >= due:
            return ("longest" if now >= end else "silence"), ""
        found = line.inbox.find(
            lambda item: item is tape.changed or (isinstance(item, Key) and item.digit in stop_on), (due - now) / 1000
        )
        if isinstance(found, Key):
            line.inbox.remove(found)
            return "key", found.digit
        line.listened(tape)
        if found is None and tape.talking and clock.now() < end and not flow.goes_on():
            tape.talking = False
            tape.quiet_since = now
    if clock.now() < end:
        _explain_early_end(line, tape)
    return "longest", ""


def _explain_early_end(line: Line, tape: Tape) -> None:
    """Asterisk has stopped by itself. Raises CallEnded where a hang-up is told a moment later, else CannotRecord."""
    line.inbox.find(lambda _: False, LATE)
    line.link.later("DELETE", named("recordings", "stored", tape.name))
    raise CannotRecord(tape.failed or "Asterisk ended the recording by itself; its disk may be full")


class _Flow:
    """Whether audio packets come in: a far end that sends none is silent, whatever it did last."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._received = -1

    def goes_on(self) -> bool:
        try:
            received = int(self._line.ask("GET", "rtp_statistics")["rxcount"])
        except (Refused, KeyError):
            return True  # no RTP channel
        before, self._received = self._received, received
        return received != before


def _stop(line: Line, tape: Tape) -> None:
    try:
        line.request("POST", f"{named('recordings', 'live', tape.name)}/stop")
    except Refused as refused:
        if not refused.gone:  # it has ended by itself meanwhile
            raise CannotRecord(str(refused)) from refused
    line.link.later("POST", f"{named('channels', line.id)}/variable", variable="TALK_DETECT(remove)", value="")
    if not tape.finished.wait(FINISHED_WITHIN):
        with suppress(SwitchLost):  # what is not there is found out when it is fetched
            line.catch_up()


def _keep_what_was_said(line: Line, tape: Tape, to: Path) -> None:
    """The far end has gone, and the file is all that remains: what cannot be had is logged, no more."""
    try:
        _fetch(line, tape, to)
    except (CannotRecord, SwitchLost) as problem:
        log.warning("what was recorded before the hang-up is lost", call=line.id, reason=str(problem))


def _fetch(line: Line, tape: Tape, to: Path) -> float:
    if tape.failed:
        raise CannotRecord(tape.failed)
    line.link.await_connection()  # it lies there meanwhile
    return fetch(line, tape.name, to)


def fetch(line: Line, name: str, to: Path, *, keep_unfetched: bool = False) -> float:
    """Brings the file over and removes it there; its seconds. Raises CannotRecord, and then no file remains.

    With `keep_unfetched` what could not be brought over stays in Asterisk's spool.
    """
    stored = named("recordings", "stored", name)
    fetched = False
    try:
        with line.link.download(f"{stored}/file", within=FETCHED_WITHIN) as pieces, line.clock.working():
            size = _write(to, pieces)
        fetched = True
    except Refused as refused:
        raise CannotRecord(f"Asterisk has no file of it: {refused}") from refused
    finally:
        if fetched or not keep_unfetched:
            line.link.later("DELETE", stored)
    if size < HEADER:
        _off_the_hub(to.unlink)
        raise CannotRecord("Asterisk's file is not whole")
    return (size - HEADER) / BYTES_PER_SECOND


def _write(to: Path, pieces: Iterator[bytes]) -> int:
    """All pieces into a file, off the hub; how many bytes. Raises CannotRecord, and then no file remains."""
    try:
        file: BinaryIO = _off_the_hub(to.open, "wb")
        with file:
            size = sum(int(_off_the_hub(file.write, piece)) for piece in pieces)
            _off_the_hub(file.flush)
    except BaseException as error:
        _off_the_hub(to.unlink, True)
        if isinstance(error, OSError):
            raise CannotRecord(f"the file cannot be written: {error.strerror}") from error
        raise
    return size


def _off_the_hub(work: Callable[..., Any], *arguments: object) -> Any:
    """The result of something that may block. Errors come as results first: the pool would print them."""
    result = _files.apply(_attempted, (work, *arguments))
    if isinstance(result, OSError):
        raise result
    return result


def _attempted(work: Callable[..., Any], *arguments: object) -> Any:
    try:
        return work(*arguments)
    except OSError as error:
        return error
