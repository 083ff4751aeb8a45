"""Editions of the flows: numbered, whole, never lost, and known when they are no longer what they were."""

from datetime import UTC, datetime

import pytest

from runtime import history
from runtime.history import History, NoSuchEdition, put_back, texts_of

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
FIRST = {"flows/a.yaml": "a: 1\n", "flows/b.yaml": "b: 1\n", "prompts/catalogue.yaml": "hello: {en: Hello}\n"}
SECOND = {**FIRST, "flows/b.yaml": "b: 二\n"}


@pytest.fixture
def kept(tmp_path):
    return History(tmp_path / "flows")


def test_an_edition_has_a_number_and_comes_back_as_it_was(kept):
    assert kept.keep(FIRST, AT).number == 1
    assert kept.keep(SECOND, AT).number == 2
    assert kept.texts(1) == FIRST
    assert kept.texts(2) == SECOND
    assert [edition.changed for edition in kept.editions()] == [sorted(FIRST), ["flows/b.yaml"]]


def test_what_has_not_changed_is_no_new_edition(kept):
    kept.keep(FIRST, AT)
    assert kept.keep(dict(FIRST), AT).number == 1
    assert len(kept.editions()) == 1


def test_each_file_knows_since_when_it_is_as_it_is(kept):
    kept.keep(FIRST, AT)
    kept.keep(SECOND, AT)
    assert kept.keep({**SECOND, "flows/a.yaml": "a: 2\n"}, AT).since == {
        "flows/a.yaml": 3,
        "flows/b.yaml": 2,
        "prompts/catalogue.yaml": 1,
    }


def test_another_life_goes_on_with_the_numbers(kept, tmp_path):
    kept.keep(FIRST, AT)
    assert History(tmp_path / "flows").keep(SECOND, AT).number == 2


def test_what_was_never_in_force_is_kept_and_nothing_is_counted_from_it(kept):
    kept.keep(FIRST, AT)
    assert kept.keep({"flows/a.yaml": "broken"}, AT, taken=False).number == 2
    assert kept.last().number == 1
    assert kept.keep(FIRST, AT).number == 1
    assert kept.keep(SECOND, AT).since["flows/a.yaml"] == 1
    assert kept.last().number == 3


def test_an_edition_that_somebody_changed_is_not_put_back(kept, tmp_path):
    kept.keep(FIRST, AT)
    (tmp_path / "flows" / "000001" / "flows" / "a.yaml").write_text("a: 9\n")
    with pytest.raises(NoSuchEdition, match=r"edition 1 is damaged: flows/a\.yaml was changed"):
        kept.texts(1)


def test_a_number_that_there_is_not_is_told_with_those_that_there_are(kept):
    with pytest.raises(NoSuchEdition, match="no edition 3; there is none yet"):
        kept.texts(3)
    kept.keep(FIRST, AT)
    with pytest.raises(NoSuchEdition, match="no edition 3; there are 1 to 1"):
        kept.texts(3)


def test_an_edition_without_its_facts_is_passed_over_and_its_number_not_used_again(kept, tmp_path):
    kept.keep(FIRST, AT)
    kept.keep(SECOND, AT)
    (tmp_path / "flows" / "000002" / "edition.json").write_text("")
    assert kept.last().number == 1
    assert kept.keep(SECOND, AT).number == 3


def test_the_oldest_go_first(kept, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 3)
    for number in range(5):
        kept.keep({**FIRST, "flows/a.yaml": f"a: {number}\n"}, AT)
    assert [edition.number for edition in kept.editions()] == [3, 4, 5]


def test_files_are_put_back_whole_with_what_was_removed_and_without_what_was_added(tmp_path):
    flows, prompts = tmp_path / "f", tmp_path / "p"
    flows.mkdir()
    prompts.mkdir()
    put_back(FIRST, flows, prompts)
    assert texts_of(flows, prompts) == FIRST
    (flows / "a.yaml").unlink()
    (flows / "c.yaml").write_text("c: 1\n")
    (flows / "notes.txt").write_text("not ours")
    put_back(SECOND, flows, prompts)
    assert texts_of(flows, prompts) == SECOND
    assert sorted(file.name for file in flows.iterdir()) == ["a.yaml", "b.yaml", "notes.txt"]
