"""YAML text -> checked models, or every problem at once with line, column and a suggestion.

    queues, problems = load(dict[str, Queue], text, "flows/queues.yaml")

Whoever needs to check more than one field at a time parses first and keeps the positions::

    document, problems = parse(text, "flows/hotline.yaml")
    step, wrong = document.validate(Menu, at=("steps", "main", "menu"))
    wrong.append(document.problem(("steps", "main", "otherwise"), "no step 'agnet'"))
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path as File
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from config import syntax, wording
from config.syntax import CutText, Data, Path, Position, Tree
from config.values import Diagnostic

M = TypeVar("M")

MOST_PROBLEMS = 100


def _hyphens(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Written(BaseModel):
    """A model of what people write: ``only_if_better`` is written ``only-if-better``, ``if_`` is ``if``.

    The text below a field stands in the reference pages and in editors (`config.described`).
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=_hyphens,
        populate_by_name=False,
    )


def whole(text: object) -> object:
    """The text, unless a comment cut it short. Raises ValueError."""
    if isinstance(text, CutText):
        raise ValueError(  # noqa: TRY004 - pydantic reports ValueError
            "the text ends before ' #', which begins a comment; put the whole text in quotes"
        )
    return text


SpokenText = Annotated[str, BeforeValidator(whole)]
"""A text for callers' ears, in which a ``#`` is more likely a key than the start of a comment."""


def _several(written: object) -> object:
    return [written] if isinstance(written, str) else written


OneOrSeveral = BeforeValidator(_several, json_schema_input_type=str | list[str])
"""Lets a list of one be written without its brackets."""


class Document:
    """A YAML text that could be read: its data, every scalar as text, and where each part of it stands."""

    def __init__(self, name: str, tree: Tree) -> None:
        self.name = name
        self._tree = tree

    @property
    def data(self) -> Data:
        return self._tree.data

    def get(self, path: Path) -> Any:
        """What stands at a path; KeyError where nothing does."""
        value: Any = self._tree.data
        for part in path:
            if not _has(value, part):
                raise KeyError(path)
            value = value[part]
        return value

    def at(self, path: Path, *, key: bool = False) -> Position:
        """Line and column, from 1, of a value (or of its key); of the nearest thing around it where it is absent."""
        if key and path in self._tree.keys:
            return self._tree.keys[path]
        if path in self._tree.values:
            return self._tree.values[path]
        while path:
            path = path[:-1]
            if path in self._tree.keys:
                return self._tree.keys[path]
            if path in self._tree.values:
                return self._tree.values[path]
        return 1, 1

    def problem(self, path: Path, message: str, *, key: bool = False, show: str | None = None) -> Diagnostic:
        """A problem at a path; `show` replaces the dotted path in front of the message ("" for none)."""
        where = ".".join(map(str, path)) if show is None else show
        return Diagnostic(self.name, *self.at(path, key=key), f"{where}: {message}" if where else message)

    def part(self, path: Path) -> Document:
        """What stands at a path, as a document whose problems have their places in this one."""
        return _Part(self, path)

    def changed(self, path: Path, value: Data, blame: Callable[[str], Diagnostic]) -> Document:
        """The same with another value at a path; whatever is wrong there is a problem as `blame` makes it.

        What is on the way must be there, the last name need not. Raises KeyError.
        """
        return _Changed(self, path, value, blame)

    def validate(self, kind: type[M], at: Path = (), *, without: str = "") -> tuple[M | None, list[Diagnostic]]:
        """The value at a path as a model or other annotated type, or everything that is wrong with it.

        `without` leaves one name of a mapping out, for whoever checks that part on its own.
        """
        value = self.get(at)
        if without and isinstance(value, dict):
            value = {name: inner for name, inner in value.items() if name != without}
        try:
            checked: M = _adapter(kind).validate_python(value)
        except ValidationError as error:
            found = wording.explained(error, kind, value)
        else:
            return checked, []
        return None, [
            self.problem((*at, *complaint.path), complaint.message, key=complaint.about_key) for complaint in found
        ]


