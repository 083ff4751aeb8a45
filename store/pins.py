"""Mailbox PINs: kept as salted scrypt hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets

# About 30 ms and 16 MB a guess (RFC 7914's interactive parameters).
COST = {"n": 2**14, "r": 8, "p": 1}


def hashed(pin: str) -> str:
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_digest(pin, salt).hex()}"


def matches(pin: str, stored: str) -> bool:
    """Whether the PIN is the one that was hashed; False for anything that is no hash."""
    scheme, _, rest = stored.partition("$")
    salt, _, digest = rest.partition("$")
    if scheme != "scrypt" or not digest:
        return False
    return hmac.compare_digest(_digest(pin, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, **COST)
