"""What a broken or hostile switch may send, as targets: each takes any bytes, and raises only what it promises.

``python -m tests.switch.hostile_bytes esl|ari [libFuzzer's arguments]`` searches with atheris, guided by coverage, as
``make fuzz`` does. `test_hostile_bytes.py` runs the same targets under Hypothesis.
"""

import json
import logging
import sys

import structlog

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
        if not _switch:
            _switch.append(Switch())
        _switch[0].hears(event)


def main(target, arguments):
    import atheris  # noqa: PLC0415 - only where it is installed

    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = {"esl": esl, "ari": ari}[target]
    atheris.instrument_all()
    atheris.Setup([target, *arguments], found)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
