"""menu: asks for one key and goes where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.conversation import Conversation
from ivr.language.phrases import Phrase, Prompt
from ivr.step import Exit, Key, Patience, Step, StepName


class Menu(Step):
    """Asks up to `tries` times; a silence and a wrong key each count as one, also when they lead elsewhere and back."""

    verb = "menu"
    exits: ClassVar = {
        "no-input": Exit(),
        "no-match": Exit(),
        "otherwise": Exit(required=True, silent=True),
    }
    broken = "otherwise"
    prompts = frozenset({"not-an-option"})

    say: Phrase
    options: Annotated[Mapping[Key, StepName], Field(min_length=1)]
    timeout: Patience = 5.0
    tries: Annotated[int, Field(ge=1, le=10)] = 3

    def run(self, call: Conversation) -> str:
        own = frozenset(self.options)
        while True:
            call.say(self.say)
            key = call.key(self.timeout, own=own)
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
                call.say(Prompt("not-an-option"))
