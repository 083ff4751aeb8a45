"""FreeSWITCH's event socket as bytes: what arrives becomes messages, what we say becomes bytes. No I/O.

A message is a block of header lines ended by an empty line and, where it has a Content-Length, so many
bytes of body. Everything is split on LF bytes before anything is decoded, and a value is decoded only
when it is read: no text that a caller sent, percent-encoded or not, can become a header of its own.

    framing = Framing()
    framing.feed(data)
    for message in framing:
        ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

LONGEST_HEAD = 256 * 1024
LONGEST_BODY = 16 * 1024 * 1024
_FIRST_ROOM = 8 * 1024
_FORBIDDEN = frozenset("\r\n\0")


class ProtocolError(Exception):
    """What arrived is not the event socket's protocol, or more of it than anyone needs; the stream is lost."""


class Headers:
    """Header lines as they came. Reading one value costs a search and the decoding of that value alone."""

    __slots__ = ("_lines",)

    def __init__(self, block: bytes) -> None:
        self._lines = b"\n" + block + b"\n"

    def raw(self, name: str) -> bytes | None:
        """The bytes of the first header of that name, or None."""
        mark = b"\n%b: " % name.encode()
        start = self._lines.find(mark)
        if start < 0:
            return None
        start += len(mark)
        return self._lines[start : self._lines.find(b"\n", start)]

    def text(self, name: str) -> str:
        """The value as it stands, "" where there is none."""
        return (self.raw(name) or b"").decode(errors="replace")

    def __getitem__(self, name: str) -> str:
        """The value with its percent-encoding undone, "" where there is none."""
        value = self.raw(name)
        if value is None:
            return ""
        return (unquote_to_bytes(value) if b"%" in value else value).decode(errors="replace")

    def startingwith(self, prefix: str) -> dict[str, str]:
        """All headers whose name starts so: the rest of the name, and the decoded value."""
        mark = b"\n" + prefix.encode()
        found: dict[str, str] = {}
        at = self._lines.find(mark)
        while at >= 0:
            end = self._lines.find(b"\n", at + 1)
            name, _, value = self._lines[at + len(mark) : end].partition(b": ")
            found.setdefault(name.decode(errors="replace"), unquote_to_bytes(value).decode(errors="replace"))
            at = self._lines.find(mark, end)
        return found


class Event(Headers):
    """A plain event: its headers and, where the event has one (BACKGROUND_JOB), its body."""

    __slots__ = ("body",)

    def __init__(self, content: bytes) -> None:
        head, _, rest = content.partition(b"\n\n")
        super().__init__(head)
        # The inner length is not trusted with any memory: the outer one has bounded what is there.
        self.body = rest if self.raw("Content-Length") is not None else b""

    @property
    def name(self) -> str:
        return self.text("Event-Name")


class Message(Headers):
    """One frame: its headers and its body."""

    __slots__ = ("body", "kind")

    def __init__(self, head: bytes, body: bytes, kind: bytes) -> None:
        super().__init__(head)
        self.body = body
        self.kind = kind

    @property
    def is_event(self) -> bool:
        return self.kind == b"text/event-plain"

    @property
    def is_reply(self) -> bool:
        return self.kind in (b"command/reply", b"api/response")

    def event(self) -> Event:
        """The event inside. The answer to `connect` is one too, in the place of the headers."""
        return Event(self.body if self.is_event else self._lines.strip(b"\n"))

    @property
    def answer(self) -> str:
        """What a command was answered, without its line end: ``+OK ...``, ``-ERR ...`` or an api's whole output."""
        if self.kind == b"api/response":
            return self.body.decode(errors="replace").rstrip("\n")
        return self["Reply-Text"].rstrip("\n")


