"""The names that queues go by, for commands that are asked for one of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from config.document import parse, read_text
from config.values import UserError
from config.wording import choices, suggestion
from runtime.flowbook import QUEUES


def queue_names(flows_dir: Path) -> set[str]:
    """The queues of queues.yaml, also where something else in it is wrong; none where it cannot be read."""
    text, _ = read_text(flows_dir / QUEUES)
    document = parse(text, QUEUES)[0] if text else None
    return set(document.data) if document is not None and isinstance(document.data, dict) else set()


def unknown(option: str, name: str, known: Collection[str]) -> UserError:
    """What is said of a name that nobody has."""
    kind = option.removeprefix("--")
    there_is = f"; there is {choices(known)}" if known else ""
    return UserError(f"{option}: there is no {kind} '{name}'{there_is}.{suggestion(name, known)}")
