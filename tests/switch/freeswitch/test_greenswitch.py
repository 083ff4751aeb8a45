"""The same hostile bytes through greenswitch and through our client: why we wrote our own.

What freezes a process is shown in a process of its own.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from gevent import socket

from switch.freeswitch import esl

greenswitch = pytest.importorskip("greenswitch.esl")

FORGED = b"Event-Name: DTMF\nUnique-ID: mine\nvariable_sip_from_display: Eve%0ADTMF-Digit%3A%209\n\n"


def test_a_callers_name_becomes_a_header_in_greenswitch_and_stays_text_here():
    theirs = greenswitch.ESLEvent(FORGED.decode())
    assert theirs.headers["DTMF-Digit"] == "9"
    ours = esl.Event(FORGED)
    assert ours["DTMF-Digit"] == ""
    assert ours["variable_sip_from_display"] == "Eve\nDTMF-Digit: 9"


def test_a_unicode_line_end_becomes_a_header_in_greenswitch_and_stays_text_here():
    content = "Event-Name: DTMF\nCaller-Caller-ID-Name: Eve\u2028Unique-ID: stolen\n\n"
    assert greenswitch.ESLEvent(content).headers["Unique-ID"] == "stolen"
    ours = esl.Event(content.encode())
    assert ours["Unique-ID"] == ""
    assert ours["Caller-Caller-ID-Name"] == "Eve\u2028Unique-ID: stolen"


def test_a_line_end_in_an_argument_is_a_second_command_in_greenswitch_and_refused_here():
    near, far = socket.socketpair()
    session = greenswitch.OutboundSession(None, near)
    far.sendall(b"Content-Type: command/reply\nReply-Text: +OK\n\n")
    session.call_command("playback", "a.wav\n\napi system touch /tmp/x")
    said = far.recv(4096)
    assert b"\n\napi system touch /tmp/x\n\n" in said
    session.sock.close()
    with pytest.raises(ValueError, match="line end"):
        esl.execute("playback", "a.wav\n\napi system touch /tmp/x", uuid="u")


# Says "alive" when a timer still runs after the bytes have come and the peer has gone.
SCRIPT = """
import logging, sys
import gevent
from gevent import socket
logging.disable(logging.CRITICAL)
near, far = socket.socketpair()
{client}
far.sendall(bytes.fromhex(sys.argv[1]))
far.close()
gevent.sleep(0.3)
print("alive", flush=True)
"""
GREENSWITCH = "from greenswitch.esl import OutboundSession; session = OutboundSession(None, near)"
OURS = "from switch.freeswitch.client import Connection; line = Connection(near); line.start()"


def survives(client: str, data: bytes) -> bool:
    script = textwrap.dedent(SCRIPT).format(client=client)
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", script, data.hex()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root
    ) as process:
        try:
            return process.communicate(timeout=5)[0] == b"alive\n"
        except subprocess.TimeoutExpired:
            process.kill()
            return False


MID_BODY = b"Content-Length: 5000\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\n"


def test_a_peer_that_closes_in_the_middle_of_a_body_freezes_greenswitch_and_not_us():
    assert not survives(GREENSWITCH, MID_BODY)
    assert survives(OURS, MID_BODY)
