"""The telephones of the queues' comparison, rung and called by a switch that is only a socket."""

import socket
import threading

import pytest

from bench import _sip
from bench._phones import phones


class Switch:
    """What arrives at it, and what it says."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind((_sip.HOST, 0))
        self.address = self.socket.getsockname()
        self.far = None

    def hears(self, method):
        """The next message of that method."""
        while True:
            data, self.far = self.socket.recvfrom(8192)
            message = _sip.parsed(data)
            if message.method == method:
                return message

    def says(self, data, to=None):
        self.socket.sendto(data, to or self.far)

    def request(self, method, user, port, *, call="one", to=""):
        us = "<sip:hotline@127.0.0.1>;tag=s"
        self.says(
            _sip.request(method, f"sip:{user}@{_sip.HOST}:{port}", port=self.address[1], call=call, number=1, ours=us,
                         theirs=to or f"<sip:{user}@{_sip.HOST}>"),
            (_sip.HOST, port),
        )  # fmt: skip


@pytest.fixture
def switch():
    switch = Switch()
    yield switch
    switch.socket.close()


@pytest.fixture
def made(switch):
    with phones(switch.address, switch.address) as made:
        yield made


def test_an_agents_telephone_answers_and_tells_when_it_was_rung(switch, made):
    switch.request("INVITE", "6001", made.port)
    answer = switch.hears("INVITE")
    rung = made.next_rung(5)
    assert (answer.status, rung.agent, rung.call) == (200, "6001", "one")
    assert "tag=" in answer["To"]
    switch.request("ACK", "6001", made.port, to=answer["To"])
    assert made.until_confirmed(rung)
    made.hang_up(rung.call)
    assert switch.hears("BYE")["From"] == answer["To"]


def test_an_agent_hangs_up_when_the_talk_has_been_long_enough(switch, made):
    made.talk = 0.0
    switch.request("INVITE", "6001", made.port)
    answer = switch.hears("INVITE")
    switch.request("ACK", "6001", made.port, to=answer["To"])
    assert switch.hears("BYE")["Call-ID"] == "one"


def test_an_invite_that_is_repeated_rings_once(switch, made):
    switch.request("INVITE", "6001", made.port)
    first = switch.hears("INVITE")
    switch.request("INVITE", "6001", made.port)
    assert switch.hears("INVITE")["To"] == first["To"]
    assert made.next_rung(5) is not None
    assert made.next_rung(0) is None


def test_a_caller_who_is_let_go_is_followed_by_another(switch, made):
    made.keep("7101", calls=1, rate=100)
    invite = switch.hears("INVITE")
    assert invite.user == "7101"
    switch.says(_sip.response(invite, "200 OK", tag="s", contact=f"sip:hotline@{_sip.HOST}:{switch.address[1]}"))
    assert switch.hears("ACK")["Call-ID"] == invite["Call-ID"]
    assert made.until_there(1, 5) == 1
    assert invite["Call-ID"] in made.answered
    switch.request("BYE", "bench", made.port, call=invite["Call-ID"], to=invite["From"])
    assert switch.hears("INVITE")["Call-ID"] != invite["Call-ID"]
    assert len(made.let_go) == 1


def test_telephones_register_with_their_passwords(switch, made):
    registered = []

    def registrar():
        first = switch.hears("REGISTER")
        switch.says(
            _sip.written(
                "SIP/2.0 401 Unauthorized",
                {name: first[name] for name in ("Via", "From", "To", "Call-ID", "CSeq")}
                | {"WWW-Authenticate": 'Digest realm="hotline", nonce="n"'},
            )
        )
        second = switch.hears("REGISTER")
        registered.append(second["Authorization"])
        switch.says(_sip.response(second, "200 OK"))

    thread = threading.Thread(target=registrar)
    thread.start()
    made.register({"6001": "secret"}, 5)
    thread.join(5)
    expected = _sip.credentials(
        'Digest realm="hotline", nonce="n"', user="6001", password="secret", method="REGISTER",
        uri=f"sip:{switch.address[0]}:{switch.address[1]}",
    )  # fmt: skip
    assert registered == [expected]
