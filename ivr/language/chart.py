"""A flow as boxes and arrows: what `graph` draws, as Mermaid text here and as SVG in `drawing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.language.flow import REPEAT
from ivr.language.phrases import Prompt
from ivr.language.reader import Draft, DraftStep
from ivr.step import HANG_UP

END = "hang up"  # the box for exits that end the call
ABOUT = 34  # characters of what a step is about


@dataclass(frozen=True, slots=True)
class Box:
    """A step: its verb, and a word on what it is about. `known` is False for a step that is only named."""

    name: str
    verb: str
    about: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from one box to another, with the exits or keys that lead there."""

    start: str
    to: str
    exits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`start` is the first box; `anywhere` are the boxes that keys (or "failed") lead to from every step."""

    title: str
    start: str
    boxes: Mapping[str, Box]
    arrows: tuple[Arrow, ...]
    anywhere: Mapping[str, str]


def chart(draft: Draft) -> Chart:
    """The chart of a flow as far as it was understood; steps that are named and not there are drawn too."""
    boxes = {step.name: Box(step.name, step.verb, _about(step)) for step in draft.steps.values()}
    arrows = []
    for step in draft.steps.values():
        ways: dict[str, list[str]] = {}
        for exit, (target, _) in step.targets.items():
            ways.setdefault(END if target == HANG_UP else target, []).append(exit)
        arrows += [Arrow(step.name, target, tuple(exits)) for target, exits in ways.items()]
    head = draft.head
    anywhere = {} if head is None else {key: target for key, target in head.keys.items() if target != REPEAT}
    if head is not None and head.failed:
        anywhere["failed"] = head.failed
    start = head.start if head else next(iter(boxes), "")
    for name in (start, *(arrow.to for arrow in arrows), *anywhere.values()):
        boxes.setdefault(name, Box(name, "" if name == END else "?", known=name == END))
    return Chart(draft.name, start, boxes, tuple(arrows), anywhere)


def mermaid(chart: Chart) -> str:
    """The chart in Mermaid's language, which many wikis and code hosts draw."""
    ids = {name: f"s{number}" for number, name in enumerate(chart.boxes)}
    lines = ["flowchart TD", f"  start(({_quoted('call')})) --> {ids[chart.start]}"]
    for box in chart.boxes.values():
        lines.append(f"  {ids[box.name]}{_shape(box)}")
    for arrow in chart.arrows:
        lines.append(f"  {ids[arrow.start]} -- {_quoted(', '.join(arrow.exits))} --> {ids[arrow.to]}")
    for key, target in chart.anywhere.items():
        lines.append(f"  any((anywhere)) -. {_quoted(key)} .-> {ids[target]}")
    missing = [ids[box.name] for box in chart.boxes.values() if not box.known]
    lines += [f"  style {name} stroke:#c00,stroke-dasharray:4" for name in missing]
    return "\n".join(lines) + "\n"


def _about(step: DraftStep) -> str:
    """The first thing that a step says or names, but for other steps."""
    for mention in step.mentions:
        named = mention.what.kind if mention.what else ""
        match mention.value:
            case Prompt(id=prompt):
                return prompt
            case str(name) if named not in {"step", "variable"}:
                return name[:ABOUT]
    return ""


def _shape(box: Box) -> str:
    if box.name == END or box.verb == "hangup":
        return f"([{_quoted(box.name)}])"
    about = " ".join(filter(None, (box.verb, box.about)))
    text = f"<b>{_escaped(box.name)}</b><br/>{_escaped(about)}"
    return f'{{{{"{text}"}}}}' if box.verb in {"menu", "branch", "hours"} else f'["{text}"]'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    for sign, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(sign, code)
    return text
