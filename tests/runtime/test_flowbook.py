"""The book of flows: read as a whole, changed as a whole, and never wrong while a call looks into it."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.appliance import Config
from config.values import UserError
from runtime.flowbook import Flowbook, Surroundings, read_book
from switch.port import Capability

HERE = Path(__file__).parents[2]
KNOWN = Surroundings(boxes=["service", "complaints"], skills=["cmn", "yue", "en"])


@pytest.fixture
def config(tmp_path):
    shutil.copytree(HERE / "flows", tmp_path / "flows")
    shutil.copytree(HERE / "prompts", tmp_path / "prompts")
    return Config().at(tmp_path)


def edit(config, file, before, after):
    path = config.flows_dir / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    stamp = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(stamp, stamp))


def opened(config, **around):
    return Flowbook(config, boxes=KNOWN.boxes, skills=KNOWN.skills, **around)


def test_the_flows_that_ship_are_right():
    book, problems = read_book(HERE / "flows", HERE / "prompts", KNOWN)
    assert problems == []
    assert book.flow_for("1000") is book.flow_for("4008001234") is book.flows[0]
    assert book.flow_for("1001") is None
    assert book.language == "cmn"
    assert {rule.name for rule in book.queues} == {"service"}
    assert "order_by_number" in book.queries


def test_a_saved_change_is_taken_and_counted(config):
    flowbook = opened(config)
    first = flowbook.book
    assert first.flows[0].version == 1
    assert not flowbook.changed()

    edit(config, "hotline.yaml", "tries: 2", "tries: 4")
    assert flowbook.changed()
    assert flowbook.reload() == []

    assert not flowbook.changed()
    assert flowbook.book.flows[0].version == 2
    assert flowbook.book.flows[0].steps["main"].does.tries == 4
    assert first.flows[0].steps["main"].does.tries == 2  # for the calls that began with it


def test_a_change_beside_the_flow_leaves_its_version(config):
    flowbook = opened(config)
    edit(config, "calendars.yaml", "18:00", "20:00")
    assert flowbook.reload() == []
    assert flowbook.book.flows[0].version == 1


def test_a_wrong_change_is_refused_whole_and_the_last_good_book_goes_on(config):
    flowbook = opened(config)
    good = flowbook.book
    edit(config, "hotline.yaml", '"1": track', '"1": trak')
    edit(config, "calendars.yaml", "Asia/Shanghai", "Asia/Shangai")

    problems = flowbook.reload()

    assert [(Path(p.path).name, p.message) for p in problems] == [
        ("calendars.yaml", "office.zone: 'Asia/Shangai' is not a time zone. Did you mean 'Asia/Shanghai'?"),
        ("hotline.yaml", "main.options.1: no step 'trak'. Did you mean 'track'?"),
    ]
    assert flowbook.problems == problems
    assert flowbook.book is good

    edit(config, "hotline.yaml", '"1": trak', '"1": track')
    edit(config, "calendars.yaml", "Asia/Shangai", "Asia/Shanghai")
    assert flowbook.reload() == []
    assert flowbook.problems == []


def test_a_start_with_wrong_files_goes_on_with_the_edition_that_was_in_force_last(config):
    before = opened(config)
    edit(config, "hotline.yaml", "tries: 2", "tries: 4")
    assert before.reload() == []
    edit(config, "hotline.yaml", '"1": track', '"1": trak')
    edit(config, "queues.yaml", "ring-for: 15s", "ring-for: 20s")

    restarted = opened(config, or_last=True)

    assert [problem.message for problem in restarted.problems] == [
        "main.options.1: no step 'trak'. Did you mean 'track'?"
    ]
    assert restarted.edition == before.edition
    assert restarted.book.flows == before.book.flows
    assert restarted.book.queues == before.book.queues  # those of its time: only what was right together serves
    assert not restarted.changed()

    edit(config, "hotline.yaml", '"1": trak', '"1": track')
    assert restarted.reload() == []
    assert (restarted.problems, restarted.edition.number) == ([], 3)


def test_texts_of_the_catalogue_are_those_of_the_edition_that_serves(config):
    before = opened(config)
    library = SimpleNamespace(catalogue=None)
    (config.prompts_dir / "catalogue.yaml").write_text("welcome: [\n")
    assert opened(config, or_last=True, library=library).problems
    assert library.catalogue == before.book.prompts


def test_a_start_with_wrong_files_is_refused_where_no_edition_can_serve(config):
    text = (config.flows_dir / "hotline.yaml").read_text(encoding="utf-8")
    edit(config, "hotline.yaml", '"1": track', '"1": trak')
    with pytest.raises(UserError, match="no step 'trak'"):
        opened(config, or_last=True)
    (config.flows_dir / "hotline.yaml").write_text(text, encoding="utf-8")
    opened(config)
    edit(config, "hotline.yaml", '"1": track', '"1": trak')
    with pytest.raises(UserError, match="no step 'trak'"):
        opened(config)  # a rehearsal is of the files as they are
    with pytest.raises(UserError, match="no step 'trak'"):
        Flowbook(config, boxes=["elsewhere"], or_last=True)  # nor is the edition right any more
    (kept,) = config.data_dir.glob("flows/*/flows/hotline.yaml")
    kept.write_text(text + "# changed\n", encoding="utf-8")
    with pytest.raises(UserError, match="no step 'trak'"):
        opened(config, or_last=True)


def test_one_mistake_beside_the_flow_is_told_once(config):
    edit(config, "queues.yaml", "ring-for: 15s", "ring-for: soon")
    edit(config, "queries.yaml", "within: 1s", "within: shortly")
    (config.prompts_dir / "catalogue.yaml").write_text(
        (config.prompts_dir / "catalogue.yaml").read_text(encoding="utf-8") + "oops: {fr: bonjour}\n", encoding="utf-8"
    )
    with pytest.raises(UserError) as refused:
        opened(config)
    told = str(refused.value).splitlines()
    assert [Path(line.split(":")[0]).name for line in told] == ["queries.yaml", "queues.yaml", "catalogue.yaml"]


def test_what_flows_count_on_must_be_there(config):
    shutil.rmtree(config.flows_dir / "calendars.yaml", ignore_errors=True)
    (config.flows_dir / "calendars.yaml").unlink()
    book, problems = read_book(
        config.flows_dir,
        config.prompts_dir,
        Surroundings(boxes=["service"], skills=["cmn", "en"], capabilities=frozenset({Capability.JOIN})),
    )
    assert book is None
    assert [p.message for p in problems] == [
        "leave-message: the verb 'voicemail' needs a switch that can record; this one cannot",
        "complaint: the verb 'voicemail' needs a switch that can record; this one cannot",
        "complaint.box: no box 'complaints'. There are: service",
        "agent.calendar: no calendar 'office'. There is none: calendars.yaml beside the flows is missing or empty",
        "queue-service.skills.0: no skill 'yue'. There are: cmn or en",
        "mailbox: the verb 'mailbox' needs a switch that can record; this one cannot",
        "call-back: the verb 'transfer' needs a switch that can transfer; this one cannot",
        "closure.calendar: no calendar 'office'. There is none: calendars.yaml beside the flows is missing or empty",
        "service.calendar: no calendar 'office'. There is none",
    ]


def test_a_recording_is_as_good_as_a_text(config):
    edit(config, "hotline.yaml", "say: welcome ", "say: jingle ")
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    assert [p.message for p in problems] == [
        "welcome: no prompt 'jingle'. Write its texts into the prompts' catalogue.yaml"
    ]
    for language in ("cmn", "en"):
        (config.prompts_dir / language).mkdir()
        (config.prompts_dir / language / "jingle.wav").touch()
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    assert [p.message for p in problems] == ["welcome: the prompt 'jingle' has neither a text nor a recording in yue"]


def test_a_wrong_text_of_the_catalogue_is_told_where_it_stands(config):
    catalogue = config.prompts_dir / "catalogue.yaml"
    catalogue.write_text(
        'greeting: {en: "{{ wait | duratoin }}"}\n' + catalogue.read_text(encoding="utf-8"), encoding="utf-8"
    )
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    assert [(Path(p.path).name, p.line, p.column, p.message) for p in problems] == [
        ("catalogue.yaml", 1, 16, "greeting.en: no filter 'duratoin'. Did you mean 'duration'?")
    ]


def test_what_flows_count_on_may_change_while_the_house_runs(config):
    flowbook = opened(config)
    flowbook.surroundings = replace(flowbook.surroundings, boxes=["service"])
    assert [problem.message for problem in flowbook.reload()] == [
        "complaint.box: no box 'complaints'. There are: service"
    ]


def test_an_empty_folder_is_a_problem_and_no_crash(tmp_path):
    book, problems = read_book(tmp_path, tmp_path)
    assert book is None
    assert [p.message for p in problems] == [
        "there is no call flow in this folder",
        "there is no such file; the prompts' texts stand in it",
    ]


def test_two_flows_cannot_answer_one_number(config):
    shutil.copy(config.flows_dir / "hotline.yaml", config.flows_dir / "second.yaml")
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    assert [(Path(p.path).name, p.line, p.column) for p in problems] == [("second.yaml", 6, 10), ("second.yaml", 6, 18)]
    assert "is answered in" in problems[0].message


def test_a_prompt_id_that_stands_twice_is_told_alone(config):
    catalogue = config.prompts_dir / "catalogue.yaml"
    catalogue.write_text(catalogue.read_text().replace("\ngoodbye:", "\nwelcome:"))
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    assert [problem.message for problem in problems] == ["the key 'welcome' stands here twice; first in line 9"]


def test_what_an_editor_leaves_beside_an_open_file_is_no_flow(config):
    flowbook = opened(config)
    (config.flows_dir / ".#hotline.yaml").symlink_to("somebody@somewhere.1234")
    (config.flows_dir / ".hotline.yaml").write_text("half a fl")
    (config.flows_dir / "#hotline.yaml").write_text("half a fl")
    assert not flowbook.changed()
    assert flowbook.reload() == []
    assert flowbook.edition.number == 1


@pytest.mark.parametrize(
    ("file", "before", "after", "problem"),
    [
        ("catalogue.yaml", 'cmn: "您好', "cmn: 您好: ", "catalogue.yaml:10:10: a second ': ' in this line"),
        ("catalogue.yaml", "welcome:", "- welcome:", "catalogue.yaml:"),
        ("hotline.yaml", "languages: [cmn, yue, en]", "languages: cmn, yue, en", "write a list: [cmn, yue, en]"),
        ("hotline.yaml", "[cmn, yue, en]", "[cmn，yue，en]", "write a list: [cmn, yue, en]. '，' at character 4 is of"),
        ("hotline.yaml", "  main:\n", "  Main Menu:\n", "'Main Menu' cannot be a step's name; use words joined by"),
        ("hotline.yaml", "  main:\n", "  main-menu:\n", "no step 'main'. Did you mean 'main-menu'? It is named"),
        ("hotline.yaml", "  main:\n", "  top:\n", "welcome.next: no step 'main'."),
        ("hotline.yaml", "\nnumber:", "\n\tnumber:", "hotline.yaml:6:1: a tab stands here; indent with spaces only"),
        ("office-closure.yaml", "start:", "start", "office-closure.yaml:"),
        ("queues.yaml", "\nservice:", "\nservice", "this line is indented too far"),
        ("queues.yaml", "strategy: longest-idle", 'strategy: "longest-idle', "17:13: the quote that opens here is"),
        ("queries.yaml", "\nopen_ticket:", "\nopen_ticket", "queries.yaml:61:12: a ':' is missing here"),
        ("calendars.yaml", "  zone: Asia", '  zone: "Asia', "11:9: the quote that opens here is"),
        ("hotline.yaml", 'cmn: "您的订单', "cmn: 您的订单", '53:12: the " at the end of this was never'),
        ("hotline.yaml", '{"1": track', '{1": track', '20:17: the " at the end of this was never opened'),
        ("hotline.yaml", "    next: find-order", "\u3000\u3000next: find-order", "39:1: a blank of another kind"),
        ("hotline.yaml", "    next: find-order", "      next: find-order", "39:7: track.next: 'next' is an exit"),
        ("hotline.yaml", "    next: find-order", "    next:", "39:10: track.next: the name of a step is"),
        ("hotline.yaml", "    next: find-order", "    next:find-order", "39:9: a space is missing after ':'"),
        ("hotline.yaml", "{language: en, next", "{language:en, next", "29:21: a space is missing after ':'"),
        ("hotline.yaml", "  track:\n", "   track:\n", "33:4: this line begins with 3 spaces; with 2 or 0 it"),
        ("hotline.yaml", "  find-order:\n", "  search-order:\n", "no step 'find-order'. Did you mean 'search-order'?"),
        ("hotline.yaml", "      options: {", "      option: {", "main.option: 'option' is not known here. Did"),
        ("hotline.yaml", "      tries: 2", "      // two\n      tries: 2", "22:7: a comment begins with #"),
        ("hotline.yaml", "== 'gold'", "== gold", "for the word itself write 'gold'"),
        ("hotline.yaml", '"9": english', '"9": english, "10": agent', "for several digits there is the verb collect"),
        ("hotline.yaml", "  goodbye: {", "  tell-ticket: {say: goodbye, next: end}\n  goodbye: {", "stands here twice"),
        ("hotline.yaml", "[cmn, yue, en]", "[zh-CN, yue, en]", "languages.0: no language 'zh-CN'. Did you mean 'cmn'?"),
        ("hotline.yaml", '      cmn: "您的投诉', '      zh: "您的投诉', "no language 'zh'. Did you mean 'cmn'?"),
        ("hotline.yaml", '"{{ order_number }}"', '"${order_number}"', "for the value write {{ order_number }}"),
        ("hotline.yaml", "say: ask-order-number", "say: 请输入订单号码", "To have words said as they are, write"),
    ],
)  # fmt: skip
def test_one_slip_is_one_line(config, file, before, after, problem):
    """Nothing is said of what only follows from it, in whatever file."""
    home = config.prompts_dir if file == "catalogue.yaml" else config.flows_dir
    text = (home / file).read_text(encoding="utf-8")
    assert before in text
    (home / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    (only,) = map(str, problems)
    assert problem in only


def test_what_is_not_utf_8_is_one_line(config):
    (config.flows_dir / "queries.yaml").write_bytes("# 您好\n".encode("gb2312"))
    _, problems = read_book(config.flows_dir, config.prompts_dir, KNOWN)
    (only,) = problems
    assert only.message == "not UTF-8 text; save the file with the encoding UTF-8"
