"""What stands at the other end of our sockets in tests without FreeSWITCH: its own bytes, said by a script."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gevent
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from switch.freeswitch import FreeSwitch, esl
from switch.shared.clock import RealClock
from tests.switch.freeswitch.exchange import free_ports

CAPTURES = Path(__file__).parent / "captures"
RECORDED_ID = b"a3588142-01fc-4ba0-a895-8fa1cb4ed500"
OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
WITHIN = 10.0


def recorded_channel(call_id: str) -> bytes:
    """FreeSWITCH's answer to `connect`, as it was recorded, for a leg of that id."""
    stream = (CAPTURES / "01-async-full-ivr.raw").read_bytes()
    return stream[: stream.index(b"\n\n") + 2].replace(RECORDED_ID, call_id.encode())


def recorded_events(call_id: str) -> list[bytes]:
    framing = esl.Framing()
    framing.feed((CAPTURES / "01-async-full-ivr.raw").read_bytes())
    return [event(m.body.replace(RECORDED_ID, call_id.encode())) for m in framing if m.is_event]


def event(content: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(content), content)


def happened(name: str, call_id: str, **headers: str) -> bytes:
    lines = [f"Event-Name: {name}", f"Unique-ID: {call_id}"]
    for header, value in headers.items():
        lines.append(f"{header if header.startswith('variable_') else header.replace('_', '-')}: {value}")
    return event("\n".join(lines).encode() + b"\n\n")


def api(answer: str) -> bytes:
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(answer.encode()), answer.encode())


class Leg:
    """A channel on FreeSWITCH that its dialplan sent to our outbound socket."""

    def __init__(self, address: tuple[str, int], call_id: str) -> None:
        self.id = call_id
        self.commands: list[str] = []
        self.sock = socket.create_connection(address, timeout=WITHIN)
        self._rest = b""

    def read_command(self) -> str:
        """The next thing said to us, with its body; "" at the end."""
        while True:
            while b"\n\n" not in self._rest.lstrip(b"\n"):
                data = self.sock.recv(65536)
                if not data:
                    return ""
                self._rest += data
            self._rest = self._rest.lstrip(b"\n")
            head, _, rest = self._rest.partition(b"\n\n")
            length = next((int(line[15:]) for line in head.split(b"\n") if line.startswith(b"content-length:")), 0)
            while len(rest) < length:
                data = self.sock.recv(65536)
                if not data:
                    return ""
                rest += data
            self._rest = rest[length:]
            command = (head + (b"\n\n" + rest[:length] if length else b"")).decode()
            self.commands.append(command)
            return command

    def say(self, *data: bytes) -> None:
        self.sock.sendall(b"".join(data))

    def answer_connect(self, **variables: str) -> None:
        """The first conversation of every leg, as recorded, with what the dialplan has set besides."""
        assert self.read_command() == "connect"
        more = "".join(f"variable_{name}: {value}\n" for name, value in variables.items())
        self.say(recorded_channel(self.id)[:-1], more.encode(), b"\n")
        for _ in range(3):
            self.read_command()
            self.say(OK)

    def obey(self) -> None:
        """Answers everything and plays everything in no time, until we close."""
        with suppress(OSError):
            while command := self.read_command():
                self.say(api("+OK") if command.startswith("api") else OK)
                if command.startswith("api uuid_kill"):
                    return
                if "execute-app-name" in command:
                    self.complete(command)

    def complete(self, command: str, response: str = "FILE PLAYED", played: int = 10_000_000) -> None:
        uuid = next(line[12:] for line in command.splitlines() if line.startswith("event-uuid: "))
        self.say(
            happened(
                "CHANNEL_EXECUTE_COMPLETE",
                self.id,
                Application_UUID=uuid,
                Application_Response=response,
                variable_playback_ms=str(played),
            )
        )

    def close(self) -> None:
        self.sock.close()


class Core:
    """FreeSWITCH's event socket, where we log on. `answers` are by the beginning of an api command; None is none."""

    PASSWORD = "right"

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = {"version": "FreeSWITCH Version 1.11.2-release+git (git 3f13ad1)"}
        self.greeting = b"Content-Type: auth/request\n\n"
        self.connections: list[socket.socket] = []
        self.told_of_jobs: list[socket.socket] = []  # those who have asked for what becomes of background commands
        self.jobs_over: list[socket.socket] = []  # over which connection each background command has come
        self.commands: list[str] = []
        self.server = StreamServer(("127.0.0.1", 0), self._serve)
        self.server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def _serve(self, sock: socket.socket, _: object) -> None:
        self.connections.append(sock)
        leg = Leg.__new__(Leg)
        leg.sock, leg.commands, leg._rest = sock, self.commands, b""
        with suppress(OSError):
            leg.say(self.greeting)
            while command := leg.read_command():
                if command == "event plain BACKGROUND_JOB":
                    self.told_of_jobs.append(sock)
                if command.startswith("bgapi "):
                    self.jobs_over.append(sock)
                if answer := self._answer(command):
                    leg.say(answer)

    def _answer(self, command: str) -> bytes:
        if command.startswith("auth "):
            right = command == f"auth {self.PASSWORD}"
            return OK if right else b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"
        if command.startswith("api "):
            found = next((answer for line, answer in self.answers.items() if command[4:].startswith(line)), "+OK")
            return b"" if found is None else api(found)
        return OK

    def drop_all(self) -> None:
        for sock in self.connections:
            sock.close()
        self.connections.clear()

    def stop(self) -> None:
        self.server.stop()
        self.drop_all()


class House:
    """Our switch under test with a scripted FreeSWITCH around it, whose event socket it may reach by another way."""

    def __init__(self, way: Callable[[str], str] = lambda address: address, **options: object) -> None:
        self.core = Core()
        self.port = free_ports(1)[0]
        self.switch = FreeSwitch(
            outbound=f"127.0.0.1:{self.port}", inbound=way(self.core.address), password=Core.PASSWORD,
            clock=RealClock(), **options,
        )  # fmt: skip
        self.results: list[object] = []
        self._changed = Event()

    def serve(self, flow) -> None:
        def on_call(call) -> None:
            try:
                self.results.append(flow(call))
            except Exception as error:  # noqa: BLE001  # looked at by the test
                self.results.append(error)

        self.switch.serve(on_call)
        self.wait_until(lambda: self.switch.connected)

    def leg(self, call_id: str) -> Leg:
        return Leg(("127.0.0.1", self.port), call_id)

    def wait_until(self, true) -> None:
        with gevent.Timeout(WITHIN, AssertionError("it did not happen")):
            while not true():
                gevent.sleep(0.005)

    def close(self) -> None:
        self.switch.stop()
        self.core.stop()
