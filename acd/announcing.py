"""What a waiting caller is told of its place and wait, and when.

A position is never spoken as rising. With `only_if_better` a round in which nothing got better is
passed over in silence; without it the same position may be repeated, but one that rose (somebody of
higher priority came) is left out.
"""

from __future__ import annotations

from acd.calls import WaitingCall
from acd.forecast import band
from acd.model import Announce, Millis

SPOKEN_WITHIN: Millis = 60_000  # after which an announcement whose end was never told counts as spoken


def begin(call: WaitingCall) -> None:
    """Sets the time of the first announcement in this queue."""
    rule = call.queue.rule.announce
    if rule.position or rule.wait:
        call.announce_due = call.entered + rule.first


def spoken(call: WaitingCall, now: Millis) -> None:
    """The announcement is over; music until the next."""
    if call.speaking:
        call.speaking = False
        call.announce_due = now + max(1, call.queue.rule.announce.every)


def announcement(call: WaitingCall, now: Millis) -> Announce | None:
    """What is to be said now, if anything, and sets the time of the next."""
    rule = call.queue.rule.announce
    call.speaking = False
    call.announce_due = now + max(1, rule.every)
    if call.connecting:
        return None
    place = call.queue.position(call)
    position = _sayable_position(call, place) if rule.position else None
    wait = _sayable_wait(call, call.queue.pace.wait(place - 1, call.line.working)) if rule.wait else None
    if position is None and wait is None:
        return None
    if position is not None:
        call.spoken_position = position
    if wait is not None:
        call.spoken_wait = wait
    call.speaking = True
    call.announce_due += SPOKEN_WITHIN
    return Announce(call.id, position, wait)


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
