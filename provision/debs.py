"""Debian packages unpacked into a tree of our own: no root, nothing installed, the host untouched.

The mirror is whichever the host's own apt uses, apt itself fetches and checks signatures and sums, and
what was unpacked runs by the tree's own loader and libraries, so that its C library may be newer or older than the
host's. `prepare` is the public thing; a second run finds its work done.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FORM = 1  # raise it when what `prepare` leaves behind changes, so that trees of older checkouts are made anew

NO_APT, NO_MIRROR, NOT_USABLE = 3, 4, 5  # exit codes

_AS_OURS = ("--no-same-owner", "--no-same-permissions")
_LEFT_OUT = ("doc", "man", "locale", "info", "lintian", "doc-base", "bug")


class Unavailable(Exception):
    """The packages cannot be had here; the text says why in one line, `code` is the command's exit code."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Tree:
    """Unpacked packages, and how to run a program of theirs."""

    root: Path
    suite: str
    versions: Mapping[str, str]

    @cached_property
    def libraries(self) -> Path:
        """The directory of the shared libraries, such as ``usr/lib/x86_64-linux-gnu``."""
        return next(self.root.glob("usr/lib/*/libc.so.6")).parent

    @cached_property
    def loader(self) -> Path:
        places = (self.libraries, self.root / "usr/lib64", self.root / "usr/lib")
        # Older packages have absolute links, which lead out of the tree or nowhere.
        inside = (found for place in places for found in sorted(place.glob("ld-linux*.so.*")) if self._holds(found))
        return next(inside)

    def _holds(self, file: Path) -> bool:
        return file.exists() and file.resolve().is_relative_to(self.root)

    def command(self, program: str, *arguments: str) -> list[str]:
        """The argument list that runs a program of the tree, such as ``usr/sbin/asterisk``.

        Only the loader's own arguments name our libraries: children that the program starts get the host's.
        """
        name = ["--argv0", Path(program).name] if self._loader_can_name else []
        return [
            str(self._link(Path(program).name)),
            "--inhibit-cache",
            *name,
            *self._library_path,
            str(self.root / program),
            *arguments,
        ]

    def foreign(self, file: Path) -> list[str]:
        """The libraries that a program or module of the tree would take from outside, or not find at all."""
        listed = subprocess.run(
            [str(self.loader), "--inhibit-cache", *self._library_path, "--list", str(file)],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        if listed.returncode != 0:
            return [listed.stderr.strip() or f"{file.name} cannot be loaded"]
        wanted = (line.split("=>")[1].strip() for line in listed.stdout.splitlines() if "=>" in line)
        return [library for library in wanted if not library.startswith(str(self.root))]

    @cached_property
    def _library_path(self) -> tuple[str, str]:
        return "--library-path", f"{self.libraries}:{self.root / 'usr/lib'}"

    @cached_property
    def _loader_can_name(self) -> bool:
        told = subprocess.run([str(self.loader), "--help"], capture_output=True, text=True, check=False, timeout=30)
        return "--argv0" in told.stdout

    def _link(self, name: str) -> Path:
        """The loader under the program's name, which is what process lists show."""
        return self.root.parent / "bin" / name


def prepare(
    place: Path,
    packages: Sequence[str],
    *,
    suites: Sequence[str],
    programs: Sequence[str],
    loaded: Sequence[str] = (),
    finish: Callable[[Tree], None] = lambda _: None,
) -> Tree:
    """Makes `place/root` hold these packages and all that they need, from the first suite that has them.

    `programs`, and the modules (patterns) that they load by name, are checked to take no library from outside;
    `finish` completes what the packages' own scripts would have done. Safe to run twice at once. Blocks for minutes,
    under gevent's patch for ever: `provision.apart` is for such a process. Raises Unavailable.
    """
    place = place.resolve()  # a tree that several checkouts share by a link is prepared once
    place.mkdir(parents=True, exist_ok=True)
    with _alone(place / ".lock"):
        if tree := _already(place, packages, suites):
            return tree
        preparation = _Preparation(place, packages, suites=suites, programs=programs, loaded=loaded, finish=finish)
        return preparation.run()


def _already(place: Path, packages: Sequence[str], suites: Sequence[str]) -> Tree | None:
    try:
        stamp = json.loads((place / "prepared.json").read_text())
    except (OSError, ValueError):
        return None
    tree = Tree(place / "root", stamp["suite"], stamp["versions"])
    return tree if stamp["wanted"] == _wanted(place, packages, suites) and tree.root.is_dir() else None


def _wanted(place: Path, packages: Sequence[str], suites: Sequence[str]) -> dict[str, object]:
    return {"form": FORM, "packages": list(packages), "suites": list(suites), "place": str(place)}


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


class _Preparation:
    """One run of `prepare` that has something to do."""

    def __init__(
        self,
        place: Path,
        packages: Sequence[str],
        *,
        suites: Sequence[str],
        programs: Sequence[str],
        loaded: Sequence[str],
        finish: Callable[[Tree], None],
    ) -> None:
        self._place = place
        self._packages = packages
        self._suites = suites
        self._programs = programs
        self._loaded = loaded
        self._finish = finish
        self._console = Console(stderr=True, highlight=False)
        self._work = place / "work"

    def run(self) -> Tree:
        mirrors = host_mirrors()
        reasons = []
        try:
            for suite in self._suites:
                for mirror in mirrors:
                    try:
                        return self._from(mirror, suite)
                    except _SuiteFailed as failed:
                        reasons.append(f"{suite}: {failed}")
                        self._say(f"not from {suite}: {failed}")
        finally:
            shutil.rmtree(self._work, ignore_errors=True)
        raise Unavailable(
            "no Debian mirror of this machine's apt could give the packages: " + "; ".join(reasons), NO_MIRROR
        )

    def _from(self, mirror: str, suite: str) -> Tree:
        self._say(f"{' '.join(self._packages)}: asking this machine's Debian mirror for {suite}")
        apt = _Apt(self._work / suite, mirror, suite)
        apt.run("reading the package lists", "update", "--error-on=any")
        debs = apt.fetch(self._packages)
        megabytes = sum(deb.stat().st_size for deb in debs) / 1e6
        self._say(f"unpacking {len(debs)} packages, {megabytes:.0f} MB")
        fresh = self._place / "root.new"
        _unpack(debs, fresh)
        root = self._place / "root"
        shutil.rmtree(root, ignore_errors=True)
        fresh.rename(root)
        tree = Tree(root, suite, _versions(debs))
        self._link_loader(tree)
        self._finish(tree)
        self._refuse_foreign(tree)
        self._stamp(tree, debs)
        return tree

    def _link_loader(self, tree: Tree) -> None:
        links = self._place / "bin"
        links.mkdir(exist_ok=True)
        for program in self._programs:
            link = links / Path(program).name
            link.unlink(missing_ok=True)
            link.symlink_to(Path("..") / tree.loader.relative_to(self._place))

    def _refuse_foreign(self, tree: Tree) -> None:
        files = [found for pattern in (*self._programs, *self._loaded) for found in tree.root.glob(pattern)]
        with ThreadPoolExecutor(4) as pool:
            foreign = {library for found in pool.map(tree.foreign, files) for library in found}
        if foreign:
            raise Unavailable(
                f"the unpacked programs would load from outside their tree: {', '.join(sorted(foreign))}", NOT_USABLE
            )

    def _stamp(self, tree: Tree, debs: Sequence[Path]) -> None:
        """What this tree was made of: Debian's testing moves, and a result can be traced to its packages."""
        stamp = {
            "wanted": _wanted(self._place, self._packages, self._suites),
            "suite": tree.suite,
            "versions": dict(tree.versions),
            "sha256": {deb.name: hashlib.sha256(deb.read_bytes()).hexdigest() for deb in debs},
        }
        fresh = self._place / "prepared.json.new"
        fresh.write_text(json.dumps(stamp, indent=1))
        fresh.rename(self._place / "prepared.json")

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


class _SuiteFailed(Exception):
    """This suite does not give the packages; another may."""


def host_mirrors() -> list[str]:
    """The addresses of the Debian mirrors that the host's own apt is set up with. Raises Unavailable."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("there is no apt on this machine", NO_APT)
    if not KEYRING.exists():
        raise Unavailable(f"Debian's archive keys are not on this machine ({KEYRING})", NO_APT)
    columns = "$(REPO_URI) $(ORIGIN) $(LABEL) $(RELEASE)"
    listed = subprocess.run(
        [*["apt-get", "indextargets", "--format"], columns, "Created-By: Packages", "Component: main"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    rows = [line.split() for line in listed.stdout.splitlines() if len(line.split()) == 4]
    # Where apt never ran `update` nothing is known of a repository's origin; its suite's name is then our hint,
    # and a wrong guess is refused by the signature check.
    codename = _codename()
    found = [
        uri
        for uri, origin, label, release in rows
        if (origin, label) == ("Debian", "Debian") or ("$(" in origin and release == codename)
    ]
    if not found:
        raise Unavailable("this machine's apt has no Debian mirror set up", NO_MIRROR)
    return list(dict.fromkeys(found))


def _codename() -> str:
    release = Path("/etc/os-release")
    named = re.search(r"^VERSION_CODENAME=(\w+)", release.read_text() if release.exists() else "", re.MULTILINE)
    return named[1] if named else ""


class _Apt:
    """apt-get with a state, a cache and a source list of its own, and otherwise the host's settings (its proxy)."""

    def __init__(self, work: Path, mirror: str, suite: str) -> None:
        self._work = work
        shutil.rmtree(work, ignore_errors=True)
        for part in ("state/lists/partial", "cache/archives/partial", "etc"):
            (work / part).mkdir(parents=True)
        (work / "state/status").touch()
        (work / "sources.list").write_text(f"deb [signed-by={KEYRING} target=Packages] {mirror} {suite} main\n")
        (work / "own.conf").write_text(self._settings())

    def _settings(self) -> str:
        work = self._work
        return f"""
            Dir::State "{work}/state"; Dir::State::status "{work}/state/status"; Dir::Cache "{work}/cache";
            Dir::Etc::sourcelist "{work}/sources.list"; Dir::Etc::sourceparts "{work}/etc";
            Dir::Etc::preferences "{work}/etc/none"; Dir::Etc::preferencesparts "{work}/etc";
            APT::Sandbox::User ""; APT::Install-Recommends "false"; Acquire::Languages "none"; Acquire::PDiffs "false";
            APT::Get::AllowUnauthenticated "false"; Acquire::AllowInsecureRepositories "false"; Acquire::Retries "3";
            #clear APT::Update::Pre-Invoke; #clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;
            #clear DPkg::Pre-Install-Pkgs; #clear DPkg::Pre-Invoke; #clear DPkg::Post-Invoke;
            """

    def fetch(self, packages: Sequence[str]) -> list[Path]:
        self.run("fetching", "install", "--yes", "--download-only", *packages)
        return sorted((self._work / "cache/archives").glob("*.deb"))

    def run(self, what: str, *arguments: str) -> None:
        """Runs apt-get with a progress bar; raises _SuiteFailed with its first error."""
        reading, writing = os.pipe()
        command = ["apt-get", "-qq", f"-c={self._work / 'own.conf'}", f"-oAPT::Status-Fd={writing}", *arguments]
        log = self._work / "apt.log"
        with log.open("w") as output, subprocess.Popen(
            command, pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        ) as apt:  # fmt: skip
            os.close(writing)
            with os.fdopen(reading) as status:
                _show(what, status)
        if apt.returncode != 0:
            errors = [line[3:] for line in log.read_text().splitlines() if line.startswith("E: ")]
            raise _SuiteFailed(_without_addresses(errors[0] if errors else f"apt-get ended with {apt.returncode}"))


def _show(what: str, status: Iterator[str]) -> None:
    """Turns apt's status lines, `dlstatus:NUMBER:PERCENT:TEXT`, into a bar."""
    columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=100)
        for line in status:
            kind, _, percent, *_ = [*line.split(":"), "", "", ""]
            if kind == "dlstatus":
                progress.update(bar, completed=float(percent))


def _without_addresses(text: str) -> str:
    return re.sub(r"\w+://\S+", "the mirror", text)


def _unpack(debs: Sequence[Path], root: Path) -> None:
    """All packages into one tree, without documentation; /bin, /sbin and /lib are links into /usr from the start."""
    shutil.rmtree(root, ignore_errors=True)
    for part in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / part).mkdir(parents=True)
        (root / part).symlink_to(f"usr/{part}")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda deb: _unpack_one(deb, root), debs))


def _unpack_one(deb: Path, root: Path) -> None:
    left_out = [f"--exclude=./usr/share/{part}" for part in _LEFT_OUT]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as reading:
        subprocess.run(
            ["tar", "-x", "-C", str(root), "--keep-directory-symlink", *_AS_OURS, *left_out],
            stdin=reading.stdout, check=True,
        )  # fmt: skip
    if reading.returncode != 0:
        raise Unavailable(f"{deb.name} could not be unpacked", NOT_USABLE)


def _versions(debs: Sequence[Path]) -> dict[str, str]:
    parts = (deb.stem.split("_") for deb in debs)
    return {name: version.replace("%3a", ":") for name, version, *_ in parts}
