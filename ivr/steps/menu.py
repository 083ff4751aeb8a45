"""menu: asks for one key and goes where it leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from config.syntax import Path
from ivr import listening
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.phrases import Phrase, Prompt
from ivr.listening import PhrasesByLanguage
from ivr.step import Exit, Key, Patience, Step, StepName, without_values


class Menu(Step):
    """Asks up to `tries` times; a silence and a wrong key each count as one, also when they lead elsewhere and back.

        main:
          menu:
            say: main-menu
            options: {"1": orders, "2": leave-message}
            timeout: 5s
            tries: 2
          no-match: main-again
          otherwise: agent

    Without `no-input` a silence is asked again; without `no-match` a wrong key is told by the prompt
    `not-an-option`.

    With `phrases` in the caller's language, and a recogniser for it, an option may be said as well: after
    the prompt and a beep, and then the caller is asked whether that was meant.
    """

    verb = "menu"
    exits: ClassVar = {
        "no-input": Exit(about="after each silence but the last"),
        "no-match": Exit(about="after each wrong key but the last"),
        "otherwise": Exit(required=True, silent=True, about="after so many tries"),
    }
    broken = "otherwise"
    prompts = without_values("not-an-option")

    say: Phrase
    """What is asked."""
    options: Annotated[Mapping[Key, StepName], Field(min_length=1)]
    """The keys, and the steps they lead to."""
    phrases: PhrasesByLanguage = Field(default_factory=dict)
    """What can be said instead of a key, by language: `{cmn: {"1": [查询订单, 订单]}}`."""
    timeout: Patience = 5.0
    """How long a silence after the prompt may last."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Silences and wrong keys together, also when they lead elsewhere and back."""

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:
        yield from listening.problems(self.phrases, self.options, house)

    def remarks(self, house: House) -> Iterator[tuple[Path, str]]:
        yield from listening.remarks(self.phrases, house)

    def run(self, call: Conversation) -> str:
        own = frozenset(self.options)
        while True:
            call.say(self.say)
            key = listening.key_or_phrase(call, self.timeout, own=own, phrases=self.phrases)
            if key in own:
                call.succeeded()
                return str(key)
            exit = "no-input" if key is None else "no-match"
            if key is not None:
                call.forget_keys()
            if call.failed() >= self.tries:
                call.succeeded()
                return "otherwise"
            if call.leads(exit):
                return exit
            if key is not None:
                call.say(Prompt("not-an-option") if key else listening.NOT_UNDERSTOOD)
