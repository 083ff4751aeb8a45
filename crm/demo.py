"""The demo CRM: made-up customers and orders, the same for everybody who asks for as many.

Whatever the numbers, 13800000001 to 13800000003 are a gold customer in Mandarin, a silver one in
Cantonese and an ordinary one in English, with the orders 202611 to 202613. Dates are relative to
the day on which the demo is made.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    inspect,
    text,
)

from store.database import Database, DatabaseFailed, Reason

SEED = 202611
FILL_SECONDS = 600.0
LOOK_SECONDS = 5.0
MOST = 500_000  # customers or orders

metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("tier", String(16), nullable=False, server_default=""),  # gold, silver or ""
    Column("language", String(8), nullable=False, server_default=""),  # cmn, yue or en
)
customer_numbers = Table(
    "customer_numbers",
    metadata,
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("number", String(32), primary_key=True),  # E.164
)
orders = Table(
    "orders",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("customer_id", ForeignKey("customers.id")),
    Column("status", String(16), nullable=False, server_default=""),
    Column("status_text", Text, nullable=False, server_default=""),
    Column("eta", Date),
    Column("created", Date, server_default=func.current_date()),
    Index("ix_orders_customer_id", "customer_id"),
)
tickets = Table(
    "tickets",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("customer", String(16), nullable=False, server_default=""),  # "" for strangers
    Column("kind", String(32), nullable=False),
    Column("message", Text, nullable=False, server_default=""),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("key", Text),  # of the call and step that opened it, so that none is opened twice
    Index("ix_tickets_key", "key", unique=True),
)

Row = dict[str, Any]
Progress = Callable[[int, int], None]  # rows done, rows in all

KNOWN: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("张伟", "gold", "cmn", ("+8613800000001", "+861065550001")),
    ("陳大文", "silver", "yue", ("+8613800000002", "+85255500002")),
    ("Emma Clarke", "", "en", ("+8613800000003",)),
)
FIRST_ORDER = 202611

SURNAMES = {"cmn": "王李张刘陈杨赵黄周吴", "yue": "陳黃李張何梁林葉鄧馮"}
GIVEN = {
    "cmn": ("芳", "娜", "敏", "静", "强", "磊", "洋", "勇", "艳", "杰", "秀英", "志强", "晓明", "丽华"),
    "yue": ("家豪", "志明", "淑儀", "美玲", "俊傑", "詠詩", "嘉欣", "偉文", "慧敏", "國強"),
}
ENGLISH = (("Oliver", "Grace", "Henry", "Amelia", "James", "Sophie"), ("Smith", "Brown", "Taylor", "Wilson", "Evans"))
MOBILES = ("135", "136", "139", "150", "158", "177", "186", "188")

# Status, its text, how many of a hundred orders have it, and the days from today within which they are due.
STATUSES = (
    ("paid", "已付款", 12, (3, 8)),
    ("packed", "正在打包", 12, (2, 5)),
    ("shipped", "已发货", 24, (1, 4)),
    ("delivering", "正在派送", 10, (0, 0)),
    ("delayed", "有延误", 7, (2, 12)),
    ("delivered", "已送达", 35, (-60, -1)),
)


def vacant(database: Database, *, besides: frozenset[str] = frozenset()) -> bool:
    """Whether the database has no table at all, `besides` those named. Raises DatabaseFailed."""
    return database.run(lambda connection: not _tables(connection) - besides, within=LOOK_SECONDS)


def fill(
    database: Database,
    *,
    customers: int,
    orders: int,
    today: date,
    besides: frozenset[str] = frozenset(),
    progress: Progress = lambda _done, _all: None,
) -> None:
    """Makes the demo's tables with so many rows, all or nothing, in place of those of an earlier demo.

    Raises DatabaseFailed, also when tables stand there that are neither the demo's nor named in
    `besides`: somebody's CRM. `progress` is called from a thread.
    """

    def make(connection: Connection) -> None:
        if foreign := _tables(connection) - besides - metadata.tables.keys():
            names = ", ".join(sorted(foreign)[:5])
            raise DatabaseFailed(Reason.WRONG, f"it is not an earlier demo, it has other tables: {names}")
        metadata.drop_all(connection)
        metadata.create_all(connection)
        _insert(connection, customers, orders, today, progress)

    database.run(make, within=FILL_SECONDS, writes=True)


def complete(database: Database) -> bool:
    """Gives an earlier demo what later ones have; whether there was anything to give. Raises DatabaseFailed."""

    def add(connection: Connection) -> bool:
        found = {column["name"] for column in inspect(connection).get_columns("tickets")}
        if "key" in found or found != {column.name for column in tickets.columns} - {"key"}:
            return False
        connection.execute(text("alter table tickets add column key text"))
        next(index for index in tickets.indexes if index.name == "ix_tickets_key").create(connection)
        return True

    def ours(connection: Connection) -> bool:
        return _tables(connection) >= metadata.tables.keys()

    return database.run(ours, within=LOOK_SECONDS) and database.run(add, within=FILL_SECONDS, writes=True)


def people(many: int, chance: random.Random) -> Iterator[tuple[Row, list[Row]]]:
    """Customers, each with its numbers."""
    taken: set[str] = set()
    for index in range(many):
        id = f"C{index + 1:05}"
        if index < len(KNOWN):
            name, tier, language, numbers = KNOWN[index]
        else:
            language = chance.choices(("cmn", "yue", "en"), (60, 25, 15))[0]
            tier = chance.choices(("gold", "silver", ""), (10, 25, 65))[0]
            name = _name(language, chance)
            numbers = tuple(_number(language, taken, chance) for _ in range(chance.choices((1, 2, 3), (70, 22, 8))[0]))
        customer = {"id": id, "name": name, "tier": tier, "language": language}
        yield customer, [{"customer_id": id, "number": number} for number in numbers]


def purchases(many: int, customers: int, today: date, chance: random.Random) -> Iterator[Row]:
    """Orders; the first ones belong to the customers everybody knows."""
    first = [FIRST_ORDER + index for index in range(min(len(KNOWN), many, customers))]
    numbers = chance.sample(range(300_000, 1_000_000), many - len(first))
    for index, number in enumerate(first + numbers):
        status, text, _, due = STATUSES[2] if index < len(first) else chance.choices(STATUSES, WEIGHTS)[0]
        eta = today + timedelta(days=chance.randint(*due))
        yield {
            "number": str(number),
            "customer_id": f"C{(index if index < len(first) else chance.randrange(customers)) + 1:05}",
            "status": status,
            "status_text": text,
            "eta": eta,
            "created": min(today, eta) - timedelta(days=chance.randint(1, 6)),
        }


WEIGHTS = [weight for _, _, weight, _ in STATUSES]
AT_ONCE = 1000


def _insert(connection: Connection, many: int, many_orders: int, today: date, progress: Progress) -> None:
    done = 0
    crowd = people(many, random.Random(SEED))
    while some := list(islice(crowd, AT_ONCE)):
        connection.execute(insert(customers), [customer for customer, _ in some])
        connection.execute(insert(customer_numbers), [number for _, numbers in some for number in numbers])
        done += len(some)
        progress(done, many + many_orders)
    bought = purchases(many_orders, many, today, random.Random(SEED + 1))
    while batch := list(islice(bought, AT_ONCE)):
        connection.execute(insert(orders), batch)
        done += len(batch)
        progress(done, many + many_orders)


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _name(language: str, chance: random.Random) -> str:
    if language == "en":
        return " ".join(chance.choice(part) for part in ENGLISH)
    return chance.choice(SURNAMES[language]) + chance.choice(GIVEN[language])


def _number(language: str, taken: set[str], chance: random.Random) -> str:
    while True:
        if language == "yue":
            number = f"+852{chance.choice('569')}{chance.randrange(10**7):07}"
        else:
            number = f"+86{chance.choice(MOBILES)}{chance.randrange(10**8):08}"
        if number not in taken and not any(number in numbers for _, _, _, numbers in KNOWN):
            taken.add(number)
            return number
