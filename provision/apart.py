"""Preparing in a process of its own: whoever waits for it goes on meanwhile, and can break it off."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from gevent import subprocess

from provision.debs import Unavailable

CHECKOUT = Path(__file__).resolve().parent.parent


def prepare_apart(module: str, place: Path) -> None:
    """Runs ``python -m <module> --prepare <place>``, whose progress is shown on stderr. Raises Unavailable.

    In a session of its own: Ctrl-C is for us, who then end it with all that it started.
    """
    command = [sys.executable, "-m", module, "--prepare", str(place)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as preparing:
        try:
            said, _ = preparing.communicate()
        finally:
            if preparing.poll() is None:
                os.killpg(preparing.pid, signal.SIGTERM)
    if preparing.returncode:
        raise Unavailable(_last_line(said) or f"{module} ended with {preparing.returncode}", preparing.returncode % 256)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]
