"""What a record and a call cost, with what is kept for recovery: alone, with many at a time, and the slowest."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import gevent

from bench.restart import ONE_CALL
from journal.writer import Journal
from runtime.standing import Standing
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
        "a_call_us": round(len(ONE_CALL) * many["mean"]),
        "records_of_a_call": len(ONE_CALL),
    }


def _run(*, greenlets: int, records: int) -> dict[str, float]:
    """The records of calls that ask for an order, one after the other on each greenlet."""
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(Path(directory), RealClock(), Standing())

        def append(greenlet: int) -> None:
            for number in range(records // greenlets):
                type, facts = ONE_CALL[number % len(ONE_CALL)]
                begun = time.perf_counter()
                journal.append(type, f"0b1f7a52-8f5a-4f7e-9b0a-{greenlet:012d}", **facts)
                waits.append(time.perf_counter() - begun)

        begun = time.perf_counter()
        gevent.joinall([gevent.spawn(append, greenlet) for greenlet in range(greenlets)], raise_error=True)
        spent = time.perf_counter() - begun
        journal.close()
    waits.sort()
    return {"mean": spent / len(waits) * 1e6, "p99": waits[int(len(waits) * 0.99)]}
