"""The store: what the house reads from and writes to its own tables.

Every method may block its greenlet for at most the store's limit and raises StoreFailed when the
database does not do its part in that time::

    StoreFailed
    ├── MailboxFull      the message was not kept: the box has as many as it may have
    └── AlreadyThere     an agent or a mailbox of that name exists
"""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, func, insert, select, update

from store import pins
from store.database import Database, DatabaseFailed, Reason, Work
from store.fold import Record, call_of, concerns, fold, sets_clock
from store.recordings import Recordings
from store.rows import Agent, Interaction, Mailbox, Membership, Message, MessageState
from store.tables import agents, folds, interactions, mailboxes, messages, notices
from store.text import storable
from store.voicemail import Voicemail, mailbox_of, message_of
from switch.shared.clock import Clock

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

FOLD = "interactions"
FOLDED_AT_ONCE = 500  # records a transaction
INTERACTION = tuple(field.name for field in dataclasses.fields(Interaction))
columns_of = attrgetter(*INTERACTION)  # dataclasses.asdict would copy every time of day deeply


class StoreFailed(Exception):
    """Our database did not do its part; the text says why in one line."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class MailboxFull(StoreFailed):
    """The box has as many messages as it may have."""


class AlreadyThere(StoreFailed):
    """An agent or a mailbox of that name exists."""


class Store:
    """Our tables over `database.url`. `within` seconds are the limit of each call."""

    def __init__(self, url: str, clock: Clock, *, threads: int = 4, within: float = 5.0) -> None:
        try:
            self._database = Database(url, clock, name="hotline", threads=threads)
        except DatabaseFailed as error:
            raise StoreFailed(error.reason, str(error)) from error
        self._within = within
        self.voicemail = Voicemail(self._run)
        self.recordings = Recordings(self._run)

    def close(self) -> None:
        self._database.close()

    # Agents

    def agents(self) -> list[Agent]:
        """All agents, by id."""
        return [_agent(row) for row in self._rows(select(agents).order_by(agents.c.id))]

    def agent(self, id: str) -> Agent | None:
        rows = self._rows(select(agents).where(agents.c.id == storable(id)))
        return _agent(rows[0]) if rows else None

    def add_agent(
        self,
        id: str,
        name: str,
        *,
        skills: Mapping[str, int],
        queues: Sequence[Membership],
        phone: str = "",
        password: str = "",
        permanent: bool = False,
        wrap_up: float | None = None,
        order: int | None = None,
    ) -> Agent:
        """Stores a new agent; the phone is its extension and the password a random one unless given.

        Raises AlreadyThere.
        """
        agent = Agent(
            id=storable(id, 32),
            name=storable(name),
            skills=dict(skills),
            queues=tuple(queues),
            phone=phone or id,
            password=password or secrets.token_hex(16),
            permanent=permanent,
            wrap_up=wrap_up,
            order=order,
        )

        def add(connection: Connection) -> bool:
            taken = select(agents.c.id).where((agents.c.id == agent.id) | (agents.c.phone == agent.phone))
            if connection.execute(taken).first():
                return False
            connection.execute(insert(agents).values(_agent_columns(agent)))
            return True

        if not self._run(add, writes=True):
            raise AlreadyThere(Reason.WRONG, f"agent {id} or its phone {agent.phone} is there already")
        return agent

    def remove_agent(self, id: str) -> bool:
        """Removes an agent with its phone account; False where there is none of that id. Its calls stay told."""
        gone = delete(agents).where(agents.c.id == storable(id))
        return self._run(lambda connection: connection.execute(gone).rowcount > 0, writes=True)

    def set_agent_state(self, id: str, state: str, reason: str = "") -> None:
        """Stores the agent's last state, in the ACD's words. An unknown agent changes nothing."""
        change = update(agents).where(agents.c.id == storable(id))
        values = {"state": storable(state, 32), "reason": storable(reason)}
        self._run(lambda connection: connection.execute(change.values(values)).rowcount, writes=True)

    def last_agent(self, caller: str) -> str:
        """Who talked last to a caller of that number; "" for nobody."""
        latest = (
            select(interactions.c.agent)
            .where((interactions.c.caller == storable(caller)) & (interactions.c.agent != ""))
            .order_by(interactions.c.started.desc())
            .limit(1)
        )
        return next((str(row["agent"]) for row in self._rows(latest)), "")

    # Mailboxes and messages

    def boxes(self) -> list[Mailbox]:
        return [mailbox_of(row) for row in self._rows(select(mailboxes).order_by(mailboxes.c.name))]

    def mailbox(self, name: str) -> Mailbox | None:
        rows = self._rows(select(mailboxes).where(mailboxes.c.name == storable(name)))
        return mailbox_of(rows[0]) if rows else None

    def add_mailbox(
        self,
        name: str,
        *,
        greeting: str = "",
        email: str = "",
        limit: int = 100,
        pin: str = "",
        keep_days: int | None = None,
        phones: Sequence[str] = (),
    ) -> Mailbox:
        """Stores a new mailbox. Raises AlreadyThere."""
        row = {
            "name": storable(name, 64),
            "greeting": storable(greeting),
            "email": storable(email),
            "message_limit": limit,
            "keep_days": keep_days,
            "phones": list(phones),
        }

        def add(connection: Connection) -> bool:
            if connection.execute(select(mailboxes.c.name).where(mailboxes.c.name == row["name"])).first():
                return False
            connection.execute(insert(mailboxes).values(row | {"pin_hash": pins.hashed(pin) if pin else None}))
            return True

        if not self._run(add, writes=True):
            raise AlreadyThere(Reason.WRONG, f"mailbox {name} is there already")
        return Mailbox(
            str(row["name"]), str(row["greeting"]), str(row["email"]), limit, bool(pin), keep_days, tuple(phones)
        )

    def full(self, box: str) -> bool:
        """Whether the box has no room for another message. Raises StoreFailed also for an unknown box."""
        room = self._run(lambda connection: _room(connection, storable(box)))
        if room is None:
            raise _no_box(box)
        return room <= 0

    def keep_message(
        self,
        box: str,
        *,
        path: str,
        seconds: float,
        received: datetime,
        caller: str,
        caller_name: str = "",
        call: str,
        visit: str,
        id: str = "",
    ) -> Message:
        """Stores a new message, once for a call's step visit however often it is asked to.

        It gets the id that is given, else a new one. Where the box has an e-mail address, the notice to it is
        stored with the message. Raises MailboxFull.
        """
        message = Message(
            id=id or str(uuid.uuid4()),
            box=storable(box),
            caller=storable(caller),
            caller_name=storable(caller_name),
            received=received,
            seconds=seconds,
            path=path,
            state=MessageState.NEW,
            call=storable(call),
            visit=storable(visit),
        )
        kept = self._run(lambda connection: _keep(connection, message), writes=True)
        if kept is None:
            raise _no_box(box)
        if isinstance(kept, str):
            raise MailboxFull(Reason.WRONG, f"mailbox {box} is full")
        return kept

    def messages(self, box: str) -> list[Message]:
        """The messages of a box, oldest first."""
        mine = (messages.c.box == storable(box)) & messages.c.dropped.is_(None)
        found = select(messages).where(mine).order_by(messages.c.received, messages.c.id)
        return [message_of(row) for row in self._rows(found)]

    def mark(self, id: str, state: MessageState) -> bool:
        """Marks a message; False where there is none of that id."""
        change = update(messages).where(messages.c.id == storable(id)).values(state=MessageState(state).value)
        return self._run(lambda connection: connection.execute(change).rowcount > 0, writes=True)

    # Interactions

    def fold(self, records: Iterable[Record]) -> None:
        """Folds journal records, in order, into the interactions; those folded before change nothing."""
        waiting = iter(records)
        while batch := list(islice(waiting, FOLDED_AT_ONCE)):
            self._run(lambda connection, batch=batch: _fold(connection, batch), writes=True)  # type: ignore[misc]

    def last_folded(self) -> int:
        """The `seq` of the last journal record that was folded, 0 before the first."""
        return self._run(_last_folded)

    def set_back(self, end: int) -> int:
        """Has folding go on after the journal's `end`, where more was folded than it holds; what was folded stays.

        Returns the `seq` up to which it was.
        """
        return self._run(lambda connection: _set_back(connection, end), writes=True)

    def unfold(self) -> None:
        """Drops all interactions, to be folded again from the journal's start."""

        def drop(connection: Connection) -> None:
            connection.execute(delete(interactions))
            connection.execute(delete(folds).where(folds.c.name == FOLD))

        self._run(drop, writes=True)

    def interaction(self, call: str) -> Interaction | None:
        rows = self._rows(select(interactions).where(interactions.c.call == storable(call)))
        return Interaction(**rows[0]) if rows else None

    def interactions(self, *, limit: int = 100) -> list[Interaction]:
        """The latest ones, newest first."""
        latest = select(interactions).order_by(interactions.c.started.desc(), interactions.c.call).limit(limit)
        return [Interaction(**row) for row in self._rows(latest)]

    def _rows(self, query: Any) -> list[RowMapping]:
        return self._run(lambda connection: list(connection.execute(query).mappings()))

    def _run(self, work: Work[T], *, writes: bool = False) -> T:
        try:
            return self._database.run(work, within=self._within, writes=writes)
        except DatabaseFailed as error:
            raise StoreFailed(error.reason, str(error)) from error


