"""hangup: ends the call."""

from __future__ import annotations

from typing import ClassVar

from ivr.conversation import Conversation
from ivr.step import Step


class Hangup(Step):
    """Ends the call; nothing comes after it.

    end: {hangup: {}}
    """

    verb = "hangup"
    exits: ClassVar = {}
    ends = True

    def run(self, call: Conversation) -> str:  # noqa: ARG002
        return "ended"
