"""No bytes and no event of a switch bring us down: the same targets that `make fuzz` searches for a million inputs."""

import pytest
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


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=120))
def test_no_event_of_asterisk_raises_anything(data):
    hostile_bytes.ari_event(data)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"type": []}', b"{" * 100_000, b'{"type": "StasisStart"}']
)
def test_no_text_in_place_of_an_event_raises_anything(data):
    hostile_bytes.ari(data)
