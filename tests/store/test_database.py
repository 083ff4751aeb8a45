"""A database may be slow, locked, down or gone: callers get an answer in their time, and nobody else notices."""

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import gevent
import pytest
from sqlalchemy import text

from store.database import DatabaseFailed, Reason
from switch.shared.clock import VirtualClock
from tests.store.postgres import fresh_url

LONG = 20.0  # a limit that a test which passes never reaches


@pytest.fixture
def sqlite(tmp_path, opened):
    """An SQLite database with one table, of two threads."""
    database = opened(f"sqlite:///{tmp_path}/some.db", threads=2, create=True)
    database.run(lambda c: c.execute(text("create table facts (fact text)")), within=LONG, writes=True)
    return database


@pytest.fixture
def postgres(opened):
    return opened(fresh_url(), threads=2)


class Gate:
    """Work that stays in its thread until the test lets it go on."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = gevent.hub.get_hub().loop.async_()
        self._inside = gevent.event.Event()
        self.entered.start(self._inside.set)

    def work(self, _connection) -> bool:
        self.entered.send()
        return self.opened.wait(LONG)

    def wait_inside(self) -> None:
        assert self._inside.wait(LONG)


def until(holds) -> None:
    with gevent.Timeout(LONG):
        while not holds():
            gevent.sleep(0.001)


def test_work_runs_in_a_native_thread_while_greenlets_go_on(database):
    gate = Gate()
    call = gevent.spawn(database.run, gate.work, within=LONG)
    gate.wait_inside()
    gate.opened.set()  # only reached because the hub is free
    assert call.get(timeout=LONG) is True
    assert database.run(lambda _: threading.get_native_id(), within=LONG) != threading.get_native_id()


def test_the_caller_gets_its_error_in_time_and_the_thread_comes_back_by_itself(database):
    gate = Gate()
    with pytest.raises(DatabaseFailed, match=r"took longer than 0\.05 s") as failure:
        database.run(gate.work, within=0.05)
    assert failure.value.reason is Reason.SLOW
    assert database.hanging == 1
    gate.opened.set()
    until(lambda: database.hanging == 0)
    assert database.run(lambda c: c.execute(text("select 7")).scalar(), within=LONG) == 7


def test_what_was_reported_as_failed_is_not_committed(database):
    database.run(lambda c: c.execute(text("create table facts (fact text)")), within=LONG, writes=True)
    gate = Gate()

    def note_late(connection):
        connection.execute(text("insert into facts values ('late')"))
        return gate.work(connection)

    with pytest.raises(DatabaseFailed):
        database.run(note_late, within=0.2)
    gate.opened.set()
    until(lambda: database.hanging == 0)
    assert database.run(lambda c: c.execute(text("select count(*) from facts")).scalar(), within=LONG) == 0


def test_when_every_thread_hangs_calls_fail_at_once(sqlite):
    gate = Gate()
    lost = [gevent.spawn(sqlite.run, gate.work, within=0.05) for _ in range(2)]
    gevent.joinall(lost, timeout=LONG)
    assert [type(call.exception) for call in lost] == [DatabaseFailed, DatabaseFailed]
    with gevent.Timeout(LONG / 2), pytest.raises(DatabaseFailed, match="does not answer") as failure:
        sqlite.run(lambda _: None, within=LONG)
    assert failure.value.reason is Reason.SLOW
    gate.opened.set()


def test_a_busy_database_refuses_a_call_after_its_limit_and_serves_one_with_patience(sqlite):
    gates = [Gate(), Gate()]
    held = [gevent.spawn(sqlite.run, gate.work, within=LONG) for gate in gates]
    for gate in gates:
        gate.wait_inside()
    with pytest.raises(DatabaseFailed, match="busy with other calls"):
        sqlite.run(lambda _: None, within=0.05)
    patient = gevent.spawn(sqlite.run, lambda _: "served", within=LONG)
    gevent.sleep(0)
    for gate in gates:
        gate.opened.set()
    assert patient.get(timeout=LONG) == "served"
    assert [call.get(timeout=LONG) for call in held] == [True, True]


def test_no_more_calls_run_at_a_time_than_there_are_threads(sqlite):
    at_a_time, most, lock = 0, 0, threading.Lock()

    def work(connection):
        nonlocal at_a_time, most
        with lock:
            at_a_time += 1
            most = max(most, at_a_time)
        connection.execute(text("select 1")).scalar()
        with lock:
            at_a_time -= 1

    gevent.joinall([gevent.spawn(sqlite.run, work, within=LONG) for _ in range(40)], timeout=LONG, raise_error=True)
    assert 1 <= most <= 2


def test_a_caller_that_is_killed_while_it_waits_leaves_the_thread_usable(sqlite):
    gate = Gate()
    call = gevent.spawn(sqlite.run, gate.work, within=LONG)
    gate.wait_inside()
    call.kill()
    assert sqlite.hanging == 1
    gate.opened.set()
    until(lambda: sqlite.hanging == 0)
    calls = [gevent.spawn(sqlite.run, lambda _: 1, within=LONG) for _ in range(4)]
    assert [call.get(timeout=LONG) for call in calls] == [1, 1, 1, 1]


def test_virtual_time_stands_still_while_a_thread_works(opened, tmp_path):
    clock = VirtualClock(datetime(2026, 11, 23, tzinfo=UTC))
    database = opened(f"sqlite:///{tmp_path}/some.db", create=True, clock=clock)
    gate = Gate()
    seen = []

    def caller():
        database.run(gate.work, within=LONG)
        seen.append(clock.now())

    gevent.spawn(caller)
    gevent.spawn(clock.sleep, 1.0)
    gevent.spawn(lambda: (gate.wait_inside(), gate.opened.set()))
    assert clock.run_until(lambda: bool(seen), longest=10)
    assert seen == [0]


def test_a_closed_database_says_so(sqlite):
    sqlite.close()
    with pytest.raises(DatabaseFailed, match="was closed"):
        sqlite.run(lambda _: None, within=LONG)


def test_a_thread_that_hangs_when_the_database_is_closed_ends_when_it_comes_back(opened, tmp_path):
    database = opened(f"sqlite:///{tmp_path}/some.db", threads=1, create=True)
    gate, thread = Gate(), []

    def work(connection):
        thread.append(Path(f"/proc/self/task/{threading.get_native_id()}"))
        return gate.work(connection)

    call = gevent.spawn(database.run, work, within=LONG)
    gate.wait_inside()
    call.kill()
    database.close()
    assert thread[0].exists()
    gate.opened.set()
    until(lambda: not thread[0].exists())


def test_whoever_waits_for_a_database_that_is_closed_meanwhile_is_told(sqlite):
    gates = [Gate(), Gate()]
    held = [gevent.spawn(sqlite.run, gate.work, within=LONG) for gate in gates]
    for gate in gates:
        gate.wait_inside()
    waiting = [gevent.spawn(sqlite.run, lambda _: None, within=LONG) for _ in range(3)]
    gevent.sleep(0)
    sqlite.close()
    gates[0].opened.set()
    for call in waiting:
        with pytest.raises(DatabaseFailed, match="was closed"):
            call.get(timeout=LONG)
    gates[1].opened.set()
    assert [call.get(timeout=LONG) for call in held] == [True, True]


def test_a_mistake_in_the_work_itself_is_not_taken_for_the_databases(sqlite, capsys):
    with pytest.raises(ZeroDivisionError):
        sqlite.run(lambda _: 1 // 0, within=LONG)
    assert sqlite.run(lambda _: "still there", within=LONG) == "still there"


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "mysql://user@host/name"])
def test_a_url_that_is_not_ours_is_refused_with_an_example(opened, url):
    with pytest.raises(DatabaseFailed, match="write for example") as failure:
        opened(url)
    assert failure.value.reason is Reason.WRONG


def test_a_wrong_statement_is_told_from_a_database_that_is_down(database):
    with pytest.raises(DatabaseFailed, match="nowhere") as failure:
        database.run(lambda c: c.execute(text("select * from nowhere")), within=LONG)
    assert failure.value.reason is Reason.WRONG


def test_reading_cannot_write(database):
    with pytest.raises(DatabaseFailed) as failure:
        database.run(lambda c: c.execute(text("create table facts (fact text)")), within=LONG)
    assert failure.value.reason is Reason.WRONG


ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"


def test_a_statement_without_end_is_stopped_in_the_database_too(database):
    with pytest.raises(DatabaseFailed) as failure:
        database.run(lambda c: c.execute(text(ENDLESS)).scalar(), within=0.1)
    assert failure.value.reason is Reason.SLOW
    until(lambda: database.hanging == 0)
    assert database.run(lambda c: c.execute(text("select 7")).scalar(), within=LONG) == 7


def test_works_the_same_when_gevent_has_patched_the_standard_library(url):
    program = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from sqlalchemy import text
from store.database import Database
from switch.shared.clock import RealClock
database = Database(sys.argv[1], RealClock(), name="test", threads=3, create=True)
database.run(lambda c: c.execute(text("create table n (n integer)")), within=20, writes=True)
def add(n):
    database.run(lambda c: c.execute(text("insert into n values (:n)"), {"n": n}), within=20, writes=True)
gevent.joinall([gevent.spawn(add, n) for n in range(50)], raise_error=True)
print(database.run(lambda c: c.execute(text("select sum(n) from n")).scalar(), within=20))
database.close()
"""
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("1225\n", "")


