"""The same hostile bytes through greenswitch and through our client: why we wrote our own.

What freezes a process is shown in a process of its own.
"""

import select
import subprocess
import sys
from pathlib import Path

import psutil
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
print("ready", flush=True)
far.sendall(bytes.fromhex(sys.argv[1]))
far.close()
gevent.sleep(0.1)
print("alive", flush=True)
"""
GREENSWITCH = "from greenswitch.esl import OutboundSession; session = OutboundSession(None, near)"
OURS = "from switch.freeswitch.client import Connection; line = Connection(near); line.start()"
ROOT = Path(__file__).parents[3]
MID_BODY = b"Content-Length: 5000\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\n"


def outcome(client: str, data: bytes) -> str:
    """ "alive", or "frozen" once the process has used two seconds of processor and still says nothing."""
    command = [sys.executable, "-c", SCRIPT.format(client=client), data.hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            watched = psutil.Process(process.pid)
            limit = watched.cpu_times().user + watched.cpu_times().system + 2
            while watched.cpu_times().user + watched.cpu_times().system < limit:
                if select.select([process.stdout], [], [], 0.05)[0]:
                    return process.stdout.readline().decode().strip()
            return "frozen"
        finally:
            process.kill()


def test_a_peer_that_closes_in_the_middle_of_a_body_freezes_greenswitch_and_not_us():
    assert outcome(GREENSWITCH, MID_BODY) == "frozen"
    assert outcome(OURS, MID_BODY) == "alive"
