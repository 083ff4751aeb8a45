"""How text that others wrote gets to Asterisk: encoded, or reduced to letters and digits.

Asterisk evaluates ``${...}`` and splits at commas wherever a dialplan uses a variable, and a quote or an
angle bracket ends a caller's name. None of these ever leaves this module.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

_ADDRESS = re.compile(r"[0-9A-Za-z+*#_.-]{1,40}(@trunk[a-z0-9-]{0,31})?")
_CALL_ID = re.compile(r"[0-9A-Za-z_.:-]{1,64}")
_NAME = re.compile(r"[a-z_]{1,40}")
_MUSIC = re.compile(r"[a-z0-9-]{1,40}")
_PLAIN = frozenset(" .-+")
_LONGEST_NAME = 60


def endpoint(address: str) -> str | None:
    """What Asterisk dials for an account, or for a number at a trunk; None when the text cannot be one."""
    return f"PJSIP/{address}" if _ADDRESS.fullmatch(address) else None


def extension(address: str) -> str | None:
    """An account or number that the dialplan can continue at; None when the text cannot be one."""
    return address if _ADDRESS.fullmatch(address) and "@" not in address else None


def call_id(text: str) -> str:
    """An id for a leg. Raises ValueError: ids are ours or Asterisk's own."""
    if not _CALL_ID.fullmatch(text):
        raise ValueError("no id for a leg")
    return text


def caller_id(number: str, name: str) -> str:
    """Caller's number and name as a phone may show them: letters of any script, digits, ``. - +``."""
    shown = _display(number)
    return f'"{_display(name) or shown}" <{shown.replace(" ", "")}>'


def _display(text: str) -> str:
    kept = "".join(sign if sign.isalnum() or sign in _PLAIN else " " for sign in text[:_LONGEST_NAME])
    return " ".join(kept.split())


def music(name: str) -> str:
    """The name of a class of music; the default one for a text that cannot be one."""
    return name if _MUSIC.fullmatch(name) else "default"


def sound(path: Path) -> str | None:
    """A WAV file as Asterisk names it, without its suffix; None when it is none."""
    return f"sound:{path.absolute().with_suffix('')}" if path.suffix == ".wav" else None


def memory(values: Mapping[str, str]) -> str:
    """What is remembered on a channel, as a variable's value that nothing can evaluate."""
    for name in values:
        if not _NAME.fullmatch(name):
            raise ValueError("a remembered name has letters a-z and _ only")
    return urlsafe_b64encode(json.dumps(values).encode()).decode()


def remembered(value: object) -> dict[str, str]:
    """What `memory` made; nothing where the variable holds something else."""
    try:
        found = json.loads(urlsafe_b64decode(str(value).encode()))
    except ValueError:
        return {}
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}
