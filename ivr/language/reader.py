"""A flow's file -> a draft of the flow: every part that can be understood, and what is wrong with the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import cache
from pathlib import PurePath
from typing import Any

from config.document import Document
from config.syntax import Path
from config.values import Diagnostic
from config.wording import choices, closest, suggestion
from ivr.language.flow import Flow, FlowStep, Head
from ivr.language.mentions import Mention, kind_of, mentions, within
from ivr.step import HANG_UP, Step
from ivr.steps import verbs

# What the language will know and this version does not have.
PLANNED = frozenset({"callback", "survey", "fax", "sms", "percent", "notify"})
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"\w+(-+\w+)*")
LONGEST_NAME = 60
ALIKE = 0.75  # of two names: beyond it one is a slip for the other, whatever else could be meant
UNREAD = "?"  # where an exit leads whose step cannot be read; no step is called so
MOST_SLIPS = 30  # misspelt targets of one flow that are compared with every step's name


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step as far as it was understood. `does` is None where the verb or one of its fields is wrong."""

    name: str
    verb: str = ""
    does: Step | None = None
    sound: bool = False  # nothing is wrong with it as it stands
    targets: Mapping[str, tuple[str, Path]] = field(default_factory=dict)  # by exit: the step, and where it is named
    mentions: tuple[Mention, ...] = ()

    @property
    def path(self) -> Path:
        return ("steps", self.name)

    def path_of(self, mention: Mention) -> Path:
        return ("steps", self.name, self.verb, *mention.path)

    def show(self, path: Path) -> str:
        """A path as people read it: without ``steps`` and the verb, so ``main.options.1``."""
        inner = path[2:]
        return ".".join(map(str, (self.name, *(inner[1:] if inner[:1] == (self.verb,) else inner))))


@dataclass(slots=True)
class Draft:
    """A flow that was read but not yet checked. `head` is None where it is wrong."""

    document: Document
    head: Head | None
    steps: dict[str, DraftStep]
    problems: list[Diagnostic]
    _meant: dict[str, str] = field(default_factory=dict)
    _forlorn: frozenset[str] | None = None

    def meant(self, target: str) -> str:
        """The step that a misspelt name is most likely a slip for; "" where there is none, or after very many slips.

        A step that nothing leads to is more likely meant than one to which the way is known.
        """
        if target not in self._meant:
            self._meant[target] = self._guessed(target) if len(self._meant) < MOST_SLIPS else ""
        return self._meant[target]

    def _guessed(self, target: str) -> str:
        """The only step that nothing leads to was probably renamed, where no other has a name like this one."""
        forlorn = self.forlorn
        if near := closest(target, forlorn):
            return near
        near = closest(target, self.steps)
        if len(forlorn) == 1 and (not near or SequenceMatcher(None, target, near).ratio() < ALIKE):
            return next(iter(forlorn))
        return near

    @property
    def forlorn(self) -> frozenset[str]:
        """The steps that no exit, key or head names."""
        if self._forlorn is None:
            named = {target for step in self.steps.values() for target, _ in step.targets.values()}
            if self.head:
                named |= {self.head.start, self.head.failed, *self.head.keys.values()}
            self._forlorn = frozenset(self.steps.keys() - named)
        return self._forlorn

    @property
    def name(self) -> str:
        return PurePath(self.document.name).stem

    @property
    def whole(self) -> bool:
        """Whether every step was understood."""
        return all(step.does for step in self.steps.values())

    def flow(self) -> Flow:
        """The flow of a draft in which nothing is wrong."""
        if self.head is None or not self.whole:
            raise ValueError(f"{self.document.name} is not a whole flow")
        steps = {
            step.name: FlowStep(step.name, step.does, {exit: target for exit, (target, _) in step.targets.items()})
            for step in self.steps.values()
            if step.does
        }
        head = self.head
        return Flow(
            name=self.name,
            numbers=head.number,
            languages=head.languages,
            start=head.start,
            steps=steps,
            longest=head.longest,
            keys=head.keys,
            failed=head.failed,
            answer=head.answer,
            takes=head.takes,
        )


