"""Why this agent of all who were free: by the queue's strategy, in the figures that it goes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from acd.hindsight import Hindsight, Person, Waiter, span
from acd.model import Millis, QueueName, QueueRule
from acd.skills import Demand

Facts = Callable[[Person], str]


def choice(floor: Hindsight, waiter: Waiter, chosen: Person | None, others: Sequence[Person], now: Millis) -> str:
    """In words, with what is said for each of the others."""
    awaited = chosen is not None and chosen.agent.id == waiter.awaited
    if chosen is None or not others:
        return "the caller's last agent" if awaited else "the only able agent who is free"
    rule, wanted = floor.rule(waiter.queue), floor.needs(waiter)
    best, rank = wanted.preference(chosen.agent.skills), chosen.rank(waiter.queue)
    facts: Facts
    if awaited:
        facts = _by_strategy(floor, waiter, rule, now)
        words = "the caller's last agent"
    elif rank < min(each.rank(waiter.queue) for each in others):
        facts = _rank_in(waiter.queue)
        words = f"the first rank in {waiter.queue}{_in_brackets(facts(chosen))}"
    elif wanted.preferred and best > max(wanted.preference(each.agent.skills) for each in others):
        facts = _levels(wanted.preferred)
        words = f"the best in what is preferred{_in_brackets(facts(chosen))}"
    else:
        facts = _by_strategy(floor, waiter, rule, now)
        words = f"{waiter.queue} rings by {rule.strategy}{_in_brackets(facts(chosen))}"
    return f"{words}; also free: {', '.join(each.agent.id + _in_brackets(facts(each)) for each in others)}"


def _rank_in(queue: QueueName) -> Facts:
    return lambda person: f"rank {person.rank(queue)}"


def _by_strategy(floor: Hindsight, waiter: Waiter, rule: QueueRule, now: Millis) -> Facts:
    idle, last = _idle(rule, now), floor.rung_last.get(waiter.queue)
    wanted = floor.needs(waiter)
    by_figure: Mapping[str, Facts] = {
        "longest-idle": idle,
        "ring-progressively": idle,
        "fewest-calls": lambda person: f"{person.calls} calls since log-on",
        "least-talk-time": lambda person: f"talked {span(person.talked)} since log-on",
        "best-skilled": _levels((*wanted.required, *wanted.preferred)),
        "sticky": idle,
        "round-robin": lambda person: "rung last" if person.agent.id == last else "",
    }
    return by_figure.get(rule.strategy, lambda _: "")


_IDLE: Mapping[str, str] = {"last-call": "no call for", "last-offer": "not rung for", "ready": "Ready for"}


def _idle(rule: QueueRule, now: Millis) -> Facts:
    return lambda person: f"{_IDLE[rule.idle_since]} {span(now - person.idle_since(rule))}"


def _levels(demands: Sequence[Demand]) -> Facts:
    return lambda person: ", ".join(f"{each.skill} {person.agent.skills.get(each.skill, 0)}" for each in demands)


def _in_brackets(words: str) -> str:
    return f" ({words})" if words else ""
