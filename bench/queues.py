"""How soon a queue rings its agents, and how many calls it gets through: ours beside the switch's own, in one run.

    python -m bench queues

The same callers and agents, the same switch: mod_callcenter on FreeSWITCH, app_queue on Asterisk. All times are taken
at the telephones, where the kernel stamps what arrives: from "ready", as it is sent, to the INVITE at the agent's
telephone; and from a caller's 200 to that INVITE where an agent is idle. Then fifty agents with calls of a second and
more callers than they can take; and what it costs to hold two hundred who hear music and announcements.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import _house, _phones, _rivals
from bench.calls import load_average, on_each_switch, percentile

WAITING = (1, 50, 200)  # callers
TIMES = 100  # that an agent becomes ready, or a caller comes, for each figure
ARRIVALS = 25.0  # calls a second while a queue fills
PATIENCE = 5.0  # seconds after which a call that did not ring counts as lost
TALK = 0.3  # seconds, where only the ringing is measured: enough for the two to be joined
SETTLED = 15.0  # seconds of holding before it is measured: by then everybody has heard an announcement
HELD = 20.0  # seconds of it that are
WARM, SERVED = 4.0, 12.0  # seconds of fifty agents at work: before, and while they are counted
BACKLOG = 150  # callers while they work, of whom fifty talk
LENGTH = 1.0  # seconds from an agent's answer to its hanging up


def measure() -> dict[str, object]:
    """By switch, ours and its own. Raises FileNotFoundError where there is no switch."""
    return on_each_switch(_measured, _rivals.opened)


def _measured(house: _house.House) -> dict[str, object]:
    found: dict[str, object] = {"version": house.switch.version, "load average before": load_average()}
    passwords = {agent: house.passwords[agent] for agent in _rivals.AGENTS}
    with _phones.phones(house.switch.trunk, house.switch.agents) as phones, _rivals.sides(house) as sides:
        for side in sides:
            found[side.name] = _Comparison(house, phones, side, passwords).figures()
            found[f"load average after {side.name}"] = load_average()
    return found


@dataclass(slots=True)
class Ringing:
    """How long agents' telephones took to ring, in seconds."""

    times: list[float]
    lost: int = 0

    def figures(self) -> dict[str, object]:
        told: dict[str, object] = {"calls": len(self.times), "lost": self.lost}
        for percent in (50, 99):
            told[f"p{percent}, ms"] = round(1000 * percentile(self.times, percent), 1) if self.times else None
        return told


