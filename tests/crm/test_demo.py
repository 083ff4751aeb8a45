"""The demo CRM is the same for everybody, and somebody else's CRM is never taken for it."""

import random
from datetime import date

import phonenumbers
import pytest
from sqlalchemy import inspect, text

from crm import demo
from store.database import DatabaseFailed
from tests.crm.conftest import TODAY


def rows(database, sql: str):
    return database.run(lambda connection: connection.execute(text(sql)).all(), within=20)


def test_as_many_as_asked_for_are_made_and_are_the_same_on_every_database(owner):
    steps = []
    demo.fill(
        owner, customers=5000, orders=20_000, today=TODAY, progress=lambda done, wanted: steps.append((done, wanted))
    )
    people = [customer for customer, _ in demo.people(5000, random.Random(demo.SEED))]
    assert rows(owner, "select id, name, tier, language from customers order by id") == [
        tuple(customer.values()) for customer in people
    ]
    assert rows(owner, "select count(*), count(distinct number) from orders") == [(20_000, 20_000)]
    assert steps[-1] == (25_000, 25_000)
    assert steps == sorted(steps)


def test_the_known_customers_have_their_orders(demo_crm):
    found = rows(
        demo_crm,
        "select n.number, c.tier, c.language, o.number from orders o join customers c on c.id = o.customer_id "
        "join customer_numbers n on n.customer_id = c.id "
        "where n.number like '+861380000000%' and o.number like '20261%' order by n.number",
    )
    assert [tuple(row) for row in found] == [
        ("+8613800000001", "gold", "cmn", "202611"),
        ("+8613800000002", "silver", "yue", "202612"),
        ("+8613800000003", "", "en", "202613"),
    ]


def test_the_demo_is_the_same_every_time():
    def made():
        people = list(demo.people(300, random.Random(demo.SEED)))
        return people, list(demo.purchases(500, 300, date(2026, 11, 23), random.Random(demo.SEED + 1)))

    assert made() == made()


def test_customers_have_several_numbers_every_tier_and_every_language():
    people = list(demo.people(400, random.Random(demo.SEED)))
    assert {customer["tier"] for customer, _ in people} == {"gold", "silver", ""}
    assert {customer["language"] for customer, _ in people} == {"cmn", "yue", "en"}
    assert {len(numbers) for _, numbers in people} == {1, 2, 3}
    for _, numbers in people:
        for row in numbers:
            assert phonenumbers.is_possible_number(phonenumbers.parse(row["number"]))


def test_an_order_is_due_after_it_was_made():
    for order in demo.purchases(300, 50, TODAY, random.Random(1)):
        assert order["created"] < order["eta"]
        assert (order["eta"] < TODAY) == (order["status"] == "delivered")


def test_a_demo_can_be_made_anew_with_other_numbers(demo_crm):
    demo.fill(demo_crm, customers=5, orders=7, today=TODAY)
    assert rows(demo_crm, "select (select count(*) from customers), (select count(*) from orders)") == [(5, 7)]


def test_somebody_elses_crm_is_left_alone(owner):
    owner.run(lambda c: c.execute(text("create table orders_archive (x integer)")), within=20, writes=True)
    with pytest.raises(DatabaseFailed, match="orders_archive"):
        demo.fill(owner, customers=5, orders=7, today=TODAY)
    assert owner.run(lambda c: inspect(c).get_table_names(), within=20) == ["orders_archive"]


def test_a_database_is_vacant_until_it_has_a_table_that_is_not_ours(owner):
    assert demo.vacant(owner)
    owner.run(lambda c: c.execute(text("create table agents (x integer)")), within=20, writes=True)
    assert not demo.vacant(owner)
    assert demo.vacant(owner, besides=frozenset({"agents"}))


def test_tickets_are_numbered_by_the_database(demo_crm):
    insert = text("insert into tickets (kind, customer) values ('complaint', 'C00001') returning number")
    numbers = [demo_crm.run(lambda c: c.execute(insert).scalar(), within=20, writes=True) for _ in range(2)]
    assert numbers[1] == numbers[0] + 1
