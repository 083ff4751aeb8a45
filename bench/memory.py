"""What a caller who waits in the queue costs in memory: of the switch, and of the appliance.

    python -m bench memory

Callers wait with music and nobody serves them. What both processes hold alone (USS) is compared between a few callers
and many, so that what the first call loads does not count.
"""

from __future__ import annotations

import json
import time

from bench import _callers, _house, _menu
from bench.calls import on_each_switch

FEW, MANY = 20, 220
ARRIVALS = 10  # calls a second
SETTLED = 2.0  # seconds after the last arrival


def measure() -> dict[str, object]:
    """By switch. Raises FileNotFoundError where there is no switch."""
    return on_each_switch(_measured)


def _measured(house: _house.House) -> dict[str, object]:
    callers = _callers.ready(house.switch.trunk, house.home / "callers", _menu.KEY)
    idle = house.processes.bytes()
    with callers.held(_menu.NUMBERS.queue, calls=FEW, rate=ARRIVALS):
        few = _waiting(house, FEW)
        with callers.held(_menu.NUMBERS.queue, calls=MANY - FEW, rate=ARRIVALS):
            many = _waiting(house, MANY)
            waiting = len(house.queue("bench"))
    house.quiet(40)
    switch, ours = ((after - before) / (waiting - FEW) / 1024 for before, after in zip(few, many, strict=True))
    return {
        "version": house.switch.version,
        "switch without a call, MiB": round(idle[0] / 2**20, 1),
        "appliance without a call, MiB": round(idle[1] / 2**20, 1),
        "callers who wait": waiting,
        "switch, KiB per waiting call": round(switch),
        "appliance, KiB per waiting call": round(ours),
    }


def _waiting(house: _house.House, calls: int) -> tuple[int, int]:
    """What both processes hold when so many callers hear music."""
    house.waiting(calls)
    time.sleep(SETTLED)  # the last one's music has begun, and what its arrival needed is free again
    return house.processes.bytes()


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
