"""Who works here is known without the database, too; and what the tables say counts again as soon as they answer."""

import json
from contextlib import contextmanager

import pytest

from config.values import UserError
from cti.server import Refused
from runtime.roster import AGAIN_SECONDS, Roster
from store.database import Reason
from store.store import StoreFailed
from tests.runtime.test_recovery import lives


@pytest.fixture
def house(tmp_path, monkeypatch):
    with lives(tmp_path, monkeypatch) as house:
        yield house


@contextmanager
def away(home):
    """The database's disk is gone, and comes back as it was."""
    aside = home / "aside"
    aside.mkdir()
    for file in home.glob("hotline.db*"):
        file.rename(aside / file.name)
    yield
    for file in home.glob("hotline.db*"):
        file.unlink()
    for file in aside.iterdir():
        file.rename(home / file.name)


def test_who_waits_is_served_after_a_restart_without_the_database(house):
    line = house.waiting()
    house.kill()
    with away(house.home):
        house.start()
        assert "last known" in house.status()["troubles"][0]
        house.stage.ready("1001")
        house.rings("1001").pick_up()
        house.until(lambda: line.partner is not None)
        assert house.ask("mailboxes.changed") == {}
        assert "last known" in house.status()["troubles"][0]
    house.pass_time(AGAIN_SECONDS + 1)
    assert not any("last known" in trouble for trouble in house.status()["troubles"])


def test_what_changed_meanwhile_counts_when_the_database_is_back(house):
    house.kill()
    with away(house.home):
        house.start()
    store = house.stage.appliance.store
    store.add_agent("1099", "New", skills={"cmn": 3}, queues=[])
    house.pass_time(AGAIN_SECONDS + 1)
    assert "1099" in {agent["id"] for agent in house.status()["agents"]}
    assert "1099" in house.stage.appliance.flowbook.surroundings.phones


def test_who_was_removed_is_rung_no_more_and_its_talk_goes_on(house):
    line, _ = house.talking("1001")
    house.stage.ready("1002")
    waits = house.waiting(caller="13800000002")
    house.rings("1002")
    store = house.stage.appliance.store
    assert store.remove_agent("1001")
    assert store.remove_agent("1002")
    house.ask("agents.reload")
    house.pass_time(1)
    assert house.stage.exchange.ringing("1002") is None
    assert line.partner is not None
    with pytest.raises(Refused, match="there is no agent 1001"):
        house.ask("agents.state", agent="1001", state="Ready")
    line.hang_up()
    house.pass_time(60)
    assert waits.partner is None
    assert {"1001", "1002"}.isdisjoint(agent["id"] for agent in house.status()["agents"])
    assert [record["agent"] for record in house.journaled("AgentRemoved")] == ["1001", "1002"]


def test_no_password_is_kept(house):
    kept = (house.home / "roster.json").read_text()
    passwords = [agent.password for agent in house.stage.appliance.store.agents()]
    assert passwords
    assert not any(password in kept for password in passwords)


@pytest.mark.parametrize("kept", ["", "[]", '{"agents": [{}], "boxes": []}', '{"agents": [1], "boxes": []}'])
def test_without_a_file_that_can_be_read_a_start_needs_the_database(house, kept):
    house.kill()
    (house.home / "roster.json").write_text(kept)
    with away(house.home), pytest.raises(UserError, match="db init"):
        house.start()
    house.start()


class Tables:
    """A store that fails for one reason."""

    def __init__(self, reason):
        self._reason = reason

    def agents(self):
        raise StoreFailed(self._reason, "it is so")


def test_tables_of_another_version_are_a_mistake_and_no_outage(house, tmp_path):
    assert json.loads((tmp_path / "roster.json").read_text())["agents"]
    Roster(Tables(Reason.DOWN), tmp_path / "roster.json", house.clock).open()
    with pytest.raises(StoreFailed):
        Roster(Tables(Reason.WRONG), tmp_path / "roster.json", house.clock).open()
