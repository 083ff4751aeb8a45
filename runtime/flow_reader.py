"""A process of its own that reads and checks the flows, so that big ones hold nobody's call.

    python -m runtime.flow_reader

It takes one request from stdin, answers on stdout and ends: `Flowbook` starts it for every change that is too
big for a thread beside the calls. What it answers is pickled, by this code for this code.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
from gevent import subprocess

if TYPE_CHECKING:
    from gevent.threadpool import ThreadPool

    from runtime.flowbook import Found, Surroundings

ROOT = Path(__file__).resolve().parents[1]
WITHIN = 60.0  # seconds for a change; the largest flow that is read at all takes a tenth of it
MEMORY = 2_000_000_000  # bytes of address space


def read_apart(flows_dir: Path, prompts_dir: Path, surroundings: Surroundings) -> bytes:
    """What `read_files` returns, pickled, from a process of its own; other greenlets go on. Raises ReaderFailed."""
    request = pickle.dumps((Path.cwd(), flows_dir, prompts_dir, surroundings))
    with subprocess.Popen(
        [sys.executable, "-m", "runtime.flow_reader"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            answer, _ = process.communicate(request, timeout=WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ReaderFailed(f"they could not be checked within {WITHIN:.0f} s") from None
        except gevent.GreenletExit:
            process.kill()
            raise
    if process.returncode != 0:
        raise ReaderFailed(f"checking them ended with code {process.returncode}")
    return bytes(answer)


class ReaderFailed(Exception):
    """The flows could not be checked; the text says why."""


def found(answer: bytes, threads: ThreadPool) -> Found:
    """What an answer of `read_apart` says, unpacked in a thread."""
    unpacked: Found = threads.apply(pickle.loads, (answer,))
    return unpacked


def main() -> int:
    from runtime.flowbook import read_files  # noqa: PLC0415 - which starts this process

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is the parent's to act on
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(WITHIN), int(WITHIN)))
    here, flows_dir, prompts_dir, surroundings = pickle.loads(sys.stdin.buffer.read())
    os.chdir(here)
    sys.stdout.buffer.write(pickle.dumps(read_files(flows_dir, prompts_dir, surroundings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
