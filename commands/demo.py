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
from typing import TYPE_CHECKING, Any

from config.appliance import Config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provision.callers import Telephone
    from runtime.private_asterisk import Site
    from runtime.stage import Stage
    from switch.shared.clock import Clock, VirtualClock
    from switch.simulated import Heard, Line

SAMPLE = ["1", "202611#", "1"]
PRESSED = [(4.0, "1"), (4.0, "202611#"), (4.0, "1"), (10.0, "0")]  # on a real exchange: seconds after the last ones
AGENT = "1001"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", help="the number dialled (default: the first one that a flow answers)")
    parser.add_argument("--caller", default="13800000001", metavar="ANI", help="the caller's number")
    parser.add_argument("--switch", default="simulated", choices=["simulated", "asterisk"], help="what rings")
    parser.add_argument(
        "--listen", default="127.0.0.1", metavar="ADDRESS", help="asterisk: this machine's address for softphones"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    import tempfile
    from pathlib import Path

    from runtime.stage import Stage, make_tables
    from speech.library import open_library
    from switch.shared.clock import RealClock, VirtualClock

    if args.switch == "asterisk":
        return _on_asterisk(args, config)
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


# --- on a real exchange ------------------------------------------------------------------------------


def _on_asterisk(args: argparse.Namespace, config: Config) -> int:
    """The hotline on the private Asterisk, until Ctrl-C, or until a sample call has ended."""
    import signal

    import gevent

    from commands import prompts
    from commands.db import init
    from provision import asterisk, phones
    from provision.debs import Unavailable
    from runtime.private_asterisk import ASTERISK, PHONES, lay_out, running
    from runtime.service import only_one

    for number in (signal.SIGTERM, signal.SIGHUP):
        gevent.signal_handler(number, sys.exit, 128 + number)
    by_hand = sys.stdin.isatty()
    try:
        tree = asterisk.prepare(ASTERISK)
        sipp = () if by_hand else phones.prepare(PHONES).sipp
        with only_one(config.data_dir / "demo" / "asterisk.pid"):
            demo = lay_out(config, args.listen)
            init.run(args, demo)
            prompts.run(argparse.Namespace(action="build"), demo)
            with running(demo, tree) as site:
                _introduce(site, demo, asterisk.version(tree))
                return _stay(site, demo) if by_hand else _sample_call(site, demo, sipp)
    except Unavailable as reason:
        print(f"no demo on Asterisk: {reason}")
        return reason.code


def _introduce(site: Site, demo: Config, version: str) -> None:
    from runtime.private_asterisk import CALLER

    agent = next(agent for agent in site.agents if agent.id == AGENT)
    print(
        f"\nHotline runs on Asterisk {version}. Any softphone reaches it, by UDP, at {site.address} port {site.port}:\n"
        f"\n  caller    account {CALLER}   password {site.caller_password}   dial {site.number}"
        f"\n  agent     account {agent.phone:<13} password {agent.password}   dial *12 to be ready, *13 not to be\n"
        f"\nThe caller is a customer of the demo CRM: 1, then 202611#, then 1 tells her order; 0 asks for an agent."
        f"\nThe office never closes here. Flows can be edited meanwhile. All files are in {demo.data_dir}; try also:"
        f"\n  ./appliance.py --config {demo.data_dir / 'appliance.yaml'} status\n",
        flush=True,
    )


def _stay(site: Site, demo: Config) -> int:
    """Shows every call until Ctrl-C."""
    try:
        print("Calls are shown here as they go. Ctrl-C ends the demo.\n", flush=True)
        for line, _ in _followed(site, demo):
            if line:
                print(line, flush=True)
    except KeyboardInterrupt:
        print("\nThe demo is over.")
        return 0
    print(f"The appliance has ended by itself; see {demo.data_dir / 'appliance.log'}")
    return 1


def _sample_call(site: Site, demo: Config, sipp: Sequence[str]) -> int:
    """A caller asks for her order and then for an agent, who talks and hangs up; their telephones are sipp."""
    import gevent

    from cti.client import Control
    from provision.callers import NotSo
    from runtime.private_asterisk import CALLER

    print(
        f"A sample call: agent {AGENT} dials *12; {CALLER} dials {site.number} and presses 1, 202611#, 1, and 0.\n",
        flush=True,
    )
    caller = _telephone_of(CALLER, site.caller_password, site, demo, sipp)
    password = next(agent.password for agent in site.agents if agent.phone == AGENT)
    agent = _telephone_of(AGENT, password, site, demo, sipp)
    ends: list[str] = []
    showing = gevent.spawn(_show_until_ended, site, demo, CALLER, ends)
    Control(demo.run_dir / "hotline.sock").ask("status")
    try:
        with agent.answering(after=1.5, talk_for=9.0):
            agent.dial("*12")
            caller.dial(site.number, PRESSED)
            showing.join(timeout=10)
    except NotSo as broken:
        print(broken)
        return 1
    finally:
        showing.kill()
    if ends != ["talked", "flow ended"]:
        print(f"The sample call did not go as it should; see {demo.data_dir / 'appliance.log'}")
        return 1
    print("\nThe call went as it should. Call it yourself: run make demo SWITCH=asterisk in a terminal.")
    return 0


def _telephone_of(account: str, password: str, site: Site, demo: Config, sipp: Sequence[str]) -> Telephone:
    from provision.callers import Account, Telephone

    return Telephone(sipp, Account(account, password, (site.address, site.port)), demo.data_dir / "phones")


def _show_until_ended(site: Site, demo: Config, caller: str, ends: list[str]) -> None:
    """Prints what happens until that caller's call has ended; notes a talk with an agent, and the end."""
    call = ""
    for line, record in _followed(site, demo):
        if line:
            print(line, flush=True)
        if record["type"] == "CallArrived" and record["caller"] == caller:
            call = record["call"]
        if record["type"] == "CallConnected" and record["call"] == call:
            ends.append("talked")
        if record["type"] == "CallEnded" and record["call"] == call:
            ends.append(record["outcome"])
            return


def _followed(site: Site, demo: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the appliance journals from now on, each record with its line for people, "" where it has none."""
    from cti.client import Control
    from runtime.telling import Teller

    names = {agent.id: agent.name for agent in site.agents}
    teller = Teller(lambda prompt, language: site.prompts.text(prompt, language) or "", names, demo.zone)
    for record in Control(demo.run_dir / "hotline.sock").follow():
        yield teller.line(record), record
