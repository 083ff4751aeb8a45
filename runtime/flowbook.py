"""The flows in force, with everything they count on: read together, checked together, changed together.

A change that is wrong anywhere is refused whole and the last good book goes on. A call keeps the flow
that it began with, for flows never change; only the book that new calls look into does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from acd.model import QueueRule
from acd.queues import Known, load_queues
from acd.reasons import USUAL, Reasons, load_reasons
from config.appliance import Config
from config.document import arranged, parse, read_text
from config.values import Diagnostic, UserError
from config.wording import choices
from crm.addresses import Network, is_address, may_ask
from crm.catalogue import Catalogue as Queries
from crm.catalogue import load as load_queries
from ivr.language import calling, checker, reader
from ivr.language.calendars import Calendar, OpeningHours, load_calendars
from ivr.language.destinations import Destinations, NotAllowed
from ivr.language.flow import Flow
from ivr.language.house import House, QueryFacts, Unread
from ivr.language.reader import Draft
from runtime import flow_reader, house_prompts
from runtime.history import FLOWS, Edition, History, NoSuchEdition, Texts, texts_of, whole, yaml_files
from runtime.music import pieces
from runtime.query_trial import QueryTrial
from speech import words
from speech.catalogue import Catalogue as Prompts
from speech.catalogue import load as load_prompts
from switch.port import Capability
from switch.shared.clock import Clock, RealClock

if TYPE_CHECKING:
    from speech.library import Library

T = TypeVar("T")

QUEUES, CALENDARS, QUERIES, REASONS = "queues.yaml", "calendars.yaml", "queries.yaml", "reasons.yaml"
BESIDE = frozenset({QUEUES, CALENDARS, QUERIES, REASONS})
QUERY_TEXT = f"{FLOWS}/{QUERIES}"  # among the texts of an edition
SCENARIOS = ".test.yaml"
EDITIONS = "flows"  # under data-dir
BIG = 100_000  # bytes; what is larger would compete with the calls for the processor for too long
TRIES = 3  # to read files that someone is saving


@dataclass(frozen=True, slots=True)
class Book:
    """Everything of one state of the files. Immutable."""

    flows: tuple[Flow, ...]
    queues: tuple[QueueRule, ...]
    queries: Queries
    calendars: OpeningHours
    prompts: Prompts
    reasons: Reasons = USUAL
    remarks: tuple[Diagnostic, ...] = ()  # what is right in the flows and yet does nothing here

    @property
    def language(self) -> str:
        """The house's first language, for what is said outside flows."""
        return self.flows[0].languages[0]

    def flow_for(self, dialled: str) -> Flow | None:
        """The flow that answers a dialled number."""
        return next((flow for flow in self.flows if dialled in flow.numbers), None)

    def unanswered(self, dialled: str) -> str:
        """That no flow answers a number, and which numbers are answered."""
        numbers = choices(number for flow in self.flows for number in flow.numbers)
        return f"no flow answers {dialled}; {f'dial {numbers}' if numbers else 'none has a number'}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What flows count on that stands in no file. None: not known, and not checked."""

    boxes: Collection[str] | None = None
    skills: Collection[str] | None = None
    music: Collection[str] | None = None
    capabilities: frozenset[Capability] = field(default_factory=lambda: frozenset(Capability))
    understood: Collection[str] | None = None  # languages with a recogniser
    phones: Collection[str] | None = None  # accounts of agents' telephones
    destinations: Destinations | None = None
    private: Sequence[Network] = ()  # networks of our own that web services may be asked in

    def refused(self, to: str) -> str:
        """Why nobody may be transferred there; "" where it is allowed, or not known."""
        if self.destinations is None:
            return ""
        try:
            self.destinations.address(to, is_agent=lambda phone: self.phones is None or phone in self.phones)
        except NotAllowed as error:
            return str(error)
        return ""

    def unreachable(self, host: str) -> str:
        """Why a web host may not be asked, as far as its name alone tells."""
        address = "127.0.0.1" if host == "localhost" else host
        if not is_address(address) or may_ask(address, self.private):
            return ""
        return f"{host} is of our own network, which web.private in appliance.yaml does not allow"


