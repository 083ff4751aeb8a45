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
        nearest = [f"tests/{part}" for part in changed_parts(patch) if (tree / "tests" / part).is_dir()]
        return "killed" if (nearest and fails(tree, nearest)) or fails(tree, ["tests"]) else "survived"


def changed_parts(patch: Path) -> list[str]:
    """The top folders that the patch changes: their own tests notice first, if any do."""
    paths = [line[6:] for line in patch.read_text().splitlines() if line.startswith("+++ b/")]
    return sorted({Path(path).parts[0] for path in paths})


def fails(tree: Path, tests: list[str]) -> bool:
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "tests.unshrunk", "-m", "not live"]
    command = [str(ROOT / ".venv/bin/python"), "-m", "pytest", *options, *tests]
    try:
        return subprocess.run(command, cwd=tree, capture_output=True, timeout=SECONDS, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True  # it hangs: whoever waits for the tests would notice


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
