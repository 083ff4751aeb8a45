"""Web services, kind and hostile, on a server of the test's own: an answer, or a failure in time."""

import json
from ipaddress import ip_network
from pathlib import Path

import gevent
import pytest
from gevent.server import StreamServer

from config.appliance import Web as Section
from config.values import UserError
from crm.addresses import may_ask
from crm.web import Reach, Web, open_web
from ivr.services import WebFailed, WebRequest
from switch.shared.clock import RealClock

LOOPBACK = (ip_network("127.0.0.0/8"),)
TLS = Path(__file__).parent / "tls"


class Server:
    """Answers every request with what `say` gives for it: bytes, or a function of the connection."""

    def __init__(self, *, tls=False):
        self.requests = []
        self.say = answer("{}")
        secured = {"keyfile": str(TLS / "key.pem"), "certfile": str(TLS / "certificate.pem")} if tls else {}
        self._server = StreamServer(("127.0.0.1", 0), self._serve, **secured)
        self._server.start()
        self.port = self._server.server_port

    def _serve(self, line, _address):
        received = b""
        with line:
            try:
                while b"\r\n\r\n" not in received:
                    received += line.recv(65536)
                head, _, body = received.partition(b"\r\n\r\n")
                while len(body) < length(head):
                    body += line.recv(65536)
                self.requests.append((head.decode(), body))
                said = self.say(head.decode()) if callable(self.say) else self.say
                if callable(said):
                    said(line)
                else:
                    line.sendall(said)
            except OSError:
                return  # the client had enough

    def stop(self):
        self._server.stop(timeout=0)


def length(head):
    found = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return int(found[0].split(b":")[1]) if found else 0


def answer(text, status="200 OK", **headers):
    body = text if isinstance(text, bytes) else text.encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


def request(url, method="GET", *, body=b"", wanted=None, within=5.0, key="call-1-3", headers=None):
    wanted = {"state": "state"} if wanted is None else wanted
    return WebRequest(method, url, headers or {}, body, wanted, within, key)


def ask(server, path="/parcels/7", web=None, **more):
    web = web or Web(Reach(LOOPBACK), RealClock())
    return web.ask(request(f"http://127.0.0.1:{server.port}{path}", **more))


# --- kind --------------------------------------------------------------------------------------------


def test_the_wanted_parts_of_an_answer_come_back(server):
    server.say = answer(
        json.dumps({"state": "sent", "times": [{"eta": "2026-11-25"}], "price": 12.5, "n": 3, "x": None})
    )
    wanted = {"state": "state", "eta": "times.0.eta", "price": "price", "n": "n", "x": "x"}
    assert {k: str(v) for k, v in ask(server, wanted=wanted).items()} == {
        "state": "sent", "eta": "2026-11-25", "price": "12.5", "n": "3", "x": "None",
    }  # fmt: skip
    head, _ = server.requests[0]
    assert head.startswith("GET /parcels/7 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head
    assert "Idempotency-Key" not in head


def test_what_is_told_carries_its_key_and_its_length(server):
    assert ask(server, method="POST", body=b'{"a":1}', wanted={}) is None
    head, body = server.requests[0]
    assert body == b'{"a":1}'
    assert "Idempotency-Key: call-1-3\r\n" in head
    assert "Content-Type: application/json" in head


def test_a_chunked_answer_is_put_together(server):
    server.say = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"sta\r\n8\r\nte": 42}\r\n0\r\n\r\n'
    assert ask(server) == {"state": 42}


def test_an_answer_without_content_is_a_success_where_nothing_is_wanted(server):
    server.say = b"HTTP/1.1 204 No Content\r\n\r\n"
    assert ask(server, method="DELETE", wanted={}) is None


def test_a_redirect_is_followed_and_changes_nothing_but_what_it_says(server):
    moved = {"/a": answer("", "307 Temporary", Location="/b"), "/b": answer("", "303 See", Location="/c?x=1")}
    server.say = lambda head: moved.get(head.split()[1], answer('{"state": "there"}'))
    assert ask(server, "/a", method="POST", body=b"{}") == {"state": "there"}
    assert [head.split(" HTTP")[0] for head, _ in server.requests] == ["POST /a", "POST /b", "GET /c?x=1"]


