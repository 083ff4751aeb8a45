"""The flows in force, with everything they count on: read together, checked together, changed together.

A change that is wrong anywhere is refused whole and the last good book goes on. A call keeps the flow
that it began with, for flows never change; only the book that new calls look into does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from gevent.threadpool import ThreadPool

from acd.model import QueueRule
from acd.queues import Known, load_queues
from config.appliance import Config
from config.document import arranged, parse, read_text
from config.values import Diagnostic, UserError
from crm.catalogue import Catalogue as Queries
from crm.catalogue import load as load_queries
from ivr.language import calling, checker, reader
from ivr.language.calendars import Calendar, OpeningHours, load_calendars
from ivr.language.flow import Flow
from ivr.language.house import House, QueryFacts
from ivr.language.reader import Draft
from ivr.language.templates import Template, template
from runtime.music import pieces
from speech import words
from speech.catalogue import Catalogue as Prompts
from speech.catalogue import load as load_prompts
from speech.library import Library
from switch.port import Capability

QUEUES, CALENDARS, QUERIES = "queues.yaml", "calendars.yaml", "queries.yaml"
BESIDE = frozenset({QUEUES, CALENDARS, QUERIES})
SCENARIOS = ".test.yaml"
BUILT_IN_SOUNDS = ("beep",)  # made at set-up, the same in every language


@dataclass(frozen=True, slots=True)
class Book:
    """Everything of one state of the files. Immutable."""

    flows: tuple[Flow, ...]
    queues: tuple[QueueRule, ...]
    queries: Queries
    calendars: OpeningHours
    prompts: Prompts
    digests: Mapping[str, str]  # of each flow's text, by its name

    @property
    def language(self) -> str:
        """The house's first language, for what is said outside flows."""
        return self.flows[0].languages[0]

    def flow_for(self, dialled: str) -> Flow | None:
        """The flow that answers a dialled number."""
        return next((flow for flow in self.flows if dialled in flow.numbers), None)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What flows count on that stands in no file. None: not known, and not checked."""

    boxes: Collection[str] | None = None
    skills: Collection[str] | None = None
    music: Collection[str] | None = None
    capabilities: frozenset[Capability] = field(default_factory=lambda: frozenset(Capability))


class Flowbook:
    """The book in force, and the way to a new one. `surroundings` may be replaced; the next reload counts on them.

    Raises UserError, with every problem one a line, where the files are wrong at the start.
    """

    def __init__(
        self,
        config: Config,
        *,
        boxes: Collection[str] | None = None,
        skills: Collection[str] | None = None,
        capabilities: frozenset[Capability] = frozenset(Capability),
        library: Library | None = None,
    ) -> None:
        self._flows_dir = config.flows_dir
        self._prompts_dir = config.prompts_dir
        self.surroundings = Surroundings(boxes, skills or None, pieces(config.sounds_dir) or None, capabilities)
        self._library = library
        self._versions: dict[str, tuple[int, str]] = {}
        self._threads = ThreadPool(1)
        self._read: Mapping[Path, tuple[int, int]] = self._stamps()
        self.problems: list[Diagnostic] = []
        book, problems = read_book(self._flows_dir, self._prompts_dir, self.surroundings)
        if book is None:
            raise UserError("\n".join(map(str, problems)))
        self._book = self._numbered(book)

    @property
    def book(self) -> Book:
        return self._book

    def changed(self) -> bool:
        """Whether a file was saved, added or removed since the files were last read. Looked at off the hub."""
        return self._threads.apply(self._stamps) != self._read

    def reload(self) -> list[Diagnostic]:
        """Reads the files anew, off the hub. Takes them all, or none of them and returns what is wrong."""
        self._read = self._threads.apply(self._stamps)
        book, self.problems = self._threads.apply(read_book, (self._flows_dir, self._prompts_dir, self.surroundings))
        if book is not None:
            self._book = self._numbered(book)
            if self._library is not None:
                self._library.catalogue = book.prompts
        return self.problems

    def _numbered(self, book: Book) -> Book:
        """The same book with a version for each flow: one more than before where the flow's file has changed."""
        flows = []
        for flow in book.flows:
            number, known = self._versions.get(flow.name, (0, ""))
            if book.digests[flow.name] != known:
                self._versions[flow.name] = (number + 1, book.digests[flow.name])
            flows.append(replace(flow, version=self._versions[flow.name][0]))
        return replace(book, flows=tuple(flows))

    def _stamps(self) -> Mapping[Path, tuple[int, int]]:
        files = [*self._flows_dir.glob("*.yaml"), *self._prompts_dir.glob("*.yaml")]
        stamps = {}
        for file in files:
            try:
                stat = file.stat()
            except OSError:
                continue
            stamps[file] = (stat.st_mtime_ns, stat.st_size)
        return stamps


