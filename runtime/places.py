"""A caller's place in a queue, between the queue step and the ACD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from acd.model import AnnouncementMade, CallConnected, Event, QueueRule
from ivr.services import MusicChanged, QueueRequest
from switch.port import Call
from switch.shared.clock import Millis

Left = Literal["abandoned", "left", "answered", "lost"]


class Queues(Protocol):
    """What a place says to the ACD."""

    def post(self, event: Event) -> None: ...

    def leave(self, place: QueuedPlace, reason: Left) -> None: ...

    def connect_failed(self, place: QueuedPlace) -> bool: ...


@dataclass(slots=True)
class QueuedPlace:
    """A caller's place in a queue, as `ivr.services.Place` promises it to the queue step."""

    id: str
    call: Call
    request: QueueRequest
    queue: str
    music: str
    keys: Mapping[str, str]
    entered_at: Millis
    loop: Queues = field(repr=False)
    offer: str = ""
    left: bool = False
    talking: bool = False

    def stands_in(self, rule: QueueRule) -> None:
        """The caller waits by this rule now: another queue's, or its queue's new one."""
        self.queue, self.keys = rule.name, rule.while_waiting
        if self.music != rule.music:
            self.music = rule.music
            self.call.post(MusicChanged(self.id))

    def announced(self) -> None:
        self.loop.post(AnnouncementMade(self.call.id))

    def connected(self) -> None:
        self.talking = True
        self.loop.post(CallConnected(self.offer))

    def connect_failed(self) -> bool:
        return self.loop.connect_failed(self)

    def leave(self, reason: Left) -> None:
        if self.left:
            return
        self.left = True
        self.loop.leave(self, reason)
