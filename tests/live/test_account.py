"""The account of a live run: versions and counts in one file, and no skipped test where switches are required."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
HOOKS = "from tests.live.account import pytest_configure, pytest_runtest_makereport, pytest_sessionfinish\n"
TESTS = """
import pytest
from tests.live.account import run_on

@pytest.fixture(params=[pytest.param("asterisk", marks=pytest.mark.asterisk)])
def running():
    run_on("asterisk").version = "Asterisk 22.1.0"

@pytest.mark.live
def test_a_call(running):
    run_on("asterisk").calls += 3

@pytest.mark.live
@pytest.mark.asterisk
def test_another_call():
    run_on("asterisk").calls += 1

@pytest.mark.live
@pytest.mark.freeswitch
def test_on_the_other_switch():
    run_on("freeswitch").absent = "no FreeSWITCH here"
    pytest.skip("no FreeSWITCH here")

@pytest.mark.live
def test_that_fails():
    assert 1 == 2

def test_that_is_not_live():
    pytest.skip("whatever")
"""


@pytest.fixture
def made(tmp_path):
    """Runs those tests with something required; returns how they ended, what was printed, and the account."""
    (tmp_path / "conftest.py").write_text(HOOKS)
    (tmp_path / "test_calls.py").write_text(TESTS)
    results = tmp_path / "var" / "live.json"

    def run(required):
        environment = {
            **os.environ, "HOTLINE_REQUIRE": required, "HOTLINE_LIVE_RESULTS": str(results), "PYTHONPATH": str(CHECKOUT)
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done, json.loads(results.read_text()) if results.exists() else None

    return run


def test_versions_calls_and_counts_are_written(made):
    _, account = made("")
    assert account.pop("at").endswith("+00:00")
    assert account == {
        "required": [],
        "calls": 4,
        "passed": 2,
        "failed": 1,
        "skipped": 1,
        "switches": {
            "asterisk": {
                "version": "Asterisk 22.1.0", "absent": "", "calls": 4, "passed": 2, "failed": 0, "skipped": 0
            },
            "freeswitch": {
                "version": "", "absent": "no FreeSWITCH here", "calls": 0, "passed": 0, "failed": 0, "skipped": 1
            },
        },
    }  # fmt: skip


def test_what_is_required_may_not_be_skipped(made):
    done, account = made("asterisk,freeswitch")
    assert "test_on_the_other_switch was skipped, which HOTLINE_REQUIRE forbids" in done.stdout
    assert (account["failed"], account["skipped"]) == (2, 0)
    assert account["required"] == ["asterisk", "freeswitch"]


def test_another_switch_may_be_skipped(made):
    _, account = made("asterisk")
    assert (account["failed"], account["skipped"]) == (1, 1)


def test_a_switch_that_nobody_knows_cannot_be_required(made):
    done, account = made("freeswich")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "there is no freeswich" in done.stderr
    assert account is None
