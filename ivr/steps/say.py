"""say: speaks a prompt, or a text of its own per language."""

from __future__ import annotations

from typing import ClassVar

from ivr.conversation import Conversation
from ivr.language.phrases import Phrase
from ivr.step import Exit, Step


class Say(Step):
    """Speaks to the end, or until any key cuts it short; that key counts for the next step."""

    verb = "say"
    exits: ClassVar = {"next": Exit(required=True, silent=True)}
    whole = "phrase"

    phrase: Phrase

    def run(self, call: Conversation) -> str:
        call.say(self.phrase)
        call.obey()
        return "next"
