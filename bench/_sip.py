"""SIP as far as a telephone of a measurement speaks it: messages read and written, and the answer to a challenge."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response. Of headers that stand several times, Via and Record-Route, all lines are kept."""

    first: str
    headers: Mapping[str, str]

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.first.split(" ", 2)[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Of a response, that of its request."""
        return self["CSeq"].split()[-1] if self.status else self.first.split(" ", 1)[0]

    @property
    def number(self) -> str:
        """The count of the request within its dialog."""
        return self["CSeq"].split()[0]

    @property
    def user(self) -> str:
        """Whom a request is for."""
        found = re.match(r"\S+ sips?:([^@;:>\s]+)@", self.first)
        return found[1] if found else ""

    @property
    def contact(self) -> str:
        """Where requests of the dialog go."""
        found = re.search(r"<([^>]+)>", self["Contact"])
        return found[1] if found else ""

    def __getitem__(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


def parsed(data: bytes) -> Message | None:
    """None for what keeps a path open and says nothing."""
    head = data.partition(b"\r\n\r\n")[0].decode(errors="replace")
    first, *lines = head.split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        headers[key] = f"{headers[key]}\r\n{name}: {value.strip()}" if key in headers else value.strip()
    return Message(first, headers) if headers else None


def response(request: Message, status: str, *, tag: str = "", contact: str = "", sdp: str = "") -> bytes:
    """An answer to a request; `tag` is ours where the request has none."""
    to = request["To"] + (f";tag={tag}" if tag and ";tag=" not in request["To"] else "")
    headers = {"Via": request["Via"], "From": request["From"], "To": to, "Call-ID": request["Call-ID"]}
    if request["Record-Route"]:
        headers["Record-Route"] = request["Record-Route"]
    return written(f"SIP/2.0 {status}", headers | {"CSeq": request["CSeq"]}, contact=contact, sdp=sdp)


def request(
    method: str, uri: str, *, port: int, call: str, number: int, ours: str, theirs: str, sdp: str = "",
    more: Mapping[str, str] | None = None,
) -> bytes:  # fmt: skip
    """A request from the telephone on that port; `ours` and `theirs` are From and To."""
    headers = {
        "Via": f"SIP/2.0/UDP {HOST}:{port};rport;branch=z9hG4bK{secrets.token_hex(6)}",
        "From": ours,
        "To": theirs,
        "Call-ID": call,
        "CSeq": f"{number} {method}",
        "Max-Forwards": "70",
    }
    return written(f"{method} {uri} SIP/2.0", {**headers, **(more or {})}, contact=f"sip:bench@{HOST}:{port}", sdp=sdp)


def written(first: str, headers: Mapping[str, str], *, contact: str = "", sdp: str = "") -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items())]
    if contact and "Contact" not in headers:
        lines.append(f"Contact: <{contact}>")
    if sdp:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join([*lines, f"Content-Length: {len(sdp)}", "", sdp]).encode()


def audio(port: int) -> str:
    """An SDP that takes A-law on that port."""
    return (
        f"v=0\r\no=bench 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
    )


def credentials(challenge: str, *, user: str, password: str, method: str, uri: str) -> str:
    """The Authorization that a 401 asks for (RFC 2617, MD5)."""
    asked = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', challenge)}
    count, ours = "00000001", secrets.token_hex(8)
    secret = _md5(f"{user}:{asked['realm']}:{password}")
    middle = f"{count}:{ours}:auth:" if "qop" in asked else ""
    answer = _md5(f"{secret}:{asked['nonce']}:{middle}{_md5(f'{method}:{uri}')}")
    told = f'Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}", '
    told += f'response="{answer}", algorithm=MD5'
    if "opaque" in asked:
        told += f', opaque="{asked["opaque"]}"'
    return f'{told}, qop=auth, nc={count}, cnonce="{ours}"' if middle else told


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
