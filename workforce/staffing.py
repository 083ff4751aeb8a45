"""How many agents each interval needs, and what so many agents give, by Erlang C or Erlang A.

A staffing file (all of it may be given as options as well)::

    interval: 30m
    handling: 3m            # talk and wrap-up
    patience: 2m            # Erlang A; without it nobody ever hangs up, Erlang C
    goal: {service-level: 80/20, abandoned: 5%}
    shrinkage: 30%          # of the paid time that agents are not there for calls
    calls: {"09:00": 60, "09:30": 85, "10:00": 110}
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from acd.erlang import MOST_AGENTS, Service, agents_needed, erlang_a, erlang_c, load_served
from config.document import Written
from config.values import Duration

LONGEST = 24 * 3600.0
BUSIEST = 20_000.0  # erlangs; beyond it the formulas would take minutes and say nothing new


def percent(text: object) -> float:
    """The share of ``80`` or ``80%``, as 0.8. Raises ValueError, also for ``0.8``, which is the share itself."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", str(text).strip())
    if not found or not 0 <= float(found[1]) <= 100:
        raise ValueError(f"'{text}' is not a percentage; write for example 5%")
    if 0 < float(found[1]) < 1 and "%" not in str(text):
        meant = float(found[1]) * 100
        raise ValueError(f"'{text}' is less than 1 %; write {meant:g} where {meant:g} % are meant, else {found[1]}%")
    return float(found[1]) / 100


def service_level(text: object) -> tuple[float, float]:
    """The share and the seconds of ``80/20``. Raises ValueError with an example."""
    share, slash, within = str(text).partition("/")
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*s?\s*", within)
    if found and (fraction := re.fullmatch(r"\s*(0?\.\d+)\s*", share)) and float(fraction[1]) > 0:
        raise ValueError(f"'{text}' is less than 1 %; write {float(fraction[1]) * 100:g}/{found[1]}")
    if not slash or not found or not 0 < percent(share) < 1 or not 0 <= float(found[1]) <= LONGEST:
        raise ValueError(f"'{text}' is not a service level; 80/20 means 80 % answered within 20 seconds")
    return percent(share), float(found[1])


def _positive(value: float) -> float:
    if not 0 < value <= LONGEST:
        raise ValueError("must be longer than 0 and at most 24h")
    return value


def _part(share: float) -> float:
    if not 0 < share < 1:
        raise ValueError("must be more than 0 % and less than 100 %")
    return share


def _less_than_all(share: float) -> float:
    if not 0 <= share < 1:
        raise ValueError("must be less than 100 %")
    return share


Time = Annotated[Duration, AfterValidator(_positive)]
Part = Annotated[float, BeforeValidator(percent), AfterValidator(_part)]
Shrinkage = Annotated[float, BeforeValidator(percent), AfterValidator(_less_than_all)]
ServiceLevel = Annotated[tuple[float, float], BeforeValidator(service_level)]
Count = Annotated[float, Field(ge=0, le=10_000_000)]


class Goal(Written):
    """What is to be reached; everything that is written, at once."""

    service_level: ServiceLevel | None = None
    asa: Time | None = None
    abandoned: Part | None = None
    occupancy: Part | None = None

    def met_by(self, service: Service) -> bool:
        return all(met(service) for met in self.single().values())

    def single(self) -> dict[str, Callable[[Service], bool]]:
        """Each goal that is written, by its name."""
        level, asa, abandoned, occupancy = self.service_level, self.asa, self.abandoned, self.occupancy
        found: dict[str, Callable[[Service], bool]] = {}
        if level is not None:
            share = level[0]
            found["service-level"] = lambda service: service.within >= share
        if asa is not None:
            found["asa"] = lambda service: service.speed_of_answer <= asa
        if abandoned is not None:
            found["abandoned"] = lambda service: service.abandons <= abandoned
        if occupancy is not None:
            found["occupancy"] = lambda service: service.occupancy <= occupancy
        return found

    @property
    def target(self) -> float:
        return self.service_level[1] if self.service_level else 20.0


