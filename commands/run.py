"""Run the appliance: take calls until it is stopped by SIGTERM or Ctrl-C.

Prints 'ready' when calls are taken. The process id stands in var/run/hotline.pid.

  ./appliance.py run
  ./appliance.py --config /etc/hotline/appliance.yaml run
"""

from __future__ import annotations

import argparse
import sys

from commands import data_folder
from config.appliance import Config

TURN = 0.001  # seconds that a thread keeps the interpreter while calls wait for it; Python's own are five times as many


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, config: Config) -> int:
    import faulthandler
    import gc
    import os
    import signal

    import gevent
    from gevent.event import Event

    from runtime.assembly import assemble
    from runtime.service import only_one, serve_until
    from runtime.standing import new_life
    from runtime.switches import open_switch
    from runtime.systemd import Systemd
    from speech.library import open_library
    from switch.shared.clock import RealClock

    faulthandler.enable(file=2)  # systemd's watchdog ends us by SIGABRT: where everything stood is then in its journal
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(name, stop.set)
    data_folder(config)
    clock = RealClock()
    with only_one(config.run_dir / "hotline.pid"):
        library, voices = open_library(config, clock)
        voices.start()
        try:
            standing = new_life(config.data_dir / "journal", clock.wall())
            switch = open_switch(config, clock, epoch=standing.epoch)
            appliance = assemble(config, clock=clock, switch=switch, library=library, standing=standing)
            calendars = appliance.flowbook.book.calendars
            for calendar in calendars.names:
                calendars.state(calendar, clock.wall())  # reads the holidays now, so that no call waits for that
            # What is there now stays: no collection need look through it while calls wait. What calls leave
            # behind is mostly free without one, so that they may be rarer than every 700 objects.
            gc.collect()
            gc.freeze()
            gc.set_threshold(10_000, 10, 10)
            sys.setswitchinterval(TURN)
            systemd = Systemd(os.environ)
            serve_until(appliance, stop, on_ready=lambda: print("ready", flush=True), systemd=systemd)
        finally:
            voices.close()
    return 0
