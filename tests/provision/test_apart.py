"""Preparing in a process of its own, as the demo does it under gevent's patch, which would wait for ever by itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from provision import debs

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = shutil.ignore_patterns(".git", ".venv", "var", "tests", "docs", "__pycache__", ".*_cache")
LISTING = 'case "$1" in indextargets) echo "scheme://mirror.example/debian Debian Debian bookworm"; exit 0;; esac'
STATUS = 'for argument; do case "$argument" in -oAPT::Status-Fd=*) fd="${argument#*=}";; esac; done'

pytestmark = pytest.mark.skipif(not debs.KEYRING.exists(), reason="Debian's archive keys are not on this machine")


@pytest.fixture
def checkout(tmp_path):
    """A fresh copy without var/, on which nothing is prepared."""
    shutil.copytree(CHECKOUT, tmp_path / "hotline", ignore=SOURCES, symlinks=True)
    (tmp_path / "hotline" / ".venv").symlink_to(CHECKOUT / ".venv")
    return tmp_path / "hotline"


@pytest.fixture
def apt(tmp_path):
    """An apt-get of the test's own on PATH; returns the environment to run in."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def script(text):
        (programs / "apt-get").write_text(f"#!/bin/sh\n{LISTING}\n{STATUS}\n{text}\n")
        (programs / "dpkg-deb").write_text("#!/bin/sh\n")
        for program in programs.iterdir():
            program.chmod(0o755)
        return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    return script


def demo(checkout):
    return [sys.executable, str(checkout / "appliance.py"), "demo", "--switch", "asterisk"]


def test_the_demo_says_why_there_is_no_asterisk(checkout, apt):
    environment = apt('echo "dlstatus:1:50:half" >&"$fd"; echo "E: no such suite" >&2; exit 100')
    done = subprocess.run(
        demo(checkout), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == debs.NO_MIRROR, done.stdout + done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith("no demo on Asterisk: no private Asterisk: no Debian mirror of this machine's apt")
    assert "no such suite" in line


@pytest.mark.parametrize(("signalled", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_it_can_be_broken_off_with_all_that_it_started(checkout, apt, tmp_path, signalled, code):
    os.mkfifo(tmp_path / "fetching")
    environment = apt(f'exec 9>"{tmp_path / "fetching"}"; echo begun >&9; sleep 60; echo done >&9')
    with subprocess.Popen(demo(checkout), env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        with (tmp_path / "fetching").open() as fetching:
            assert fetching.readline() == "begun\n"
            process.send_signal(signalled)
            assert fetching.read() == ""  # ends when nobody is left who could write
        said = process.stderr.read().decode()
    assert process.returncode == code, said
    assert "Traceback" not in said


def test_an_address_is_looked_at_before_anything_is_fetched(checkout, apt, tmp_path):
    environment = apt(f'touch "{tmp_path / "asked"}"; exit 100')
    done = subprocess.run(
        [*demo(checkout), "--listen", "203.0.113.1"], env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--listen: '203.0.113.1' is not an address of this machine, such as 127.0.0.1\n"
    assert not (tmp_path / "asked").exists()
