"""save: writes into the business's database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from config.syntax import Path
from ivr.conversation import Conversation, MayBeDone
from ivr.language.house import House
from ivr.language.templates import Value
from ivr.services import HostFailed
from ivr.step import Exit, NewVariable, QueryName, Shape, Step


class Save(Step):
    """Runs a query of `queries.yaml` that writes, and keeps what it returns in `into`.

        file-complaint:
          save: {query: open_ticket, with: {kind: complaint, message: "{{ message.id }}"}, into: ticket}
          next: tell-ticket
          failed: goodbye

    It is done once, also where the appliance is restarted meanwhile: what was done is remembered, and what
    may have been done is repeated only by a query that has `:key` or says `may-repeat: true`. Any other
    goes on by `failed` then.
    """

    verb = "save"
    exits: ClassVar = {
        "next": Exit(required=True, silent=True, about="it is written"),
        "failed": Exit(required=True, silent=True, about="the database is down, slow or refuses it"),
    }
    broken = "failed"
    instant = True

    query: QueryName
    """A query of `queries.yaml` that writes."""
    with_: Mapping[str, Value] = Field(default_factory=dict)
    """A value for each of the query's parameters but `:key`, which is filled in."""
    into: NewVariable | None = None
    """The variable that keeps what the query returns: its columns are then `ticket.number` and so on."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:
        if self.into is None:
            return {}
        facts = house.queries.get(self.query)
        return {"next": {self.into: facts.returns if facts else frozenset()}}

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:
        facts = house.queries.get(self.query)
        if facts is None or facts.parameters is None:
            return
        if not facts.writes:
            yield ("query",), f"the query '{self.query}' only reads; use the verb 'lookup'"
        elif self.into is not None and not facts.returns:
            yield ("into",), f"the query '{self.query}' returns nothing; give it 'returning' and 'returns'"
        yield from facts.misfit(self.query, self.with_)

    def run(self, call: Conversation) -> str:
        values = {name: call.value(written) for name, written in self.with_.items()}
        sensitive = call.shields(*self.with_.values())
        hosts = call.services.hosts
        try:
            row = call.once(
                f"save {self.query}",
                lambda key: hosts.save(self.query, values, key),
                again=hosts.repeatable(self.query),
                sensitive=sensitive,
            )
        except HostFailed as failure:
            return self._failed(call, str(failure))
        except MayBeDone:
            return self._failed(call, "the appliance was restarted meanwhile, and the query has no :key")
        if self.into is not None:
            if row is None:
                return self._failed(call, "it returned no row")
            call.set(self.into, dict(row), sensitive=sensitive)
        return "next"

    def _failed(self, call: Conversation, reason: str) -> str:
        call.note("SaveFailed", query=self.query, reason=reason)
        return "failed"
