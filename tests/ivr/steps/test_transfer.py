"""transfer: hands the caller over, only where and as often as it is allowed."""

import pytest

from ivr.services import CallerFacts
from switch.port import SwitchError

FLOW = """
start: number
steps:
  number:
    collect: {say: ask-number, digits: {max: 20}, into: keyed}
    next: away
    otherwise: end
  away:
    transfer: {to: "{{ keyed }}", say: hello}
    failed: busy
  busy: {say: busy, next: end}
  end: {hangup: {}}
"""
FIXED = FLOW.replace('"{{ keyed }}"', '"02155550100"')


def test_a_caller_is_told_and_handed_over_and_the_flow_has_ended(house):
    caller = house.ring(FLOW).press("02155550100#").hears("你好").is_over()
    assert caller.line.transferred_to == "+862155550100"
    assert house.notes.of("CallTransferred", "to") == ["+862155550100"]
    assert house.notes[-1][1]["reason"] == "transferred"
    assert house.session.transferred


def test_an_agents_telephone_is_one_that_is_not_counted(house):
    for _ in range(3):
        assert house.ring(FLOW).press("1001#").hears("你好").is_over().line.transferred_to == "1001"


@pytest.mark.parametrize("keyed", ["4471", "01065550100", "008613800000001", "95588", "119", "0", "999999999999"])
def test_anything_else_is_refused_and_nothing_is_said(house, keyed):
    caller = house.ring(FLOW).press(f"{keyed}#").hears("占线").is_over()
    assert caller.heard == ["占线"]
    assert not caller.line.transferred_to
    assert keyed not in str(house.notes.of("TransferRefused", "reason"))


def test_a_caller_is_transferred_so_often_in_a_day_also_over_a_restart(house, tmp_path):
    known = CallerFacts(number="+8613800000001")
    for _ in range(2):
        house.ring(FLOW, caller=known).press("02155550100#").hears("你好").is_over()
    house.restart_transfers()
    house.ring(FLOW, caller=known).press("02155550100#").hears("占线").is_over()
    assert "this caller" in house.notes.of("TransferRefused", "reason")[0]
    house.ring(FLOW, caller=CallerFacts(number="+8613800000002")).press("02155550100#").hears("你好").is_over()
    assert "13800000001" not in (tmp_path / "transfers.json").read_text()
    house.clock.run_until(lambda: False, longest=24 * 3600)
    house.ring(FLOW, caller=known).press("02155550100#").hears("你好").is_over()


def test_all_callers_together_are_transferred_so_often_in_a_day(house):
    for number in range(3):
        caller = CallerFacts(number=f"+861380000000{number}")
        house.ring(FLOW, caller=caller).press("02155550100#").hears("你好").is_over()
    house.ring(FLOW, caller=CallerFacts(number="+8613800000009")).press("02155550100#").hears("占线").is_over()
    assert "3 transfers today" in house.notes.of("TransferRefused", "reason")[0]


def test_a_switch_that_refuses_is_a_failure(house):
    def refuses(address):
        raise SwitchError("no route")

    caller = house.ring(FLOW).hears("请输入号码")
    house.call.transfer = refuses
    caller.press("02155550100#").hears("占线").is_over()
    assert not house.session.transferred


def test_a_caller_who_hangs_up_first_was_not_transferred(house):
    house.ring(FLOW).press("02155550100#").hears("你好").hangs_up()
    assert house.notes[-1][1]["reason"] == "call ended"


def test_a_sensitive_destination_is_not_written_down(house):
    secret = FLOW.replace("into: keyed", "sensitive: true, into: keyed")
    house.ring(secret).press("02155550100#").hears("你好").is_over()
    assert "55550100" not in str(house.notes)


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("01065550100", "its beginning is not among those that are allowed"),
        ("110", "it is a number of the emergency services, which 'numbers' does not name"),
        ("1009", "it is neither an agent's telephone nor a whole number"),
        ("sip:me@example.com", "it is neither an agent's telephone nor a number"),
        ("+85290012345678", "it is a premium number, which 'numbers' does not name"),
    ],
)
def test_a_destination_that_is_not_allowed_is_told_before_anyone_calls(told, to, message):
    found = told(FIXED.replace("02155550100", to))
    assert found == [f"away.to: nobody may be transferred there: {message}; see transfers in appliance.yaml"]


def test_one_that_is_allowed_is_right(told):
    assert told(FIXED) == []
    assert told(FIXED.replace("02155550100", "1001")) == []
