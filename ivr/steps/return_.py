"""return: goes back to the flow that called this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from ivr.conversation import Conversation, GoBack, Returned
from ivr.language.templates import Value
from ivr.step import NewVariable, Step


def _nothing(written: object) -> object:
    return {} if written is None else written


class Return(Step):
    """Ends a flow that another one called: that one goes on behind its step `call`, with the values given here.

        verified: {return: {name: "{{ customer.name }}"}}

    In a flow that was not called it ends the call.
    """

    verb = "return"
    exits: ClassVar = {}
    whole = "values"
    ends = True

    values: Annotated[Mapping[NewVariable, Value], BeforeValidator(_nothing)]
    """What is given back, by name; `{}` for nothing."""

    def gives(self) -> frozenset[str]:
        return frozenset(self.values)

    def run(self, call: Conversation) -> str:
        values = {name: call.value(written) for name, written in self.values.items()}
        raise GoBack(Returned(values, sensitive=call.shields(*self.values.values())))
