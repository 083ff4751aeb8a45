"""How text that others wrote gets into a FreeSWITCH command: encoded, or reduced to letters and digits.

FreeSWITCH expands ``${...}`` in what applications and dial strings are given, splits at blanks, commas,
quotes and brackets, and a line end begins the next command. None of these ever leaves this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from switch.freeswitch.names import REMEMBERED
from switch.port import CallId

_ID = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_ADDRESS = re.compile(r"[0-9A-Za-z+*#_.-]{1,40}")
_VARIABLE = re.compile(r"[a-z_]+")
_PLAIN_IN_NAMES = frozenset(" .-+")
_PLAIN_IN_PATHS = frozenset("/._-+=~")
_LONGEST_NAME = 60


def call_id(text: CallId) -> str:
    """An id as it may stand in a command. Raises ValueError: ids are ours or FreeSWITCH's own."""
    if not _ID.fullmatch(text):
        raise ValueError("no id for a leg")
    return text


def address(text: str) -> str | None:
    """An account or number that can be dialled, or None when the text cannot be one."""
    return text if _ADDRESS.fullmatch(text) else None


def display(text: str) -> str:
    """What a phone may show of a name or number that a far end sent: letters of any script, digits, ``. - +``."""
    kept = "".join(sign if sign.isalnum() or sign in _PLAIN_IN_NAMES else " " for sign in text[:_LONGEST_NAME])
    return " ".join(kept.split())


def path(file: Path) -> str | None:
    """A file's absolute path as it may stand in a command, or None when its name has signs of a meaning."""
    text = str(file.absolute())
    return text if all(sign.isalnum() or sign in _PLAIN_IN_PATHS for sign in text) else None


def variable(name: str) -> str:
    """The channel variable that remembers `name`."""
    if not _VARIABLE.fullmatch(name):
        raise ValueError("a remembered name has letters a-z and _ only")
    return REMEMBERED + name


def value(text: str) -> str:
    """Any text as a channel variable's value; never empty, as an empty one would unset the variable."""
    return "=" + quote(text, safe="", errors="surrogatepass")


def remembered(variables: Mapping[str, str]) -> dict[str, str]:
    """What `Call.remember` stored, from a leg's variables without their prefix."""
    return {name: unquote(stored[1:]) for name, stored in variables.items() if stored.startswith("=")}