def surroundings(
    config: Config,
    *,
    boxes: Collection[str] | None = None,
    skills: Collection[str] | None = None,
    phones: Collection[str] | None = None,
    capabilities: frozenset[Capability] = frozenset(Capability),
) -> Surroundings:
    """What flows can count on under a configuration."""
    return Surroundings(
        boxes,
        skills or None,
        pieces(config.sounds_dir) or None,
        capabilities,
        config.speech.recognition,
        phones,
        destinations(config),
        config.web.private,
    )


def destinations(config: Config) -> Destinations:
    """Where callers may be transferred to under a configuration."""
    rules = config.transfers
    return Destinations(config.country, rules.agents, rules.allowed, rules.refused, rules.numbers)


class Flowbook:
    """The book in force, and the way to a new one. `surroundings` may be replaced; the next reload counts on them.

    Every book that was in force is kept as a numbered edition; `trouble` says when that is not possible. New
    queries are tried in the CRM before they are taken; `doubts` says of which in force it is not known that they work.
    Where the files are wrong at the start, `or_last` takes the edition that was in force last, whole, and `problems`
    says why. Raises UserError, with every problem one a line, where that may not be or is not right today either.
    """

    def __init__(
        self,
        config: Config,
        *,
        boxes: Collection[str] | None = None,
        skills: Collection[str] | None = None,
        phones: Collection[str] | None = None,
        capabilities: frozenset[Capability] = frozenset(Capability),
        library: Library | None = None,
        clock: Clock | None = None,
        or_last: bool = False,
    ) -> None:
        self._flows_dir = config.flows_dir
        self._prompts_dir = config.prompts_dir
        self.surroundings = surroundings(config, boxes=boxes, skills=skills, phones=phones, capabilities=capabilities)
        self._library = library
        self._clock = clock or RealClock()
        self._history = History(config.data_dir / EDITIONS)
        self._threads = ThreadPool(1)
        self._one_at_a_time = BoundedSemaphore(1)
        self._trial = QueryTrial(config.crm.url, self._clock, self._threads)
        self._editions: dict[int, Book | None] = {}  # earlier ones that calls still need
        self._seen = self._read = self._stamps()
        self.trouble = ""
        found = read_files(self._flows_dir, self._prompts_dir, self.surroundings)
        self.problems = found.problems
        if found.book is not None:
            edition = self._kept(found.texts, None)
            book, texts = numbered(found.book, edition), found.texts
        elif or_last and (last := self._last()) is not None:
            book, edition, texts = last
        else:
            raise UserError("\n".join(map(str, found.problems)))
        self._queries = texts.get(QUERY_TEXT, "")
        self._take(book, edition)

    @property
    def book(self) -> Book:
        return self._book

    @property
    def doubts(self) -> Sequence[str]:
        """Queries in force that the CRM cannot run as they are, or why it could not be asked."""
        return self._trial.doubts

    def changed(self) -> bool:
        """Whether a file was saved, added or removed since the files were last read. Looked at off the hub."""
        self._seen = self._threads.apply(self._stamps)
        return self._seen != self._read

    def saved(self) -> bool:
        """Whether there is a change that nobody is still writing: the files are as they were at the last look."""
        before = self._seen
        return self.changed() and self._seen == before

    def reload(self) -> list[Diagnostic]:
        """Reads the files anew, off the hub. Takes them all, or none of them and returns what is wrong."""
        with self._one_at_a_time, self._clock.working():
            for _ in range(TRIES):
                stamps = self._threads.apply(self._stamps)
                found = self._found()
                if self._threads.apply(self._stamps) == stamps:
                    break
            else:
                self.problems = [_problem(self._flows_dir, "the files changed again and again while they were read")]
                return self.problems
            found = self._tried(found)
            self._read, self.problems = stamps, found.problems
            if found.book is not None:
                self._queries = found.texts.get(QUERY_TEXT, "")
                edition = self._threads.apply(self._kept, (found.texts, self.edition))
                self._take(numbered(found.book, edition), edition)
        return self.problems

    def try_queries(self) -> None:
        """Asks the CRM of the queries in force, where that is due. Blocks its greenlet alone; raises nothing."""
        with self._one_at_a_time:
            self._trial.look(self._queries, short(str(self._flows_dir / QUERIES)), self._book.queries)

    def book_of(self, flow: str, version: int) -> Book | None:
        """The book in which a flow had that version, for a call that began with it; None where it is not known."""
        if any((one.name, one.version) == (flow, version) for one in self._book.flows):
            return self._book
        with self._clock.working():
            found: Book | None = self._threads.apply(self._earlier, (flow, version))
        return found

    def _take(self, book: Book, edition: Edition) -> None:
        self._book, self.edition = book, edition
        if self._library is not None:
            self._library.catalogue = book.prompts

    def _found(self) -> Found:
        """The files as they are now: small ones read beside the calls, big ones in a process of their own."""
        files = (self._flows_dir, self._prompts_dir, self.surroundings)
        if sum(size for _, size in self._threads.apply(self._stamps).values()) <= BIG:
            found: Found = self._threads.apply(read_files, files)
            return found
        try:
            return flow_reader.found(flow_reader.read_apart(*files), self._threads)
        except flow_reader.ReaderFailed as error:
            return Found(None, [_problem(self._flows_dir, str(error))], {})

    def _tried(self, found: Found) -> Found:
        """The same, without its book where the CRM says that a new query cannot work."""
        if found.book is None:
            return found
        text, name = found.texts.get(QUERY_TEXT, ""), short(str(self._flows_dir / QUERIES))
        problems = self._trial.against(text, name, found.book.queries, self._book.queries)
        return replace(found, book=None, problems=problems) if problems else found

    def _kept(self, texts: Texts, last: Edition | None) -> Edition:
        """The edition of some files, kept on disk where that is possible."""
        at = self._clock.wall()
        try:
            edition = self._history.keep(texts, at)
        except OSError as error:
            self.trouble = f"no edition of the flows can be kept: {error.strerror}"
            return Edition.following(last, texts, at)
        self.trouble = ""
        return edition

    def _last(self) -> tuple[Book, Edition, Texts] | None:
        """The edition that was in force last; None where there is none, or it is damaged, or not right any more."""
        try:
            edition = self._history.last()
            if edition is None:
                return None
            texts = self._history.texts(edition.number)
        except (NoSuchEdition, OSError):
            return None
        book = self._of_edition(edition.number)
        return None if book is None else (book, edition, texts)

    def _earlier(self, flow: str, version: int) -> Book | None:
        """`book_of` from the editions that were kept. Blocks."""
        if version not in self._editions:
            self._editions[version] = self._of_edition(version)
        book = self._editions[version]
        return book if book and any((one.name, one.version) == (flow, version) for one in book.flows) else None

    def _of_edition(self, version: int) -> Book | None:
        try:
            edition = self._history.edition(version)
        except NoSuchEdition:
            return None
        folders = self._history.folders(version)
        book, _ = read_book(*folders, self.surroundings, recordings=self._prompts_dir)
        return None if book is None else numbered(book, edition)

    def _stamps(self) -> Mapping[Path, tuple[int, int]]:
        files = [*yaml_files(self._flows_dir), *yaml_files(self._prompts_dir)]
        stamps = {}
        for file in files:
            try:
                stat = file.stat()
            except OSError:
                continue
            stamps[file] = (stat.st_mtime_ns, stat.st_size)
        return stamps


