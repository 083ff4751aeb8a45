"""The control socket: a request a line, an answer each, and clear words for everything wrong."""

import json

import gevent
import gevent.socket
import pytest

from config.values import UserError
from cti.client import Control
from cti.server import ControlServer, Refused


def refuse(_request):
    raise Refused("no agent 1009; there are 1001, 1002")


@pytest.fixture
def server(tmp_path):
    commands = {"echo": lambda request: request["text"], "refuse": refuse, "breaks": lambda request: {}["ours"]}
    server = ControlServer(tmp_path / "run" / "hotline.sock", commands)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "hotline.sock"


def raw(path, data):
    with gevent.socket.socket(gevent.socket.AF_UNIX, gevent.socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(data)
        with connection.makefile("rb") as replies:
            return json.loads(replies.readline())


def test_a_request_is_answered(server, path):
    assert Control(path).ask("echo", text="您好") == "您好"


def test_a_refusal_is_the_line_that_the_person_reads(server, path):
    with pytest.raises(UserError, match="no agent 1009; there are 1001, 1002"):
        Control(path).ask("refuse")


def test_an_unknown_command_lists_the_known_ones(server, path):
    with pytest.raises(UserError, match="no command 'ecko'; there are breaks, echo, refuse"):
        Control(path).ask("ecko")


def test_a_missing_argument_is_named(server, path):
    with pytest.raises(UserError, match="'echo' needs 'text'"):
        Control(path).ask("echo")


def test_an_error_of_our_own_is_no_missing_argument_and_harms_nobody(server, path):
    with pytest.raises(UserError, match="'breaks' broke off by an error of the appliance itself"):
        Control(path).ask("breaks")
    assert Control(path).ask("echo", text="still here") == "still here"


def test_no_more_than_so_many_follow(server, path, monkeypatch):
    monkeypatch.setattr("cti.server.FOLLOWERS", 1)
    following = gevent.spawn(lambda: next(iter(Control(path).follow())))
    while not server._followers:
        gevent.sleep(0)
    assert raw(path, b'{"do":"follow"}\n')["ok"] is False
    server.publish(b'{"seq":1}\n')
    assert following.get(timeout=5)["seq"] == 1


@pytest.mark.parametrize("data", [b"\n", b"[]\n", b"status\n", b"\xff\xfe\n", b'{"dont":1}\n', b'{"do":[]}\n'])
def test_nonsense_is_answered_and_harms_nobody(server, path, data):
    assert raw(path, data)["ok"] is False
    assert Control(path).ask("echo", text="still here") == "still here"


def test_an_endless_request_is_cut_off(server, path):
    assert raw(path, b"x" * 70_000)["error"] == "the request is too long"


def test_followers_get_every_record_published_after_they_came(server, path):
    got = []

    def follow():
        for record in Control(path).follow():
            got.append(record["seq"])
            if len(got) == 3:
                return

    following = gevent.spawn(follow)
    while not server._followers:
        gevent.sleep(0)
    for seq in (1, 2, 3):
        server.publish(b'{"seq":%d}\n' % seq)
    following.join(timeout=5)
    assert got == [1, 2, 3]


def test_an_appliance_that_goes_before_it_replies_is_said_in_one_line(tmp_path):
    with gevent.socket.socket(gevent.socket.AF_UNIX, gevent.socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "hotline.sock"))
        listener.listen(1)

        def hang_up():
            client, _ = listener.accept()
            client.close()

        going = gevent.spawn(hang_up)
        with pytest.raises(UserError, match="closed the connection without a reply"):
            Control(tmp_path / "hotline.sock").ask("status")
        going.join(timeout=5)


def test_a_socket_that_cannot_be_made_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"control socket .* cannot be made: AF_UNIX path too long"):
        ControlServer(tmp_path / ("long" * 40) / "hotline.sock", {}).start()


def test_no_appliance_is_said_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"no appliance is running here.*appliance.py run"):
        Control(tmp_path / "none.sock").ask("status")


def test_the_socket_is_not_open_to_everybody(server, path):
    assert path.stat().st_mode & 0o007 == 0
