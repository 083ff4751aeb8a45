"""say: speaks a prompt, or a text of its own per language."""

from __future__ import annotations

from typing import ClassVar

from ivr.conversation import Conversation
from ivr.language.phrases import Phrase
from ivr.step import Exit, Step


class Say(Step):
    """Speaks to the end, or until any key cuts it short; that key counts for the next step.

        tell-number:
          say: {cmn: "您的号码是{{ caller.number | digits }}。", en: "Your number is {{ caller.number | digits }}."}
          next: main

    A prompt's id (`{say: welcome, next: main}`) is a recording `prompts/<language>/<id>.wav`, or else the
    text in `prompts/catalogue.yaml`.
    """

    verb = "say"
    exits: ClassVar = {"next": Exit(required=True, silent=True, about="when all was said")}
    whole = "phrase"

    phrase: Phrase
    """A prompt's id, or the text itself for each language."""

    def run(self, call: Conversation) -> str:
        call.say(self.phrase)
        call.obey()
        return "next"
