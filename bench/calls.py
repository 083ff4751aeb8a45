"""How many calls a second, and what a call costs: our flow beside the same menu in the switch's own dialplan.

    python -m bench calls

Each call is answered, hears a menu, cuts it short with a key half a second later, is told the state of an order and is
hung up. Our flow also recognises the caller and looks the order up, by two SQL queries, and journals all of it. On
FreeSWITCH there is a third side, a controller that does nothing but command: what outbound sockets alone cost. For each
side the rate is stepped up until calls go wrong or wait (see `clean`), then narrowed down. All sides share one switch,
one sipp and one machine, in one run.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from bench import _callers, _house, _menu

FIRST, STEP, FINE = 30, 1.7, 1.12  # calls a second, the factor between rates, and when two are close enough
LEAST, MOST = 5, 400
SECONDS = 5.0  # of load at each rate
BUDGET = 60.0  # seconds for one side of one switch; what is not narrowed down by then stays coarse
REFERENCE = 20  # calls a second at which costs are compared: both sides have room there
ANSWER_MS = 250.0  # p99 of INVITE to 200, at most
LATE_MS = 1000.0  # p99 of the end of the call, after its prompt should have ended
EARLY_MS = 100.0  # a call that ends so much before the prompt should have ended has not heard it

BARE = "bare controller"  # bench/_bare.py: the outbound sockets' own cost

Measured = TypeVar("Measured")


@dataclass(frozen=True, slots=True)
class Load:
    """One rate on one side. Times in milliseconds, processor time per call."""

    rate: int
    outcome: _callers.Outcome
    prompt: float  # milliseconds that the last prompt lasts
    switch_ms: float
    ours_ms: float

    @property
    def wrong(self) -> int:
        """Calls that did not go through, or did not hear the whole of the last prompt."""
        cut = sum(told < self.prompt - EARLY_MS for told in self.outcome.told)
        return self.outcome.asked - self.outcome.succeeded + cut

    @property
    def clean(self) -> bool:
        """Every call right, answered in time, and none kept waiting between its key and its end."""
        return (
            self.wrong == 0
            and percentile(self.outcome.answer, 99) <= ANSWER_MS
            and percentile(self.outcome.told, 99) <= self.prompt + LATE_MS
        )

    def figures(self) -> dict[str, object]:
        return {
            "calls/s": self.rate,
            "calls": self.outcome.asked,
            "wrong calls": self.wrong,
            "SIP messages repeated": self.outcome.repeated,
            "INVITE to 200 p50, ms": round(percentile(self.outcome.answer, 50)),
            "INVITE to 200 p99, ms": round(percentile(self.outcome.answer, 99)),
            "key to hang-up beyond the prompt p50, ms": round(percentile(self.outcome.told, 50) - self.prompt),
            "key to hang-up beyond the prompt p99, ms": round(percentile(self.outcome.told, 99) - self.prompt),
            "switch, processor ms per call": round(self.switch_ms, 1),
            "appliance, processor ms per call": round(self.ours_ms, 1),
        }


def measure() -> dict[str, object]:
    """For each switch of this machine: both limits, their ratio, and what a call costs. Raises FileNotFoundError."""
    return on_each_switch(_measured)


def on_each_switch(
    measured: Callable[[_house.House], Measured],
    opened: Callable[[str], AbstractContextManager[_house.House]] = _house.opened,
) -> dict[str, object]:
    """The measurement on every switch that is there, by the switch's name. Raises FileNotFoundError for none."""
    found: dict[str, object] = {}
    absent: list[str] = []
    for kind in _house.KINDS:
        try:
            with opened(kind) as house:
                found[kind] = measured(house)
        except FileNotFoundError as missing:
            absent.append(str(missing))
    if not found:
        raise FileNotFoundError("; ".join(absent))
    return found | ({"not measured": absent} if absent else {})


def _measured(house: _house.House) -> dict[str, object]:
    callers = _callers.ready(house.switch.trunk, house.home / "callers", _menu.KEY)
    prompt = _menu.seconds(house.sounds.tell) * 1000

    def side(number: str, at_work: _house.Processes = house.processes) -> Callable[[int], Load]:
        return lambda rate: loaded(
            house, lambda: callers.call(number, rate=rate, seconds=SECONDS), at_work, rate, prompt
        )

    others = load_average()
    by_flow, by_dialplan = side(_menu.NUMBERS.order), side(_menu.NUMBERS.order_by_dialplan)
    callers.call(_menu.NUMBERS.order, rate=5, seconds=1)  # whatever is loaded at the first call is loaded now
    house.quiet()
    references = {"our flow": by_flow(REFERENCE), "dialplan": by_dialplan(REFERENCE)}
    ours, theirs = (clean_limit(load, within=BUDGET) for load in (by_flow, by_dialplan))
    limits = {"our flow": ours, "dialplan": theirs}
    if house.kind == "freeswitch":
        with house.bare_controller() as at_work:
            by_bare = side(_menu.NUMBERS.order_by_bare_controller, at_work)
            references[BARE] = by_bare(REFERENCE)
            limits[BARE] = clean_limit(by_bare, within=BUDGET)
    return {
        "version": house.switch.version,
        "key pressed by": callers.how_keys_are_pressed,
        "clean": f"no call wrong, p99 of INVITE to 200 at most {ANSWER_MS:g} ms, of the call's end {LATE_MS:g} ms late",
        "clean calls/s of our flow": ours.rate if ours else 0,
        "clean calls/s of the dialplan": theirs.rate if theirs else 0,
        "our flow's calls/s of the dialplan's": round(ours.rate / theirs.rate, 2) if ours and theirs else None,
        **({f"{BARE}'s calls/s": bare.rate} if (bare := limits.get(BARE)) else {}),
        f"at {REFERENCE} calls/s": {name: load.figures() for name, load in references.items()},
        "at the limit": {name: load.figures() for name, load in limits.items() if load is not None},
        "load average before": others,
    }


def clean_limit(
    load: Callable[[int], Load], *, within: float, now: Callable[[], float] = time.monotonic
) -> Load | None:
    """The highest rate found clean, its neighbours tried; None where even LEAST is too much.

    A rate that is not clean is given a second chance: something else may have used the machine. Begins no new rate
    when `within` seconds have passed.
    """
    end = now() + within
    best: Load | None = None
    refused = math.inf
    rate = FIRST
    while rate and now() < end:
        tried = load(rate)
        if not tried.clean and now() < end:
            tried = load(rate)
        if tried.clean:
            best = tried
        else:
            refused = rate
        rate = _next(best.rate if best else 0, refused)
    return best


def _next(clean: float, refused: float) -> int:
    """The rate to try after those; 0 when they are close enough."""
    if math.isinf(refused):
        return min(MOST, round(clean * STEP)) if clean < MOST else 0
    if not clean:
        return round(refused / STEP) if refused > LEAST * STEP else 0
    if refused / clean <= FINE:
        return 0
    return round(math.sqrt(clean * refused))


def loaded(
    house: _house.House, calling: Callable[[], _callers.Outcome], at_work: _house.Processes, rate: int, prompt: float
) -> Load:
    """One rate, from silence to silence."""
    before = at_work.seconds()
    outcome = calling()
    house.quiet()
    spent = zip(before, at_work.seconds(), strict=True)
    switch, ours = (1000 * (after - so_far) / outcome.asked for so_far, after in spent)
    return Load(rate, outcome, prompt, switch, ours)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of all do not exceed; infinite where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else math.inf


def load_average() -> float:
    """Of the last minute: what else was going on."""
    return round(os.getloadavg()[0], 1)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
