"""What a simulation says, as a picture: every variant over the day, with what each may be as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime

from acd.model import Millis
from workforce import drawing
from workforce.confidence import Estimate
from workforce.drawing import COLOURS, Curve, Panel
from workforce.experiment import Estimates, Experiment, by_name, estimates
from workforce.measuring import quarters
from workforce.reporting import FORMULAS

Writer = Callable[[float], str]


def picture(experiment: Experiment) -> str:
    """Service level, wait, callers lost and occupancy by quarters of an hour, as SVG."""
    base = experiment.variants[0].plan
    since, until = experiment.span(base)
    times = list(quarters(since, until))
    found = {
        variant.plan.name: {
            start: estimates(runs) for start, runs in by_name([run.intervals for run in variant.runs]).items()
        }
        for variant in experiment.variants
    }
    title = f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}, {base.entry.replications} replications"
    panels = _panels(found, times, base.entry.formula)
    return drawing.draw(title, [datetime.fromtimestamp(time / 1000, base.zone) for time in times], list(panels))


def _panels(found: dict[str, dict[Millis, Estimates]], times: list[Millis], formula: str) -> Iterator[Panel]:
    share: Writer = "{:.0%}".format
    wait: Writer = "{:g} s".format
    for title, name, most, write in (
        (f"Service level, {FORMULAS[formula]}", "service_level", 1.0, share),
        ("Mean wait", "mean_wait", None, wait),
        ("Callers who gave up", "abandon_rate", None, share),
        ("Occupancy of the agents", "occupancy", 1.0, share),
    ):
        top = 1.0 if write is share else math.inf
        curves = [
            _curve(variant, COLOURS[number % len(COLOURS)], [of.get(time, {}).get(name) for time in times], top)
            for number, (variant, of) in enumerate(found.items())
        ]
        yield Panel(title, curves, most=most, write=write)


def _curve(name: str, colour: str, values: list[Estimate | None], top: float) -> Curve:
    return Curve(
        name,
        colour,
        [each.mean if each else None for each in values],
        [each.low if each else None for each in values],
        [min(top, each.high) if each and each.high is not None else None for each in values],
    )
