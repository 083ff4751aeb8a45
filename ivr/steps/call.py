"""call: runs another flow, and comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from config.syntax import Path
from config.wording import choices
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.templates import Value
from ivr.step import Exit, FlowName, NewVariable, Shape, Step


class Call(Step):
    """Runs another flow until a step there says `return`, and goes on with what that gave back.

        check-pin:
          call: {flow: identify, with: {account: "{{ account }}"}, into: identity}
          next: main

    The other flow has variables of its own: those that its `takes` names, with the values given here. Its
    own `keys` and `failed` hold in it; `longest` and `answer` are those of the flow that took the call.
    """

    verb = "call"
    exits: ClassVar = {"next": Exit(required=True, silent=True, about="when the other flow has led back")}
    broken = "next"

    flow: FlowName
    """The flow's name: its file without `.yaml`."""
    with_: Mapping[NewVariable, Value] = Field(default_factory=dict)
    """A value for each variable that the flow takes."""
    into: NewVariable | None = None
    """The variable that keeps what the flow gives back."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:
        if self.into is None:
            return {}
        facts = house.flows.get(self.flow)
        return {"next": {self.into: (facts.gives if facts else None) or frozenset()}}

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:
        facts = house.flows.get(self.flow)
        if facts is None:
            return
        unknown = [name for name in self.with_ if name not in facts.takes]
        missing = sorted(facts.takes - set(self.with_))
        for name in unknown:
            yield ("with", name), f"the flow '{self.flow}' takes no '{name}'"
        if missing and not unknown:
            yield ("with",), f"the flow '{self.flow}' takes {choices(missing)}"
        if self.into is not None and facts.gives == frozenset():
            yield ("into",), f"the flow '{self.flow}' gives nothing back; its step 'return' names what it gives"

    def run(self, call: Conversation) -> str:
        given = {name: call.value(written) for name, written in self.with_.items()}
        sensitive = {name for name, written in self.with_.items() if call.shields(written)}
        returned = call.in_called_flow(self.flow, given, sensitive)
        if self.into is not None:
            call.set(self.into, dict(returned.values), sensitive=returned.sensitive)
        return "next"
