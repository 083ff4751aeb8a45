"""A chart as SVG: steps in rows by their distance from the start, arrows down, and ways back written into the box.

Flows lead back to their menu from everywhere. Arrows for that would cover the page; so an exit that leads up or
sideways is a line in the box (``next ↑ main``), and is a link to the other box where the SVG is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from ivr.language.chart import END, Arrow, Box, Chart

CHAR, BOLD, LINE = 6.8, 7.8, 15.0  # widths of a Latin letter and height of a line, in pixels
PAD, GAP, ROW, MARGIN = 10.0, 22.0, 62.0, 24.0
SWEEPS = 8
COLOURS = {
    "talk": ("#eef5ff", "#4a7ab5"),
    "choice": ("#fff7e0", "#b58a2a"),
    "data": ("#f0f8ee", "#5c9a4a"),
    "people": ("#fbeefc", "#9a4aa3"),
    "end": ("#f3f3f3", "#777777"),
    "other": ("#ffffff", "#777777"),
    "missing": ("#fff0f0", "#cc0000"),
}
KINDS = {
    "talk": ("say", "collect", "voicemail", "mailbox", "record", "language"),
    "choice": ("menu", "branch", "hours", "goto"),
    "data": ("lookup", "save", "http", "set"),
    "people": ("queue", "transfer", "call"),
    "end": ("hangup", "return"),
}


@dataclass(slots=True)
class _Placed:
    """A box on the page: its row, its middle, its size and its lines."""

    box: Box
    row: int
    lines: list[str]
    back: list[Arrow] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        texts = [*self.lines, *map(_way_back, self.back)]
        return max(_length(self.box.name) * BOLD, *(_length(text) * CHAR for text in texts), 30) + 2 * PAD

    @property
    def height(self) -> float:
        return (1 + len(self.lines) + len(self.back)) * LINE + 2 * PAD - 6


def svg(chart: Chart) -> str:
    """The chart as one SVG document, without scripts and without anything from elsewhere."""
    rows = _rows(chart)
    placed = {
        name: _Placed(box, rows[name], [" ".join(filter(None, (box.verb, box.about)))] if box.verb else [])
        for name, box in chart.boxes.items()
    }
    down: list[Arrow] = []
    for arrow in chart.arrows:
        if rows[arrow.to] > rows[arrow.start]:
            down.append(arrow)
        else:
            placed[arrow.start].back.append(arrow)
    layers = _ordered(placed, down)
    _place(layers, down, placed)
    return _document(chart, placed, down)


def _rows(chart: Chart) -> dict[str, int]:
    """The row of each box: its distance from the start; what nothing leads to stands below all others."""
    after: dict[str, list[str]] = {}
    for arrow in chart.arrows:
        after.setdefault(arrow.start, []).append(arrow.to)
    rows = {chart.start: 0}
    waiting = [chart.start]
    for root in (*chart.anywhere.values(), *chart.boxes):
        for name in waiting:
            for target in after.get(name, ()):
                if target not in rows:
                    rows[target] = rows[name] + 1
                    waiting.append(target)
        if root not in rows:
            rows[root] = 1 if root in chart.anywhere.values() else max(rows.values()) + 1
            waiting = [root]
    if END in rows:
        rows[END] = max(rows.values()) + (max(rows, key=lambda name: rows[name]) != END)
    return rows


def _ordered(placed: Mapping[str, _Placed], down: Sequence[Arrow]) -> list[list[_Placed]]:
    """The rows, each in an order in which few arrows cross: by the mean place of what leads to a box and follows it."""
    layers: list[list[_Placed]] = [[] for _ in range(max(one.row for one in placed.values()) + 1)]
    for one in placed.values():
        layers[one.row].append(one)
    above, below = _neighbours(down)
    place = {one.box.name: float(number) for layer in layers for number, one in enumerate(layer)}
    for sweep in range(SWEEPS):
        sides, order = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        for layer in order:
            wanted = {one.box.name: _mean(_places(sides, place, one), place[one.box.name]) for one in layer}
            layer.sort(key=lambda one: wanted[one.box.name])
            place.update({one.box.name: number / max(1, len(layer) - 1) for number, one in enumerate(layer)})
    return [layer for layer in layers if layer]


def _places(sides: Mapping[str, list[str]], place: Mapping[str, float], one: _Placed) -> list[float]:
    return [place[name] for name in sides.get(one.box.name, ())]


def _place(layers: Sequence[list[_Placed]], down: Sequence[Arrow], placed: Mapping[str, _Placed]) -> None:
    """Boxes near the middle of what leads to them, none over another."""
    above, below = _neighbours(down)
    y = MARGIN + 3 * LINE
    for layer in layers:
        x = 0.0
        for one in layer:
            one.x, one.y = x + one.width / 2, y
            x += one.width + GAP
        y += max(one.height for one in layer) + ROW
    for sweep in range(SWEEPS):
        sides, order = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        for layer in order:
            _pull(layer, [_mean([placed[name].x for name in sides.get(one.box.name, ())], one.x) for one in layer])
    left = min(one.x - one.width / 2 for one in placed.values())
    for one in placed.values():
        one.x += MARGIN - left


def _pull(layer: Sequence[_Placed], wanted: Sequence[float]) -> None:
    """Moves a row's boxes to where they are wanted as far as those beside them allow, the row as a whole unmoved."""
    right = float("-inf")
    for one, x in zip(layer, wanted, strict=True):
        one.x = max(x, right + one.width / 2)
        right = one.x + one.width / 2 + GAP
    shift = sum(x - one.x for one, x in zip(layer, wanted, strict=True)) / len(layer)
    for one in layer:
        one.x += shift


