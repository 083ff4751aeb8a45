"""What `doctor` says of a switch: it logs in, and knows a wrong password and a configuration that nobody has read."""

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gevent.server import StreamServer

from commands import main
from config.appliance import read
from provision import music
from runtime import switch_doctor
from runtime.doctor import examine
from tests.switch.asterisk.peer import Peer

CHECKOUT = Path(__file__).resolve().parents[2]
FREESWITCH = "FreeSWITCH Version 1.11.2-release+git~20260101T000000Z (64bit)"


class EventSocket:
    """A FreeSWITCH as far as logging in goes, with the variables that it was started with."""

    def __init__(self):
        self.password, self.variables, self.modules = "", "", {"mod_native_file"}
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.port = self._server.server_port

    def close(self):
        self._server.stop()

    def _serve(self, sock, _address):
        lines = sock.makefile("rb")
        sock.sendall(b"Content-Type: auth/request\n\n")
        while command := lines.readline().decode().strip():
            lines.readline()
            sock.sendall(self._answered(command))

    def _answered(self, command):
        if command.startswith("auth"):
            accepted = command == f"auth {self.password}"
            return b"Content-Type: command/reply\nReply-Text: %s\n\n" % (
                b"+OK accepted" if accepted else b"-ERR invalid"
            )
        if not command.startswith("api"):
            return b"Content-Type: command/reply\nReply-Text: +OK\n\n"
        told = self._told(command.removeprefix("api ")).encode()
        return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(told), told)

    def _told(self, command):
        if command.startswith("module_exists "):
            return "true" if command.removeprefix("module_exists ") in self.modules else "false"
        return FREESWITCH if command == "version" else self.variables


@pytest.fixture
def event_socket():
    server = EventSocket()
    yield server
    server.close()


@pytest.fixture
def ari():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def house(tmp_path):
    """An appliance that is set up for a switch; returns how to ask what doctor says of it."""
    shutil.copytree(CHECKOUT / "flows", tmp_path / "flows")

    class House:
        settings = tmp_path / "appliance.yaml"

        def set_up(self, switch):
            self.settings.write_text(f"prompts-dir: {CHECKOUT / 'prompts'}\nswitch: {switch}\n")
            music.make(tmp_path / "var" / "sounds")
            self.run("db", "init")
            self.run("switch-config")
            return read(self.settings)

        def run(self, *words):
            assert main(["--config", str(self.settings), *words], CHECKOUT) == 0

        def findings(self, beginning):
            return [found for found in examine(read(self.settings), lambda: []) if found.what.startswith(beginning)]

    return House()


@pytest.fixture
def freeswitch(house, event_socket):
    """Set up, and running with what was written for it."""
    config = house.set_up(f"{{kind: freeswitch, freeswitch: {{inbound: '127.0.0.1:{event_socket.port}'}}}}")
    event_socket.password = config.switch.freeswitch.password_file.read_text().strip()
    written = (config.switch_dir / "freeswitch" / "vars.xml").read_text()
    event_socket.variables = "\n".join(re.findall(r'data="(.*)"/>', written))
    return event_socket


@pytest.fixture
def asterisk(house, ari):
    """Set up, and running with what was written for it."""
    house.config = house.set_up(f"{{kind: asterisk, asterisk: {{url: '{ari.url}'}}}}")
    told(ari, datetime.now(UTC).isoformat(timespec="milliseconds"))
    return ari


def told(ari, read_at):
    ari.answer(
        "GET", "asterisk/info", 200, {"system": {"version": "22.5.1+dfsg"}, "status": {"last_reload_time": read_at}}
    )


def test_freeswitch_lets_us_in_and_has_read_what_was_written(house, freeswitch):
    [login] = house.findings("event socket")
    assert (login.ok, login.what) == (
        True,
        f"event socket: FreeSWITCH 1.11.2 lets us in at 127.0.0.1:{freeswitch.port}",
    )
    assert [found.ok for found in house.findings("freeswitch runs with")] == [True]
    assert [found.ok for found in house.findings("configuration")] == [True]


