"""A page that names a test for a promise names one that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted(CHECKOUT.glob("docs/**/*.md"))


def named(page: Path) -> set[str]:
    """Every `test_something`, `TestSomething` and `test_file.py` in backticks; an end in ... stands for any."""
    quoted = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    words = {word for text in quoted for word in re.split(r"::|/|\s|,", text)}
    return {word for word in words if re.fullmatch(r"test_\w+(\.py|_?\.\.\.)?|Test[A-Z]\w+", word)}


@pytest.fixture(scope="module")
def tests() -> tuple[frozenset[str], str]:
    files = list((CHECKOUT / "tests").rglob("test_*.py"))
    return frozenset(file.name for file in files), "\n".join(file.read_text() for file in files)


def test_pages_name_tests():
    assert any(named(page) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page, tests):
    files, text = tests
    missing = []
    for word in named(page):
        if word.endswith(".py"):
            there = word in files
        elif word.endswith("..."):
            there = re.search(rf"def {re.escape(word.removesuffix('...'))}", text) is not None
        else:
            there = re.search(rf"(def|class) {re.escape(word)}\b", text) is not None
        missing += [] if there else [word]
    assert missing == []
