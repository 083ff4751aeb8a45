"""How long checking takes, what a change costs the calls that are under way, and what a step costs.

    python -m bench flows

A change is a saved edit of a flow of 500 steps while 200 callers are asked and asked again: how late the hub is
meanwhile, beside how late it is without one, and how long until the edit is taken. Then the limits of all queries
are changed, each of which the CRM prepares before that edit is taken.
"""

from __future__ import annotations

import gc
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent
import numpy as np

from commands.run import TURN
from config.appliance import Config, Limits
from config.document import parse
from crm import demo
from ivr.language import checker, reader
from ivr.language.house import House
from ivr.language.templates import template
from journal.reader import records
from runtime import flowbook
from runtime.stage import Stage, make_tables
from speech import catalogue
from speech.library import Library
from speech.simulated import Simulated
from store.database import Database
from switch.shared.clock import Clock, RealClock, VirtualClock
from switch.simulated.audio import write_wav

CHECKOUT = Path(__file__).resolve().parents[1]
STEPS, CALLS = 500, 200
QUIET = 5.0  # seconds without a change, to compare with
ARRIVALS = 37  # calls a second
TICK = 0.001
HEAD = 'number: "{number}"\nlanguages: [cmn, en]\nstart: s0\nsteps:\n'
BOMBS = {
    "aliases": "number: &a [1]\nsteps:\n" + "".join(f"  s{n}: *a\n" for n in range(1000)),
    "brackets": HEAD + "  x: " + "[" * 900_000,
    "ten_megabytes": HEAD + '  x: {say: {cmn: "' + "长" * 10_000_000 + '"}, next: end}\n',
    "endless_quote": HEAD + '  x: "' + "a\n\n" * 200_000,
    "template": HEAD + '  x: {say: {cmn: "{{ ' + "(" * 400_000 + 'a"}, next: end}\n',
}
ASKED = """
number: "1000"
languages: [en]
longest: 10m
start: ask
steps:
  ask:
    menu: {say: {en: "Press."}, options: {"1": tell}, timeout: 3s, tries: 10}
    no-input: tell
    otherwise: end
  tell: {say: {en: "Nobody pressed, {{ caller.number | digits }}."}, next: ask}
  end: {hangup: {}}
"""


def measure() -> dict[str, object]:
    """Seconds to check a flow of 500 steps and to refuse each bomb, the hub's lateness, and what a step costs."""
    flow = long_flow(STEPS)
    _check(long_flow(STEPS, word="other"))  # the models are built when the first flow is checked
    template.cache_clear()
    return {
        "check_500_steps_s": _timed(lambda: _check(flow)),
        **{f"refuse_{name}_s": _timed(lambda text=text: _check(text)) for name, text in BOMBS.items()},  # type: ignore[misc]
        **_in_a_house(_change_under_load, RealClock()),
        **_in_a_house(_step, VirtualClock(datetime.now(UTC))),
    }


def long_flow(steps: int, *, number: str = "2000", word: str = "step") -> str:
    """A chain of menus, values and texts, each of which leads on and somewhere far away."""
    order = random.Random(7)
    lines = []
    for n in range(steps):
        far = f"s{order.randrange(steps)}"
        match n % 3:
            case 0:
                lines += [
                    f"  s{n}:",
                    f'    menu: {{say: main-menu, options: {{"1": s{n + 1}, "2": {far}}}, timeout: 4s}}',
                    f"    otherwise: s{n + 1}",
                ]
            case 1:
                lines.append(
                    f"  s{n}: {{set: {{v{n}: \"{{{{ 1 if caller.tier == 'gold' else 2 }}}}\"}}, next: s{n + 1}}}"
                )
            case _:
                texts = f'{{cmn: "第{n}步", en: "{word} {{{{ caller.name }}}} {n}"}}'
                lines.append(f"  s{n}: {{say: {texts}, next: s{n + 1}}}")
    return "\n".join([HEAD.format(number=number).rstrip(), *lines, f"  s{steps}: {{hangup: {{}}}}", ""])


def _check(text: str) -> int:
    """How many problems the text has."""
    document, problems = parse(text, "bench.yaml")
    if document is None:
        return len(problems)
    return len(checker.check([reader.read(document)], House(languages=("cmn", "en"))))


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return round(time.perf_counter() - begun, 3)


# --- a change while calls go on ------------------------------------------------------------------------