def _neighbours(down: Sequence[Arrow]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for arrow in down:
        above.setdefault(arrow.to, []).append(arrow.start)
        below.setdefault(arrow.start, []).append(arrow.to)
    return above, below


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


# --- the document ----------------------------------------------------------------------------------


def _document(chart: Chart, placed: Mapping[str, _Placed], down: Sequence[Arrow]) -> str:
    width = max(one.x + one.width / 2 for one in placed.values()) + MARGIN
    height = max(one.y + one.height for one in placed.values()) + MARGIN
    anywhere = ", ".join(f"{key} → {target}" for key, target in chart.anywhere.items())
    head = f"{chart.title}{f'   anywhere: {anywhere}' if anywhere else ''}"
    width = max(width, _length(head) * CHAR + 2 * MARGIN)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#666"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
        f'<text x="{MARGIN:.0f}" y="{MARGIN:.0f}" font-size="14">{escape(head)}</text>',
        *(_arrow(arrow, placed) for arrow in down),
        *(_box(one) for one in placed.values()),
        *(_label(arrow, placed) for arrow in down),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _ends(arrow: Arrow, placed: Mapping[str, _Placed]) -> tuple[float, float, float, float]:
    start, to = placed[arrow.start], placed[arrow.to]
    return (
        start.x + _lean(start, (to.x - start.x) / 6),
        start.y + start.height,
        to.x + _lean(to, (start.x - to.x) / 6),
        to.y,
    )


def _lean(one: _Placed, wanted: float) -> float:
    """How far from a box's middle an arrow begins or ends, so that several do not meet in one point."""
    room = one.width / 3
    return max(-room, min(room, wanted))


def _arrow(arrow: Arrow, placed: Mapping[str, _Placed]) -> str:
    x1, y1, x2, y2 = _ends(arrow, placed)
    bend = min(ROW, (y2 - y1) / 2)
    return (
        f'<path d="M{x1:.0f},{y1:.0f} C{x1:.0f},{y1 + bend:.0f} {x2:.0f},{y2 - bend:.0f} {x2:.0f},{y2:.0f}"'
        ' fill="none" stroke="#666" marker-end="url(#tip)"/>'
    )


def _label(arrow: Arrow, placed: Mapping[str, _Placed]) -> str:
    """The exits, on the first part of the arrow, where those of other arrows are still beside it."""
    x1, y1, x2, y2 = _ends(arrow, placed)
    bend, part = min(ROW, (y2 - y1) / 2), 0.68
    x = _curve(x1, x1, x2, x2, part)
    y = _curve(y1, y1 + bend, y2 - bend, y2, part)
    text = ", ".join(arrow.exits)
    width = _length(text) * 5.6 + 4
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - 7:.0f}" width="{width:.0f}" height="13" fill="white" opacity="0.85"/>'
        f'<text x="{x:.0f}" y="{y + 3:.0f}" font-size="10" text-anchor="middle" fill="#444">{escape(text)}</text>'
    )


def _curve(a: float, b: float, c: float, d: float, t: float) -> float:
    return a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t**2 * (1 - t) + d * t**3


def _box(one: _Placed) -> str:
    fill, stroke = COLOURS[_kind(one.box)]
    left, y = one.x - one.width / 2, one.y + PAD + 8
    round_ = 16 if one.box.verb in KINDS["end"] or one.box.name == END else 5
    dashed = "" if one.box.known else ' stroke-dasharray="4"'
    rect = (
        f'<rect x="{left:.0f}" y="{one.y:.0f}" width="{one.width:.0f}" height="{one.height:.0f}" rx="{round_}"'
        f' fill="{fill}" stroke="{stroke}"{dashed}/>'
    )
    texts = [_text(one.x, y, one.box.name, "bold")]
    texts += [_text(one.x, y + LINE * (number + 1), line) for number, line in enumerate(one.lines)]
    y += LINE * (1 + len(one.lines))
    for number, arrow in enumerate(one.back):
        way = _text(one.x, y + LINE * number, _way_back(arrow), colour="#06c")
        texts.append(f"<a href={quoteattr('#step-' + arrow.to)}>{way}</a>")
    return f"<g id={quoteattr('step-' + one.box.name)}>{rect}{''.join(texts)}</g>"


def _text(x: float, y: float, text: str, weight: str = "normal", colour: str = "#222") -> str:
    style = f'text-anchor="middle" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.0f}" y="{y:.0f}" {style}>{escape(text)}</text>'


def _way_back(arrow: Arrow) -> str:
    return f"{', '.join(arrow.exits)} ↑ {arrow.to}"


def _kind(box: Box) -> str:
    if not box.known:
        return "missing"
    if box.name == END:
        return "end"
    return next((kind for kind, verbs in KINDS.items() if box.verb in verbs), "other")


def _length(text: str) -> int:
    """In Latin letters; Chinese ones are twice as wide."""
    return sum(2 if ord(sign) >= 0x2E80 else 1 for sign in text)
