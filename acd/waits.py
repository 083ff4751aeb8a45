"""Callers from their entry into a queue to the end of their wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from acd import announcing, overflow
from acd.agents import LOGGED_OFF, LiveAgent, is_working
from acd.board import Board
from acd.calls import Key, WaitingCall
from acd.deadlines import NEVER
from acd.forecast import Pace
from acd.lines import Queue
from acd.model import (
    CallId,
    CallQueued,
    EndWait,
    MoveCall,
    QueueName,
    QueueRule,
    RelaxSkill,
    WaitForAnybody,
)
from acd.offers import Offers
from acd.ordered import Ordered


class Waits:
    """Every call that enters ends its wait exactly once: connected, given back to its flow, or gone."""

    __slots__ = ("_board", "_entries", "_offers", "calls")

    def __init__(self, board: Board, offers: Offers) -> None:
        self._board = board
        self._offers = offers
        self._entries = 0
        self.calls: dict[CallId, WaitingCall] = {}

    def enter(self, event: CallQueued, queue: Queue) -> None:
        """Takes a caller in; the queue's limits are looked at when nobody was free for it.

        Who waited here before is let in though the queue is full, and what came due meanwhile comes first.
        """
        self._entries += 1
        call = self.calls[event.call] = WaitingCall(event, self._entries, self._board.now)
        self._join(call, queue)
        self._stand(call)
        due, returns = self._is_due(call), event.entered is not None
        if not due or (queue.hours == "open" and not returns):
            self._serve_newcomer(call)  # else what the queue does when it is closed comes first
        if call.offers:
            self._rearm(call)
        elif not returns and len(queue.waiting) > queue.rule.longest_queue:
            self._turn_away(call)
        elif due:
            self._board.look_at(call)
        else:
            self._rearm(call)

    def _serve_newcomer(self, call: WaitingCall) -> None:
        """Before a limit turns anybody away: those who become free by this very event may be free for it."""
        if self._board.agents:
            free = list(self._board.agents)
            self._board.agents.clear()
            self.employ(free)
        self._serve(call)

    def _turn_away(self, call: WaitingCall) -> None:
        """The queue is full: the caller goes where the lines that hold now say, and overflows only where none does."""
        if self._overflow(call):
            return
        self._stand(call)
        self._serve_newcomer(call)  # it may ask for less now
        if call.offers:
            self._rearm(call)
        else:
            self._end(call, "overflowed")

    def of_a_talk(self, call: CallId, name: QueueName) -> WaitingCall:
        """The call of a talk that began before this life; it waits nowhere."""
        queue = self._board.floor.queues.get(name) or Queue(QueueRule(name), 0, Pace())
        found = WaitingCall(CallQueued(call, name), 0, self._board.now)
        found.queue = queue
        return found

    def go(self, call: WaitingCall, *, abandoned: bool) -> None:
        """The caller hung up, or left by a key."""
        self._offers.withdraw_all(call, "caller gone")
        self._waited(call, abandoned=abandoned)
        self.leave(call)

    def lose(self, call: WaitingCall) -> None:
        """The caller may come back, and waits on then: this was no wait of its own."""
        self._offers.withdraw_all(call, "caller gone")
        self.leave(call)

    def leave(self, call: WaitingCall) -> None:
        """The call waits no more."""
        del self.calls[call.id]
        self._board.calls.pop(call, None)
        self._leave_queue(call)

    def announced(self, call: WaitingCall) -> None:
        announcing.spoken(call, self._board.now)
        self._rearm(call)

    def settle(self, calls: Sequence[WaitingCall]) -> None:
        """Looks at calls for which something has changed: first the limits of all, then agents by rank."""
        if len(calls) > 1:
            calls = sorted(calls, key=lambda call: (-call.queue.rule.weight, call.key))
        staying = [call for call in calls if self._look(call)]
        if self._board.calls:  # some were moved, or may be now: nobody is served before they stand where they belong
            self._board.calls.update(dict.fromkeys(staying))
            return
        for call in staying:
            self._serve(call)
            self._rearm(call)

    def employ(self, agents: Iterable[LiveAgent]) -> None:
        """Gives agents who may be free their next calls, or lets calls find them; forgets those who were removed."""
        floor = self._board.floor
        free = []
        for agent in agents:
            if agent.free():
                free.append(agent)
            elif agent.gone and agent.state is LOGGED_OFF:
                floor.remove(agent)
        if len(free) == 1 and (call := floor.best_call(free)):
            self._ring(call, free[0])  # the common case, without a way through the indexes
            return
        for agent in free:
            if not agent.indexed:
                floor.free(agent)
        while free and (call := floor.best_call(free)):
            self._serve(call)
            free = [agent for agent in free if agent.indexed]

    def _is_due(self, call: WaitingCall) -> bool:
        """Whether a limit or an announcement has come, as may be at the entry already."""
        now, limits = self._board.now, call.queue.limits
        reached = bool(limits) and limits[0][0] <= now - call.entered
        return announcing.is_due(call, now) or (reached and any(overflow.due_rules(call, now)))

    def _look(self, call: WaitingCall) -> bool:
        """Carries out what is due for a call; False when it waits no more or was moved."""
        if call.queue.gone:
            self._rehouse(call)
            return False
        if self._overflow(call):
            return False
        if announcing.is_due(call, self._board.now):
            said = announcing.words(call, self._board.now)
            if said:
                self._board.out.append(said)
        self._stand(call)
        return True

    # --- in a queue

    def _join(self, call: WaitingCall, queue: Queue) -> None:
        queue.put(call)
        sticky = bool(call.last_agent) and queue.strategy.waits_for_last_agent
        call.awaited = self._board.floor.agents.get(call.last_agent) if sticky else None
        if queue.sayings or call.say_at:
            announcing.begin(call)

    def _leave_queue(self, call: WaitingCall) -> None:
        self._stand_in(call, None)
        if call.sought:
            self._seek_no_more(call)
        call.queue.remove(call)
        if call.queue.seekers:
            self._call_seekers(call.queue)
        self._board.deadlines.set(call, None)

    def _stand(self, call: WaitingCall) -> None:
        """Lets a call be offered to free agents exactly while it may ring (another) one."""
        self._stand_in(call, self._index_for(call))

    def _stand_in(self, call: WaitingCall, index: Ordered[Key] | None) -> None:
        if call.standing is index:
            return
        if call.standing is not None:
            call.standing.remove(call.key)
        if index is not None:
            index.add(call.key)
        call.standing = index

    def _index_for(self, call: WaitingCall) -> Ordered[Key] | None:
        if call.connecting:
            return None
        if call.offers:
            if not call.queue.strategy.rings_several:
                return None
            ringing = self._board.now - call.ringing_since
            more = len(call.offers) < call.queue.strategy.phones(call.queue.rule, ringing)
            return call.line.waiting if more else None
        agent = call.awaited
        if agent is None:
            return call.line.waiting
        late = self._board.now >= call.entered + call.queue.rule.sticky_for
        if late or agent.gone or not is_working(agent.state) or agent.rule.id not in call.line.agents:
            call.awaited = None
            self._board.out.append(WaitForAnybody(call.id))
            return call.line.waiting
        return agent.awaited_by

    def _serve(self, call: WaitingCall) -> None:
        """Rings the agents who are free for it, as many as its queue lets ring at once."""
        while call.standing is not None:
            agent = self._board.floor.best_agent(call)
            if agent is None:
                return
            self._ring(call, agent)

    def _ring(self, call: WaitingCall, agent: LiveAgent) -> None:
        self._offers.ring(call, agent)
        if call.queue.strategy.rings_several:
            self._stand(call)
            self._rearm(call)
        else:
            self._stand_in(call, None)

    def _rearm(self, call: WaitingCall) -> None:
        """Sets the time at which something is next due for a waiting call."""
        now, queue = self._board.now, call.queue
        soonest = announcing.next_time(call)
        if queue.limits:
            soonest = min(soonest, overflow.next_limit(call, now))
        if call.awaited:
            soonest = min(soonest, call.entered + queue.rule.sticky_for)
        if call.offers and queue.strategy.rings_several and not call.connecting:
            soonest = min(soonest, now + queue.strategy.next_phone(queue.rule, now - call.ringing_since))
        self._board.deadlines.set(call, None if soonest >= NEVER else max(soonest, now + 1))

    # --- out of a queue

    def _overflow(self, call: WaitingCall) -> bool:
        """Carries out the limits that were reached; True when the call waits in this queue no more."""
        self._seek_no_more(call)
        if call.connecting:
            return False
        for number, rule in overflow.due_rules(call, self._board.now):
            if rule.relax:
                self._relax(call, number, rule.relax)
            elif rule.exit:
                self._end(call, rule.exit)
                return True
            elif self._overflow_to(call, rule.to_queue):
                return True
        return False

    def _relax(self, call: WaitingCall, number: int, skill: str) -> None:
        """Asks for less from now on, in the same place."""
        call.spent |= {number}
        call.relaxed |= {skill}
        self._stand_in(call, None)
        call.queue.change_line(call)
        self._board.out.append(RelaxSkill(call.id, skill))

    def _overflow_to(self, call: WaitingCall, name: QueueName) -> bool:
        """Moves a call unless it was there before or that queue is full; then it stays, and goes when it may."""
        target = self._board.floor.queues.get(name)
        if target is None or name in call.visited or name == call.queue.rule.name:
            return False
        if not target.admits(call):
            if target not in call.sought:
                call.sought += (target,)
                target.seekers.add(target.key_of(call))
            return False
        self._offers.withdraw_all(call, "caller gone")
        self._move(call, target)
        return True

    def _seek_no_more(self, call: WaitingCall) -> None:
        for queue in call.sought:
            queue.seekers.remove(queue.key_of(call))
            self._call_seekers(queue)
        call.sought = ()

    def _call_seekers(self, queue: Queue) -> None:
        """Lets those come for whom there is room now."""
        for call in queue.next_seekers():
            self._board.look_at(call)

    def _move(self, call: WaitingCall, queue: Queue) -> None:
        self._waited(call, abandoned=False)
        call.visited |= {call.queue.rule.name}
        self._leave_queue(call)
        call.forget_queue()
        call.entered = self._board.now
        self._board.out.append(MoveCall(call.id, queue.rule.name))
        self._join(call, queue)
        self._stand(call)
        self._board.look_at(call)

    def _waited(self, call: WaitingCall, *, abandoned: bool) -> None:
        """How long callers are willing to wait is seen in all who waited here, also in those who were sent on."""
        call.queue.pace.waited(self._board.now - call.entered, abandoned=abandoned)

    def _end(self, call: WaitingCall, exit_: str) -> None:
        self._offers.withdraw_all(call, "caller gone")
        self._waited(call, abandoned=False)
        self._board.out.append(EndWait(call.id, call.queue.rule.name, exit_))
        self.leave(call)

    def _rehouse(self, call: WaitingCall) -> None:
        """Gives a call whose queue is gone to that queue's new rule, to its successor, or back to its flow."""
        rule = call.queue.rule
        new = self._board.floor.queues.get(rule.name)
        if new:
            self._leave_queue(call)
            call.forget_limits()
            for offer in call.offers:
                offer.queue = new
            self._join(call, new)
            self._stand(call)
            self._board.look_at(call)
            return
        if call.connecting:
            return  # it is nearly with its agent; should that fail, it comes here again
        self._offers.withdraw_all(call, "queue gone")
        heir = self._board.floor.heir(rule.name)
        if heir:
            self._move(call, heir)
        else:
            self._end(call, "overflowed")
