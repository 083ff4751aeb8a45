"""Runs all measurements, or those named, and writes bench/results.json.

python -m bench [NAME ...]
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


def main(wanted: list[str]) -> int:
    names = [found.name for found in pkgutil.iter_modules([str(HERE)]) if not found.name.startswith("_")]
    unknown = set(wanted) - set(names)
    if unknown:
        print(f"no measurement {', '.join(sorted(unknown))}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if wanted and RESULTS.exists() else {}
    results["machine"] = {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    for name in wanted or names:
        print(f"measuring {name} ...", flush=True)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            results[name] = {"at": at, **importlib.import_module(f"bench.{name}").measure()}
        except FileNotFoundError as absent:  # a switch or a server that is not on this machine
            print(f"  not measured: {absent}")
            continue
        for what, figure in results[name].items():
            print(f"  {what}: {figure}")
        RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    print(f"written to {RESULTS.relative_to(HERE.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
