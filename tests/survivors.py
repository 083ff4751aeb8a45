"""Which small slips in acd/ no test notices: mutmut makes them all, and tries as many as there is time for, by lot.

python -m tests.survivors [--sample 300] [--seed 1] [--minutes 60] [MODULE ...]

In a copy of the tree, with mutmut on the path, as `make mutation` has it. MODULE is a path below acd/ (engine,
routing/sticky); without one all are meant. The tests that need many seconds are left out (pyproject.toml): a slip that
only they notice is told as one that survived.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

from mutmut import __main__ as mutmut
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    args = parser.parse_args()
    made = generate()
    if unknown := set(args.modules) - {module_of(name) for name in made}:
        parser.error(f"acd/ has no module {', '.join(sorted(unknown))} with anything to change")
    wanted = [name for name in made if not args.modules or module_of(name) in args.modules]
    chosen = Random(args.seed).sample(wanted, min(args.sample, len(wanted)))
    attempt(chosen, args.minutes)
    report(wanted, chosen)
    return 0


def generate() -> list[str]:
    """The names of all mutants that there are."""
    Path("mutants").mkdir()
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.setup_source_paths()
    mutmut.create_mutants(1)
    return sorted(statuses())


def attempt(chosen: list[str], minutes: float) -> None:
    """Tries them one after the other until the time is over.

    mutmut would begin with those that few tests reach, and what the time allows would be no fair sample.
    """
    turn = {name: number for number, name in enumerate(chosen)}
    mutmut.estimated_worst_case_time = turn.__getitem__
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, minutes * 60)
    try:
        mutmut._run(chosen, 1)
    except KeyboardInterrupt:
        print("\nthe time is over")
    signal.setitimer(signal.ITIMER_REAL, 0)


def report(made: list[str], chosen: list[str]) -> None:
    """A line for each module, then every survivor as a difference; the same into a file."""
    found = statuses()
    by_module: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name in made:
        by_module[module_of(name)]["made"] += 1
    for name in chosen:
        by_module[module_of(name)][found[name]] += 1
    total = sum(by_module.values(), Counter[str]())
    lines = [f"{'':24}{'made':>8}{'tried':>8}{'killed':>8}{'endless':>8}{'lived':>8}{'no test':>8}"]
    lines += [_row(module, counts) for module, counts in [*sorted(by_module.items()), ("all", total)]]
    lived = [name for name in chosen if found[name] in {"survived", "no tests", "suspicious"}]
    lines += [f"\n# {name}: {found[name]}\n{get_diff_for_mutant(name)}" for name in sorted(lived)]
    text = "\n".join(lines) + "\n"
    Path("survivors.txt").write_text(text)
    print(text)


def _row(module: str, counts: Counter[str]) -> str:
    numbers = [counts[status] for status in ("killed", "timeout", "survived", "no tests")]
    tried = sum(counts.values()) - counts["made"] - counts["not checked"]
    return f"{module:24}" + "".join(f"{number:8}" for number in (counts["made"], tried, *numbers))


def statuses() -> dict[str, str]:
    """What came of each mutant."""
    codes: dict[str, int | None] = {}
    for meta in Path("mutants/acd").rglob("*.meta"):
        codes |= json.loads(meta.read_text())["exit_code_by_key"]
    return {name: status_by_exit_code[code] for name, code in codes.items()}


def module_of(name: str) -> str:
    """``acd.routing.sticky.xǁ...`` as ``routing/sticky``."""
    return "/".join(name.split(".")[1:-1])


if __name__ == "__main__":
    sys.exit(main())