# --- hostile -----------------------------------------------------------------------------------------


def drip(line):
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        line.sendall(b" ")
        gevent.sleep(0.02)


def say_nothing(line):
    line.recv(1)


def pour(line):
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        line.sendall(b"[" * 65536)


def pour_a_head(line):
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.sendall(b"X-More: " + b"y" * 8000 + b"\r\n")


def go_on_informing(line):
    while True:
        line.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (drip, "no answer in 0.3 s"),
        (say_nothing, "no answer in 0.3 s"),
        (pour, "larger than 65536 bytes"),
        (pour_a_head, "not HTTP"),
        (go_on_informing, "larger than 65536 bytes"),
        (lambda line: None, "not HTTP|the connection failed|closed the connection"),
    ],
)
def test_a_server_that_plays_tricks_is_a_failure_in_time(server, said, why):
    server.say = lambda _: said
    with pytest.raises(WebFailed, match=why):
        ask(server, within=0.3 if "0.3" in why else 5.0)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (answer("", "500 Oops"), "status 500"),
        (answer("", "404 Not Found"), "status 404"),
        (answer("<html>"), "not JSON"),
        (answer(""), "not JSON"),
        (answer(b"\xff\xfe"), "not JSON"),
        (answer('{"state": NaN}'), "not JSON"),
        (answer("[" * 60_000), "not JSON"),
        (answer('{"state": ' + "9" * 5000 + "}"), "not JSON"),
        (answer('{"state": 1e999999999}'), "neither text nor a number"),
        (answer('{"state": {}}'), "neither text nor a number"),
        (answer('{"stat": 1}'), "no 'state'"),
        (answer("[1]"), "no 'state'"),
        (answer('{"state": 1}', Content_Encoding="gzip"), "compressed"),
        (answer("x" * 70_000), "larger than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "not HTTP|the connection failed|middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}", "not HTTP"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
    ],
)
def test_an_answer_of_no_use_is_a_failure(server, said, why):
    server.say = said
    with pytest.raises(WebFailed, match=why):
        ask(server)


@pytest.mark.parametrize(
    ("leads_to", "why"),
    [
        ("/again", "redirects without end"),
        ("http://10.0.0.1/", "own network"),
        ("http://169.254.169.254/latest/meta-data", "own network"),
        ("http://[::ffff:10.0.0.1]/", "own network"),
        ("file:///etc/passwd", "no web address"),
        ("gopher://127.0.0.1/", "no web address"),
        ("http://user@127.0.0.1/", "user's name"),
        ("http://127.0.0.1:99999/", "cannot be read"),
    ],
)
def test_a_redirect_goes_only_where_a_flow_could_have_gone(server, leads_to, why):
    server.say = answer("", "302 Found", Location=leads_to)
    with pytest.raises(WebFailed, match=why):
        ask(server)


@pytest.mark.parametrize("header", ["a\r\nX-Evil: 1", "a\0b"])
def test_what_a_caller_keyed_cannot_end_a_header(server, header):
    with pytest.raises(WebFailed, match="cannot be sent") as refused:
        ask(server, headers={"X-Number": header})
    assert header not in str(refused.value)
    assert server.requests == []


# --- addresses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_the_open_internet_may_be_asked(address):
    assert may_ask(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "fd00:ec2::254", "nonsense", ""],
)  # fmt: skip
def test_our_own_network_may_not(address):
    assert not may_ask(address)


def test_our_own_network_may_where_it_is_allowed():
    assert may_ask("10.1.2.3", (ip_network("10.1.0.0/16"),))
    assert not may_ask("10.2.2.3", (ip_network("10.1.0.0/16"),))
    assert may_ask("::ffff:10.1.2.3", (ip_network("10.1.0.0/16"),))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "0"])
