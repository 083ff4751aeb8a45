"""Everything about voices that are kept: mailboxes, recordings, and what is done for them beside the calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from config.appliance import Config
from ivr.services import Voice
from journal.writer import Journal
from runtime.lights import Lights
from runtime.mailboxes import StoreMailboxes
from runtime.notices import Notices
from runtime.recordings import StoreRecordings
from runtime.retention import Retention
from runtime.rounds import Round
from store.store import Store
from switch.port import Switch
from switch.shared.clock import Clock

FILED_AGAIN = 30.0  # seconds

VALUE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Mailroom:
    """Made with the house, and started and stopped with it."""

    def __init__(
        self,
        config: Config,
        *,
        store: Store,
        switch: Switch,
        clock: Clock,
        journal: Journal,
        voice: Voice,
        language: Callable[[], str],
    ) -> None:
        self._filing = Round(self._file, clock)
        self.mailboxes = StoreMailboxes(
            store,
            config.data_dir / "messages",
            clock,
            journal,
            on_change=self.changed,
            on_unfiled=self._filing.ask,
        )
        self.recordings = StoreRecordings(
            store,
            config.data_dir / "recordings",
            clock,
            journal,
            keep=config.recordings.keep,
            on_unfiled=self._filing.ask,
        )
        self._notices = Notices(
            store,
            config.mail,
            clock,
            journal,
            words=lambda prompt, values: written(voice.catalogue_text(prompt, language()), values),
            zone=config.zone,
        )
        self._lighting = Round(Lights(store, switch), clock)
        self._mailing = Round(self._notices, clock)
        self._retention = Round(Retention(store, clock, journal), clock)

    def start(self) -> None:
        for each in self._rounds():
            each.start()

    def stop(self) -> None:
        for each in self._rounds():
            each.stop()

    def changed(self) -> None:
        """A box holds something else than before, or is another one."""
        self._lighting.ask()
        self._mailing.ask()

    def troubles(self) -> list[str]:
        waiting = self.mailboxes.unfiled + self.recordings.unfiled
        unfiled = f"messages and recordings that wait to be filed: {waiting}; their audio is on disk" if waiting else ""
        return [trouble for trouble in (self._notices.trouble, unfiled) if trouble]

    def _file(self) -> float | None:
        waiting = self.mailboxes.file_waiting() + self.recordings.file_waiting()
        return FILED_AGAIN if waiting else None

    def _rounds(self) -> Iterator[Round]:
        yield from (self._lighting, self._mailing, self._filing, self._retention)


def written(text: str, values: dict[str, object]) -> str:
    """A text for the eye, with its values as they are."""
    return VALUE.sub(lambda found: str(values.get(found[1], "")), text).strip()