class Demand(Written):
    """What is to be staffed: calls per interval, each with its handling time, and what is to be reached."""

    interval: Time = 1800.0
    handling: Time
    patience: Time | None = None
    goal: Goal = Goal()
    agents: Annotated[int, Field(ge=1, le=MOST_AGENTS)] | None = None
    shrinkage: Shrinkage = 0.0
    calls: Annotated[dict[str, Count], Field(min_length=1, max_length=2000)]

    @model_validator(mode="after")
    def _can_be_worked_out(self) -> Self:
        busiest = max(self.calls.values()) * self.handling / self.interval
        if busiest > BUSIEST:
            raise ValueError(f"{busiest:,.0f} erlangs are too many to be worked out; at most {BUSIEST:,.0f}")
        if self.goal.abandoned is not None and self.patience is None:
            raise ValueError("without patience nobody abandons, so abandoned cannot be a goal; write patience as well")
        return self

    @property
    def model(self) -> str:
        return "erlang-c" if self.patience is None else "erlang-a"

    @property
    def aims(self) -> Goal:
        """The goal, 80/20 where none is written and the agents are not given."""
        return self.goal if self.goal.single() or self.agents else Goal.model_validate({"service-level": "80/20"})

    def service(self, load: float, agents: int) -> Service:
        target = self.aims.target
        if self.patience is None:
            return erlang_c(load, agents, handling=self.handling, target=target)
        return erlang_a(load, agents, handling=self.handling, patience=self.patience, target=target)


@dataclass(frozen=True, slots=True)
class Staffed:
    """One interval. `needed`: the fewest agents for each goal alone; `calls_possible`: what `agents` can take."""

    name: str
    calls: float
    load: float
    agents: int
    scheduled: int
    service: Service
    needed: Mapping[str, int]
    calls_possible: float | None = None


def staffed(demand: Demand) -> list[Staffed]:
    """Every interval, with the agents given or the fewest that reach all goals; ValueError where none would."""
    return [_staffed(demand, name, calls) for name, calls in demand.calls.items()]


def _staffed(demand: Demand, name: str, calls: float) -> Staffed:
    goal = demand.aims
    load = calls * demand.handling / demand.interval
    needed = {each: _fewest(demand, load, met) for each, met in goal.single().items()}
    agents = demand.agents if demand.agents is not None else max(needed.values(), default=0)
    possible = None
    if demand.agents is not None and goal.single():
        most = load_served(lambda load: demand.service(load, agents), goal.met_by, most=2.0 * agents + 10)
        possible = most * demand.interval / demand.handling
    service = demand.service(load, agents)
    return Staffed(name, calls, load, agents, math.ceil(agents / (1 - demand.shrinkage)), service, needed, possible)


def _fewest(demand: Demand, load: float, met: Callable[[Service], bool]) -> int:
    return 0 if load == 0 else agents_needed(lambda agents: demand.service(load, agents), met)


def as_json(demand: Demand, found: list[Staffed]) -> dict[str, Any]:
    """The answer as one object of plain values; see docs/figures.md. A wait without an end is null."""
    goal = demand.aims
    return {
        "model": demand.model,
        "interval": demand.interval,
        "handling": demand.handling,
        "patience": demand.patience,
        "goal": {
            "service_level": goal.service_level[0] if goal.service_level else None,
            "within": goal.target,
            "asa": goal.asa,
            "abandoned": goal.abandoned,
            "occupancy": goal.occupancy,
        },
        "shrinkage": demand.shrinkage,
        "intervals": [
            {
                "from": each.name,
                "calls": each.calls,
                "load": each.load,
                "agents": each.agents,
                "scheduled": each.scheduled,
                "service_level": each.service.within,
                "asa": _finite(each.service.speed_of_answer),
                "mean_wait": _finite(each.service.mean_wait),
                "waits": each.service.waits,
                "abandoned": each.service.abandons,
                "occupancy": each.service.occupancy,
                "needed": dict(each.needed),
                "calls_possible": each.calls_possible,
            }
            for each in found
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