def test_no_spelling_of_loopback_is_asked(server, host):
    with pytest.raises(WebFailed, match=r"own network|not known|cannot be reached"):
        Web(Reach(), RealClock()).ask(request(f"http://{host}:{server.port}/"))
    assert server.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_asked(server):
    """A name server that answers differently the second time is asked once."""
    names = iter([["127.0.0.1"], ["10.9.9.9"]])
    web = Web(Reach((ip_network("127.0.0.1/32"),)), RealClock(), resolve=lambda *_: next(names))
    server.say = answer('{"state": "here"}')
    assert web.ask(request(f"http://rebound.example:{server.port}/")) == {"state": "here"}
    assert f"Host: rebound.example:{server.port}" in server.requests[0][0]
    with pytest.raises(WebFailed, match="own network"):
        web.ask(request(f"http://rebound.example:{server.port}/"))


def test_of_several_addresses_only_those_that_are_allowed_are_tried(server):
    web = Web(Reach((ip_network("127.0.0.1/32"),)), RealClock(), resolve=lambda *_: ["10.9.9.9", "127.0.0.1"])
    server.say = answer('{"state": "here"}')
    assert web.ask(request(f"http://two.example:{server.port}/")) == {"state": "here"}


# --- TLS and secrets ---------------------------------------------------------------------------------


@pytest.fixture
def secured():
    server = Server(tls=True)
    server.say = answer('{"state": "safe"}')
    yield server
    server.stop()


def over_tls(secured, host="web.example", ca_file=TLS / "certificate.pem", **more):
    web = Web(Reach(LOOPBACK, ca_file=ca_file, **more), RealClock(), resolve=lambda *_: ["127.0.0.1"])
    return web.ask(request(f"https://{host}:{secured.port}/"))


def test_a_certificate_is_checked_and_so_is_its_name(secured):
    assert over_tls(secured) == {"state": "safe"}
    with pytest.raises(WebFailed, match="certificate"):
        over_tls(secured, ca_file=None)
    with pytest.raises(WebFailed, match=r"certificate|mismatch"):
        over_tls(secured, host="other.example")


def test_a_token_is_sent_to_its_host_over_tls_and_to_no_other(secured, server):
    over_tls(secured, tokens={"web.example": "s3cret"})
    assert "Authorization: Bearer s3cret" in secured.requests[0][0]
    over_tls(secured, tokens={"other.example": "s3cret"})
    assert "s3cret" not in secured.requests[1][0]
    web = Web(Reach(LOOPBACK, tokens={"127.0.0.1": "s3cret"}), RealClock())
    server.say = answer('{"state": 1}')
    ask(server, web=web)
    assert "s3cret" not in server.requests[0][0]


def test_a_redirect_takes_no_headers_along_and_never_leads_out_of_tls(secured):
    secured.say = answer("", "302 Found", Location=f"https://other.example:{secured.port}/")
    web = Web(
        Reach(LOOPBACK, ca_file=TLS / "certificate.pem", tokens={"web.example": "s3cret"}),
        RealClock(),
        resolve=lambda *_: ["127.0.0.1"],
    )
    with pytest.raises(WebFailed, match=r"certificate|mismatch"):
        web.ask(request(f"https://web.example:{secured.port}/", headers={"X-Own": "1"}))
    secured.say = answer("", "302 Found", Location=f"http://web.example:{secured.port}/")
    with pytest.raises(WebFailed, match="https to http"):
        web.ask(request(f"https://web.example:{secured.port}/"))


def test_a_token_that_cannot_be_read_is_told_at_the_start(tmp_path):
    with pytest.raises(UserError, match=r"web\.tokens\.api\.example\.com: .*gone"):
        open_web(Section(tokens={"api.example.com": tmp_path / "gone"}), RealClock())
    (tmp_path / "token").write_text("s3cret\n")
    open_web(Section(tokens={"api.example.com": tmp_path / "token"}), RealClock())


def test_many_that_ask_at_once_wait_for_each_other_within_their_limit(server):
    held = gevent.event.Event()
    server.say = lambda _: lambda line: held.wait(5) and line.sendall(answer("{}"))
    web = Web(Reach(LOOPBACK, at_once=1), RealClock())
    url = f"http://127.0.0.1:{server.port}/"
    first = gevent.spawn(web.ask, request(url, wanted={}))
    gevent.sleep(0)
    with pytest.raises(WebFailed, match=r"no answer in 0\.2 s"):
        web.ask(request(url, within=0.2))
    held.set()
    assert first.get(timeout=5) is None
