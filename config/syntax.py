"""YAML text -> plain data with positions, or what is wrong with the text in words for whoever wrote it.

Every scalar stays text (`None` where nothing was written), so that ``010``, ``no``, ``17:30:00`` and
``+44 20`` mean what they look like. Tags, anchors and aliases are refused, which leaves no way to
write a small file that becomes a huge one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from config import signs
from config.values import Diagnostic

Path = tuple[str | int, ...]
Position = tuple[int, int]
Data = dict[str, Any] | list[Any] | str | None

LONGEST = 1_000_000  # characters; the largest real flow is a tenth of it
DEEPEST = 30
NEAR = 20  # lines behind the place that the parser names, in which the slip is looked for
MOST = 20_000  # names and values in one file; a flow of 500 steps has half of it

_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML 1.1 ends a line with
_OPEN_TEMPLATE = re.compile(r"(?:^|[:,\-\[{?]\s*)(\{\{)")
_HASH_VALUE = re.compile(r"^\s*[\w-]+:\s+(#)\s*$")
_HASH_KEY = re.compile(r"^\s*(#)\s*:\s")


class CutText(str):
    """A text without quotes that a `` #`` ends: what follows on its line is a comment, perhaps unintended."""

    __slots__ = ()


@dataclass(slots=True)
class Tree:
    """What a text says, and where: positions of values and of the keys that name them."""

    data: Data = None
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)


class _Refused(Exception):
    """The text cannot be read on; `at` is its position."""

    def __init__(self, at: Position, message: str) -> None:
        super().__init__(message)
        self.at = at


