"""Only one reading statement with named parameters passes, and a caller's text can never become SQL."""

import pytest

from crm.statement import BadStatement, parse


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("select 1", set()),
        ("  SELECT a FROM b WHERE c = :c", {"c"}),
        ("with x as (select :a as a) select * from x where a = :a or a = :b_2", {"a", "b_2"}),
        ("-- a comment with :nothing; in it\nselect :a", {"a"}),
        ("/* :no; */ select ' :no', \":no\", 'it''s :no', :yes /* ; */", {"yes"}),
        ("select created::date from orders where number = :number::text;", {"number"}),
        ("select 1;  \n-- the end", set()),
    ],
)
def test_parameters_are_found_where_they_are_ones(sql, parameters):
    assert parse(sql).parameters == parameters


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("", "must begin with select"),
        ("drop table orders", "must begin with select"),
        ("-- select\ntruncate orders", "must begin with select"),
        ("delete from orders", "without 'where' the delete would change every row"),
        ("-- where\nupdate orders set status = 'where'", "without 'where' the update would change every row"),
        ("insert into orders values (1); delete from orders where 1 = 1", "one statement only"),
        ("selective", "must begin with select"),
        ("select 1; drop table orders", "one statement only"),
        ("select 1; -- fine\n delete from orders", "one statement only"),
        ("select 'open", "the ' at character 8 is never closed"),
        ('select "open', 'the " at character 8 is never closed'),
        ("select 1 /* open", "never closed"),
        ("select a from b where c = ':number'", "':number' is a text and no value; write :number without quotes"),
        ("select a from b where c like '%:x%'", r"write '%' \|\| :x \|\| '%' without quotes around it"),
        ("select a from b where c = {{ order.number }}", r"{{ order.number }} is not filled in here; write :number"),
        ("select a from b where c = '{{ x | digits }}'", "is not filled in here; write :x without quotes"),
    ],
)
def test_anything_else_is_refused_with_a_reason(sql, complaint):
    with pytest.raises(BadStatement, match=complaint):
        parse(sql)


def test_each_driver_gets_its_own_placeholders():
    statement = parse("select '100%', ' :x' from t where a like :a and b = :b")
    assert ":a and b = :b" in statement.first_row("named")
    assert "'100%%', ' :x' from t where a like %(a)s and b = %(b)s" in statement.first_row("pyformat")


@pytest.mark.parametrize("style", ["named", "pyformat"])
def test_a_comment_at_the_end_hides_nothing_of_ours(style):
    assert parse("select 1 -- the end").first_row(style).splitlines()[-1] == ") as answer limit 1"


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ("select 1", False),
        ("with x as (select 1) select * from x", False),
        ("/* select */ Insert into t (a) values (:a)", True),
        ("update t set a = :a where b = :b", True),
        ("delete from t where a = :a", True),
    ],
)
def test_what_writes_is_known_by_its_first_word(sql, writes):
    assert parse(sql).writes == writes
