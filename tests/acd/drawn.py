"""Queues, agents and ids as Hypothesis draws them: few of each, so that they meet."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from acd.model import Agent, Announcements, Comforts, Overflow, Question, QueueRule
from acd.routing import strategies

SKILLS = ("cmn", "yue", "claims")
AGENTS = ("999", *(f"100{n}" for n in range(1, 5)))
CALLS = tuple(f"c{n}" for n in range(12))
QUEUES = ("service", "sales", "experts")

overflows = st.lists(
    st.one_of(
        st.builds(Overflow, after=st.sampled_from((5_000, 30_000)), relax=st.sampled_from(SKILLS)),
        st.builds(Overflow, after=st.sampled_from((0, 20_000)), to_queue=st.sampled_from(QUEUES)),
        st.builds(
            Overflow,
            after=st.sampled_from((0, 60_000)),
            when=st.sampled_from(("none-logged-on", "none-ready")),
            exit=st.just("unavailable"),
        ),
        st.builds(Overflow, after=st.just(90_000), exit=st.just("overflowed")),
        st.builds(Overflow, after=st.sampled_from((0, 5_000)), when=st.just("closed"), exit=st.just("closed")),
        st.builds(Overflow, when=st.just("emergency"), exit=st.just("emergency")),
    ),
    max_size=3,
).map(tuple)


@cache
def queue_rules(names: tuple[str, ...]) -> st.SearchStrategy[tuple[QueueRule, ...]]:
    return st.tuples(
        *(
            st.builds(
                QueueRule,
                name=st.just(name),
                strategy=st.sampled_from((*sorted(strategies()), *["sticky"] * 3)),
                weight=st.integers(1, 2),
                skills=st.dictionaries(
                    st.sampled_from(SKILLS), st.sampled_from(("required", "preferred", "required 3"))
                ),
                announce=st.builds(
                    Announcements,
                    position=st.booleans(),
                    wait=st.booleans(),
                    first=st.just(4_000),
                    every=st.just(5_000),
                ),
                comfort=st.sampled_from((Comforts(), Comforts(("a", "b"), first=4_000, every=6_000))),
                question=st.sampled_from((Question(), Question(after=7_000))),
                no_answer_limit=st.integers(0, 2),
                wrap_up=st.sampled_from((0, 10_000)),
                overflow=overflows,
                longest_queue=st.integers(0, 5),
                reject_delay=st.sampled_from((0, 8_000)),
                busy_delay=st.sampled_from((0, 8_000)),
                sticky_for=st.sampled_from((5_000, 20_000, 300_000)),
                results=st.sampled_from(((), ("solved",))),
                successor=st.sampled_from(("", *QUEUES)),
            )
            for name in names
        )
    )


agents = st.builds(
    Agent,
    id=st.sampled_from(AGENTS),
    queues=st.lists(st.sampled_from(QUEUES), max_size=3).map(tuple),
    skills=st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 5)),
    ranks=st.dictionaries(st.sampled_from(QUEUES), st.integers(1, 2), max_size=1),
    order=st.sampled_from((None, None, 0, 1)),
)
agent_ids = st.sampled_from((*AGENTS, "9999"))
call_ids = st.sampled_from((*CALLS, "nobody"))
