"""PostgreSQL as operators know it: restarted, crashed, locked, and a CRM that lets us only read."""

import signal
from datetime import date, timedelta

import gevent
import psycopg
import pytest
from sqlalchemy import text

from crm import demo
from crm.host import Host, Queries, QueryFailed
from journal.writer import Journal
from runtime.folding import Folder
from store import schema
from store.database import DatabaseFailed, Reason
from store.store import Store, StoreFailed
from switch.shared.clock import RealClock
from tests.crm.conftest import queries_of
from tests.store.postgres import fresh_url, own_server

LONG = 20.0
ORDER = "order_by_number:\n  sql: select status from orders where number = :number\n  returns: [status]\n"


@pytest.fixture(scope="module")
def server():
    server = own_server()
    yield server
    server.close()


@pytest.fixture
def running(server):
    """The server, running again after the test."""
    yield server
    if not server.running:
        server.start()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "crashed"])
def test_a_restarted_server_is_used_again_without_anybody_opening_it_anew(running, opened, how):
    url = fresh_url(running)
    schema.upgrade(opened(url, threads=1))
    store = Store(url, RealClock(), threads=2)
    try:
        store.add_agent("1001", "张伟", skills={}, queues=[])
        running.stop(how)
        with pytest.raises(StoreFailed) as failure:
            store.agents()
        assert failure.value.reason is Reason.DOWN
        running.start()
        assert [agent.name for agent in store.agents()] == ["张伟"]
        store.set_agent_state("1001", "Ready")
        assert store.agent("1001").state == "Ready"
    finally:
        store.close()


def test_folding_waits_for_a_server_that_is_away_and_then_folds_everything_once(running, opened, tmp_path):
    url, clock = fresh_url(running), RealClock()
    schema.upgrade(opened(url, threads=1))
    journal, store = Journal(tmp_path / "journal", clock), Store(url, clock, threads=2)
    folder = Folder(journal, store, clock, keep=timedelta(days=1))
    try:
        journal.append("CallArrived", "before", caller="1", dialled="1000", flow="hotline", version=1)
        folder.fold()
        running.stop(signal.SIGQUIT)
        for call in ("before", "meanwhile"):
            journal.append("CallEnded" if call == "before" else "CallArrived", call, cause="normal", outcome="gone")
            folder.fold()
            assert folder.trouble.startswith("the database does not answer")
        running.start()
        folder.fold()
        assert folder.trouble == ""
        assert {row.call: row.outcome for row in store.interactions()} == {"before": "gone", "meanwhile": ""}
        assert store.last_folded() == 3
    finally:
        store.close()
        journal.close()


def test_a_restart_between_two_calls_is_not_noticed_by_the_second(running, opened):
    """Every line held a connection to the server that is gone; each is replaced before anything was done in it."""
    database = opened(fresh_url(running), threads=3)
    number = text("select 7")
    calls = [gevent.spawn(database.run, lambda c: c.execute(number).scalar(), within=LONG) for _ in range(3)]
    assert [call.get(timeout=LONG) for call in calls] == [7, 7, 7]
    running.stop()
    running.start()
    for writes in (False, True, False):
        assert database.run(lambda c: c.execute(number).scalar(), within=LONG, writes=writes) == 7


def holding(url: str, statement: str) -> psycopg.Connection:
    """Somebody else's transaction, which has done this and stays open."""
    connection = psycopg.connect(url)
    connection.execute(statement)
    return connection


def test_a_locked_table_is_slow_and_free_again_with_its_lock(opened):
    url = fresh_url()
    database = opened(url, threads=2)
    database.run(lambda c: c.execute(text("create table facts (fact text)")), within=LONG, writes=True)
    with holding(url, "lock table facts in access exclusive mode"):
        with pytest.raises(DatabaseFailed) as failure:
            database.run(lambda c: c.execute(text("select * from facts")).all(), within=0.2)
        assert failure.value.reason is Reason.SLOW
    assert database.run(lambda c: c.execute(text("select * from facts")).all(), within=LONG) == []


def test_a_locked_row_keeps_its_writer_no_longer_than_the_limit_and_nothing_is_written(opened):
    url = fresh_url()
    database = opened(url, threads=2)

    def make(connection):
        connection.execute(text("create table facts (fact text)"))
        connection.execute(text("insert into facts values ('before')"))

    database.run(make, within=LONG, writes=True)
    with holding(url, "select * from facts for update"):
        with pytest.raises(DatabaseFailed) as failure:
            database.run(lambda c: c.execute(text("update facts set fact = 'after'")), within=0.2, writes=True)
        assert failure.value.reason is Reason.SLOW
    assert database.run(lambda c: c.execute(text("select fact from facts")).scalar(), within=LONG) == "before"


def test_a_transaction_has_its_limits_in_the_server_too(opened):
    database = opened(fresh_url(), threads=1)
    asked = text("select current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')")
    statement, idle = database.run(lambda c: c.execute(asked).one(), within=2.0)
    assert statement.endswith("ms")
    assert 0 < int(statement.removesuffix("ms")) <= 2000
    assert int(idle.removesuffix("ms")) == int(statement.removesuffix("ms")) + 10_000


@pytest.fixture
def reader(opened):
    """The URL of a demo CRM for a role that may look and not touch."""
    url = fresh_url()
    demo.fill(opened(url, threads=1), customers=5, orders=5, today=date(2026, 11, 23))
    with psycopg.connect(url, autocommit=True) as owner:
        schema_name = owner.execute("select current_schema()").fetchone()[0]
        owner.execute("do $$ begin create role reader login; exception when duplicate_object then end $$")
        owner.execute(f"grant usage on schema {schema_name} to reader")
        owner.execute(f"grant select on all tables in schema {schema_name} to reader")
    return url.replace("hotline@", "reader@")


def test_a_crm_that_lets_us_only_read_answers(reader):
    host = Host(reader, RealClock(), connections=1)
    try:
        row = Queries(host, queries_of(ORDER)).query("order_by_number", {"number": "202611"})
        assert row == {"status": "shipped"}
    finally:
        host.close()


def test_a_crm_that_lets_us_not_even_read_is_wrong_and_says_which_table(reader, opened):
    with psycopg.connect(reader.replace("reader@", "hotline@"), autocommit=True) as owner:
        owner.execute("revoke select on orders from reader")
    host = Host(reader, RealClock(), connections=1)
    try:
        with pytest.raises(QueryFailed, match="permission denied for table orders") as failure:
            Queries(host, queries_of(ORDER)).query("order_by_number", {"number": "202611"})
        assert failure.value.reason is Reason.WRONG
    finally:
        host.close()
