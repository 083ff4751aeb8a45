"""`db` makes what is missing, touches nothing that is there, and says in one line what is wrong."""

import re
import sqlite3
from pathlib import Path

import pytest

from commands import main
from tests.store.postgres import fresh_url

HOME = Path(__file__).parents[2]


@pytest.fixture
def db(tmp_path, capsys):
    """Runs a `db` command on a configuration in a fresh folder; its exit code, output and errors."""

    def run(*words: str, config: str = ""):
        (tmp_path / "appliance.yaml").write_text(config)
        code = main(["--config", str(tmp_path / "appliance.yaml"), "db", *words], HOME)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def ask(file: Path, sql: str):
    connection = sqlite3.connect(file)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_everything_is_made_in_an_empty_folder(db, tmp_path):
    code, out, err = db("init")
    assert (code, err) == (0, "")
    assert "our tables were made" in out
    assert "1,000 of 1,000 customers and orders" in out
    agents = ask(tmp_path / "var/hotline.db", "select id, password from agents order by id")
    assert [id for id, _ in agents] == ["1001", "1002", "1003", "1004"]
    assert len({password for _, password in agents}) == 4
    assert ask(tmp_path / "var/crm.db", "select customer_id from orders where number = '202611'") == [("C00001",)]


def test_a_second_time_nothing_changes(db, tmp_path):
    db("init")
    before = ask(tmp_path / "var/hotline.db", "select * from agents")
    crm = (tmp_path / "var/crm.db").read_bytes()
    code, out, err = db("init")
    assert (code, err) == (0, "")
    assert "up to date" in out
    assert ask(tmp_path / "var/hotline.db", "select * from agents") == before
    assert (tmp_path / "var/crm.db").read_bytes() == crm


def test_without_the_demo_there_are_mailboxes_and_nothing_else(db, tmp_path):
    assert db("init", config="crm: {demo: false}")[0] == 0
    assert ask(tmp_path / "var/hotline.db", "select count(*) from mailboxes") == [(2,)]
    assert ask(tmp_path / "var/hotline.db", "select count(*) from agents") == [(0,)]
    assert not (tmp_path / "var/crm.db").exists()


def test_somebody_elses_crm_is_left_alone(db, tmp_path):
    (tmp_path / "var").mkdir()
    theirs = sqlite3.connect(tmp_path / "var/crm.db")
    theirs.execute("create table clients (name)")
    theirs.close()
    code, out, _ = db("init")
    assert code == 0
    assert "left as it is" in out
    code, _, err = db("demo")
    assert code == 2
    assert "other tables: clients" in err
    assert ask(tmp_path / "var/crm.db", "select name from sqlite_master where type = 'table'") == [("clients",)]


def test_the_demo_is_made_as_large_as_wanted(db, tmp_path):
    db("init")
    code, out, _ = db("demo", "--customers", "1200", "--orders", "3000")
    assert code == 0
    assert "4,200 of 4,200" in out
    assert ask(tmp_path / "var/crm.db", "select count(*) from orders") == [(3000,)]


def test_both_may_share_one_postgresql_database(db):
    url = fresh_url()
    config = f'database: {{url: "{url}"}}\ncrm: {{url: "{url}"}}\n'
    code, out, err = db("init", config=config)
    assert (code, err) == (0, "")
    assert "4 demo agents added" in out
    assert db("demo", "--customers", "5", "--orders", "5", config=config)[0] == 0
    code, out, _ = db("status", config=config)
    assert code == 0
    assert "up to date" in out


def test_status_tells_what_to_do(db, tmp_path):
    code, out, _ = db("status")
    assert code == 1
    assert "./appliance.py db init" in out
    db("init")
    code, out, _ = db("status")
    assert code == 0
    assert re.search(r"up to date \(version \d{4}\)", out)
    assert "reached, 4 tables" in out


def test_what_cannot_be_reached_is_one_line_without_the_password(db):
    config = 'database: {url: "postgresql://hotline:secret@127.0.0.1:1/hotline"}\n'
    code, out, err = db("upgrade", config=config)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert "refused" in err
    code, out, err = db("status", config=config)
    assert code == 1
    assert "secret" not in out + err


def test_a_url_that_is_none_is_named(db):
    code, _, err = db("init", config="database: {url: hotline}")
    assert code == 2
    assert "database.url" in err
    assert "write for example" in err


@pytest.mark.parametrize("number", ["0", "many", "9999999"])
def test_nonsense_numbers_are_refused(db, number, capsys):
    with pytest.raises(SystemExit) as left:
        db("demo", "--orders", number)
    assert left.value.code == 2
    assert f"argument --orders: '{number}' is not possible here; write a number from 1 to" in capsys.readouterr().err


def test_the_tables_go_back_to_an_earlier_version_and_come_again(db):
    db("init")
    code, out, _ = db("downgrade", "0001")
    assert code == 0
    assert "were taken back from version" in out
    assert "to 0001" in out
    assert "were upgraded from version 0001" in db("upgrade")[1]


def test_a_version_that_there_never_was_is_refused_in_one_line(db):
    db("init")
    code, out, err = db("downgrade", "nonsense")
    assert (code, out) == (2, "")
    assert "version nonsense is not earlier" in err
