"""A PostgreSQL server of the tests' own: on a Unix socket in a fresh directory, as an unprivileged user."""

import atexit
import functools
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

BINARIES = [*os.environ.get("PATH", "").split(":"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
UNPRIVILEGED = ("postgres", "nobody")
_numbers = itertools.count(1)


def fresh_url() -> str:
    """The URL of an empty schema in the tests' database; skips the test where no server is installed."""
    home = _server()
    if home is None:
        pytest.skip("PostgreSQL: no initdb and pg_ctl on this machine")
    name = f"test_{next(_numbers)}"
    with psycopg.connect(f"host={home} user=hotline dbname=postgres", autocommit=True) as connection:
        connection.execute(f"create schema {name}")
    return f"postgresql://hotline@/postgres?host={home}&options=-csearch_path%3D{name}"


@functools.cache
def _server() -> Path | None:
    path = ":".join(BINARIES)
    initdb, pg_ctl = shutil.which("initdb", path=path), shutil.which("pg_ctl", path=path)
    user = _user()
    if not (initdb and pg_ctl) or (os.getuid() == 0 and user is None):
        return None
    home = Path(tempfile.mkdtemp(prefix="hotline-postgres-"))
    if user:
        os.chown(home, user.pw_uid, user.pw_gid)
    data, log = home / "data", home / "log"
    _run(user, initdb, "-D", data, "-U", "hotline", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    options = f"-k {home} -c listen_addresses='' -c fsync=off -c max_connections=60"
    _run(user, pg_ctl, "-D", data, "-l", log, "-w", "-t", "30", "-o", options, "start")
    atexit.register(_end, user, pg_ctl, data, home)
    return home


def _end(user: pwd.struct_passwd | None, pg_ctl: str, data: Path, home: Path) -> None:
    _run(user, pg_ctl, "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(home, ignore_errors=True)


def _user() -> pwd.struct_passwd | None:
    """Whom to be instead of root, as whom PostgreSQL refuses to run."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next((known[name] for name in UNPRIVILEGED if name in known), None)


def _run(user: pwd.struct_passwd | None, *command: object) -> None:
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        text=True,
        **identity,
    )
    assert done.returncode == 0, done.stdout