def test_another_password_of_freeswitch_is_found(house, freeswitch):
    freeswitch.password = "another"
    [login] = house.findings("event socket")
    assert not login.ok
    assert "has another password than" in login.what
    assert "restart it with freeswitch-conf/" in login.mend


def test_what_freeswitch_has_not_read_yet_is_found(house, freeswitch):
    house.run("agents", "add", "1005", "Li", "--queue", "service")
    [written] = house.findings("configuration")
    assert not written.ok
    assert written.what.endswith("is older than agents, flows or settings: agents.xml, vars.xml")
    assert "./appliance.py switch-config" in written.mend
    house.run("switch-config")
    [runs] = house.findings("freeswitch runs with")
    assert (runs.ok, runs.what) == (False, "freeswitch runs with other hotline_agents")
    assert "fs_cli -x reloadxml" in runs.mend


def test_a_freeswitch_that_cannot_play_coded_music_is_told_of_and_no_fault(house, freeswitch):
    freeswitch_has = house.findings("music")
    freeswitch.modules.clear()
    assert [(found.ok, found.what) for found in (*freeswitch_has, *house.findings("music"))] == [
        (True, "music: freeswitch has mod_native_file"),
        (True, "music: freeswitch lacks mod_native_file, so music costs it more than it needs to (docs/freeswitch.md)"),
    ]


def test_no_freeswitch_is_found(house, freeswitch):
    freeswitch.close()
    [login] = house.findings("event socket")
    assert (login.ok, login.what.rpartition(": ")[2]) == (False, "Connection refused")


def test_asterisk_lets_us_in_and_has_read_what_was_written(house, asterisk):
    [login] = house.findings("ari")
    assert (login.ok, login.what) == (True, f"ari: Asterisk 22.5.1 lets us in at {asterisk.url}")
    assert [found.ok for found in house.findings("asterisk has read")] == [True]
    assert [found.ok for found in house.findings("configuration")] == [True]


def test_another_password_of_asterisk_is_found(house, asterisk):
    asterisk.answer("GET", "asterisk/info", 401, {"message": "Authentication required"})
    [login] = house.findings("ari")
    assert not login.ok
    assert "refuses hotline with the password in" in login.what
    assert "core reload" in login.mend


def test_a_web_server_that_is_no_asterisk_is_found(house, asterisk):
    asterisk.answer("GET", "asterisk/info", 404, {"message": "Resource not found"})
    [login] = house.findings("ari")
    assert (login.ok, login.what) == (False, f"ari: {asterisk.url} answers 404 Resource not found")


def test_what_asterisk_has_not_read_yet_is_found(house, asterisk):
    told(asterisk, "2026-11-29T12:00:00.000+0000")
    for file in (house.config.switch_dir / "asterisk").glob("*.conf"):
        os.utime(file, (0, datetime(2026, 11, 29, 12, 0, 1, tzinfo=UTC).timestamp()))
    [has_read] = house.findings("asterisk has read")
    assert not has_read.ok
    assert "asterisk -rx 'core reload'" in has_read.mend
    house.run("agents", "add", "1005", "Li", "--queue", "service")
    [written] = house.findings("configuration")
    assert written.what.endswith("is older than agents, flows or settings: extensions.conf, pjsip.conf")


def test_coded_music_is_looked_at_where_it_was_made(house, freeswitch, monkeypatch):
    monkeypatch.setattr(switch_doctor, "_user_of", lambda _: switch_doctor._User(65534, frozenset()))
    coded = house.settings.parent / "var" / "sounds" / "coded"
    assert not [found for found in house.findings("audio: freeswitch may read") if str(coded) in found.what]
    coded.mkdir()
    assert [found for found in house.findings("audio: freeswitch may read") if str(coded) in found.what]
