"""Scenarios of flows that ask web services, transfer callers and are closed: nobody outside is ever asked."""

import pytest

from commands import main

FILES = {
    "appliance.yaml": 'transfers: {allowed: ["+8621"]}\ncrm: {url: "sqlite:///crm.db"}\n',
    "flows/queues.yaml": "service: {}",
    "flows/calendars.yaml": 'office: {zone: Asia/Shanghai, open: {daily: "00:00-24:00"}}',
    "flows/parcel.yaml": """
number: "1000"
languages: [en]
start: main
steps:
  main:
    menu: {say: ask, options: {"1": parcel, "2": away, "3": look}, timeout: 5s, tries: 1}
    otherwise: end
  parcel:
    http: {url: "https://api.example.com/parcels/1", into: parcel, returns: [state], within: 3s}
    next: tell
    failed: sorry
  tell: {say: {en: "It is {{ parcel.state }}."}, next: end}
  sorry: {say: {en: "Nobody answers."}, next: end}
  away: {transfer: {to: "02155550100", say: hello}, failed: sorry}
  look: {hours: {calendar: office}, open: end, closed: end, emergency: closed}
  closed: {say: {en: "Closed for an emergency."}, next: end}
  end: {hangup: {}}
""",
    "prompts/catalogue.yaml": """
hello: {en: "Hello."}
ask: {en: "Press one."}
not-an-option: {en: "No."}
sorry-technical: {en: "Sorry."}
time-is-up: {en: "Over."}
""",
}
RIGHT = """
- {name: a web service answers, steps: [{web: '{"state": "sent"}'}, {press: "1"}, {hear: It is sent}, {ended: flow}]}
- {name: it is slow, steps: [{web: slow}, {press: "1"}, {silence: 2s}, {hear: Nobody answers}, {ended: flow}]}
- {name: it is down, steps: [{press: "1"}, {hear: Nobody answers}, {ended: flow}]}
- {name: its answer lacks something, steps: [{web: "{}"}, {press: "1"}, {hear: Nobody answers}]}
- {name: a transfer, steps: [{press: "2"}, {hear: hello}, {transferred: "+862155550100"}]}
- {name: closed, steps: [{closure: office}, {press: "3"}, {hear: Closed}, {ended: flow}]}
"""
WRONG = """
- {name: elsewhere, steps: [{press: "2"}, {transferred: "+862155550199"}]}
- {name: no such calendar, steps: [{closure: ofice}]}
"""


@pytest.fixture
def check(tmp_path, capsys):
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (tmp_path / "crm.db").touch()

    def run(scenarios):
        (tmp_path / "flows" / "parcel.test.yaml").write_text(scenarios)
        code = main(["--config", str(tmp_path / "appliance.yaml"), "check"], tmp_path)
        return code, [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines()]

    return run


def test_what_happens_outside_is_what_the_scenario_says(check):
    assert check(RIGHT) == (0, [])


def test_what_did_not_happen_is_told(check):
    code, told = check(WRONG)
    assert code == 1
    assert told[0].startswith("elsewhere: the caller was not transferred to +862155550199")
    assert told[1] == "no such calendar: there is no calendar ofice. Did you mean 'office'?"


def test_an_answer_that_is_no_json_is_told_at_its_place(check):
    assert check('- {name: odd, steps: [{web: "{state"}]}') == (
        1,
        ['odd: web: down, slow or an answer in JSON is expected here, such as \'{"state": "sent"}\''],
    )
