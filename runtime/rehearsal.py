"""One simulated call in virtual time: a caller with a number, keys to press and some patience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journal.reader import records
from runtime import telling
from runtime.stage import Stage
from switch.shared.clock import VirtualClock
from switch.simulated import Heard, Line
from switch.simulated.audio import heard_between, write_wav

LONGEST = 3600.0  # virtual seconds that a caller waits to be asked for its next keys
AFTERWARDS = 600.0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of a rehearsed call. `heard` are the texts in their order; `steps` names with their exits."""

    call: str
    dialled: str
    caller: str
    flow: str
    heard: Sequence[str]
    steps: Sequence[dict[str, str]]
    queues: Sequence[str]
    agent: str
    ended: str
    outcome: str
    seconds: float


def rehearse(
    stage: Stage,
    clock: VirtualClock,
    number: str,
    *,
    caller: str,
    caller_name: str = "",
    keys: Sequence[str],
    patience: float,
    audio: Path | None = None,
) -> Rehearsed:
    """Dials, presses each group of keys when the flow waits for keys, then stays silent for `patience` seconds."""
    start = clock.now()
    line = stage.exchange.ring_in(number, caller, caller_name=caller_name)
    for group in keys:
        clock.run_until(lambda: line.ended is not None or expects_keys(line), longest=LONGEST)
        for key in group:
            line.press(key)
    clock.run_until(lambda: line.ended is not None, longest=patience)
    line.hang_up()
    clock.run_until(lambda: line.id not in stage.appliance.desk.in_progress, longest=AFTERWARDS)
    end = line.ended_at if line.ended_at is not None else clock.now()
    if audio is not None:
        write_wav(audio, heard_between(line.heard, start, end))
    return _told(stage, line, (end - start) / 1000)


def expects_keys(line: Line) -> bool:
    """Whether the flow waits for a key and nothing is being said."""
    sounding = bool(line.heard) and line.heard[-1].until is None and line.heard[-1].kind != "music"
    return line.awaiting and not sounding


def shown(heard: Heard) -> str:
    """What was heard, in a few words."""
    match heard.kind:
        case "music":
            return telling.music(heard.text)
        case "voice":
            return telling.talking(heard.text)
        case "silence":
            return ""
    return heard.text or (f"({heard.path.stem})" if heard.path else "")


def _told(stage: Stage, line: Line, seconds: float) -> Rehearsed:
    mine = [record for record in records(stage.appliance.journal.directory) if record.get("call") == line.id]

    def facts(type: str, name: str) -> list[Any]:
        return [record[name] for record in mine if record["type"] == type]

    return Rehearsed(
        call=line.id,
        dialled=line.dialled,
        caller=line.caller,
        flow=next(iter(facts("CallArrived", "flow")), ""),
        heard=[text for text in map(shown, line.heard) if text],
        steps=[{"step": record["step"], "exit": record["exit"]} for record in mine if record["type"] == "StepLeft"],
        queues=facts("CallQueued", "queue"),
        agent=next(iter(facts("CallConnected", "agent")), ""),
        ended=next(iter(facts("CallEnded", "cause")), ""),
        outcome=next(iter(facts("CallEnded", "outcome")), ""),
        seconds=seconds,
    )
