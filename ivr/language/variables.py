"""Which variables have a value where: a use that some way through the flow reaches unset is a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from config.syntax import Path
from config.values import Diagnostic
from config.wording import choices, suggestion
from ivr.language import graph
from ivr.language.expressions import Reads
from ivr.language.house import House
from ivr.language.phrases import Prompt, Texts
from ivr.language.reader import Draft, DraftStep
from ivr.language.templates import Template
from ivr.step import Shape
from ivr.steps import verbs

CALLER = frozenset({"number", "known", "customer_id", "name", "tier", "language"})
ALWAYS: Mapping[str, Shape] = {
    "caller": CALLER,
    "call": frozenset({"id"}),
    "dialled": None,
    "language": None,
    "now": None,
}
_ANY: Shape = frozenset({"*"})  # of a step that was not understood: whatever is read from it may be there


def names(draft: Draft, house: House) -> frozenset[str] | None:
    """Every variable that has a value somewhere in the flow; None where a mistake leaves that open."""
    return None if _unsure(draft) else frozenset(ALWAYS) | frozenset(_shapes(draft, house))


def problems(draft: Draft, house: House) -> Iterator[Diagnostic]:
    shapes = {**_shapes(draft, house), **ALWAYS}
    known = _Known(draft, house, shapes)
    reached = graph.reachable(draft)
    unsure = _unsure(draft)
    for step in draft.steps.values():
        yield from _without_braces(draft, step, shapes)
        for path, said, reads in _uses(step, house):
            for read in sorted(reads):
                message = None if read[0] not in shapes and unsure else wrong(read, shapes)
                if message and not said and len(read) == 1 and not suggestion(read[0], shapes):
                    message += _or_the_word(read[0], shapes)
                if (
                    message is None
                    and step.name in reached
                    and read[0] in shapes
                    and read[0] not in ALWAYS
                    and not known.at(step.name, read[0])
                ):
                    message = _unset(draft, house, step, read[0])
                if message is not None:
                    yield draft.document.problem(path, f"{said}{message}", show=step.show(path))


def _without_braces(draft: Draft, step: DraftStep, shapes: Mapping[str, Shape]) -> Iterator[Diagnostic]:
    """Values that are a text and would be a variable between braces: the query would get its name."""
    for mention in step.mentions:
        match mention.value:
            case Template(fixed=True, source=word) if mention.what is None and _is_variable(word, shapes):
                path = step.path_of(mention)
                message = f'this is the word {word} itself; for the variable write "{{{{ {word} }}}}"'
                yield draft.document.problem(
                    path, f"{message}, or \"{{{{ '{word}' }}}}\" where the word is meant", show=step.show(path)
                )


def _is_variable(word: str, shapes: Mapping[str, Shape]) -> bool:
    """Whether a text is the name of a variable of the flow's, or names a part of any."""
    name, *parts = word.split(".")
    shape = shapes.get(name)
    if parts:
        return shape is not None and len(parts) == 1 and parts[0] in shape
    return name in shapes and name not in ALWAYS and shape is None


def _uses(step: DraftStep, house: House) -> Iterator[tuple[Path, str, frozenset[Reads]]]:
    """What a step reads: where, in what (for a prompt of the catalogue), and which names."""
    if step.does is not None:
        for prompt in sorted(step.does.speaks(house) - step.does.prompts.keys()):
            yield (*step.path, step.verb), f"the prompt '{prompt}': ", _reads_of(prompt, house)
    for mention in step.mentions:
        path = step.path_of(mention)
        match mention.value:
            case Template(reads=reads):
                yield path, "", reads
            case Texts(by_language=texts):
                for language, text in texts.items():
                    yield (*path, language), "", text.reads
            case Prompt(id=prompt):
                yield path, f"the prompt '{prompt}': ", _reads_of(prompt, house)


def _reads_of(prompt: str, house: House) -> frozenset[Reads]:
    texts = [text for text in house.prompts.get(prompt, {}).values() if text]
    return frozenset(read for text in texts for read in text.reads)


