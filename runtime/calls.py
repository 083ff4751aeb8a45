"""Every call from its arrival to its end: found a flow, recognised, walked through it, and closed in the journal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass

import structlog

from crm.callers import Callers
from ivr.language.flow import Flow
from ivr.services import CallerFacts, Message, Services
from ivr.session import Interrupted, Session
from ivr.state import replayed
from journal.writer import Journal, JournalBroken
from runtime.admission import Admission
from runtime.flowbook import Book
from runtime.house_prompts import SORRY, SORRY_KEPT
from runtime.standing import OpenCall, Standing, Waited
from runtime.star_codes import StarCodes
from switch.port import Call, CallEnded, CallId, Cause, SwitchLost
from switch.shared.clock import Clock, Millis

log = structlog.get_logger(__name__)

NO_FLOW = "no flow for the dialled number"  # the outcome of such a call
GIVEN_UP_REMEMBERED = 1000
BEGUN_WITHIN = 60_000  # milliseconds: many times what the CRM may take to know the caller


@dataclass(slots=True)
class CallInProgress:
    """What a supervisor sees of a call."""

    call: Call
    since: Millis
    flow: str
    session: Session | None = None
    begun: bool = False  # something is done for the caller

    @property
    def step(self) -> str:
        return self.session.state.innermost.step if self.session else ""


class CallDesk:
    """Takes the calls that the switch brings. `on_call` is given to `Switch.serve`."""

    def __init__(
        self,
        *,
        book: Callable[[], Book],
        callers: Callable[[], Callers],
        services: Callable[[CallId, Book], Services],
        star_codes: StarCodes,
        admission: Admission,
        standing: Standing,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._book = book
        self._callers = callers
        self._services = services
        self._star_codes = star_codes
        self._admission = admission
        self._standing = standing
        self._journal = journal
        self._clock = clock
        self.in_progress: dict[CallId, CallInProgress] = {}
        self.returning: dict[CallId, OpenCall] = {}  # open in the journal, and in nobody's hands
        self.detached: dict[CallId, Millis] = {}  # those of them whose connection broke in this life, and since when
        self.on_detached: Callable[[], None] = lambda: None
        self.keep_place: Callable[[CallId, Waited], None] = lambda _, __: None
        self.on_returned: Callable[[CallId], None] = lambda _: None
        self.book_of: Callable[[str, int], Book | None] = lambda _, __: None
        self.message_of: Callable[[CallId, OpenCall], Message | None] = lambda _, __: None
        self._given_up: deque[CallId] = deque(
            maxlen=GIVEN_UP_REMEMBERED
        )  # ended for us; they may come back all the same
        self._closing = False
        self._holding = False

    def admits(self, call: CallId, account: str) -> bool:
        """Whether the switch is to bring a new call; else its dialplan keeps it and asks again. For `Switch.serve`.

        Agents' phones and calls that were here before always may come.
        """
        if self._closing or self._journal.closed:
            return False
        if account or self._known(call) or self._admission.lets_in(call, len(self.in_progress)):
            return True
        self._journal.jot("CallDeferred", call)
        return False

    def deferred(self, call: CallId) -> bool:
        """Whether a call was left to the switch's fallback a moment ago, which will bring it again."""
        return self._admission.deferred(call)

    @property
    def times_deferred(self) -> int:
        """How often since the start a call was left to the switch's fallback."""
        return self._admission.refused

    def stuck(self) -> int:
        """How many calls came in long ago and were not begun with."""
        before = self._clock.now() - BEGUN_WITHIN
        return sum(not served.begun and served.since < before for served in self.in_progress.values())

    def on_call(self, call: Call, *, talking: bool = False) -> None:
        """Serves one call to its end; `talking`: it is joined still, since before a restart.

        Never raises: what goes wrong ends this call alone.
        """
        with structlog.contextvars.bound_contextvars(call=call.id):
            self._serve(call, talking=talking)

    def hold_new_calls(self) -> None:
        """From now on who calls hears music, and is not begun with: the next process will."""
        self._holding = True

    def close(self) -> None:
        """From now on a call that is lost has not ended: it goes on at the switch, and is left open in the journal."""
        self._closing = True

    def _serve(self, call: Call, *, talking: bool) -> None:
        came_back = self._known(call.id)
        past = self.returning.pop(call.id, None) or self._overtaken(call.id)
        self.detached.pop(call.id, None)
        dialled = past.dialled if past else call.dialled
        book = self._book()
        flow = book.flow_for(dialled)
        in_progress = CallInProgress(call, self._clock.now(), flow.name if flow else "")
        self.in_progress[call.id] = in_progress
        self._admission.arrived(call.id)
        cause, outcome = Cause.NORMAL, ""
        try:
            if past and (earlier := self.book_of(past.flow, past.version)):
                book, flow = earlier, earlier.flow_for(dialled)
            self._journal.jot(  # nothing is done for the caller before the next record
                "CallReturned" if came_back else "CallArrived",
                call.id,
                caller=call.caller,
                caller_name=call.caller_name,
                dialled=call.dialled,
                flow=in_progress.flow,
                version=flow.version if flow else 0,
            )
            if self._holding and past is None and flow is not None:
                in_progress.begun = True
                _hold(call, next((queue.music for queue in book.queues), ""))
            outcome, cause = self._walk(call, flow, book, in_progress, past, talking=talking)
        except CallEnded as ended:
            handed_over = in_progress.session is not None and in_progress.session.transferred
            cause, outcome = ended.cause, "transferred" if handed_over else "caller left"
        except SwitchLost:
            cause, outcome = Cause.SWITCH_LOST, "switch lost"
        except JournalBroken:  # the house has closed under this call; the next process finds it open
            cause = Cause.SUPERSEDED
        except Exception:
            log.exception("a call was ended by an error")
            cause, outcome = Cause.FAILED, "error"
        finally:
            if past is not None:
                self.on_returned(call.id)
            self._end(in_progress, cause, outcome)

    def give_up(self, call: CallId, cause: str, outcome: str) -> None:
        """Ends, in the journal, a call that is not coming back."""
        del self.returning[call]
        self.detached.pop(call, None)
        self._given_up.append(call)
        self._journal.append("CallEnded", call, cause=cause, outcome=outcome)

    def _known(self, call: CallId) -> bool:
        return call in self.returning or call in self.in_progress or call in self._given_up

    def _end(self, served: CallInProgress, cause: Cause, outcome: str) -> None:
        call = served.call
        try:
            if self._goes_on(served, cause):
                _until_taken(call)
            elif cause is Cause.SWITCH_LOST:
                self._detach(call.id)
            else:
                # The end is written before the call's id can be given to another one by the switch.
                self._journal.append("CallEnded", call.id, cause=cause.value, outcome=outcome)
                call.hang_up(cause if cause in HUNG_UP_WITH else Cause.NORMAL)
        finally:
            if self.in_progress.get(call.id) is served:
                del self.in_progress[call.id]
        if call.id in self.detached:
            self.on_detached()

    def _detach(self, call: CallId) -> None:
        """Nobody knows whether a call whose connection broke lives on: the switch will say, when it can be asked."""
        self._journal.jot("CallDetached", call)  # it may be back before a disk has answered
        self.returning[call] = self._as_it_stands(call)
        self.detached[call] = self._clock.now()

    def _overtaken(self, call: CallId) -> OpenCall | None:
        """Where a call stands that is back before whoever had it could say that it was lost; None for a new one."""
        return self._as_it_stands(call) if call in self.in_progress else None

    def _as_it_stands(self, call: CallId) -> OpenCall:
        past = deepcopy(self._standing.calls[call])
        if past.place:
            self.keep_place(call, past.place)
        return past

    def _goes_on(self, served: CallInProgress, cause: Cause) -> bool:
        """Whether the call outlives this greenlet: another one has it, in this process or in the next."""
        came_back = self.in_progress.get(served.call.id) is not served
        left_behind = self._closing and cause is Cause.SWITCH_LOST
        return came_back or left_behind or cause is Cause.SUPERSEDED or self._journal.closed

    def _walk(
        self,
        call: Call,
        flow: Flow | None,
        book: Book,
        in_progress: CallInProgress,
        past: OpenCall | None,
        *,
        talking: bool,
    ) -> tuple[str, Cause]:
        if flow is None and self._star_codes.serves(call):
            in_progress.begun = True
            self._star_codes.run(call)
            return "star code", Cause.NORMAL
        if flow is None:
            log.warning("a call was refused: no flow answers the dialled number")
            return NO_FLOW, Cause.UNREACHABLE
        caller: CallerFacts = self._callers().recognise(call.caller)
        services = self._services(call.id, book)
        if past is None or not past.told:
            in_progress.session = Session(call, flow, services, caller)
        else:
            in_progress.session = self._resumed(call, flow, services, caller, past, talking=talking)
        in_progress.begun = True
        in_progress.session.run()
        return "flow ended", Cause.NORMAL

    def _resumed(
        self, call: Call, flow: Flow, services: Services, caller: CallerFacts, past: OpenCall, *, talking: bool
    ) -> Session:
        """The call where the journal says that it stood, with what became of its step meanwhile."""
        state = replayed(past.told, flow)
        state.spent = past.spent
        exit = sorry = ""
        if state.innermost.visit == past.visit:
            exit = past.over
            if message := self.message_of(call.id, past):
                facts = {"id": message.id, "box": message.box, "seconds": message.seconds}
                state.innermost.variables["message"] = facts
                exit, sorry = "next", SORRY_KEPT
        if not exit and not past.place and past.answered:
            sorry = SORRY
        if talking or past.place is None or exit:
            self.on_returned(call.id)
        interrupted = Interrupted(answered=past.answered, talking=talking, exit=exit, sorry=sorry, hidden=past.hidden)
        return Session(call, flow, services, caller, state=state, interrupted=interrupted)


def _hold(call: Call, music: str) -> None:
    """Music until the call is taken out of our hands. Raises CallEnded."""
    call.answer()
    call.hold(music)
    while True:
        call.wait(None)


def _until_taken(call: Call) -> None:
    """The call goes on without us: returns when the switch has taken it out of our hands, or it would be hung up."""
    with suppress(CallEnded):
        while True:
            call.wait(None)


HUNG_UP_WITH = {Cause.UNREACHABLE, Cause.FAILED}
