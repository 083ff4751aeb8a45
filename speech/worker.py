"""A worker process: reads texts from stdin, writes telephone audio to stdout, until stdin ends.

    python -m speech.worker espeak

It is started over pipes by `speech.pool`, never by multiprocessing: a fresh interpreter has none of
its parent's greenlets or patches. One text at a time, in `speech.wire` frames. A text that holds the
engine longer than the caller would wait ends this process, so that no orphan spins on.
"""

from __future__ import annotations

import os
import signal
import sys

from speech import audio, vendors, wire
from speech.port import CannotSpeak, Engine


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is the parent's to act on
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever an engine prints must not stand between frames
    with os.fdopen(answers, "wb", buffering=0) as out:
        try:
            engine = vendors.find(arguments[0]).open()
        except CannotSpeak as error:
            out.write(wire.frame({"ready": False, "why": str(error)}))
            return 1
        out.write(wire.frame({"ready": True}))
        while True:
            try:
                request, _ = wire.read(lambda size: os.read(0, size))
            except wire.Broken:
                return 0
            out.write(_answer(engine, request["text"], request["language"], request["longest"]))


def _answer(engine: Engine, text: str, language: str, longest: float) -> bytes:
    signal.setitimer(signal.ITIMER_REAL, longest)  # unhandled on purpose: it ends C code too
    try:
        pcm = audio.spoken(*engine.speak(text, language))
    except CannotSpeak as error:
        return wire.frame({"spoken": False, "why": str(error)})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return wire.frame({"spoken": True}, pcm)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
