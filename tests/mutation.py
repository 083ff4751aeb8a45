"""Whether the tests notice: each patch of a folder is applied to a copy of the tree, and some test must fail.

python -m tests.mutation DIR      (files named *.patch or *.diff, made against the checkout's root)
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", "results.json")
SECONDS = 900


def main(argv: list[str]) -> int:
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        print("name a folder with .patch or .diff files", file=sys.stderr)
        return 2
    patches = sorted(path for path in Path(argv[0]).iterdir() if path.suffix in {".patch", ".diff"})
    survived = 0
    for number, patch in enumerate(patches, 1):
        verdict = judge(patch.resolve())
        survived += verdict != "killed"
        print(f"[{number}/{len(patches)}] {patch.name}: {verdict}", flush=True)
    print(f"{len(patches) - survived} killed, {survived} survived or not applied")
    return 1 if survived else 0


def judge(patch: Path) -> str:
    """killed (a test failed), survived, or why the patch could not be tried."""
    with tempfile.TemporaryDirectory(prefix="hotline-mutant-") as home:
        tree = Path(home) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT, symlinks=True)
        (tree / ".venv").symlink_to(ROOT / ".venv")
        applied = subprocess.run(
            ["git", "apply", "-p1", str(patch)], cwd=tree, capture_output=True, text=True, check=False
        )
        if applied.returncode:
            return f"does not apply: {applied.stderr.strip().splitlines()[-1]}"
        command = [str(ROOT / ".venv/bin/pytest"), "-q", "-x", "-p", "no:cacheprovider", "-m", "not live"]
        try:
            tested = subprocess.run(command, cwd=tree, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return "killed"  # it hangs: a person at the tests would notice
        return "survived" if tested.returncode == 0 else "killed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
