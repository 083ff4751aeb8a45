"""Run the appliance: take calls until it is stopped by SIGTERM or Ctrl-C.

Prints 'ready' when calls are taken. The process id stands in var/run/hotline.pid. Where the flows are wrong, the
edition that was in force last serves until they are mended; the log and `status` say so.

  ./appliance.py run
  ./appliance.py --config /etc/hotline/appliance.yaml run
"""

from __future__ import annotations

import argparse
import sys

from commands import data_folder
from config.appliance import Config

# Seconds in which callers are taken over: voices and models would take all processors from the switch meanwhile. Who
# needs one before has it a moment later.
SPEECH_AFTER = 5.0
TURN = 0.001  # seconds that a thread keeps the interpreter while calls wait for it; Python's own are five times as many


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, config: Config) -> int:
    import gc

    gc.disable()  # nearly all that a start makes stays: to look through it again and again takes a tenth of its time

    import faulthandler
    import os
    import signal

    import gevent
    from gevent.event import Event

    from runtime.assembly import assemble
    from runtime.service import only_one, serve_until
    from runtime.standing import new_life
    from runtime.switches import open_switch
    from runtime.systemd import Systemd
    from speech.catalogue import Catalogue, load
    from speech.library import open_library
    from switch.shared.clock import RealClock

    faulthandler.enable(file=2)  # systemd's watchdog ends us by SIGABRT: where everything stood is then in its journal
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(name, stop.set)
    data_folder(config)
    clock = RealClock()
    with only_one(config.run_dir / "hotline.pid"):
        # Texts that are wrong are told with the flows, and those of the edition that serves take their place.
        library, voices = open_library(config, clock, load(config.prompts_dir)[0] or Catalogue({}))
        speech = [voices.start]
        starting = gevent.Greenlet(lambda: [start() for start in speech])
        try:
            standing = new_life(config.data_dir / "journal", clock.wall())
            switch = open_switch(config, clock, epoch=standing.epoch)
            appliance = assemble(
                config, clock=clock, switch=switch, library=library, standing=standing, or_last_flows=True
            )
            speech.append(appliance.ears.load_models)
            calendars = appliance.flowbook.book.calendars
            for calendar in calendars.names:
                calendars.state(calendar, clock.wall())  # reads the holidays now, so that no call waits for that
            # What is there now stays: no collection need look through it while calls wait. What calls leave
            # behind is mostly free without one, so that they may be rarer than every 700 objects.
            gc.freeze()
            gc.set_threshold(10_000, 10, 10)
            gc.enable()
            sys.setswitchinterval(TURN)

            def ready() -> None:
                print("ready", flush=True)
                starting.start_later(SPEECH_AFTER)

            serve_until(appliance, stop, on_ready=ready, systemd=Systemd(os.environ))
        finally:
            starting.kill()
            voices.close()
    return 0
