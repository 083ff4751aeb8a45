"""A query has three honest exits: found, missing, failed; on SQLite and on PostgreSQL alike."""

from pathlib import Path

import gevent
import pytest
from sqlalchemy import text

from crm import catalogue
from crm.host import Host, Queries, QueryFailed
from ivr.services import HostFailed
from store.database import Database, Reason
from switch.shared.clock import RealClock
from tests.crm.conftest import TODAY, queries_of
from tests.store.postgres import fresh_url
from tests.store.test_database import ENDLESS


@pytest.fixture
def shipped(host, demo_crm) -> Queries:
    queries, _ = catalogue.load_file(Path("flows/queries.yaml"))
    return Queries(host, queries)


def write(owner, sql: str, **values):
    owner.run(lambda connection: connection.execute(text(sql), values), within=20, writes=True)


def test_an_order_is_found(shipped):
    row = shipped.query("order_by_number", {"number": "202611"})
    assert row == {
        "number": "202611",
        "status": "shipped",
        "status_text": "已发货",
        "status_text_yue": "已經寄出",
        "status_text_en": "on its way",
        "eta": row["eta"],
    }
    assert TODAY.isoformat() < row["eta"] <= "2026-11-27"


def test_a_row_that_changes_is_told_as_it_is_now(shipped, owner):
    shipped.query("order_by_number", {"number": "202611"})
    write(owner, "update orders set status_text = '等待海关放行', eta = '2026-12-24' where number = '202611'")
    row = shipped.query("order_by_number", {"number": "202611"})
    assert (row["status_text"], row["eta"]) == ("等待海关放行", "2026-12-24")
    assert row["status_text_en"] == "等待海关放行"


def test_every_status_of_the_demo_has_its_words_in_each_language(shipped, owner):
    numbers = owner.run(
        lambda c: c.execute(text("select min(number) from orders group by status")).scalars().all(), within=20
    )
    rows = [shipped.query("order_by_number", {"number": number}) for number in numbers]
    assert {row["status"] for row in rows} == {"paid", "packed", "shipped", "delivering", "delayed", "delivered"}
    for row in rows:
        assert row["status_text_en"].isascii()
        assert row["status_text_yue"] != row["status_text"]


@pytest.mark.parametrize(
    "number", ["999999999999", "", "0", "' or 1=1 --", "2026%", "x" * 5000, "\0", "\ud800", None, 2**70]
)
def test_what_is_not_there_is_missing_whatever_was_keyed(shipped, number):
    assert shipped.query("order_by_number", {"number": number}) is None


def test_a_table_that_was_renamed_is_a_failure_and_says_which(shipped, owner):
    write(owner, "alter table orders rename to orders_2025")
    with pytest.raises(HostFailed, match=r"order_by_number.*orders") as failure:
        shipped.query("order_by_number", {"number": "202611"})
    assert failure.value.reason is Reason.WRONG
    write(owner, "alter table orders_2025 rename to orders")
    assert shipped.query("order_by_number", {"number": "202611"}) is not None


def test_a_column_that_is_promised_and_not_returned_is_a_failure_even_without_a_row(ask):
    for condition in ("1 = 1", "1 = 0"):
        with pytest.raises(QueryFailed, match="promises eta, but returns number, status") as failure:
            ask(f"sql: select 1 as number, 2 as status where {condition}\nreturns: [number, eta]")
        assert failure.value.reason is Reason.WRONG


def test_only_promised_columns_of_the_first_row_come_back(ask):
    sql = "select 3 as n, 'x' as secret union all select 1, 'y' union all select 2, 'z' order by n"
    assert ask(f"sql: {sql}\nreturns: [n]") == {"n": 1}


def test_a_query_without_a_where_does_not_fetch_the_whole_table(ask):
    endless_rows = "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n"
    assert ask(f"sql: {endless_rows}\nreturns: [x]\nwithin: 20s") == {"x": 1}