def numbered(book: Book, edition: Edition) -> Book:
    """The same book with a version for each flow: the edition since which it and all that it calls are as they are."""
    versions: dict[str, int] = {}

    def version(flow: Flow) -> int:
        if flow.name not in versions:
            own = edition.since[f"{FLOWS}/{flow.name}.yaml"]
            versions[flow.name] = max([own, *map(version, flow.calls.values())])
        return versions[flow.name]

    return replace(book, flows=tuple(replace(flow, version=version(flow)) for flow in book.flows))


@dataclass(frozen=True, slots=True)
class Found:
    """What stood in the files: a book, or what is wrong; and their texts."""

    book: Book | None
    problems: list[Diagnostic]
    texts: Texts


def read_files(flows_dir: Path, prompts_dir: Path, surroundings: Surroundings) -> Found:
    """The files as one, while nobody puts an edition back. Blocks; never raises."""
    with whole(flows_dir):
        return Found(*read_book(flows_dir, prompts_dir, surroundings), texts_of(flows_dir, prompts_dir))


def _problem(folder: Path, message: str) -> Diagnostic:
    return Diagnostic(short(str(folder)), 1, 1, message)


def read_book(
    flows_dir: Path,
    prompts_dir: Path,
    surroundings: Surroundings | None = None,
    *,
    chosen: Sequence[Path] = (),
    recordings: Path | None = None,
) -> tuple[Book | None, list[Diagnostic]]:
    """The book of some folders, or every problem in any of their files. Blocks; never raises.

    `chosen` are files to read instead: flows for all flows of the folder, ``queues.yaml`` and the like
    for the folder's own. `recordings` is the folder of the recordings where they stand beside other texts.
    """
    beside = read_beside(flows_dir, prompts_dir, surroundings, chosen=chosen, recordings=recordings)
    problems = list(beside.problems)
    files = [file for file in chosen if is_flow(file)] or flow_files(flows_dir)
    if not files:
        problems.append(Diagnostic(str(flows_dir), 1, 1, "there is no call flow in this folder"))
    drafts = list(_drafts(files, problems))
    while needed := [file for file in _called_files(drafts, flows_dir) if file not in files]:
        files = [*files, *needed]
        drafts += _drafts(needed, problems)
    unread = {file.stem for file in files} - {draft.name for draft in drafts}
    if not chosen and not unread:
        problems += calling.unused(drafts)
    problems += checker.check(drafts, replace(beside.house, unread_flows=unread))
    if problems or beside.queries is None or beside.prompts is None or beside.reasons is None:
        return None, arranged([replace(problem, path=short(problem.path)) for problem in problems])
    flows = calling.linked([draft.flow() for draft in drafts])
    remarks = tuple(replace(one, path=short(one.path)) for one in checker.remarks(drafts, beside.house))
    calendars = OpeningHours(beside.calendars)
    return Book(flows, beside.queues, beside.queries, calendars, beside.prompts, beside.reasons, remarks), []


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the flows, as far as it could be read; `house` has the names of the rest as well."""

    queues: tuple[QueueRule, ...]
    queries: Queries | None
    calendars: Mapping[str, Calendar]
    prompts: Prompts | None
    reasons: Reasons | None
    house: House
    problems: tuple[Diagnostic, ...]


def read_beside(
    flows_dir: Path,
    prompts_dir: Path,
    surroundings: Surroundings | None = None,
    *,
    chosen: Sequence[Path] = (),
    recordings: Path | None = None,
) -> Beside:
    """All that flows count on, of some folders. Blocks; never raises."""
    around = surroundings or Surroundings()
    problems: list[Diagnostic] = []
    instead = {file.name: file for file in chosen}
    queue_file, query_file, calendar_file, reason_file = (
        _beside(instead.get(name, flows_dir / name)) for name in (QUEUES, QUERIES, CALENDARS, REASONS)
    )
    queries, wrong_queries = query_file.load(load_queries)
    calendars, wrong_calendars = calendar_file.load(load_calendars)
    reasons, wrong_reasons = reason_file.load(load_reasons)
    prompts, wrong_prompts = load_prompts(prompts_dir)
    texts, wrong_texts = house_prompts.prompts(prompts, prompts_dir, recordings or prompts_dir)
    calendar_names = list(calendars) if not wrong_calendars else calendar_file.names(None)
    known = Known(
        skills=around.skills,
        prompts=texts,
        music=around.music,
        calendars=calendar_names,
    )
    queues, wrong_queues = queue_file.load(load_queues, known)
    house = House(
        prompts=texts,
        languages=words.languages(),
        queues=[rule.name for rule in queues] if not wrong_queues else queue_file.names(None),
        queue_prompts={rule.name: rule.prompts for rule in queues},
        queries=_facts(queries)
        if queries is not None and not wrong_queries
        else query_file.names(QueryFacts(frozenset())),
        calendars=calendar_names,
        skills=_skills(around.skills, queues),
        boxes=around.boxes,
        capabilities=around.capabilities,
        refused=around.refused,
        unreachable=around.unreachable,
        understood=around.understood,
    )
    problems += [*wrong_queues, *wrong_queries, *wrong_calendars, *wrong_reasons, *wrong_prompts, *wrong_texts]
    return Beside(queues, queries, calendars, prompts, reasons, house, tuple(problems))


def _called_files(drafts: Sequence[Draft], flows_dir: Path) -> list[Path]:
    """The flows that some flows call and that were not read with them."""
    names = dict.fromkeys(name for draft in drafts for name in calling.called(draft))
    read = {draft.name for draft in drafts}
    files = [flows_dir / f"{name}.yaml" for name in names if name not in read]
    return [file for file in files if is_flow(file) and file.is_file()]


def flow_files(flows_dir: Path) -> list[Path]:
    """The files of a folder that are call flows."""
    return list(filter(is_flow, yaml_files(flows_dir)))


def is_flow(file: Path) -> bool:
    return file.name not in BESIDE and not file.name.endswith(SCENARIOS)


def scenario_files(flows_dir: Path) -> list[Path]:
    return [file for file in yaml_files(flows_dir) if file.name.endswith(SCENARIOS)]


def _drafts(files: Sequence[Path], problems: list[Diagnostic]) -> Iterator[Draft]:
    for file in files:
        text, wrong = read_text(file)
        problems += wrong
        if text is None:
            continue
        document, wrong = parse(text, str(file))
        problems += wrong
        if document is not None:
            yield reader.read(document)


def _facts(queries: Queries) -> dict[str, QueryFacts]:
    return {
        name: QueryFacts(frozenset(query.returns), query.parameters, query.writes) for name, query in queries.items()
    }


def short(path: str) -> str:
    """A path as a person in this folder would write it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


