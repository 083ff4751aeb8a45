"""From a key to the first sound of the next prompt, with 1, 50 and 200 calls on the appliance.

    python -m bench latency

A few callers walk between two menus of one tone each, pressing keys as RFC 2833: once while the prompt is heard, once
in the silence after it. All others wait in a queue and hear music. The time is that between two packets at the
caller's end: the first of the key, which lasts 80 ms, and the first in which most of the energy is the other tone.
The same two menus in the switch's own dialplan are measured at the same moments, beside the same callers who wait.
"""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench import _callers, _ears, _house, _menu
from bench.calls import load_average, on_each_switch, percentile

CALLS = (1, 50, 200)
PROBES = 6  # callers who press keys, on each side; with one call in all there is one
SECONDS = 10.0  # in which they do, for each number of calls
ARRIVALS = 10  # calls a second while the others come
PATIENCE = 5.0  # seconds after which a prompt that has not come counts as lost


@dataclass(slots=True)
class Pressed:
    """What the keys of some callers led to, in seconds."""

    during: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    lost: int = 0

    def figures(self) -> dict[str, object]:
        figures: dict[str, object] = {"keys": len(self.during) + len(self.after) + self.lost, "lost": self.lost}
        for name, times in (("during the prompt", self.during), ("after the prompt", self.after)):
            for percent in (50, 99):
                figures[f"{name} p{percent}, ms"] = round(1000 * percentile(times, percent)) if times else None
        return figures


def measure() -> dict[str, object]:
    """By switch and by number of calls. Raises FileNotFoundError where there is no switch."""
    return on_each_switch(_measured)


def _measured(house: _house.House) -> dict[str, object]:
    callers = _callers.ready(house.switch.trunk, house.home / "callers", _menu.KEY)
    found: dict[str, object] = {"version": house.switch.version, "load average before": load_average()}
    for calls in CALLS:
        probes = min(PROBES, calls)
        others = calls - probes
        with ExitStack() as held:
            waiting = 0
            if others:
                held.enter_context(callers.held(_menu.NUMBERS.queue, calls=others, rate=ARRIVALS))
                waiting = house.waiting(others)
            found[f"{calls} calls"] = {"callers who wait": waiting} | {
                name: _pressing(callers, number, probes).figures()
                for name, number in (
                    ("our flow", _menu.NUMBERS.tones),
                    ("dialplan", _menu.NUMBERS.tones_by_dialplan),
                )
            }
        house.quiet(40)
    return found


def _pressing(callers: _callers.Callers, number: str, probes: int) -> Pressed:
    with _ears.ears(probes) as ears, ThreadPoolExecutor(probes) as threads:
        ports = [ear.port for ear in ears]
        with callers.held(number, calls=probes, rate=ARRIVALS, ports=ports):
            all_of_them = Pressed()
            for each in threads.map(_walk, ears, range(probes)):
                all_of_them.during += each.during
                all_of_them.after += each.after
                all_of_them.lost += each.lost
            return all_of_them


def _walk(ear: _ears.Ear, seed: int) -> Pressed:
    """One caller, to and fro between the two menus."""
    choice = random.Random(seed)
    pressed = Pressed()
    if not ear.until_tone(_menu.LOW, PATIENCE):
        pressed.lost += 1
        return pressed
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(choice.uniform(0.1, 0.4))
        took = _press(ear, _menu.HIGH, pressed.during)
        if took and ear.until_over(_menu.HIGH, PATIENCE):
            time.sleep(choice.uniform(0.1, 0.3))
            took = _press(ear, _menu.LOW, pressed.after)
        if not took:
            pressed.lost += 1
            return pressed
    return pressed


def _press(ear: _ears.Ear, tone: float, times: list[float]) -> bool:
    ear.press(_menu.KEY)
    took = ear.until_heard(tone, PATIENCE)
    if took is not None:
        times.append(took)
    return took is not None


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
