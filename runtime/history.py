"""The numbered editions of flows and of what stands beside them, kept under data-dir so that any can come back.

An edition is a folder `000012/` with the files as they were taken, and `edition.json`, which says when, and
since which edition each file has been as it is. Numbers only grow: an edition that is rolled back to comes
back under a new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

FACTS = "edition.json"
KEPT = 500  # editions; the oldest go first
FLOWS, PROMPTS = "flows", "prompts"  # the folders of an edition

Texts = Mapping[str, str]  # of the files of an edition, by names such as flows/hotline.yaml


class NoSuchEdition(Exception):
    """There is no edition of that number, or its files are not what they were; the text says which."""


@dataclass(frozen=True, slots=True)
class Edition:
    """`since` has, for each file, the edition in which it became what it is; `digests` tell whether it still is."""

    number: int
    at: str  # ISO 8601, with its zone
    since: Mapping[str, int]
    digests: Mapping[str, str]
    taken: bool = True  # False: it was never in force, and is kept because a rollback replaced it

    @classmethod
    def following(
        cls, last: Edition | None, texts: Texts, at: datetime, *, number: int = 0, taken: bool = True
    ) -> Edition:
        """The edition of some files after another one."""
        number = number or (last.number + 1 if last else 1)
        digests = {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
        same = {name for name in digests if last is not None and last.digests.get(name) == digests[name]}
        since = {name: last.since[name] if last is not None and name in same else number for name in digests}
        return cls(number, at.isoformat(timespec="seconds"), since, digests, taken)

    def same(self, texts: Texts) -> bool:
        """Whether these are the files of the edition."""
        return self.digests == {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}

    @property
    def changed(self) -> list[str]:
        """The files that this edition changed or added."""
        return sorted(name for name, number in self.since.items() if number == self.number)


class History:
    """The editions in a folder. Blocks; raises OSError where the disk refuses."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def editions(self) -> list[Edition]:
        """Every edition that can be read, the oldest first."""
        return list(filter(None, map(self._read, self._numbers())))

    def last(self) -> Edition | None:
        """The newest edition that was in force."""
        return next((one for one in map(self._read, reversed(self._numbers())) if one and one.taken), None)

    def keep(self, texts: Texts, at: datetime, *, taken: bool = True) -> Edition:
        """The edition of some files: the last one where nothing has changed since, else a new one."""
        last = self.last()
        edition = Edition.following(last, texts, at, number=max([0, *self._numbers()]) + 1, taken=taken)
        if last is not None and last.digests == edition.digests:
            return last
        self._write(edition, texts)
        for old in self._numbers()[:-KEPT]:
            shutil.rmtree(self._folder(old), ignore_errors=True)
        return edition

    def texts(self, number: int) -> dict[str, str]:
        """The files of an edition. Raises NoSuchEdition."""
        edition = self.edition(number)
        texts = {}
        for name, digest in edition.digests.items():
            try:
                texts[name] = (self._folder(number) / name).read_bytes().decode("utf-8")
            except (OSError, UnicodeDecodeError):
                raise NoSuchEdition(f"edition {number} is damaged: {name} cannot be read") from None
            if sha256(texts[name].encode()).hexdigest() != digest:
                raise NoSuchEdition(f"edition {number} is damaged: {name} was changed in {self._folder(number)}")
        return texts

    def edition(self, number: int) -> Edition:
        """Raises NoSuchEdition."""
        found = self._read(number)
        if found is None:
            numbers = self._numbers()
            known = f"there are {numbers[0]} to {numbers[-1]}" if numbers else "there is none yet"
            raise NoSuchEdition(f"no edition {number}; {known}")
        return found

    def folders(self, number: int) -> tuple[Path, Path]:
        """Where the flows and the prompts' texts of an edition stand."""
        return self._folder(number) / FLOWS, self._folder(number) / PROMPTS

    def _numbers(self) -> list[int]:
        if not self._directory.is_dir():
            return []
        return sorted(int(folder.name) for folder in self._directory.iterdir() if folder.name.isdecimal())

    def _folder(self, number: int) -> Path:
        return self._directory / f"{number:06}"

    def _read(self, number: int) -> Edition | None:
        try:
            facts = json.loads((self._folder(number) / FACTS).read_bytes())
            return Edition(number, facts["at"], facts["since"], facts["digests"], facts["taken"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self, edition: Edition, texts: Texts) -> None:
        """Whole or not at all: the folder gets its name when all is in it."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._directory, prefix=".") as scratch:
            new = Path(scratch) / "new"
            for folder in (FLOWS, PROMPTS):
                (new / folder).mkdir(parents=True)
            for name, text in texts.items():
                (new / name).write_bytes(text.encode())
            facts = {"at": edition.at, "since": edition.since, "digests": edition.digests, "taken": edition.taken}
            (new / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            new.rename(self._folder(edition.number))


def yaml_files(directory: Path) -> list[Path]:
    """The YAML files of a folder, without the hidden ones that editors leave there while a file is open."""
    return sorted(file for file in directory.glob("*.yaml") if not file.name.startswith((".", "#")))


def texts_of(flows_dir: Path, prompts_dir: Path) -> dict[str, str]:
    """The files that an edition has, as they stand in the folders now; what is no text is left out."""
    texts = {}
    for folder, directory in ((FLOWS, flows_dir), (PROMPTS, prompts_dir)):
        for file in yaml_files(directory):
            try:
                texts[f"{folder}/{file.name}"] = file.read_bytes().decode("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
    return texts


def put_back(texts: Texts, flows_dir: Path, prompts_dir: Path) -> None:
    """Makes the files in the folders those of an edition; who reads them under `whole` sees all of it or nothing."""
    directories = {FLOWS: flows_dir, PROMPTS: prompts_dir}
    with whole(flows_dir, changing=True):
        for name in texts_of(flows_dir, prompts_dir).keys() - texts.keys():
            folder, _, file = name.partition("/")
            (directories[folder] / file).unlink(missing_ok=True)
        for name, text in texts.items():
            folder, _, file = name.partition("/")
            new = directories[folder] / f".{file}.new"
            new.write_bytes(text.encode())
            new.replace(directories[folder] / file)


@contextmanager
def whole(flows_dir: Path, *, changing: bool = False) -> Iterator[None]:
    """Holds the files as they are while they are read, or for oneself while several of them change."""
    try:
        folder = os.open(flows_dir, os.O_RDONLY)
    except OSError:  # there is nothing to hold
        yield
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX if changing else fcntl.LOCK_SH)
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)  # not left to the close, which gevent puts off
        os.close(folder)
