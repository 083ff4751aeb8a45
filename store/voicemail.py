"""What the owners of mailboxes do with them, and what is done for them: PINs, greetings, lights, notices, retention.

Every method raises StoreFailed as the store's own do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from store import pins
from store.database import Work
from store.rows import Mailbox, Message, MessageState, Notice, Waiting
from store.tables import greetings, mailboxes, messages, notices
from store.text import storable

T = TypeVar("T")

GUESSES = 5  # wrong PINs in a row, over all calls, after which a box is locked
LOCKED_FOR = timedelta(minutes=15)  # the first time; doubled with every lock after it
LONGEST_LOCK = timedelta(hours=24)


class Runner(Protocol):
    """`Store`'s way to its database."""

    def __call__(self, work: Work[T], *, writes: bool = False) -> T: ...


class Opening(StrEnum):
    """What came of an attempt to open a mailbox."""

    OPEN = "open"
    WRONG = "wrong"
    LOCKED = "locked"  # too many wrong ones: not even the right PIN opens it now
    NO_PIN = "no pin"  # a box without a PIN, or no such box, cannot be opened by phone


class Voicemail:
    """The part of the store behind `Store.voicemail`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    # --- the box itself

    def change(self, box: str, **columns: object) -> bool:
        """Changes columns of a mailbox (`email`, `greeting`, `message_limit`, `keep_days`, `phones`); False where
        there is no such box.
        """
        change = update(mailboxes).where(mailboxes.c.name == storable(box)).values(**columns)
        return self._run(lambda connection: connection.execute(change).rowcount > 0, writes=True)

    def set_pin(self, box: str, pin: str) -> bool:
        """Gives a box its PIN ("" takes it away) and forgets wrong ones; False where there is no such box."""
        digest = pins.hashed(pin) if pin else None
        return self.change(box, pin_hash=digest, wrong_pins=0, locked_until=None)

    def unlock(self, box: str) -> bool:
        return self.change(box, wrong_pins=0, locked_until=None)

    def remove(self, box: str) -> int | None:
        """Removes an empty mailbox; else how many messages it holds, and None where there is no such box."""
        return self._run(lambda connection: _remove(connection, storable(box)), writes=True)

    def open(self, box: str, pin: str, now: datetime) -> Opening:
        """One attempt to open a box by its PIN. Attempts at the same time are counted one by one."""
        return self._run(lambda connection: _open(connection, storable(box), pin, now), writes=True)

    # --- messages

    def drop(self, message: str, now: datetime) -> str | None:
        """Deletes a message for everybody and returns its file, which is to be removed before `forget`."""
        return self._run(lambda connection: _drop(connection, storable(message), now), writes=True)

    def drop_expired(self, now: datetime) -> int:
        """Deletes what is older than its box keeps; how many. What is still to be sent by e-mail waits for that."""
        return self._run(lambda connection: _drop_expired(connection, now), writes=True)

    def dropped(self) -> Mapping[str, str]:
        """The deleted messages of which a file may be left, with its path."""
        query = select(messages.c.id, messages.c.path).where(messages.c.dropped.is_not(None))
        return {row["id"]: row["path"] for row in self._rows(query)}

    def forget(self, ids: Sequence[str]) -> None:
        """Removes the rows of deleted messages whose files have gone."""
        gone = delete(messages).where(messages.c.id.in_(ids), messages.c.dropped.is_not(None))
        self._run(lambda connection: connection.execute(gone), writes=True)

    # --- lights

    def waiting(self) -> Mapping[str, Waiting]:
        """The new and the other messages of every phone that shows a box, those without any included."""
        return self._run(_waiting)

    # --- greetings

    def greeting(self, box: str, language: str) -> str | None:
        """The file of the box's own greeting in that language."""
        query = select(greetings.c.path).where(greetings.c.box == storable(box), greetings.c.language == language)
        rows = self._rows(query)
        return str(rows[0]["path"]) if rows else None

    def set_greeting(self, box: str, language: str, path: str) -> str | None:
        """Puts a greeting in force ("" for none any more); the file of the one before, which is to be removed."""
        return self._run(lambda connection: _set_greeting(connection, storable(box), language, path), writes=True)

    # --- notices

    def due_notices(self, now: datetime, latest: datetime) -> list[Notice]:
        """The e-mails that are to be tried now, the longest due first.

        Those too that were never tried, or are due after `latest`, which no pause can reach: another clock said when.
        """
        due = (notices.c.due <= now) | (notices.c.due > latest) | (notices.c.attempts == 0)
        query = (
            select(messages, mailboxes.c.email, notices.c.attempts)
            .join_from(notices, messages, notices.c.message == messages.c.id)
            .join(mailboxes, mailboxes.c.name == messages.c.box)
            .where(due)
            .order_by(notices.c.due, messages.c.received)
        )
        return [_notice(row) for row in self._rows(query)]

    def next_notice(self) -> datetime | None:
        """When the next e-mail is due; None when there is none to send."""
        rows = self._rows(select(notices.c.due).order_by(notices.c.due).limit(1))
        return rows[0]["due"] if rows else None

    def notice_failed(self, message: str, due: datetime, trouble: str) -> None:
        """The e-mail is to be tried again at `due`."""
        change = (
            update(notices)
            .where(notices.c.message == message)
            .values(due=due, trouble=storable(trouble), attempts=notices.c.attempts + 1)
        )
        self._run(lambda connection: connection.execute(change), writes=True)

    def notice_over(self, message: str) -> None:
        """The e-mail was taken, or will never be."""
        self._run(
            lambda connection: connection.execute(delete(notices).where(notices.c.message == message)), writes=True
        )

    def _rows(self, query: Any) -> list[RowMapping]:
        return self._run(lambda connection: list(connection.execute(query).mappings()))


