"""What a run of the live tests came to: on each switch its version, the calls that were made, how the tests went.

Hooks for tests/conftest.py. HOTLINE_REQUIRE=freeswitch,asterisk (``make live REQUIRE=...``) makes the absence of one of
them, and any test that is skipped, a failure. HOTLINE_LIVE_RESULTS names the file for the account, var/live.json.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

KINDS = ("freeswitch", "asterisk")
REQUIRED = {name for name in os.environ.get("HOTLINE_REQUIRE", "").split(",") if name}
RESULTS = os.environ.get("HOTLINE_LIVE_RESULTS", "")
STRICT = ("live", "faults")  # folders in which nothing may be skipped, if anything is required


@dataclass(slots=True)
class Run:
    """The tests on one switch; `calls` are those that the tests' telephones made and took."""

    version: str = ""
    absent: str = ""
    calls: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0


_runs: dict[str, Run] = {}  # by switch; "" for live tests that need none


def run_on(switch: str) -> Run:
    return _runs.setdefault(switch, Run())


def account() -> dict[str, object]:
    """All of it as JSON."""
    totals = {
        name: sum(getattr(run, name) for run in _runs.values()) for name in ("calls", "passed", "failed", "skipped")
    }
    switches = {switch: asdict(run) for switch, run in sorted(_runs.items()) if switch}
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"at": at, "required": sorted(REQUIRED), **totals, "switches": switches}


# --- hooks


def pytest_configure(config: pytest.Config) -> None:
    if unknown := REQUIRED - {*KINDS, "postgresql"}:
        raise pytest.UsageError(f"HOTLINE_REQUIRE: there is no {', '.join(sorted(unknown))}; there are {KINDS}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    result = yield
    report = result.get_result()  # type: ignore[attr-defined]
    live = item.get_closest_marker("live") is not None
    strict = live or item.path.parent.name in STRICT
    if strict and REQUIRED and report.skipped and not hasattr(report, "wasxfail") and _wanted(item):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which HOTLINE_REQUIRE forbids: {report.longrepr}"
    elif strict and report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])  # one line for all tests that miss the same thing
    if live and (report.when == "call" or not report.passed):
        run = run_on(_switch_of(item))
        setattr(run, report.outcome, getattr(run, report.outcome) + 1)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if not RESULTS or not _runs:
        return
    file = Path(RESULTS)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(account(), indent=2) + "\n")


def _switch_of(item: pytest.Item) -> str:
    """The switch that a test runs on: the one that its fixture starts, else the one that it is marked with."""
    spec = getattr(item, "callspec", None)
    started = str(spec.params.get("running", "")) if spec else ""
    return started or next((kind for kind in KINDS if item.get_closest_marker(kind)), "")


def _wanted(item: pytest.Item) -> bool:
    """Whether a skip of this test is a failure: unless it is for a switch that was not asked for."""
    return _switch_of(item) in REQUIRED | {""}
