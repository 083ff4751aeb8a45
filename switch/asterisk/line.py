"""One channel in our application: what happens to it, and how it is asked for things.

A `Line` is fed by the events of its channel and read by the one greenlet that drives the call. What is
under way on it (a playback, a recording) comes into its inbox when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from gevent.event import Event

from switch.asterisk.ari import named
from switch.asterisk.http import Refused
from switch.asterisk.websocket import Json
from switch.port import CallId, Cause, Key, Notice, Parted, SwitchLost
from switch.shared.clock import Clock
from switch.shared.inbox import Inbox

OVERDUE = 20.0  # seconds from the end of a call for us to that of its channel; beyond, its hang-up has failed
PARTING = 2.0  # seconds within which we hear that a channel has left a bridge that was ended
SETTLED = 0.5  # seconds after the end of a bridge, at most, in which its channels are still in it
NAMES_IN_TURN = 8  # names of playbacks and recordings of a channel, so that a later controller can stop them


class Link(Protocol):
    """The connection that all lines share."""

    talks: dict[str, Talk]
    """Recordings of both directions under way, by name."""

    @property
    def connected(self) -> bool: ...

    @property
    def generation(self) -> int:
        """The number of the connection that there is, or was last; each has the next."""
        ...

    def request(self, method: str, path: str, **parameters: Any) -> Any: ...

    def download(self, path: str, *, within: float) -> AbstractContextManager[Iterator[bytes]]: ...

    def await_connection(self) -> None:
        """Returns when the connection is up again, or has been down for too long."""
        ...

    def later(self, method: str, path: str, **parameters: Any) -> None:
        """A request whose answer nobody waits for, made now or as soon as there is a connection again."""
        ...

    def hang_up(self, call_id: CallId, cause: Cause) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Pending(Notice):
    """Something under way on a line. When it is over it comes into the inbox itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Playback(Pending):
    id: str
    ended: list[bool] = field(default_factory=list)
    """Empty while it plays, then whether it was played."""

    @property
    def over(self) -> bool:
        return bool(self.ended)


@dataclass(slots=True, eq=False)
class Tape:
    """A recording under way."""

    name: str
    changed: Pending = field(default_factory=Pending)
    told: bool = False
    """Whether `changed` is in the inbox."""
    started: bool = False
    pause: int = 0
    """Milliseconds without speech before we hear of it."""
    talking: bool = False
    quiet_since: int = 0
    finished: Event = field(default_factory=Event)
    failed: str = ""


@dataclass(slots=True, eq=False)
class Talk:
    """A recording of both directions under way: what Asterisk has said of it."""

    heard: Event = field(default_factory=Event)
    """The channel that listens is there."""
    ended: Event = field(default_factory=Event)


