"""http: asks a web service, and goes on by `failed` whatever it does."""

import json

import pytest

from ivr.services import CallerFacts
from tests.ivr.steps.test_save import dies

FLOW = """
start: number
steps:
  number:
    collect: {say: ask-number, digits: {max: 6}, into: keyed}
    next: ask
    otherwise: end
  ask:
    http:
      url: "https://api.example.com/parcels/{{ keyed }}/{{ caller.name }}?full=1"
      query: {by: "{{ caller.name }}"}
      headers: {X-Language: "{{ language }}"}
      into: parcel
      returns: [state]
      within: 2s
    next: tell
    failed: busy
  tell: {say: {cmn: "状态{{ parcel.state }}", en: "{{ parcel.state }}"}, next: end}
  busy: {say: busy, next: end}
  end: {hangup: {}}
"""
TELL = FLOW.replace(
    "      query:", '      body: {number: "{{ keyed }}", gold: "{{ caller.tier == \'gold\' }}"}\n      query:'
)
SLY = CallerFacts(name="a/../b?c=#&d", tier="gold")


def test_what_is_returned_is_known(house):
    house.web.row = {"state": "sent"}
    house.ring(FLOW).press("202611").hears("状态sent").is_over()
    assert house.notes.of("StepLeft", "set")[1] == {"parcel": {"map": {"state": "sent"}}}


def test_what_a_caller_keyed_or_is_called_stays_one_part_of_the_address(house):
    house.ring(FLOW, caller=SLY).press("202611").hears("状态arrived").is_over()
    (asked,) = house.web.asked
    assert asked.url == (
        "https://api.example.com/parcels/202611/a%2F..%2Fb%3Fc%3D%23%26d?full=1&by=a%2F..%2Fb%3Fc%3D%23%26d"
    )
    assert (asked.method, asked.headers, asked.body, asked.key) == ("GET", {"X-Language": "cmn"}, b"", "")
    assert (asked.wanted, asked.within) == ({"state": "state"}, 2.0)


def test_what_is_told_is_json_under_a_key(house):
    house.ring(TELL, caller=SLY).press("202611").hears("状态arrived").is_over()
    (asked,) = house.web.asked
    assert (asked.method, asked.key) == ("POST", "sim-1-2")
    assert json.loads(asked.body) == {"number": "202611", "gold": True}
    assert [kind for kind, _ in house.notes if kind.startswith("Deed")] == ["DeedBegun", "DeedDone"]
    assert house.notes.of("DeedBegun", "what") == ["POST api.example.com"]


def test_a_failure_is_an_exit_of_its_own(house):
    house.web.failure = "no answer in 2 s"
    house.ring(FLOW).press("202611").hears("占线").is_over()
    assert house.notes.of("HttpFailed", "host", "reason") == [("api.example.com", "no answer in 2 s")]


def test_what_was_told_is_told_again_under_the_same_key_only_where_nobody_knows(house):
    state = dies(house, TELL, after="DeedBegun")
    house.ring(TELL, state=state).hears("状态arrived").is_over()
    assert [asked.key for asked in house.web.asked] == ["sim-1-2"]


def test_what_was_told_for_sure_is_not_told_again(house):
    state = dies(house, TELL, after="DeedDone")
    house.ring(TELL, state=state).hears("状态arrived").is_over()
    assert len(house.web.asked) == 1


def test_what_is_made_of_something_sensitive_is_sensitive(house):
    house.ring(TELL.replace("into: keyed", "sensitive: true, into: keyed")).press("202611").hears(
        "状态arrived"
    ).is_over()
    told = [note for note in house.notes if note[0] != "PromptPlayed"]
    assert "202611" not in str(told)
    assert "arrived" not in str(told)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("https://api.example.com/parcels/{{ keyed }}", "https://{{ keyed }}", "ask.url: write an address with"),
        ("https://api.example.com/parcels/", "https://api.example.com", "ask.url: write an address with its host"),
        ("https://", "https://me:pw@", "ask.url: write an address with its host"),
        ("https://", "ftp://", "ask.url: write an address with its host"),
        ("?full=1", "#full", "ask.url: write an address with its host"),
        ("example.com/", "example.com:99999/", "ask.url: 'https://api.example.com:99999' has no port"),
        ("X-Language", "Host", "ask.headers.Host: the header 'Host' cannot be set here"),
        ("X-Language", '"X Y"', "ask.headers.X Y: the header 'X Y' cannot be set here"),
        ("      into: parcel\n", "", "ask.returns: 'into' is missing"),
        ("      returns: [state]\n", "", "ask.into: 'returns' is missing"),
        ("[state]", "{state: a..b}", "ask.returns.state: 'a..b' is no place in an answer"),
        ("[state]", "[stat]", "tell.cmn: 'parcel' has no 'state'."),
        ("{{ keyed }}/", "{{ keyd }}/", "ask.url: no variable 'keyd'."),
        ("within: 2s", "within: 2m", "ask.within: '2m' is out of range"),
        ("within: 2s", "method: get\n      body: {a: b}", "ask.body: a get tells nothing"),
        ("api.example.com", "10.0.0.1", "ask.url: 10.0.0.1 is an address of our own network"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_work_is_told(told, before, after, message):
    assert before in FLOW
    found = told(FLOW.replace(before, after))
    assert any(one.startswith(message) for one in found), found