def test_a_slow_query_fails_within_its_limit_and_delays_no_other(host, demo_crm, ask):
    slow = gevent.spawn(ask, f"sql: {ENDLESS}\nreturns: [n]\nwithin: 500ms")
    gevent.sleep(0)
    assert ask("sql: select name from customers where id = :id\nreturns: [name]\nwithin: 20s", id="C00001")
    assert not slow.ready()
    slow.join(timeout=20)
    assert isinstance(slow.exception, HostFailed)
    assert slow.exception.reason is Reason.SLOW


def test_many_callers_ask_at_once(shipped):
    asked = [gevent.spawn(shipped.query, "order_by_number", {"number": "202611"}) for _ in range(60)]
    assert {call.get(timeout=20)["status"] for call in asked} == {"shipped"}


def test_parameters_must_be_those_of_the_query(ask):
    text = "sql: select 1 as one where :a = :b\nreturns: [one]"
    with pytest.raises(HostFailed, match="it takes a, b, and got a"):
        ask(text, a="1")
    with pytest.raises(HostFailed, match="it takes a, b, and got a, b, c"):
        ask(text, a="1", b="1", c="1")


def test_an_unknown_query_is_a_failure(shipped):
    assert "nothing" not in shipped
    with pytest.raises(HostFailed, match="no query nothing"):
        shipped.query("nothing", {})


def test_the_crm_is_never_written_not_even_by_a_function_of_its_own():
    url = fresh_url()
    owner, host = Database(url, RealClock(), name="owner"), Host(url, RealClock())
    write(owner, "create table tickets (number integer)")
    write(owner, "create function hit() returns int language sql as 'delete from tickets; select 1'")
    queries = Queries(host, queries_of("hit: {sql: select hit() as hit, returns: [hit]}"))
    with pytest.raises(QueryFailed, match="read-only"):
        queries.query("hit", {})
    host.close()
    owner.close()


def test_a_crm_that_is_gone_fails_at_once(tmp_path):
    host = Host(f"sqlite:///{tmp_path}/gone.db", RealClock())
    queries, _ = catalogue.load_file(Path("flows/queries.yaml"))
    with pytest.raises(QueryFailed) as failure:
        Queries(host, queries).query("order_by_number", {"number": "202611"})
    assert failure.value.reason is Reason.DOWN
    host.close()


def test_a_wrong_url_is_named():
    with pytest.raises(HostFailed, match=r"crm\.url: .*write for example"):
        Host("oracle://scott:tiger@host", RealClock())


def test_values_are_plain_whatever_the_database(ask, url):
    real = "cast('2026-11-25' as date)" if url.startswith("postgresql") else "'2026-11-25'"
    number = "cast(42.10 as numeric(9, 2))" if url.startswith("postgresql") else "'42.10'"
    row = ask(f"sql: \"select {real} as d, {number} as m, 7 as i, null as n, '文' as t\"\nreturns: [d, m, i, n, t]")
    assert row == {"d": "2026-11-25", "m": "42.10", "i": 7, "n": None, "t": "文"}


def test_a_picture_is_no_answer(ask, url):
    picture = "cast('x' as bytea)" if url.startswith("postgresql") else "x'00ff'"
    with pytest.raises(QueryFailed, match="neither text nor a number nor a date"):
        ask(f'sql: "select {picture} as picture"\nreturns: [picture]')


def test_a_novel_is_cut(ask, url):
    novel = "repeat('x', 100000)" if url.startswith("postgresql") else "hex(zeroblob(50000))"
    assert len(ask(f'sql: "select {novel} as novel"\nreturns: [novel]')["novel"]) == 4000


def test_no_more_queries_run_at_a_time_than_the_crm_is_to_bear(url, owner):
    host = Host(url, RealClock(), connections=1)
    queries = queries_of(
        f'slow: {{sql: "{ENDLESS}", returns: [n], within: 500ms}}\n'
        "quick: {sql: select 1 as n, returns: [n], within: 100ms}\n"
    )
    slow = gevent.spawn(Queries(host, queries).query, "slow", {})
    gevent.sleep(0)
    with pytest.raises(QueryFailed, match="busy with other calls"):
        Queries(host, queries).query("quick", {})
    slow.join(timeout=20)
    host.close()