class _Comparison:
    """One queue on its own."""

    def __init__(
        self, house: _house.House, phones: _phones.Phones, side: _rivals.Side, passwords: dict[str, str]
    ) -> None:
        self._house, self._phones, self._side, self._passwords = house, phones, side, passwords
        self._turns = _in_turn(_rivals.AGENTS)
        self._chance = random.Random(1)

    def figures(self) -> dict[str, object]:
        found: dict[str, object] = {}
        self._phones.register(self._passwords)
        self._one_idle()  # whatever is loaded at the first call is loaded now
        found["idle agent: the caller's 200 to the INVITE"] = self._say("idle", self._idle().figures())
        for waiting in WAITING:
            self._phones.register(self._passwords)
            self._phones.keep(self._side.numbers.measured, calls=waiting, rate=ARRIVALS)
            there = self._phones.until_there(waiting, 60)
            found[f"ready to INVITE, {there} waiting"] = self._say(f"{there} waiting", self._becoming_ready(waiting))
            self._empty()
        found[f"holding {max(WAITING)}"] = self._say("holding", self._holding(max(WAITING)))
        found[f"{len(_rivals.AGENTS)} agents, talks of {LENGTH:g} s: served a second"] = self._say(
            "served", self._work()
        )
        return found

    def _say(self, what: str, figures: object) -> object:
        print(f"  {self._house.kind}, {self._side.name}, {what}: {figures}", flush=True)
        return figures

    # a caller comes, and an agent is idle

    def _idle(self) -> Ringing:
        ringing = Ringing([])
        for _ in range(TIMES):
            took = self._one_idle()
            if took is None:
                ringing.lost += 1
            else:
                ringing.times.append(took)
        return ringing

    def _one_idle(self) -> float | None:
        agent = next(self._turns)
        self._side.ready(agent)
        time.sleep(self._chance.uniform(0.1, 0.3))
        call = self._phones.call(self._side.numbers.measured)
        rung = self._phones.next_rung(PATIENCE)
        self._over(agent, rung)
        answered = self._phones.answered.get(call)  # by now: the INVITE may come before the 200
        self._phones.hang_up(call)
        return rung.at - answered if rung is not None and rung.agent == agent and answered is not None else None

    # callers wait, and an agent becomes ready

    def _becoming_ready(self, waiting: int) -> dict[str, object]:
        ringing = Ringing([])
        for _ in range(TIMES):
            self._phones.until_there(waiting, PATIENCE)
            time.sleep(self._chance.uniform(0.1, 1.1 if waiting == 1 else 0.3))
            agent = next(self._turns)
            asked = time.time()
            self._side.ready(agent)
            rung = self._phones.next_rung(PATIENCE)
            if rung is not None and rung.agent == agent:
                ringing.times.append(rung.at - asked)
            else:
                ringing.lost += 1
            self._over(agent, rung)
        return ringing.figures()

    def _over(self, agent: str, rung: _phones.Rung | None) -> None:
        """A short talk, after which this agent is not at work."""
        if rung is not None:
            self._phones.until_confirmed(rung)
            time.sleep(TALK)
        self._side.not_ready(agent)
        if rung is not None:
            self._phones.hang_up(rung.call)

    # callers wait, and nobody comes

    def _holding(self, waiting: int) -> dict[str, object]:
        self._phones.keep(self._side.numbers.heard, calls=waiting, rate=ARRIVALS)
        there = self._phones.until_there(waiting, 60)
        time.sleep(SETTLED)
        before, begun = self._house.processes.seconds(), time.monotonic()
        time.sleep(HELD)
        after, took = self._house.processes.seconds(), time.monotonic() - begun
        switch, ours = (100 * (end - start) / took for start, end in zip(before, after, strict=True))
        self._empty()
        return {"callers": there, "switch, % of a core": round(switch, 1), "appliance, % of a core": round(ours, 1)}

    # everybody is at work

    def _work(self) -> dict[str, object]:
        self._phones.register(self._passwords)
        self._phones.keep(self._side.numbers.measured, calls=BACKLOG, rate=ARRIVALS)
        self._phones.until_there(BACKLOG, 60)
        self._phones.keep(self._side.numbers.measured, calls=BACKLOG, rate=4 * ARRIVALS)
        self._phones.talk = LENGTH
        before = self._house.processes.seconds()
        for agent in _rivals.AGENTS:
            self._side.ready(agent)
        time.sleep(WARM)
        begun = time.time()
        time.sleep(SERVED)
        served = sum(begun <= at < begun + SERVED for at in self._phones.let_go)
        spent = [after - start for start, after in zip(before, self._house.processes.seconds(), strict=True)]
        for agent in _rivals.AGENTS:
            self._side.not_ready(agent)
        there = self._phones.there()
        self._empty()
        self._phones.talk = None
        took = WARM + SERVED
        return {
            "calls/s": round(served / SERVED, 1),
            "callers there at the end": there,
            "switch, % of a core": round(100 * spent[0] / took, 1),
            "appliance, % of a core": round(100 * spent[1] / took, 1),
        }

    def _empty(self) -> None:
        self._phones.leave()
        self._house.quiet(40)
        while self._phones.next_rung(0) is not None:
            continue


def _in_turn(agents: Sequence[str]) -> Iterator[str]:
    """So that each has rested when its turn comes: some queues spare an agent until the next full second."""
    while True:
        yield from agents


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
