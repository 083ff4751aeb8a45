"""When a caller has waited enough: the rules of `overflow:`, read one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from acd.calls import WaitingCall
from acd.deadlines import NEVER
from acd.model import Millis, Overflow


def due_rules(call: WaitingCall, now: Millis) -> Iterator[tuple[int, Overflow]]:
    """The rules that apply to this call now and were not carried out yet, in the order of the file."""
    for number, rule in enumerate(call.queue.rule.overflow):
        if number not in call.spent and now - call.entered >= rule.after and holds(call, rule):
            yield number, rule


def holds(call: WaitingCall, rule: Overflow) -> bool:
    """Whether the rule's condition is met at this moment."""
    match rule.when:
        case "none-logged-on":
            return not call.widest.logged_on
        case "none-ready":
            return not call.widest.working
        case "closed":
            return call.queue.hours != "open"
        case "emergency":
            return call.queue.hours == "emergency"
        case _:
            return rule.after > 0 or not call.offers  # at once: for whoever finds nobody free


def next_limit(call: WaitingCall, now: Millis) -> Millis:
    """When the next rule's time comes; one whose time has come waits for its condition, not for a time."""
    waited = now - call.entered
    for after, number in call.queue.limits:
        if after > waited and number not in call.spent:
            return call.entered + after
    return NEVER