def mailbox_of(row: RowMapping) -> Mailbox:
    return Mailbox(
        row["name"],
        row["greeting"],
        row["email"],
        row["message_limit"],
        row["pin_hash"] is not None,
        row["keep_days"],
        tuple(row["phones"]),
        row["locked_until"],
    )


def message_of(row: RowMapping) -> Message:
    plain = {name: row[name] for name in Message.__dataclass_fields__}
    return Message(**{**plain, "state": MessageState(row["state"])})


def _notice(row: RowMapping) -> Notice:
    return Notice(message_of(row), row["email"], row["attempts"])


def _remove(connection: Connection, box: str) -> int | None:
    if connection.execute(select(mailboxes.c.name).where(mailboxes.c.name == box).with_for_update()).first() is None:
        return None
    held = len(connection.execute(select(messages.c.id).where(messages.c.box == box)).all())
    if not held:
        connection.execute(delete(greetings).where(greetings.c.box == box))
        connection.execute(delete(mailboxes).where(mailboxes.c.name == box))
    return held


def _open(connection: Connection, box: str, pin: str, now: datetime) -> Opening:
    query = select(mailboxes).where(mailboxes.c.name == box).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None or row["pin_hash"] is None:
        return Opening.NO_PIN
    change = update(mailboxes).where(mailboxes.c.name == box)
    if row["locked_until"] is not None and row["locked_until"] > now:
        longest = now + _lock(row["wrong_pins"])
        if row["locked_until"] > longest:  # the time of day was set back
            connection.execute(change.values(locked_until=longest))
        return Opening.LOCKED
    right = pins.matches(pin, row["pin_hash"])
    wrong = 0 if right else row["wrong_pins"] + 1
    locked_until = now + _lock(wrong) if wrong and wrong % GUESSES == 0 else None
    connection.execute(change.values(wrong_pins=wrong, locked_until=locked_until))
    if locked_until is not None:
        return Opening.LOCKED
    return Opening.OPEN if right else Opening.WRONG


def _lock(wrong: int) -> timedelta:
    """How long so many wrong PINs in a row lock a box: 15 minutes, then 30, up to a day."""
    before = min(max(wrong // GUESSES - 1, 0), 10)
    return min(LOCKED_FOR * (1 << before), LONGEST_LOCK)


def _drop(connection: Connection, message: str, now: datetime) -> str | None:
    path = connection.execute(select(messages.c.path).where(messages.c.id == message)).scalar()
    if path is None:
        return None
    connection.execute(delete(notices).where(notices.c.message == message))
    connection.execute(update(messages).where(messages.c.id == message).values(dropped=now))
    return str(path)


def _drop_expired(connection: Connection, now: datetime) -> int:
    kept_for_some_time = select(mailboxes.c.name, mailboxes.c.keep_days).where(mailboxes.c.keep_days.is_not(None))
    dropped = 0
    for box, days in connection.execute(kept_for_some_time).all():
        old = (messages.c.box == box) & (messages.c.received <= now - timedelta(days=days))
        mailed = messages.c.id.not_in(select(notices.c.message))
        there = messages.c.dropped.is_(None)
        dropped += connection.execute(update(messages).where(old, mailed, there).values(dropped=now)).rowcount
    return dropped


def _waiting(connection: Connection) -> dict[str, Waiting]:
    found: dict[str, Waiting] = {}
    shown = connection.execute(select(mailboxes.c.name, mailboxes.c.phones)).all()
    there = select(messages.c.box, messages.c.state).where(messages.c.dropped.is_(None))
    states: dict[str, list[str]] = {}
    for box, state in connection.execute(there):
        states.setdefault(box, []).append(state)
    for box, phones in shown:
        new = states.get(box, []).count(MessageState.NEW.value)
        old = len(states.get(box, [])) - new
        for phone in phones:
            before = found.get(phone, Waiting())
            found[phone] = Waiting(before.new + new, before.old + old)
    return found


def _set_greeting(connection: Connection, box: str, language: str, path: str) -> str | None:
    its_own = (greetings.c.box == box) & (greetings.c.language == language)
    before = connection.execute(select(greetings.c.path).where(its_own)).scalar()
    connection.execute(delete(greetings).where(its_own))
    if path:
        connection.execute(insert(greetings).values(box=box, language=language, path=path))
    return None if before is None else str(before)
