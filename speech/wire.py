"""How worker processes and the house talk over a pipe: frames of a JSON header and raw bytes.

    4 bytes  length of the header, big-endian
    header   JSON, one object; its "bytes" is the length of what follows it
    body     that many bytes

Pure but for the two callables that move bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

LONGEST_HEADER = 64 * 1024
LONGEST_BODY = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class Broken(Exception):
    """The other end closed the pipe or sent what is no frame."""


def frame(header: Mapping[str, object], body: bytes = b"") -> bytes:
    text = json.dumps({**header, "bytes": len(body)}).encode()
    return _LENGTH.pack(len(text)) + text + body


def read(take: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """One frame; `take(n)` returns at most n bytes, none at the end of the stream. Raises Broken."""
    (length,) = _LENGTH.unpack(_exactly(take, _LENGTH.size))
    if length > LONGEST_HEADER:
        raise Broken(f"a header of {length} bytes")
    try:
        header = json.loads(_exactly(take, length))
        size = header["bytes"]
    except (ValueError, KeyError, TypeError) as error:
        raise Broken("a header that cannot be read") from error
    if not isinstance(size, int) or not 0 <= size <= LONGEST_BODY:
        raise Broken(f"a body of {size} bytes")
    return header, _exactly(take, size)


def _exactly(take: Callable[[int], bytes], size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = take(min(size - len(got), 1 << 16))
        if not piece:
            raise Broken("the pipe is closed")
        got += piece
    return bytes(got)
