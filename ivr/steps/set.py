"""set: gives variables their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.templates import Value
from ivr.step import Exit, NewVariable, Shape, Step


class Set(Step):
    """Gives one or more variables a value. All are worked out before the first is set.

        urgent:
          set: {kind: complaint, priority: "{{ 10 if caller.tier == 'gold' else 0 }}"}
          next: queue-service

    What is made of something sensitive is sensitive too.
    """

    verb = "set"
    exits: ClassVar = {"next": Exit(required=True, silent=True, about="when all are set")}
    whole = "values"
    instant = True

    values: Annotated[Mapping[NewVariable, Value], Field(min_length=1)]
    """The variables, each with its value."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:  # noqa: ARG002
        return {"next": dict.fromkeys(self.values)}

    def run(self, call: Conversation) -> str:
        worked_out = [(name, call.value(written), call.shields(written)) for name, written in self.values.items()]
        for name, value, sensitive in worked_out:
            call.set(name, value, sensitive=sensitive)
        return "next"
