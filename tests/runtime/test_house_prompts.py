"""Every text of the prompts' catalogue is tried as the house would speak it, before anybody should hear it."""

from datetime import date

import pytest

from commands import main
from crm import demo
from runtime import house_prompts
from runtime.flowbook import read_book
from speech.catalogue import load, read
from store.database import Database
from switch.shared.clock import RealClock
from tests.runtime.test_flowbook import HERE, KNOWN, config, edit  # noqa: F401 - the fixture


def told(tmp_path, text):
    (tmp_path / "catalogue.yaml").write_text(text, encoding="utf-8")
    catalogue, problems = load(tmp_path)
    assert problems == []
    return [
        f"{one.line}:{one.column}: {one.message}" for one in house_prompts.prompts(catalogue, tmp_path, tmp_path)[1]
    ]


def test_the_prompts_that_ship_are_right_and_all_that_the_house_says_is_among_them():
    catalogue = read(HERE / "prompts")
    found, problems = house_prompts.prompts(catalogue, HERE / "prompts", HERE / "prompts")
    assert problems == []
    assert house_prompts.given().keys() <= found.keys()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'your-position:\n  en: "You are {{ postion | number }}."\n',
            "2:7: your-position.en: no variable 'postion'. Did you mean 'position'?",
        ),
        ('wait-below: {en: "{{ low | duration }}"}', "1:18: wait-below.en: no variable 'low'."),
        ('notice-subject: {cmn: "{{ bx }}"}', "1:23: notice-subject.cmn: no variable 'bx'. Did you mean 'box'?"),
        ('notice-text: {en: "{{ received | date }}"}', "1:19: notice-text.en: values stand here as they are"),
        ('notice-text: {en: "{{ caller.name }}"}', "1:19: notice-text.en: 'caller' is a plain value"),
        ('whisper: {en: "{{ caller.name }}"}', "1:15: whisper.en: no variable 'caller'."),
        ('press-to-accept: {en: "{{ queue }}"}', "1:23: press-to-accept.en: this prompt is given no values"),
        ('your-position: {en: "{{ position | date }}"}', "1:21: your-position.en: 'date' cannot read it"),
        ('mailbox-message: {en: "{{ received | number }}"}', "1:23: mailbox-message.en: 'number' cannot read it"),
        ('did-you-say: {en: "{{ sayd }}?"}', "1:19: did-you-say.en: no variable 'sayd'. Did you mean 'said'?"),
        ('sorry-technical: {en: "{{ name }}"}', "1:23: sorry-technical.en: no variable 'name'."),
        ('mine: {en: "Order { order.eta | date }"}', "1:12: mine.en: '{ order.eta | date }' would be read out"),
        ('mine: {en: "One <break/> two"}', "1:12: mine.en: '<break/>' would be read out"),
        ('mine: {en: "Post &amp; more"}', "1:12: mine.en: '&amp;' would be read out as it stands; write &"),
    ],
)
def test_a_slip_in_a_prompt_is_told_where_it_stands(tmp_path, text, problem):
    (only,) = told(tmp_path, text)
    assert only.startswith(problem)


@pytest.mark.parametrize(
    "text",
    [
        'your-position: {en: "{{ caller.name }}, you are number {{ position | number }}."}',
        'wait-below: {en: "In {{ high | duration }}, at {{ now | time }}"}',
        'whisper: {en: "{{ queue }} {{ name }}"}',
        'mine: {en: "Whatever {{ a_flow.knows }}"}',
        'mine: {en: "1 < 2 & 3 > 2"}',
    ],
)
def test_what_a_prompt_is_given_may_be_used(tmp_path, text):
    assert told(tmp_path, text) == []


def test_a_queue_s_words_are_checked_for_each_flow_that_leads_into_it(config):  # noqa: F811
    edit(config, "queues.yaml", "say: [please-keep-waiting]", "say: [still-here]")
    catalogue = config.prompts_dir / "catalogue.yaml"
    texts = "".join(f'  {one}: "{{{{ order_nummer }}}}"\n' for one in ("cmn", "yue", "en"))
    catalogue.write_text(catalogue.read_text(encoding="utf-8") + f"\nstill-here:\n{texts}", encoding="utf-8")
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    assert [one.message for one in problems] == [
        "queue-service: the prompt 'still-here': no variable 'order_nummer'. Did you mean 'order_number'?"
    ]


def test_a_prompt_that_a_verb_speaks_where_nothing_is_written_must_be_there(config):  # noqa: F811
    catalogue = config.prompts_dir / "catalogue.yaml"
    text = catalogue.read_text(encoding="utf-8").replace("\nleave-message:", "\nleave-massage:")
    catalogue.write_text(text, encoding="utf-8")
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    assert [one.message for one in problems if "hotline.yaml" in one.path] == [
        "leave-message: no prompt 'leave-message'. Did you mean 'leave-massage'?"
    ]


def test_a_position_that_cannot_be_told_is_no_error_of_the_program(config, monkeypatch, capsys):  # noqa: F811
    """What every call has may be used in it, and has no value where a scenario asks how a position is told."""
    catalogue = config.prompts_dir / "catalogue.yaml"
    before = 'your-position:\n  cmn: "'
    text = catalogue.read_text(encoding="utf-8")
    assert before in text
    catalogue.write_text(text.replace(before, before + "{{ caller.name }}"), encoding="utf-8")
    (config.flows_dir / "hotline.test.yaml").write_text(
        "- name: a position\n  at: 2026-11-23 10:00\n  steps: [{silence: 40s}, {queued: service}, {position: 1}]\n"
    )
    for other in ("mailbox.test.yaml", "office-closure.test.yaml"):
        (config.flows_dir / other).unlink()
    config.sounds_dir.mkdir(parents=True)
    (config.sounds_dir / "beep.wav").touch()
    crm = Database(config.crm.url, RealClock(), name="CRM", threads=1, create=True)
    demo.fill(crm, customers=3, orders=3, today=date(2026, 11, 23))
    crm.close()
    home = config.flows_dir.parent
    (home / "appliance.yaml").write_text("")
    monkeypatch.chdir(home)
    assert main(["--config", str(home / "appliance.yaml"), "check"], HERE) == 1
    assert "a position: position 1 was not told" in capsys.readouterr().out
