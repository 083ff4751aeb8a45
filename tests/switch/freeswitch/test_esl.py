"""The event socket's framing: real bytes in any pieces, garbage of any kind, and what may be said."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.freeswitch import esl

CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.raw"))
SMALL = [path for path in CAPTURES if path.stat().st_size < 120_000]


def messages(*pieces: bytes) -> list[tuple[bytes, bytes, bytes]]:
    framing = esl.Framing()
    found = []
    for piece in pieces:
        framing.feed(piece)
        found += [(message.kind, message._lines, message.body) for message in framing]
    return found


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_every_captured_byte_belongs_to_a_message(capture):
    framing = esl.Framing()
    framing.feed(capture.read_bytes())
    found = list(framing)
    assert len(found) > 2
    assert not len(framing)
    for message in found:
        assert not message.is_event or message.event().name


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(SMALL), st.data())
def test_any_split_of_the_stream_gives_the_same_messages(capture, data):
    stream = capture.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    edges = [0, *cuts, len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    assert messages(*pieces) == messages(stream)


def test_memory_for_a_long_message_is_given_back():
    framing = esl.Framing()
    long = b"Content-Type: api/response\nContent-Length: 5000000\n\n" + b"x" * 5_000_000
    for at in range(0, len(long), 60_000):
        framing.feed(long[at : at + 60_000])
    assert [len(message.body) for message in framing] == [5_000_000]
    for _ in range(2_000):
        framing.feed(b"Content-Type: command/reply\nReply-Text: +OK\n\n" * 100)
        assert len(list(framing)) == 100
    assert len(framing._buffer) < 100_000


def test_byte_by_byte_gives_the_same_messages():
    stream = (Path(__file__).parent / "captures" / "09-command-replies.raw").read_bytes()
    assert messages(*(stream[at : at + 1] for at in range(len(stream)))) == messages(stream)


WORDS = [b"Content-Length: ", b"Content-Type: ", b"command/reply", b"-1", b"99999999999", b"%0A", b"\xe2\x80\xa8"]
PIECES = [*WORDS, b"\n", b"\n\n", b":", b": ", b"\xff\x00"]


@settings(deadline=None, max_examples=400)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=60))
def test_garbage_gives_messages_or_a_protocol_error_and_nothing_else(pieces):
    framing = esl.Framing(longest_head=200, longest_body=300)
    try:
        for piece in pieces:
            framing.feed(piece)
            for message in framing:
                event = message.event()
                assert isinstance(event["Event-Name"] + message.answer + event.name, str)
                assert isinstance(event.startingwith("variable_"), dict)
    except esl.ProtocolError:
        with pytest.raises(esl.ProtocolError):
            framing.next()
    assert len(framing) <= 200 + 300 + 2 * 20


@pytest.mark.parametrize(
    "length", [b"-1", b"+1", b"1e3", b"0x10", b"", b" 5", b"\xc2\xb2", b"99999999999999999999", b"16777217", b"5\r"]
)
def test_a_length_that_is_none_or_too_much_ends_the_stream(length):
    framing = esl.Framing()
    framing.feed(b"Content-Type: text/event-plain\nContent-Length: %b\n\nbody" % length)
    with pytest.raises(esl.ProtocolError):
        framing.next()


def test_two_lengths_that_differ_end_the_stream():
    framing = esl.Framing()
    framing.feed(b"Content-Length: 1\nContent-Type: api/response\nContent-Length: 2\n\nxx")
    with pytest.raises(esl.ProtocolError):
        framing.next()


def test_a_head_without_end_is_given_up():
    framing = esl.Framing(longest_head=1000)
    framing.feed(b"a: b\n" * 200)
    assert framing.next() is None
    framing.feed(b"c")
    with pytest.raises(esl.ProtocolError):
        framing.next()


def event(**headers: bytes) -> esl.Event:
    return esl.Event(b"".join(b"%b: %b\n" % (name.encode(), value) for name, value in headers.items()) + b"\n")


def test_what_a_caller_sent_never_becomes_a_header():
    hostile = (
        b"Eve%0AContent-Length%3A%209%0A%0AUnique-ID%3A%20stolen%0D%0AHangup-Cause%3A%20FORGED\xe2\x80\xa8Job-UUID: x"
    )
    seen = event(Name=hostile, Unique=b"mine")
    assert seen["Name"].startswith("Eve\nContent-Length: 9\n\nUnique-ID: stolen")
    assert seen["Unique-ID"] == seen["Hangup-Cause"] == seen["Job-UUID"] == ""
    assert seen["Unique"] == "mine"


def test_a_value_is_decoded_once():
    assert event(Name=b"100%2525")["Name"] == "100%25"
    assert event(Name=b"%C3%A9%E2%80%A8%f0%9f%98%80%ff")["Name"] == "é\u2028😀\ufffd"


def test_the_first_of_two_headers_counts():
    assert esl.Event(b"Unique-ID: real\nvariable_x: 1\nUnique-ID: false\n\n")["Unique-ID"] == "real"


def test_a_reply_is_read_whole():
    framing = esl.Framing()
    framing.feed(b"Content-Type: api/response\nContent-Length: 12\n\n+OK a\nb: c\n\n")
    framing.feed(b"Content-Type: command/reply\nReply-Text: -ERR no\n\n")
    first, second = framing
    assert (first.answer, second.answer) == ("+OK a\nb: c", "-ERR no")


def test_the_body_of_a_background_job_is_kept():
    framing = esl.Framing()
    framing.feed((Path(__file__).parent / "captures" / "30-inbound-bgapi.raw").read_bytes())
    jobs = [message.event() for message in framing if message.is_event]
    assert {job.name for job in jobs} == {"BACKGROUND_JOB"}
    assert all(job.body and job["Job-UUID"] for job in jobs)


def test_the_channel_is_in_the_answer_to_connect():
    framing = esl.Framing()
    framing.feed((Path(__file__).parent / "captures" / "01-async-full-ivr.raw").read_bytes())
    channel = next(iter(framing)).event()
    assert channel["Caller-Caller-ID-Name"] == "Ann O'Neil"
    assert channel["Answer-State"] == "ringing"
    assert channel.startingwith("variable_sip_req_")["user"] == "1001"


# --- what we say


def test_an_argument_goes_as_a_body_of_its_own_length():
    said = esl.execute("playback", "/sounds/é.wav", uuid="u-1")
    head, _, body = said.partition(b"\n\n")
    assert body == "/sounds/é.wav".encode()
    assert b"content-length: 14" in head.split(b"\n")
    assert b"event-lock: true" in head.split(b"\n")
    assert b"event-uuid: u-1" in head.split(b"\n")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\0"])
def test_a_line_end_in_a_command_is_refused(end):
    with pytest.raises(ValueError, match="line end"):
        esl.execute("playback", f"a.wav{end}{end}api status", uuid="u")
    with pytest.raises(ValueError, match="line end"):
        esl.execute(f"answer{end}", uuid="u")
    with pytest.raises(ValueError, match="line end"):
        esl.command(f"api status{end}exit")
    with pytest.raises(ValueError, match="line end"):
        esl.background("status", job=f"j{end}")
    with pytest.raises(ValueError, match="line end"):
        esl.event("MESSAGE_WAITING", {"MWI-Message-Account": f"1001{end}api status"})


def test_an_event_that_is_fired_is_a_line_for_each_header():
    fired = esl.event("MESSAGE_WAITING", {"MWI-Messages-Waiting": "yes", "MWI-Voice-Message": "2/1 (0/0)"})
    assert fired == b"sendevent MESSAGE_WAITING\nMWI-Messages-Waiting: yes\nMWI-Voice-Message: 2/1 (0/0)\n\n"
