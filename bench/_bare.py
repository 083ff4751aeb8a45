"""The least that a controller on FreeSWITCH's outbound sockets can do, to see what sockets alone cost.

    python -m bench._bare PORT ASK TELL KEY

The order menu by fixed commands: answer, play ASK, on KEY play TELL, hang up. One thread, no flow, no database, no
journal; nothing is waited for that need not be. Prints ``ready`` when it listens.
"""

from __future__ import annotations

import selectors
import socket
import sys

from switch.freeswitch import esl

EVENTS = "CHANNEL_EXECUTE_COMPLETE DTMF CHANNEL_HANGUP"
TOLD = "t"  # the application that plays TELL


class Caller:
    """One leg's socket."""

    def __init__(self, sock: socket.socket, ask: str, tell: str, key: str) -> None:
        self.sock = sock
        self._ask, self._tell, self._key = ask, tell, key
        self._framing = esl.Framing()
        self._uuid = ""
        sock.sendall(esl.command("connect"))

    def heard(self) -> bool:
        """Reads what has come, and answers it; whether the leg goes on."""
        try:
            data = self.sock.recv(65536)
        except OSError:
            return False
        self._framing.feed(data)
        for message in self._framing:
            if message.is_event:
                self._on_event(message.event())
            elif not self._uuid:
                self._begin(message.event()["Unique-ID"])
        return bool(data)

    def _begin(self, uuid: str) -> None:
        self._uuid = uuid
        self.sock.sendall(
            esl.command("linger 5")
            + esl.command(f"filter Unique-ID {uuid}")
            + esl.command(f"event plain {EVENTS}")
            + esl.command(f"api uuid_answer {uuid}")
            + esl.execute("playback", self._ask, uuid="a")
        )

    def _on_event(self, event: esl.Event) -> None:
        if event.name == "DTMF" and event["DTMF-Digit"] == self._key:
            self.sock.sendall(esl.execute("playback", self._tell, uuid=TOLD))
        elif event["Application-UUID"] == TOLD:
            self.sock.sendall(esl.command(f"api uuid_kill {self._uuid}"))


def main(port: str, ask: str, tell: str, key: str) -> None:
    """Serves until it is stopped."""
    with selectors.DefaultSelector() as ready, socket.create_server(("127.0.0.1", int(port)), backlog=1024) as door:
        ready.register(door, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for found, _ in ready.select():
                if found.data is None:
                    sock, _ = door.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    ready.register(sock, selectors.EVENT_READ, Caller(sock, ask, tell, key))
                elif not found.data.heard():
                    ready.unregister(found.data.sock)
                    found.data.sock.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
