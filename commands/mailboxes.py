"""List mailboxes, add, change, lock or remove one, and give it the PIN by which its owner hears it.

./appliance.py mailboxes
./appliance.py mailboxes add wang --phone 1001 --email wang@example.org --keep 30
./appliance.py mailboxes set service --phone 1001 --phone 1002 --limit 50
./appliance.py mailboxes pin wang
./appliance.py mailboxes unlock wang
./appliance.py mailboxes remove wang
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from commands import add_options, open_store, tell
from config.appliance import Config
from config.values import UserError

SHORTEST_PIN, LONGEST_PIN = 4, 16
EASY = ("0123456789", "9876543210", "1234567890", "0987654321")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(do=_list)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    actions = parser.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", help="list all mailboxes (the default)")
    listing.add_argument("--json", action="store_true", help="print a JSON list")
    add_options(listing)
    for name, do, help, example in (
        ("add", _add, "add a mailbox", "add wang --phone 1001 --email wang@example.org"),
        ("set", _set, "change a mailbox; what is not named stays", "set wang --keep 30 --limit 50"),
        ("pin", _pin, "give a mailbox its PIN, which is asked for (or read from standard input)", "pin wang"),
        ("unlock", _unlock, "let a mailbox be opened again that wrong PINs have locked", "unlock wang"),
        ("remove", _remove, "remove a mailbox that holds no messages and that no flow uses", "remove wang"),
    ):
        action = actions.add_parser(name, help=help, epilog=f"./appliance.py mailboxes {example}")
        action.add_argument("name", help="the mailbox, as flows name it")
        action.set_defaults(do=do)
        add_options(action)
        if do in (_add, _set):
            _add_settings(action)
        if do is _remove:
            action.add_argument("--used", action="store_true", help="remove it although a flow uses it")
        if do is _pin:
            action.add_argument("--none", action="store_true", help="take the PIN away: no telephone opens it then")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--phone",
        action="append",
        metavar="ACCOUNT",
        help="a telephone that shows it and opens it by *97 (repeat)",
    )
    parser.add_argument("--email", help='who gets each message by e-mail, several with commas; "" for nobody')
    parser.add_argument("--greeting", metavar="PROMPT", help='the prompt that greets; "" for the words of the flow')
    parser.add_argument("--limit", type=int, metavar="N", help="so many messages make it full")
    parser.add_argument("--keep", type=int, metavar="DAYS", help="messages older than that are removed; 0 keeps them")


def run(args: argparse.Namespace, config: Config) -> int:
    args.do(args, config)
    return 0


def _list(args: argparse.Namespace, config: Config) -> None:
    with open_store(config) as store:
        boxes = [_shown(box, store.messages(box.name)) for box in store.boxes()]
    if args.json:
        print(json.dumps(boxes, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("mailbox", "new", "all", "limit", "days", "PIN", "phones", "e-mail", "greeting")
    for box in boxes:
        pin = "none" if not box["pin"] else "locked" if box["locked_until"] else "set"
        counts = [str(box[name]) for name in ("new", "messages", "limit")]
        days = str(box["keep_days"] or "")
        table.add_row(box["name"], *counts, days, pin, ", ".join(box["phones"]), box["email"], box["greeting"])
    Console(markup=False, emoji=False, highlight=False).print(table)


def _shown(box: Any, messages: list[Any]) -> dict[str, Any]:
    from datetime import UTC, datetime

    locked = box.locked_until is not None and box.locked_until > datetime.now(UTC)
    return {
        "name": box.name,
        "new": sum(message.state.value == "new" for message in messages),
        "messages": len(messages),
        "limit": box.limit,
        "keep_days": box.keep_days,
        "pin": box.has_pin,
        "locked_until": box.locked_until.isoformat() if locked else None,
        "phones": list(box.phones),
        "email": box.email,
        "greeting": box.greeting,
    }


def _add(args: argparse.Namespace, config: Config) -> None:
    from store.store import AlreadyThere

    if not args.name.replace("-", "").replace("_", "").isalnum():
        raise UserError(f"'{args.name}' cannot be a mailbox's name; write letters, digits, - and _")
    settings = _settings(args, config)
    with open_store(config) as store:
        try:
            store.add_mailbox(
                args.name,
                email=settings.get("email", ""),
                greeting=settings.get("greeting", ""),
                limit=settings.get("message_limit", 100),
                keep_days=settings.get("keep_days"),
                phones=settings.get("phones", ()),
            )
        except AlreadyThere as error:
            raise UserError(f"{error}; change it with: ./appliance.py mailboxes set {args.name}") from error
    tell(config, "mailboxes.changed")
    print(
        f"mailbox {args.name} added; its owner can hear it once it has a PIN: ./appliance.py mailboxes pin {args.name}"
    )


def _set(args: argparse.Namespace, config: Config) -> None:
    settings = _settings(args, config)
    if not settings:
        raise UserError("nothing to change; name at least one of --phone, --email, --greeting, --limit and --keep")
    _change(args, config, lambda store: store.voicemail.change(args.name, **settings))
    print(f"mailbox {args.name} changed")


def _pin(args: argparse.Namespace, config: Config) -> None:
    pin = "" if args.none else _asked_pin()
    _change(args, config, lambda store: store.voicemail.set_pin(args.name, pin))
    print(f"mailbox {args.name} has a new PIN" if pin else f"mailbox {args.name} has no PIN: no telephone opens it")


def _unlock(args: argparse.Namespace, config: Config) -> None:
    _change(args, config, lambda store: store.voicemail.unlock(args.name))
    print(f"mailbox {args.name} can be opened again")


def _remove(args: argparse.Namespace, config: Config) -> None:
    with open_store(config) as store:
        boxes = [box.name for box in store.boxes()]
        if args.name not in boxes:
            raise _no_box(args.name, store)
        if not args.used and (places := _uses(args.name, boxes, config)):
            raise UserError(
                f"mailbox {args.name} is used in {', '.join(places)}; name another box there first, for without it "
                "the appliance takes no change of the flows, and does not start again. To remove it all the same "
                "add --used"
            )
        held = store.voicemail.remove(args.name)
        if held is None:
            raise _no_box(args.name, store)
    if held:
        raise UserError(f"mailbox {args.name} holds {held} messages; have them heard and deleted first")
    tell(config, "mailboxes.changed")
    print(f"mailbox {args.name} removed")


def _uses(name: str, boxes: list[str], config: Config) -> list[str]:
    """Where flows name a mailbox, file and step: what is wrong without it and right with it."""
    from runtime.flowbook import Surroundings, read_book

    def wrong(boxes: list[str]) -> dict[tuple[str, int, int], str]:
        _, problems = read_book(config.flows_dir, config.prompts_dir, Surroundings(boxes=boxes))
        return {(one.path, one.line, one.column): one.message for one in problems}

    already = wrong(boxes)
    without = wrong([box for box in boxes if box != name])
    return [
        f"{path}:{line} ({message.partition(': ')[0]})"
        for (path, line, column), message in without.items()
        if (path, line, column) not in already
    ]


# --- what is written ------------------------------------------------------------------------------


def _settings(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    """What is to be changed, by column. Raises UserError."""
    found: dict[str, Any] = {}
    if args.phone is not None:
        found["phones"] = _phones([phone for phone in args.phone if phone], config)
    if args.email is not None:
        found["email"] = _email(args.email)
    if args.greeting is not None:
        found["greeting"] = _prompt(args.greeting, config)
    if args.limit is not None:
        if not 1 <= args.limit <= 10_000:
            raise UserError(f"--limit {args.limit}: write a number of messages from 1 to 10000")
        found["message_limit"] = args.limit
    if args.keep is not None:
        if not 0 <= args.keep <= 36_500:
            raise UserError(f"--keep {args.keep}: write a number of days, or 0 to keep messages for ever")
        found["keep_days"] = args.keep or None
    return found


def _phones(accounts: list[str], config: Config) -> list[str]:
    """A lamp that nobody has would be a typing mistake. Raises UserError."""
    from config.wording import choices, suggestion

    with open_store(config) as store:
        known = [agent.phone for agent in store.agents()]
    for account in accounts:
        if account not in known:
            there_are = suggestion(account, known) or f" There are {choices(known) or 'none'}"
            raise UserError(f"no agent has the telephone '{account}'.{there_are}")
    return accounts


def _email(addresses: str) -> str:
    from runtime.notices import recipients

    try:
        return ", ".join(recipients(addresses)) if addresses.strip() else ""
    except ValueError:
        raise UserError(f"--email '{addresses}': write an address such as wang@example.org") from None


def _prompt(name: str, config: Config) -> str:
    from config.wording import suggestion
    from speech import catalogue

    known = catalogue.read(config.prompts_dir).texts
    if name and name not in known:
        raise UserError(f"there is no prompt '{name}'.{suggestion(name, known)}")
    return name


def _asked_pin() -> str:
    """Typed unseen, twice, or read from standard input: never an argument, which every process can see."""
    import getpass
    import sys

    if not sys.stdin.isatty():
        return _checked(sys.stdin.readline().strip())
    pin = _checked(getpass.getpass("PIN: "))
    if getpass.getpass("PIN again: ") != pin:
        raise UserError("the two are not the same; nothing was changed")
    return pin


def _checked(pin: str) -> str:
    if not (pin.isascii() and pin.isdigit() and SHORTEST_PIN <= len(pin) <= LONGEST_PIN):
        raise UserError(f"a PIN has {SHORTEST_PIN} to {LONGEST_PIN} digits, and nothing else")
    if len(set(pin)) == 1 or any(pin in row for row in EASY):
        raise UserError("that PIN is the first that anybody would try; choose another one")
    return pin


# --- details --------------------------------------------------------------------------------------


def _change(args: argparse.Namespace, config: Config, change: Callable[[Any], bool]) -> None:
    with open_store(config) as store:
        if not change(store):
            raise _no_box(args.name, store)
    tell(config, "mailboxes.changed")


def _no_box(name: str, store: Any) -> UserError:
    from config.wording import choices, suggestion

    known = [box.name for box in store.boxes()]
    return UserError(f"there is no mailbox '{name}'; there is {choices(known)}.{suggestion(name, known)}")
