"""Make a simulated call in virtual time and show what the caller hears.

Each group of --keys is pressed when the flow waits for keys; a longer pause than --patience after the
last one ends the call. Flows, prompts and the CRM are the real ones; nothing is left behind.

  ./appliance.py call 1000 --caller 13800000001 --keys "1 202611# 1"
  ./appliance.py call 1000 --caller 13800000001 --keys "1 202611# 1" --json
  ./appliance.py call 1000 --audio heard.wav --at "2026-11-23 22:00"
"""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from commands import data_folder
from config.appliance import Config
from config.values import UserError, seconds

REHEARSES = True


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", help="the number dialled, one that a flow answers")
    parser.add_argument("--caller", default="", metavar="ANI", help="the caller's number (default: anonymous)")
    parser.add_argument("--name", default="", help="the caller's display name")
    parser.add_argument("--keys", default="", help="groups of keys, with spaces between them")
    parser.add_argument("--patience", default="60s", help="how long the caller stays silent at the end (default: 60s)")
    parser.add_argument("--at", metavar="TIME", help='when the call is made, "2026-11-23 10:00" (default: now)')
    parser.add_argument("--no-agents", action="store_true", help="nobody is logged on")
    parser.add_argument("--audio", type=Path, metavar="FILE", help="write what the caller heard as WAV")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    import json
    import tempfile
    from dataclasses import asdict

    from runtime.calls import NO_FLOW
    from runtime.rehearsal import rehearse
    from runtime.stage import make_tables, open_stage
    from speech.library import open_library
    from switch.shared.clock import VirtualClock

    keys, patience, at = _keys(args.keys), _patience(args.patience), _at(args.at, config)
    data_folder(config)
    clock = VirtualClock(at)
    library, voices = open_library(config, clock)
    try:
        with tempfile.TemporaryDirectory(prefix="hotline-call-") as scratch:
            make_tables(config, Path(scratch))
            stage = open_stage(config, clock, Path(scratch), library)
            stage.start(ready=() if args.no_agents else None)
            rehearsed = rehearse(
                stage,
                clock,
                args.number,
                caller=args.caller,
                caller_name=args.name,
                keys=keys,
                patience=patience,
                audio=args.audio,
            )
            unanswered = stage.appliance.flowbook.book.unanswered(args.number)
            stage.stop()
    finally:
        voices.close()
    if args.json:
        print(json.dumps(asdict(rehearsed), ensure_ascii=False))
    elif rehearsed.outcome == NO_FLOW:
        print(unanswered)
    else:
        for text in rehearsed.heard:
            print(text)
        print(f"-- {rehearsed.outcome} after {rehearsed.seconds:.1f} s")
    return 0 if rehearsed.flow else 1


def _keys(text: str) -> list[str]:
    for key in text.replace(" ", ""):
        if key not in "0123456789*#ABCD":
            raise UserError(f"'{key}' is not a key; there are 0 to 9, * and #")
    return text.split()


def _patience(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise UserError(f"--patience: {error}") from error


def _at(text: str | None, config: Config) -> datetime:
    if text is None:
        return datetime.now(config.zone)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=config.zone)
    except ValueError:
        raise UserError(f"--at: '{text}' is not a time; write for example \"2026-11-23 10:00\"") from None