class Framing:
    """Bytes in, messages out; holds at most one message that is not complete yet.

    Raises ProtocolError, and keeps raising it, once the stream can no longer be understood.
    """

    def __init__(self, *, longest_head: int = LONGEST_HEAD, longest_body: int = LONGEST_BODY) -> None:
        self._longest_head = longest_head
        self._longest_body = longest_body
        # One piece of memory for as long as it suffices: to get and return some for each piece that arrives
        # cost more than everything else together.
        self._buffer = bytearray(_FIRST_ROOM)
        self._start = 0  # where the next message begins
        self._end = 0  # where what has arrived ends
        self._searched = 0  # so far beyond the start no end of head was found
        self._awaited: tuple[bytes, bytes, int, int] | None = None  # head, type, and body span beyond the start
        self._broken: ProtocolError | None = None

    def __len__(self) -> int:
        """How many bytes wait for the rest of their message."""
        return self._end - self._start

    def feed(self, data: bytes | memoryview) -> None:
        """Takes what arrived."""
        if self._end + len(data) > len(self._buffer):
            self._make_room(len(data))
        end = self._end + len(data)
        self._buffer[self._end : end] = data
        self._end = end

    def __iter__(self) -> Iterator[Message]:
        while (message := self.next()) is not None:
            yield message

    def next(self) -> Message | None:
        """The next complete message, or None when more bytes are needed."""
        if self._broken:
            raise self._broken
        try:
            return self._next()
        except ProtocolError as error:
            self._buffer = bytearray()
            self._start = self._end = 0
            self._broken = error
            raise

    def _make_room(self, wanted: int) -> None:
        """Moves what waits to the front, into more memory or less where that is called for."""
        waiting = self._buffer[self._start : self._end]
        size = len(waiting) + wanted
        if size > len(self._buffer) or len(self._buffer) > max(_FIRST_ROOM, 8 * size):
            self._buffer = bytearray(max(_FIRST_ROOM, 2 * size))
        self._buffer[: len(waiting)] = waiting
        self._start, self._end = 0, len(waiting)

    def _next(self) -> Message | None:
        if self._awaited is None:
            self._awaited = self._head()
            if self._awaited is None:
                return None
        head, kind, body, end = self._awaited
        if len(self) < end:
            return None
        content = bytes(self._buffer[self._start + body : self._start + end])
        self._start += end
        self._searched = 0
        self._awaited = None
        return Message(head, content, kind)

    def _head(self) -> tuple[bytes, bytes, int, int] | None:
        """The next head, its type, and where its body begins and ends; None when it is not complete."""
        buffer, start = self._buffer, self._start
        while buffer.startswith(b"\n", start, self._end):  # empty lines between messages mean nothing
            start += 1
        self._start = start
        found = buffer.find(b"\n\n", start + self._searched, self._end)
        if (self._end if found < 0 else found) - start > self._longest_head:
            raise ProtocolError(f"a head of more than {self._longest_head} bytes")
        if found < 0:
            self._searched = max(0, len(self) - 1)
            return None
        head = bytes(buffer[start:found])
        length, kind = self._envelope(head)
        body = found + 2 - start
        return head, kind, body, body + length

    def _envelope(self, head: bytes) -> tuple[int, bytes]:
        """How long the body is, and its type: the two headers that every frame is read by."""
        length = kind = None
        for line in head.split(b"\n"):
            # By far most lines are a channel's variables in the answer to `connect`.
            if line[:8] != b"Content-":
                continue
            name, _, value = line.partition(b": ")
            if name == b"Content-Length":
                if length is not None and value != length:
                    raise ProtocolError("two different lengths")
                length = value
            elif name == b"Content-Type" and kind is None:
                kind = value
        if kind is None:
            raise ProtocolError("a head without Content-Type")
        if length is None:
            return 0, kind
        if not (length.isdigit() and len(length) <= 10):
            raise ProtocolError("a length that is not a number")
        size = int(length)
        if size > self._longest_body:
            raise ProtocolError(f"a body of {size} bytes, {self._longest_body} are allowed")
        return size, kind


def command(line: str) -> bytes:
    """One command line. Raises ValueError when it holds a line end: that would be a second command."""
    return _one_line(line) + b"\n\n"


def execute(application: str, argument: str = "", *, uuid: str) -> bytes:
    """Runs an application on the leg; its EXECUTE_COMPLETE carries `uuid` as Application-UUID.

    Locked: it starts when those sent before have ended, never inside one of them. The argument goes as a
    body, which FreeSWITCH reads at once; header lines it reads a byte at a time.
    """
    lines = [
        b"sendmsg",
        b"call-command: execute",
        b"execute-app-name: " + _one_line(application),
        b"event-uuid: " + _one_line(uuid),
        b"event-lock: true",
    ]
    body = _one_line(argument)
    if body:
        lines += [b"content-type: text/plain", b"content-length: %d" % len(body)]
    return b"\n".join(lines) + b"\n\n" + body


def event(name: str, headers: Mapping[str, str]) -> bytes:
    """Fires an event in FreeSWITCH, for its own modules to act on."""
    lines = [b"sendevent " + _one_line(name), *(_one_line(f"{header}: {value}") for header, value in headers.items())]
    return b"\n".join(lines) + b"\n\n"


def background(line: str, *, job: str) -> bytes:
    """Runs an api command in the background; its BACKGROUND_JOB event carries `job` as Job-UUID."""
    return b"bgapi " + _one_line(line) + b"\njob-uuid: " + _one_line(job) + b"\n\n"


def _one_line(text: str) -> bytes:
    if not _FORBIDDEN.isdisjoint(text):
        raise ValueError("a line end inside a command")
    return text.encode()
