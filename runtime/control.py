"""What the control socket can be asked: the state of the house, and what agents and flows are told to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from acd.model import AgentState, NoteResult, ResultGiven
from config.values import Diagnostic
from config.wording import choices, suggestion
from cti.server import Command, Refused
from journal.writer import Journal
from runtime.acd_loop import AcdLoop
from runtime.calls import CallDesk
from runtime.closures import Closures, closure_commands
from runtime.draining import Drain
from runtime.flowbook import Flowbook
from runtime.folding import Folder
from runtime.mailroom import Mailroom
from runtime.roster import Roster
from store.store import StoreFailed
from switch.port import Switch
from switch.shared.clock import Clock

LONGEST_EXTENSION = 1800.0  # seconds
ASKED_FOR = {"Ready": AgentState.READY, "NotReady": AgentState.NOT_READY, "LoggedOff": AgentState.LOGGED_OFF}


class House:
    """The parts of a running appliance that control looks at."""

    def __init__(
        self,
        *,
        switch: Switch,
        flowbook: Flowbook,
        desk: CallDesk,
        acd: AcdLoop,
        journal: Journal,
        folder: Folder,
        clock: Clock,
        roster: Roster,
        mailroom: Mailroom,
        drain: Drain,
        closures: Closures,
    ) -> None:
        self._switch = switch
        self._flowbook = flowbook
        self._desk = desk
        self._acd = acd
        self._journal = journal
        self._folder = folder
        self._clock = clock
        self._roster = roster
        self._mailroom = mailroom
        self._drain = drain
        self._closures = closures

    def commands(self) -> dict[str, Command]:
        return {
            "status": lambda _: self.status(),
            "agents.state": self._set_agent_state,
            "agents.extend": self._extend_wrap_up,
            "agents.result": self._give_result,
            "agents.reload": lambda _: {"agents": self._agents_again()},
            "drain": lambda request: {"busy": self._drain.begin(float(request.get("within", 60.0)))},
            "mailboxes.changed": lambda _: self._mailboxes_changed(),
            **closure_commands(self._closures, lambda: self._flowbook.book.calendars.names),
            "flows.reload": lambda _: {"problems": [str(problem) for problem in self.take_edit()]},
        }

    def status(self) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "ready": self._switch.connected,
            "pid": os.getpid(),
            "switch": self._switch.version,
            "edition": self._flowbook.edition.number,
            "flows": self._flows(),
            "queues": [
                {
                    "name": queue.name,
                    "waiting": list(queue.waiting),
                    "longest_wait": max((self._acd.waited(call) for call in queue.waiting), default=0) / 1000,
                }
                for queue in self._acd.queues()
            ],
            "agents": [
                {
                    "id": agent.id,
                    "name": self._acd.agent_name(agent.id),
                    "state": agent.state.value,
                    "reason": agent.reason,
                    "call": agent.call or None,
                    "since": (now - agent.since) / 1000,
                }
                for agent in self._acd.agents()
            ],
            "calls": [
                {
                    "id": call_id,
                    "caller": under_way.call.caller,
                    "dialled": under_way.call.dialled,
                    "flow": under_way.flow,
                    "step": under_way.step,
                    "seconds": (now - under_way.since) / 1000,
                }
                for call_id, under_way in self._desk.in_progress.items()
            ],
            "deferred": self._desk.times_deferred,
            "troubles": self._troubles(),
            "ignored": dict(self._acd.ignored),
        }

    def take_edit(self) -> list[Diagnostic]:
        """Takes the flows as they are saved now, queues included, or none of them; returns what is wrong."""
        self._look_around()
        before = self._flowbook.edition
        problems = self._flowbook.reload()
        edition = self._flowbook.edition
        if problems:
            self._journal.append("FlowsRefused", problems=[str(problem) for problem in problems])
        elif edition.number != before.number:
            self._acd.load(self._flowbook.book.queues)
            self._journal.append("FlowsTaken", edition=edition.number, changed=edition.changed)
        return problems

    def _agents_again(self) -> int:
        try:
            self._roster.look()
        except StoreFailed as error:
            raise Refused(f"the agents cannot be read: {error}") from error
        return len(self._roster.agents)

    def _look_around(self) -> None:
        with suppress(StoreFailed):  # what was known before is the best that is known
            self._roster.look()

    def _mailboxes_changed(self) -> dict[str, Any]:
        """Boxes were added, changed or removed by command: lights may tell of others, and flows may name them."""
        self._look_around()
        self._mailroom.changed()
        return {}

    def _flows(self) -> list[dict[str, Any]]:
        return [
            {"name": flow.name, "version": flow.version, "numbers": list(flow.numbers)}
            for flow in self._flowbook.book.flows
        ]

    def _troubles(self) -> list[str]:
        troubles = []
        if self._journal.trouble:
            troubles.append(f"the journal cannot be written: {self._journal.trouble}")
        troubles += [
            f"the calendar {name} is closed for an emergency since {closure.since}, by {closure.by}"
            for name, closure in self._closures.closed.items()
        ]
        parts = (self._roster.trouble, self._folder.trouble, self._flowbook.trouble)
        troubles += [trouble for trouble in parts if trouble]
        troubles += self._mailroom.troubles()
        troubles += self._flowbook.doubts
        troubles += [f"flows not taken: {problem}" for problem in self._flowbook.problems]
        return troubles

    def _agent(self, request: Mapping[str, Any]) -> str:
        agent = str(request["agent"])
        if not self._acd.knows_agent(agent):
            known = ", ".join(view.id for view in self._acd.agents()) or "none; add one with: ./appliance.py agents add"
            raise Refused(f"there is no agent {agent}; there are {known}")
        return agent

    def _extend_wrap_up(self, request: Mapping[str, Any]) -> dict[str, str]:
        agent, seconds = self._agent(request), float(request["seconds"])
        if not 0 < seconds <= LONGEST_EXTENSION:
            raise Refused(f"a wrap-up can be extended by at most {LONGEST_EXTENSION / 60:.0f} minutes at a time")
        if not self._acd.extend_wrap_up(agent, seconds):
            raise Refused(f"agent {agent} does not work after a call: there is no wrap-up to extend")
        return {"id": agent, "state": AgentState.WORKING_AFTER_CALL.value}

    def _give_result(self, request: Mapping[str, Any]) -> dict[str, str]:
        """What came of the agent's call, while it talks or wraps up."""
        agent, result = self._agent(request), str(request["result"])
        for decision in self._acd.ask(ResultGiven(agent, result)):
            if isinstance(decision, NoteResult):
                return {"id": agent, "call": decision.call, "queue": decision.queue, "result": result}
        queue = self._acd.talks_by(agent)
        if queue is not None and queue.results and result not in queue.results:
            there_is = suggestion(result, queue.results) or f" There is {choices(queue.results)}"
            raise Refused(f"the queue {queue.name} has no result '{result}'.{there_is}")
        raise Refused(f"agent {agent} neither talks nor wraps up: there is no call to give a result for")

    def _set_agent_state(self, request: Mapping[str, Any]) -> dict[str, str]:
        agent, state = self._agent(request), str(request["state"])
        if state not in ASKED_FOR:
            raise Refused(f"'{state}' cannot be asked for; ask for {', '.join(ASKED_FOR)}")
        reason, known = str(request.get("reason", "")), self._flowbook.book.reasons.keys
        if reason and reason not in known:
            raise Refused(f"no reason '{reason}'.{suggestion(reason, known) or f' There is {choices(known)}'}")
        if reason and ASKED_FOR[state] is AgentState.READY:
            raise Refused("Ready has no reason; give one with NotReady or LoggedOff")
        view = self._acd.ask_agent_state(agent, ASKED_FOR[state], reason, str(request.get("by", "")))
        if view is None:
            raise Refused(f"agent {agent} has just been removed")
        return {"id": agent, "state": view.state.value, "reason": view.reason}
