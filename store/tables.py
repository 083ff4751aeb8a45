"""The tables as they are now. What changes here needs a migration; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)


class Moment(TypeDecorator[datetime]):
    """A point in time: aware and in UTC on our side, also where the database knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

agents = Table(
    "agents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("skills", JSON, nullable=False),
    Column("queues", JSON, nullable=False),
    Column("phone", String(64), nullable=False, unique=True),
    Column("password", String(64), nullable=False),
    Column("state", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("permanent", Boolean, nullable=False, server_default=false()),
    Column("wrap_up", Float),
    Column("order", Integer),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("greeting", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("message_limit", Integer, nullable=False),
    Column("pin_hash", Text),
    Column("keep_days", Integer),
    Column("phones", JSON, nullable=False, server_default="[]"),
    Column("wrong_pins", Integer, nullable=False, server_default="0"),
    Column("locked_until", Moment),
)

# What the owner of a mailbox says to its callers, by language; the path of a WAV file.
greetings = Table(
    "greetings",
    metadata,
    Column("box", ForeignKey("mailboxes.name"), primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("path", Text, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("box", ForeignKey("mailboxes.name"), nullable=False),
    Column("caller", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("received", Moment, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("path", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("call", Text, nullable=False),
    Column("visit", Text, nullable=False),
    Column("dropped", Moment),  # deleted for everybody; the row goes once its file has gone
    CheckConstraint("state in ('new', 'heard', 'saved')", name="state"),
    UniqueConstraint("call", "visit"),
    Index(None, "box", "received"),
)

# E-mails that are still to be sent; a row goes when its mail was taken, or refused for good.
notices = Table(
    "notices",
    metadata,
    Column("message", ForeignKey("messages.id"), primary_key=True),
    Column("due", Moment, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("trouble", Text, nullable=False),
)

# The recordings of calls: where each lies, whose it is, and until when it is kept (NULL: for ever).
recordings = Table(
    "recordings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("call", Text, nullable=False, index=True),
    Column("flow", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", String(32), nullable=False),
    Column("started", Moment, nullable=False, index=True),
    Column("seconds", Float, nullable=False),
    Column("path", Text, nullable=False),
    Column("keep_until", Moment, index=True),
)

interactions = Table(
    "interactions",
    metadata,
    Column("call", Text, primary_key=True),
    Column("started", Moment),
    Column("answered", Moment),
    Column("ended", Moment),
    Column("caller", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("language", String(16), nullable=False),
    Column("queue", Text, nullable=False),
    Column("queued", Moment),
    Column("agent", String(32), nullable=False),
    Column("waited_ms", BigInteger),
    Column("talked_ms", BigInteger),
    Column("cause", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Index(None, "started"),
    Index(None, "caller", "started"),
)

# How far each reader of the journal has come; `interactions` is one.
folds = Table(
    "folds",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
