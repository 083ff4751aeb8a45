"""goto: goes on at another step."""

from __future__ import annotations

from typing import ClassVar

from ivr.conversation import Conversation
from ivr.step import Step, StepName


class Goto(Step):
    """Does nothing but lead to another step.

    back: {goto: main}
    """

    verb = "goto"
    exits: ClassVar = {}
    whole = "to"
    instant = True

    to: StepName
    """The step to go on at."""

    def run(self, call: Conversation) -> str:  # noqa: ARG002
        return "to"
