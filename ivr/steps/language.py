"""language: goes on in another language."""

from __future__ import annotations

from typing import ClassVar

from ivr.conversation import Conversation
from ivr.step import Exit, LanguageValue, Step


class Language(Step):
    """From here on everything is said in that language; one that the flow does not have changes nothing.

    cantonese: {language: yue, next: main}
    as-known: {language: "{{ caller.language }}", next: main}
    """

    verb = "language"
    exits: ClassVar = {"next": Exit(required=True, silent=True, about="at once")}
    whole = "to"
    instant = True

    to: LanguageValue
    """One of the flow's languages, or an expression such as `\"{{ caller.language }}\"`."""

    def run(self, call: Conversation) -> str:
        wanted = call.value(self.to)
        if isinstance(wanted, str) and wanted in call.flow.languages:
            call.state.language = wanted
        return "next"
