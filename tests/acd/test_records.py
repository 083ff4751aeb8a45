"""What the journal says of events and decisions."""

from __future__ import annotations

import json

from acd.model import (
    Agent,
    AgentChanged,
    AgentState,
    Announcements,
    CallQueued,
    OfferCall,
    Overflow,
    QueueRule,
    QueuesChanged,
    ShowAgentState,
)
from acd.records import entry, rules_of


def test_a_record_has_its_type_its_call_and_its_facts():
    assert entry(OfferCall("0-1", "c1", "service", "1001", 15_000)) == (
        "OfferCall",
        "c1",
        {"offer": "0-1", "queue": "service", "agent": "1001", "ring_for": 15_000},
    )
    assert entry(CallQueued("c1", "service", priority=2))[:2] == ("CallQueued", "c1")
    assert entry(ShowAgentState("1001", AgentState.BUSY, call="c1")) == (
        "AgentStateChanged",
        "c1",
        {"agent": "1001", "state": "Busy", "reason": ""},
    )


def test_neither_phone_nor_name_of_an_agent_is_written():
    said = entry(AgentChanged(Agent("1001", "Li Wei", "13900000001", ("service",), {"cmn": 5})))
    assert said == ("AgentChanged", "", {"agent": "1001", "queues": ("service",), "skills": {"cmn": 5}})


def test_queues_come_back_as_they_were():
    rules = (
        QueueRule(
            "service",
            "sticky",
            skills={"claims": "required 3"},
            announce=Announcements(position=True, every=45_000),
            overflow=(Overflow(after=60_000, relax="claims"), Overflow(when="none-ready", exit="overflowed")),
        ),
        QueueRule("sales", service_level=(90, 10_000)),
    )
    _, _, facts = entry(QueuesChanged(rules))
    assert rules_of(json.loads(json.dumps(facts))) == {rule.name: rule for rule in rules}


def test_queues_of_another_version_are_known_by_name_at_least():
    found = rules_of({"queues": ["old", "new"], "rules": [{"name": "new", "hue": "green"}, {"weight": "x"}, 5]})
    assert found == {"old": QueueRule("old"), "new": QueueRule("new")}
    assert rules_of({"queues": ["old"]}) == {"old": QueueRule("old")}


def test_an_agents_ranks_stand_where_there_are_any():
    _, _, facts = entry(AgentChanged(Agent("1001", queues=("service",), ranks={"service": 2})))
    assert facts["ranks"] == {"service": 2}