def _agent(row: RowMapping) -> Agent:
    queues = tuple(Membership(entry["queue"], entry.get("rank", 1)) for entry in row["queues"])
    return Agent(**{**row, "queues": queues})


def _agent_columns(agent: Agent) -> dict[str, object]:
    queues = [{"queue": membership.queue, "rank": membership.rank} for membership in agent.queues]
    names = ("id", "name", "skills", "phone", "password", "state", "reason", "permanent", "wrap_up", "order")
    return {name: getattr(agent, name) for name in names} | {"queues": queues}


def _no_box(name: str) -> StoreFailed:
    return StoreFailed(Reason.WRONG, f"there is no mailbox {name}")


def _room(connection: Connection, box: str, *, lock: bool = False) -> int | None:
    """How many messages more the box takes; None where there is no such box."""
    query = select(mailboxes.c.message_limit).where(mailboxes.c.name == box)
    limit = connection.execute(query.with_for_update() if lock else query).scalar()
    if limit is None:
        return None
    there = (messages.c.box == box) & messages.c.dropped.is_(None)
    held = connection.execute(select(func.count()).select_from(messages).where(there)).scalar_one()
    return int(limit) - int(held)


def _keep(connection: Connection, message: Message) -> Message | Literal["full"] | None:
    room = _room(connection, message.box, lock=True)  # so two callers do not share the last place
    if room is None:
        return None
    # A call that was given up and came back counts its visits anew: what it leaves then is another message.
    for visit in (message.visit, f"{message.visit} {message.id}"):
        same_visit = (messages.c.call == message.call) & (messages.c.visit == visit)
        row = connection.execute(select(messages).where(same_visit)).mappings().first()
        if row is None:
            break
        kept = message_of(row)
        if message.id == kept.id or message.path == kept.path:
            return kept
    if room <= 0:
        return "full"
    message = dataclasses.replace(message, visit=visit)
    connection.execute(insert(messages).values(dataclasses.asdict(message) | {"state": message.state.value}))
    if connection.execute(select(mailboxes.c.email).where(mailboxes.c.name == message.box)).scalar():
        connection.execute(insert(notices).values(message=message.id, due=message.received, attempts=0, trouble=""))
    return message


