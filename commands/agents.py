"""List agents, add or remove one, move one to another state, give one more time, or say what came of its call.

./appliance.py agents
./appliance.py agents --json
./appliance.py agents add 1005 "Li Wei" --queue service --skill cmn=5 --skill claims=3
./appliance.py agents add 1006 "Wang Fang" --queue service=2 --phone tel:+8613800138000
./appliance.py agents remove 1005
./appliance.py agents state 1001 ready
./appliance.py agents state 1001 not-ready --reason meal
./appliance.py agents extend 1001 2m
./appliance.py agents result 1001 solved
"""

from __future__ import annotations

import argparse
import getpass
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from commands import add_options, open_store, tell
from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from store.rows import Membership

ACCOUNT = re.compile(r"[0-9A-Za-z_.-]{1,32}")  # what both switches take as a SIP account
PHONE_NUMBER = re.compile(r"tel:\+?[0-9]{3,20}")
LAST_IN_ORDER = 1_000_000
STATES = {"ready": "Ready", "not-ready": "NotReady", "logged-off": "LoggedOff"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(do=_list)
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    actions = parser.add_subparsers(metavar="ACTION")

    def action(name: str, do: Callable[..., None], help: str, example: str = "") -> argparse.ArgumentParser:
        below = actions.add_parser(name, help=help, epilog=example)
        below.set_defaults(do=do)
        add_options(below)
        return below

    listing = action("list", _list, "list all agents (the default)")
    listing.add_argument("--json", action="store_true", help="print a JSON list")
    example = './appliance.py agents add 1005 "Li Wei" --queue service --skill cmn=5'
    _add_arguments(action("add", _add, "add an agent with a phone account of its own", example))
    example = "./appliance.py agents remove 1005"
    action("remove", _remove, "remove an agent; its talk goes on to the end", example).add_argument("id")
    example = "./appliance.py agents state 1001 not-ready --reason meal"
    _state_arguments(action("state", _state, "move an agent to another state", example))
    example = "./appliance.py agents extend 1001 2m"
    extend = action("extend", _extend, "give an agent longer for the work after a call", example)
    extend.add_argument("id")
    extend.add_argument("time", help="how much longer, for example 60s")
    example = "./appliance.py agents result 1001 solved"
    result = action("result", _result, "say what came of the agent's call", example)
    result.add_argument("id")
    result.add_argument("result", help="one of the queue's results")


def _add_arguments(add: argparse.ArgumentParser) -> None:
    add.add_argument("id", help="the agent's id and extension, for example 1005")
    add.add_argument("name")
    add.add_argument(
        "--queue",
        action="append",
        default=[],
        metavar="NAME[=RANK]",
        help="a queue that the agent serves; who has a lower rank there is rung first (repeat for more)",
    )
    add.add_argument(
        "--phone", default="", help="the phone's account where it is not the id, or tel:NUMBER for any telephone"
    )
    add.add_argument("--permanent", action="store_true", help="the phone stays off hook between calls")
    add.add_argument("--wrap-up", default="", metavar="TIME", help="in place of the queue's, for example 30s")
    add.add_argument(
        "--order",
        type=int,
        metavar="N",
        help="top-down and round-robin ring the lower first, then those without one by their numbers",
    )
    add.add_argument(
        "--skill", action="append", default=[], metavar="NAME=LEVEL", help="a skill with its level, 1 to 5"
    )


def _state_arguments(state: argparse.ArgumentParser) -> None:
    state.add_argument("id")
    state.add_argument("state", choices=sorted(STATES))
    state.add_argument(
        "--reason", default="", help="why the agent is not ready or logged off, one of flows/reasons.yaml"
    )
    state.add_argument(
        "--by", default=getpass.getuser(), help="the supervisor who asks for it, for the journal (default: who you are)"
    )


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

    table = Table("agent", "name", "state", "reason", "queues", "skills", "phone", "order")
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
            "" if agent["order"] is None else str(agent["order"]),
        )
    Console(markup=False, emoji=False, highlight=False).print(table)


def _known(config: Config) -> list[dict[str, Any]]:
    """The store's agents, with the state in which a running appliance has them."""
    from cti.client import Control

    with open_store(config) as store:
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
                "order": agent.order,
            }
            for agent in store.agents()
        ]
    try:
        live = {agent["id"]: agent for agent in Control(config.run_dir / "hotline.sock").ask("status")["agents"]}
    except UserError:
        live = {}
    return [agent | live.get(agent["id"], {}) for agent in agents]


