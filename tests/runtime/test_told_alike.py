"""What happens in a simulation is told as the shell tells it: record by record, fact by fact, to the millisecond."""

from __future__ import annotations

import json

from acd.hindsight import milliseconds
from acd.model import Agent
from acd.simulated import Caller, Ring, Shift, Simulation
from journal.reader import records
from tests.runtime.test_acd_loop import AT_ONCE, OFFICE, OLD_FRIENDS, SERVICE, TOGETHER, Floor

OF_THE_FLOW = {"CallArrived", "CallEnded"}  # told by the calls' greenlets, which this floor has not


def plain(facts: object) -> object:
    return json.loads(json.dumps(facts, default=list))


def on_the_floor(tmp_path) -> list[tuple[int, str, str, object]]:
    """One agent, three callers: the first is answered, the second gives up, the third waits for the first to end."""
    floor = Floor(tmp_path)
    floor.pass_time(1)
    floor.agent("1001", answers_after=3, talks_for=60)
    floor.pass_time(1)
    names = {"": "", floor.caller("1").id: "c1"}
    floor.pass_time(2)
    impatient = floor.caller("2")
    names |= {impatient.id: "c2", floor.caller("3").id: "c3"}
    floor.pass_time(26)
    impatient.hang_up()
    floor.pass_time(150)
    floor.acd.stop()
    floor.journal.close()
    found = list(records(tmp_path / "journal"))
    begin = milliseconds(next(record["at"] for record in found if record["type"] == "AgentChanged"))
    told = []
    for record in found:
        facts = {key: names.get(value, value) if key == "call" else value for key, value in record.items()}
        outside = {key: value for key, value in facts.items() if key not in ("seq", "at", "v", "type", "call")}
        told.append((milliseconds(record["at"]) - begin, record["type"], facts["call"], outside))
    return told


def in_simulation() -> list[tuple[int, str, str, object]]:
    told: list[tuple[int, str, str, object]] = []
    Simulation(
        [SERVICE, TOGETHER, OLD_FRIENDS, OFFICE, AT_ONCE],
        [Shift(Agent("1001", phone="1001", queues=("service",)))],
        ring=lambda _: Ring(4_000),  # three seconds of ringing, one of the whisper
        observe=lambda at, entry: told.append((at, entry[0], entry[1], plain(entry[2]))),
    ).serve(
        [
            Caller("c1", 1_000, 59_000, "service"),
            Caller("c2", 3_000, 59_000, "service", patience=26_000),
            Caller("c3", 3_000, 59_000, "service"),
        ]
    )
    return [entry for entry in told if entry[1] not in OF_THE_FLOW]


def test_a_simulated_day_is_told_as_the_shell_tells_a_real_one(tmp_path):
    real, simulated = on_the_floor(tmp_path), in_simulation()
    assert [entry[1:] for entry in real[:1]] == [entry[1:] for entry in simulated[:1]]  # the rules, loaded before
    assert real[1:] == simulated[1:]
    assert {"CallAbandoned", "CallConnected", "TalkEnded", "Announce", "AnnouncementMade"} <= {each[1] for each in real}
