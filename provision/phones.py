"""Test telephones: sipp (signalling and load) and baresip (a phone that talks), without installing anything.

    python -m provision.phones --prepare var/phones

Where the machine has both on its PATH those are used; else Debian's own packages are unpacked.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provision.debs import Unavailable
from provision.debs import prepare as prepare_packages

SUITES = ("bookworm", "trixie")
PACKAGES = ("sip-tester", "baresip-core")
SIPP, BARESIP = "usr/bin/sipp", "usr/bin/baresip"


@dataclass(frozen=True)
class Phones:
    """How to run them: the beginnings of command lines, baresip's `module_path`, sipp's recordings of keys."""

    sipp: Sequence[str]
    baresip: Sequence[str]
    baresip_modules: Path
    pcaps: Path
    origin: str


def prepare(place: Path) -> Phones:
    """The machine's own phones, or unpacked ones in `place`, made when they are not there yet. Raises Unavailable."""
    return _installed() or _unpacked(place)


def _installed() -> Phones | None:
    sipp, baresip = shutil.which("sipp"), shutil.which("baresip")
    modules = next(
        (path for path in map(Path, ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules")) if path.is_dir()),
        None,
    )
    if not (sipp and baresip and modules):
        return None
    return Phones([sipp], [baresip], modules, Path("/usr/share/sip-tester"), "installed on this machine")


def _unpacked(place: Path) -> Phones:
    modules = "usr/lib/baresip/modules"
    used = [
        f"{modules}/{name}.so"
        for name in ("account", "aufile", "ausine", "ctrl_tcp", "g711", "menu", "sndfile", "uuid")
    ]
    tree = prepare_packages(place, PACKAGES, suites=SUITES, programs=[SIPP, BARESIP], loaded=used)
    versions = ", ".join(f"{name} {_plain(tree.versions[name])}" for name in PACKAGES)
    origin = f"{versions} from Debian {tree.suite}"
    pcaps = tree.root / "usr/share/sip-tester"
    return Phones(tree.command(SIPP), tree.command(BARESIP), tree.root / modules, pcaps, origin)


def _plain(version: str) -> str:
    return re.split(r"[+~-]", version.rpartition(":")[2])[0]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m provision.phones", description="Prepare sipp and baresip; nothing is installed."
    )
    parser.add_argument("--prepare", type=Path, metavar="DIRECTORY", default=Path("var/phones"))
    place = parser.parse_args(arguments).prepare
    try:
        phones = prepare(place)
    except Unavailable as reason:
        print(f"no test phones: {reason}")
        return reason.code
    print(f"sipp and baresip: {phones.origin}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
