"""python -m tests.switch.fuzz esl|ari [libFuzzer's arguments]: searches for hostile bytes, guided by coverage."""

import logging
import sys

import atheris
import structlog

with atheris.instrument_imports(include=["switch.freeswitch.esl", "switch.asterisk"]):
    from tests.switch import hostile_bytes

if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    atheris.Setup(sys.argv[1:], {"esl": hostile_bytes.esl, "ari": hostile_bytes.ari_event}[sys.argv[1]])
    atheris.Fuzz()
