"""What too many callers do to those who are inside, and whether the switch comes back when they have gone.

    python -m bench overload

First the limit is found up to which our flow is clean. Then, where `limits` say so, callers wait in a queue
while a crowd arrives at several times that rate; and for comparison in one that lets everybody in. Nothing is ended by
hand afterwards: "comes back" means that the switch was empty again by itself, and a second measurement was clean.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench import _callers, _house, _menu
from bench.calls import SECONDS as SECONDS_OF_LOAD
from bench.calls import Load, clean_limit, load_average, loaded, percentile

TIMES = (1.5, 3.0)  # the clean rate
SECONDS = 10.0  # for which a crowd comes
INSIDE = 20  # callers who wait in a queue meanwhile
FIND_SECONDS = 45.0  # to look for the limit
EMPTY_WITHIN = 60.0  # seconds after the last caller's patience
LEAST = 5


@dataclass(frozen=True, slots=True)
class Storm:
    """One crowd, and what was left of the hotline."""

    rate: int
    crowd: _callers.Crowd
    inside: int  # of INSIDE, still in their queue at the end of it
    empty_after: float | None  # seconds, None where the switch was not empty in time
    deferred: int
    after: Load | None  # at half the clean rate

    @property
    def came_back(self) -> bool:
        return self.empty_after is not None and self.after is not None and self.after.clean

    def figures(self) -> dict[str, object]:
        asked, crowd = self.crowd.asked, self.crowd
        return {
            "calls/s": self.rate,
            "callers": asked,
            "answered": len(crowd.answer),
            "heard the flow to its end": len(crowd.told),
            "refused by SIP": crowd.refused,
            "no answer of any kind": crowd.unheard,
            "times that a caller was told to hold": self.deferred,
            "INVITE to 200 p50, ms": _ms(crowd.answer, 50),
            "INVITE to 200 p99, ms": _ms(crowd.answer, 99),
            f"of {INSIDE} who waited in a queue, still there": self.inside,
            "switch empty by itself after, s": None if self.empty_after is None else round(self.empty_after, 1),
            "clean afterwards, at half the rate": self.after is not None and self.after.clean,
            "came back by itself": self.came_back,
        }


def measure() -> dict[str, object]:
    """By switch. Raises FileNotFoundError where there is none."""
    found: dict[str, object] = {}
    absent = []
    for kind in _house.KINDS:
        try:
            found[kind] = _measured(kind)
        except FileNotFoundError as missing:
            absent.append(str(missing))
    if not found:
        raise FileNotFoundError("; ".join(absent))
    return found | ({"not measured": absent} if absent else {})


def _measured(kind: str) -> dict[str, object]:
    others = load_average()
    with _house.opened(kind) as house:
        callers = _ready(house)
        best = clean_limit(_at(house, callers), within=FIND_SECONDS)
        clean = best.rate if best else LEAST
        open_to_all = _storm(house, callers, rate=round(TIMES[0] * clean), half=max(1, clean // 2))
    limits = f"limits: {{calls: {max(INSIDE + 5 * clean, 50)}, calls-per-second: {clean}}}\n"
    with _house.opened(kind, limits) as house:
        callers = _ready(house)
        storms = [
            _storm(house, callers, rate=round(times * clean), half=max(1, clean // 2)).figures() for times in TIMES
        ]
    return {
        "version": house.switch.version,
        "clean calls/s": clean,
        "limits": limits.strip(),
        "with these limits": storms,
        "without limits": open_to_all.figures(),
        "load average before": others,
    }


def _ready(house: _house.House) -> _callers.Callers:
    callers = _callers.ready(house.switch.trunk, house.home / "callers", _menu.KEY)
    callers.call(_menu.NUMBERS.order, rate=LEAST, seconds=1)
    house.quiet()
    return callers


def _at(house: _house.House, callers: _callers.Callers) -> Callable[[int], Load]:
    prompt = _menu.seconds(house.sounds.tell) * 1000

    def load(rate: int) -> Load:
        calling = partial(callers.call, _menu.NUMBERS.order, rate=rate, seconds=SECONDS_OF_LOAD)
        return loaded(house, calling, house.processes, rate, prompt)

    return load


def _storm(house: _house.House, callers: _callers.Callers, *, rate: int, half: int) -> Storm:
    """A crowd while others wait, until it has gone; and then a measurement as before it."""
    before = house.deferred()
    with callers.held(_menu.NUMBERS.queue, calls=INSIDE, rate=LEAST):
        house.waiting(INSIDE)
        waiting = set(house.queue("bench"))
        crowd = callers.crowd(_menu.NUMBERS.order, rate=rate, seconds=SECONDS)
        inside = len(waiting & set(house.queue("bench")))
        for call in waiting:
            house.end(call)
    deferred = house.deferred() - before
    empty_after = _empty(house)
    if empty_after is None:
        house.quiet()
        return Storm(rate, crowd, inside, None, deferred, None)
    return Storm(rate, crowd, inside, empty_after, deferred, _at(house, callers)(half))


def _empty(house: _house.House) -> float | None:
    """Seconds until the crowd's calls were over on the switch; None where that took too long."""
    begun = time.monotonic()
    while house.switch.channels():
        if time.monotonic() - begun > EMPTY_WITHIN:
            return None
        time.sleep(0.2)
    return time.monotonic() - begun


def _ms(values: Sequence[float], percent: float) -> int | None:
    return round(percentile(values, percent)) if values else None


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
