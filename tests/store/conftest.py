from collections.abc import Callable, Iterator

import pytest

from store import schema
from store.database import Database
from store.store import Store
from switch.shared.clock import RealClock
from tests.store.postgres import fresh_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """An empty database of each kind."""
    return fresh_url() if request.param == "postgresql" else f"sqlite:///{tmp_path}/hotline.db"


@pytest.fixture
def opened() -> Iterator[Callable[..., Database]]:
    """Opens databases, and closes them after the test."""
    found: list[Database] = []

    def open_database(url: str, **options) -> Database:
        found.append(Database(url, options.pop("clock", RealClock()), name="test", **options))
        return found[-1]

    yield open_database
    for database in found:
        database.close()


@pytest.fixture
def database(url, opened) -> Database:
    return opened(url, threads=3, create=True)


@pytest.fixture
def store(url, database) -> Iterator[Store]:
    """A store with its tables made."""
    schema.upgrade(database)
    store = Store(url, RealClock())
    yield store
    store.close()
