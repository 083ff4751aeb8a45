"""The JSON Schemas for editors: current, accepting every file that ships, refusing what an editor can see."""

import json
import re

import fastjsonschema
import pytest
import yaml

from runtime.schemas import KINDS, kind_of, schema_of
from tests.docs.generated import HERE, keep_current

FILES = sorted([*(HERE / "flows").glob("*.yaml"), HERE / "prompts" / "catalogue.yaml"])


def as_editors_see(text):
    return yaml.load(text, Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_a_kind_of_file_is_current(kind):
    keep_current(f"schema/{kind}.json", json.dumps(schema_of(kind), ensure_ascii=False, indent=1) + "\n")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_that_ships_names_its_schema_and_fits_it(file):
    text = file.read_text(encoding="utf-8")
    named = re.search(r"^# yaml-language-server: \$schema=(.+)$", text, re.MULTILINE)
    assert (file.parent / named[1]).resolve() == HERE / "docs" / "schema" / f"{kind_of(file)}.json"
    fastjsonschema.compile(schema_of(kind_of(file)))(as_editors_see(text))


FLOW = """
number: "1000"
languages: [en]
start: main
steps:
  main:
    menu: {say: main-menu, options: {"1": end}, timeout: 5s}
    otherwise: end
  end: {hangup: {}}
"""
WRONG = [
    ("hangup: {}", "hangpu: {}"),
    ("    otherwise: end\n", ""),
    ("otherwise: end", "othewise: end"),
    ("timeout: 5s", "timeout: soon"),
    ("timeout: 5s", "time-out: 5s"),
    ("say: main-menu, ", ""),
    ("start: main\n", ""),
    ("start: main", "stat: main"),
]


def test_a_small_flow_fits():
    fastjsonschema.compile(schema_of("flow"))(as_editors_see(FLOW))


@pytest.mark.parametrize(("before", "after"), WRONG)
def test_what_an_editor_can_see_is_refused(before, after):
    assert before in FLOW
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        fastjsonschema.compile(schema_of("flow"))(as_editors_see(FLOW.replace(before, after, 1)))


def test_names_that_are_known_are_offered_and_others_are_marked():
    known = schema_of("flow", {"prompt": ["main-menu", "welcome"], "box": ["service"]})
    fits = fastjsonschema.compile(known)
    fits(as_editors_see(FLOW))
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        fits(as_editors_see(FLOW.replace("main-menu", "main-meun")))
    assert '"x-names"' not in json.dumps(known)
    assert '"x-names"' not in json.dumps(schema_of("flow"))
