"""The appliance as one process of its machine: alone, started, reconciled with its past, stopped."""

import os

import gevent
import pytest
from gevent.event import Event

from config.appliance import Config
from config.values import UserError
from journal.reader import records, verify
from journal.writer import Journal
from runtime.service import only_one, serve_until
from runtime.stage import Stage, make_tables
from speech import catalogue
from speech.library import Library
from speech.simulated import Simulated
from switch.shared.clock import RealClock
from tests.runtime.test_house import CHECKOUT


def test_the_process_id_stands_in_a_file_while_it_runs(tmp_path):
    pid_file = tmp_path / "run" / "hotline.pid"
    with only_one(pid_file):
        assert int(pid_file.read_text()) == os.getpid()
    assert not pid_file.exists()


def test_a_second_one_is_told_of_the_first(tmp_path):
    pid_file = tmp_path / "hotline.pid"
    with only_one(pid_file), pytest.raises(UserError, match=f"running already .pid {os.getpid()}"), only_one(pid_file):
        pass
    with only_one(pid_file):
        assert pid_file.exists()


def test_calls_that_ended_while_nobody_watched_are_ended_before_it_is_ready(tmp_path):
    config = Config(flows_dir=CHECKOUT / "flows", prompts_dir=CHECKOUT / "prompts").at(tmp_path)
    clock = RealClock()
    former = Journal(tmp_path / "journal", clock)
    former.append("CallArrived", "left-behind")
    former.close()
    make_tables(config, tmp_path)
    library = Library(config.prompts_dir, tmp_path / "speech", catalogue.read(config.prompts_dir), Simulated(), clock)
    appliance = Stage(config, clock, tmp_path, library, agents_answer_after=None).appliance
    stop, when_ready = Event(), []

    def on_ready():
        when_ready.extend(record["type"] for record in records(tmp_path / "journal") if record["call"])
        stop.set()

    serving = gevent.spawn(serve_until, appliance, stop, on_ready=on_ready)
    serving.get(timeout=30)
    assert when_ready == ["CallArrived", "CallEnded"]
    assert verify(tmp_path / "journal").open == 0