def read(document: Document) -> Draft:
    """The draft of a flow; never raises, whatever stands in the file."""
    data = document.data
    draft = Draft(document, None, {}, [])
    if not isinstance(data, dict):
        draft.problems.append(document.problem((), "a flow begins with 'number:', 'languages:', 'start:' and 'steps:'"))
        return draft
    draft.head, problems = document.validate(Head, without="steps")
    draft.problems += problems
    steps = data.get("steps")
    if not isinstance(steps, dict) or not steps:
        what = "'steps' is missing" if "steps" not in data else "steps: at least one step is expected here"
        draft.problems.append(document.problem(("steps",), what, show=""))
        return draft
    for name, body in steps.items():
        draft.steps[name] = _step(draft, name, body)
    return draft


def _step(draft: Draft, name: str, body: Any) -> DraftStep:
    broken = DraftStep(name)
    if wrong := bad_name(name):
        draft.problems.append(draft.document.problem(("steps", name), wrong, key=True, show=""))
    if isinstance(body, str) and body in verbs():
        message = (
            f"{name}: the verb stands in braces, or below the step's name: {{{body}: ...}}, here with what it is given"
        )
        if not any(field.is_required() for field in verbs()[body].model_fields.values()):
            message = f"{name}: a verb stands in braces: {{{body}: {{}}}}"
        draft.problems.append(draft.document.problem(("steps", name), message, show=""))
        return broken
    if not isinstance(body, dict):
        message = f"{name}: a step is a verb with its exits, for example {{say: welcome, next: main}}"
        draft.problems.append(draft.document.problem(("steps", name), message, show=""))
        return broken
    verb = _verb(draft, name, body)
    if verb is None:
        return broken
    kind = verbs()[verb]
    before = len(draft.problems)
    does, problems = draft.document.validate(kind, ("steps", name, verb))
    inside = _exits_inside(kind, body[verb])
    for word in inside:
        path: Path = ("steps", name, verb, word)
        problems = [
            problem for problem in problems if (problem.line, problem.column) != draft.document.at(path, key=True)
        ]
        message = f"'{word}' is an exit: it stands beside '{verb}', indented alike, and not in it"
        problems.append(draft.document.problem(path, message, key=True))
    said = tuple(mentions(does)) if does else tuple(_mentions_of_the_sound_fields(draft.document, name, kind))
    step = DraftStep(name, verb, does, mentions=said)
    draft.problems += [_renamed(problem, step) for problem in problems]
    targets = _exits(draft, step, kind, body, inside) | _targets_within(step, kind)
    return replace(step, targets=targets, sound=len(draft.problems) == before)


def _mentions_of_the_sound_fields(document: Document, name: str, kind: type[Step]) -> Iterator[Mention]:
    """What a verb's value names where some of its fields are wrong: one mistake must not hide another."""
    for word, facts in kind.model_fields.items():
        inner: Path = () if word == kind.whole else (facts.alias or word,)
        try:
            value, _ = document.validate(kind_of(facts), ("steps", name, kind.verb, *inner))
        except KeyError:
            continue
        yield from within(kind_of(facts), value, inner)


def bad_name(name: str) -> str:
    """Why no step can be called so; "" where one can."""
    if not name or not _NAME.fullmatch(name) or len(name) > LONGEST_NAME or name == "repeat":
        instead = "-".join(_WORD.findall(name)).lower()[:LONGEST_NAME]
        such_as = instead if instead not in {"", "repeat"} else "ask-order-number"
        return f"'{name[:LONGEST_NAME]}' cannot be a step's name; use words joined by hyphens, such as {such_as}"
    return ""


def _renamed(problem: Diagnostic, step: DraftStep) -> Diagnostic:
    """The verb says nothing about where a problem is; the step's name does."""
    long = f"steps.{step.name}.{step.verb}"
    return Diagnostic(problem.path, problem.line, problem.column, problem.message.replace(long, step.name, 1))


