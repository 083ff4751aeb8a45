"""A worker process: takes requests from stdin and answers on stdout, one at a time, until stdin ends.

    python -m speech.worker speak espeak '{}'
    python -m speech.worker recognise pocketsphinx '{"language": "en", "model": ""}'

It is started over pipes by `speech.workers`, never by multiprocessing: a fresh interpreter has none of
its parent's greenlets or patches. A request that holds the engine longer than the caller would wait
ends this process, so that no orphan spins on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from speech import audio, recognisers, vendors, wire
from speech.port import CannotRecognise, CannotSpeak, Manner

Answer = Callable[[dict[str, Any], bytes], tuple[dict[str, object], bytes]]


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is the parent's to act on
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever an engine prints must not stand between frames
    kind, vendor, settings = arguments
    with os.fdopen(answers, "wb", buffering=0) as out:
        try:
            answer = _KINDS[kind](vendor, json.loads(settings))
        except (CannotSpeak, CannotRecognise) as error:
            out.write(wire.frame({"ready": False, "why": str(error)}))
            return 1
        out.write(wire.frame({"ready": True}))
        while True:
            try:
                request, body = wire.read(lambda size: os.read(0, size))
            except wire.Broken:
                return 0
            out.write(_frame(answer, request, body))


def _frame(answer: Answer, request: dict[str, Any], body: bytes) -> bytes:
    signal.setitimer(signal.ITIMER_REAL, request["longest"])  # unhandled on purpose: it ends C code too
    try:
        header, content = answer(request, body)
    except (CannotSpeak, CannotRecognise) as error:
        return wire.frame({"done": False, "why": str(error)})
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return wire.frame({"done": True, **header}, content)


def _speaker(vendor: str, settings: dict[str, Any]) -> Answer:
    engine = vendors.find(vendor).open({language: Manner(**manner) for language, manner in settings.items()})

    def speak(request: dict[str, Any], _: bytes) -> tuple[dict[str, object], bytes]:
        return {}, audio.spoken(*engine.speak(request["text"], request["language"]))

    return speak


def _recogniser(vendor: str, settings: dict[str, Any]) -> Answer:
    engine = recognisers.find(vendor).open(settings["language"], settings["model"])

    def recognise(request: dict[str, Any], pcm: bytes) -> tuple[dict[str, object], bytes]:
        heard = engine.recognise(audio.from_pcm(pcm), request["phrases"])
        return {"phrase": heard.phrase, "unknown": heard.unknown}, b""

    return recognise


_KINDS: dict[str, Callable[[str, dict[str, Any]], Answer]] = {"speak": _speaker, "recognise": _recogniser}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
