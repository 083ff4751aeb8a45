"""Whether flows fit together and into the house around them; everything that is wrong, at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from config import signs
from config.document import arranged
from config.languages import meant as language_meant
from config.languages import suggestion as language_suggestion
from config.syntax import Path
from config.values import Diagnostic
from config.wording import choices, suggestion
from ivr.language import calling, graph, reader, variables
from ivr.language.flow import REPEAT, Head
from ivr.language.house import House
from ivr.language.mentions import Mention
from ivr.language.phrases import Prompt, Texts
from ivr.language.reader import Draft, DraftStep
from ivr.language.templates import Template
from ivr.step import HANG_UP, Names

OF_EVERY_CALL = ("sorry-technical", "time-is-up")  # what the session itself says


def check(drafts: Sequence[Draft], house: House) -> list[Diagnostic]:
    """All problems of some flows that are to run side by side, by file and position."""
    unread = {*house.unread_flows, *(draft.name for draft in drafts if draft.head is None)}
    house = replace(house, flows={**house.flows, **calling.facts(drafts)}, unread_flows=unread)
    problems = [problem for draft in drafts for problem in (*draft.problems, *_flow(draft, house))]
    return arranged([*problems, *_numbers(drafts), *calling.problems(drafts, house.flows)])


def remarks(drafts: Sequence[Draft], house: House) -> list[Diagnostic]:
    """What is right in some flows and yet does nothing in this house."""
    return arranged(
        [
            draft.document.problem(path, message, key=True, show=step.show(path))
            for draft in drafts
            for step in draft.steps.values()
            if step.does is not None
            for inner, message in step.does.remarks(house)
            for path in [(*step.path, step.verb, *inner)]
        ]
    )


def _flow(draft: Draft, house: House) -> Iterator[Diagnostic]:
    if draft.head is not None:
        yield from _head(draft, draft.head, house)
    yield from _targets(draft)
    for step in draft.steps.values():
        for mention in step.mentions:
            yield from _mention(draft, step, mention, house)
        yield from _own(draft, step, house)
    yield from graph.problems(draft)
    yield from variables.problems(draft, house)


def _numbers(drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    owners: dict[str, str] = {}
    for draft in drafts:
        written = draft.document.data.get("number") if isinstance(draft.document.data, dict) else None
        for place, number in enumerate(draft.head.number if draft.head else ()):
            if number in owners:
                path: Path = ("number", place) if isinstance(written, list) else ("number",)
                where = "above" if owners[number] == draft.document.name else f"in {owners[number]}"
                yield draft.document.problem(path, f"the number '{number}' is answered {where} already", show="")
            owners.setdefault(number, draft.document.name)


def _head(draft: Draft, head: Head, house: House) -> Iterator[Diagnostic]:
    if draft.steps:
        for field, target in (("start", head.start), ("failed", head.failed)):
            if target and target not in draft.steps:
                yield draft.document.problem((field,), _no("step", target, draft.steps))
        for key, target in head.keys.items():
            if target != REPEAT and target not in draft.steps:
                yield draft.document.problem(("keys", key), _no("step", target, [*draft.steps, REPEAT]))
    if head.takes and head.number:
        message = "a flow that takes variables is called by other flows; it cannot answer a number as well"
        yield draft.document.problem(("takes",), message, key=True)
    for place, language in enumerate(head.languages):
        if house.languages and language not in house.languages:
            several = all(part in house.languages for part in _parts(language))
            message = (
                f"write a list: [{', '.join(_parts(language))}]{signs.hint(language)}"
                if several
                else _no("language", language, house.languages)
            )
            yield draft.document.problem(("languages", place), message)
    yield from (
        draft.document.problem(("languages",), message, key=True, show="")
        for prompt in OF_EVERY_CALL
        for message in _spoken(prompt, _languages_of(draft, house), house)
    )


def _targets(draft: Draft) -> Iterator[Diagnostic]:
    """Exits that lead nowhere: of those that name the same step the first speaks for all."""
    told: dict[str, list[tuple[DraftStep, Path]]] = {}
    for step in draft.steps.values():
        for target, path in dict.fromkeys(step.targets.values()):
            if target not in draft.steps and target not in {HANG_UP, reader.UNREAD}:
                told.setdefault(target, []).append((step, path))
    for target, places in told.items():
        meant = draft.meant(target)
        if meant and reader.bad_name(meant):  # which is told where the step stands
            continue
        (step, path), *others = places
        hint = f" Did you mean '{meant}'?" if meant else ""
        message = _unknown("step", target, draft.steps, hint)
        if others:
            lines = _lines(draft.document.at(place)[0] for _, place in others)
            message += f" It is named in {lines} as well"
        yield draft.document.problem(path, message, show=step.show(path))


def _lines(lines: Iterable[int]) -> str:
    """``lines 3, 4 and 5``."""
    *first, last = map(str, dict.fromkeys(lines))
    return f"lines {', '.join(first)} and {last}" if first else f"line {last}"


def _own(draft: Draft, step: DraftStep, house: House) -> Iterator[Diagnostic]:
    """What the verb itself needs: abilities of the switch, prompts, and what it checks on its own."""
    if step.does is None:
        return
    for capability in sorted(step.does.needs - house.capabilities):
        message = f"the verb '{step.verb}' needs a switch that can {capability.value}; this one cannot"
        yield draft.document.problem((*step.path, step.verb), message, key=True, show=step.name)
    for prompt in sorted(step.does.speaks(house)):
        for message in _spoken(prompt, _languages_of(draft, house), house):
            yield draft.document.problem((*step.path, step.verb), message, key=True, show=step.name)
    for inner, message in step.does.problems(house):
        path = (*step.path, step.verb, *inner)
        yield draft.document.problem(path, message, show=step.show(path))


def _mention(draft: Draft, step: DraftStep, mention: Mention, house: House) -> Iterator[Diagnostic]:
    path = step.path_of(mention)
    match mention.value:
        case Prompt(id=prompt):
            if not _is_written(draft, path):
                path = (*step.path, step.verb)
            messages = _spoken(prompt, _languages_of(draft, house), house)
        case Texts(by_language=texts) if draft.head is not None:
            yield from _texts(draft, step, path, texts, house)
            return
        case str() | Template() if mention.what is not None:
            messages = _name(draft, mention.what, mention.value, house)
        case _:
            return
    for message in messages:
        yield draft.document.problem(path, message, show=step.show(path))


def _is_written(draft: Draft, path: Path) -> bool:
    """False for a prompt that the verb speaks where nothing else is written."""
    try:
        draft.document.get(path)
    except KeyError:
        return False
    return True


def _spoken(prompt: str, languages: Collection[str], house: House) -> Iterator[str]:
    if prompt not in house.prompts:
        instead = signs.hint(prompt) or f".{suggestion(prompt, house.prompts) or _more_prompts(prompt)}"
        yield f"no prompt '{prompt}'{instead}"
        return
    missing = [language for language in languages if language not in house.prompts[prompt]]
    if missing:
        yield f"the prompt '{prompt}' has neither a text nor a recording in {choices(missing)}"


def _more_prompts(prompt: str) -> str:
    if " " in prompt or not prompt.isascii():
        return ' To have words said as they are, write them for each language: {cmn: "...", en: "..."}'
    return " Write its texts into the prompts' catalogue.yaml"


def _languages_of(draft: Draft, house: House) -> list[str]:
    """The flow's languages; of a misspelt one that which was probably meant, so that a slip is told once."""
    written = draft.head.languages if draft.head else ()
    known = house.languages or written
    meant = [
        part if part in known else language_meant(part, known)
        for language in written
        for part in _parts(language)
        if part
    ]
    return [language for language in dict.fromkeys(meant) if language]


