"""Golden journals: what the journal must say of a call, the same on every switch, as data in tests/live/golden/.

A golden file has one line for each record, in streams: what the call's own flow did, what its queue did, and what
happened to each agent. Within a stream the order is part of the contract; between streams there is none, for they are
written by greenlets of their own. Times, ids, sequence numbers and measured durations are left out or named.
"""

import dataclasses
import difflib
import json
from pathlib import Path

import acd.model

FILES = Path(__file__).parent / "live" / "golden"
LEFT_OUT = {"seq", "at", "v", "version", "spent", "path"}
MEASURED = {"waited", "talked", "seconds"}
IDS = {"message", "id"}
OF_THE_ACD = {name for name, found in vars(acd.model).items() if dataclasses.is_dataclass(found)} | {
    "AgentStateChanged"
}


def streams(records, calls, agents, names):
    """The lines of a golden file: the records of these calls and agents, in streams.

    `calls` and `agents` are ids in the order in which they are named; `names` maps further texts to their names.
    """
    offers = {record["offer"]: record["agent"] for record in records if record["type"] == "OfferCall"}
    ours = {offer: f"OFFER {count}" for count, offer in enumerate((o for o in offers if offers[o] in agents), 1)}
    named = {
        **names,
        **{call: f"CALL {count}" for count, call in enumerate(calls, 1)},
        **{agent: f"AGENT {count}" for count, agent in enumerate(agents, 1)},
        **ours,
    }
    found = {stream: [] for stream in (*calls, *(f"{call} in the queue" for call in calls), *agents)}
    for record in records:
        stream = record["call"]
        if record["type"] in OF_THE_ACD:
            agent = record.get("agent") or offers.get(record.get("offer"), "")
            stream = agent or f"{record['call']} in the queue"
        if stream in found:
            found[stream].append(_plain(record, named))
    return [
        json.dumps({"of": _stream(stream, named), **record}, ensure_ascii=False)
        for stream, written in found.items()
        for record in written
    ]


def _stream(stream, named):
    call, queue, _ = stream.partition(" in the queue")
    return named[call] + queue


def _plain(value, named, key=""):
    if key in MEASURED and isinstance(value, int | float):
        assert 0 <= value < 120_000
        return "measured"
    if key in IDS and isinstance(value, int | str):
        return key.upper()
    if isinstance(value, dict):
        return {name: _plain(item, named, name) for name, item in value.items() if name not in LEFT_OUT}
    if isinstance(value, list):
        return [_plain(item, named) for item in value]
    return named.get(value, value) if isinstance(value, str) else value


def difference(name, lines):
    """How a call's journal differs from its golden file, for people to read; "" where it does not."""
    golden = (FILES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return "\n".join(difflib.unified_diff(golden, lines, f"golden/{name}.jsonl", "this journal", lineterm="", n=2))


def record(name, lines):
    FILES.mkdir(exist_ok=True)
    (FILES / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
