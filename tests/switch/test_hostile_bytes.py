"""No bytes and no event of a switch bring us down: the same targets that `make fuzz` searches for a million inputs."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.switch import hostile_bytes

WORDS = [b"Content-Length: ", b"Content-Type: ", b"text/event-plain", b"api/response", b"text/disconnect-notice"]
WORDS += [b"\n", b"\n\n", b"\r\n", b"7", b"-1", b"0x10", b"99999999999", b"%0A", b"\xe2\x80\xa8", b"\0", b"Unique-ID: "]
STREAMS = st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=40).map(b"".join)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(STREAMS, st.integers(1, 17))
def test_framing_takes_any_bytes_however_they_are_cut(stream, pieces):
    hostile_bytes.esl(stream, pieces)


TYPES = sorted(hostile_bytes.Switch().asterisk._handlers)
IDS = st.sampled_from(["a", "b", "1700000000.1", "hotline-play-a-1", "hotline-bridge-a-2", ""])
ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=3)
CHANNEL = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS | ODD,
        "state": st.sampled_from(["Up", "Ring", "Down"]) | ODD,
        "caller": st.fixed_dictionaries({}, optional={"number": st.text(max_size=5) | ODD, "name": ODD}) | ODD,
        "channelvars": st.dictionaries(st.sampled_from(["HOTLINE", "HOTLINE_DIALLED"]), st.text(max_size=9)) | ODD,
    },
)
THING = st.fixed_dictionaries(
    {}, optional={"id": IDS | ODD, "name": IDS | ODD, "state": ODD, "target_uri": IDS.map("channel:{}".format) | ODD}
)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={
        "channel": CHANNEL | ODD,
        "args": st.lists(st.sampled_from(["call", "dialled", "snoop", "1000"]), max_size=3) | ODD,
        "digit": ODD,
        "cause": ODD,
        "playback": THING | ODD,
        "recording": THING | ODD,
        "bridge": st.fixed_dictionaries({}, optional={"id": IDS, "channels": st.lists(IDS, max_size=3)}) | ODD,
    },
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(EVENTS, min_size=1, max_size=6))
def test_no_event_of_asterisk_raises_anything(events):
    for event in events:
        hostile_bytes.ari(json.dumps(event))
