"""Press or say: an option by its key, or by one of a few phrases, and then only after the caller confirmed it.

The house has no audio of its own: the switch records one short utterance after the prompt, up to a pause,
and a recogniser looks into that file. So speech cannot interrupt a prompt; keys can, at any time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import structlog
from pydantic import AfterValidator, BeforeValidator, Field

from config.syntax import Path
from config.wording import choices, suggestion
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.phrases import Prompt
from ivr.services import CannotRecognise, CannotSpeak, Ears
from ivr.step import Key, Prompts
from switch.port import CannotPlay, CannotRecord, Keys

log = structlog.get_logger(__name__)

CONFIRM, NOT_UNDERSTOOD, BEEP = Prompt("did-you-say"), Prompt("not-understood"), Prompt("beep")
PROMPTS: Prompts = {"did-you-say": {"said": "yes"}, "not-understood": {}}
LONGEST = 6.0  # seconds of one utterance: whoever says more does not name an option
PAUSE = 1.0  # seconds of silence that end it
ASKED = 2  # times that the caller is asked whether a phrase was meant
YES, NO = "1", "2"
_BETWEEN_HAN = re.compile("(?<=[⺀-鿿]) (?=[⺀-鿿])")

_ANSWERS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "cmn": {YES: ("是", "是的", "对", "对的"), NO: ("不", "不是", "不对")},
    "yue": {YES: ("係", "係呀", "啱"), NO: ("唔係", "唔啱")},
    "en": {YES: ("yes", "yes please", "that is right"), NO: ("no", "no thank you", "that is wrong")},
}


def _phrase(text: str) -> str:
    plain = _BETWEEN_HAN.sub("", " ".join(text.lower().split()))
    if not plain or len(plain) > 80 or not all(sign.isalpha() or sign in " '-" for sign in plain):
        raise ValueError(f"'{text[:80]}' cannot be a phrase; write words without figures and signs, as they are said")
    return plain


def _several(written: object) -> object:
    return [written] if isinstance(written, str) else written


Phrases = Annotated[
    tuple[Annotated[str, AfterValidator(_phrase)], ...], Field(min_length=1, max_length=20), BeforeValidator(_several)
]
PhrasesByLanguage = Mapping[str, Mapping[Key, Phrases]]


def problems(phrases: PhrasesByLanguage, options: Mapping[Key, str], house: House) -> Iterator[tuple[Path, str]]:
    """What is wrong with a step's phrases: where, from the verb's value, and what."""
    for language, by_key in phrases.items():
        if house.languages and language not in house.languages:
            hint = suggestion(language, house.languages) or f" There are: {choices(house.languages)}"
            yield ("phrases", language), f"no language '{language}'.{hint}"
            continue
        meant: dict[str, str] = {}
        for key, several in by_key.items():
            if key not in options:
                yield ("phrases", language, key), f"no option '{key}'. There are: {choices(options)}"
            for phrase in several:
                if meant.setdefault(phrase, key) != key:
                    yield ("phrases", language, key), f"'{phrase}' stands for the key {meant[phrase]} already"
        for prompt in (CONFIRM, NOT_UNDERSTOOD):
            if language not in house.prompts.get(prompt.id, {}):
                yield (
                    ("phrases", language),
                    f"the prompt '{prompt.id}' has neither a text nor a recording in {language}",
                )


def remarks(phrases: PhrasesByLanguage, house: House) -> Iterator[tuple[Path, str]]:
    """Languages whose phrases nobody will understand here."""
    for language in phrases:
        if house.understood is not None and language not in house.understood:
            message = f"these phrases are not used: speech.recognition in appliance.yaml has no model for {language}"
            yield ("phrases", language), f"{message}. Keys work"


def key_or_phrase(call: Conversation, within: float, *, own: Keys, phrases: PhrasesByLanguage) -> str | None:
    """The key that was pressed, or that belongs to what was said; "" for words not understood, None for silence.

    Without phrases or a recogniser for the call's language this is `Conversation.key`. Raises Jump as that does.
    """
    meaning = {phrase: key for key, said in phrases.get(call.state.language, {}).items() for phrase in said}
    ears = call.services.ears
    if not meaning or ears is None or not ears.understand(call.state.language):
        return call.key(within, own=own)
    try:
        return _Listener(call, ears, within, own).answer(meaning)
    except (CannotRecognise, CannotRecord) as error:
        log.warning("phrases are not recognised; the caller has the keys", step=call.state.step, why=str(error))
        call.note("RecognitionFailed", step=call.state.step, reason=str(error))
        return call.key(within, own=own)


@dataclass(frozen=True, slots=True)
class _Listener:
    """One question to one caller: how long it waits, and which keys answer it."""

    call: Conversation
    ears: Ears
    within: float
    own: Keys

    def answer(self, meaning: Mapping[str, str]) -> str | None:
        """See `key_or_phrase`; `meaning` is the key of each phrase."""
        heard = self._heard(meaning, self.own)
        return self._confirmed(heard, meaning) if heard is not None and heard in meaning else heard

    def _confirmed(self, phrase: str, meaning: Mapping[str, str]) -> str | None:
        """The key of a phrase when the caller says or keys yes; "" after no. Another option's key counts as itself."""
        words = _ANSWERS.get(self.call.state.language, {})
        answers = {said: key for key, several in words.items() for said in several}
        heard: str | None = None
        for _ in range(ASKED):
            self.call.say(CONFIRM, values={"said": phrase})
            heard = self._heard(answers, self.own | {YES, NO})
            answer = answers.get(heard or "", heard)
            if answer in {YES, NO}:
                self.call.note("PhraseHeard", step=self.call.state.step, key=meaning[phrase], confirmed=answer == YES)
                return meaning[phrase] if answer == YES else ""
            if answer:
                return answer
        return heard

    def _heard(self, phrases: Iterable[str], own: Keys) -> str | None:
        """A key, one of the phrases, "" for other words, or None when nobody said anything for so long."""
        call = self.call
        _beep(call)
        said = self.ears.file_for(call.call.id, call.state.visit)
        until = call.services.clock.seconds() + self.within
        try:
            while True:
                key = call.key(0, own=own) or call.utterance(said, longest=LONGEST, silence=PAUSE, own=own)
                if key is not None:
                    return key
                heard = self.ears.recognise(said, call.state.language, list(phrases))
                if heard is not None or call.services.clock.seconds() >= until:
                    return heard
        finally:
            self.ears.forget(said)


def _beep(call: Conversation) -> None:
    """Tells that it is the caller's turn; without it the caller may speak as well."""
    try:
        call.say(BEEP)
    except (CannotSpeak, CannotPlay) as error:
        log.error("the beep cannot be played", error=str(error))
