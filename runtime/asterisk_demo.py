"""The demo on a real exchange: how telephones reach it, its calls as they go, and without people a sample call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gevent

from config.appliance import Config
from cti.client import Control
from provision.callers import Account, NotSo, Telephone
from runtime.private_asterisk import CALLER, Site
from runtime.telling import Teller
from store.rows import Agent

PRESSED = [(4.0, "1"), (4.0, "202611#"), (4.0, "1"), (10.0, "0")]  # each so many seconds after the one before
AGENT = "1001"

Say = Callable[[str], None]


def introduce(site: Site, demo: Config, version: str, say: Say) -> None:
    """How any softphone becomes the caller or the agent."""
    agent = _agent(site)
    say(
        f"\nHotline runs on Asterisk {version}. Any softphone reaches it, by UDP, at {site.address} port {site.port}:\n"
        f"\n  caller    account {CALLER}   password {site.caller_password}   dial {site.number}"
        f"\n  agent     account {agent.phone:<13} password {agent.password}   dial *12 to be ready, *13 not to be\n"
        f"\nThe caller is a customer of the demo CRM: 1, then 202611#, then 1 tells her order; 0 asks for an agent."
        f"\nThe office never closes here. Flows can be edited meanwhile. All files are in {demo.data_dir}; try also:"
        f"\n  ./appliance.py --config {demo.data_dir / 'appliance.yaml'} status\n"
    )


def stay(site: Site, demo: Config, say: Say) -> bool:
    """Shows every call until Ctrl-C; False when the appliance ends before."""
    try:
        say("Calls are shown here as they go. Ctrl-C ends the demo.\n")
        for line, _ in _followed(site, demo):
            if line:
                say(line)
    except KeyboardInterrupt:
        say("\nThe demo is over.")
        return True
    say(f"The appliance has ended by itself; see {demo.data_dir / 'appliance.log'}")
    return False


def sample_call(site: Site, demo: Config, sipp: Sequence[str], say: Say) -> bool:
    """A caller asks for her order and then for an agent, who talks and hangs up; their telephones are sipp.

    Whether it all went so.
    """
    say(f"A sample call: agent {AGENT} dials *12; {CALLER} dials {site.number} and presses 1, 202611#, 1, and 0.\n")
    caller = _telephone(CALLER, site.caller_password, site, demo, sipp)
    agent = _telephone(AGENT, _agent(site).password, site, demo, sipp)
    ends: list[str] = []
    showing = gevent.spawn(_show_until_ended, site, demo, ends, say)
    Control(demo.run_dir / "hotline.sock").ask("status")
    try:
        with agent.answering(after=1.5, talk_for=9.0):
            agent.dial("*12")
            caller.dial(site.number, PRESSED)
            showing.join(timeout=10)
    except NotSo as broken:
        say(str(broken))
        return False
    finally:
        showing.kill()
    if ends != ["talked", "flow ended"]:
        say(f"The sample call did not go as it should; see {demo.data_dir / 'appliance.log'}")
        return False
    say("\nThe call went as it should. Call it yourself: run make demo SWITCH=asterisk in a terminal.")
    return True


def _agent(site: Site) -> Agent:
    return next(agent for agent in site.agents if agent.id == AGENT)


def _telephone(account: str, password: str, site: Site, demo: Config, sipp: Sequence[str]) -> Telephone:
    return Telephone(sipp, Account(account, password, (site.address, site.port)), demo.data_dir / "phones")


def _show_until_ended(site: Site, demo: Config, ends: list[str], say: Say) -> None:
    """Says what happens until the caller's call has ended; notes a talk with an agent, and the end."""
    call = ""
    for line, record in _followed(site, demo):
        if line:
            say(line)
        if record["type"] == "CallArrived" and record["caller"] == CALLER:
            call = record["call"]
        if record["type"] == "CallConnected" and record["call"] == call:
            ends.append("talked")
        if record["type"] == "CallEnded" and record["call"] == call:
            ends.append(record["outcome"])
            return


def _followed(site: Site, demo: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the appliance journals from now on, each record with its line for people, "" where it has none."""
    names = {agent.id: agent.name for agent in site.agents}
    teller = Teller(lambda prompt, language: site.prompts.text(prompt, language) or "", names, demo.zone)
    for record in Control(demo.run_dir / "hotline.sock").follow():
        yield teller.line(record), record
