"""From the kill to `ready`, and to the queue being whole again: 200 callers wait, and there is a day's journal.

The day has been folded into the tables, as a day's journal is in a house that lives.

python -m bench restart
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

from bench import _callers, _house, _menu
from bench.calls import load_average, on_each_switch, percentile
from journal.reader import last_seq, segments
from journal.writer import Journal
from runtime.standing import Standing
from switch.shared.clock import RealClock

CALLS = 100_000
WAITING = 200
RATE = 20  # arrivals a second
KILLS = 5
IN_A_GROUP = 500


def measure() -> dict[str, object]:
    """By switch. Raises FileNotFoundError where there is no switch."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as scratch:
        day = Path(scratch) / "journal"
        records = a_day(day)
        return {"records in the journal": records, **on_each_switch(partial(measured, day=day, records=records))}


def measured(house: _house.House, *, day: Path, records: int) -> dict[str, object]:
    """One switch, with that day's journal."""
    house.stop_appliance()
    shutil.rmtree(house.config.data_dir / "journal")
    shutil.copytree(day, house.config.data_dir / "journal")
    house.database("update folds set seq = :seq", {"seq": records})
    house.start_appliance()
    callers = _callers.ready(house.switch.trunk, house.home / "callers", _menu.KEY)
    ready, busy, whole, kept = [], [], [], 0
    with callers.held(_menu.NUMBERS.queue, calls=WAITING, rate=RATE):
        house.waiting(WAITING)
        for _ in range(KILLS):
            order = house.queue("bench")
            house.kill_appliance()
            began = time.monotonic()
            house.start_appliance()
            ready.append(time.monotonic() - began)
            busy.append(sum(house.processes.ours.cpu_times()[:2]))
            house.waiting(len(order))
            whole.append(time.monotonic() - began)
            kept += house.queue("bench") == order
    house.quiet(40)
    return {
        "version": house.switch.version,
        "load average": load_average(),
        "callers who wait": len(order),
        "ready after, median, s": round(percentile(ready, 50), 2),
        "ready after, longest, s": round(max(ready), 2),
        "its processor time until then, median, s": round(percentile(busy, 50), 2),
        "all wait again after, median, s": round(percentile(whole, 50), 2),
        "times that the order was kept": f"{kept} of {KILLS}",
    }


def a_day(directory: Path, calls: int = CALLS) -> int:
    """Writes a day's calls into a journal, as a house does; the `seq` of the last record."""
    journal = Journal(directory, RealClock(), Standing())
    for number in range(calls):
        call = f"0b1f7a52-8f5a-4f7e-9b0a-{number:012d}"
        for type, facts in ONE_CALL:
            journal.jot(type, call, **facts)
        if number % IN_A_GROUP == 0:
            journal.append("CallDeferred", call)
    journal.close()
    assert len(segments(directory)) > 1
    return last_seq(directory)


ONE_CALL: tuple[tuple[str, dict[str, object]], ...] = (
    ("CallArrived", {"caller": "13800000001", "caller_name": "", "dialled": "1000", "flow": "hotline", "version": 1}),
    ("StepEntered", {"step": "welcome", "visit": 1, "spent": 0.0}),
    ("CallAnswered", {}),
    ("PromptPlayed", {"prompt": "welcome", "language": "cmn"}),
    ("StepLeft", {"step": "welcome", "exit": "next", "language": "cmn", "set": {}}),
    ("StepEntered", {"step": "main", "visit": 2, "spent": 3.1}),
    ("PromptPlayed", {"prompt": "main-menu", "language": "cmn"}),
    ("KeyPressed", {"key": "1", "step": "main"}),
    ("StepLeft", {"step": "main", "exit": "1", "language": "cmn", "set": {"order_number": "202611"}}),
    ("StepEntered", {"step": "tell-order", "visit": 3, "spent": 9.6}),
    ("PromptPlayed", {"text": "您的订单•,已发货,预计明天送达。", "language": "cmn"}),
    ("StepLeft", {"step": "tell-order", "exit": "next", "language": "cmn", "set": {}}),
    ("FlowEnded", {"flow": "hotline", "step": "goodbye", "reason": "hangup"}),
    ("CallEnded", {"cause": "normal", "outcome": "flow ended"}),
)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
