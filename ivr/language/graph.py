"""A flow as a graph: steps that nobody reaches, and circles out of which a silent caller never comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from config.values import Diagnostic
from ivr.language.flow import REPEAT
from ivr.language.reader import UNREAD, Draft, DraftStep
from ivr.step import HANG_UP

Edges = Callable[[DraftStep], Iterable[str]]


def problems(draft: Draft) -> Iterator[Diagnostic]:
    if draft.head is None or _meant(draft, draft.head.start) not in draft.steps:
        return
    reached = reachable(draft)
    for step in draft.steps.values() if not _leads_astray(draft) else ():
        if step.name not in reached:
            message = f"{step.name}: no way leads to this step"
            yield draft.document.problem(step.path, message, key=True, show="")
    for circle in _circles(draft, reached, _instant_edges, _instant(draft)):
        message = f"the call goes round {_way(circle)} in no time, and the caller hears nothing"
        yield draft.document.problem(("steps", circle[0]), f"{circle[0]}: {message}", key=True, show="")
    for circle in _circles(draft, reached, _silent_edges, _stuck(draft)):
        message = f"a caller who stays silent goes round {_way(circle)} for ever"
        yield draft.document.problem(("steps", circle[0]), f"{circle[0]}: {message}", key=True, show="")


def _leads_astray(draft: Draft) -> bool:
    """Whether some exit names a step that there is not, and nobody knows which is meant: perhaps a forlorn one."""
    targets = {target for step in draft.steps.values() for target, _ in step.targets.values()}
    return UNREAD in targets or any(
        target and target not in draft.steps and draft.meant(target) not in draft.forlorn for target in targets
    )


def roots(draft: Draft) -> list[str]:
    """The steps that a call can come to from anywhere: the start, and what keys and failures lead to."""
    if draft.head is None:
        return []
    leads = [draft.head.start, draft.head.failed, *(target for target in draft.head.keys.values() if target != REPEAT)]
    meant = [_meant(draft, target) for target in leads]
    return [name for name in dict.fromkeys(meant) if name in draft.steps]


def edges(draft: Draft, step: DraftStep) -> list[str]:
    """The steps that may follow, misspelt ones included; where something is wrong, every step that is named."""
    targets = [_meant(draft, target) for target, _ in step.targets.values()]
    if not step.sound:
        targets += _texts(draft.document.get(step.path))
    return [target for target in dict.fromkeys(targets) if target in draft.steps]


def _meant(draft: Draft, target: str) -> str:
    """The step that a misspelt name probably means, so that a slip is told once."""
    if target in draft.steps or target == HANG_UP:
        return target
    return draft.meant(target) or target


def reachable(draft: Draft) -> set[str]:
    found = set(roots(draft))
    waiting = list(found)
    while waiting:
        for target in edges(draft, draft.steps[waiting.pop()]):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def way_to(draft: Draft, goal: str, passable: Callable[[DraftStep, str], bool]) -> list[str]:
    """A shortest way to a step along passable exits (of a step, by name); empty when there is none."""
    came: dict[str, str | None] = dict.fromkeys(roots(draft))
    waiting = list(came)
    for name in waiting:
        if name == goal:
            break
        step = draft.steps[name]
        for exit, (target, _) in step.targets.items():
            if target in draft.steps and target not in came and passable(step, exit):
                came[target] = name
                waiting.append(target)
    if goal not in came:
        return []
    way: list[str] = []
    at: str | None = goal
    while at is not None:
        way.append(at)
        at = came[at]
    return way[::-1]


def _silent_edges(step: DraftStep) -> Iterable[str]:
    """Where a caller who does nothing may come."""
    if step.does is None:
        return
    for exit, (target, _) in step.targets.items():
        facts = step.does.exits.get(exit)
        if facts.silent if facts else step.does.instant:
            yield target


def _instant_edges(step: DraftStep) -> Iterable[str]:
    return [target for target, _ in step.targets.values()] if step.does and step.does.instant else []


def _instant(draft: Draft) -> set[str]:
    return {step.name for step in draft.steps.values() if step.does and step.does.instant}


def _stuck(draft: Draft) -> set[str]:
    """The steps from which doing nothing never leads to an end."""
    before: dict[str, list[str]] = {name: [] for name in draft.steps}
    free: list[str] = []
    for step in draft.steps.values():
        targets = list(_silent_edges(step))
        if (
            not step.sound
            or step.does is None
            or step.does.ends
            or any(target not in draft.steps for target in targets)
        ):
            free.append(step.name)
        for target in targets:
            if target in draft.steps and target != HANG_UP:
                before[target].append(step.name)
    found = set(free)
    while free:
        for name in before[free.pop()]:
            if name not in found:
                found.add(name)
                free.append(name)
    return set(draft.steps) - found


def _circles(draft: Draft, reached: set[str], leads: Edges, among: set[str]) -> Iterator[list[str]]:
    """One circle of each group of steps that lead to one another, from the group's first step in the file."""
    inside = among & reached
    graph = {
        name: [target for target in leads(draft.steps[name]) if target in inside]
        for name in draft.steps
        if name in inside
    }
    order = {name: number for number, name in enumerate(graph)}
    for group in _groups(graph):
        first = min(group, key=order.__getitem__)
        circle = _circle_through({name: [to for to in graph[name] if to in group] for name in group}, first)
        if circle:
            yield circle


def _groups(graph: Mapping[str, list[str]]) -> Iterator[set[str]]:
    """The strongly connected components, by Kosaraju's two passes."""
    backwards: dict[str, list[str]] = {name: [] for name in graph}
    for name, targets in graph.items():
        for target in targets:
            backwards[target].append(name)
    seen: set[str] = set()
    finished = [name for start in graph for name in _finished(graph, start, seen)]
    seen = set()
    for start in reversed(finished):
        if group := set(_finished(backwards, start, seen)):
            yield group


def _finished(graph: Mapping[str, list[str]], start: str, seen: set[str]) -> Iterator[str]:
    """The steps not yet seen that a walk from a step comes to, each when everything behind it was walked."""
    if start in seen:
        return
    seen.add(start)
    way = [(start, iter(graph[start]))]
    while way:
        name, targets = way[-1]
        target = next((one for one in targets if one not in seen), None)
        if target is None:
            way.pop()
            yield name
        else:
            seen.add(target)
            way.append((target, iter(graph[target])))


def _circle_through(graph: Mapping[str, list[str]], start: str) -> list[str]:
    """A shortest circle from a step back to itself; empty when there is none."""
    came: dict[str, str] = {}
    waiting = [start]
    for name in waiting:
        for target in graph.get(name, ()):
            if target == start:
                circle = [name]
                while circle[-1] != start:
                    circle.append(came[circle[-1]])
                return circle[::-1]
            if target not in came:
                came[target] = name
                waiting.append(target)
    return []


def _way(circle: list[str]) -> str:
    """``main -> agent -> main``; of a long one both ends."""
    names = [*circle, circle[0]]
    if len(names) > 8:
        names = [*names[:5], "...", *names[-2:]]
    return " -> ".join(names)


def _texts(data: Any) -> Iterator[str]:
    match data:
        case str():
            yield data
        case dict():
            for value in data.values():
                yield from _texts(value)
        case list():
            for value in data:
                yield from _texts(value)
