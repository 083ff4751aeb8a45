"""How long checking takes: a long flow, and texts that were made to take long."""

from __future__ import annotations

import time
from collections.abc import Callable

from config.document import parse
from ivr.language import checker, reader
from ivr.language.house import House

STEPS = 500
HEAD = 'number: "1000"\nlanguages: [cmn]\nstart: s0\nsteps:\n'
BOMBS = {
    "aliases": "number: &a [1]\nsteps:\n" + "".join(f"  s{n}: *a\n" for n in range(1000)),
    "brackets": HEAD + "  x: " + "[" * 900_000,
    "ten_megabytes": HEAD + '  x: {say: {cmn: "' + "长" * 10_000_000 + '"}, next: end}\n',
    "template": HEAD + '  x: {say: {cmn: "{{ ' + "(" * 400_000 + 'a"}, next: end}\n',
}


def measure() -> dict[str, object]:
    """Seconds to check a flow of 500 steps, and to refuse each of the bombs."""
    steps = "".join(f'  s{n}: {{say: {{cmn: "第{n}步"}}, next: s{n + 1}}}\n' for n in range(STEPS))
    flow = HEAD + steps + f"  s{STEPS}: {{hangup: {{}}}}\n"
    _check(flow)  # the models are built when the first flow is checked
    return {
        "check_500_steps_s": _timed(lambda: _check(flow)),
        **{f"refuse_{name}_s": _timed(lambda text=text: _check(text)) for name, text in BOMBS.items()},  # type: ignore[misc]
    }


def _check(text: str) -> int:
    """How many problems the text has."""
    document, problems = parse(text, "bench.yaml")
    if document is None:
        return len(problems)
    return len(checker.check([reader.read(document)], House(languages=("cmn",))))


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return round(time.perf_counter() - begun, 3)