def read(text: str, name: str) -> tuple[Tree | None, list[Diagnostic]]:
    """The tree of a text; None when it is not YAML. Duplicate keys are reported and the first one kept."""
    builder = _Builder(_LINE_END.split(text) if len(text) <= LONGEST else [])
    try:
        tree = builder.build(text)
    except _Refused as refused:
        tree = None
        builder.problems.append((refused.at, str(refused)))
    return tree, [Diagnostic(name, *at, message) for at, message in sorted(builder.problems)]


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read; `key` is the mapping's key that waits for its value.

    `again` is what a key has that stands there a second time: told once, it is not told of all that is in it.
    """

    path: Path
    data: dict[str, Any] | list[Any]
    key: str | None = None
    again: bool = False


class _Builder:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._tree = Tree()
        self._open: list[_Open] = []
        self._nodes = 0
        self._long_quote: tuple[Position, Position] | None = None  # the last text in quotes over several lines
        self.problems: list[tuple[Position, str]] = []

    def build(self, text: str) -> Tree:
        if len(text) > LONGEST:
            raise _Refused((1, 1), f"the file has {len(text):,} characters; at most {LONGEST:,} are read")
        self._refuse_unreadable(text)
        self._find_hash_keys()
        documents = 0
        for event in self._events(text):
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise _Refused(_at(event.start_mark), "'---' begins a second document; only one is read")
                case yaml.NodeEvent():
                    self._node(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._open.pop()
        if not documents:
            self._tree.data = {}
        return self._tree

    def _events(self, text: str) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _Refused(*(self._closed_late(error) or _explained(error, self._lines))) from error
        except yaml.YAMLError as error:
            raise _Refused((1, 1), f"not YAML: {error}") from error

    def _closed_late(self, error: yaml.MarkedYAMLError) -> tuple[Position, str] | None:
        """A quote that was forgotten is closed by the next one, and what stands behind that one fits nothing."""
        if self._long_quote is None or error.problem_mark is None:
            return None
        opened, closed = self._long_quote
        if _at(error.problem_mark)[0] != closed[0]:
            return None
        return opened, f"the quote that opens here is closed in line {closed[0]} only; is one missing in this line?"

    def _refuse_unreadable(self, text: str) -> None:
        if not _UNREADABLE.search(text, text.startswith("\ufeff")):
            return
        for number, line in enumerate(self._lines, 1):
            if found := _UNREADABLE.search(line, 1 if number == 1 and line.startswith("\ufeff") else 0):
                code = f"U+{ord(found[0]):04X}"
                raise _Refused((number, found.start() + 1), f"a character that no editor shows ({code}); remove it")

    def _find_hash_keys(self) -> None:
        """``#: agent`` is a comment to YAML, and so is the sign in ``end: #``."""
        for number, line in enumerate(self._lines, 1):
            if found := _HASH_KEY.match(f"{line} "):
                self.problems.append(((number, found.start(1) + 1), _QUOTE_HASH))
            elif found := _HASH_VALUE.match(line):
                self.problems.append(((number, found.start(1) + 1), _QUOTE_LONE_HASH))

    def _node(self, event: yaml.NodeEvent) -> None:
        at = _within(_at(event.start_mark), self._lines)
        self._refuse_references(event, at)
        self._nodes += 1
        if self._nodes > MOST:
            raise _Refused(at, f"the file holds more than {MOST:,} names and values")
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.data, dict) and parent.key is None:
            self._key(parent, event, at)
            return
        path = self._path(parent)
        new = path not in self._tree.values
        value = self._begin(event, path, at, again=not new or (parent is not None and parent.again))
        if new:
            self._tree.values[path] = at
        self._place(parent, value, new=new)

    def _key(self, parent: _Open, event: yaml.NodeEvent, at: Position) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            template = _open_template(at, at, self._lines)
            raise _Refused(*(template or (at, "a key must be a word, not a list or a mapping")))
        if not event.style and (found := re.match(r"[\w-]+(:)(?!//)", event.value)):
            raise _Refused((at[0], at[1] + found.start(1)), "a space is missing after ':'")
        if not event.style and (found := re.match(r"[A-Za-z0-9_.-]+(：)", event.value)):
            raise _Refused((at[0], at[1] + found.start(1)), f"{signs.named('：')} and a space behind it")
        if not event.style and event.value[:1].isspace():  # YAML knows of no other blanks
            raise _Refused(at, _other_blank(event.value[0]))
        parent.key = self._quotes_matched(event, at)
        path = (*parent.path, parent.key)
        if path in self._tree.keys:
            if parent.again:
                return
            first = self._tree.keys[path][0]
            self.problems.append((at, f"the key '{_clipped(event.value)}' stands here twice; first in line {first}"))
        else:
            self._tree.keys[path] = at

    def _path(self, parent: _Open | None) -> Path:
        if parent is None:
            return ()
        if isinstance(parent.data, dict):
            return (*parent.path, str(parent.key))
        return (*parent.path, len(parent.data))

    def _begin(self, event: yaml.NodeEvent, path: Path, at: Position, *, again: bool) -> Data:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, at)
        if len(self._open) >= DEEPEST:
            raise _Refused(at, f"brackets or indentation nested more than {DEEPEST} deep")
        data: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Open(path, data, again=again))
        return data

    def _quotes_matched(self, event: yaml.ScalarEvent, at: Position) -> str:
        """The text; of one without quotes around it a problem is told, and the rest taken, where one stands alone."""
        text: str = event.value
        if event.style or '"' not in text or text.count('"') % 2 == 0:
            return text
        if text[0] in "“”":
            self.problems.append((at, f"'{text[0]}' is of another keyboard; write \""))
        elif text.endswith('"'):
            self.problems.append((at, 'the " at the end of this was never opened; write one before it as well'))
        else:
            self.problems.append((at, "a lone \" stands in this text; put the whole text in '...'"))
        return text.strip('"“”')

    def _scalar(self, event: yaml.ScalarEvent, at: Position) -> str | None:
        end = _at(event.end_mark)
        if event.style in {"'", '"'} and end[0] > at[0]:
            self._long_quote = at, end
        if event.style or event.implicit == (False, True):
            return event.value
        if (matched := self._quotes_matched(event, at)) != event.value:
            return matched
        cut = re.match(r"\s+#", self._line(end[0])[end[1] - 1 :]) is not None
        if not event.value:
            return None
        return CutText(event.value) if cut else event.value

    def _place(self, parent: _Open | None, value: Data, *, new: bool) -> None:
        if parent is None:
            self._tree.data = value
        elif isinstance(parent.data, list):
            parent.data.append(value)
        else:
            if new:
                parent.data[str(parent.key)] = value
            parent.key = None

    def _refuse_references(self, event: yaml.NodeEvent, at: Position) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(at, "a text cannot begin with * (YAML takes it for an alias); put it in quotes")
        if event.anchor is not None:
            raise _Refused(at, "a text cannot begin with & (YAML takes it for an anchor); put it in quotes")
        if getattr(event, "tag", None) is not None:
            raise _Refused(at, "a text cannot begin with ! (YAML takes it for a tag); put it in quotes")

    def _line(self, number: int) -> str:
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""


