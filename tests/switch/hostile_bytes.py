"""What a broken or hostile switch may send, as targets: each takes any bytes, and raises only what it promises.

`test_hostile_bytes.py` runs them under Hypothesis, `make fuzz` by atheris (fuzz.py).
"""

import json

from switch.asterisk import Asterisk
from switch.freeswitch.esl import Framing, ProtocolError
from switch.shared.clock import RealClock

NAMES = ("Unique-ID", "Event-Name", "Application-UUID", "Hangup-Cause", "variable_hotline_epoch", "DTMF-Digit")
MOST = 1 << 20


def esl(data, pieces=7):
    """Framing never stalls, never keeps more than it was given, and says the same however the bytes are cut."""
    whole, cut = _told(data, len(data) or 1), _told(data, pieces)
    assert whole == cut, (whole, cut)


def _told(data, size):
    framing, told = Framing(longest_head=4096, longest_body=4096), []
    try:
        for start in range(0, len(data), size):
            framing.feed(data[start : start + size])
            for message in framing:
                event = message.event()
                read = [event[name] for name in NAMES], event.startingwith("variable_")
                told.append((message.kind, message.answer, read))
        assert len(framing) <= len(data)
    except ProtocolError:
        told.append("broken")
    return told


class Switch:
    """An Asterisk that nobody is connected to: what it would be asked is thrown away."""

    def __init__(self):
        self.asterisk = Asterisk(password="", clock=RealClock())
        self.asterisk.serve = None

    def hears(self, event):
        self.asterisk._happened(event)
        self.asterisk._link._waiting.clear()
        for line in list(self.asterisk._lines.values()):
            assert len(line.inbox._items) < MOST


_switch = []


def ari(data):
    """No event, whatever is in it, raises anything or leaves a call behind that nobody knows."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(event, dict):
        _an_asterisk().hears(event)


def _an_asterisk():
    if not _switch:
        _switch.append(Switch())
    return _switch[0]


def ari_event(data):
    """An event whose shape the bytes decide: by far most bytes would be no JSON, and tell nothing."""
    choices = iter(data)

    def one(of):
        return of[next(choices, 0) % len(of)]

    def channel():
        facts = {"id": one(IDS), "state": one(STATES), "caller": one(CALLERS), "channelvars": one(VARIABLES)}
        return (
            {name: fact for name, fact in facts.items() if one((True, True, True, False))} if one(MOSTLY) else one(ODD)
        )

    def thing():
        facts = {"id": one(IDS), "name": one(IDS), "state": one(STATES), "target_uri": f"channel:{one(IDS)}"}
        return facts if one(MOSTLY) else one(ODD)

    types = sorted(_an_asterisk().asterisk._handlers)
    for _ in range(1 + len(data) // 16):
        event = {
            "type": one(types),
            "channel": channel(),
            "args": one(ARGUMENTS),
            "digit": one(IDS),
            "cause": one(ODD),
            "playback": thing(),
            "recording": thing(),
            "bridge": {"id": one(IDS), "channels": [one(IDS), one(IDS)]} if one(MOSTLY) else one(ODD),
        }
        _an_asterisk().hears(event)


MOSTLY = (True, True, True, True, True, False)
ODD = (None, 0, -1, 1e300, "", "x", [], [None], {}, {"id": None}, True)
IDS = ("a", "b", "1700000000.1", "hotline-play-a-1", "hotline-tape-b-0", "hotline-bridge-a-2", "", None, 7, [])
STATES = ("Up", "Ring", "Down", "done", "failed", None, {})
CALLERS = ({"number": "138", "name": "x"}, {"number": "", "name": ""}, {}, None, {"number": None, "name": 5})
VARIABLES = ({}, {"HOTLINE": "e30="}, {"HOTLINE": "*", "HOTLINE_DIALLED": "1000"}, None, [])
ARGUMENTS = (["call", "1000", ""], ["call"], ["dialled"], ["snoop", "a"], ["snoop"], [], None, "call", [[]], [None])
