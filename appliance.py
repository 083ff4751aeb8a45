#!/usr/bin/env python3
"""Hotline: an IVR and ACD appliance for FreeSWITCH and Asterisk. Try: ./appliance.py --help"""

import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent
VENV_PYTHON = HOME / ".venv" / "bin" / "python"


def _enter_venv() -> None:
    """Runs this program again in the checkout's own environment, where everything it needs is installed."""
    if Path(sys.prefix) == HOME / ".venv":
        return
    if not VENV_PYTHON.exists():
        sys.exit("this checkout is not set up yet; run: make demo")
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), str(HOME / "appliance.py"), *sys.argv[1:]])


if __name__ == "__main__":
    _enter_venv()
    from gevent import monkey

    monkey.patch_all()
    sys.path.insert(0, str(HOME))

    from commands import main

    sys.exit(main(sys.argv[1:], HOME))
