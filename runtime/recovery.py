"""What the journal says was under way when the last process ended, and what became of it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import structlog

from journal.reader import records
from journal.writer import Journal
from switch.port import CallId, Snapshot

log = structlog.get_logger(__name__)


def left_open(directory: Path) -> set[CallId]:
    """The calls that arrived and have no end in the journal. Reads all of it; run it in a worker."""
    open_calls: set[CallId] = set()
    for record in records(directory):
        if record["type"] in {"CallArrived", "CallReturned"}:
            open_calls.add(CallId(record["call"]))
        elif record["type"] == "CallEnded":
            open_calls.discard(CallId(record["call"]))
    return open_calls


def close_lost(journal: Journal, open_calls: set[CallId], living: Mapping[CallId, Snapshot]) -> set[CallId]:
    """Ends, in the journal, the calls that are no longer on the switch, and returns them."""
    lost = open_calls - living.keys()
    for call in sorted(lost):
        journal.append("CallEnded", call, cause="unknown", outcome="ended while no appliance was running")
    if lost:
        log.warning("calls ended while no appliance was running", calls=len(lost))
    return lost
