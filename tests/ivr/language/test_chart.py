"""A flow drawn: every step is there once, arrows go down, ways back stand in the boxes, and mistakes are seen."""

import re
import xml.etree.ElementTree as ET

from config.document import parse
from ivr.language.chart import END, chart, mermaid
from ivr.language.drawing import svg
from ivr.language.reader import read
from tests.effort import effort
from tests.ivr.language.slips import FLOW
from tests.ivr.language.test_long_flows import long_flow

SVG = "{http://www.w3.org/2000/svg}"


def charted(text):
    document, _ = parse(text, "flows/hotline.yaml")
    return chart(read(document))


def drawn(text):
    """The boxes of a drawing by their steps: left, top, right, bottom and texts."""
    root = ET.fromstring(svg(charted(text)))
    boxes = {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect").attrib
        x, y, width, height = (float(rect[name]) for name in ("x", "y", "width", "height"))
        texts = ["".join(one.itertext()) for one in group.iter(f"{SVG}text")]
        boxes[group.attrib["id"].removeprefix("step-")] = (x, y, x + width, y + height, texts, rect)
    return root, boxes


def test_every_step_has_a_box_with_its_verb_and_what_it_is_about():
    _, boxes = drawn(FLOW)
    assert boxes.keys() == charted(FLOW).boxes.keys()
    assert boxes["main"][4] == ["main", "menu main-menu"]
    assert boxes["find-order"][4] == ["find-order", "lookup order_by_number", "failed ↑ agent"]


def test_no_box_lies_over_another_and_all_are_on_the_page():
    root, boxes = drawn(FLOW)
    places = [box[:4] for box in boxes.values()]
    for number, (left, top, right, bottom) in enumerate(places):
        assert 0 <= left < right <= float(root.attrib["width"])
        assert 0 <= top < bottom <= float(root.attrib["height"])
        for other in places[number + 1 :]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_arrows_go_down_and_ways_back_are_links():
    root, boxes = drawn(FLOW)
    for path in root.iter(f"{SVG}path"):
        if found := re.match(r"M[\d.]+,([\d.]+) C.* [\d.]+,([\d.]+)$", path.attrib["d"]):
            assert float(found[1]) < float(found[2])
    links = {link.attrib["href"] for link in root.iter(f"{SVG}a")}
    assert "#step-main" in links
    assert {link.removeprefix("#step-") for link in links} <= boxes.keys()


def test_exits_that_end_the_call_lead_to_a_box_of_their_own():
    text = FLOW.replace("    answered: goodbye                   # after the agent has left\n", "")
    assert END in drawn(text)[1]
    assert END not in drawn(FLOW)[1]


def test_a_step_that_is_only_named_is_seen():
    _, boxes = drawn(FLOW.replace('"1": track,', '"1": trak,'))
    assert boxes["trak"][5]["stroke-dasharray"]
    assert "stroke-dasharray" not in boxes["track"][5]


def test_what_a_flow_contains_is_text_and_never_markup():
    text = FLOW.replace("welcome:", '"<script>&amp;\\"x":').replace("start: welcome", 'start: "<script>&amp;\\"x"')
    root, boxes = drawn(text)
    assert '<script>&amp;"x' in boxes
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in mermaid(charted(text))


def test_mermaid_has_every_step_and_every_way():
    text = mermaid(charted(FLOW))
    found = charted(FLOW)
    names = dict(re.findall(r'^  (s\d+)[\[{("]+(?:<b>)?([\w-]+)', text, re.MULTILINE))
    ways = re.findall(r'^  (s\d+) -- "(.+)" --> (s\d+)$', text, re.MULTILINE)
    assert set(names.values()) == found.boxes.keys()
    assert [(names[a], names[b], exits) for a, exits, b in ways] == [
        (arrow.start, arrow.to, ", ".join(arrow.exits)) for arrow in found.arrows
    ]
    assert re.search(r'any\(\(anywhere\)\) -\. "0" \.-> s\d+', text)


def test_a_flow_with_one_step_and_one_with_very_many_are_drawn():
    assert list(drawn("steps: {a: {goto: a}}")[1]) == ["a"]
    assert len(drawn(long_flow(500))[1]) == 501


def test_four_times_the_steps_take_about_four_times_the_work():
    drawn(long_flow(10))  # what is made once
    assert effort(lambda: drawn(long_flow(400))) < 6 * effort(lambda: drawn(long_flow(100)))