def _last_folded(connection: Connection) -> int:
    return int(connection.execute(select(folds.c.seq).where(folds.c.name == FOLD)).scalar() or 0)


def _set_back(connection: Connection, end: int) -> int:
    folded = _claim_fold(connection)
    if folded > end:
        _put(connection, folds, [{"name": FOLD, "seq": end}])
    return folded


def _fold(connection: Connection, batch: Sequence[Record]) -> None:
    """One transaction: the rows and how far they have come change together or not at all."""
    folded = _claim_fold(connection)
    fresh = [record for record in batch if record["seq"] > folded]
    if not fresh:
        return
    concerned: ColumnElement[bool] = interactions.c.call.in_({call_of(record) for record in fresh if concerns(record)})
    if any(map(sets_clock, fresh)):
        concerned |= interactions.c.ended.is_(None)
    rows = connection.execute(select(interactions).where(concerned)).mappings()
    changed = fold({row["call"]: Interaction(**row) for row in rows}, fresh)
    if changed:
        _put(
            connection, interactions, [dict(zip(INTERACTION, columns_of(row), strict=True)) for row in changed.values()]
        )
    _put(connection, folds, [{"name": FOLD, "seq": max(record["seq"] for record in fresh)}])


def _claim_fold(connection: Connection) -> int:
    """How far the fold has come; whoever else folds waits until this transaction is over."""
    begin = _insert(connection.dialect.name, folds).on_conflict_do_nothing()
    connection.execute(begin, {"name": FOLD, "seq": 0})
    return int(connection.execute(select(folds.c.seq).where(folds.c.name == FOLD).with_for_update()).scalar_one())


def _put(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Inserts the rows, or changes those that are there."""
    connection.execute(_upsert(connection.dialect.name, table), rows)


@cache  # to build it takes longer than to run it
def _upsert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    new = _insert(dialect, table)
    key = list(table.primary_key.columns)
    change = {column.name: new.excluded[column.name] for column in table.columns if column not in key}
    return new.on_conflict_do_update(index_elements=key, set_=change)


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """The same words in both; the dialect of the other database is not loaded."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(table)
