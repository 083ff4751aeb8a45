"""What a configuration lets flows do outside, as the checker knows it before anyone calls."""

import pickle

import pytest

from config.appliance import Config
from config.document import load
from runtime.flowbook import surroundings


def around(text, **known):
    config, problems = load(Config, text, "appliance.yaml")
    assert problems == []
    return surroundings(config, **known)


def test_a_number_that_is_not_allowed_is_known():
    ours = around('transfers: {allowed: ["+8621"], numbers: ["110"]}', phones=["1001"])
    assert [ours.refused(to) for to in ("1001", "02155550100", "110")] == ["", "", ""]
    assert "neither" in ours.refused("1002")
    assert "beginning" in ours.refused("01065550100")
    assert "emergency" in ours.refused("120")


def test_before_the_agents_are_known_any_account_may_be_one():
    assert around("{}").refused("1002") == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "10.1.2.3", "::1", "169.254.169.254"])
def test_a_host_of_our_own_network_is_known(host):
    assert "web.private" in around("{}").unreachable(host)
    assert around('web: {private: ["0.0.0.0/0", "::/0"]}').unreachable(host) == ""


def test_a_name_is_looked_up_only_when_somebody_calls():
    assert around("{}").unreachable("api.example.com") == ""


def test_it_can_be_sent_to_a_process_of_its_own():
    ours = around('transfers: {allowed: ["+8621"]}\nweb: {private: [10.0.0.0/8]}')
    assert pickle.loads(pickle.dumps(ours)) == ours


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('transfers: {allowed: ["021"]}', "'021' is not the beginning of a number; write for example +8621 or +852"),
        ('transfers: {numbers: ["a"]}', "'a' is not a number; write digits, for example 110 or +862155550100"),
        ("transfers: {per-day: 0}", "'0' is out of range"),
        ("web: {private: [10.1.2.3/8]}", "'10.1.2.3/8' is not a network; write for example 10.1.0.0/16"),
    ],
)
def test_a_slip_in_the_settings_is_told(text, message):
    _, problems = load(Config, text, "appliance.yaml")
    assert message in problems[0].message