class _Part(Document):
    def __init__(self, whole: Document, path: Path) -> None:
        super().__init__(whole.name, Tree(whole.get(path)))
        self._whole, self._path = whole, path

    def at(self, path: Path, *, key: bool = False) -> Position:
        return self._whole.at((*self._path, *path), key=key)

    def problem(self, path: Path, message: str, *, key: bool = False, show: str | None = None) -> Diagnostic:
        return self._whole.problem((*self._path, *path), message, key=key, show=show)


class _Changed(Document):
    def __init__(self, before: Document, path: Path, value: Data, blame: Callable[[str], Diagnostic]) -> None:
        before.get(path[:-1])
        super().__init__(before.name, Tree(_with(before.data, path, value)))
        self._before, self._path, self._blame = before, path, blame

    def at(self, path: Path, *, key: bool = False) -> Position:
        return self._before.at(path, key=key)

    def problem(self, path: Path, message: str, *, key: bool = False, show: str | None = None) -> Diagnostic:
        if path[: len(self._path)] != self._path:
            return self._before.problem(path, message, key=key, show=show)
        where = ".".join(map(str, path)) if show is None else show
        return self._blame(f"{where}: {message}" if where else message)


def _with(data: Data, path: Path, value: Data) -> Data:
    """A copy, as far as it differs, with another value at the path. Raises KeyError."""
    if not path:
        return value
    name, *rest = path
    if isinstance(data, dict):
        return {**data, str(name): _with(data.get(str(name)), tuple(rest), value)}
    if isinstance(data, list) and isinstance(name, int) and 0 <= name <= len(data):
        inner = data[name] if name < len(data) else None
        return [*data[:name], _with(inner, tuple(rest), value), *data[name + 1 :]]
    raise KeyError(path)


def parse(text: str, name: str) -> tuple[Document | None, list[Diagnostic]]:
    """The document of a text; None when it cannot be read at all. `name` is what problems call the file."""
    tree, problems = syntax.read(text, name)
    return (None if tree is None else Document(name, tree)), problems


def load(kind: type[M], text: str, name: str) -> tuple[M | None, list[Diagnostic]]:
    """The text as a model or other annotated type (``dict[str, Queue]``), or all its problems by position."""
    document, problems = parse(text, name)
    if document is None:
        return None, problems
    value, more = document.validate(kind)
    problems = arranged(problems + more)
    return (None if problems else value), problems


def read_text(file: File) -> tuple[str | None, list[Diagnostic]]:
    """The text of a UTF-8 file, or why it cannot be had. A huge file is refused without reading it."""
    name = str(file)
    try:
        size = file.stat().st_size
        if size > syntax.LONGEST * 4:
            return None, [Diagnostic(name, 1, 1, f"the file has {size:,} bytes; that is far too large")]
        return file.read_bytes().decode("utf-8"), []
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        return None, [Diagnostic(name, line, column, "not UTF-8 text; save the file with the encoding UTF-8")]
    except OSError as error:
        return None, [Diagnostic(name, 1, 1, f"cannot be read: {error.strerror}")]


def load_file(kind: type[M], file: File) -> tuple[M | None, list[Diagnostic]]:
    """`load` of a file."""
    text, problems = read_text(file)
    return load(kind, text, str(file)) if text is not None else (None, problems)


def arranged(problems: list[Diagnostic]) -> list[Diagnostic]:
    """By file and position, each once; of very many only the first."""
    found = sorted(set(problems))
    if len(found) <= MOST_PROBLEMS:
        return found
    last = found[MOST_PROBLEMS - 1]
    more = f"and {len(found) - MOST_PROBLEMS + 1} more problems from here on"
    return [*found[: MOST_PROBLEMS - 1], Diagnostic(last.path, last.line, last.column, more)]


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
