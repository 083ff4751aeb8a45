"""Where a call stands in its flow, apart from its telephone line: small, and can be stored and resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from ivr.language.flow import REPEAT, Flow
from ivr.step import HANG_UP


@dataclass(slots=True)
class Deed:
    """Something that acted on the world in the present visit, under its idempotency key.

    Until it is `done` nobody knows whether it was; `result` is what came of it.
    """

    key: str
    done: bool = False
    result: Mapping[str, object] | None = None


@dataclass(slots=True)
class State:
    """`visit` numbers the step's visit among all of the call: a resumed step has its number still.

    `failures` are the silences and wrong keys in a row, by step. `spent` are the seconds that count towards
    the flow's `longest`, up to when the step was entered. `sensitive` names variables that are kept in
    memory only. `inner` is where the call stands in a flow that the present step has called.
    """

    step: str
    language: str
    variables: dict[str, object] = field(default_factory=dict)
    visit: int = 1
    failures: dict[str, int] = field(default_factory=dict)
    spent: float = 0.0
    sensitive: set[str] = field(default_factory=set)
    deed: Deed | None = None
    flow: str = ""  # the called flow that it is in, "" in the one that answered the call
    inner: State | None = None

    @property
    def innermost(self) -> State:
        return self.inner.innermost if self.inner else self

    def stored(self) -> dict[str, Any]:
        """As JSON can hold it. What a sensitive step collected is left out."""
        return {
            "step": self.step,
            "language": self.language,
            "variables": {name: encoded(self.variables[name]) for name in self.variables if name not in self.sensitive},
            "visit": self.visit,
            "failures": dict(self.failures),
            "spent": self.spent,
            "deed": None if self.deed is None else {**asdict(self.deed), "result": encoded(self.deed.result)},
            "flow": self.flow,
            "inner": self.inner.stored() if self.inner else None,
        }

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> State:
        deed, inner = stored.get("deed"), stored.get("inner")
        return cls(
            **{
                **stored,
                "variables": {name: decoded(value) for name, value in stored["variables"].items()},
                "failures": dict(stored["failures"]),
                "deed": Deed(**{**deed, "result": _row(deed["result"])}) if deed else None,
                "inner": cls.restored(inner) if inner else None,
            }
        )


def replayed(records: Iterable[Mapping[str, Any]], flow: Flow) -> State:
    """Where a call stands that the journal tells of, in the version of the flow that it walks.

    What was sensitive is not in the journal and has no value; `spent` and `failures` begin anew.
    """
    state = State(step=flow.start, language=flow.languages[0])
    for record in records:
        match record["type"]:
            case "StepEntered":
                here = _back_to(state, record.get("flow", ""))
                if here.visit != record["visit"]:
                    here.deed = None
                here.step, here.visit = record["step"], record["visit"]
            case "FlowCalled":
                here = _back_to(state, record.get("within", ""))
                given = {name: decoded(value) for name, value in record["set"].items()}
                here.inner = State("", here.language, given, visit=here.visit + 1, flow=record["flow"])
            case "FlowReturned":
                here = _back_to(state, record.get("within", ""))
            case "StepLeft":
                _leave(_back_to(state, record.get("flow", "")), record, flow)
            case "DeedBegun":
                state.innermost.deed = Deed(record["key"])
            case "DeedDone" if "result" in record:
                state.innermost.deed = Deed(record["key"], done=True, result=_row(record["result"]))
    return state


def _back_to(state: State, flow: str) -> State:
    """The state in that flow, out of all that it had called; no flow calls itself, so its name tells which."""
    while state.flow != flow and state.inner is not None:
        state = state.inner
    if state.inner is not None:
        state.visit = state.innermost.visit
        state.inner = None
    return state


def _leave(state: State, record: Mapping[str, Any], main: Flow) -> None:
    """Goes on to the step that is entered next, as the session would."""
    state.variables |= {name: decoded(value) for name, value in record["set"].items()}
    state.language = record["language"]
    flow = main.called(state.flow) if state.flow else main
    state.step = _target(flow, record["step"], record["exit"])
    state.visit += 1
    state.deed = None


def _target(flow: Flow, step: str, exit: str) -> str:
    if exit.startswith("key ") and (target := flow.keys.get(exit.removeprefix("key "))):
        return step if target == REPEAT else target
    targets = flow.steps[step].targets if step in flow.steps else {}
    return targets.get(exit) or (flow.failed if exit == "failed" else HANG_UP)


def _row(encoded: Any) -> Mapping[str, object] | None:
    row = decoded(encoded)
    return row if isinstance(row, Mapping) else None


_TYPES: Mapping[str, Callable[[str], object]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
}


def encoded(value: object) -> Any:
    """A variable's value as JSON can hold it, with its type where JSON has none."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {"map": {str(name): encoded(inner) for name, inner in value.items()}}
        case datetime() | date() | time():
            return {type(value).__name__: value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
    return str(value)


def decoded(value: Any) -> object:
    """What `encoded` was given."""
    if not isinstance(value, dict):
        return value
    (kind, inner), *_ = value.items()
    if kind == "map":
        return {name: decoded(one) for name, one in inner.items()}
    return _TYPES[kind](inner)
