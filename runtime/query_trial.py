"""The queries against the running CRM: new ones before an edition is taken, those in force as soon as it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from config.document import parse
from config.values import Diagnostic
from crm import trial
from crm.catalogue import Catalogue as Queries
from switch.shared.clock import Clock, Millis

if TYPE_CHECKING:
    from gevent.threadpool import ThreadPool

log = structlog.get_logger(__name__)

AGAIN: Millis = 60_000  # until a CRM that did not answer is asked again


class QueryTrial:
    """Asks the CRM to prepare queries, off the hub and within `crm.trial`'s limits; none is run.

    Only what is new can refuse an edition. A query that is in force stays, whatever the CRM's tables have become:
    callers are served by all the others. `doubts` says what is wrong with those, or that nobody knows.
    """

    def __init__(self, url: str, clock: Clock, threads: ThreadPool) -> None:
        self._url = url
        self._clock = clock
        self._threads = threads
        self._due: Millis | None = clock.now()  # when those in force are to be tried; None where they were
        self.doubts: list[str] = []

    def against(self, text: str, name: str, queries: Queries, before: Queries) -> list[Diagnostic]:
        """What the CRM says against those of the queries that are not `before` as well, at their places in the text.

        A CRM that does not answer says nothing: the edition is taken, and `look` asks again.
        """
        changed = {key: query for key, query in queries.items() if before.get(key) != query}
        if queries != before:
            self._due = self._clock.now()
        if not changed:
            return []
        try:
            return self._problems(text, name, changed)
        except trial.NotTried as why:
            self._doubt([_unanswered(why)])
            self._due = self._clock.now() + AGAIN
            return []

    def look(self, text: str, name: str, queries: Queries) -> None:
        """Tries the queries in force where they have not been tried, or could not be a minute ago."""
        if self._due is None or self._clock.now() < self._due:
            return
        self._due = None
        try:
            self._doubt([f"a query does not fit the CRM: {problem}" for problem in self._problems(text, name, queries)])
        except trial.NotTried as why:
            self._doubt([_unanswered(why)])
            self._due = self._clock.now() + AGAIN

    def _problems(self, text: str, name: str, queries: Queries) -> list[Diagnostic]:
        document, _ = self._threads.apply(parse, (text, name))
        return [] if document is None else trial.of_document(document, queries, self._url, self._clock)

    def _doubt(self, doubts: list[str]) -> None:
        for doubt in doubts:
            if doubt not in self.doubts:
                log.warning("queries: not all of them are known to work", doubt=doubt)
        self.doubts = doubts


def _unanswered(why: trial.NotTried) -> str:
    return f"the queries have not been tried, for the CRM does not answer: {why}"
