"""Mailboxes as flows know them: over the store, with the audio in a directory, and nothing that was said lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import structlog
from gevent.threadpool import ThreadPool

from ivr.language.phrases import Prompt
from ivr.services import CannotKeep, MailboxAway, Message, PinVerdict, StoredMessage
from journal.writer import Journal, JournalBroken
from runtime import filing
from runtime.filing import Left
from store.rows import Message as Row
from store.rows import MessageState
from store.store import MailboxFull, Store, StoreFailed
from switch.port import CallId, Sound
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

T = TypeVar("T")

STILL_WRITTEN = 60.0  # seconds since the last write in which another process may still be recording


class StoreMailboxes:
    """`ivr.services.Mailboxes` over the store, with the audio in `directory`.

    `on_change` is called after every change of what a box holds.
    """

    def __init__(
        self,
        store: Store,
        directory: Path,
        clock: Clock,
        journal: Journal,
        *,
        on_change: Callable[[], None] = lambda: None,
        on_unfiled: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._journal = journal
        self._on_change = on_change
        self._on_unfiled = on_unfiled
        self._threads = ThreadPool(2)
        self._since = self._now()  # what is older was begun by another process, which may be recording still
        self._in_hand: dict[Path, str] = {}  # recordings of this process under way, with their messages' ids
        self._left: set[Path] = set()  # of this process, and out of its hands
        self.unfiled = 0  # messages on disk that wait for the database or for room

    # --- callers

    def full(self, box: str) -> bool:
        """A box that cannot be looked up is not called full: the message is recorded, and storing it tried."""
        try:
            return self._store.full(box)
        except StoreFailed as error:
            log.warning("mailbox: cannot be looked up", box=box, error=str(error))
            return False

    def greeting(self, box: str, language: str) -> Sound | Prompt | None:
        """A greeting that cannot be looked up costs the greeting, not the message."""
        try:
            if recorded := self._store.voicemail.greeting(box, language):
                return Sound(Path(recorded))
            found = self._store.mailbox(box)
        except StoreFailed as error:
            log.warning("mailbox: its greeting cannot be looked up", box=box, error=str(error))
            return None
        return Prompt(found.greeting) if found is not None and found.greeting else None

    def file_for(self, box: str, call: CallId, visit: int, *, caller: str, caller_name: str) -> Path:
        id = str(uuid.uuid4())
        facts = {
            "message": id,
            "box": box,
            "received": self._now().isoformat(),
            "caller": caller,
            "caller_name": caller_name,
            "call": call,
            "visit": str(visit),
        }
        try:
            path = self._off_hub(lambda: filing.begin(self._directory / box, facts))
        except OSError as error:
            raise CannotKeep(f"no file for a message: {error.strerror or error}") from error
        self._in_hand[path] = id
        self._journal.append("MessageBegun", call, box=box, path=str(path))  # a later life knows where to look for it
        return path

    def discard(self, recorded: Path) -> None:
        self._off_hub(lambda: filing.throw_away(recorded))
        self._in_hand.pop(recorded, None)

    def leave(self, recorded: Path) -> None:
        self._left.add(recorded)
        self._file_later(recorded)

    def keep(
        self, box: str, recorded: Path, *, call: CallId, visit: int, caller: str, caller_name: str
    ) -> Message | None:
        if self._journal.closed:
            raise JournalBroken("the house is closing; the next one keeps the message")
        try:
            seconds = self._off_hub(lambda: filing.secured_seconds(recorded))
        except OSError as error:
            self._file_later(recorded)
            raise CannotKeep(error.strerror or str(error)) from error
        if seconds is None:
            self.discard(recorded)
            return None
        id = self._in_hand.get(recorded) or self._off_hub(lambda: _promised(recorded))
        try:
            kept = self._store.keep_message(
                box,
                path=str(recorded),
                seconds=seconds,
                received=self._now(),
                caller=caller,
                caller_name=caller_name,
                call=call,
                visit=str(visit),
                id=id,
            )
        except MailboxFull as error:
            self.discard(recorded)
            raise CannotKeep(str(error)) from error
        except StoreFailed as error:
            # It is kept all the same: its slip is on disk, and `file_waiting` will find it.
            self._journal.append("MessageUnfiled", call, box=box, path=str(recorded), error=str(error))
            self._file_later(recorded)
            return Message(id, box, seconds)
        self._filed(recorded, kept, call)
        return Message(kept.id, box, seconds)

    # --- owners

    def boxes_of(self, account: str) -> Sequence[str]:
        return [box.name for box in self._asked(self._store.boxes) if account in box.phones]

    def open(self, box: str, pin: str) -> PinVerdict:
        verdict: PinVerdict = self._asked(lambda: self._store.voicemail.open(box, pin, self._now())).value
        return verdict

    def messages(self, box: str) -> Sequence[StoredMessage]:
        rows = sorted(self._asked(lambda: self._store.messages(box)), key=lambda row: row.state is not MessageState.NEW)
        return [
            StoredMessage(row.id, row.caller, row.received, Sound(Path(row.path)), row.state is MessageState.NEW)
            for row in rows
        ]

    def mark(self, message: str, state: Literal["heard", "saved"]) -> None:
        self._asked(lambda: self._store.mark(message, MessageState(state)))
        self._on_change()

    def delete(self, message: str) -> None:
        path = self._asked(lambda: self._store.voicemail.drop(message, self._now()))
        self._on_change()
        if path is not None:
            self._off_hub(lambda: filing.throw_away(Path(path)))
            with suppress(StoreFailed):  # the row goes with the next retention
                self._store.voicemail.forget([message])

    def greeting_file(self, box: str) -> Path:
        try:
            return self._off_hub(lambda: filing.new_file(self._directory / box / "greetings"))
        except OSError as error:
            raise MailboxAway(f"no file for a greeting: {error.strerror or error}") from error

    def set_greeting(self, box: str, language: str, recorded: Path | None) -> bool:
        if recorded is not None and self._off_hub(lambda: filing.secured_seconds(recorded)) is None:
            self.discard(recorded)
            return False
        path = str(recorded) if recorded is not None else ""
        try:
            before = self._asked(lambda: self._store.voicemail.set_greeting(box, language, path))
        except MailboxAway:
            if recorded is not None:
                self.discard(recorded)
            raise
        self._journal.append("GreetingChanged", "", box=box, language=language, recorded=recorded is not None)
        if before is not None:
            self.discard(Path(before))
        return True

    # --- what was left behind

    def file_waiting(self) -> int:
        """Files what is on disk and in no table, and returns how many messages still wait. Raises nothing."""
        found = self._off_hub(lambda: filing.left_behind(self._directory, self._clock.wall().timestamp()))
        self._left &= {left.path for left in found}
        waiting = [left for left in found if left.path not in self._in_hand and not self._is_filed(left)]
        self.unfiled = len(waiting)
        return self.unfiled

    def _is_filed(self, left: Left) -> bool:
        """Files one message; whether nothing is left to be done for it."""
        try:
            facts, received = left.facts, datetime.fromisoformat(left.facts["received"])
            ours = received >= self._since and left.path not in self._left
            if not ours and left.age < STILL_WRITTEN:
                return False
            if self._off_hub(lambda: filing.slip(left.path)) is None:
                return True  # it was kept while others were filed
            seconds = self._off_hub(lambda: filing.secured_seconds(left.path))
            if seconds is None:
                self.discard(left.path)
                return True
            row = self._store.keep_message(
                facts["box"],
                path=str(left.path),
                seconds=seconds,
                received=received,
                caller=facts["caller"],
                caller_name=facts["caller_name"],
                call=facts["call"],
                visit=facts["visit"],
                id=facts["message"],
            )
        except (StoreFailed, OSError, LookupError, ValueError) as error:
            log.debug("a message waits to be filed", path=str(left.path), error=str(error))
            return False
        self._filed(left.path, row, CallId(facts["call"]))
        return True

    def _file_later(self, path: Path) -> None:
        self._in_hand.pop(path, None)
        self._on_unfiled()

    def _filed(self, path: Path, row: Row, call: CallId) -> None:
        self._off_hub(lambda: filing.remove_slip(path) if row.path == str(path) else filing.throw_away(path))
        self._in_hand.pop(path, None)
        self._journal.append("MessageKept", call, box=row.box, message=row.id, seconds=row.seconds)
        self._on_change()

    # --- details

    def _now(self) -> datetime:
        return self._clock.wall().astimezone(UTC)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except StoreFailed as error:
            raise MailboxAway(str(error)) from error

    def _off_hub(self, work: Callable[[], T]) -> T:
        """Disk may be slow: its work is done in a native thread."""
        with self._clock.working():
            done: T = self._threads.apply(work)
            return done


def _promised(recorded: Path) -> str:
    """The id that another process gave a message when it began, else a new one."""
    facts = filing.slip(recorded) or {}
    return str(facts.get("message") or uuid.uuid4())
