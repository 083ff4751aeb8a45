"""lookup: asks the business's database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from config.syntax import Path
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.templates import Value
from ivr.services import HostFailed
from ivr.step import Exit, NewVariable, QueryName, Shape, Step


class Lookup(Step):
    """Runs a named query of `queries.yaml` and keeps its first row in `into`.

    find-order:
      lookup: {query: order_by_number, with: {number: "{{ order_number }}"}, into: order}
      found: tell-order
      missing: no-such-order
      failed: agent
    """

    verb = "lookup"
    exits: ClassVar = {
        "found": Exit(required=True, silent=True, about="there is such a row"),
        "missing": Exit(required=True, silent=True, about="there is none"),
        "failed": Exit(required=True, silent=True, about="the database is down or slow"),
    }
    broken = "failed"
    instant = True

    query: QueryName
    """A query of `queries.yaml`."""
    with_: Mapping[str, Value] = Field(default_factory=dict)
    """A value for each of the query's parameters."""
    into: NewVariable | None = None
    """The variable that keeps the first row: its columns are then `order.number` and so on."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:
        if self.into is None:
            return {}
        facts = house.queries.get(self.query)
        return {"found": {self.into: facts.returns if facts else frozenset()}}

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:
        facts = house.queries.get(self.query)
        if facts is None:
            return
        if facts.writes:
            yield ("query",), f"the query '{self.query}' writes; use the verb 'save'"
        yield from facts.misfit(self.query, self.with_)

    def run(self, call: Conversation) -> str:
        try:
            row = call.services.hosts.query(self.query, {name: call.value(self.with_[name]) for name in self.with_})
        except HostFailed as failure:
            call.note("LookupFailed", query=self.query, reason=str(failure))
            return "failed"
        if row is None:
            return "missing"
        if self.into is not None:
            call.set(self.into, dict(row))
        return "found"
