"""A private Asterisk: Debian's own packages in a directory of ours, run on loopback with Hotline's configuration.

    python -m provision.asterisk --prepare var/asterisk

`prepare` makes it, `running` runs it for tests and demos.
"""

from __future__ import annotations

import argparse
import base64
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provision.debs import Tree, Unavailable
from provision.debs import prepare as prepare_packages
from switch.asterisk import config

MAJOR = 22  # the version that Hotline is tried on
SUITES = ("forky", "sid")  # Debian 12 and 13 have no Asterisk, and that of 11 is too old to know a trunk by its port
PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm")
IN_THE_WAY = 6  # exit code: it is here, but cannot run
PROGRAM = "usr/sbin/asterisk"
CONFIGURATION = Path(__file__).resolve().parent.parent / "asterisk-conf"


def prepare(place: Path) -> Tree:
    """An Asterisk in `place`, made when it is not there yet. Raises Unavailable."""
    modules = [f"usr/lib/**/asterisk/modules/{name}" for name in _modules()]
    return prepare_packages(place, PACKAGES, suites=SUITES, programs=[PROGRAM], loaded=modules, finish=_link_sounds)


def version(tree: Tree) -> str:
    """Such as ``22.10.1``."""
    return re.split(r"[+~-]", tree.versions["asterisk"].rpartition(":")[2])[0]


def _modules() -> list[str]:
    text = (CONFIGURATION / "modules.conf").read_text()
    return re.findall(r"^(?:load|require) = (\S+)", text, re.MULTILINE)


def _link_sounds(tree: Tree) -> None:
    """Without its standard sounds Asterisk ends some recordings at once."""
    sounds = tree.root / "usr/share/asterisk/sounds"
    for voice in sorted(sounds.glob("en_US_*"))[:1]:
        (sounds / "en").symlink_to(voice.name)


@dataclass(frozen=True)
class Site:
    """Where and with whom a private Asterisk runs; the defaults suit a demo."""

    agents: Mapping[str, str]
    music: Mapping[str, Path]
    sorry: Path | None = None
    numbers: Sequence[str] = ("1000",)
    trunks: Sequence[config.Trunk] = (config.Trunk(),)
    listen: str = "127.0.0.1"
    agents_port: int = 5060
    trunk_port: int = 5080
    ari_port: int = 8088
    rtp: tuple[int, int] = (10000, 10999)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass(frozen=True)
class Running:
    """An Asterisk that takes calls, until its `with` block ends."""

    url: str
    user: str
    password: str
    home: Path
    process: subprocess.Popen[bytes]
    console_command: Sequence[str]

    def console(self, command: str) -> str:
        """What Asterisk's own console answers, such as to ``core show channels``."""
        answer = subprocess.run(
            [*self.console_command, command], capture_output=True, text=True, check=True, timeout=10
        )
        return answer.stdout


@contextmanager
def running(tree: Tree, home: Path, site: Site, *, within: float = 20.0) -> Iterator[Running]:
    """Runs Asterisk with its files in `home` until the block ends; returns when ARI answers. Raises Unavailable."""
    asterisk = start(tree, home, site, within=within)
    try:
        yield asterisk
    finally:
        stop(asterisk)


def start(tree: Tree, home: Path, site: Site, *, within: float = 20.0) -> Running:
    home = home.absolute()
    _check_free(site)
    settings = configure(tree, home, site)
    log = (home / "output.log").open("ab")
    command = tree.command(PROGRAM, "-f", "-C", str(settings))
    with log:
        process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{site.ari_port}"
    console = tree.command(PROGRAM, "-C", str(settings), "-rx")
    asterisk = Running(url, "hotline", site.password, home, process, console)
    try:
        _await_ready(asterisk, within)
    except BaseException:
        stop(asterisk)
        raise
    return asterisk


def stop(asterisk: Running) -> None:
    asterisk.process.terminate()
    try:
        asterisk.process.wait(10)
    except subprocess.TimeoutExpired:
        asterisk.process.kill()
        asterisk.process.wait()


