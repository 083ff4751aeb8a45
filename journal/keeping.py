"""How long the journal is kept: what is folded into the tables and old enough is dropped, a segment at a time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from journal.reader import last_record, segments


def drop_old(directory: Path, *, folded: int, before: datetime) -> list[Path]:
    """Removes the segments whose last record is folded and older than `before`, and returns them.

    The newest segment stays, for it says where `seq` goes on. The oldest ones go first and no gap is
    left, so the journal stays contiguous from its new beginning.
    """
    dropped: list[Path] = []
    for segment in segments(directory)[:-1]:
        last = last_record(segment)
        if last is None or last["seq"] > folded or datetime.fromisoformat(last["at"]) >= before:
            break
        segment.unlink()
        segment.with_suffix(".checkpoint").unlink(missing_ok=True)
        dropped.append(segment)
    return dropped
