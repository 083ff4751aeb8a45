"""An ARI that says what the test wants: requests by websocket and by HTTP over real sockets, events on demand."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import gevent
import h11
import wsproto
from gevent.event import Event
from gevent.server import StreamServer
from wsproto import events as ws

OK, NOTHING, NEVER = 200, 204, None


class Peer:
    """`answer` scripts requests; the newest matching script wins. `asked` is what was asked so far."""

    def __init__(self, port=0):
        self.asked = []
        self._scripts = []
        self._news = Event()
        self._sockets = []
        self._open = []
        self.requests_by_websocket = True
        self.handshake_status = 101
        self.connections = 0
        self.answer("GET", "asterisk/ping", OK, {"ping": "pong"})
        self.answer("GET", "asterisk/info", OK, {"system": {"version": "22.0.0"}})
        self.answer("GET", "asterisk/variable", OK, {"value": ""})
        self.answer("POST", "asterisk/variable", NOTHING)
        self.answer("PUT", "applications/hotline/eventFilter", OK, {})
        self.answer("GET", "applications", OK, [{"name": "hotline", "channel_ids": []}])
        self.answer("GET", "channels", OK, [])
        self.answer("GET", "bridges", OK, [])
        self.answer("GET", "recordings/stored", OK, [])
        self.answer("POST", r"channels/[^/]+/.*", NOTHING)
        self.answer("POST", r"bridges/.*", NOTHING)
        self.answer("DELETE", r".*", NOTHING)
        self._server = StreamServer(("127.0.0.1", port), self._serve)
        self._server.start()

    @property
    def port(self):
        return self._server.server_port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def websockets(self):
        """How many were opened so far."""
        return len(self._sockets)

    # --- what the test says

    def answer(self, method, path, status, body=None, *, then=None):
        """`then` runs before the answer is sent: what happens between request and reply."""
        self._scripts.insert(0, (method, re.compile(path), status, body, then))

    def happen(self, kind, **facts):
        self.say(json.dumps({"type": kind, "application": "hotline", **facts}))

    def say(self, text):
        socket, connection = self._sockets[-1]
        socket.sendall(connection.send(ws.TextMessage(text)))

    def say_bytes(self, data):
        self._sockets[-1][0].sendall(data)

    def hang_up(self):
        """Drops the newest websocket without a word."""
        self._sockets[-1][0].close()

    def wait_asked(self, method, path, within=5.0):
        """The parameters of the first such request that was not waited for before."""
        wanted = re.compile(path)
        with gevent.Timeout(within, AssertionError(f"nobody asked {method} {path}, but {self.asked}")):
            while True:
                for number, (asked_method, asked_path, parameters) in enumerate(self.asked):
                    if asked_method == method and wanted.fullmatch(asked_path):
                        del self.asked[: number + 1]
                        return asked_path, parameters
                self._news.clear()
                self._news.wait()

    def close(self):
        self._server.stop()
        for socket in self._open:
            socket.close()

    def refuse_connections(self):
        self._server.stop_accepting()
        self._server.socket.close()

    # --- what it does

    def _serve(self, socket, _address):
        self.connections += 1
        self._open.append(socket)
        http = h11.Connection(h11.SERVER)
        try:
            while (request := self._next(http, socket)) is not None:
                headers = dict(request.headers)
                if headers.get(b"upgrade", b"").lower() == b"websocket":
                    self._serve_websocket(socket, request)
                    return
                body = b""
                while isinstance(piece := self._next(http, socket), h11.Data):
                    body += bytes(piece.data)
                path = request.target.decode().removeprefix("/ari/")
                status, answer = self._answered(request.method.decode(), path, body)
                if status is NEVER:
                    gevent.sleep(60)
                socket.sendall(_response(http, status, answer))
                http.start_next_cycle()
        except (OSError, h11.ProtocolError):
            socket.close()

    def _next(self, http, socket):
        while (event := http.next_event()) is h11.NEED_DATA:
            http.receive_data(socket.recv(65536))
        return event if isinstance(event, h11.Request | h11.Data | h11.EndOfMessage) else None

    def _serve_websocket(self, socket, request):
        connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        connection.initiate_upgrade_connection(list(request.headers), request.target.decode())
        next(iter(connection.events()))
        if self.handshake_status != 101:
            socket.sendall(connection.send(ws.RejectConnection(status_code=self.handshake_status)))
            socket.close()
            return
        socket.sendall(connection.send(ws.AcceptConnection()))
        self._sockets.append((socket, connection))
        text = ""
        while data := socket.recv(65536):
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, ws.TextMessage):
                    text += event.data
                    if event.message_finished and self.requests_by_websocket:
                        gevent.spawn(self._answer_websocket, socket, connection, json.loads(text))
                    text = "" if event.message_finished else text
                elif isinstance(event, ws.Ping):
                    socket.sendall(connection.send(event.response()))

    def _answer_websocket(self, socket, connection, asked):
        status, answer = self._answered(asked["method"], asked["uri"], asked.get("message_body", "").encode())
        if status is not NEVER:
            reply = {"type": "RESTResponse", "request_id": asked["request_id"], "status_code": status}
            reply["message_body"] = answer if isinstance(answer, str) else json.dumps(answer)
            socket.sendall(connection.send(ws.TextMessage(json.dumps(reply))))

    def _answered(self, method, target, body):
        path, parameters = asked(target, body)
        for scripted, pattern, status, answer, then in self._scripts:
            if scripted == method and pattern.fullmatch(path):
                if then is not None:
                    then()
                self.asked.append((method, path, parameters))
                self._news.set()
                return status, answer
        self.asked.append((method, path, parameters))
        self._news.set()
        return 404, {"message": f"{path} not found"}


def asked(target, body):
    """The path of a request, and its parameters: they stand in the body, or in the address."""
    path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
    return path, json.loads(body) if body else {name: values[0] for name, values in query.items()}


def _response(http, status, answer):
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode() if answer is not None else b""
    head = http.send(h11.Response(status_code=status, headers=[("Content-Length", str(len(body)))]))
    return head + http.send(h11.Data(body)) + http.send(h11.EndOfMessage())


def channel(call_id="caller-1", state="Up", number="13800000001", name="", **variables):
    return {
        "id": call_id,
        "name": f"PJSIP/trunk-{call_id}",
        "state": state,
        "caller": {"name": name, "number": number},
        "channelvars": variables,
        "dialplan": {"app_name": "Stasis"},
    }
