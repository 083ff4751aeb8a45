import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech import wire


def taking(content, most=1 << 30):
    stream = io.BytesIO(content)
    return lambda size: stream.read(min(size, most))


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4),
    st.binary(max_size=300),
    st.integers(1, 100),
)
def test_a_frame_arrives_whole_however_it_is_cut_up(header, body, most):
    header.pop("bytes", None)
    got, rest = wire.read(taking(wire.frame(header, body) + b"next", most))
    assert got == {**header, "bytes": len(body)}
    assert rest == body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0",
        b"\0\0\0\5abc",
        b"\xff\xff\xff\xff" + b"x" * 100,
        b"\0\0\0\3abc",
        b"\0\0\0\2{}",
        b"\0\0\0\2[]",
        b'\0\0\0\x0d{"bytes": -1}',
        b'\0\0\0\x0e{"bytes": "9"}',
        b'\0\0\0\x19{"bytes": 99999999999999}',
        b'\0\0\0\x0c{"bytes": 5}abc',
    ],
)
def test_a_broken_stream_is_known_as_such(content):
    with pytest.raises(wire.Broken):
        wire.read(taking(content))


@given(st.binary(max_size=300))
def test_no_bytes_do_worse_than_break_the_stream(content):
    try:
        wire.read(taking(content))
    except wire.Broken:
        return
