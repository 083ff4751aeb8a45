"""The prompts' catalogue as the house speaks it: every text of it is tried before anybody should hear it.

What a flow says may use the flow's variables and is checked with the flow. What the house says of itself is given a
few values, or none; verbs and other parts name these prompts, with an example of each value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.document import parse, read_text
from config.values import Diagnostic
from ivr import listening
from ivr.language import variables
from ivr.language.checker import OF_EVERY_CALL
from ivr.language.expressions import CannotEvaluate, Variable
from ivr.language.house import Unread
from ivr.language.templates import Template, spoken
from ivr.steps import verbs
from runtime import music, notices, star_codes, whispering
from speech import words
from speech.catalogue import FILE, Catalogue

SORRY, SORRY_KEPT = "sorry-interrupted", "sorry-message-kept"  # of a call that was interrupted
BUILT_IN_SOUNDS = ("beep",)  # made at set-up, the same in every language

Prompts = Mapping[str, Mapping[str, Template | None]]
"""By id and language; None where only a recording exists."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a prompt may use: these values, and in a call those that every call has. `bare`: as they are, unfiltered."""

    values: Mapping[str, object] = field(default_factory=dict)
    in_call: bool = True
    bare: bool = False


def given() -> Mapping[str, Given]:
    """What each prompt of the house is given."""
    spoken_by = [verb.prompts for verb in verbs().values()] + [listening.PROMPTS]
    in_calls = {prompt: Given(values) for prompts in spoken_by for prompt, values in prompts.items()}
    alone = (*star_codes.PROMPTS, whispering.ASK, music.SORRY)
    return {
        **{prompt: Given(in_call=False) for prompt in alone},
        **{prompt: Given(whispering.EXAMPLE, in_call=False) for prompt in whispering.PROMPTS},
        **{prompt: Given(notices.EXAMPLE, in_call=False, bare=True) for prompt in notices.PROMPTS},
        **{prompt: Given() for prompt in (*OF_EVERY_CALL, SORRY, SORRY_KEPT)},
        **in_calls,
    }


def prompts(catalogue: Catalogue | None, prompts_dir: Path, recordings: Path) -> tuple[Prompts, list[Diagnostic]]:
    """Every prompt that there is, and what is wrong with the catalogue's. A catalogue that is None has its names."""
    everywhere: dict[str, Template | None] = dict.fromkeys(words.languages())
    found = {name: dict(everywhere) for name in BUILT_IN_SOUNDS}
    for language in words.languages():
        folder = recordings / language
        for recording in folder.rglob("*.wav"):
            found.setdefault(recording.relative_to(folder).with_suffix("").as_posix(), {})[language] = None
    if catalogue is None:
        return _named_in(prompts_dir / FILE, found), []
    if len(found) == len(BUILT_IN_SOUNDS) and not (prompts_dir / FILE).exists():
        return Unread(everywhere), [_nothing_in(prompts_dir)]
    known, wrong = given(), {}
    for prompt, texts in catalogue.texts.items():
        for language, written in texts.items():
            try:
                text = spoken(written)
            except ValueError as error:
                wrong[prompt, language] = str(error)
                continue
            found.setdefault(prompt, {})[language] = text
            if message := next(_misfits(text, language, known.get(prompt)), ""):
                wrong[prompt, language] = message
    return found, list(_placed(wrong, prompts_dir / FILE)) if wrong else []


def _nothing_in(prompts_dir: Path) -> Diagnostic:
    """Told once, instead of each prompt that a flow names."""
    if prompts_dir.is_dir():
        return Diagnostic(str(prompts_dir / FILE), 1, 1, "there is no such file; the prompts' texts stand in it")
    return Diagnostic(str(prompts_dir), 1, 1, "there is no such folder; name that of the prompts by prompts-dir")


def _misfits(text: Template, language: str, given: Given | None) -> Iterator[str]:
    """What is wrong with a text of the house, the worst first; nothing with one that only flows say."""
    if given is None or text.fixed:
        return
    if not given.values and not given.in_call:
        yield "this prompt is given no values; write it without {{ }}"
    shapes = dict(variables.ALWAYS if given.in_call else {}) | dict.fromkeys(given.values)
    for read in sorted(text.reads):
        if message := variables.wrong(read, shapes):
            yield message
    if given.bare and not all(isinstance(part, str) or _is_bare(part) for part in text.parts):
        yield "values stand here as they are; write only their names, such as {{ caller }}"
    if all(name in given.values for name, *_ in text.reads):
        try:
            text.speech(given.values, language)
        except CannotEvaluate as error:
            yield str(error)


def _is_bare(part: object) -> bool:
    return isinstance(part, Variable) and len(part.path) == 1


def _named_in(file: Path, found: Prompts) -> Prompts:
    """The prompts of a catalogue that is wrong somewhere, so that one mistake is not told as many.

    Where an id stands there twice nobody knows which other one was meant, and every prompt may be there.
    """
    everywhere: dict[str, Template | None] = dict.fromkeys(words.languages())
    text, _ = read_text(file)
    document, wrong = parse(text, str(file)) if text is not None else (None, [])
    if document is None or wrong or not isinstance(document.data, dict):
        return Unread(everywhere)
    return {**found, **dict.fromkeys(document.data, everywhere)}


def _placed(wrong: Mapping[tuple[str, str], str], file: Path) -> Iterator[Diagnostic]:
    text, _ = read_text(file)
    document, _ = parse(text or "", str(file))
    for path, message in wrong.items():
        if document is not None:
            yield document.problem(path, message)
