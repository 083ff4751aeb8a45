"""What the ACD's engine costs: events per second, their spread, and memory per waiting call.

An event is the average over calls' whole lives: queued, offered, answered, connected, ended, wrapped up.
"""

from __future__ import annotations

import gc
import json
import random
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOn,
    Announce,
    AnnouncementMade,
    Announcements,
    CallAbandoned,
    CallConnected,
    CallId,
    CallQueued,
    Connect,
    Decision,
    Event,
    Millis,
    OfferAnswered,
    OfferCall,
    Overflow,
    QueueRule,
    TalkEnded,
    TimePassed,
)

LANGUAGES = ("cmn", "yue", "en")
AGENTS = (100, 1_000, 10_000)
WAITING = (100, 10_000, 100_000)
QUEUES = (1, 20, 200)


@dataclass
class Floor:
    """An engine under load, with everything outside it played: agents answer, talk and hang up at once."""

    agents: int
    waiting: int
    queues: int
    random: random.Random = field(default_factory=lambda: random.Random(1))
    now: Millis = 0
    calls: int = 0
    events: int = 0
    timed: bool = False  # each event on its own, which costs time itself
    offers: deque[OfferCall] = field(default_factory=deque)
    costs: list[int] = field(default_factory=list)
    coming: deque[CallQueued] = field(default_factory=deque)

    def __post_init__(self) -> None:
        announce = Announcements(position=True, wait=True, first=15_000, every=30_000)
        limits = (Overflow(after=90_000, relax="claims"), Overflow(after=3_600_000, exit="overflowed"))
        self.acd = Acd(
            QueueRule(
                f"q{number}",
                skills={"claims": "preferred"} if number % 4 == 1 else {},
                announce=announce,
                overflow=limits,
                wrap_up=0,
                longest_queue=1_000_000,
            )
            for number in range(self.queues)
        )

    def tell(self, event: Event) -> list[Decision]:
        self.events += 1
        if self.timed:
            start = time.perf_counter_ns()
            decisions = self.acd.handle(event, self.now)
            self.costs.append(time.perf_counter_ns() - start)
        else:
            decisions = self.acd.handle(event, self.now)
        for decision in decisions:
            match decision:
                case OfferCall():
                    self.offers.append(decision)
                case Announce(call=call):
                    self.tell(AnnouncementMade(call))
        return decisions

    def pass_time(self, by: Millis) -> None:
        end = self.now + by
        while (due := self.acd.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.tell(TimePassed())
        self.now = end

    def draw(self, calls: int) -> None:
        """Callers that are to come: drawn beforehand, so that the drawing is not measured."""
        for _ in range(calls):
            self.calls += 1
            queue = f"q{self.random.randrange(self.queues)}"
            skills = (self.random.choice(LANGUAGES),)
            self.coming.append(CallQueued(f"c{self.calls}", queue, self.random.choice((0, 0, 0, 1)), skills))

    def arrive(self) -> CallId:
        comes = self.coming.popleft()
        self.tell(comes)
        return comes.call

    def staff(self) -> None:
        for number in range(self.agents):
            skills = {language: self.random.randint(1, 5) for language in self.random.sample(LANGUAGES, 2)}
            if number % 3 == 0:
                skills["claims"] = self.random.randint(1, 5)
            served = {(3 * number + step) % self.queues for step in range(3)}  # so that each queue has somebody
            queues = tuple(f"q{queue}" for queue in sorted(served))
            self.tell(AgentChanged(Agent(f"a{number}", queues=queues, skills=skills)))
            self.tell(AgentLoggedOn(f"a{number}"))
            self.tell(AgentBecameReady(f"a{number}"))

    def serve_next(self) -> None:
        offer = self.offers.popleft()
        if Connect(offer.offer, offer.call, offer.agent) in self.tell(OfferAnswered(offer.offer)):
            self.tell(CallConnected(offer.offer))
            self.tell(TalkEnded(offer.offer))

    def lead_one_life(self) -> None:
        self.now += 1
        self.arrive()
        while self.offers:
            self.serve_next()
        self.pass_time(0)


def under_load(agents: int, waiting: int, queues: int, lives: int = 2_000) -> dict[str, object]:
    """So many callers wait, and for each who is served another comes; who comes while no phone rings hangs up again."""
    floor = Floor(agents, waiting, queues)
    floor.staff()
    floor.draw(waiting + agents)
    while floor.coming:
        floor.arrive()

    def life() -> None:
        floor.now += 1
        newest = floor.arrive()
        if floor.offers:
            floor.serve_next()
        else:
            floor.tell(CallAbandoned(newest))
        floor.pass_time(0)

    return {"agents": agents, "waiting": waiting, "queues": queues, **_measured(floor, life, lives)}


def at_rest(agents: int, queues: int, lives: int = 4_000) -> dict[str, object]:
    """Nobody waits: each caller finds a free agent at once."""
    floor = Floor(agents, 0, queues)
    floor.staff()
    floor.draw(lives)
    while floor.coming:
        floor.lead_one_life()  # by now every queue has met every need
    return {"agents": agents, "waiting": 0, "queues": queues, **_measured(floor, floor.lead_one_life, lives)}


def _measured(floor: Floor, life: Callable[[], None], lives: int) -> dict[str, object]:
    """Lives of callers, first all together by the processor's time, then event by event by the clock.

    The processor's time holds what plays callers and agents, too. An empty turn of a loop, measured beside, says how
    fast this machine was at that moment.
    """
    floor.draw(2 * lives)
    gc.collect()
    gc.freeze()  # as `run` does
    gc.set_threshold(10_000, 10, 10)
    floor.events, start = 0, time.process_time_ns()
    for _ in range(lives):
        life()
    processor, turn = time.process_time_ns() - start, _empty_turn()
    per_event = processor / floor.events
    floor.timed = True
    for _ in range(lives):
        life()
    gc.unfreeze()
    ordered = sorted(floor.costs)
    return {
        "events per second of processor": round(1e9 / per_event),
        "empty turns of a loop per event": round(per_event / turn),
        "p50 us": round(ordered[len(ordered) // 2] / 1000, 1),
        "p99 us": round(ordered[len(ordered) * 99 // 100] / 1000, 1),
        "max us": round(ordered[-1] / 1000, 1),
    }


def _empty_turn() -> float:
    """Nanoseconds of processor for one."""
    turns = 1_000_000
    start = time.process_time_ns()
    for _ in range(turns):
        pass
    return (time.process_time_ns() - start) / turns


def memory_per_waiting_call(calls: int = 20_000) -> int:
    """Bytes that the engine keeps for one waiting call, its id and skills included."""
    floor = Floor(1, calls, 20)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(calls):
        floor.draw(1)
        floor.arrive()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) // calls


def measure() -> dict[str, object]:
    return {
        "under load": [under_load(*size) for size in product(AGENTS, WAITING, QUEUES)],
        "at rest": [at_rest(agents, queues) for agents, queues in zip(AGENTS, QUEUES, strict=True)],
        "hotline (200 agents, 1,000 waiting, 5 queues)": under_load(200, 1_000, 5),
        "bytes per waiting call": memory_per_waiting_call(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