def read_book(
    flows_dir: Path, prompts_dir: Path, surroundings: Surroundings | None = None, *, chosen: Sequence[Path] = ()
) -> tuple[Book | None, list[Diagnostic]]:
    """The book of some folders, or every problem in any of their files. Blocks; never raises.

    `chosen` are files to read instead: flows for all flows of the folder, ``queues.yaml`` and the like
    for the folder's own.
    """
    beside = read_beside(flows_dir, prompts_dir, surroundings, chosen=chosen)
    problems = list(beside.problems)
    digests: dict[str, str] = {}
    files = [file for file in chosen if is_flow(file)] or flow_files(flows_dir)
    if not files:
        problems.append(Diagnostic(str(flows_dir), 1, 1, "there is no call flow in this folder"))
    drafts = list(_drafts(files, problems, digests))
    while needed := [file for file in _called_files(drafts, flows_dir) if file not in files]:
        files = [*files, *needed]
        drafts += _drafts(needed, problems, digests)
    if not chosen:
        problems += calling.unused(drafts)
    problems += checker.check(drafts, beside.house)
    if problems or beside.queries is None or beside.prompts is None:
        return None, arranged([replace(problem, path=short(problem.path)) for problem in problems])
    flows = calling.linked([draft.flow() for draft in drafts])
    whole = {flow.name: _digest(flow, digests) for flow in flows}
    return Book(flows, beside.queues, beside.queries, OpeningHours(beside.calendars), beside.prompts, whole), []


