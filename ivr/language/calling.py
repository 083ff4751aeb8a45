"""Flows that call flows: what each is to the others, and the circles that must not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from config.values import Diagnostic
from config.wording import choices
from ivr.language.flow import Flow
from ivr.language.house import FlowFacts
from ivr.language.mentions import mentions
from ivr.language.reader import Draft, DraftStep


def facts(drafts: Sequence[Draft]) -> Mapping[str, FlowFacts]:
    """What flows may count on of each other."""
    return {
        draft.name: FlowFacts(frozenset(draft.head.takes), _gives(draft), frozenset(draft.head.languages))
        for draft in drafts
        if draft.head is not None
    }


def called(draft: Draft) -> dict[str, list[DraftStep]]:
    """The flows that a flow calls, each with the steps that do so."""
    found: dict[str, list[DraftStep]] = {}
    for step in draft.steps.values():
        for mention in step.mentions:
            if mention.what and mention.what.kind == "flow":
                found.setdefault(str(mention.value), []).append(step)
    return found


def problems(drafts: Sequence[Draft], known: Mapping[str, FlowFacts]) -> Iterator[Diagnostic]:
    """Circles of calls, and flows that do not fit those that call them."""
    calls = {draft.name: called(draft) for draft in drafts}
    for draft in drafts:
        for name, steps in calls[draft.name].items():
            for step in steps:
                for message in _wrong(draft, name, known, calls):
                    yield draft.document.problem((*step.path, step.verb), message, key=True, show=step.name)


def unused(drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """Flows that no call ever comes to."""
    used = {name for draft in drafts for name in called(draft)}
    for draft in drafts:
        if draft.head is not None and not draft.head.number and draft.name not in used:
            yield draft.document.problem((), "the flow has no number, and no other flow calls it")


def linked(flows: Sequence[Flow]) -> tuple[Flow, ...]:
    """The same flows, each with those that it calls. There must be no circle."""
    by_name = {flow.name: flow for flow in flows}
    done: dict[str, Flow] = {}

    def link(flow: Flow) -> Flow:
        if flow.name not in done:
            done[flow.name] = replace(flow, calls={name: link(by_name[name]) for name in _called_by(flow)})
        return done[flow.name]

    return tuple(map(link, flows))


def _called_by(flow: Flow) -> list[str]:
    names = [
        str(mention.value)
        for step in flow.steps.values()
        for mention in mentions(step.does)
        if mention.what and mention.what.kind == "flow"
    ]
    return list(dict.fromkeys(names))


def _gives(draft: Draft) -> frozenset[str] | None:
    """What every way back gives; None where there is no way back."""
    given = [gives for step in draft.steps.values() if step.does and (gives := step.does.gives()) is not None]
    return frozenset.intersection(*given) if given else None


def _wrong(
    draft: Draft, name: str, known: Mapping[str, FlowFacts], calls: Mapping[str, Mapping[str, object]]
) -> Iterator[str]:
    if circle := _way(calls, name, draft.name):
        yield f"the flows call each other without end: {' -> '.join([draft.name, *circle])}"
        return
    if (facts := known.get(name)) is None:
        return
    if facts.gives is None and draft.name != name:
        yield f"the flow '{name}' never comes back; lead it to a step {{return: {{}}}}"
    missing = [language for language in (draft.head.languages if draft.head else ()) if language not in facts.languages]
    if missing:
        yield f"the flow '{name}' does not speak {choices(missing)}"


def _way(calls: Mapping[str, Mapping[str, object]], start: str, goal: str) -> list[str]:
    """A way from one flow by calls to another; empty when there is none."""
    came: dict[str, str] = {start: ""}
    waiting = [start]
    for name in waiting:
        if name == goal:
            way = [name]
            while came[way[0]]:
                way.insert(0, came[way[0]])
            return way
        for target in calls.get(name, ()):
            if target not in came:
                came[target] = name
                waiting.append(target)
    return []
