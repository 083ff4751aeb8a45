"""Queries are tried against the CRM's tables before a caller needs one, and none of them is run."""

from pathlib import Path

import pytest
from sqlalchemy import text

from crm import catalogue, trial
from crm.statement import parse
from switch.shared.clock import RealClock

SHIPPED = Path(__file__).parents[2] / "flows" / "queries.yaml"
ORDER = "order:\n  sql: {}\n  returns: [number]\n"


def tried(text, url):
    queries, problems = catalogue.load(text, "queries.yaml")
    assert problems == []
    return [str(one) for one in trial.problems(text, "queries.yaml", queries, url, RealClock())]


def test_the_queries_that_ship_fit_the_demo(demo_crm, url):
    assert tried(SHIPPED.read_text(encoding="utf-8"), url) == []


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select number from ordrs where number = :n", "no table 'ordrs' in the CRM. Did you mean 'orders'?"),
        ("select numbr as number from orders", "no column 'numbr' in the CRM. Did you mean 'number'?"),
        ("select number from orders where o.numbr = :n", "the CRM"),
        ("select number from orders o where o.numbr = :n", "no column 'numbr' in the CRM. Did you mean 'number'?"),
        ("update orders set statuss = :x where number = :n returning number", "no column 'statuss' in the CRM."),
        (
            "insert into tickets (knd) values (:kind) returning number",
            "no column 'knd' in the CRM. Did you mean 'kind'?",
        ),
        ("select number from order where number = :n", "Did you mean 'orders'?"),
        ("select number frm orders", "the CRM cannot read the statement: "),
    ],
)
def test_a_slip_in_a_statement_is_told_at_its_place(demo_crm, url, sql, problem):
    (only,) = tried(ORDER.format(sql), url)
    assert only.startswith("queries.yaml:2:8: order.sql: ")
    assert problem in only


def test_a_promised_column_that_does_not_come_is_told_at_its_place(demo_crm, url):
    text = "order:\n  sql: select status from orders\n  returns: [staus]\n"
    assert tried(text, url) == [
        "queries.yaml:3:13: order.returns.0: the statement returns no 'staus'. Did you mean 'status'?"
    ]


def test_nothing_is_run(demo_crm, url):
    """Neither what writes nor what reads, though a function could tell."""
    (count,) = demo_crm.run(lambda line: line.execute(text("select count(*) from tickets")).one(), within=5)
    assert tried("w:\n  sql: delete from tickets where kind <> :kind\n", url) == []
    assert (
        tried(
            "w:\n  sql: insert into tickets (kind, key) values (:kind, :key) returning number\n  returns: [number]\n",
            url,
        )
        == []
    )
    (after,) = demo_crm.run(lambda line: line.execute(text("select count(*) from tickets")).one(), within=5)
    assert after == count


def test_without_an_answer_nobody_knows(tmp_path):
    with pytest.raises(trial.NotTried, match="unable to open"):
        tried(ORDER.format("select 1 as number"), f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(trial.NotTried, match=r"crm\.url"):
        tried(ORDER.format("select 1 as number"), "mysql://x")


def test_names_have_numbers_of_their_own_for_postgresql():
    statement = parse("select :a, :b where x = :a")
    assert statement.whole("numbered") == "select $1, $2 where x = $1"
