"""Call the hotline from this terminal: what the caller hears is shown, and keys typed are keys pressed.

Without a terminal on stdin a sample call is played and shown.

  ./appliance.py demo
  ./appliance.py demo --caller 13800000001 --number 1000
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from config.appliance import Config

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from speech.library import Library
    from switch.simulated import Heard, Line

SAMPLE = ["1", "202611#", "1"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", help="the number dialled (default: the first one that a flow answers)")
    parser.add_argument("--caller", default="13800000001", metavar="ANI", help="the caller's number")
    parser.add_argument("--switch", default="simulated", choices=["simulated", "asterisk"], help="what rings")


def run(args: argparse.Namespace, config: Config) -> int:
    import tempfile
    from pathlib import Path

    from runtime.stage import make_tables
    from speech.library import open_library
    from switch.shared.clock import RealClock

    if args.switch == "asterisk":
        from runtime.private_asterisk import demonstrate

        return demonstrate(args, config)
    library, voices = open_library(config, RealClock())
    try:
        with tempfile.TemporaryDirectory(prefix="hotline-demo-") as scratch:
            make_tables(config, Path(scratch))
            if sys.stdin.isatty():
                _telephone(args, config, library, Path(scratch))
            else:
                _sample(args, config, Path(scratch))
    finally:
        voices.close()
    return 0


def _sample(args: argparse.Namespace, config: Config, scratch: Path) -> None:
    """The caller asks for an order and then waits for an agent, in virtual time."""
    from datetime import datetime, timedelta

    from runtime.rehearsal import rehearse
    from runtime.stage import Stage
    from speech.library import open_library
    from switch.shared.clock import VirtualClock

    clock = VirtualClock(_office_hours(datetime.now(config.zone), timedelta(days=1)))
    library, voices = open_library(config, clock)
    simulated = config.switch.simulated
    stage = Stage(
        config,
        clock,
        scratch,
        library,
        agents_answer_after=simulated.agent_answers_after,
        agents_talk_for=simulated.agent_talks_for,
    )
    stage.exchange.observers.append(lambda line, heard: _show(line, heard, clock.now()))
    stage.start()
    number = args.number or stage.appliance.flowbook.book.flows[0].numbers[0]
    print(f"A sample call: {args.caller} dials {number}, presses {' '.join(SAMPLE)}, then waits for an agent.\n")
    rehearsed = rehearse(stage, clock, number, caller=args.caller, keys=SAMPLE, patience=300)
    stage.stop()
    voices.close()
    print(
        f"\nThe call ended after {rehearsed.seconds:.0f} s ({rehearsed.outcome}); agent: {rehearsed.agent or 'none'}."
    )
    print("Call it yourself: run make demo in a terminal.")


def _telephone(args: argparse.Namespace, config: Config, library: Library, scratch: Path) -> None:
    from runtime.stage import Stage
    from runtime.telephone import Speaker, Terminal
    from switch.shared.clock import RealClock

    clock = RealClock()
    simulated = config.switch.simulated
    stage = Stage(
        config,
        clock,
        scratch,
        library,
        agents_answer_after=simulated.agent_answers_after,
        agents_talk_for=simulated.agent_talks_for,
    )
    speaker = Speaker.find()
    stage.start()
    number = args.number or stage.appliance.flowbook.book.flows[0].numbers[0]
    print(f"Dialling {number} as {args.caller}. Keys 0-9 * # are the telephone's; h hangs up.")
    print(
        "The hotline's voice is played on this machine.\n" if speaker.works else "No sound device here: texts only.\n"
    )
    start = clock.now()
    with Terminal() as terminal:

        def told(line: Line, heard: Heard) -> None:
            if line.dialled == number:
                _show(line, heard, clock.now() - start)
                speaker.play(heard.path, endless=heard.kind == "music")

        stage.exchange.observers.append(told)
        line = stage.exchange.ring_in(number, args.caller)
        for key in terminal.keys(until=lambda: line.ended is not None):
            if key == "h":
                line.hang_up()
            else:
                print(f"{'':9}[{key}]")
                speaker.stop()
                line.press(key)
    speaker.stop()
    stage.stop()
    print("\nThe call has ended.")


def _show(line: Line, heard: Heard, at: int) -> None:
    from runtime.rehearsal import shown

    if line.caller and (text := shown(heard)):
        print(f"{at // 60_000:3}:{at // 1000 % 60:02}   {text}", flush=True)


def _office_hours(now: datetime, day: timedelta) -> datetime:
    """Ten o'clock on the next Tuesday: when somebody is there."""
    at = now.replace(hour=10, minute=0, second=0, microsecond=0)
    while at.weekday() != 1:
        at += day
    return at
