"""Close a calendar for an emergency, open it again, or set the PIN with which callers may.

Without an action the calendars that are closed are listed. It works while the appliance runs and while it
does not, at once and until it is lifted. A flow's step `hours` then goes on by its exit `emergency`.

  ./appliance.py closure
  ./appliance.py closure set office --reason typhoon
  ./appliance.py closure lift office
  ./appliance.py closure pin
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from contextlib import suppress
from typing import Any

from commands import add_options, data_folder, local
from config.appliance import Config
from config.values import UserError

SHORTEST, LONGEST = 4, 16  # digits of the PIN


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(do=_list)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    actions = parser.add_subparsers(metavar="ACTION")
    close = actions.add_parser(
        "set", help="close a calendar", epilog="./appliance.py closure set office --reason typhoon"
    )
    close.add_argument("calendar", help="a calendar of calendars.yaml")
    close.add_argument("--reason", default="", help="why, for those who look later")
    close.set_defaults(do=_close)
    lift = actions.add_parser(
        "lift", help="let a calendar say again what it says", epilog="./appliance.py closure lift office"
    )
    lift.add_argument("calendar")
    lift.set_defaults(do=_lift)
    pin = actions.add_parser(
        "pin", help="set the PIN of the verb closure", epilog="./appliance.py closure pin    asks for it, twice"
    )
    pin.add_argument("--remove", action="store_true", help="take it away: nobody can close anything by telephone then")
    pin.set_defaults(do=_pin)
    for action in (close, lift, pin):
        add_options(action)


def run(args: argparse.Namespace, config: Config) -> int:
    args.do(args, config)
    return 0


def _list(args: argparse.Namespace, config: Config) -> None:
    known = _ask(config, "closures")
    if args.json:
        print(json.dumps(known, ensure_ascii=False))
        return
    for name, closure in known["closed"].items():
        print(f"{name}: closed {_since(closure, config)}")
    if not known["closed"]:
        print("no calendar is closed for an emergency")
    print(f"by telephone: {'with the PIN' if known['pin'] else 'not possible, no PIN is set (closure pin)'}")


def _since(closure: dict[str, str], config: Config) -> str:
    because = f" ({closure['reason']})" if closure["reason"] else ""
    return f"since {local(closure['since'], config)}, by {closure['by']}{because}"


def _close(args: argparse.Namespace, config: Config) -> None:
    done = _ask(config, "closures.close", calendar=args.calendar, by=getpass.getuser(), reason=args.reason)
    if done["before"]:
        print(f"{args.calendar} was closed already, {_since(done['before'], config)}; time and reason are new now")
    print(
        f"{args.calendar} is closed for an emergency; open it again with: ./appliance.py closure lift {args.calendar}"
    )


def _lift(args: argparse.Namespace, config: Config) -> None:
    lifted = _ask(config, "closures.lift", calendar=args.calendar, by=getpass.getuser())["changed"]
    print(f"{args.calendar} {'is open again when its hours say so' if lifted else 'was not closed'}")


def _pin(args: argparse.Namespace, config: Config) -> None:
    pin = "" if args.remove else _chosen_pin()
    _ask(config, "closures.pin", pin=pin)
    print("the PIN is set" if pin else "there is no PIN any more")


def _chosen_pin() -> str:
    """The PIN from the terminal, where nobody sees it, or from the standard input. Raises UserError."""
    asks = sys.stdin.isatty()
    pin = getpass.getpass("PIN: ") if asks else sys.stdin.readline().strip()
    if not (pin.isascii() and pin.isdecimal() and SHORTEST <= len(pin) <= LONGEST):
        raise UserError(f"a PIN has {SHORTEST} to {LONGEST} digits and nothing else")
    if len(set(pin)) == 1 or pin in "01234567890" or pin in "09876543210":
        raise UserError("this PIN is the first that anybody would try; choose another")
    if asks and getpass.getpass("again: ") != pin:
        raise UserError("these were two different PINs; nothing was changed")
    return pin


def _ask(config: Config, do: str, **arguments: object) -> Any:
    """Asks the running appliance; where none runs, changes the file itself that the next one reads."""
    from cti.client import Control, NotRunning
    from cti.server import Refused
    from ivr.language.calendars import load_calendars
    from runtime.closures import Closures, closure_commands
    from switch.shared.clock import RealClock

    with suppress(NotRunning):
        return Control(config.run_dir / "hotline.sock").ask(do, **arguments)
    data_folder(config)
    file = config.flows_dir / "calendars.yaml"
    calendars, problems = load_calendars(file.read_text(encoding="utf-8") if file.exists() else "{}", str(file))
    if problems:
        raise UserError("\n".join(map(str, problems)))
    closures = Closures(config.data_dir, RealClock())
    try:
        return closure_commands(closures, lambda: calendars)[do](arguments)
    except Refused as refused:
        raise UserError(str(refused)) from refused