def configure(tree: Tree, home: Path, site: Site) -> Path:
    """Writes a configuration directory into `home` and returns the main file."""
    etc = home / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    for file in CONFIGURATION.glob("*.conf"):
        link = etc / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(file)
    config.write(
        etc / "hotline", password=site.password, agents=site.agents, music=site.music, sorry=site.sorry,
        numbers=site.numbers, trunks=site.trunks, ari=f"127.0.0.1:{site.ari_port}", listen=site.listen,
        agents_port=site.agents_port, trunk_port=site.trunk_port, rtp=site.rtp,
    )  # fmt: skip
    main = etc / "asterisk.conf"
    main.write_text(directories(tree, home))
    return main


def directories(tree: Tree, home: Path) -> str:
    data = tree.root / "usr/share/asterisk"
    own = {name: home / name for name in ("spool", "log", "lib")}
    for directory in own.values():
        directory.mkdir(exist_ok=True)
    (own["spool"] / "recording").mkdir(exist_ok=True)
    return f"""[directories]
astetcdir => {home / "etc"}
astmoddir => {_module_directory(tree)}
astdatadir => {data}
astvarlibdir => {data}
astdbdir => {own["lib"]}
astkeydir => {own["lib"]}
astspooldir => {own["spool"]}
astlogdir => {own["log"]}
astrundir => {_socket_directory(home)}

[options]
nocolor = yes
execincludes = no
live_dangerously = no
defaultlanguage = en
"""


def _module_directory(tree: Tree) -> Path:
    """Debian moved it between versions."""
    return next(tree.root.glob("usr/lib/**/asterisk/modules/app_stasis.so")).parent


def _socket_directory(home: Path) -> Path:
    """For the console's socket, whose path may have a hundred characters only."""
    wanted = home / "run"
    if len(str(wanted)) < 80:
        wanted.mkdir(exist_ok=True)
        return wanted
    return Path(tempfile.mkdtemp(prefix="asterisk-"))


def _check_free(site: Site) -> None:
    """Else another Asterisk would answer in place of ours, or ours could not take calls."""
    wanted = (
        (socket.SOCK_STREAM, "127.0.0.1", site.ari_port),
        (socket.SOCK_DGRAM, site.listen, site.agents_port),
        (socket.SOCK_DGRAM, site.listen, site.trunk_port),
    )
    for kind, address, port in wanted:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise Unavailable(f"Asterisk cannot use {address}:{port}: {error.strerror}", IN_THE_WAY) from error


def _await_ready(asterisk: Running, within: float) -> None:
    """Returns when ARI answers; the web server listens a moment earlier, and answers 404 until then."""
    credentials = base64.b64encode(f"{asterisk.user}:{asterisk.password}".encode()).decode()
    asking = urllib.request.Request(
        f"{asterisk.url}/ari/asterisk/ping", headers={"Authorization": f"Basic {credentials}"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + within
    while asterisk.process.poll() is None and time.monotonic() < deadline:
        try:
            with direct.open(asking, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    told = (asterisk.home / "output.log").read_text(errors="replace").splitlines()[-5:]
    raise Unavailable(f"Asterisk did not start: {' / '.join(told) or 'it said nothing'}", IN_THE_WAY)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m provision.asterisk", description="Prepare a private Asterisk; nothing is installed."
    )
    parser.add_argument("--prepare", type=Path, metavar="DIRECTORY", default=Path("var/asterisk"))
    place = parser.parse_args(arguments).prepare
    try:
        tree = prepare(place)
    except Unavailable as reason:
        print(f"no private Asterisk: {reason}")
        return reason.code
    found = version(tree)
    print(f"Asterisk {found} from Debian {tree.suite} in {place}")
    if not found.startswith(f"{MAJOR}."):
        print(f"Hotline is tried on Asterisk {MAJOR}: expect differences")
    return 0


if __name__ == "__main__":
    sys.exit(main())
