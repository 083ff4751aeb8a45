"""Stop the appliance once no caller is in the middle of a menu, an entry or a message.

Who waits or talks goes on at the switch; who calls meanwhile hears music. All are served by the next process.

  ./appliance.py drain
  ./appliance.py drain --within 30s
"""

from __future__ import annotations

import argparse
import time

from config.appliance import Config
from config.values import UserError, seconds

LOOK_SECONDS = 0.5
STOP_SECONDS = 15.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--within", default="60s", help="stop then at the latest (default: 60s)")


def run(args: argparse.Namespace, config: Config) -> int:
    from cti.client import Control, NotRunning

    try:
        within = seconds(args.within)
    except ValueError as error:
        raise UserError(f"--within: {error}") from error
    control = Control(config.run_dir / "hotline.sock")
    busy = control.ask("drain", within=within)["busy"]
    print(f"draining: {busy} callers are in the middle of something")
    until = time.monotonic() + within + STOP_SECONDS
    while time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        try:
            control.ask("status")
        except NotRunning:
            print("stopped")
            return 0
        except UserError:
            continue  # it is just closing
    raise UserError("the appliance has not stopped; its log says why")
