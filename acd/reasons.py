"""flows/reasons.yaml: why agents take no calls, and the key that says so on a telephone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from config.document import Document, Written, arranged, parse
from config.values import Diagnostic
from config.wording import A_KEY, NAME, formed


@dataclass(frozen=True, slots=True)
class Reasons:
    """Every reason with its key, "" for one that only commands and consoles give; the first is meant without a key."""

    keys: Mapping[str, str]

    def by_key(self, digit: str) -> str:
        """What an agent means who pressed this key, another one, or ("") none."""
        return next((reason for reason, key in self.keys.items() if key and key == digit), next(iter(self.keys)))


USUAL = Reasons({"break": "1", "meal": "2", "meeting": "3", "training": "4"})


def load_reasons(text: str, name: str) -> tuple[Reasons | None, list[Diagnostic]]:
    """The reasons of a file, the usual ones of an empty one; or none and everything that is wrong."""
    document, problems = parse(text, name)
    if document is None:
        return None, problems
    entries, wrong = document.validate(ReasonFile)
    problems += wrong
    if entries is not None:
        problems += _keys_twice(document, entries)
    if entries is None or problems:
        return None, arranged(problems)
    return (Reasons({reason: entry.key for reason, entry in entries.items()}) if entries else USUAL), []


# --- what is written ------------------------------------------------------------------------------


class ReasonEntry(Written):
    """One reason."""

    key: Annotated[str, formed("[0-9*#]?", A_KEY)] = ""
    """What agents press for it after *13; without a key only commands and consoles can give it."""


ReasonFile = dict[Annotated[str, NAME], ReasonEntry]


def _keys_twice(document: Document, entries: Mapping[str, ReasonEntry]) -> Iterator[Diagnostic]:
    taken: dict[str, str] = {}
    for reason, entry in entries.items():
        first = taken.setdefault(entry.key, reason) if entry.key else reason
        if first != reason:
            yield document.problem((reason, "key"), f"the key {entry.key} means '{first}' already")
