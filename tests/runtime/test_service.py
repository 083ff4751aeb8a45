"""The appliance as one process of its machine: alone, started, reconciled with its past, stopped."""

import json
import os
import shutil

import gevent
import gevent.socket
import pytest
from gevent.event import Event
from gevent.queue import Queue

from config.appliance import Config
from config.values import UserError
from journal.reader import records, verify
from journal.writer import Journal
from runtime import rounds, service
from runtime.assembly import assemble
from runtime.flowbook import Flowbook
from runtime.service import GaveWay, only_one, serve_until
from runtime.stage import Stage, make_tables
from runtime.switches import open_switch
from runtime.systemd import Systemd
from speech import catalogue
from speech.library import Library
from speech.simulated import Simulated
from switch.shared.clock import RealClock
from switch.simulated import SimulatedSwitch
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


def test_an_address_that_is_taken_is_said_in_one_line(tmp_path):
    with gevent.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        (tmp_path / "password").write_text("0123456789abcdef\n")
        settings = {"outbound": f"127.0.0.1:{port}", "password-file": "password"}
        config = Config(
            flows_dir=CHECKOUT / "flows",
            prompts_dir=CHECKOUT / "prompts",
            switch={"kind": "freeswitch", "freeswitch": settings},
            database={"url": "sqlite:///hotline.db"},
        ).at(tmp_path)
        make_tables(config, tmp_path)
        clock = RealClock()
        texts = catalogue.read(config.prompts_dir)
        library = Library(config.prompts_dir, tmp_path / "speech", texts, Simulated(), clock)
        appliance = assemble(config, clock=clock, switch=open_switch(config, clock, epoch=1), library=library)
        with pytest.raises(UserError, match=r"no calls can be taken: .*Address already in use"):
            serve_until(appliance, Event(), on_ready=lambda: None)


def test_calls_that_ended_while_nobody_watched_are_ended_once_it_is_ready(tmp_path):
    config = Config(flows_dir=CHECKOUT / "flows", prompts_dir=CHECKOUT / "prompts").at(tmp_path)
    clock = RealClock()
    former = Journal(tmp_path / "journal", clock)
    former.append("CallArrived", "left-behind")
    former.close()
    make_tables(config, tmp_path)
    library = Library(config.prompts_dir, tmp_path / "speech", catalogue.read(config.prompts_dir), Simulated(), clock)
    appliance = Stage(config, clock, tmp_path, library, agents_answer_after=None).appliance
    ready, stop = Event(), Event()

    def written(line):
        if b'"CallEnded"' in line:
            stop.set()

    appliance.journal.readers.append(written)
    with gevent.socket.socket(gevent.socket.AF_UNIX, gevent.socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)
        systemd = Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"})
        serving = gevent.spawn(serve_until, appliance, stop, on_ready=ready.set, systemd=systemd)
        serving.get(timeout=30)
        assert ready.is_set()
        assert listener.recv(100) == b"READY=1"
        while listener.recv(100) != b"STOPPING=1":
            pass  # its heart beats as long as it serves
    assert [record["type"] for record in records(tmp_path / "journal") if record["call"]] == [
        "CallArrived",
        "CallEnded",
    ]
    assert verify(tmp_path / "journal").open == 0


@pytest.fixture
def superseded(tmp_path, monkeypatch):
    """An appliance whose switch a newer one has taken, as soon as the test says so."""
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.001)
    config = Config(flows_dir=CHECKOUT / "flows", prompts_dir=CHECKOUT / "prompts").at(tmp_path)
    clock = RealClock()
    make_tables(config, tmp_path)
    library = Library(config.prompts_dir, tmp_path / "speech", catalogue.read(config.prompts_dir), Simulated(), clock)
    stage = Stage(config, clock, tmp_path, library, agents_answer_after=None)
    taken = Event()
    monkeypatch.setattr(SimulatedSwitch, "superseded", property(lambda _: taken.is_set()))
    return stage, taken


def test_who_served_and_is_replaced_gives_way_and_is_not_started_again(superseded):
    stage, taken = superseded
    ready = Event()
    serving = gevent.spawn(serve_until, stage.appliance, Event(), on_ready=ready.set)
    assert ready.wait(30)
    taken.set()
    with pytest.raises(GaveWay, match="newer appliance") as raised:
        serving.get(timeout=30)
    unit = (CHECKOUT / "provision" / "hotline.service").read_text()
    assert f"RestartPreventExitStatus={raised.value.exit_code}\n" in unit
    assert stage.appliance.journal.closed


def test_who_never_came_to_serve_says_so_and_is_tried_again(superseded):
    stage, taken = superseded
    taken.set()
    stage.exchange.lose()
    serving = gevent.spawn(serve_until, stage.appliance, Event(), on_ready=lambda: None)
    with pytest.raises(UserError, match="only one") as raised:
        serving.get(timeout=30)
    assert raised.value.exit_code == 2


@pytest.fixture
def after_saving(tmp_path, monkeypatch):
    """Saves the hotline of an appliance that serves, edited, and returns the next record of the flows."""
    monkeypatch.setattr(service, "FLOWS_SECONDS", 0.01)
    shutil.copytree(CHECKOUT / "flows", tmp_path / "flows")
    config = Config(prompts_dir=CHECKOUT / "prompts").at(tmp_path)
    clock = RealClock()
    make_tables(config, tmp_path)
    library = Library(config.prompts_dir, tmp_path / "speech", catalogue.read(config.prompts_dir), Simulated(), clock)
    appliance = Stage(config, clock, tmp_path, library, agents_answer_after=None).appliance
    written = Queue()
    appliance.journal.readers.append(lambda line: written.put(json.loads(line)))
    stop = Event()
    serving = gevent.spawn(serve_until, appliance, stop, on_ready=lambda: None)
    file = config.flows_dir / "hotline.yaml"
    text = file.read_text(encoding="utf-8")

    def after_saving(before, after):
        file.write_text(text.replace(before, after), encoding="utf-8")
        while (record := written.get(timeout=30))["type"] not in {"FlowsTaken", "FlowsRefused"}:
            continue
        return record

    yield after_saving
    stop.set()
    serving.get(timeout=30)


def test_a_flow_is_taken_as_soon_as_it_is_saved_and_a_wrong_one_is_told(after_saving):
    refused = after_saving("start: welcome", "start: wellcome")
    assert refused["type"] == "FlowsRefused"
    assert "no step 'wellcome'" in refused["problems"][0]
    taken = after_saving("longest: 30m", "longest: 29m")
    assert (taken["type"], taken["edition"], taken["changed"]) == ("FlowsTaken", 2, ["flows/hotline.yaml"])


def test_an_error_in_a_look_at_the_flows_is_not_the_last_look(after_saving, monkeypatch):
    monkeypatch.setattr(rounds, "AFTER_AN_ERROR", 0.01)
    broke_off = Event()

    def break_off(_):
        broke_off.set()
        raise RuntimeError("a bug")

    monkeypatch.setattr(Flowbook, "try_queries", break_off)
    assert broke_off.wait(30)
    assert after_saving("longest: 30m", "longest: 29m")["type"] == "FlowsTaken"
