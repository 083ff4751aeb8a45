"""What a waiting caller is told, and when: its place, words of comfort, whether to go on waiting. One at a time.

A position is never spoken as rising. With `only_if_better` a round in which nothing got better is
passed over in silence; without it the same position may be repeated, but one that rose (somebody of
higher priority came) is left out. Each is due so long after the end of the last of its kind.
"""

from __future__ import annotations

from acd.calls import COMFORT, PLACE, QUESTION, Saying, WaitingCall
from acd.deadlines import NEVER
from acd.forecast import band
from acd.model import Announce, AskToStay, Comfort, Millis, QueueRule

SPOKEN_WITHIN: Millis = 60_000  # after which what nobody told the end of counts as spoken


def begin(call: WaitingCall) -> None:
    """Sets the times of the first words in this queue; under new rules what was to come still comes then.

    Who has come back from before a restart hears the next words as after the last; whom nobody has told its place yet
    hears it as soon after the return as a newcomer.
    """
    call.say_at = {
        saying: call.say_at.get(saying, _first_time(call, saying, first)) for saying, first in call.queue.sayings
    }


def _first_time(call: WaitingCall, saying: Saying, first: Millis) -> Millis:
    at = call.entered + first
    if at >= call.returned:
        return at
    told = saying is not PLACE or call.spoken_position is not None or call.spoken_wait is not None
    every = _interval(call.queue.rule, saying)
    return call.returned + (every if told else min(first, every))


def sayings(rule: QueueRule) -> tuple[tuple[Saying, Millis], ...]:
    """What a queue ever says, and how long after the entry for the first time."""
    said = []
    if rule.announce.position or rule.announce.wait:
        said.append((PLACE, rule.announce.first))
    if rule.question.after:
        said.append((QUESTION, rule.question.after))
    if rule.comfort.prompts:
        said.append((COMFORT, rule.comfort.first))
    return tuple(said)


def next_time(call: WaitingCall) -> Millis:
    """When the next words are due, or when those that are being spoken count as over."""
    if call.saying:
        return call.saying_until
    return min(call.say_at.values()) if call.say_at else NEVER


def is_due(call: WaitingCall, now: Millis) -> bool:
    return next_time(call) <= now


def spoken(call: WaitingCall, now: Millis) -> None:
    """What was being said is over; music until the next. Comfort that fell due meanwhile is needed no more."""
    if call.saying:
        _put_off(call, call.saying, now)
        if call.say_at.get(COMFORT, now + 1) <= now:
            _put_off(call, COMFORT, now)
        call.saying = None


def words(call: WaitingCall, now: Millis) -> Announce | AskToStay | Comfort | None:
    """What is to be said now that something is due. While the agent is being connected a round is left out."""
    spoken(call, now)  # it counts as over, though nobody told its end
    for saying in Saying:
        if call.say_at.get(saying, now + 1) <= now:
            _put_off(call, saying, now)
            said = None if call.connecting else _WORDS[saying](call, now)
            if said:
                call.saying, call.saying_until = saying, now + SPOKEN_WITHIN
                return said
    return None


def _put_off(call: WaitingCall, saying: Saying, now: Millis) -> None:
    if saying not in call.say_at:
        return  # the rules have changed while it was spoken
    call.say_at[saying] = now + _interval(call.queue.rule, saying)


def _interval(rule: QueueRule, saying: Saying) -> Millis:
    match saying:
        case Saying.PLACE:
            every = rule.announce.every
        case Saying.QUESTION:
            every = rule.question.after
        case Saying.COMFORT:
            every = rule.comfort.every
    return max(1, every)


# --- the words ------------------------------------------------------------------------------------


def _place(call: WaitingCall, now: Millis) -> Announce | None:
    rule = call.queue.rule.announce
    place = call.queue.position(call)
    position = _sayable_position(call, place) if rule.position else None
    wait = _sayable_wait(call, _estimate(call, place - 1, now)) if rule.wait else None
    if position is None and wait is None:
        return None
    if position is not None:
        call.spoken_position = position
    if wait is not None:
        call.spoken_wait = wait
    return Announce(call.id, position, wait)


def _estimate(call: WaitingCall, ahead: int, now: Millis) -> float | None:
    """The wait that is left; what the first one was is kept, to be held against the truth."""
    if call.expected is None:
        expected = call.queue.pace.wait(ahead, call.line.working)
        call.expected = None if expected is None else (now, expected)
    return call.line.wait(ahead)


def _question(call: WaitingCall, _: Millis) -> AskToStay:
    return AskToStay(call.id, call.queue.rule.question.prompt)


def _comfort(call: WaitingCall, _: Millis) -> Comfort:
    prompts = call.queue.rule.comfort.prompts
    call.comforted += 1
    return Comfort(call.id, prompts[(call.comforted - 1) % len(prompts)])


_WORDS = {PLACE: _place, QUESTION: _question, COMFORT: _comfort}


def _sayable_position(call: WaitingCall, position: int) -> int | None:
    before = call.spoken_position
    if before is None or position < before:
        return position
    return position if position == before and not call.queue.rule.announce.only_if_better else None


def _sayable_wait(call: WaitingCall, wait: float | None) -> float | None:
    before = call.spoken_wait
    if wait is None or before is None or not call.queue.rule.announce.only_if_better:
        return wait
    return wait if band(wait) < band(before) else None
