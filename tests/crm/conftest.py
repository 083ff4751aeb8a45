from collections.abc import Callable, Iterator
from datetime import date

import pytest

from crm import catalogue, demo
from crm.catalogue import Catalogue
from crm.host import Host, Queries
from store.database import Database
from switch.shared.clock import RealClock
from tests.store.postgres import fresh_url

TODAY = date(2026, 11, 23)


def queries_of(text: str) -> Catalogue:
    found, problems = catalogue.load(text, "queries.yaml")
    assert problems == []
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """An empty database of each kind, as a CRM's owner would have made it."""
    if request.param == "postgresql":
        return fresh_url()
    (tmp_path / "crm.db").touch()
    return f"sqlite:///{tmp_path}/crm.db"


@pytest.fixture
def owner(url) -> Iterator[Database]:
    """The CRM's owner, who may write."""
    database = Database(url, RealClock(), name="owner", threads=2)
    yield database
    database.close()


@pytest.fixture
def demo_crm(owner) -> Database:
    demo.fill(owner, customers=40, orders=60, today=TODAY)
    return owner


@pytest.fixture
def host(url) -> Iterator[Host]:
    host = Host(url, RealClock(), connections=3)
    yield host
    host.close()


@pytest.fixture
def ask(host) -> Callable[..., object]:
    """Asks one query, written as in queries.yaml, without the name."""

    def ask_once(text: str, **parameters: object):
        indented = "\n".join(f"  {line}" for line in text.strip().splitlines())
        return Queries(host, queries_of(f"asked:\n{indented}\n")).query("asked", parameters)

    return ask_once
