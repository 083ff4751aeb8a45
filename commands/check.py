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
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from commands import data_folder, open_store
from config.appliance import SQLITE, Config
from config.values import Diagnostic, UserError

if TYPE_CHECKING:
    from crm.catalogue import Catalogue as Queries
    from ivr.language.scenarios import Scenario
    from runtime.flowbook import Book, Surroundings

REHEARSES = True
ALMOST_YAML = re.compile(r"([^.#].*?)\.(yml|yaml|yaml\.txt|yml\.txt)", re.IGNORECASE)
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
    if not config.flows_dir.is_dir():
        raise UserError(f"flows-dir: {config.flows_dir}: there is no such folder; name that of the flows by flows-dir")
    args.files = _chosen(args, config)
    if not args.watch:
        return _checked(args, config)
    _watch(args, config)
    return 0


def _chosen(args: argparse.Namespace, config: Config) -> list[Path]:
    """The files to check, none of them for all. Raises UserError for what is no flow and stands beside none."""
    homes = {config.flows_dir.resolve(), config.prompts_dir.resolve()}
    chosen: list[Path] = []
    for file in args.files:
        if file.is_dir() and file.resolve() in homes:
            return []
        if file.is_dir():
            raise UserError(f"{file}: this is a folder; name its files, or leave it out to check {config.flows_dir}")
        if not file.is_file():
            raise UserError(f"{file}: there is no such file")
        _refuse_other_kinds(file, args, config)
        chosen.append(file)
    return chosen


def _refuse_other_kinds(file: Path, args: argparse.Namespace, config: Config) -> None:
    """Raises UserError for the configuration and the prompts, which would be read as flows."""
    from speech.catalogue import FILE

    if file.resolve().parent == config.flows_dir.resolve():
        return
    if file.name == "appliance.yaml" or str(file) == args.config:
        how = f"which every command checks as it begins; check it with: ./appliance.py --config {file} check"
        raise UserError(f"{file}: this is no flow but the configuration, {how}")
    if file.name == FILE:
        how = "which are checked together with the flows; leave the file out: ./appliance.py check"
        raise UserError(f"{file}: this is no flow but the prompts' texts, {how}")


def _watch(args: argparse.Namespace, config: Config) -> None:
    """Checks again and again, until Ctrl-C."""
    import gevent

    # Raised by Python itself it would hit the hub, which waits for the next look, and print it.
    interrupt = gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    try:
        for code in watched(lambda: _told(args, config), lambda: _stamps(args.files, config), time.sleep):
            now = datetime.now(config.zone).strftime("%H:%M:%S")
            print(f"{now}  {'nothing is wrong' if code == 0 else 'see above'}; waiting for a change", flush=True)
    finally:
        interrupt.cancel()


def _told(args: argparse.Namespace, config: Config) -> int:
    """One check while watching: a slip that is saved in its midst is told, and the next save mends it."""
    try:
        return _checked(args, config)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code


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
    book, scenarios, problems = looked_through(args.files, config)
    for problem in problems:
        print(problem)
    if problems or book is None:
        return 1
    for remark in book.remarks:
        print(f"note: {remark}", file=sys.stderr)
    if args.no_scenarios:
        return 0
    return _play(_playable(scenarios, config), config, book)


def looked_through(files: Sequence[Path], config: Config) -> tuple[Book | None, Sequence[Scenario], list[Diagnostic]]:
    """The book and the scenarios of some files, or of all, and every problem that is there before one is played."""
    from config.document import arranged
    from runtime.flowbook import QUERIES, read_book

    around, unknown = _in_reach(config)
    book, problems = read_book(config.flows_dir, config.prompts_dir, around, chosen=files)
    problems = [*problems, *_unread(config)]
    scenarios, wrong = _scenarios(files, config)
    if book is not None:
        file = next((file for file in files if file.name == QUERIES), config.flows_dir / QUERIES)
        problems = [*problems, *against_crm(file, book.queries, config)]
        if unknown and _counts_on_tables(book):
            print(f"note: the names of mailboxes and skills could not be checked: {unknown}", file=sys.stderr)
    return book, scenarios, arranged([*problems, *wrong])


def _unread(config: Config) -> Iterator[Diagnostic]:
    """Files that somebody took for flows or texts, and that nobody reads for their names."""
    from runtime.flowbook import short

    for folder in (config.flows_dir, config.prompts_dir):
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if (found := ALMOST_YAML.fullmatch(file.name)) and file.suffix != ".yaml":
                yield Diagnostic(
                    short(str(file)), 1, 1, f"this file is not read; name it {found[1]}.yaml, or move it away"
                )


def against_crm(file: Path, queries: Queries, config: Config) -> list[Diagnostic]:
    """What the CRM says against queries of a file, where it answers."""
    from config.document import read_text
    from crm import trial
    from runtime.flowbook import short
    from switch.shared.clock import RealClock

    text, _ = read_text(file)
    try:
        return trial.problems(text or "", short(str(file)), queries, config.crm.url, RealClock())
    except trial.NotTried as why:
        print(f"note: the queries could not be tried, for the CRM does not answer: {why}", file=sys.stderr)
        return []


def surroundings(config: Config) -> Surroundings:
    """The mailboxes and skills that there are; unknown, and then not checked, before the tables were made."""
    return _in_reach(config)[0]


def _in_reach(config: Config) -> tuple[Surroundings, str]:
    """The same, and why mailboxes and skills are not known; "" where they are."""
    from runtime import flowbook

    try:
        with open_store(config) as store:
            agents, boxes = store.agents(), [box.name for box in store.boxes()]
    except UserError as error:
        return flowbook.surroundings(config), str(error)
    skills = frozenset(skill for agent in agents for skill in agent.skills)
    phones = frozenset(agent.phone for agent in agents)
    return flowbook.surroundings(config, boxes=boxes, skills=skills, phones=phones), ""


def _counts_on_tables(book: Book) -> bool:
    """Whether a flow or queue names what stands in the database alone."""
    from ivr.language.mentions import mentions

    said = (one for flow in book.flows for step in flow.steps.values() for one in mentions(step.does))
    in_flows = any(one.what is not None and one.what.kind in {"box", "skill"} for one in said)
    return in_flows or any(rule.skills for rule in book.queues)


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
