"""The tests' PostgreSQL: one server for all of them, on a Unix socket, and an empty schema in it for each."""

import atexit
import functools
import itertools
import os
from pathlib import Path

import psycopg
import pytest

from provision import postgres
from provision.debs import Unavailable

CHECKOUT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


def fresh_url(server: postgres.Server | None = None, *, user: str = "hotline") -> str:
    """The URL of an empty schema, in the server that all tests share unless another one is given."""
    home = (server or _shared()).home
    name = f"test_{next(_numbers)}"
    with psycopg.connect(f"host={home} user=hotline dbname=postgres", autocommit=True) as connection:
        connection.execute(f"create schema {name}")
    return f"postgresql://{user}@/postgres?host={home}&options=-csearch_path%3D{name}"


def own_server() -> postgres.Server:
    """A server that its test may stop and start; skips the test, or fails it where PostgreSQL is due."""
    try:
        server = postgres.Server(postgres.prepare(CHECKOUT / "var" / "postgres"))
        server.start()
    except Unavailable as reason:
        due = "postgresql" in os.environ.get("HOTLINE_REQUIRE", "").split(",")
        (pytest.fail if due else pytest.skip)(f"no private PostgreSQL: {reason}")
    return server


@functools.cache
def _shared() -> postgres.Server:
    server = own_server()
    atexit.register(server.close)
    return server
