"""What a query that writes does to the business's database, on SQLite and on PostgreSQL alike."""

from pathlib import Path

import pytest
from sqlalchemy import text

from crm import catalogue, demo
from crm.host import Host, Queries, QueryFailed
from store.database import Reason
from switch.shared.clock import RealClock
from tests.crm.conftest import queries_of

COMPLAINT = {"customer": "C00001", "kind": "complaint", "message": "m1"}


@pytest.fixture
def shipped(host, demo_crm) -> Queries:
    queries, _ = catalogue.load_file(Path("flows/queries.yaml"))
    return Queries(host, queries)


@pytest.fixture
def tickets(owner):
    def read():
        sql = text("select number, customer, kind, message, key from tickets order by number")
        return owner.run(lambda c: [tuple(row) for row in c.execute(sql)], within=20)

    return read


def test_a_ticket_is_opened_and_its_number_returned(shipped, tickets):
    row = shipped.save("open_ticket", COMPLAINT, "call-7-3")
    assert tickets() == [(row["number"], "C00001", "complaint", "m1", "call-7-3")]


def test_the_same_key_gets_the_same_ticket(shipped, tickets):
    first, again = (shipped.save("open_ticket", COMPLAINT, "call-7-3") for _ in range(2))
    other = shipped.save("open_ticket", COMPLAINT, "call-8-3")
    assert first == again != other
    assert len(tickets()) == 2


@pytest.mark.parametrize("said", ["'; drop table tickets; --", "100% :key %(kind)s", "你好", ""])
def test_what_a_caller_said_is_data(shipped, tickets, said):
    shipped.save("open_ticket", {**COMPLAINT, "message": said}, "k")
    assert tickets()[0][3] == said


def test_a_statement_that_the_database_refuses_is_a_failure_and_changes_nothing(shipped, tickets):
    with pytest.raises(QueryFailed) as failure:
        shipped.save("open_ticket", {**COMPLAINT, "kind": None}, "k")
    assert failure.value.reason is Reason.WRONG
    assert tickets() == []


def test_a_query_that_reads_cannot_be_saved_with(shipped):
    with pytest.raises(QueryFailed, match="no query order_by_number that writes"):
        shipped.save("order_by_number", {"number": "202611"}, "k")


def test_without_returning_there_is_no_row(host, demo_crm, owner):
    sql = "update customers set tier = :tier where id = :id"
    queries = Queries(host, queries_of(f"promote: {{sql: '{sql}', may-repeat: true}}"))
    assert queries.save("promote", {"tier": "gold", "id": "C00003"}, "k") is None
    assert queries.repeatable("promote")
    tier = owner.run(lambda c: c.execute(text("select tier from customers where id = 'C00003'")).scalar(), within=20)
    assert tier == "gold"


def test_a_rehearsal_tells_what_would_be_and_leaves_no_trace(url, demo_crm, tickets):
    rehearsing = Host(url, RealClock(), connections=1, rehearsal=True)
    queries, _ = catalogue.load_file(Path("flows/queries.yaml"))
    try:
        first, again = (Queries(rehearsing, queries).save("open_ticket", COMPLAINT, "k")["number"] for _ in range(2))
    finally:
        rehearsing.close()
    assert first
    assert again
    assert tickets() == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{sql: 'insert into t (a) values (:a)', returns: [number]}", "end it with: returning number"),
        ("{sql: 'select 1 as a'}", "'returns' is missing"),
        ("{sql: 'select 1 as a', returns: [a], may-repeat: true}", "the statement only reads"),
    ],
)
def test_words_that_do_not_fit_the_statement_are_told(entry, message):
    found, problems = catalogue.load(f"q: {entry}", "queries.yaml")
    assert found is None
    assert message in problems[0].message


def test_the_key_is_no_parameter_of_a_step_where_the_query_writes():
    queries = queries_of("""
w: {sql: "insert into t (a, key) values (:a, :key)"}
r: {sql: "select :key as key", returns: [key]}
once: {sql: "insert into t (a) values (:a)"}
""")
    assert (queries["w"].parameters, queries["w"].repeatable) == ({"a"}, True)
    assert queries["r"].parameters == {"key"}
    assert not queries["once"].repeatable


def test_an_earlier_demo_is_given_the_key(demo_crm, owner, shipped):
    def earlier(connection):
        connection.execute(text("drop index ix_tickets_key"))
        connection.execute(text("alter table tickets drop column key"))

    assert not demo.complete(owner)
    owner.run(earlier, within=20, writes=True)
    assert demo.complete(owner)
    assert shipped.save("open_ticket", COMPLAINT, "k") == shipped.save("open_ticket", COMPLAINT, "k")


def test_somebody_elses_tickets_are_left_alone(url, owner):
    owner.run(lambda c: c.execute(text("create table tickets (id integer)")), within=20, writes=True)
    assert not demo.complete(owner)