def _add(args: argparse.Namespace, config: Config) -> None:
    from store.store import AlreadyThere

    if not ACCOUNT.fullmatch(args.id):
        raise UserError(f"'{args.id}' cannot be an agent's id, which is a phone account too; write for example 1005")
    memberships = [_membership(text) for text in args.queue]
    _check_queues([membership.queue for membership in memberships], config)
    if args.phone.startswith("tel:") and not PHONE_NUMBER.fullmatch(args.phone):
        raise UserError(f"'{args.phone}' is no telephone number; write for example tel:+8613800138000")
    if args.phone and not args.phone.startswith("tel:") and not ACCOUNT.fullmatch(args.phone):
        raise UserError(f"'{args.phone}' cannot be a phone account; for a telephone number write tel:{args.phone}")
    if args.order is not None and not 0 <= args.order <= LAST_IN_ORDER:
        raise UserError(f"--order {args.order}: write a number from 0 to {LAST_IN_ORDER}")
    with open_store(config) as store:
        try:
            store.add_agent(
                args.id,
                args.name,
                skills=dict(map(_skill, args.skill)),
                queues=memberships,
                phone=args.phone,
                permanent=args.permanent,
                wrap_up=_seconds(args.wrap_up) if args.wrap_up else None,
                order=args.order,
            )
        except AlreadyThere as error:
            raise UserError(str(error)) from error
    if args.phone.startswith("tel:"):
        print(f"agent {args.id} added; calls go to {args.phone} and count as answered when 1 is pressed there")
    else:
        print(f"agent {args.id} added; give the switch its phone account with: ./appliance.py switch-config")
    tell(config, "agents.reload")


def _remove(args: argparse.Namespace, config: Config) -> None:
    from config.wording import suggestion

    with open_store(config) as store:
        removed, known = store.remove_agent(args.id), [agent.id for agent in store.agents()]
    if not removed:
        near = suggestion(args.id, known) or " See who works here with: ./appliance.py agents"
        raise UserError(f"there is no agent {args.id}.{near}")
    tell(config, "agents.reload")
    print(f"agent {args.id} removed; take its phone account from the switch with: ./appliance.py switch-config")


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
    if not (name.strip() and equals and level in {"1", "2", "3", "4", "5"}):
        raise UserError(f"'{text}' is not a skill; write NAME=LEVEL with a level from 1 to 5, for example cmn=5")
    if re.search(r"\s", name):  # no queue and no flow could ask for it
        better = "-".join(name.split())
        raise UserError(f"'{name}' cannot be a skill's name, which is one word; write for example {better}={level}")
    return name, int(level)


def _membership(text: str) -> Membership:
    from store.rows import Membership

    queue, equals, rank = text.partition("=")
    if equals and not (rank.isdecimal() and 1 <= int(rank) <= 99):
        raise UserError(f"'{text}' is not a queue with a rank; write NAME=RANK with a rank from 1 to 99")
    return Membership(queue, int(rank) if equals else 1)


def _seconds(text: str) -> float:
    from config.values import seconds

    try:
        return seconds(text)
    except ValueError as error:
        raise UserError(str(error)) from error


def _extend(args: argparse.Namespace, config: Config) -> None:
    from cti.client import Control

    seconds = _seconds(args.time)
    Control(config.run_dir / "hotline.sock").ask("agents.extend", agent=args.id, seconds=seconds)
    print(f"agent {args.id} has {seconds:g} s longer")


def _result(args: argparse.Namespace, config: Config) -> None:
    from cti.client import Control

    noted = Control(config.run_dir / "hotline.sock").ask("agents.result", agent=args.id, result=args.result)
    print(f"call {noted['call']} in {noted['queue']}: {noted['result']}")


def _state(args: argparse.Namespace, config: Config) -> None:
    from cti.client import Control

    control = Control(config.run_dir / "hotline.sock")
    agent = control.ask("agents.state", agent=args.id, state=STATES[args.state], reason=args.reason, by=args.by)
    print(f"agent {agent['id']} is {agent['state']}" + (f" ({agent['reason']})" if agent["reason"] else ""))
