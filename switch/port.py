"""What a telephone switch can do: the one seam between call control and FreeSWITCH, Asterisk or a simulation.

A call is driven by exactly one greenlet, with plain blocking methods; every other greenlet may only
`post` to it. All seconds are floats, all keys single characters of ``0-9 * # A-D``. Nothing here does
I/O.

The exceptions of this port::

    SwitchError
    ├── CallEnded        the leg is gone (every blocking method may raise it)
    ├── NotAnswered      a dialled leg was not answered; carries the cause
    ├── CannotPlay       the switch could not play a sound (missing, unreadable)
    ├── CannotRecord     no usable recording came about (disk full, no right to write)
    ├── CannotJoin       the other leg was gone before the two were joined
    ├── NoSuchCall       the switch knows no call of that id
    └── SwitchLost       the connection to the switch is down
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, NewType, Protocol

CallId = NewType("CallId", str)

Keys = frozenset[str]
NONE: Keys = frozenset()
ANY: Keys = frozenset("0123456789*#ABCD")
_NUMBER = frozenset("0123456789+*#")


class Cause(StrEnum):
    """Why a leg ended or was not answered, in words that every switch's own causes are mapped to."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"  # unregistered, unknown number, no route
    CANCELLED = "cancelled"
    CONGESTION = "congestion"
    FAILED = "failed"
    SWITCH_LOST = "switch lost"
    SUPERSEDED = "superseded"  # a newer controller owns this call now; it goes on without us


UNKNOWN_END = frozenset({Cause.SUPERSEDED, Cause.SWITCH_LOST})  # ended for us; at the switch the leg may go on


class Capability(StrEnum):
    """What not every switch can do; a flow that needs a missing one is refused when it is loaded."""

    RECORD = "record"
    JOIN = "join"
    RECORD_JOINED = "record joined calls"
    TRANSFER = "transfer"
    REMEMBER = "remember"
    ADOPT = "adopt"
    REGISTRATIONS = "registrations"
    MESSAGE_LIGHT = "light telephones' message lamps"


class SwitchError(Exception):
    """Root of everything that a switch can raise."""


class CallEnded(SwitchError):
    """The leg is gone. Raised wherever its greenlet is waiting, so `finally` works as anyone expects."""

    def __init__(self, cause: Cause = Cause.NORMAL) -> None:
        super().__init__(cause.value)
        self.cause = cause


class NotAnswered(SwitchError):
    """A dialled leg was not answered."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class CannotPlay(SwitchError):
    """The switch could not play one of the media; what came before it was played."""


class CannotRecord(SwitchError):
    """Nothing usable was recorded and no file remains; the text says why."""


class CannotJoin(SwitchError):
    """The other leg was gone before the two were joined; this leg goes on."""


class NoSuchCall(SwitchError):
    """The switch knows no call of that id."""


class SwitchLost(SwitchError):
    """The connection to the switch is down; it is being mended."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A WAV file (8 kHz, mono, 16 bit) that the switch reads from disk, and what it says."""

    path: Path
    text: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    seconds: float


Media = Sound | Silence


@dataclass(frozen=True, slots=True)
class Key:
    """One key that the far end pressed."""

    digit: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that another greenlet posts to a call. Subclasses say what."""


@dataclass(frozen=True, slots=True)
class Parted:
    """The leg that this one was joined to is gone; this one goes on, silent, under our control."""


@dataclass(frozen=True, slots=True)
class Recording:
    path: Path
    seconds: float
    ended: Literal["key", "silence", "longest"]
    key: str = ""  # the key that ended it


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A call as it lives on the switch at this moment, whoever controls it. `outbound`: a controller dialled it."""

    id: CallId
    caller: str
    dialled: str
    answered: bool
    joined_to: CallId | None = None
    outbound: bool = False
    remembered: Mapping[str, str] = field(default_factory=dict)


