"""queries.yaml: every mistake is found when it is loaded, with its line and column."""

from pathlib import Path

import pytest

from crm import catalogue


def problems_of(text: str) -> list[str]:
    found, problems = catalogue.load(text, "queries.yaml")
    assert found is None
    return [str(problem) for problem in problems]


def test_a_query_is_read():
    queries, problems = catalogue.load(
        "order_by_number:\n  sql: select number from orders where number = :number\n"
        "  returns: [number]\n  within: 500ms\n",
        "queries.yaml",
    )
    assert problems == []
    query = queries["order_by_number"]
    assert (query.parameters, query.returns, query.within) == ({"number"}, ("number",), 0.5)


def test_the_limit_is_two_seconds_unless_given():
    queries, _ = catalogue.load("a: {sql: select 1 as b, returns: [b]}", "queries.yaml")
    assert queries["a"].within == 2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n  sql: drop table b\n  returns: [c]", "queries.yaml:2:8: a.sql: the statement must begin with select"),
        ("a:\n  sql: select 1; drop table b\n  returns: [c]", "queries.yaml:2:8: a.sql: one statement only"),
        ("a:\n  sql: select 1\n  returns: []", "queries.yaml:1:1: a: 'returns' is missing"),
        ("a:\n  sql: select 1\n  returns: [x, y, x]", "queries.yaml:3:19: a.returns.2: 'x' stands here twice"),
        ("a:\n  sql: select 1\n  returns: [count(*)]", "queries.yaml:3:13: a.returns.0: 'count(*)' cannot be used"),
        (
            "a:\n  sql: select 1\n  returns: [x]\n  within: fast",
            "queries.yaml:4:11: a.within: 'fast' is not a duration",
        ),
        ("a:\n  sql: select 1\n  returns: [x]\n  within: 1h", "queries.yaml:4:11: a.within: "),
        ("a:\n  sql: select 1\n  return: [x]", "queries.yaml:3:3: a.return: 'return' is not known here"),
        ("a:\n  sql: select 1 #, 2\n  returns: [x]", "queries.yaml:2:8: a.sql: the text ends before ' #'"),
        ("A-b:\n  sql: select 1\n  returns: [x]", "queries.yaml:1:1: A-b: a query's name has small letters"),
        ("- sql", "queries.yaml:1:1: queries must stand here"),
    ],
)
def test_a_mistake_is_named_where_it_stands(text, expected):
    assert any(problem.startswith(expected) for problem in problems_of(text)), problems_of(text)


def test_all_mistakes_are_named_at_once():
    found = problems_of("a: {sql: drop table b, returns: [x]}\nb: {returns: [y]}\nc: {sql: select 1, returns: [B]}\n")
    assert [problem.split(":")[1] for problem in found] == ["1", "2", "3"]


def test_a_missing_file_is_one_clear_line(tmp_path):
    found, problems = catalogue.load_file(tmp_path / "queries.yaml")
    assert found is None
    assert "cannot be read" in str(problems[0])


def test_the_shipped_queries_are_right():
    queries, problems = catalogue.load_file(Path("flows/queries.yaml"))
    assert problems == []
    assert queries["order_by_number"].parameters == {"number"}
    assert queries["caller_by_number"].parameters == {"number"}
