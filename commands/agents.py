"""List agents, add one, or move one to another state.

./appliance.py agents
./appliance.py agents --json
./appliance.py agents add 1005 "Li Wei" --queue service --skill cmn=5 --skill claims=3
./appliance.py agents state 1001 ready
./appliance.py agents state 1001 not-ready --reason meal
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from typing import Any

from commands import add_options
from config.appliance import Config
from config.values import UserError

ACCOUNT = re.compile(r"[0-9A-Za-z_.-]{1,32}")  # what both switches take as a SIP account
STATES = {"ready": "Ready", "not-ready": "NotReady", "logged-off": "LoggedOff"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(do=_list)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    actions = parser.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", help="list all agents (the default)")
    listing.add_argument("--json", action="store_true", help="print a JSON list")
    add = actions.add_parser(
        "add",
        help="add an agent with a phone account of its own",
        epilog='./appliance.py agents add 1005 "Li Wei" --queue service --skill cmn=5',
    )
    add.add_argument("id", help="the agent's id and extension, for example 1005")
    add.add_argument("name")
    add.add_argument("--queue", action="append", default=[], help="a queue that the agent serves (repeat for more)")
    add.add_argument(
        "--skill", action="append", default=[], metavar="NAME=LEVEL", help="a skill with its level, 1 to 5"
    )
    add.set_defaults(do=_add)
    state = actions.add_parser(
        "state",
        help="move an agent to another state",
        epilog="./appliance.py agents state 1001 not-ready --reason meal",
    )
    state.add_argument("id")
    state.add_argument("state", choices=sorted(STATES))
    state.add_argument("--reason", default="", help="why the agent is not ready")
    state.set_defaults(do=_state)
    for action in (listing, add, state):
        add_options(action)


def run(args: argparse.Namespace, config: Config) -> int:
    args.do(args, config)
    return 0


def _list(args: argparse.Namespace, config: Config) -> None:
    agents = _known(config)
    if args.json:
        print(json.dumps(agents, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("agent", "name", "state", "reason", "queues", "skills", "phone")
    for agent in agents:
        skills = ", ".join(f"{name}={level}" for name, level in agent["skills"].items())
        table.add_row(
            agent["id"],
            agent["name"],
            agent["state"],
            agent["reason"],
            ", ".join(agent["queues"]),
            skills,
            agent["phone"],
        )
    Console(markup=False, emoji=False, highlight=False).print(table)


def _known(config: Config) -> list[dict[str, Any]]:
    """The store's agents, with the state in which a running appliance has them."""
    from cti.client import Control
    from switch.shared.clock import RealClock

    store = _store(config, RealClock())
    try:
        agents = [
            {
                "id": agent.id,
                "name": agent.name,
                "state": "LoggedOff",
                "reason": "",
                "call": None,
                "queues": [membership.queue for membership in agent.queues],
                "skills": dict(agent.skills),
                "phone": agent.phone,
            }
            for agent in store.agents()
        ]
    finally:
        store.close()
    try:
        live = {agent["id"]: agent for agent in Control(config.run_dir / "hotline.sock").ask("status")["agents"]}
    except UserError:
        live = {}
    return [agent | live.get(agent["id"], {}) for agent in agents]


def _add(args: argparse.Namespace, config: Config) -> None:
    from cti.client import Control
    from store.rows import Membership
    from store.store import AlreadyThere
    from switch.shared.clock import RealClock

    if not ACCOUNT.fullmatch(args.id):
        raise UserError(f"'{args.id}' cannot be an agent's id, which is a phone account too; write for example 1005")
    _check_queues(args.queue, config)
    store = _store(config, RealClock())
    try:
        store.add_agent(
            args.id,
            args.name,
            skills=dict(map(_skill, args.skill)),
            queues=[Membership(queue) for queue in args.queue],
        )
    except AlreadyThere as error:
        raise UserError(str(error)) from error
    finally:
        store.close()
    print(f"agent {args.id} added; give the switch its phone account with: ./appliance.py switch-config")
    try:
        Control(config.run_dir / "hotline.sock").ask("agents.reload")
    except UserError:
        return


def _check_queues(named: Sequence[str], config: Config) -> None:
    """An agent of a queue that there is not would wait for calls for ever. Raises UserError."""
    from config.wording import choices, suggestion
    from runtime.flowbook import read_book

    book, problems = read_book(config.flows_dir, config.prompts_dir)
    if named and book is None:
        raise UserError(f"the queues cannot be read: {problems[0]}")
    known = [rule.name for rule in book.queues] if book is not None else []
    for queue in named:
        if queue not in known:
            raise UserError(f"there is no queue '{queue}'; there is {choices(known)}.{suggestion(queue, known)}")


def _skill(text: str) -> tuple[str, int]:
    name, equals, level = text.partition("=")
    if not (name and equals and level in {"1", "2", "3", "4", "5"}):
        raise UserError(f"'{text}' is not a skill; write NAME=LEVEL with a level from 1 to 5, for example cmn=5")
    return name, int(level)


def _state(args: argparse.Namespace, config: Config) -> None:
    from cti.client import Control

    control = Control(config.run_dir / "hotline.sock")
    agent = control.ask("agents.state", agent=args.id, state=STATES[args.state], reason=args.reason)
    print(f"agent {agent['id']} is {agent['state']}" + (f" ({agent['reason']})" if agent["reason"] else ""))


def _store(config: Config, clock: Any) -> Any:
    from store.store import Store

    return Store(config.database.url, clock, within=config.database.within)
