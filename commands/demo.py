"""Call the hotline from this terminal: what the caller hears is shown, and keys typed are keys pressed.

With --switch asterisk it runs on a real Asterisk, unpacked under var/, and any softphone can call it.
Without a terminal on stdin a sample call is made and shown.

  ./appliance.py demo
  ./appliance.py demo --caller 13800000001 --number 1000
  ./appliance.py demo --switch asterisk
  ./appliance.py demo --switch asterisk --listen 192.168.1.10
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from commands import data_folder
from config.appliance import Config

if TYPE_CHECKING:
    from runtime.rehearsal import Rehearsed
    from runtime.stage import Stage
    from switch.shared.clock import Clock, VirtualClock
    from switch.simulated import Heard, Line

ORDER = "202611"
SAMPLE = ["1", f"{ORDER}#", "1"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", help="the number dialled (default: the first one that a flow answers)")
    parser.add_argument("--caller", default="13800000001", metavar="ANI", help="the caller's number")
    parser.add_argument("--switch", default="simulated", choices=["simulated", "asterisk"], help="what rings")
    parser.add_argument(
        "--listen", default="127.0.0.1", metavar="ADDRESS", help="asterisk: this machine's address for softphones"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    data_folder(config)
    return _on_asterisk(args, config) if args.switch == "asterisk" else _simulated(args, config)


def _simulated(args: argparse.Namespace, config: Config) -> int:
    """The call that is typed here; without a terminal a sample call, which must go as it should."""
    import tempfile
    from pathlib import Path

    from runtime.stage import make_tables, open_stage
    from speech.library import open_library
    from switch.shared.clock import RealClock, VirtualClock

    clock = RealClock() if sys.stdin.isatty() else VirtualClock(_office_hours(datetime.now(config.zone)))
    library, voices = open_library(config, clock)
    try:
        with tempfile.TemporaryDirectory(prefix="hotline-demo-") as scratch:
            make_tables(config, Path(scratch))
            stage = open_stage(config, clock, Path(scratch), library)
            number = args.number or stage.appliance.flowbook.book.flows[0].numbers[0]
            if isinstance(clock, VirtualClock):
                return _sample(stage, clock, number, args.caller)
            _telephone(stage, clock, number, args.caller)
            return 0
    finally:
        voices.close()


def _sample(stage: Stage, clock: VirtualClock, number: str, caller: str) -> int:
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
    if not _went_well(rehearsed):
        print("It did not go as it should: the caller is told her order, and an agent answers.")
        return 1
    print("Call it yourself: run make demo in a terminal.")
    return 0


def _went_well(rehearsed: Rehearsed) -> bool:
    """Whether the order, whose number is read back before, was told and an agent answered."""
    from speech import words

    numbers = {words.join(words.digits(ORDER, language)) for language in words.languages()}
    heard = sum(any(number in text for number in numbers) for text in rehearsed.heard)
    return heard > 1 and bool(rehearsed.agent)


def _telephone(stage: Stage, clock: Clock, number: str, caller: str) -> None:
    from runtime.telephone import Speaker, Terminal
    from runtime.telling import pressed

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
                print(f"{'':9}{pressed(key)}")
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


def _on_asterisk(args: argparse.Namespace, config: Config) -> int:
    """The hotline on the private Asterisk, until Ctrl-C, or until a sample call has ended."""
    import signal

    import gevent

    from provision.debs import Unavailable

    for number in (signal.SIGTERM, signal.SIGHUP):
        gevent.signal_handler(number, sys.exit, 128 + number)
    # Raised by Python itself it might hit the hub, which would print it.
    gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    try:
        return 0 if _shown_on_asterisk(args, config, by_hand=sys.stdin.isatty()) else 1
    except Unavailable as reason:
        print(f"no demo on Asterisk: {reason}")
        return reason.code


def _shown_on_asterisk(args: argparse.Namespace, config: Config, *, by_hand: bool) -> bool:
    from commands import prompts
    from commands.db import init
    from provision import asterisk, phones
    from provision.apart import prepare_apart
    from runtime.asterisk_demo import introduce, sample_call, stay
    from runtime.private_asterisk import ASTERISK, PHONES, lay_out, running, usable
    from runtime.service import only_one

    listen = usable(args.listen)
    prepare_apart("provision.asterisk", ASTERISK)
    if not by_hand:
        prepare_apart("provision.phones", PHONES)
    tree = asterisk.prepare(ASTERISK)
    with only_one(config.data_dir / "demo" / "asterisk.pid"):
        demo = lay_out(config, listen)
        init.run(args, demo)
        prompts.run(argparse.Namespace(action="build", folder=None), demo)
        with running(demo, tree) as site:
            introduce(site, demo, asterisk.version(tree), _say)
            return stay(site, demo, _say) if by_hand else sample_call(site, demo, phones.prepare(PHONES).sipp, _say)


def _say(text: str) -> None:
    print(text, flush=True)