# SQLite's own ways to fail

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("begin exclusive")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("rollback")
"""


@pytest.fixture
def locker(tmp_path):
    """Another process that holds the SQLite database of `plain` locked."""

    def lock(path: Path) -> subprocess.Popen:
        found.append(
            subprocess.Popen(
                [sys.executable, "-c", LOCKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        assert found[-1].stdout.readline() == "locked\n"
        return found[-1]

    found = []
    yield lock
    for process in found:
        process.communicate(timeout=LONG)


@pytest.fixture
def plain(opened, tmp_path):
    """An SQLite file as somebody else made it: no write-ahead log, so that a writer shuts readers out."""
    path = tmp_path / "theirs.db"
    subprocess.run(
        [sys.executable, "-c", f"import sqlite3; sqlite3.connect({str(path)!r}).execute('create table facts (fact)')"],
        check=True,
        timeout=LONG,
    )
    return opened(f"sqlite:///{path}", threads=2), path


def test_a_database_locked_by_another_process_fails_in_time(plain, locker):
    database, path = plain
    locker(path)
    with pytest.raises(DatabaseFailed) as failure:
        database.run(lambda c: c.execute(text("select * from facts")).all(), within=0.2)
    assert failure.value.reason is Reason.SLOW


def test_a_lock_that_goes_away_in_time_delays_one_call_and_not_the_hub(plain, locker):
    database, path = plain
    process = locker(path)
    call = gevent.spawn(database.run, lambda c: c.execute(text("select * from facts")).all(), within=LONG)
    gevent.sleep(0.05)
    assert not call.ready()
    process.stdin.write("\n")  # only reached because the hub is free; without it the call would fail
    process.stdin.flush()
    assert call.get(timeout=LONG) == []


def test_a_missing_file_is_down_and_is_not_made(opened, tmp_path):
    database = opened(f"sqlite:///{tmp_path}/missing.db")
    with pytest.raises(DatabaseFailed, match="unable to open") as failure:
        database.run(lambda c: c.execute(text("select 1")), within=LONG)
    assert failure.value.reason is Reason.DOWN
    assert not (tmp_path / "missing.db").exists()


def test_a_file_that_is_no_database_is_down(opened, tmp_path):
    (tmp_path / "letter.db").write_text("Dear Sir or Madam, " * 500)
    with pytest.raises(DatabaseFailed) as failure:
        opened(f"sqlite:///{tmp_path}/letter.db").run(lambda c: c.execute(text("select * from x")), within=LONG)
    assert failure.value.reason is Reason.DOWN


def test_a_file_that_is_replaced_is_read_anew(sqlite, opened, tmp_path):
    other = opened(f"sqlite:///{tmp_path}/other.db", create=True)
    other.run(lambda c: c.execute(text("create table facts (fact text)")), within=LONG, writes=True)
    other.run(lambda c: c.execute(text("insert into facts values ('new')")), within=LONG, writes=True)
    other.close()
    assert sqlite.run(lambda c: c.execute(text("select * from facts")).all(), within=LONG) == []
    sqlite.close()
    reader = opened(f"sqlite:///{tmp_path}/some.db", threads=1)
    assert reader.run(lambda c: c.execute(text("select * from facts")).all(), within=LONG) == []
    (tmp_path / "other.db").rename(tmp_path / "some.db")
    assert reader.run(lambda c: c.execute(text("select * from facts")).all(), within=LONG) == [("new",)]


def test_our_file_is_not_for_everybody_to_read(sqlite, tmp_path):
    assert (tmp_path / "some.db").stat().st_mode & 0o007 == 0


# PostgreSQL's own ways to fail


def test_a_connection_that_the_server_dropped_is_opened_again(opened):
    url = fresh_url()
    database, watcher = opened(url, threads=1), opened(url, threads=1)
    own_backend = text("select pg_backend_pid()")
    backend = database.run(lambda c: c.execute(own_backend).scalar(), within=LONG)
    os.kill(backend, signal.SIGTERM)
    alive = text("select count(*) from pg_stat_activity where pid = :pid")
    until(lambda: watcher.run(lambda c: c.execute(alive, {"pid": backend}).scalar(), within=LONG) == 0)
    assert database.run(lambda c: c.execute(own_backend).scalar(), within=LONG) != backend


def test_a_server_that_falls_silent_costs_the_call_its_limit_and_no_thread_for_ever(postgres):
    backend = postgres.run(lambda c: c.execute(text("select pg_backend_pid()")).scalar(), within=LONG)
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(DatabaseFailed) as failure:
            postgres.run(lambda c: c.execute(text("select 1")).scalar(), within=0.1)
        assert failure.value.reason is Reason.SLOW
        until(lambda: postgres.hanging == 0)  # while the backend still sleeps
    finally:
        os.kill(backend, signal.SIGCONT)
    assert postgres.run(lambda c: c.execute(text("select 1")).scalar(), within=LONG) == 1


def test_a_server_that_never_greets_is_slow(opened):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        database = opened(f"postgresql://hotline@127.0.0.1:{listener.getsockname()[1]}/hotline", threads=1)
        with pytest.raises(DatabaseFailed) as failure:
            database.run(lambda _: None, within=0.1)
        assert failure.value.reason is Reason.SLOW


def test_a_server_that_refuses_is_down(opened):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DatabaseFailed, match="refused") as failure:
        opened(f"postgresql://hotline@127.0.0.1:{port}/hotline").run(lambda _: None, within=LONG)
    assert failure.value.reason is Reason.DOWN


def test_a_database_that_does_not_exist_is_down(postgres, opened):
    url = fresh_url().replace("/postgres?", "/no_such_database?")
    with pytest.raises(DatabaseFailed, match="does not exist") as failure:
        opened(url).run(lambda _: None, within=LONG)
    assert failure.value.reason is Reason.DOWN


def test_a_failure_never_quotes_the_value(postgres):
    with pytest.raises(DatabaseFailed) as failure:
        postgres.run(lambda c: c.exec_driver_sql("select %s::integer", ("13800000001 and more",)), within=LONG)
    assert failure.value.reason is Reason.WRONG
    assert "1380" not in str(failure.value)
