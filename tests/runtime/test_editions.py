"""A change of the flows while calls go on: new calls get it, those in progress end on what they began with."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from config.appliance import Config
from runtime import flow_reader, flowbook
from runtime.flowbook import Flowbook
from runtime.history import History
from tests.runtime.test_house import FLOW, House

CHECKOUT = Path(__file__).parents[2]
SAYS = FLOW.replace("goodbye: {say: goodbye", 'goodbye: {say: {cmn: "旧的再见", en: "The old goodbye"}')


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def save(house, text, name="hotline.yaml"):
    file = house.config.flows_dir / name
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(before + 1_000_000_000, before + 1_000_000_000))


def edit(house, text):
    save(house, text)
    return house.ask("flows.reload")["problems"]


def heard_to_the_end(house, line):
    """What a caller hears who asks for a message at once and hangs up at the goodbye."""
    house.until(lambda: line.ended is not None)
    return [heard.text for heard in line.heard]


def test_calls_in_progress_end_on_their_version_and_new_calls_get_the_new_one(house):
    assert edit(house, SAYS.replace("otherwise: end", "otherwise: goodbye")) == []
    before = house.call()
    assert edit(house, SAYS.replace("otherwise: end", "otherwise: goodbye").replace("旧的再见", "新的再见")) == []
    after = house.call()
    assert heard_to_the_end(house, before)[-1] == "旧的再见"
    assert heard_to_the_end(house, after)[-1] == "新的再见"
    versions = [record["version"] for record in house.journaled("CallArrived")]
    assert versions == [2, 3]
    assert [record["changed"] for record in house.journaled("FlowsTaken")] == [["flows/hotline.yaml"]] * 2


def test_a_broken_edit_under_load_changes_nothing_and_says_everything(house):
    assert edit(house, SAYS.replace("otherwise: end", "otherwise: goodbye")) == []
    under_way = [house.call(caller=f"1380000{number:04}") for number in range(5)]
    broken = SAYS.replace("next: end}", "next: ned}").replace("timeout: 5s", "timeout: 5")
    broken = broken.replace("box: service", "box: x")

    problems = edit(house, broken)

    assert [problem.split(": ", 1)[1] for problem in problems] == [
        "main.timeout: '5' is not a duration; write for example 500ms, 5s, 2m or 1h",
        "message.box: no box 'x'. There are: complaints or service",
        "goodbye.next: no step 'ned'. Did you mean 'end'?",
    ]
    status = house.status()
    assert status["edition"] == 2
    assert status["flows"][0]["version"] == 2
    assert status["troubles"] == [f"flows not taken: {problem}" for problem in problems]
    assert house.journaled("FlowsRefused")[-1]["problems"] == problems
    after = house.call()
    assert [heard_to_the_end(house, line)[-1] for line in [*under_way, after]] == ["旧的再见"] * 6

    assert edit(house, SAYS) == []
    assert house.status()["troubles"] == []
    assert house.status()["edition"] == 3


# --- queries, which the CRM is asked about -------------------------------------------------------------


def edit_queries(house, before, after):
    text = (house.config.flows_dir / "queries.yaml").read_text(encoding="utf-8")
    assert before in text
    save(house, text.replace(before, after), "queries.yaml")
    return house.ask("flows.reload")["problems"]


@pytest.fixture
def crm(house):
    """The file of the CRM, which can be taken away and given back."""
    return Path(house.config.crm.url.removeprefix("sqlite:///"))


def test_a_query_that_the_crm_cannot_run_is_refused_while_calls_go_on(house):
    (problem,) = edit_queries(house, "from orders", "from ordrs")
    assert problem.split(": ", 1)[1] == "order_by_number.sql: no table 'ordrs' in the CRM. Did you mean 'orders'?"
    assert house.status()["edition"] == 1
    assert house.status()["troubles"] == [f"flows not taken: {problem}"]
    assert edit_queries(house, "from ordrs", "from orders") == []
    assert house.status()["troubles"] == []


def test_a_query_in_force_that_no_longer_fits_the_crm_holds_up_no_other_edit(house, crm):
    """Its callers go on by `failed`; whoever looks after the house is told."""
    book = house.stage.appliance.flowbook
    with sqlite3.connect(crm) as line:
        line.execute("alter table orders rename column status_text to state_text")
    assert edit(house, SAYS) == []
    book.try_queries()
    (doubt,) = house.status()["troubles"]
    assert "a query does not fit the CRM: " in doubt
    assert "order_by_number.sql: no column 'status_text' in the CRM." in doubt
    assert edit_queries(house, "from orders", "from (select *, state_text as status_text from orders)") == []
    book.try_queries()
    assert house.status()["troubles"] == []


def test_a_crm_that_is_away_holds_up_no_edit_and_is_asked_again(house, crm):
    book = house.stage.appliance.flowbook
    book.try_queries()
    away = crm.rename(crm.with_suffix(".away"))
    assert edit_queries(house, "from orders", "from ordrs") == []
    (doubt,) = house.status()["troubles"]
    assert doubt.startswith("the queries have not been tried, for the CRM does not answer: ")
    away.rename(crm)
    book.try_queries()
    assert house.status()["troubles"] == [doubt]  # nobody is asked twice in a minute
    house.pass_time(60)
    book.try_queries()
    (doubt,) = house.status()["troubles"]
    assert doubt.endswith("order_by_number.sql: no table 'ordrs' in the CRM. Did you mean 'orders'?")


def test_a_mailbox_that_was_made_since_can_be_named(house):
    house.stage.appliance.store.add_mailbox("claims", greeting="", limit=10)
    assert edit(house, FLOW.replace("box: service", "box: claims")) == []


def test_a_change_is_taken_when_nobody_writes_any_more(house):
    book = house.stage.appliance.flowbook
    assert not book.saved()
    save(house, SAYS[:200])
    assert not book.saved()  # it has only just been seen
    save(house, SAYS)
    assert not book.saved()  # it is still being written
    assert book.saved()
    assert book.reload() == []
    assert not book.saved()


def test_the_version_that_a_call_began_with_is_found_again_after_a_restart(house, tmp_path):
    assert edit(house, SAYS) == []
    assert edit(house, FLOW) == []
    again = Flowbook(house.config.model_copy(update={"data_dir": tmp_path}), boxes=["service", "complaints"])
    assert again.book.flows[0].version == 3
    old = again.book_of("hotline", 2)
    assert old.flows[0].version == 2
    assert "旧的再见" in str(old.flows[0].steps["goodbye"].does)
    assert again.book_of("hotline", 3) is again.book
    assert again.book_of("hotline", 9) is None
    assert again.book_of("coldline", 2) is None


# --- big flows -----------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path):
    shutil.copytree(CHECKOUT / "flows", tmp_path / "flows")
    shutil.copytree(CHECKOUT / "prompts", tmp_path / "prompts")
    return Config().at(tmp_path)


def test_big_flows_are_read_in_a_process_of_their_own(config, monkeypatch):
    monkeypatch.setattr(flowbook, "BIG", 0)
    book = Flowbook(config)
    file = config.flows_dir / "hotline.yaml"
    text = file.read_text(encoding="utf-8")

    file.write_text(text.replace("tries: 2", "tries: 4"), encoding="utf-8")
    assert book.reload() == []
    assert book.book.flows[0].steps["main"].does.tries == 4
    assert book.book.flows[0].version == 2


def test_a_reader_that_fails_changes_nothing_and_is_told(config, monkeypatch, tmp_path):
    book = Flowbook(config)
    good = book.book
    monkeypatch.setattr(flowbook, "BIG", 0)
    monkeypatch.setattr(flow_reader, "ROOT", tmp_path)
    assert [problem.message for problem in book.reload()] == ["checking them ended with code 1"]
    assert book.book is good


def test_a_full_disk_is_told_and_flows_are_taken_all_the_same(config, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    book = Flowbook(config)
    monkeypatch.setattr(History, "_write", full)
    file = config.flows_dir / "hotline.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("tries: 2", "tries: 4"), encoding="utf-8")
    assert book.reload() == []
    assert book.trouble == "no edition of the flows can be kept: No space left on device"
    assert book.book.flows[0].version == 2
