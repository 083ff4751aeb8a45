"""A private PostgreSQL: the machine's own where it has one, one plain line where it cannot be had."""

import shutil
import signal
import tempfile
from pathlib import Path

import psycopg
import pytest

from provision import debs, postgres
from provision.debs import Unavailable


def test_without_postgresql_and_without_apt_one_plain_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "INSTALLED", str(tmp_path / "*"))
    assert postgres.main(["--prepare", str(tmp_path / "var")]) == debs.NO_APT
    assert capsys.readouterr().out == "no private PostgreSQL: there is no apt on this machine\n"


def test_the_machines_own_is_used_where_it_has_one(tmp_path, monkeypatch):
    for name in postgres.PROGRAMS:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = postgres.prepare(tmp_path / "var")
    assert (found.directory, found.root) == (tmp_path, None)
    assert not (tmp_path / "var").exists()


@pytest.fixture
def anybodys():
    """A folder that also the one may enter whom we are instead of root; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_server_that_cannot_be_made_says_why_and_leaves_nothing(anybodys, monkeypatch):
    for name in postgres.PROGRAMS:
        (anybodys / name).write_text("#!/bin/sh\necho 'no space left'; exit 1\n")
        (anybodys / name).chmod(0o755)
    homes = anybodys / "homes"
    homes.mkdir(mode=0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(homes))
    with pytest.raises(Unavailable, match="initdb failed: no space left"):
        postgres.Server(postgres.Programs(anybodys, "a trial"))
    assert list(homes.iterdir()) == []


@pytest.fixture(scope="module")
def server():
    try:
        found = postgres.prepare(Path(__file__).resolve().parents[2] / "var" / "postgres")
        server = postgres.Server(found)
    except Unavailable as reason:
        pytest.skip(f"no private PostgreSQL: {reason}")
    yield server
    server.close()


def test_it_listens_on_its_socket_alone_as_an_unprivileged_user_and_keeps_what_was_committed(server):
    server.start()
    with psycopg.connect(f"host={server.home} user=hotline dbname=postgres", autocommit=True) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)
        connection.execute("create table facts (fact text)")
    assert (server.home / "data").stat().st_uid != 0
    server.stop(signal.SIGQUIT)
    assert not server.running
    server.start()
    with psycopg.connect(f"host={server.home} user=hotline dbname=postgres") as connection:
        assert connection.execute("select count(*) from facts").fetchone() == (0,)
