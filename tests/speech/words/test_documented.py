"""The table of spoken values in docs/speech.md says what is really said."""

import re
from pathlib import Path

import pytest

from ivr.language.templates import template
from speech.words import join, languages

PAGE = Path(__file__).parents[3] / "docs" / "speech.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| `(digits|number|ordinal|money|date|time|duration)` \|", line)
]


def test_the_table_is_there():
    assert len(ROWS) > 12


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_a_row_of_the_table_is_what_is_said(row):
    filter, option, value, *said = row
    options = f"({option.strip('`')})" if option else ""
    written = f"{{{{ value | {filter.strip('`')}{options} }}}}"
    spoken = [join(template(written).speech({"value": value}, language)) for language in languages()]
    assert spoken == said
