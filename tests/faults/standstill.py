"""The first thread of a process made to stand still, by ptrace: its others go on."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


@contextmanager
def first_thread_stands_still(pid: int) -> Iterator[None]:
    """Of a child of ours. Inside it may be killed.

    It is caught while it waits, when it does not hold the interpreter, which the others need.
    """
    while not _waits(pid):
        time.sleep(0.001)
    _ptrace(SEIZE, pid)
    _ptrace(INTERRUPT, pid)
    os.waitpid(pid, 0)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            _ptrace(DETACH, pid)


def _waits(pid: int) -> bool:
    return Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def _ptrace(request: int, pid: int) -> None:
    """Raises OSError."""
    if _libc.ptrace(request, pid, None, None) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
