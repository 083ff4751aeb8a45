"""A day as a picture: panels one below the other over the same hours, as SVG that any browser shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from xml.etree import ElementTree as Xml

BLUE, RED, SAND, GREEN, PURPLE, GREY, INK = "#4477aa", "#cc6677", "#ddcc77", "#228833", "#aa3377", "#999999", "#222222"
COLOURS = (BLUE, RED, GREEN, PURPLE, "#66ccee", "#ee8866", "#bbaa22", INK)

WIDTH = 960
LEFT, RIGHT = 64, 20
PANEL, GAP, TOP, BOTTOM = 150, 56, 68, 34
MOST_LABELS = 13


@dataclass(frozen=True, slots=True)
class Bars:
    """One value for each interval, standing on the bars before it."""

    name: str
    colour: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Curve:
    """One value for each interval, None where there is none; `low` and `high` are what it may be as well."""

    name: str
    colour: str
    values: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """A goal that holds all day."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Panel:
    """`most`: the top of the scale where it is fixed; `write`: how a value of the scale is written."""

    title: str
    marks: Sequence[Bars | Curve | Level]
    most: float | None = None
    write: Callable[[float], str] = "{:g}".format


class _Frame(NamedTuple):
    """Where one panel stands, and its scale."""

    top: float
    most: float
    slots: int

    def x(self, slot: float) -> float:
        return LEFT + slot / self.slots * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.top + PANEL * (1 - min(value, self.most) / self.most)


def draw(title: str, times: Sequence[datetime], panels: Sequence[Panel]) -> str:
    """The picture of panels whose values belong to the intervals that begin at `times`."""
    height = TOP + len(panels) * (PANEL + GAP) - GAP + BOTTOM
    picture = Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height}",
            "width": str(WIDTH),
            "height": str(height),
            "font-family": "Helvetica, Arial, sans-serif",
            "font-size": "12",
            "role": "img",
        },
    )
    Xml.SubElement(picture, "title").text = title
    _shape(picture, "rect", x=0, y=0, width=WIDTH, height=height, fill="white")
    _text(picture, LEFT, 24, title, size=16, weight="bold")
    for number, panel in enumerate(panels):
        top = TOP + number * (PANEL + GAP)
        frame = _Frame(top, panel.most or _round_up(_highest(panel)), max(1, len(times)))
        _scale(picture, panel, frame, times)
        for mark in _bottom_up(panel.marks):
            _mark(picture, mark, frame)
        _legend(picture, panel, frame)
    return Xml.tostring(picture, encoding="unicode") + "\n"


# --- scales -----------------------------------------------------------------------------------------


def _highest(panel: Panel) -> float:
    bars = [mark.values for mark in panel.marks if isinstance(mark, Bars)]
    found = [sum(stack) for stack in zip(*bars, strict=True)]
    for mark in panel.marks:
        if isinstance(mark, Curve):
            found += [value for value in (*mark.values, *mark.high) if value is not None]
        elif isinstance(mark, Level):
            found.append(mark.value)
    return max(found, default=0.0)


def _step(most: float, parts: int = 4) -> float:
    """1, 2 or 5 times a power of ten: the finest that divides the scale into about so many parts."""
    rough = most / parts
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)


def _round_up(most: float) -> float:
    if most <= 0:
        return 1.0
    step = _step(most)
    return math.ceil(most / step * 0.999) * step


