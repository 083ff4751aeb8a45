"""Check the flows and what stands beside them, and play their scenarios; print every problem with its place.

Without FILES everything in flows-dir is checked. A problem is one line, path:line:column: message.
The exit code is 0 when nothing is wrong, 1 when something is, 2 when the command itself is, or set-up was not made.

  ./appliance.py check
  ./appliance.py check flows/hotline.yaml
  ./appliance.py check --no-scenarios
  ./appliance.py check --watch            again whenever a file is saved, until Ctrl-C
  ./appliance.py check --schema           the JSON Schema of flows, as `schema` prints it
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from commands import data_folder
from config.appliance import SQLITE, Config
from config.values import Diagnostic, UserError

if TYPE_CHECKING:
    from ivr.language.scenarios import Scenario
    from runtime.flowbook import Book, Surroundings

REHEARSES = True
PAUSE = 0.5  # seconds between two looks at the files


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, metavar="FILES", help="flows, or files that stand beside them")
    parser.add_argument("--no-scenarios", action="store_true", help="do not play the scenarios")
    parser.add_argument("--watch", action="store_true", help="check again whenever a file is saved, until Ctrl-C")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of flows instead")


def run(args: argparse.Namespace, config: Config) -> int:
    if args.schema:
        from commands import schema

        return schema.run(argparse.Namespace(kind="flow", write=None), config)
    for file in args.files:
        if not file.is_file():
            raise UserError(f"{file}: there is no such file")
    if not args.watch:
        return _checked(args, config)
    for code in watched(lambda: _checked(args, config), lambda: _stamps(args.files, config), time.sleep):
        now = datetime.now(config.zone).strftime("%H:%M:%S")
        print(f"{now}  {'nothing is wrong' if code == 0 else 'see above'}; waiting for a change", flush=True)
    return 0


def watched(check: Callable[[], int], stamps: Callable[[], object], pause: Callable[[float], object]) -> Iterator[int]:
    """What each check comes to: one at once, and one after every change that two looks find the same."""
    seen = stamps()
    yield check()
    while True:
        pause(PAUSE)
        now = stamps()
        if now == seen:
            continue
        while (later := stamps()) != now:  # it is still being written
            pause(PAUSE)
            now = later
        seen = now
        yield check()


def _stamps(files: Sequence[Path], config: Config) -> Mapping[Path, tuple[int, int]]:
    """When each file that counts was saved last."""
    from runtime.history import yaml_files

    beside = [*yaml_files(config.flows_dir), *yaml_files(config.prompts_dir), *files]
    return {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in beside if file.exists()}


def _checked(args: argparse.Namespace, config: Config) -> int:
    from config.document import arranged
    from runtime.flowbook import read_book

    book, problems = read_book(config.flows_dir, config.prompts_dir, surroundings(config), chosen=args.files)
    scenarios, wrong = _scenarios(args.files, config)
    if book is not None:
        problems = [*problems, *_against_crm(args.files, config, book)]
    problems = arranged([*problems, *wrong])
    for problem in problems:
        print(problem)
    if problems or book is None:
        return 1
    for remark in book.remarks:
        print(f"note: {remark}", file=sys.stderr)
    if args.no_scenarios:
        return 0
    return _play(_playable(scenarios, config), config, book)


def _against_crm(files: Sequence[Path], config: Config, book: Book) -> list[Diagnostic]:
    """What the CRM says against the queries, where it answers."""
    from config.document import read_text
    from crm import trial
    from runtime.flowbook import QUERIES, short
    from switch.shared.clock import RealClock

    file = next((file for file in files if file.name == QUERIES), config.flows_dir / QUERIES)
    text, _ = read_text(file)
    try:
        return trial.problems(text or "", short(str(file)), book.queries, config.crm.url, RealClock())
    except trial.NotTried as why:
        print(f"note: the queries could not be tried, for the CRM does not answer: {why}", file=sys.stderr)
        return []


def surroundings(config: Config) -> Surroundings:
    """The mailboxes and skills that there are; unknown, and then not checked, before the tables were made."""
    from runtime import flowbook
    from store.store import Store, StoreFailed
    from switch.shared.clock import RealClock

    try:
        store = Store(config.database.url, RealClock(), threads=1, within=config.database.within)
    except StoreFailed:
        return flowbook.surroundings(config)
    try:
        agents = store.agents()
        skills = frozenset(skill for agent in agents for skill in agent.skills)
        phones = frozenset(agent.phone for agent in agents)
        return flowbook.surroundings(config, boxes=[box.name for box in store.boxes()], skills=skills, phones=phones)
    except StoreFailed:
        return flowbook.surroundings(config)
    finally:
        store.close()


def _scenarios(files: Sequence[Path], config: Config) -> tuple[list[Scenario], list[Diagnostic]]:
    """The scenarios of the chosen flows, or of all of them."""
    from config.document import read_text
    from ivr.language.scenarios import load_scenarios
    from runtime.flowbook import SCENARIOS, is_flow, scenario_files, short

    beside = [file.with_name(file.stem + SCENARIOS) for file in files if is_flow(file)]
    named = [file for file in files if file.name.endswith(SCENARIOS)]
    chosen = [file for file in dict.fromkeys([*named, *beside]) if file.is_file()]
    found: list[Scenario] = []
    problems: list[Diagnostic] = []
    for file in chosen if files else scenario_files(config.flows_dir):
        text, wrong = read_text(file)
        problems += wrong
        if text is not None:
            scenarios, wrong = load_scenarios(text, short(str(file)))
            found += scenarios
            problems += wrong
    return found, problems


def _playable(scenarios: Sequence[Scenario], config: Config) -> list[Scenario]:
    """Those beside flows that the appliance has; a flow somewhere else has no number to be called by."""
    home = config.flows_dir.resolve()
    playable = [scenario for scenario in scenarios if Path(scenario.file).resolve().parent == home]
    if len(playable) < len(scenarios):
        print(f"{len(scenarios) - len(playable)} scenarios outside {config.flows_dir} are not played", file=sys.stderr)
    return playable


def _not_made_yet(config: Config, book: Book) -> str:
    """What set-up makes and these flows need; "" where all is there."""
    crm = Path(config.crm.url.removeprefix(SQLITE))
    if book.queries and config.crm.url.startswith(SQLITE) and not crm.exists():
        return str(crm)
    beep = config.sounds_dir / "beep.wav"
    beeps = any("beep" in step.does.prompts for flow in book.flows for step in flow.steps.values())
    return str(beep) if beeps and not beep.exists() else ""


def _play(scenarios: Sequence[Scenario], config: Config, book: Book) -> int:
    from runtime.scenarios import play_all
    from speech.pool import Voices

    if not scenarios:
        return 0
    data_folder(config)
    if missing := _not_made_yet(config, book):
        print(f"the scenarios are not played: {missing} is not there yet; run: make setup", file=sys.stderr)
        return 2
    voices = Voices(config.speech)
    failed = 0
    try:
        for outcome in play_all(config, scenarios, book.prompts, voices):
            if outcome is not None:
                failed += 1
                print(outcome, flush=True)
    finally:
        voices.close()
    print(f"{len(scenarios) - failed} of {len(scenarios)} scenarios went as written", file=sys.stderr)
    return 1 if failed else 0
