"""What a call costs the appliance itself, without a switch: the order menu on the simulated exchange, in real time.

    python -m bench core

Processor time is that of this process alone, all of its threads; nothing else that uses the machine counts much.
"""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import gevent
import numpy as np

from bench import _menu
from config.appliance import Config, Limits
from crm import demo
from runtime.stage import Stage, make_tables
from speech import catalogue
from speech.library import Library
from speech.simulated import Simulated
from store.database import Database
from switch.shared.clock import RealClock
from switch.simulated import Line
from switch.simulated.audio import write_wav

CHECKOUT = Path(__file__).resolve().parents[1]
WARM, CALLS = 50, 1000
RATE = 60  # calls a second
KEY_AFTER = 0.3  # seconds
CUSTOMERS, ORDERS = 5_000, 20_000


def measure() -> dict[str, object]:
    """Milliseconds of processor a call, and how many calls went as they should."""
    home = Path(tempfile.mkdtemp(prefix="hotline-core-"))
    try:
        return _measured(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _measured(home: Path) -> dict[str, object]:
    stage = _furnished(home)
    stage.start(ready=())
    try:
        _calls(stage, WARM)
        gc.collect()
        gc.freeze()  # as `run` does
        gc.set_threshold(10_000, 10, 10)
        before = time.process_time()
        lines = _calls(stage, CALLS)
        stage.appliance.folder.fold()
        spent = time.process_time() - before
    finally:
        stage.stop()
    right = sum(line.heard[-1].path is not None and line.heard[-1].text == _menu.TELL for line in lines)
    return {"calls": CALLS, "right": right, "calls/s": RATE, "processor ms per call": round(1000 * spent / CALLS, 2)}


def _furnished(home: Path) -> Stage:
    flows = home / "flows"
    flows.mkdir()
    (flows / "order.yaml").write_text(_menu.FLOWS["bench-order.yaml"])
    shutil.copy(CHECKOUT / "flows" / "queries.yaml", flows)
    (flows / "queues.yaml").write_text("{}\n")
    limits = Limits(calls=4000, calls_per_second=1000)
    config = Config(prompts_dir=CHECKOUT / "prompts", limits=limits).at(home)
    config.data_dir.mkdir(parents=True)
    write_wav(config.sounds_dir / "beep.wav", np.zeros(1600))
    make_tables(config, home)
    clock = RealClock()
    crm = Database(config.crm.url, clock, name="CRM", threads=1, create=True)
    demo.fill(crm, customers=CUSTOMERS, orders=ORDERS, today=datetime.now(UTC).date())
    crm.close()
    library = Library(config.prompts_dir, home / "speech", catalogue.read(config.prompts_dir), Simulated(), clock)
    return Stage(config, clock, home, library, agents_answer_after=None)


def _calls(stage: Stage, many: int) -> list[Line]:
    """So many callers at the rate; returns when the last one's call has ended."""
    lines = []
    for _ in range(many):
        line = stage.exchange.ring_in(_menu.NUMBERS.order, "13800000001")
        gevent.spawn_later(KEY_AFTER, line.press, _menu.KEY)
        lines.append(line)
        gevent.sleep(1 / RATE)
    while stage.appliance.desk.in_progress:
        gevent.sleep(0.05)
    return lines


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
