"""The bad network of the tests changes nothing but what it says: what it passes on is what came, message by message."""

import json
import socket
import sys

import pytest
import wsproto
from wsproto import events as ws

from tests.faults.wire import EventSocket, Faults, Piece, WebSocket, Wire
from tests.switch.freeswitch.peers import CAPTURES

CUTS = (1, 7, 1000, 100_000)


def pieces(framing, stream, size):
    return [piece for start in range(0, len(stream), size) for piece in framing.feed(stream[start : start + size])]


@pytest.mark.parametrize("size", CUTS)
def test_messages_of_freeswitch_come_whole_however_they_are_cut(size):
    stream = (CAPTURES / "01-async-full-ivr.raw").read_bytes()
    found = pieces(EventSocket(), stream, size)
    assert stream.startswith(b"".join(piece.data for piece in found))
    assert sum(piece.event for piece in found) == stream.count(b"Content-Type: text/event-plain") > 10


@pytest.mark.parametrize("size", CUTS)
def test_events_of_asterisk_come_whole_however_they_are_cut(size):
    texts = [json.dumps({"type": kind, "padding": "x" * more}) for kind, more in (
        ("StasisStart", 10), ("RESTResponse", 500), ("StasisEnd", 70_000),
    )]  # fmt: skip
    server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    server.receive_data(client.send(ws.Request(host="here", target="/")))
    list(server.events())
    head = server.send(ws.AcceptConnection())
    frames = [server.send(ws.TextMessage(text)) for text in texts]
    found = pieces(WebSocket(), head + b"".join(frames), size)
    assert found == [Piece(head), Piece(frames[0], event=True), Piece(frames[1]), Piece(frames[2], event=True)]


@pytest.mark.parametrize("size", CUTS)
def test_http_passes_as_it_comes(size):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n0123456789ab"
    found = pieces(WebSocket(), answer, size)
    assert b"".join(piece.data for piece in found) == answer
    assert not any(piece.event for piece in found)


@pytest.fixture
def hasty():
    """Threads take turns as often as can be, so that they meet in every order."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_connections_that_break_at_once_keep_nobody_else_out(hasty):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        wire = Wire(0, server.getsockname()[1], seed=1, faults=Faults(lives=1), framing=WebSocket)
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", wire.port), timeout=10) as near:
                near.sendall(b"breaks after a byte or two")
                server.accept()[0].close()  # TimeoutError: the wire has let nobody through
        wire.close()
