"""The reference page of every verb says what the verb's model says, and its example can be read."""

import pytest

from config.described import texts
from config.document import parse
from ivr.language import reference
from ivr.language.reader import read
from ivr.steps import verbs
from tests.docs.generated import HERE, keep_current

VERBS = sorted(verbs())


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_of_a_verb_is_current(verb):
    keep_current(f"verbs/{verb}.md", reference.page(verbs()[verb]))


def test_the_page_of_all_verbs_is_current_and_there_is_no_page_of_any_other():
    keep_current("verbs/README.md", reference.index(verbs()))
    assert {page.stem for page in (HERE / "docs" / "verbs").glob("*.md")} == {*VERBS, "README"}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_what_each_of_its_fields_and_exits_is_for(verb):
    step = verbs()[verb]
    silent = sorted(step.model_fields.keys() - texts(step).keys())
    assert silent == [], "write a text below each field"
    assert [name for name, exit in step.exits.items() if not exit.about] == [], "write Exit(about=...)"


@pytest.mark.parametrize("verb", VERBS)
def test_the_example_of_a_verb_can_be_read(verb):
    example = reference.example(verbs()[verb])
    assert f"{verb}:" in example, "write an example into the docstring: a step, indented"
    steps = "\n".join(f"  {line}" for line in example.splitlines())
    document, problems = parse(f'number: "1"\nlanguages: [cmn]\nstart: x\nsteps:\n{steps}\n', "example.yaml")
    assert problems == []
    draft = read(document)
    assert draft.problems == []
    assert draft.whole