def _change_under_load(stage: Stage) -> dict[str, object]:
    """Raises RuntimeError where the change was not taken, or the calls are not those that they should be."""
    book = stage.appliance.flowbook
    lines = []
    for number in range(CALLS):  # not at once, or all of them would go on being asked at once
        lines.append(stage.exchange.ring_in("1000", f"1380000{number:04}"))
        gevent.sleep(1 / ARRIVALS)
    gc.collect()
    gc.freeze()  # as `run` does
    gc.set_threshold(10_000, 10, 10)
    sys.setswitchinterval(TURN)
    figures: dict[str, object] = {}
    with _lateness() as late:
        gevent.sleep(QUIET)
    figures["hub_late_ms"] = _worst(late)
    for name, limit in (("in a thread", 10**9), ("in a process", 0)):
        flowbook.BIG = limit
        _saved(book._flows_dir / "long.yaml", long_flow(STEPS, word=name))
        figures |= _taken(stage, f"checked_{name.replace(' ', '_')}")
    queries = book._flows_dir / "queries.yaml"
    _saved(queries, re.sub(r"within: \d+s", "within: 3s", queries.read_text(encoding="utf-8")))
    figures |= _taken(stage, "queries_are_tried")
    alive = sum(line.ended is None for line in lines)
    if alive != CALLS:
        raise RuntimeError(f"of {CALLS} calls {alive} are left")
    for line in lines:
        line.hang_up()
    while stage.appliance.desk.in_progress:
        gevent.sleep(0.05)
    gc.unfreeze()
    return {"calls_under_way": CALLS, **figures}


def _taken(stage: Stage, how: str) -> dict[str, object]:
    """How late the hub is while a change is taken, and how long that lasts. Raises RuntimeError where it is not."""
    edition = stage.appliance.flowbook.edition
    with _lateness() as late:
        before = time.perf_counter()
        problems = stage.appliance.house.take_edit()
        took = time.perf_counter() - before
    if problems or stage.appliance.flowbook.edition == edition:
        raise RuntimeError(f"the change was not taken: {problems}")
    return {f"hub_late_while_{how}_ms": _worst(late), f"taken_while_{how}_s": round(took, 2)}


@contextmanager
def _lateness() -> Iterator[list[float]]:
    """How late, in milliseconds, the hub is for someone who asks it every millisecond."""
    late: list[float] = []

    def ask() -> None:
        while True:
            before = time.perf_counter()
            gevent.sleep(TICK)
            late.append(1000 * (time.perf_counter() - before - TICK))

    asking = gevent.spawn(ask)
    try:
        yield late
    finally:
        asking.kill()


def _worst(late: list[float]) -> dict[str, float]:
    return {"worst": round(max(late), 1), "one in 100": round(sorted(late)[-len(late) // 100], 1)}


def _saved(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


# --- one step ------------------------------------------------------------------------------------------


def _step(stage: Stage) -> dict[str, object]:
    """What the session costs for each step of a call that goes through texts and values, without the switch's time."""
    clock = stage.clock
    assert isinstance(clock, VirtualClock)
    costs = []
    for _ in range(2):  # the first call loads what all others use
        line = stage.exchange.ring_in("3000", "")
        before = time.process_time()
        clock.run_until(lambda line=line: line.ended is not None, longest=100_000)  # type: ignore[misc]
        costs.append(time.process_time() - before)
    mine = [one["type"] for one in records(stage.appliance.journal.directory) if one.get("call") == line.id]
    steps = mine.count("StepEntered")
    return {
        "steps": steps,
        "processor_ms_per_step": round(1000 * costs[-1] / steps, 3),
        "journal_records_per_step": round(len(mine) / steps, 2),
    }


def _in_a_house(measured: Callable[[Stage], dict[str, object]], clock: Clock) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="hotline-flows-"))
    try:
        stage = _furnished(home, clock)
        stage.start(ready=())
        try:
            return measured(stage)
        finally:
            stage.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _furnished(home: Path, clock: Clock) -> Stage:
    flows = home / "flows"
    flows.mkdir()
    (flows / "asked.yaml").write_text(ASKED)
    (flows / "long.yaml").write_text(long_flow(STEPS))
    talk = "".join(
        f'  s{n}: {{say: {{cmn: "第{n}步", en: "Step {n}"}}, next: s{n + 1}}}\n'
        if n % 2
        else f'  s{n}: {{set: {{v: "{n}"}}, next: s{n + 1}}}\n'
        for n in range(STEPS)
    )
    (flows / "talk.yaml").write_text(HEAD.format(number="3000") + talk + f"  s{STEPS}: {{hangup: {{}}}}\n")
    shutil.copy(CHECKOUT / "flows" / "queries.yaml", flows)
    config = Config(prompts_dir=CHECKOUT / "prompts", limits=Limits(calls=4000, calls_per_second=1000)).at(home)
    config.data_dir.mkdir(parents=True)
    write_wav(config.sounds_dir / "beep.wav", np.zeros(1600))
    make_tables(config, home)
    crm = Database(config.crm.url, RealClock(), name="CRM", threads=1, create=True)
    demo.fill(crm, customers=3, orders=3, today=datetime.now(UTC).date())
    crm.close()
    library = Library(config.prompts_dir, home / "speech", catalogue.read(config.prompts_dir), Simulated(), clock)
    return Stage(config, clock, home, library, agents_answer_after=None)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2, ensure_ascii=False))