@dataclass(frozen=True, slots=True)
class _FileBeside:
    """The text of a file beside the flows, and why it could not be read."""

    name: str
    text: str
    problems: tuple[Diagnostic, ...] = ()

    def load(self, load: Callable[..., tuple[T, list[Diagnostic]]], *known: Known) -> tuple[T, list[Diagnostic]]:
        """What `load` makes of it, and all that is wrong."""
        found, problems = load(self.text, self.name, *known)
        return found, [*self.problems, *problems]

    def names(self, each: T) -> Mapping[str, T]:
        """The names in it where something in it is wrong, so that one mistake is not told as many."""
        document = None if self.problems else parse(self.text, self.name)[0]
        if document is None or not isinstance(document.data, dict):
            return Unread(each)
        return dict.fromkeys(document.data, each)


def _beside(file: Path) -> _FileBeside:
    """A file that there need not be."""
    if not file.exists():
        return _FileBeside(str(file), "{}")
    text, wrong = read_text(file)
    return _FileBeside(str(file), "{}" if text is None else text, tuple(wrong))


def _skills(known: Collection[str] | None, queues: Sequence[QueueRule]) -> Collection[str] | None:
    """The skills that exist: those of agents, or nobody knows; those that queues ask for count as well."""
    return None if known is None else {*known, *(skill for rule in queues for skill in rule.skills)}