def _parts(language: str) -> list[str]:
    """The languages of ``cmn, yue``, which without brackets is one text."""
    return [part.strip() for part in language.replace("，", ",").split(",")]


def _texts(draft: Draft, step: DraftStep, path: Path, texts: Collection[str], house: House) -> Iterator[Diagnostic]:
    spoken = _languages_of(draft, house)
    slips = {language_meant(language, spoken) for language in texts if language not in spoken}
    missing = [language for language in spoken if language not in texts and language not in slips]
    if missing:
        message = f"the text in {choices(missing)} is missing"
        yield draft.document.problem(path, message, key=True, show=step.show(path))
    for language in texts:
        if language not in spoken:
            inner = (*path, language)
            yield draft.document.problem(inner, _no("language", language, spoken), key=True, show=step.show(inner))


def _name(draft: Draft, what: Names, value: str | Template, house: House) -> Iterator[str]:
    known = _known(draft, what.kind, house)
    if known is None:
        return
    for name in _constants(draft, value, house):
        if name not in known:
            yield _no(what.kind, name, known)


def _known(draft: Draft, kind: str, house: House) -> Collection[str] | None:
    """The names of a kind that there are; None when that is not known, or checked elsewhere."""
    if kind == "variable":
        return variables.names(draft, house)
    names: Mapping[str, Collection[str] | None] = {
        "queue": house.queues,
        "query": house.queries,
        "calendar": house.calendars,
        "box": house.boxes,
        "flow": {*house.flows, *house.unread_flows},
        "skill": house.skills,
        "language": _languages_of(draft, house) if draft.head else None,
    }
    return names.get(kind)


def _constants(draft: Draft, value: str | Template, house: House) -> Collection[str]:
    """The names that a value can have, as far as they are known beforehand."""
    if isinstance(value, str):
        return [value]
    if value.fixed:
        return [value.source]
    if value.source.replace(" ", "") == "{{language}}":
        return _languages_of(draft, house)
    return ()


def _no(kind: str, name: str, known: Collection[str]) -> str:
    return _unknown(kind, name, known, (language_suggestion if kind == "language" else suggestion)(name, known))


def _unknown(kind: str, name: str, known: Collection[str], hint: str) -> str:
    if other_keyboard := signs.hint(name):
        return f"no {kind} '{name[:60]}'{other_keyboard}"
    there_are = f" There are: {choices(known)}" if known else _none(kind)
    return f"no {kind} '{name[:60]}'.{hint or there_are}"


def _none(kind: str) -> str:
    file = _FILES.get(kind)
    return f" There is none: {file} beside the flows is missing or empty" if file else " There is none"


_FILES = {"queue": "queues.yaml", "query": "queries.yaml", "calendar": "calendars.yaml"}
