"""Pages that are made of the code: written anew by `make docs`, compared by every run of the tests."""

import os
from pathlib import Path

HERE = Path(__file__).parents[2]


def keep_current(page, text):
    """Compares a page of docs/ with what it must say now, or writes it where HOTLINE_WRITE_DOCS is set."""
    file = HERE / "docs" / page
    if os.environ.get("HOTLINE_WRITE_DOCS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), f"docs/{page} is missing; write it with: make docs"
    assert file.read_text(encoding="utf-8") == text, f"docs/{page} is out of date; write it anew with: make docs"
