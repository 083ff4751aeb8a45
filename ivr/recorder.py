"""The recording of a call: both directions in one file, silent wherever something confidential is said or keyed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from ivr.services import CannotKeep, Recordings
from switch.port import Call, CallEnded, CannotRecord, SwitchLost

log = structlog.get_logger(__name__)

MEMORY = "recording"  # on the switch's channel: where the recording goes that outlives us
ON, PAUSED = "on", "paused"
TALK, CALL = "talk", "call"


class Recorder:
    """One at a time for a call. What it cannot do costs the recording, never the call.

    It takes up a recording that an earlier controller of the call began.
    """

    def __init__(self, call: Call, recordings: Recordings, note: Callable[..., None]) -> None:
        self._call = call
        self._recordings = recordings
        self._note: Any = note
        self.announced: set[object] = set()  # what the caller was told already
        state, _, whose_path = call.remembered.get(MEMORY, "").partition(" ")
        whose, _, path = whose_path.partition(" ")
        self._path = Path(path) if path else None
        self._paused = state == PAUSED
        self._of_talk = whose == TALK
        self._hidden = False
        if self._path is not None and not self._paused:
            self._mask(False)  # whoever began it may have died while it was masked

    @property
    def running(self) -> bool:
        """Whether there is a recording, paused or not."""
        return self._path is not None

    def start(self, *, flow: str, queue: str = "", agent: str = "", keep_days: int | None = None) -> bool:
        """Begins a recording, or goes on with one that is paused; False where it was going on already, or cannot."""
        if self._path is not None:
            was_paused, self._paused = self._paused, False
            if was_paused:
                self._mask(self._hidden)
                self._remember(ON)
            return False
        path: Path | None = None
        try:
            path = self._recordings.file_for(self._call.id, flow=flow, queue=queue, agent=agent, keep_days=keep_days)
            self._begin(path, of_talk=bool(queue))
        except (CannotKeep, CannotRecord) as error:
            log.error("a call cannot be recorded; it goes on", error=str(error))
            self._note("NotRecorded", queue=queue, agent=agent, reason=str(error))
            if path is not None:
                self._recordings.discard(path)
            return False
        self._note("RecordingStarted", queue=queue, agent=agent)
        return True

    def _begin(self, path: Path, *, of_talk: bool) -> None:
        """Remembered before it begins: whoever takes the call over must know what to mask."""
        self._path, self._of_talk = path, of_talk
        try:
            self._remember(ON)
            self._call.start_recording(path)
        except CannotRecord:
            self._path = None
            self._call.remember(MEMORY, "")
            raise

    def pause(self) -> None:
        """From now on the recording holds silence, until it is started again."""
        if self._path is not None and not self._paused:
            self._paused = True
            self._mask(True)
            self._remember(PAUSED)
            if self._path is not None:
                self._note("RecordingPaused")

    def stop(self) -> None:
        """Ends the recording and has it kept."""
        if self._path is None:
            return
        path, self._path, self._paused = self._path, None, False
        self._keep(path)
        self._call.remember(MEMORY, "")

    def talk_over(self) -> None:
        """The talk with an agent has ended, and with it the recording where it was of the talk alone."""
        if self._of_talk:
            self.stop()

    def finish(self) -> None:
        """As `stop`, when the call has ended. A recording that goes on without us is left to whoever has the call."""
        if self._path is not None:
            path, self._path = self._path, None
            with suppress(CallEnded, SwitchLost):
                self._keep(path)

    @contextmanager
    def hidden(self, hide: bool = True) -> Iterator[None]:
        """What is said and keyed inside the block is in no recording."""
        if not hide or self._hidden:
            yield
            return
        self._hidden = True
        if self._path is not None and not self._paused:
            self._mask(True)
        try:
            yield
        finally:
            self._hidden = False
            if self._path is not None and not self._paused:
                with suppress(CallEnded, SwitchLost):
                    self._mask(False)

    def _mask(self, masked: bool) -> None:
        """A recording that cannot be masked is ended: better none than one of a secret."""
        if self._path is None:
            return
        try:
            self._call.mask_recording(self._path, masked)
        except CannotRecord as error:
            log.error("a recording cannot be paused; it is ended", error=str(error))
            self.stop()

    def _remember(self, state: str) -> None:
        if self._path is None:
            return  # it has just been ended, because it could not be masked
        self._call.remember(MEMORY, f"{state} {TALK if self._of_talk else CALL} {self._path}")

    def _keep(self, path: Path) -> None:
        try:
            seconds = self._call.stop_recording(path)
        except CannotRecord as error:
            log.error("a recording came to nothing", error=str(error))
            self._note("NotRecorded", reason=str(error))
            self._recordings.discard(path)
            return
        except (CallEnded, SwitchLost):
            self._recordings.leave(path)
            raise
        self._recordings.keep(path, seconds)
