"""docs/figures.md names every key that programs read."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from acd.figures import AgentFigures, QueueFigures
from acd.story import Choice, Doing, Passed, Story, Wait, as_json
from workforce.measuring import of_calls
from workforce.plan import AgentsEntry, CallersEntry, PlanEntry
from workforce.reporting import FORMULAS, row
from workforce.staffing import Demand, staffed
from workforce.staffing import as_json as staffing_json

PAGE = Path(__file__).resolve().parents[2] / "docs" / "figures.md"


def staffing_keys() -> set[str]:
    demand = Demand.model_validate({"handling": "3m", "calls": {"each": "10"}})
    found = staffing_json(demand, staffed(demand))
    return {*found, *found["goal"], *found["intervals"][0]}


def plan_keys() -> set[str]:
    """The names as they are written in the file."""
    names = [name for model in (PlanEntry, CallersEntry, AgentsEntry) for name in model.model_fields]
    return {name.rstrip("_").replace("_", "-") for name in names}


KEYS = {
    "report": {*row(QueueFigures(), "offered"), *row(AgentFigures(), "offered"), "service_levels", *FORMULAS},
    "why": {*as_json(Story("c1")), *(each.name for kind in (Wait, Doing, Passed, Choice) for each in fields(kind))},
    "simulate": {*of_calls(QueueFigures(), "offered"), "changes", "replications", "difference", "confidence"},
    "the plan": plan_keys(),
    "staffing": staffing_keys(),
}


@pytest.mark.parametrize("what", KEYS)
def test_every_key_is_explained(what):
    page = re.sub(r"```.*?```", "", PAGE.read_text(), flags=re.DOTALL)
    written = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`[^`]+`", page))))
    assert KEYS[what] - written == set()