def _scale(picture: Xml.Element, panel: Panel, frame: _Frame, times: Sequence[datetime]) -> None:
    _text(picture, LEFT, frame.top - 10, panel.title, weight="bold")
    step = _step(frame.most)
    for number in range(round(frame.most / step) + 1):
        y = frame.y(number * step)
        _shape(picture, "line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, stroke="#dddddd" if number else INK)
        _text(picture, LEFT - 8, y + 4, panel.write(number * step), anchor="end")
    for slot, words in _hours(times):
        x = frame.x(slot)
        _shape(picture, "line", x1=x, x2=x, y1=frame.top + PANEL, y2=frame.top + PANEL + 4, stroke=INK)
        _text(picture, x, frame.top + PANEL + 17, words, anchor="middle")


def _hours(times: Sequence[datetime]) -> Iterator[tuple[int, str]]:
    """The intervals that are labelled: whole hours, or as many of them as there is room for."""
    whole = [slot for slot, time in enumerate(times) if time.minute == 0 and time.second == 0] or [0]
    every = next(n for n in (1, 2, 3, 4, 6, 12, 24, len(whole)) if len(whole) / n <= MOST_LABELS)
    days = {time.date() for time in times}
    for slot in whole[::every]:
        if slot < len(times):
            yield slot, f"{times[slot]:%H:%M}" if len(days) == 1 else f"{times[slot]:%d. %H:%M}"


# --- marks ------------------------------------------------------------------------------------------


def _bottom_up(marks: Sequence[Bars | Curve | Level]) -> Iterator[Bars | Curve | Level | tuple[Bars, Sequence[float]]]:
    """Bars first, each with what it stands on, then what is drawn over them."""
    below: Sequence[float] = ()
    for mark in marks:
        if isinstance(mark, Bars):
            ground = below or [0.0] * len(mark.values)
            yield mark, ground
            below = [low + value for low, value in zip(ground, mark.values, strict=True)]
    yield from (mark for mark in marks if not isinstance(mark, Bars))


def _mark(picture: Xml.Element, mark: Bars | Curve | Level | tuple[Bars, Sequence[float]], frame: _Frame) -> None:
    match mark:
        case (Bars() as bars, ground):
            for slot, (low, value) in enumerate(zip(ground, bars.values, strict=True)):
                if value > 0:
                    _bar(picture, bars.colour, frame, (slot, low, low + value))
        case Curve():
            _band(picture, mark, frame)
            _curve(picture, mark, frame)
        case Level():
            y = frame.y(mark.value)
            _shape(picture, "line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, stroke=GREY, **{"stroke-dasharray": "5 4"})


def _bar(picture: Xml.Element, colour: str, frame: _Frame, place: tuple[int, float, float]) -> None:
    slot, low, high = place
    x, y = frame.x(slot + 0.1), frame.y(high)
    _shape(picture, "rect", x=x, y=y, width=frame.x(slot + 0.9) - x, height=frame.y(low) - y, fill=colour)


def _curve(picture: Xml.Element, curve: Curve, frame: _Frame) -> None:
    for run in _runs(curve.values):
        points = " ".join(f"{frame.x(slot + 0.5):.1f},{frame.y(value):.1f}" for slot, value in run)
        if len(run) > 1:
            _shape(picture, "polyline", points=points, fill="none", stroke=curve.colour, **{"stroke-width": "2"})
        else:
            slot, value = run[0]
            _shape(picture, "circle", cx=frame.x(slot + 0.5), cy=frame.y(value), r=2.5, fill=curve.colour)


def _band(picture: Xml.Element, curve: Curve, frame: _Frame) -> None:
    for run in _runs(curve.low):
        upper = [(slot, curve.high[slot]) for slot, _ in reversed(run)]
        points = [*run, *((slot, value) for slot, value in upper if value is not None)]
        drawn = " ".join(f"{frame.x(slot + 0.5):.1f},{frame.y(max(0.0, value)):.1f}" for slot, value in points)
        _shape(picture, "polygon", points=drawn, fill=curve.colour, **{"fill-opacity": "0.18"})


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """The values that stand side by side, with their places."""
    run: list[tuple[int, float]] = []
    for slot, value in enumerate([*values, None]):
        if value is not None:
            run.append((slot, value))
        elif run:
            yield run
            run = []


def _legend(picture: Xml.Element, panel: Panel, frame: _Frame) -> None:
    """The names of the marks at the right, above the panel."""
    x = float(WIDTH - RIGHT)
    for mark in reversed(panel.marks):
        x -= 7.0 * len(mark.name)
        _text(picture, x, frame.top - 10, mark.name)
        colour = GREY if isinstance(mark, Level) else mark.colour
        _shape(picture, "rect", x=x - 16, y=frame.top - 20, width=11, height=11, fill=colour)
        x -= 30


def _text(
    picture: Xml.Element,
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 12,
    weight: str = "normal",
) -> None:
    element = Xml.SubElement(
        picture,
        "text",
        {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": INK, "text-anchor": anchor},
    )
    if size != 12:
        element.set("font-size", str(size))
    if weight != "normal":
        element.set("font-weight", weight)
    element.text = words


def _shape(picture: Xml.Element, kind: str, **facts: float | str) -> None:
    plain = {name: value if isinstance(value, str) else f"{value:.1f}" for name, value in facts.items()}
    Xml.SubElement(picture, kind, plain)
