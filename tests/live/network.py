"""A network of the tests' own: loopback, and one pair of interfaces, in a namespace that nothing else can see.

Fixed SIP ports are then free, nothing listens where others could reach it, and baresip, which refuses to work on a
machine that has only loopback, finds an interface. It needs root, or what the kernel lets ordinary users have of it:

    python -m tests.live.network COMMAND...

runs a command so. Without either the tests use the machine's own loopback.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

_CLONE_NEWNET = 0x40000000
_HERE = "/proc/thread-self/ns/net"
_LIBC = ctypes.CDLL(None, use_errno=True)
INTERFACE = "phones0"
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")  # before a command: it ends when the thread that starts it does
_SETUP = (
    "ip link set lo up",
    f"ip link add {INTERFACE} type veth peer name phones1",
    f"ip address add 198.18.0.1/30 dev {INTERFACE}",
    f"ip link set {INTERFACE} up",
    "ip link set phones1 up",
)

AS_ROOT = ("unshare", "--map-root-user", "--net")  # in a user namespace, where that is nobody
UP = 'ip link set lo up && exec "$@"'


class Network:
    """Where the tests' sockets and processes live. `reason` says why it is not a namespace of its own, else ""."""

    def __init__(self) -> None:
        self.reason = ""
        self._namespace: int | None = None
        try:
            self._namespace = _fresh_namespace()
        except (OSError, subprocess.CalledProcessError) as error:
            self.reason = f"no network namespace: {error}"

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """What this thread opens and starts inside the block is in this network; so are threads started there."""
        if self._namespace is None:
            yield
            return
        before = os.open(_HERE, os.O_RDONLY)
        _set(self._namespace)
        try:
            yield
        finally:
            _set(before)
            os.close(before)

    def close(self) -> None:
        if self._namespace is not None:
            os.close(self._namespace)
            self._namespace = None


def main(command: Sequence[str]) -> None:
    """Becomes the command, with the rights to have networks where that is possible."""
    if os.geteuid() != 0 and _may_be_root():
        command = [*AS_ROOT, "sh", "-c", UP, "sh", *command]
    elif os.geteuid() != 0:
        print("the tests with baresip need root, or user namespaces for everybody: they are skipped", flush=True)
    os.execvp(command[0], command)


def _may_be_root() -> bool:
    try:
        return (
            subprocess.run([*AS_ROOT, "sh", "-c", UP, "sh", "true"], capture_output=True, check=False).returncode == 0
        )
    except FileNotFoundError:
        return False


def _fresh_namespace() -> int:
    before = os.open(_HERE, os.O_RDONLY)
    try:
        _libc(_LIBC.unshare(_CLONE_NEWNET))
        try:
            for command in _SETUP:
                subprocess.run(command.split(), check=True, capture_output=True)
            return os.open(_HERE, os.O_RDONLY)
        finally:
            _set(before)
    finally:
        os.close(before)


def _set(namespace: int) -> None:
    _libc(_LIBC.setns(namespace, _CLONE_NEWNET))


def _libc(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1:])
