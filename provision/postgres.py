"""A private PostgreSQL for tests and trials: the machine's own programs, or Debian's unpacked into a directory of ours.

    python -m provision.postgres --prepare var/postgres

It listens on a Unix socket alone and keeps nothing. PostgreSQL refuses to be root, so where we are, the server is
an unprivileged user's.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.debs import Tree, Unavailable
from provision.debs import prepare as prepare_packages

SUITES = ("bookworm",)
PACKAGES = ("postgresql-15",)
PROGRAMS = ("initdb", "postgres")
BIN = "usr/lib/postgresql/15/bin"
MODULES = ("usr/lib/postgresql/15/lib/plpgsql.so", "usr/lib/postgresql/15/lib/dict_snowball.so")
INSTALLED = "/usr/lib/postgresql/*/bin"  # where Debian has them, which is on nobody's PATH
UNPRIVILEGED = ("postgres", "nobody")
CANNOT_RUN = 6  # exit code: it is here, but cannot run
START_SECONDS = 60.0

# initdb runs the postgres beside it by name, so both need a command that needs no arguments of ours.
_BY_OUR_LOADER = """\
#!/bin/sh
root=${0%%/usr/lib/postgresql/*}
exec "$root/%(loader)s" --inhibit-cache --argv0 "$0" --library-path "$root/%(libraries)s" "$0.elf" "$@"
"""


@dataclass(frozen=True)
class Programs:
    """The directory of initdb and postgres, and where they came from."""

    directory: Path
    origin: str
    root: Path | None = None  # of the unpacked tree


def prepare(place: Path) -> Programs:
    """The machine's own PostgreSQL, or one unpacked in `place`, made when it is not there. Raises Unavailable."""
    return _installed() or _unpacked(place)


def _installed() -> Programs | None:
    newest_first = sorted(Path("/").glob(INSTALLED.lstrip("/")), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, newest_first)])
    found = [shutil.which(program, path=path) for program in PROGRAMS]
    if None in found:
        return None
    return Programs(Path(str(found[0])).resolve().parent, "installed on this machine")


def _unpacked(place: Path) -> Programs:
    tree = prepare_packages(
        place,
        PACKAGES,
        suites=SUITES,
        programs=[f"{BIN}/{program}.elf" for program in PROGRAMS],
        loaded=MODULES,
        finish=_make_commands,
    )
    version = tree.versions["postgresql-15"].partition("-")[0]
    return Programs(tree.root / BIN, f"{version} from Debian {tree.suite} in {place}", tree.root)


def _make_commands(tree: Tree) -> None:
    parts = {"loader": tree.loader.relative_to(tree.root), "libraries": tree.libraries.relative_to(tree.root)}
    for name in PROGRAMS:
        program = tree.root / BIN / name
        program.rename(program.with_name(f"{name}.elf"))
        program.write_text(_BY_OUR_LOADER % parts)
        program.chmod(0o755)


class Server:
    """A server of its own in a fresh directory, running from `start` to `close`. Raises Unavailable."""

    def __init__(self, programs: Programs, *, settings: Sequence[str] = ()) -> None:
        self._user = _unprivileged()
        self.home = Path(tempfile.mkdtemp(prefix="hotline-postgres-"))
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            os.chown(self.home, self._user.pw_uid, self._user.pw_gid)
        self._programs = self._reachable(programs)
        self._data = self.home / "data"
        locale = ("--locale=C.UTF-8", "-E", "UTF8")
        self._run("initdb", "-D", str(self._data), "-U", "hotline", "-A", "trust", *locale, "--no-sync")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it answers."""
        options = ("listen_addresses=", "fsync=off", "max_connections=60", *self._settings)
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self.home)]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(part for option in options for part in ("-c", option))],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._identity,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if not self.running or time.monotonic() > deadline:
                told = (self.home / "log").read_text(errors="replace").splitlines()[-3:]
                raise Unavailable(f"PostgreSQL did not start: {' / '.join(told) or 'it said nothing'}", CANNOT_RUN)
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it: SIGINT orderly, with its sessions cut; SIGQUIT as a crash does. What was committed stays."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home, ignore_errors=True)

    def _ready(self) -> bool:
        """The eighth line of its lock file is its state."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    @property
    def _identity(self) -> dict[str, Any]:
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def _reachable(self, programs: Programs) -> Path:
        """The programs' directory as the server's user may read it: a checkout of root's is often closed to others."""
        above = (programs.directory, *programs.directory.parents)
        if programs.root is None or self._user is None or all(place.stat().st_mode & 0o005 == 0o005 for place in above):
            return programs.directory
        copied = self.home / "programs"
        shutil.copytree(programs.root, copied, symlinks=True)
        return copied / programs.directory.relative_to(programs.root)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=START_SECONDS,
            text=True,
            **self._identity,
        )
        if done.returncode != 0:
            shutil.rmtree(self.home, ignore_errors=True)
            raise Unavailable(f"{program} failed: {' / '.join(done.stdout.splitlines()[-3:])}", CANNOT_RUN)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom the server is to be instead of root; None where we are not root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    found = next((known[name] for name in UNPRIVILEGED if name in known), None)
    if found is None:
        raise Unavailable("PostgreSQL refuses to be root, and there is no user nobody to be instead", CANNOT_RUN)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m provision.postgres", description="Prepare a private PostgreSQL; nothing is installed."
    )
    parser.add_argument("--prepare", type=Path, metavar="DIRECTORY", default=Path("var/postgres"))
    place = parser.parse_args(arguments).prepare
    try:
        found = prepare(place)
    except Unavailable as reason:
        print(f"no private PostgreSQL: {reason}")
        return reason.code
    print(f"PostgreSQL {found.origin}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