def wrong(read: Reads, shapes: Mapping[str, Shape]) -> str | None:
    """What is wrong with a name and its attributes wherever they stand."""
    name, *parts = read
    if name not in shapes:
        return f"no variable '{name}'.{suggestion(name, shapes) or f' There are: {choices(shapes)}'}"
    shape = shapes[name]
    if shape == _ANY:
        return None
    if shape is None:
        return f"'{name}' is a plain value and has no '.{parts[0]}'" if parts else None
    if not parts:
        return f"'{name}' has several values; write for example {name}.{min(shape)}" if shape else None
    if parts[0] not in shape and shape:
        return f"'{name}' has no '{parts[0]}'.{suggestion(parts[0], shape) or f' There are: {choices(shape)}'}"
    return f"'{name}.{parts[0]}' has no '.{parts[1]}'" if len(parts) > 1 else None


def _or_the_word(name: str, shapes: Mapping[str, Shape]) -> str:
    return "" if name in shapes else f"; for the word itself write '{name}'"


def _unset(draft: Draft, house: House, step: DraftStep, name: str) -> str:
    def without(passed: DraftStep, exit: str) -> bool:
        return name not in _sets(draft, passed, house).get(exit, {})

    way = graph.way_to(draft, step.name, without)
    by = f" on the way {' -> '.join(way)}" if len(way) > 1 else " when the call comes here"
    setters = [
        other.name for other in draft.steps.values() if any(name in s for s in _sets(draft, other, house).values())
    ]
    return f"'{name}' has no value yet{by}; it is set in {choices(setters)}"


def _shapes(draft: Draft, house: House) -> dict[str, Shape]:
    """Every variable that some step sets; where several do, the attributes that it has in any case."""
    shapes: dict[str, Shape] = dict.fromkeys(_taken(draft))
    for step in draft.steps.values():
        for after in _sets(draft, step, house).values():
            for name, shape in after.items():
                known = shapes.get(name, shape)
                both = known is not None and shape is not None and _ANY not in (known, shape)
                shapes[name] = known & shape if both else (_ANY if known != shape else shape)  # type: ignore[operator]
    return shapes


def _taken(draft: Draft) -> frozenset[str]:
    """What a flow that calls this one has given it."""
    return frozenset(draft.head.takes if draft.head else ())


def _sets(draft: Draft, step: DraftStep, house: House) -> Mapping[str, Mapping[str, Shape]]:
    if step.does is not None and step.sound:
        return step.does.sets(house)
    names = [name for name in _into(draft.document.get(step.path)) if name.isidentifier()]
    return {exit: dict.fromkeys(names, _ANY) for exit in (*step.targets, "")}


def _unsure(draft: Draft) -> bool:
    """Whether some step would set a variable if only its name were right; then no name can be called unknown."""
    return any(_sets_something_unknown(draft, step) for step in draft.steps.values())


def _sets_something_unknown(draft: Draft, step: DraftStep) -> bool:
    if step.does is not None or not step.verb:
        return False
    return "into" in verbs()[step.verb].model_fields and not _sets(draft, step, House())[""]


def _into(data: Any) -> Iterator[str]:
    """What a step that was not understood probably sets."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == "into" and isinstance(value, str):
                yield value
            yield from _into(value)


class _Known:
    """The variables that have a value whenever a step is entered: on every way that leads there.

    Sets of variables are whole numbers, a bit for each: flows may have thousands of steps and variables.
    """

    def __init__(self, draft: Draft, house: House, names: Iterable[str]) -> None:
        self._bits = {name: 1 << number for number, name in enumerate(names)}
        self._at = dict.fromkeys(draft.steps, -1)  # all of them, until a way is found that says otherwise
        waiting = graph.roots(draft)
        self._at.update(dict.fromkeys(waiting, self._all(_taken(draft))))
        leads = {name: list(self._leads(draft, step, house)) for name, step in draft.steps.items()}
        while waiting:
            name = waiting.pop()
            for target, sets in leads[name]:
                before = self._at[target]
                self._at[target] &= self._at[name] | sets
                if self._at[target] != before:
                    waiting.append(target)

    def at(self, step: str, name: str) -> bool:
        """Whether a variable has a value there in any case."""
        return bool(self._at[step] & self._bits[name])

    def _leads(self, draft: Draft, step: DraftStep, house: House) -> Iterator[tuple[str, int]]:
        """The steps that may follow, each with what is set on the way."""
        sets = _sets(draft, step, house)
        for exit, (target, _) in step.targets.items():
            if target in self._at:
                yield target, self._all(sets.get(exit, ()))
        if not step.sound:
            for target in graph.edges(draft, step):
                yield target, self._all(sets.get("", ()))

    def _all(self, names: Iterable[str]) -> int:
        bits = 0
        for name in names:
            bits |= self._bits.get(name, 0)
        return bits