class Line:
    """One channel."""

    def __init__(self, call_id: CallId, link: Link, clock: Clock, *, forget: Callable[[Line], None]) -> None:
        self.id = call_id
        self.link = link
        self.clock = clock
        self.inbox = Inbox(clock)
        self.playback: Playback | None = None
        self.starting = False  # that playback: Asterisk has not said yet whether it has it
        self.tape: Tape | None = None
        self.bridge: str | None = None  # in which it talks
        self.joining = False  # into that bridge: Asterisk has not said yet whether it is in it
        self._inside: str | None = None  # the bridge that its channel is in, a moment longer than it talks
        self._alone = Event()
        self._alone.set()
        self.music = False
        self.music_class = ""  # of the music that plays, where we know it, also after an announcement
        self.entered = False
        self.off = Event()  # set once nothing more will be heard of the channel
        self.ended_at: int | None = None
        self.on_entered: Callable[[], None] = lambda: None
        self._forget = forget
        self._turn = 0

    @property
    def overdue(self) -> bool:
        """Whether the channel should long be gone, and we have not heard that it is."""
        return self.ended_at is not None and self.clock.now() - self.ended_at > OVERDUE * 1000

    # --- what is asked for

    def ask(self, method: str, what: str = "", **parameters: Any) -> Any:
        """A request about this channel, such as ``POST answer``. Raises CallEnded when it is gone, Refused, SwitchLost.

        When the connection breaks meanwhile, it is asked again over the next one.
        """
        path = named("channels", self.id) + (f"/{what}" if what else "")
        return self.request(method, path, its_own=True, **parameters)

    def request(
        self,
        method: str,
        path: str,
        *,
        its_own: bool = False,
        done: Callable[[], bool] = lambda: False,
        **parameters: Any,
    ) -> Any:
        """`done` tells whether it was done already, where its answer was lost with the connection."""
        asked = False
        while True:
            self.inbox.check()
            try:
                if asked and done():
                    return None
                asked = True
                return self.link.request(method, path, **parameters)
            except Refused as refused:
                if its_own and refused.status in {404, 409}:
                    # The channel is gone, or has left our application: its end is on the way, or was missed.
                    self.gone(Cause.NORMAL)
                self.inbox.check()
                raise
            except SwitchLost:
                self.inbox.check()
                if self.link.connected:
                    raise
                self.link.await_connection()

    def join(self, bridge: str) -> None:
        """It is about to be put into a bridge, which `joined` or `not_joined` follows."""
        self.bridge, self.joining = bridge, True
        self._inside = bridge
        self._alone.clear()

    def joined(self) -> None:
        self.joining = False

    def not_joined(self, *, surely: bool) -> None:
        """The join has failed; not `surely` where it may have been put into the bridge all the same."""
        self.bridge, self.joining = None, False
        if surely:
            self._is_out()

    def leave(self) -> None:
        """Leaves the other leg.

        Returns once the channel is out of the bridge: Asterisk drops what it shall play before, and says nothing.
        """
        bridge, self.bridge, generation = self.bridge, None, self.link.generation
        if bridge is not None:
            self.link.later("DELETE", named("bridges", bridge))
        while not self._alone.wait(PARTING):
            if self.link.connected and self.link.generation == generation:
                self._is_out()  # the word of it was missed: nobody need wait for it again
            else:  # nobody may have been asked yet to end the bridge
                self.link.await_connection()
                self.inbox.check()
                generation = self.link.generation

    def next_name(self, what: str) -> str:
        self._turn = (self._turn + 1) % NAMES_IN_TURN
        return turn_name(self.id, what, self._turn)

    def hang_up(self, cause: Cause, *, ended_with: Cause = Cause.NORMAL) -> None:
        if self.inbox.ended is None:
            self.end(ended_with)
            self.link.hang_up(self.id, cause)

    # --- what happens

    def end(self, cause: Cause) -> None:
        """The call is over for us; what its channel still has to say, such as where a recording ended, is heard."""
        if self.inbox.ended is None:
            self.ended_at = self.clock.now()
        self.inbox.end(cause)

    def gone(self, cause: Cause) -> None:
        """Nothing more will be heard of the channel."""
        self.inbox.end(cause)
        self._is_out()
        self.off.set()
        self._forget(self)

    def enter(self) -> None:
        """The channel has come into our application: it is answered, where we dialled it."""
        if not self.entered:
            self.entered = True
            self.on_entered()

    def pressed(self, digit: str) -> None:
        self.inbox.put(Key(digit))

    def played(self, playback: str, state: str) -> None:
        if self.playback is not None and self.playback.id == playback and not self.playback.over:
            self.playback.ended.append(state == "done")
            self.inbox.put(self.playback)

    def talks(self, talking: bool) -> None:
        if self.tape is not None:
            self.tape.talking = talking
            self.tape.quiet_since = self.clock.now() - self.tape.pause
            self._tell(self.tape)

    def recorded(self, name: str, failure: str) -> None:
        if self.tape is not None and self.tape.name == name:
            self.tape.failed = failure
            self.tape.finished.set()
            self._tell(self.tape)

    def _tell(self, tape: Tape) -> None:
        if not tape.told:
            tape.told = True
            self.inbox.put(tape.changed)

    def listened(self, tape: Tape) -> None:
        """The reader has seen what changed."""
        tape.told = False
        self.inbox.remove(tape.changed)

    def left_alone(self, bridge: str) -> None:
        """Its talk in that bridge is over: the other leg has left it, or it has itself."""
        if self.bridge != bridge:
            return
        self.bridge = None
        self.link.later("DELETE", named("bridges", bridge))
        self.inbox.put(Parted())

    def left(self, bridge: str) -> None:
        """The channel itself has left a bridge."""
        if bridge == self._inside:
            self._is_out()
        self.left_alone(bridge)

    def _is_out(self) -> None:
        self._inside = None
        self._alone.set()

    # --- after the connection was lost and found again

    def catch_up(self) -> None:
        """Notes what must have happened while we could not hear it. Raises SwitchLost, Refused."""
        if self.inbox.ended is None and not self.entered:
            channel = self._lookup("channels", self.id)
            if channel is not None and channel["state"] == "Up":
                self.enter()
        playback, tape = self.playback, self.tape
        if playback is not None and not self.starting and not playback.over and not self.has("playbacks", playback.id):
            self.played(playback.id, "done")
        if tape is not None and tape.started and not self.has("recordings", "live", tape.name):
            self.recorded(tape.name, "")
        if self._inside is not None and not self.joining:  # whoever joins them asks again
            bridge = self._inside
            there = self._lookup("bridges", bridge)
            if there is None:
                self.left_alone(bridge)
                self.clock.after(SETTLED, lambda: self.left(bridge))
            elif self.id not in there["channels"]:
                self.left(bridge)
            elif len(there["channels"]) < 2:
                self.left_alone(bridge)

    def is_in(self, bridge: str) -> bool:
        """Raises SwitchLost, Refused."""
        there = self._lookup("bridges", bridge)
        return there is not None and self.id in there["channels"]

    def has(self, *path: str) -> bool:
        """Whether Asterisk has this. Raises SwitchLost, Refused."""
        return self._lookup(*path) is not None

    def _lookup(self, *path: str) -> Json | None:
        try:
            found: Json = self.link.request("GET", named(*path))
        except Refused as refused:
            if refused.gone:
                return None
            raise
        return found


def turn_name(call_id: CallId, what: str, turn: int) -> str:
    return f"{beginning(what)}{call_id}-{turn}"


def beginning(what: str) -> str:
    """How the names of all our playbacks, recordings or bridges begin."""
    return f"hotline-{what}-"
