"""What a new appliance begins with: the mailboxes of the shipped flow, and four agents to try it with."""

from __future__ import annotations

from store.rows import Membership
from store.store import Store

BOXES = ("service", "complaints")

SERVICE = Membership("service")
EXPERTS = Membership("experts")

AGENTS = (
    ("1001", "王芳", {"cmn": 5, "yue": 3, "claims": 3}, (SERVICE, EXPERTS)),
    ("1002", "李强", {"cmn": 4, "en": 3}, (SERVICE,)),
    ("1003", "黃家豪", {"yue": 5, "cmn": 3, "en": 2}, (SERVICE,)),
    ("1004", "Alice Chen", {"en": 5, "cmn": 3, "claims": 5}, (SERVICE, EXPERTS)),
)


def add_boxes(store: Store) -> int:
    """Adds the shipped flow's mailboxes where there is none at all; how many. Raises StoreFailed."""
    if store.boxes():
        return 0
    for box in BOXES:
        store.add_mailbox(box)
    return len(BOXES)


def add_agents(store: Store) -> int:
    """Adds the demo's agents, each with a random SIP password, where there is none at all; how many.

    Raises StoreFailed.
    """
    if store.agents():
        return 0
    for id, name, skills, queues in AGENTS:
        store.add_agent(id, name, skills=skills, queues=queues)
    return len(AGENTS)