def _digest(flow: Flow, digests: Mapping[str, str]) -> str:
    """Of a flow's text and those of all that it calls: a change of one is a change of the other."""
    if not flow.calls:
        return digests[flow.name]
    texts = [digests[flow.name], *(_digest(one, digests) for one in flow.calls.values())]
    return sha256("".join(texts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the flows, as far as it could be read; `house` has the names of the rest as well."""

    queues: tuple[QueueRule, ...]
    queries: Queries | None
    calendars: Mapping[str, Calendar]
    prompts: Prompts | None
    house: House
    problems: tuple[Diagnostic, ...]


def read_beside(
    flows_dir: Path, prompts_dir: Path, surroundings: Surroundings | None = None, *, chosen: Sequence[Path] = ()
) -> Beside:
    """All that flows count on, of some folders. Blocks; never raises."""
    around = surroundings or Surroundings()
    problems: list[Diagnostic] = []
    instead = {file.name: file for file in chosen}
    queue_file, query_file, calendar_file = (
        _beside(instead.get(name, flows_dir / name), problems) for name in (QUEUES, QUERIES, CALENDARS)
    )
    queries, wrong_queries = load_queries(*query_file)
    calendars, wrong_calendars = load_calendars(*calendar_file)
    prompts, wrong_prompts = load_prompts(prompts_dir)
    texts, wrong_texts = _prompt_templates(prompts, prompts_dir)
    known = Known(skills=around.skills, prompts=texts, music=around.music)
    queues, wrong_queues = load_queues(*queue_file, known)
    house = House(
        prompts=texts,
        languages=words.languages(),
        queues=[rule.name for rule in queues] if not wrong_queues else _names(*queue_file),
        queue_prompts={rule.name: rule.prompts for rule in queues},
        queries=_facts(queries) if queries is not None else dict.fromkeys(_names(*query_file), QueryFacts(frozenset())),
        calendars=list(calendars) if not wrong_calendars else _names(*calendar_file),
        skills=_skills(around.skills, queues),
        boxes=around.boxes,
        capabilities=around.capabilities,
    )
    problems += [*wrong_queues, *wrong_queries, *wrong_calendars, *wrong_prompts, *wrong_texts]
    return Beside(queues, queries, calendars, prompts, house, tuple(problems))


def _called_files(drafts: Sequence[Draft], flows_dir: Path) -> list[Path]:
    """The flows that some flows call and that were not read with them."""
    names = dict.fromkeys(name for draft in drafts for name in calling.called(draft))
    read = {draft.name for draft in drafts}
    files = [flows_dir / f"{name}.yaml" for name in names if name not in read]
    return [file for file in files if is_flow(file) and file.is_file()]


def flow_files(flows_dir: Path) -> list[Path]:
    """The files of a folder that are call flows."""
    return sorted(filter(is_flow, flows_dir.glob("*.yaml")))


def is_flow(file: Path) -> bool:
    return file.name not in BESIDE and not file.name.endswith(SCENARIOS)


def scenario_files(flows_dir: Path) -> list[Path]:
    return sorted(flows_dir.glob(f"*{SCENARIOS}"))


def _drafts(files: Sequence[Path], problems: list[Diagnostic], digests: dict[str, str]) -> Iterator[Draft]:
    for file in files:
        text, wrong = read_text(file)
        problems += wrong
        if text is None:
            continue
        digests[file.stem] = sha256(text.encode()).hexdigest()
        document, wrong = parse(text, str(file))
        problems += wrong
        if document is not None:
            yield reader.read(document)


def _names(text: str, name: str) -> list[str]:
    """The names in a file that is wrong somewhere, so that one mistake is not told as many."""
    document, _ = parse(text, name)
    return list(document.data) if document is not None and isinstance(document.data, dict) else []


def _facts(queries: Queries) -> dict[str, QueryFacts]:
    return {
        name: QueryFacts(frozenset(query.returns), query.parameters, query.writes) for name, query in queries.items()
    }


def short(path: str) -> str:
    """A path as a person in this folder would write it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _beside(file: Path, problems: list[Diagnostic]) -> tuple[str, str]:
    """The text of a file that there need not be, and its name."""
    if not file.exists():
        return "{}", str(file)
    text, wrong = read_text(file)
    problems += wrong
    return text if text is not None else "{}", str(file)


def _prompt_templates(
    prompts: Prompts | None, prompts_dir: Path
) -> tuple[dict[str, dict[str, Template | None]], list[Diagnostic]]:
    """Every prompt by language, with its text as a template; None where only a recording exists."""
    catalogue = prompts_dir / "catalogue.yaml"
    everywhere: dict[str, Template | None] = dict.fromkeys(words.languages())
    found = {name: dict(everywhere) for name in BUILT_IN_SOUNDS}
    for language in words.languages():
        folder = prompts_dir / language
        for recording in folder.rglob("*.wav"):
            found.setdefault(recording.relative_to(folder).with_suffix("").as_posix(), {})[language] = None
    if prompts is None:
        text, _ = read_text(catalogue)
        return {**found, **{name: dict(everywhere) for name in _names(text or "", str(catalogue))}}, []
    wrong: dict[tuple[str, str], str] = {}
    for prompt, texts in prompts.texts.items():
        for language, written in texts.items():
            try:
                found.setdefault(prompt, {})[language] = template(written)
            except ValueError as error:
                wrong[prompt, language] = str(error)
    return found, list(_placed(wrong, catalogue)) if wrong else []


def _placed(wrong: Mapping[tuple[str, str], str], file: Path) -> Iterator[Diagnostic]:
    text, _ = read_text(file)
    document, _ = parse(text or "", str(file))
    for path, message in wrong.items():
        if document is not None:
            yield document.problem(path, message)


def _skills(known: Collection[str] | None, queues: Sequence[QueueRule]) -> Collection[str] | None:
    """The skills that exist: those of agents, or nobody knows; those that queues ask for count as well."""
    return None if known is None else {*known, *(skill for rule in queues for skill in rule.skills)}
