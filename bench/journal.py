"""What a record costs: alone, with many callers at a time, and how long the slowest one waits."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import gevent

from journal.writer import Journal
from switch.shared.clock import RealClock

RECORDS = 20_000


def measure() -> dict[str, object]:
    """Microseconds a record with 1 and 200 greenlets appending, and the 99th percentile with 200."""
    alone = _run(greenlets=1, records=2_000)
    many = _run(greenlets=200, records=RECORDS)
    return {
        "alone_us": round(alone["mean"], 1),
        "of_200_us": round(many["mean"], 1),
        "of_200_p99_ms": round(many["p99"] * 1000, 2),
        "records_per_second": round(1e6 / many["mean"]),
    }


def _run(*, greenlets: int, records: int) -> dict[str, float]:
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(Path(directory), RealClock())

        def append() -> None:
            for _ in range(records // greenlets):
                begun = time.perf_counter()
                journal.append("StepEntered", "0b1f7a52-8f5a-4f7e-9b0a-3a5d6b1a2c3d", step="main", visit=3)
                waits.append(time.perf_counter() - begun)

        begun = time.perf_counter()
        gevent.joinall([gevent.spawn(append) for _ in range(greenlets)], raise_error=True)
        spent = time.perf_counter() - begun
        journal.close()
    waits.sort()
    return {"mean": spent / len(waits) * 1e6, "p99": waits[int(len(waits) * 0.99)]}
