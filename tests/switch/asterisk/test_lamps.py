"""Message lamps through the manager interface: what is asked, and what happens where it cannot be asked."""

from urllib.parse import parse_qsl

import pytest
from gevent.pywsgi import WSGIServer

from switch.asterisk.lamps import Lamps
from switch.port import SwitchLost

DENIED = b"Response: Error\r\nMessage: Permission denied\r\n\r\n"
DONE = b"Response: Success\r\n\r\n"


class Manager:
    """The web side of Asterisk's manager interface, as 22.10.1 answered: a cookie for who logs on, no right without."""

    def __init__(self):
        self.asked = []
        self.secret = "secret"
        self.enabled = True
        self.server = WSGIServer(("127.0.0.1", 0), self._serve, log=None)
        self.server.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def _serve(self, environ, start):
        if not self.enabled or environ["PATH_INFO"] != "/rawman":
            start("404 Not Found", [])
            return [b""]
        fields = parse_qsl(environ["QUERY_STRING"])
        action = dict(fields)["action"]
        headers = []
        if action == "Login":
            answer = DONE if dict(fields)["Secret"] == self.secret else DENIED
            headers = [("Set-Cookie", 'mansession_id="1a2b"; Version=1')] if answer == DONE else []
        else:
            answer = DONE if environ.get("HTTP_COOKIE") == 'mansession_id="1a2b"' else DENIED
        self.asked.append((action, fields[1:], answer == DONE))
        start("200 OK", headers)
        return [answer]


@pytest.fixture
def manager():
    manager = Manager()
    yield manager
    manager.server.stop()


@pytest.fixture
def lamps(manager):
    lamps = Lamps(manager.url, user="hotline", password="secret")
    yield lamps
    lamps.close()


def test_a_lamp_is_lit_by_a_notice_of_a_message_summary(manager, lamps):
    lamps.show("1001", new=2, old=1)
    action, fields, done = manager.asked[-1]
    assert (action, done) == ("PJSIPNotify", True)
    assert fields == [
        ("Endpoint", "1001"),
        ("Variable", "Event=message-summary"),
        ("Variable", "Content-type=application/simple-message-summary"),
        ("Variable", "Content=Messages-Waiting: yes"),
        ("Variable", "Content=Voice-Message: 2/1 (0/0)"),
    ]


def test_a_lamp_without_new_messages_is_dark(manager, lamps):
    lamps.show("1001", new=0, old=3)
    assert ("Variable", "Content=Messages-Waiting: no") in manager.asked[-1][1]


def test_one_logs_on_once_for_many_lamps(manager, lamps):
    for account in ("1001", "1002", "1003"):
        lamps.show(account, new=1, old=0)
    assert [action for action, _, _ in manager.asked].count("Login") == 1


def test_an_account_that_can_be_none_is_not_asked_for(manager, lamps):
    lamps.show("1001\r\nAction: Originate", new=1, old=0)
    assert manager.asked == []


def test_a_wrong_password_leaves_lamps_dark_and_calls_alone(manager):
    manager.secret = "another"
    lamps = Lamps(manager.url, user="hotline", password="secret")
    lamps.show("1001", new=1, old=0)
    assert not any(done for _, _, done in manager.asked)
    lamps.close()


def test_an_asterisk_without_a_manager_interface_is_told_once(manager, lamps, capsys):
    manager.enabled = False
    for _ in range(3):
        lamps.show("1001", new=1, old=0)
    assert "".join(capsys.readouterr()).count("message lamps stay dark") == 1


def test_an_asterisk_that_is_gone_is_a_lost_switch(manager, lamps):
    manager.server.stop()
    with pytest.raises(SwitchLost):
        lamps.show("1001", new=1, old=0)
