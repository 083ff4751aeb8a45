"""What a broken or hostile switch may send, as targets: each takes any bytes, and raises only what it promises.

None may stall either (wait for anything, or say more than it was told) or grow: what it keeps is bounded after each
input, and what lives in the whole process is looked at from time to time. `test_hostile_bytes.py` runs them under
Hypothesis, `make fuzz` by atheris (fuzz.py).
"""

import gc
import json

import gevent
import greenlet

from switch.asterisk import Asterisk
from switch.freeswitch.esl import Framing, ProtocolError
from switch.shared.clock import RealClock

NAMES = ("Unique-ID", "Event-Name", "Application-UUID", "Hangup-Cause", "variable_hotline_epoch", "DTMF-Digit")
LONGEST = 4096  # bytes of a head and of a body
ROOM = 4 * LONGEST  # bytes that Framing keeps at most for such messages
ITEMS = 1001  # in the inbox of a leg: what a mailbox holds, and its end
LOOK_EVERY = 10_000  # inputs between two looks at all that lives
GROWTH = 1.05  # of it, between the first look and any later one


class Living:
    """How much lives in this process: as much after a million inputs as after the first ten thousand."""

    def __init__(self):
        self._inputs = self._first = 0

    def look(self):
        self._inputs += 1
        if self._inputs % LOOK_EVERY:
            return
        gc.collect()
        now = len(gc.get_objects())
        self._first = self._first or now
        assert now <= self._first * GROWTH, f"{now} objects live after {self._inputs} inputs, first {self._first}"


living = Living()


def esl(data, pieces=7):
    """Framing never stalls, never keeps more than it was given, and says the same however the bytes are cut."""
    whole, cut = _told(data, len(data) or 1), _told(data, pieces)
    assert whole == cut, (whole, cut)
    living.look()


def _told(data, size):
    framing, told = Framing(longest_head=LONGEST, longest_body=LONGEST), []
    try:
        for start in range(0, len(data), size):
            framing.feed(data[start : start + size])
            assert len(framing._buffer) <= ROOM
            for message in framing:
                assert len(told) < len(data), "more messages than bytes"
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
        self._switched = False

    def hears(self, event):
        """Takes the event without waiting for anything, and keeps no more than a line for each leg."""
        greenlet.settrace(self._notice)
        self._switched = False
        try:
            self.asterisk._happened(event)
        finally:
            greenlet.settrace(None)
        assert not self._switched, f"it waited: {event}"
        assert not (raised := self._finish()), (event, raised)
        self.asterisk._link._waiting.clear()
        assert len(self.asterisk._lines) <= LEGS
        assert not self.asterisk._link.talks
        assert all(len(line.inbox._items) <= ITEMS for line in self.asterisk._lines.values())

    def _finish(self):
        """Lets what was started run to its end; what that raised."""
        raised, hub = [], gevent.get_hub()
        hub.handle_error = lambda _, kind, error, trace: raised.append(error)
        try:
            gevent.sleep(0)
        finally:
            del hub.handle_error
        return raised

    def _notice(self, event, _):
        self._switched = True


_switch = []


def ari(data):
    """No event, whatever is in it, raises anything or leaves a call behind that nobody knows."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(event, dict):
        _an_asterisk().hears(event)
    living.look()


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
    living.look()


MOSTLY = (True, True, True, True, True, False)
ODD = (None, 0, -1, 1e300, "", "x", [], [None], {}, {"id": None}, True)
IDS = ("a", "b", "1700000000.1", "hotline-play-a-1", "hotline-tape-b-0", "hotline-bridge-a-2", "", None, 7, [])
LEGS = len(IDS) + len(ODD)  # that can be told apart
STATES = ("Up", "Ring", "Down", "done", "failed", None, {})
CALLERS = ({"number": "138", "name": "x"}, {"number": "", "name": ""}, {}, None, {"number": None, "name": 5})
VARIABLES = ({}, {"HOTLINE": "e30="}, {"HOTLINE": "*", "HOTLINE_DIALLED": "1000"}, None, [])
ARGUMENTS = (["call", "1000", ""], ["call"], ["dialled"], ["snoop", "a"], ["snoop"], [], None, "call", [[]], [None])
