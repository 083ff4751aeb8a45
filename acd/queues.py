"""flows/queues.yaml: the queues as administrators write them, checked as a whole, as rules for the engine."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from acd.model import Announcements, Comforts, Millis, Overflow, Question, QueueName, QueueRule, Recorded
from acd.routing import strategy_named
from acd.skills import demand
from config.document import Document, Written, arranged, parse
from config.values import Diagnostic, Duration
from config.wording import A_KEY, NAME, choices, formed, suggestion

LONGEST_TIME = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Known:
    """The names that queues may use, of each kind; None: not known, and not checked."""

    skills: Collection[str] | None = None  # that agents have
    prompts: Collection[str] | None = None
    music: Collection[str] | None = None
    calendars: Collection[str] | None = None


def load_queues(text: str, name: str, known: Known | None = None) -> tuple[tuple[QueueRule, ...], list[Diagnostic]]:
    """The rules of every queue, or no rules and everything that is wrong, by position."""
    document, problems = parse(text, name)
    if document is None:
        return (), problems
    rules, wrong = queue_rules(document, known)
    return (() if problems else rules), arranged(problems + wrong)


def queue_rules(document: Document, known: Known | None = None) -> tuple[tuple[QueueRule, ...], list[Diagnostic]]:
    """As `load_queues`, of a document that was read already."""
    entries, problems = document.validate(QueueFile)
    if entries is not None:
        problems += _crosswise(document, entries, known or Known())
    if entries is None or problems:
        return (), arranged(problems)
    return tuple(entry.rule(queue) for queue, entry in entries.items()), []


# --- what is written ------------------------------------------------------------------------------


def _strategy(name: str) -> str:
    strategy_named(name)
    return name


def _at_least(least: float) -> AfterValidator:
    def check(seconds: float) -> float:
        if not least <= seconds <= LONGEST_TIME:
            raise ValueError(f"must be between {least:g}s and 24h")
        return seconds

    return AfterValidator(check)


Time = Annotated[Duration, _at_least(0)]
Interval = Annotated[Duration, _at_least(1)]


def _wording(words: str) -> str:
    demand("", words)
    return words


def _service_level(text: object) -> tuple[int, Millis]:
    found = re.fullmatch(r"(\d+)\s*%?\s*/\s*(\d+)\s*s?", str(text).strip())
    if not found or not 1 <= int(found[1]) <= 100 or not 1 <= int(found[2]) <= 3600:
        raise ValueError(f"'{text}' is not a service level; 80/20 means 80 % answered within 20 seconds")
    return int(found[1]), int(found[2]) * 1000


def _choice(word: object) -> object:
    if word == "callback":
        raise ValueError("callback will come in a later version; stay and left are possible")
    return word


def _one_or_more(written: object) -> object:
    return written if isinstance(written, list) else [written]


SkillName = Annotated[str, formed(r"[^\s]+", "a skill's name without spaces, for example billing")]
ServiceLevel = Annotated[tuple[int, Millis], BeforeValidator(_service_level, json_schema_input_type=str)]
PhoneKey = Annotated[str, formed("[0-9*#]", A_KEY)]
Choice = Annotated[Literal["stay", "left"], BeforeValidator(_choice)]


class AnnounceEntry(Written):
    """`announce:`, what a waiting caller is told and when."""

    position: bool = False
    wait: bool = False
    first: Time = 15.0
    every: Interval = 30.0
    only_if_better: bool = True

    def rule(self) -> Announcements:
        return Announcements(self.position, self.wait, _ms(self.first), _ms(self.every), self.only_if_better)


class RecordEntry(Written):
    """`record:`, whether talks are recorded, what callers are told before, and for how many days they are kept."""

    calls: Literal["all", "none"] = "all"
    announce: str = "may-be-recorded"
    keep: Annotated[int, Field(ge=1, le=36_500)] | None = None

    def rule(self) -> Recorded | None:
        return Recorded(self.announce, self.keep) if self.calls == "all" else None


class ComfortEntry(Written):
    """`comfort:`, the prompts that are spoken in turn while nothing else is."""

    say: Annotated[
        list[str], BeforeValidator(_one_or_more, json_schema_input_type=str | list[str]), Field(min_length=1)
    ]
    first: Time = 30.0
    every: Interval = 60.0

    def rule(self) -> Comforts:
        return Comforts(tuple(self.say), _ms(self.first), _ms(self.every))


class OverflowEntry(Written):
    """One line of `overflow:`, a time or a condition or both, and what then happens."""

    after: Time = 0.0
    when: Literal["", "none-logged-on", "none-ready", "closed", "emergency"] = ""
    exit: Literal["", "overflowed", "unavailable", "closed", "emergency"] = ""
    to_queue: QueueName = ""
    relax: str = ""

    @model_validator(mode="after")
    def _says_one_thing(self) -> OverflowEntry:
        if sum(map(bool, (self.exit, self.to_queue, self.relax))) != 1:
            raise ValueError("write what happens then, exactly one of exit, to-queue and relax")
        return self

    def rule(self) -> Overflow:
        return Overflow(_ms(self.after), self.when, self.exit, self.to_queue, self.relax)


class QueueEntry(Written):
    """One queue."""

    strategy: Annotated[str, AfterValidator(_strategy)] = "longest-idle"
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    music: str = "calm"
    calendar: str = ""
    skills: dict[SkillName, Annotated[str, AfterValidator(_wording)]] = Field(default_factory=dict)
    priority_credit: Time = 60.0
    announce: AnnounceEntry = AnnounceEntry()
    comfort: ComfortEntry | None = None
    offer_after: Time = 0.0
    offer: str = "keep-waiting-or-leave"
    while_waiting: dict[PhoneKey, Choice] = Field(default_factory=dict)
    ring_for: Interval = 15.0
    no_answer_limit: Annotated[int, Field(ge=0, le=1000)] = 2
    wrap_up: Time = 20.0
    service_level: ServiceLevel = (80, 20_000)
    overflow: list[OverflowEntry] = Field(default_factory=list)
    longest_queue: Annotated[int, Field(ge=0, le=1_000_000)] = 200
    idle_since: Literal["ready", "last-call", "last-offer"] = "ready"
    answer_within: Interval = 15.0
    connect_within: Interval = 10.0
    whisper: bool = True
    no_answer_delay: Time = 5.0
    reject_delay: Time = 10.0
    busy_delay: Time = 10.0
    ring_step: Interval = 5.0
    sticky_for: Time = 20.0
    results: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    successor: QueueName = ""
    record: RecordEntry | None = None

    def rule(self, name: QueueName) -> QueueRule:
        return QueueRule(
            name=name,
            strategy=self.strategy,
            weight=self.weight,
            music=self.music,
            calendar=self.calendar,
            skills=self.skills,
            priority_credit=_ms(self.priority_credit),
            announce=self.announce.rule(),
            comfort=self.comfort.rule() if self.comfort else Comforts(),
            question=Question(_ms(self.offer_after), self.offer),
            while_waiting=self.while_waiting,
            ring_for=_ms(self.ring_for),
            no_answer_limit=self.no_answer_limit,
            wrap_up=_ms(self.wrap_up),
            service_level=self.service_level,
            overflow=tuple(entry.rule() for entry in self.overflow),
            longest_queue=self.longest_queue,
            idle_since=self.idle_since,
            answer_within=_ms(self.answer_within),
            connect_within=_ms(self.connect_within),
            whisper=self.whisper,
            no_answer_delay=_ms(self.no_answer_delay),
            reject_delay=_ms(self.reject_delay),
            busy_delay=_ms(self.busy_delay),
            ring_step=_ms(self.ring_step),
            sticky_for=_ms(self.sticky_for),
            record=self.record.rule() if self.record else None,
            results=tuple(self.results),
            successor=self.successor,
        )


QueueFile = dict[Annotated[str, NAME], QueueEntry]


def _ms(seconds: float) -> Millis:
    return round(seconds * 1000)


# --- what fits together ---------------------------------------------------------------------------


def _crosswise(document: Document, entries: Mapping[QueueName, QueueEntry], known: Known) -> list[Diagnostic]:
    return [
        *_unknown_queues(document, entries),
        *_cycles(document, entries),
        *_unknown_skills(document, entries, known.skills),
        *_unknown_names(document, entries, known),
        *_hours_of_nothing(document, entries),
        *_unanswerable(document, entries),
        *_never_reached(document, entries),
    ]


def _unknown_queues(document: Document, entries: Mapping[QueueName, QueueEntry]) -> Iterator[Diagnostic]:
    for name, entry in entries.items():
        named = [((name, "overflow", n, "to-queue"), rule.to_queue) for n, rule in enumerate(entry.overflow)]
        for path, target in [*named, ((name, "successor"), entry.successor)]:
            if target and target not in entries:
                yield document.problem(path, f"no queue '{target}'.{suggestion(target, entries)}")


def _cycles(document: Document, entries: Mapping[QueueName, QueueEntry]) -> Iterator[Diagnostic]:
    """Every to-queue from which the overflow leads back to its own queue, named once for each way round."""
    told: set[frozenset[QueueName]] = set()
    for name, entry in entries.items():
        for number, rule in enumerate(entry.overflow):
            way = _way(entries, rule.to_queue, name) if rule.to_queue else None
            if way is None or frozenset((name, *way)) in told:
                continue
            told.add(frozenset((name, *way)))
            circle = " -> ".join((name, *way))
            yield document.problem((name, "overflow", number, "to-queue"), f"callers would go round: {circle}")


def _way(entries: Mapping[QueueName, QueueEntry], start: QueueName, goal: QueueName) -> tuple[QueueName, ...] | None:
    """The shortest way by overflows from one queue to another, both named; None when there is none."""
    ways: list[tuple[QueueName, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == goal:
            return way
        here = entries.get(way[-1])
        for target in dict.fromkeys(rule.to_queue for rule in here.overflow if rule.to_queue) if here else ():
            if target not in seen:
                seen.add(target)
                ways.append((*way, target))
    return None


def _unknown_skills(
    document: Document, entries: Mapping[QueueName, QueueEntry], skills: Collection[str] | None
) -> Iterator[Diagnostic]:
    """A skill that only calls ask for may be relaxed, so without a list of skills only a near miss is a problem."""
    for name, entry in entries.items():
        known = set(skills) if skills is not None else {skill for other in entries.values() for skill in other.skills}
        if skills is not None:
            for skill in entry.skills:
                if skill not in known:
                    words = f"no agent has the skill '{skill}'.{suggestion(skill, known)}"
                    yield document.problem((name, "skills", skill), words, key=True)
        for number, rule in enumerate(entry.overflow):
            if rule.relax and rule.relax not in known and (skills is not None or suggestion(rule.relax, known)):
                words = f"no skill '{rule.relax}'.{suggestion(rule.relax, known)}"
                yield document.problem((name, "overflow", number, "relax"), words)


def _unknown_names(document: Document, entries: Mapping[QueueName, QueueEntry], known: Known) -> Iterator[Diagnostic]:
    """Prompts and music that there are not."""
    for name, entry in entries.items():
        prompts: list[tuple[tuple[str, ...], str]] = [
            (("comfort", "say"), prompt) for prompt in (entry.comfort.say if entry.comfort else ())
        ]
        if entry.record:
            prompts.append((("record", "announce"), entry.record.announce))
        if entry.offer_after:
            prompts.append((("offer",), entry.offer))
        for path, prompt in prompts:
            if known.prompts is not None and prompt not in known.prompts:
                words = f"no prompt '{prompt}'.{suggestion(prompt, known.prompts)}"
                yield document.problem((name, *path), words)
        if known.music is not None and entry.music not in known.music:
            there_is = suggestion(entry.music, known.music) or f" There is {choices(known.music) or 'none'}"
            yield document.problem((name, "music"), f"no music '{entry.music}'.{there_is}")
        if entry.calendar and known.calendars is not None and entry.calendar not in known.calendars:
            there_is = suggestion(entry.calendar, known.calendars) or f" There is {choices(known.calendars) or 'none'}"
            yield document.problem((name, "calendar"), f"no calendar '{entry.calendar}'.{there_is}")


def _hours_of_nothing(document: Document, entries: Mapping[QueueName, QueueEntry]) -> Iterator[Diagnostic]:
    for name, entry in entries.items():
        for number, rule in enumerate(entry.overflow):
            if rule.when in {"closed", "emergency"} and not entry.calendar:
                words = f"when the queue is {rule.when} is said by a calendar; write for example calendar: office"
                yield document.problem((name, "overflow", number, "when"), words)


def _unanswerable(document: Document, entries: Mapping[QueueName, QueueEntry]) -> Iterator[Diagnostic]:
    for name, entry in entries.items():
        if entry.offer_after and "left" not in entry.while_waiting.values():
            words = 'callers are asked whether to go on waiting, but no key lets them leave: while-waiting: {"2": left}'
            yield document.problem((name, "offer-after"), words)


def _never_reached(document: Document, entries: Mapping[QueueName, QueueEntry]) -> Iterator[Diagnostic]:
    for name, entry in entries.items():
        ends = [rule.after for rule in entry.overflow if rule.exit and not rule.when]
        for number, rule in enumerate(entry.overflow):
            if ends and rule.after > min(ends):
                words = f"never reached: another line ends every wait after {min(ends):g}s"
                yield document.problem((name, "overflow", number), words)
