"""A telephone that does nothing but register and watch its message lamp."""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import time
from dataclasses import dataclass, field

from tests.live.phones import Late


@dataclass
class Lamp:
    """`shown` is every state that the switch told of, as (waiting, new, old), in order."""

    account: str
    password: str
    to: tuple[str, int]
    shown: list[tuple[bool, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._call = secrets.token_hex(8)
        self._sequence = 0

    def register(self) -> None:
        challenge = self._exchange("")
        self._exchange(self._authorization(challenge))

    def wait_for(self, *state: int | bool, within: float = 10) -> None:
        """Until the lamp shows (waiting, new, old)."""
        end = time.monotonic() + within
        while not self.shown or self.shown[-1] != state:
            self._read(end, f"the lamp of {self.account} to show {state}; it showed {self.shown}")

    def close(self) -> None:
        self._socket.close()

    def _exchange(self, authorization: str) -> str:
        """One REGISTER and its final answer."""
        self._sequence += 1
        host, port = self._socket.getsockname()
        realm = f"{self.to[0]}:{self.to[1]}"
        self._send(
            f"REGISTER sip:{realm} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(6)};rport",
            f"From: <sip:{self.account}@{realm}>;tag={self._call}",
            f"To: <sip:{self.account}@{realm}>",
            f"Call-ID: {self._call}",
            f"CSeq: {self._sequence} REGISTER",
            f"Contact: <sip:{self.account}@{host}:{port}>",
            "Max-Forwards: 70",
            "Expires: 300",
            *([f"Authorization: {authorization}"] if authorization else []),
            "Content-Length: 0",
        )
        end = time.monotonic() + 5
        while True:
            answer = self._read(end, "the registrar to answer")
            if answer.startswith("SIP/2.0") and not answer.startswith("SIP/2.0 1"):
                wanted = "SIP/2.0 200" if authorization else "SIP/2.0 401"
                assert answer.startswith(wanted), answer
                return answer

    def _authorization(self, challenge: str) -> str:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge.partition("WWW-Authenticate:")[2].partition("\r\n")[0]))
        uri, count, nonce = f"sip:{self.to[0]}:{self.to[1]}", "00000001", secrets.token_hex(8)
        secret = _md5(f"{self.account}:{asked['realm']}:{self.password}")
        response = _md5(f"{secret}:{asked['nonce']}:{count}:{nonce}:auth:{_md5(f'REGISTER:{uri}')}")
        return (
            f'Digest username="{self.account}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm=MD5, qop=auth, nc={count}, cnonce="{nonce}"'
            + (f', opaque="{asked["opaque"]}"' if "opaque" in asked else "")
        )

    def _read(self, end: float, what: str) -> str:
        """The next message; what asks for an answer gets it."""
        self._socket.settimeout(max(0.01, end - time.monotonic()))
        try:
            data, self._peer = self._socket.recvfrom(65_535)
        except TimeoutError:
            raise Late(f"waited for {what}") from None
        text = data.decode()
        if not text.startswith("SIP/2.0"):
            self._answer(text)
        if text.startswith("NOTIFY"):
            waiting = re.search(r"Messages-Waiting:\s*(\w+)", text)
            voice = re.search(r"Voice-Message:\s*(\d+)/(\d+)", text)
            assert waiting, text
            counts = (int(voice[1]), int(voice[2])) if voice else (0, 0)
            self.shown.append((waiting[1].lower() == "yes", *counts))
        return text

    def _answer(self, request: str) -> None:
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq):.*$", request, re.MULTILINE | re.IGNORECASE)
        self._send("SIP/2.0 200 OK", *(line.rstrip("\r") for line in kept), "Content-Length: 0", to=self._peer)

    def _send(self, *lines: str, to: tuple[str, int] | None = None) -> None:
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), to or self.to)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
