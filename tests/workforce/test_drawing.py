"""A day as a picture: what stands where, read from the SVG itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.etree import ElementTree as Xml

from workforce.drawing import BLUE, RED, Bars, Curve, Level, Panel, draw

NINE = datetime(2026, 11, 23, 9, 0)
SVG = "{http://www.w3.org/2000/svg}"


def times(count: int, minutes: int = 15) -> list[datetime]:
    return [NINE + timedelta(minutes=minutes * number) for number in range(count)]


def drawn(*marks: Bars | Curve | Level, count: int = 4, **panel: object) -> Xml.Element:
    return Xml.fromstring(draw("A day", times(count), [Panel("Calls", marks, **panel)]))


def shapes(picture: Xml.Element, kind: str, colour: str = "") -> list[Xml.Element]:
    found = picture.findall(f"{SVG}{kind}")
    return [each for each in found if not colour or colour in (each.get("fill"), each.get("stroke"))]


def bars(picture: Xml.Element, colour: str) -> list[tuple[float, float]]:
    """Where each bar ends and how high it is, without the legend's square."""
    found = [(float(each.get("y", 0)), float(each.get("height", 0))) for each in shapes(picture, "rect", colour)]
    return found[:-1]


def test_bars_stand_on_each_other_and_are_as_high_as_their_values():
    picture = drawn(Bars("answered", BLUE, [10, 20, 0, 5]), Bars("abandoned", RED, [10, 0, 0, 5]))
    blue, red = bars(picture, BLUE), bars(picture, RED)
    assert [round(height / blue[0][1], 2) for _, height in blue] == [1, 2, 0.5]
    assert red[0][0] + red[0][1] == blue[0][0]
    assert red[0][1] == blue[0][1]


def test_a_curve_has_a_gap_where_there_is_no_value():
    picture = drawn(Curve("level", BLUE, [0.5, 0.6, None, 0.7]), most=1.0)
    (line,) = shapes(picture, "polyline", BLUE)
    assert len(line.get("points", "").split()) == 2
    assert len(shapes(picture, "circle", BLUE)) == 1


def test_what_a_value_may_be_as_well_is_a_band_around_it():
    picture = drawn(Curve("level", BLUE, [0.5, 0.6], [0.4, 0.5], [0.6, 0.7]), count=2, most=1.0)
    (band,) = shapes(picture, "polygon", BLUE)
    heights = [float(point.split(",")[1]) for point in band.get("points", "").split()]
    line = [float(point.split(",")[1]) for point in shapes(picture, "polyline")[0].get("points", "").split()]
    assert heights[0] > line[0] > heights[3]
    assert heights[1] > line[1] > heights[2]


def test_scales_are_round_numbers_and_hours_are_labelled():
    words = [each.text for each in shapes(drawn(Bars("calls", BLUE, [87, 3, 3, 3, 3]), count=5), "text")]
    assert [each for each in words if each and each.isdigit()] == ["0", "50", "100"]
    assert [each for each in words if each and ":" in each] == ["09:00", "10:00"]


def test_a_long_span_has_no_more_labels_than_room():
    picture = Xml.fromstring(draw("A week", times(24 * 7, 60), [Panel("Calls", [Bars("calls", BLUE, [1] * 168)])]))
    labels = [each.text for each in shapes(picture, "text") if each.text and ":" in each.text]
    assert 4 <= len(labels) <= 14
    assert labels[0] == "23. 09:00"


def test_nothing_at_all_is_a_picture_too():
    assert shapes(drawn(Bars("calls", BLUE, [0]), count=1), "text")
    assert shapes(Xml.fromstring(draw("Nothing", times(1), [])), "text")[0].text == "Nothing"


def test_names_are_shown_as_they_are():
    picture = drawn(Level('<b>&"goal"', 0.8), most=1.0)
    assert '<b>&"goal"' in [each.text for each in shapes(picture, "text")]