def _at(mark: Any) -> Position:
    return mark.line + 1, mark.column + 1


def _clipped(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


# --- the parser's complaints, in words for whoever wrote the file ---------------------------------

_QUOTE_TEMPLATE = 'a text that begins with {{ must stand in quotes: "{{ ... }}"'
_QUOTE_HASH = 'the key # must stand in quotes: "#"; without them the rest of the line is a comment'
_QUOTE_LONE_HASH = 'the sign # must stand in quotes: "#"; without them the rest of the line is a comment'
_QUOTE_STAR = 'the key * must stand in quotes: "*"'


def _explained(error: yaml.MarkedYAMLError, lines: list[str]) -> tuple[Position, str]:
    at = _within(_at(error.problem_mark) if error.problem_mark else (1, 1), lines)
    since = _within(_at(error.context_mark) if error.context_mark else at, lines)
    problem, context = str(error.problem), str(error.context or "")
    return (
        _open_template(at, since, lines)
        or _other_keyboard(since, at, lines)
        or _indented_otherwise(at, lines)
        or _foreign_comment(at, since, lines)
        or _unquoted_sign(context, since, at, lines)
        or _colon(problem, at, lines)
        or _indented_in_between(problem, at, lines)
        or _unclosed(problem, context, at, since)
        or _no_colon(problem, since, lines)
        or (at, f"this cannot be read here: {problem}")
    )


def _within(at: Position, lines: list[str]) -> Position:
    """The parser places what is missing at the end, or unfinished, on the line after the last."""
    return at if at[0] <= len(lines) else (len(lines), len(lines[-1]) + 1)


def _open_template(at: Position, since: Position, lines: list[str]) -> tuple[Position, str] | None:
    for number in dict.fromkeys((since[0], at[0])):
        if found := _OPEN_TEMPLATE.search(lines[number - 1]):
            return (number, found.start(1) + 1), _QUOTE_TEMPLATE
    return None


def _other_keyboard(since: Position, at: Position, lines: list[str]) -> tuple[Position, str] | None:
    for number in dict.fromkeys((*range(max(1, since[0] - 1), min(at[0], since[0] + NEAR) + 1), at[0])):
        if found := signs.in_line(lines[number - 1]):
            return (number, found[0]), found[1]
    return None


def _indented_otherwise(at: Position, lines: list[str]) -> tuple[Position, str] | None:
    """By a tab, or by a blank that only looks like one: of a Chinese keyboard, or out of a web page."""
    for number in (at[0], at[0] - 1):
        line = lines[number - 1] if number > 0 else ""
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent:
            return (number, indent.index("\t") + 1), "a tab stands here; indent with spaces only"
        if other := indent.strip(" "):
            return (number, indent.index(other[0]) + 1), _other_blank(other[0])
    return None


def _other_blank(sign: str) -> str:
    return f"a blank of another kind (U+{ord(sign):04X}) stands here; indent with plain spaces only"


def _foreign_comment(at: Position, since: Position, lines: list[str]) -> tuple[Position, str] | None:
    """Of another language; YAML takes it for a text that goes on in the next line."""
    for number in dict.fromkeys((since[0], at[0] - 1, at[0])):
        line = lines[number - 1] if number > 0 else ""
        if line.lstrip().startswith(("//", "/*", "-- ")):
            return (number, len(line) - len(line.lstrip()) + 1), "a comment begins with #"
    return None


def _unquoted_sign(context: str, since: Position, at: Position, lines: list[str]) -> tuple[Position, str] | None:
    if context.endswith("scanning an alias"):
        is_key = lines[since[0] - 1][since[1] :].lstrip().startswith(":")
        return since, _QUOTE_STAR if is_key else "a text cannot begin with *; put it in quotes"
    if context.endswith("scanning an anchor"):
        return since, "a text cannot begin with &; put it in quotes"
    if "flow" in context and (found := _hash_among_brackets(since, at, lines)):
        return found
    sign = lines[at[0] - 1][at[1] - 1 : at[1]]
    if sign in {"@", "`", "%"}:
        return at, f"a text cannot begin with {sign}; put it in quotes"
    if sign == "\t":
        return at, "a tab stands here; write a space"
    return None


def _hash_among_brackets(since: Position, at: Position, lines: list[str]) -> tuple[Position, str] | None:
    for number in range(max(1, since[0] - 1), min(at[0], since[0] + NEAR) + 1):
        for pattern, message in ((r"[\s{,](#)\s*:", _QUOTE_HASH), (r"[:,\[]\s+(#)\s*[,}\]]", _QUOTE_LONE_HASH)):
            if found := re.search(pattern, lines[number - 1]):
                return (number, found.start(1) + 1), message
    return None


def _colon(problem: str, at: Position, lines: list[str]) -> tuple[Position, str] | None:
    if not problem.startswith("mapping values are not allowed"):
        return None
    if ": " in lines[at[0] - 1][: at[1] - 1]:
        return at, "a second ': ' in this line; a text that contains ': ' must stand in quotes"
    above = at[0] - 1
    while above > 0 and not lines[above - 1].strip():
        above -= 1
    before = lines[above - 1] if above else ""
    if found := re.search(r"^\s*[\w-]+(:)\S", before):
        return (above, found.start(1) + 1), "a space is missing after ':'"
    indent = len(lines[at[0] - 1]) - len(lines[at[0] - 1].lstrip())
    return (at[0], indent + 1), "this line is indented too far, or the line above not far enough or without its ':'"


def _no_colon(problem: str, since: Position, lines: list[str]) -> tuple[Position, str] | None:
    if "could not find expected ':'" not in problem:
        return None
    line = lines[since[0] - 1]
    if found := re.match(r"\s*(?:- +)?[\w-]+(:)\S", line):
        return (since[0], found.start(1) + 1), "a space is missing after ':'"
    return (since[0], len(line.rstrip()) + 1), "a ':' is missing here"


def _indented_in_between(problem: str, at: Position, lines: list[str]) -> tuple[Position, str] | None:
    """A line that begins where none of those that it could belong to do."""
    own = at[1] - 1
    if "expected key" not in problem or lines[at[0] - 1][:own].strip() or lines[at[0] - 1][own:].startswith("- "):
        return None
    fitting: list[int] = []
    for line in reversed(lines[: at[0] - 1]):
        indent = len(line) - len(line.lstrip(" "))
        if _says(line) and (not fitting or indent < fitting[-1]):
            fitting.append(indent)
    if not fitting or own in fitting:
        return None
    if moved := _moved_out(lines, at[0], own):
        return (moved, 1), f"this line begins with {_spaces(0)}; with {own} it would fit what stands above"
    wanted = " or ".join(", ".join(map(str, fitting[:3])).rsplit(", ", 1))
    return at, f"this line begins with {_spaces(own)}; with {wanted} it would fit what stands above"


def _moved_out(lines: list[str], number: int, own: int) -> int:
    """The line above that began like this one before it was moved to the edge; 0 where there is none.

    It stands among lines that begin as this one, and what belongs to it begins as what belongs to them.
    """
    above = [(nr, len(line) - len(line.lstrip(" "))) for nr, line in enumerate(lines[: number - 1], 1) if _says(line)]
    place = next((place for place in reversed(range(len(above))) if above[place][1] < own), 0)
    before, (moved, indent), inside = above[:place], above[place], above[place + 1 :]
    begins = next((indent for _, indent in reversed(before) if indent <= own), 0)
    deeper = {indent for _, indent in before}
    return moved if indent == 0 and begins == own and (not inside or inside[0][1] in deeper) else 0


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _spaces(count: int) -> str:
    return f"{count or 'no'} space{'' if count == 1 else 's'}"


_BRACKETS = {"',' or '}'": "a comma, or the closing }", "',' or ']'": "a comma, or the closing ]"}


def _unclosed(problem: str, context: str, at: Position, since: Position) -> tuple[Position, str] | None:
    if "quoted scalar" in context:
        if "escape" in problem:
            return at, "a backslash inside \"...\" begins an escape; write '...' instead, or two backslashes"
        return since, "the quote that opens here is never closed"
    for wanted, words in _BRACKETS.items():
        if wanted in problem:
            return at, f"{words} is missing before this; it was opened in line {since[0]}, column {since[1]}"
    if "expected key" in problem or "expected '-'" in problem or "expected <document start>" in problem:
        return at, "this does not fit what stands above: check its indentation, quotes and brackets"
    if "block scalar" in context:
        return since, "a text that begins with | or > must stand in quotes"
    return None
