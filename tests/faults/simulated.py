"""The small exchange in the place of a real switch: in a thread of its own, with a crowd of callers."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from urllib.parse import urlsplit

import gevent
from gevent.event import Event

from config.appliance import Config
from tests.faults.exchange import Channel, Exchange
from tests.faults.wire import Faults, WebSocket, Wire
from tests.live.switches import PrivateSwitch

SEED = int(os.environ.get("HOTLINE_SEED", "1"))
NUMBER, QUEUE, AGENTS = "7000", "desk-31", ("3031", "4031")


class Simulated(PrivateSwitch):
    """For `tests.live.hotline.Hotline`. All that is said between the two goes over `wire`, which is good at first."""

    kind = "asterisk"

    def __init__(self, home: Path, config: Config) -> None:
        super().__init__(home, config)
        self._started, self._enough = threading.Event(), Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._started.wait(10)
        here = urlsplit(self.config.switch.asterisk.url).port
        self.wire = Wire(here, self.exchange.port, seed=SEED, faults=Faults(), framing=WebSocket)

    def stop(self) -> None:
        self.wire.close()
        self._call(self._enough.set)
        self._thread.join(10)

    def channels(self) -> int:
        return len(self.exchange.channels)

    def do(self, what, *arguments) -> None:
        """Has the exchange's thread do it, soon."""
        self._call(gevent.spawn, what, *arguments)

    def _run(self) -> None:
        self.exchange = Exchange(SEED, list(AGENTS))
        self._call = gevent.get_hub().loop.run_callback_threadsafe
        self._started.set()
        self._enough.wait()
        self.exchange.close()


class Crowd:
    """Callers of every kind, one after another, each with a mind of its own."""

    KINDS = ("1", "1", "1", "2", "3", "4", "")  # the first key: wait, give a number, leave a message, complain, listen

    def __init__(self, exchange: Exchange, dialled: str, *, every: float, patience: tuple[float, float]) -> None:
        self.exchange, self.dialled, self.every, self.patience = exchange, dialled, every, patience
        self.complained: list[Channel] = []

    def run(self) -> None:
        dice = self.exchange.dice
        while self.exchange.calling:
            gevent.spawn(self._live, self.exchange.call(self.dialled), dice.choice(self.KINDS))
            gevent.sleep(dice.expovariate(1 / self.every))

    def _live(self, caller, key):
        """Presses keys from time to time, until one of both hangs up; who waits presses none."""
        dice, exchange = self.exchange.dice, self.exchange
        leaves = exchange._now() + dice.uniform(*self.patience)
        while not caller.over.wait(dice.uniform(0.3, 0.9)):
            if not caller.talked and exchange._now() > leaves:
                exchange.hang_up(caller)
            elif key and not caller.music and not caller.talked and caller.tape is None:
                exchange.press(caller, key if len(caller.heard) < 4 else dice.choice("0123456789"))
