"""Call the hotline from this terminal: what the caller hears is shown, and keys typed are keys pressed.

Without a terminal on stdin a sample call is played and shown.

  ./appliance.py demo
  ./appliance.py demo --caller 13800000001 --number 1000
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from config.appliance import Config

if TYPE_CHECKING:
    from runtime.stage import Stage
    from switch.shared.clock import Clock, VirtualClock
    from switch.simulated import Heard, Line

SAMPLE = ["1", "202611#", "1"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", help="the number dialled (default: the first one that a flow answers)")
    parser.add_argument("--caller", default="13800000001", metavar="ANI", help="the caller's number")
    parser.add_argument("--switch", default="simulated", choices=["simulated", "asterisk"], help="what rings")


def run(args: argparse.Namespace, config: Config) -> int:
    import tempfile
    from pathlib import Path

    from runtime.stage import Stage, make_tables
    from speech.library import open_library
    from switch.shared.clock import RealClock, VirtualClock

    if args.switch == "asterisk":
        from runtime.private_asterisk import demonstrate

        return demonstrate(args, config)
    by_hand = sys.stdin.isatty()
    clock = RealClock() if by_hand else VirtualClock(_office_hours(datetime.now(config.zone)))
    library, voices = open_library(config, clock)
    simulated = config.switch.simulated
    try:
        with tempfile.TemporaryDirectory(prefix="hotline-demo-") as scratch:
            make_tables(config, Path(scratch))
            stage = Stage(
                config,
                clock,
                Path(scratch),
                library,
                agents_answer_after=simulated.agent_answers_after,
                agents_talk_for=simulated.agent_talks_for,
            )
            number = args.number or stage.appliance.flowbook.book.flows[0].numbers[0]
            if isinstance(clock, VirtualClock):
                _sample(stage, clock, number, args.caller)
            else:
                _telephone(stage, clock, number, args.caller)
    finally:
        voices.close()
    return 0


def _sample(stage: Stage, clock: VirtualClock, number: str, caller: str) -> None:
    """The caller asks for an order and then waits for an agent, in virtual time."""
    from runtime.rehearsal import rehearse

    stage.exchange.observers.append(lambda line, heard: _show(heard, clock.now()) if line.dialled == number else None)
    stage.start()
    print(f"A sample call: {caller} dials {number}, presses {' '.join(SAMPLE)}, then waits for an agent.\n")
    rehearsed = rehearse(stage, clock, number, caller=caller, keys=SAMPLE, patience=300)
    stage.stop()
    print(
        f"\nThe call ended after {rehearsed.seconds:.0f} s ({rehearsed.outcome}); agent: {rehearsed.agent or 'none'}."
    )
    print("Call it yourself: run make demo in a terminal.")


def _telephone(stage: Stage, clock: Clock, number: str, caller: str) -> None:
    from runtime.telephone import Speaker, Terminal

    speaker = Speaker.find()
    stage.start()
    print(f"Dialling {number} as {caller}. Keys 0-9 * # are the telephone's; h hangs up.")
    print(
        "The hotline's voice is played on this machine.\n" if speaker.works else "No sound device here: texts only.\n"
    )
    start = clock.now()
    with Terminal() as terminal:

        def told(line: Line, heard: Heard) -> None:
            if line.dialled == number:
                _show(heard, clock.now() - start)
                speaker.play(heard.path, endless=heard.kind == "music")

        stage.exchange.observers.append(told)
        line = stage.exchange.ring_in(number, caller)
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


def _show(heard: Heard, at: int) -> None:
    from runtime.rehearsal import shown

    if text := shown(heard):
        print(f"{at // 60_000:3}:{at // 1000 % 60:02}   {text}", flush=True)


def _office_hours(now: datetime) -> datetime:
    """Ten o'clock on a Tuesday soon: when somebody is there."""
    at = now.replace(hour=10, minute=0, second=0, microsecond=0)
    return at + timedelta(days=(1 - at.weekday()) % 7)
