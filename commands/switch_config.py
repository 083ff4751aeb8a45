"""Write what the switch includes: the event socket's or ARI's password and the agents' phone accounts.

The files go to var/switch/; those in freeswitch-conf/ and asterisk-conf/ include them. Run it again
after agents were added, then reload the switch's configuration.

  ./appliance.py switch-config
"""

from __future__ import annotations

import argparse

from config.appliance import Config
from config.values import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show-passwords", action="store_true", help="print the phone accounts with their passwords")


def _numbers(config: Config) -> list[str]:
    """The numbers that flows answer, which agents can dial too."""
    from runtime.flowbook import read_book

    book, problems = read_book(config.flows_dir, config.prompts_dir)
    if book is None:
        raise UserError("\n".join(map(str, problems)))
    return [number for flow in book.flows for number in flow.numbers]


def run(args: argparse.Namespace, config: Config) -> int:
    from commands import open_store
    from runtime.switch_files import write_configuration

    if config.switch.kind == "simulated":
        raise UserError("the simulated switch needs no configuration; set switch.kind in appliance.yaml first")
    with open_store(config) as store:
        agents = store.agents()
    for path in write_configuration(config, agents, _numbers(config)):
        print(f"wrote {path}")
    if args.show_passwords:
        for agent in filter(lambda agent: agent.account, agents):
            print(f"phone {agent.phone}: password {agent.password}")
    return 0
