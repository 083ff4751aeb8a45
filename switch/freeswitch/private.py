"""A FreeSWITCH of our own, beside any other on the machine: for tests, the bench and a first try."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PREFIX = Path("/usr/local/freeswitch")
CONF = Path(__file__).resolve().parents[2] / "freeswitch-conf"


def find() -> Path | None:
    """The freeswitch binary: below FREESWITCH_PREFIX, on PATH, or in /usr/local/freeswitch; None when there is none."""
    named = os.environ.get("FREESWITCH_PREFIX")
    candidates = [Path(named) / "bin" / "freeswitch"] if named else []
    on_path = shutil.which("freeswitch")
    candidates += [Path(on_path)] if on_path else []
    candidates.append(PREFIX / "bin" / "freeswitch")
    return next((file for file in candidates if os.access(file, os.X_OK)), None)


def start_command(binary: Path, home: Path, generated: Path) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment that run FreeSWITCH in the foreground with all its files below `home`.

    `generated` is what `config.write` filled. It is ready when its event socket takes the password; it stops
    on SIGTERM.
    """
    places = {name: home / name for name in ("log", "db", "run", "temp", "recordings", "storage", "cache", "certs")}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    # Normal priority: beside the tests and the bench it must leave the appliance its share of the machine.
    argv = [str(binary), "-nc", "-nf", "-np", "-nonat", "-conf", str(CONF)]
    for name, place in places.items():
        argv += [f"-{name}", str(place.absolute())]
    return argv, {**os.environ, "HOTLINE_SWITCH_DIR": str(generated.absolute())}