def _verb(draft: Draft, name: str, body: dict[str, Any]) -> str | None:
    """The one verb of a step; None, and a problem, where it has none or several."""
    known = verbs()
    found = [word for word in body if word in known]
    if len(found) == 1:
        return found[0]
    path: Path = ("steps", name)
    if len(found) > 1:
        message = f"a step has one verb; '{found[0]}' stands here already. Make '{found[1]}' a step of its own"
        draft.problems.append(draft.document.problem((*path, found[1]), f"{name}: {message}", key=True, show=""))
        return None
    for word in body:
        if word in PLANNED:
            message = f"the verb '{word}' is not in this version of the language"
            draft.problems.append(draft.document.problem((*path, word), f"{name}: {message}", key=True, show=""))
            return None
    for word in body:
        if hint := suggestion(word, known):
            message = f"no verb '{word}'.{hint}"
            draft.problems.append(draft.document.problem((*path, word), f"{name}: {message}", key=True, show=""))
            return None
    message = f"{name}: there is no verb in this step; write what it does, such as say, menu or hangup"
    draft.problems.append(draft.document.problem(path, message, key=True, show=""))
    return None


def _exits_inside(kind: type[Step], value: Any) -> list[str]:
    """Exits that were indented as if they belonged to the verb."""
    if not isinstance(value, dict) or kind.whole:
        return []
    own = {facts.alias or word for word, facts in kind.model_fields.items()}
    return [word for word in value if word in kind.exits and word not in own]


def _exits(
    draft: Draft, step: DraftStep, kind: type[Step], body: dict[str, Any], inside: list[str]
) -> dict[str, tuple[str, Path]]:
    """The exits beside the verb, with those that slipped inside it, defaults filled in."""
    found: dict[str, tuple[str, Path]] = {
        word: (target if isinstance(target := body[step.verb][word], str) else UNREAD, (*step.path, step.verb, word))
        for word in inside
    }
    for word, target in body.items():
        if word == step.verb:
            continue
        path = (*step.path, word)
        meant = word
        if word not in kind.exits:
            message = f"'{step.verb}' has no exit '{word}'.{suggestion(word, kind.exits) or _those(kind)}"
            draft.problems.append(draft.document.problem(path, message, key=True, show=step.show(path)))
            meant = closest(word, kind.exits)
        elif not isinstance(target, str):
            message = "the name of a step is expected here"
            draft.problems.append(draft.document.problem(path, message, show=step.show(path)))
        if meant and meant not in found:
            found[meant] = (target if isinstance(target, str) else UNREAD, path)
    for exit, facts in kind.exits.items():
        if facts.required and exit not in found:
            message = f"the exit '{exit}' is missing: where does the call go on?"
            draft.problems.append(draft.document.problem(step.path, message, key=True, show=step.name))
    return found | _defaults(step, kind, found)


def _defaults(step: DraftStep, kind: type[Step], found: dict[str, tuple[str, Path]]) -> dict[str, tuple[str, Path]]:
    """The exits that were left out and go where another exit goes, or end the call."""
    filled: dict[str, tuple[str, Path]] = {}
    for exit, facts in kind.exits.items():
        if exit in found or facts.default is None:
            continue
        if facts.default == HANG_UP:
            filled[exit] = (HANG_UP, step.path)
        elif facts.default in found or facts.default in filled:
            filled[exit] = (found | filled)[facts.default]
    return filled


def _targets_within(step: DraftStep, kind: type[Step]) -> dict[str, tuple[str, Path]]:
    """The steps that the verb's own fields name: a menu's options by their keys."""
    named = {
        str(mention.path[-1]) if mention.path else kind.whole: (
            str(mention.value),
            step.path_of(mention),
        )
        for mention in step.mentions
        if mention.what and mention.what.kind == "step"
    }
    word = _leads_by(kind)
    return named if named or step.does or not word else {word: (UNREAD, (*step.path, step.verb, word))}


@cache
def _leads_by(kind: type[Step]) -> str:
    """The word of a verb whose values name steps; "" for most."""
    for name, facts in kind.model_fields.items():
        if any(found.what and found.what.kind == "step" for found in within(kind_of(facts), {"": ""}, ())):
            return facts.alias or name
    return ""


def _those(kind: type[Step]) -> str:
    return f" There are: {choices(kind.exits)}" if kind.exits else " It has none"
