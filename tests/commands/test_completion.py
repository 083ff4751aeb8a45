"""What the Tab key offers in a real shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from commands import main

CHECKOUT = Path(__file__).resolve().parents[2]
COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
$(complete -p appliance.py | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The completion of this command line, as a file for bash."""
    home = tmp_path_factory.mktemp("completion")
    (home / "appliance.yaml").write_text("{}\n")
    file = home / "completion.bash"
    with file.open("w") as out, redirect_stdout(out):
        assert main(["--config", str(home / "appliance.yaml"), "completion", "bash"], CHECKOUT) == 0
    return file


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["sim"], {"simulate"}),
        (["journal", ""], {"verify"}),
        (["agents", "st"], {"state"}),
        (["report", "--fo"], {"--formula"}),
        (["report", "--formula", ""], {"offered", "answered", "without-early", "early-as-served"}),
    ],
)
def test_bash_offers_what_fits(script, typed, offered):
    shell = ["bash", "-c", COMPLETE, "bash", str(script), "./appliance.py", *typed]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=20, check=True)
    assert set(done.stdout.split()) == offered


def test_every_command_is_offered(script):
    commands = {file.stem.replace("_", "-") for file in (CHECKOUT / "commands").glob("[!_]*.py")}
    groups = {file.parent.name for file in (CHECKOUT / "commands").glob("*/__init__.py")}
    text = next(line for line in script.read_text().splitlines() if "appliance_py_subparsers=(" in line)
    assert {name for name in commands | groups if name not in re.findall(r"[\w-]+", text)} == set()
