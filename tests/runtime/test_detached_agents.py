"""An agent's leg whose connection to the switch broke while it talked is looked for, and the agent Busy until then."""

from dataclasses import replace

import pytest

from switch.simulated import SimulatedSwitch
from tests.runtime.test_house import leaves_its_controller
from tests.runtime.test_recovery import accounted_lives, says


@pytest.fixture
def house(tmp_path, monkeypatch):
    with accounted_lives(tmp_path, monkeypatch) as house:
        yield house


def ended_talks(house, line):
    return [record["talked"] for record in house.of(line, "TalkEnded")]


def all_over(house, *lines):
    for line in lines:
        line.hang_up()
    house.pass_time(5)


def test_a_talk_that_goes_on_without_both_connections_keeps_the_agent_busy_to_its_end(house):
    line, phone = house.talking()
    waiting = house.waiting("2")
    house.pass_time(10)
    for leg in (line, phone):
        leaves_its_controller(leg)
    for _ in range(20):
        house.pass_time(1)
        assert house.state() == "Busy"
    assert (line.partner, phone.partner) == (phone, line)
    assert house.stage.exchange.ringing("1001") is None, "an agent who talks is rung for nobody"
    phone.hang_up()
    house.until(lambda: house.state() == "WorkingAfterCall")
    assert ended_talks(house, line) == [pytest.approx(30_500, abs=1500)]
    house.until(lambda: line.ended is not None)
    all_over(house, waiting)


def test_whose_own_leg_alone_was_lost_is_let_go_when_the_caller_leaves(house):
    line, phone = house.talking()
    leaves_its_controller(phone)
    house.pass_time(10)
    assert house.state() == "Busy"
    line.hang_up()
    house.pass_time(1)
    assert phone.ended is not None
    assert house.state() == "WorkingAfterCall"
    assert len(ended_talks(house, line)) == 1


def test_an_agent_who_hung_up_before_anybody_looked_is_free_after_wrap_up(house):
    line, phone = house.talking()
    for leg in (line, phone):
        leaves_its_controller(leg)
    phone.hang_up()
    house.pass_time(3)
    assert house.state() == "WorkingAfterCall"
    assert len(ended_talks(house, line)) == 1
    house.until(lambda: line.ended is not None)


def test_an_agent_who_hangs_up_while_the_callers_leg_is_still_ours_is_freed_once(house):
    line, phone = house.talking()
    leaves_its_controller(phone)
    phone.hang_up()
    house.pass_time(5)
    assert house.state() == "WorkingAfterCall"
    assert len(ended_talks(house, line)) == 1
    house.until(lambda: line.ended is not None)


def test_a_leg_that_is_lost_again_and_again_is_found_each_time(house):
    line, phone = house.talking()
    for _ in range(3):
        for leg in (line, phone):
            leaves_its_controller(leg)
        house.pass_time(5)
        assert house.state() == "Busy"
    line.hang_up()
    house.pass_time(1)
    assert phone.ended is not None
    assert len(ended_talks(house, line)) == 1


def test_the_agents_of_a_switch_that_stays_away_are_freed_when_its_calls_are_given_up(house):
    line, _ = house.talking()
    house.stage.exchange.lose()
    house.pass_time(25)
    assert house.state() == "Busy"
    house.pass_time(10)
    assert house.state() == "WorkingAfterCall"
    assert [record["cause"] for record in house.of(line, "CallEnded")] == ["switch lost"]


def test_the_agents_of_a_switch_that_has_started_anew_are_freed_as_soon_as_it_is_there(house):
    house.talking()
    house.stage.exchange.lose()
    house.pass_time(5)
    house.stage.exchange.restore()
    house.pass_time(3)
    assert house.state() == "WorkingAfterCall"


def test_a_kill_while_nobody_has_the_leg_changes_nothing(house):
    line, phone = house.talking()
    for leg in (line, phone):
        leaves_its_controller(leg)
    house.restart()
    house.pass_time(10)
    assert house.state() == "Busy"
    assert line.partner is phone
    phone.hang_up()
    house.until(lambda: house.state() == "WorkingAfterCall")
    assert len(ended_talks(house, line)) == 1
    house.until(lambda: line.ended is not None)


def test_a_leg_that_is_lost_during_the_whisper_is_no_word_of_the_agents(house):
    line = house.waiting()
    house.stage.ready("1001")
    phone = house.rings()
    phone.pick_up()
    house.until(lambda: says(phone) != [])
    leaves_its_controller(phone)
    house.pass_time(0.3)
    [failed] = house.of(line, "OfferFailed")
    assert failed["cause"] == "switch lost"
    assert not house.of(line, "OfferDeclined")
    house.until(lambda: phone.ended is not None)
    all_over(house, line)


def test_a_leg_that_is_about_to_talk_when_it_is_looked_at_is_no_failed_connection(house, monkeypatch):
    """Between the order to join the two and the talk the switch says that the leg is with nobody."""
    line, phone = house.talking()
    calls = SimulatedSwitch.calls
    begins = house.stage.clock.now() + 1000

    def not_joined_yet(switch):
        found = dict(calls(switch))
        if house.stage.clock.now() < begins:
            found[phone.id] = replace(found[phone.id], joined_to=None)
        return found

    monkeypatch.setattr(SimulatedSwitch, "calls", not_joined_yet)
    leaves_its_controller(phone)
    house.pass_time(5)
    assert house.state() == "Busy"
    assert house.of(line, "TalkEnded") == []
    line.hang_up()
    house.pass_time(5)
    assert len(house.of(line, "TalkEnded")) == 1