class Call(Protocol):
    """One leg, driven by one greenlet.

    `caller`, `caller_name` and `dialled` are what the far end sent, decoded and otherwise untouched:
    hostile until proved otherwise. `account` is the SIP account that the switch authenticated, ""
    for callers from a trunk.
    """

    @property
    def id(self) -> CallId: ...
    @property
    def caller(self) -> str: ...
    @property
    def caller_name(self) -> str: ...
    @property
    def dialled(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def remembered(self) -> Mapping[str, str]:
        """What `remember` put on this leg, by whoever controlled it; read once when the leg came to us."""
        ...

    @property
    def was_joined(self) -> bool:
        """Whether it was joined when it was adopted, so that `wait` tells the end of that talk."""
        ...

    def answer(self) -> None:
        """Answers; does nothing where the call was answered before."""
        ...

    def play(self, media: Sequence[Media], *, stop_on: Keys = NONE, back_to: str = "") -> Key | Notice | None:
        """Plays one after the other and returns None at the end, or what cut in.

        A key of `stop_on` or any notice cuts in at once. It is only looked at: the next `wait`
        returns it, after whatever came before it. Where one is waiting already, nothing is played.
        Keys not in `stop_on` are kept as type-ahead. Raises CannotPlay. Ends `hold` music.

        With `back_to` the far end hears that music afterwards should we die meanwhile; whoever lives calls `hold`.
        """
        ...

    def record(self, to: Path, *, longest: float, silence: float, stop_on: Keys) -> Recording:
        """Records the far end into a WAV file until a key of `stop_on` (consumed), `silence` seconds
        without speech after the first second, or `longest` seconds.

        Keys waiting from before are dropped. On CallEnded the file with what was said so far stays
        at `to`. Raises CannotRecord. Ends `hold` music.
        """
        ...

    def start_recording(self, to: Path) -> None:
        """Begins to record both directions of this leg, mixed, into a WAV file, whatever the leg does next.

        The recording goes on through prompts, music and joins, also when we die, until `stop_recording` or the
        end of the leg. One at a time on a leg. Raises CannotRecord.
        """
        ...

    def mask_recording(self, to: Path, masked: bool) -> None:
        """Has the recording hold silence in place of what is heard and said, until it is unmasked."""
        ...

    def stop_recording(self, to: Path) -> float:
        """Ends the recording, unless the end of the leg has, and returns its seconds once the file is whole.

        Works after the leg's end too, and for whoever adopted the leg. Raises CannotRecord when nothing usable
        came about, and then no file remains; CallEnded where the leg and its recording go on without us.
        """
        ...

    def hold(self, music: str) -> None:
        """Starts endless music of that name and returns at once; any other audio ends it."""
        ...

    def wait(self, within: float | None) -> Key | Notice | Parted | None:
        """The only reader of the mailbox: the oldest key, notice or parting; None after `within` seconds.

        `within=None` waits without end, `within=0` only looks.
        """
        ...

    def post(self, notice: Notice | Parted) -> None:
        """Puts a notice into the mailbox, or the end of a talk that was missed.

        The only method for other greenlets; never blocks or raises.
        """
        ...

    def join(self, other: Call) -> None:
        """Connects the audio of both legs and returns; `wait` then returns Parted when the other left.

        Both legs stay ours: when one ends the other is not hung up. Raises CannotJoin. Ends `hold` music.
        """
        ...

    def part(self) -> None:
        """Ends the talk that this leg is joined to, if any: `wait` then returns Parted on both legs, and both go on."""
        ...

    def remember(self, name: str, value: str) -> None:
        """Stores a variable on the switch's channel, where it survives our death.

        `name` is ``[a-z_]+``; `value` any text, which comes back as it was.
        """
        ...

    def transfer(self, address: str) -> None:
        """Hands the leg to another address on the switch and lets it go; raises CallEnded when it has gone."""
        ...

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        """Ends the leg. Does nothing when it has ended already, and never raises."""
        ...


class OutboundCall(Call, Protocol):
    """A leg that we dialled."""

    def answered(self) -> Notice | None:
        """Waits for the answer: None when it came, a notice (consumed) that was posted meanwhile.

        Raises NotAnswered with the cause when the far end did not; `hang_up` before that cancels.
        """
        ...

    def await_gone(self, within: float) -> None:
        """After the end: returns when the switch has let go of the far end, or after so many seconds of real time.

        A telephone with one line is busy until then.
        """
        ...


TELEPHONE = "tel:"  # in an address: not an account, but a number of the world


def telephone(address: str) -> str | None:
    """The number that an address such as ``tel:+8613800138000`` means by the trunk; None for an account.

    Only digits, ``+ * #`` are kept, so that it may stand in any command.
    """
    if not address.startswith(TELEPHONE):
        return None
    return "".join(sign for sign in address if sign in _NUMBER)


Admits = Callable[[CallId, str], bool]
"""Whether a new call is taken: its id, and the account of the agent's phone that it comes from, else ""."""


def everyone(_call: CallId, _account: str) -> bool:
    """Takes every call."""
    return True


class Switch(Protocol):
    @property
    def capabilities(self) -> frozenset[Capability]: ...

    @property
    def connected(self) -> bool:
        """Whether calls can be taken and dialled at this moment."""
        ...

    @property
    def superseded(self) -> bool:
        """Whether a newer controller has taken the switch: from then on no call comes here any more."""
        ...

    @property
    def version(self) -> str:
        """Name and version of the switch as it reported it, "" before the first connection."""
        ...

    def serve(self, on_call: Callable[[Call], None], *, admits: Admits = everyone) -> None:
        """Starts taking calls and returns; each call runs `on_call` in a greenlet of its own.

        A new call that `admits` refuses is left to the switch's dialplan, as one is that comes while nobody serves:
        an apology, music, and the call again later.

        When `on_call` returns and the leg is still there, it is hung up. Reconnects with back-off when the switch
        is lost; the legs that were lost raise CallEnded(SWITCH_LOST), and are `strays` where they live on.
        """
        ...

    def stop(self) -> None:
        """Takes no more calls and closes the connections. Calls on the switch are left as they are."""
        ...

    def dial(
        self, address: str, *, call_id: CallId, caller: str, caller_name: str = "", ring_for: float
    ) -> OutboundCall:
        """Starts to ring an address and returns while it rings.

        That is a SIP account such as ``1001``, or ``tel:`` and a telephone number, which goes by the trunk.
        `call_id` becomes the leg's id on the switch. Raises SwitchLost.
        """
        ...

    def adopt(self, call_id: CallId) -> Call:
        """Takes over a call that outlived its controller; its prompt ends, music may go on until something is heard.

        A leg that is joined stays so: until `wait` has returned Parted, only `wait`, `post` and `hang_up` work.
        Raises NoSuchCall, SwitchLost.
        """
        ...

    def strays(self) -> Mapping[CallId, Snapshot]:
        """What lives on the switch and is not in our hands. Raises SwitchLost."""
        ...

    def drop(self, call_id: CallId) -> None:
        """Ends a call that is not in our hands, ringing or answered; none where it is gone. Raises SwitchLost."""
        ...

    def salvage(self, call_id: CallId, to: Path) -> bool:
        """Ends what a former controller was recording of a call, also of one that is gone.

        What was said is then at `to`, where it was to be recorded; False where there is nothing. Raises SwitchLost.
        """
        ...

    def calls(self) -> Mapping[CallId, Snapshot]:
        """What lives on the switch now. Raises SwitchLost."""
        ...

    def registrations(self) -> frozenset[str]:
        """The SIP accounts that have a phone registered now. Raises SwitchLost."""
        ...

    def show_waiting(self, account: str, *, new: int, old: int) -> None:
        """Sets the message waiting light of a telephone: how many voice messages are new, how many were heard.

        Does nothing where no telephone of that account is registered; one that registers later may have to be
        told again. Raises SwitchLost.
        """
        ...
