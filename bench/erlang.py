"""The queue engine beside the published tables of Erlang C and Erlang A, every row, in two steps.

    python -m bench erlang

The engine serves callers as a plain queue does, call by call. A plain queue, quick enough for a million callers a row,
has the table's waits as far as so many callers tell: close to saturation busy hours are rare and long.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from acd.simulated import Caller
from tests.acd.erlang import AHT, ERLANG_A, ERLANG_C, by_chance, drawn, everybody, plainly

BUSY = 0.85  # of Erlang C; beyond it a mean wait of 100,000 calls is up to 19 % off by chance alone
GATE, LOOSE_GATE = 0.05, 0.19
BY_THE_ENGINE = 20_000
DAYS, A_DAY = 10, 100_000  # by the plain queue
TABLE = "  {:>6} {:>6} {:>8} | {:>11} {:>8} {:>7} | {:>8} {:>8} | {:>15}"


@dataclass(frozen=True, slots=True)
class Row:
    """What a table says of one load: seconds, and shares of all callers."""

    load: int
    agents: int
    patience: float | None
    waits: float
    mean_wait: float

    @property
    def gate(self) -> float:
        """How far the mean wait may be off."""
        return GATE if self.patience or self.load / self.agents <= BUSY else LOOSE_GATE

    @property
    def name(self) -> str:
        patience = f", patience {self.patience} s" if self.patience else ""
        return f"{self.load} erlangs, {self.agents} agents{patience}"


ROWS = (
    *(Row(load, agents, None, waits, mean_wait) for load, agents, waits, mean_wait, _ in ERLANG_C),
    *(Row(load, agents, patience, waits, mean_wait) for load, agents, patience, waits, _, mean_wait, _ in ERLANG_A),
)


def measure() -> dict[str, object]:
    """For each row the mean wait and the share who wait, their errors, and of how many the engine agreed."""
    print(f"  talks of {AHT:.0f} s; the engine: of {BY_THE_ENGINE:,} callers, how many waited as in a plain queue")
    print(TABLE.format("load", "agents", "patience", "mean wait", "table", "error", "waiting", "table", "the engine"))
    return {row.name: _measured(row) for row in ROWS}


def _measured(row: Row) -> dict[str, object]:
    same = _as_in_a_plain_queue(row)
    waits = [wait for day in range(DAYS) for wait in plainly(_callers(row, A_DAY, day), row.agents)]
    mean_wait, waiting = fmean(waits) / 1000, fmean(wait > 0 for wait in waits)
    error = mean_wait / row.mean_wait - 1
    print(
        TABLE.format(
            row.load,
            row.agents,
            row.patience or "-",
            f"{mean_wait:.2f} s",
            row.mean_wait,
            f"{error:+.1%}",
            f"{waiting:.4f}",
            row.waits,
            f"{same:,}",
        ),
        flush=True,
    )
    return {
        "mean wait": round(mean_wait, 3),
        "error": round(error, 4),
        "within": row.gate,
        "held": abs(error) <= row.gate,
        "waiting": round(waiting, 4),
        "off by": round(waiting - row.waits, 4),
        "by the engine": same,
    }


def _as_in_a_plain_queue(row: Row) -> int:
    callers = _callers(row, BY_THE_ENGINE, DAYS)
    by_engine = [outcome.waited for outcome in everybody(callers, row.agents)]
    return sum(one == other for one, other in zip(by_engine, plainly(callers, row.agents), strict=True))


def _callers(row: Row, calls: int, seed: int) -> list[Caller]:
    return drawn(calls, row.load, patience=row.patience, seed=seed, chances=by_chance)
