"""The demo on the private Asterisk: with nobody there it makes a call of its own; with somebody it waits for theirs."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from provision import asterisk
from provision.debs import Unavailable
from tests.live.hotline import SHARED
from tests.live.switches import CHECKOUT

pytestmark = [pytest.mark.live, pytest.mark.asterisk]

LONGEST = 240


@pytest.fixture
def demo(network, programs, tmp_path):
    """The beginning of the demo's command line, for an appliance that is set up in a folder of its own."""
    try:
        asterisk.prepare(CHECKOUT / "var" / "asterisk")
    except Unavailable as reason:
        pytest.skip(f"no private Asterisk: {reason}")
    settings = tmp_path / "appliance.yaml"
    settings.write_text(f"flows-dir: {CHECKOUT / 'flows'}\nprompts-dir: {CHECKOUT / 'prompts'}\n")
    (tmp_path / "var").mkdir()
    for name in ("sounds", "speech"):
        (SHARED / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "var" / name).symlink_to(SHARED / name)
    with network.entered():
        yield [
            sys.executable,
            str(CHECKOUT / "appliance.py"),
            "--config",
            str(settings),
            "demo",
            "--switch",
            "asterisk",
        ]
    assert [process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(process.info)] == []


def test_without_a_terminal_a_sample_call_is_made_and_shown(demo, tmp_path):
    done = subprocess.run(demo, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout
    assert re.search(r"at 127\.0\.0\.1 port 5\d+:", told)
    assert re.search(r"caller +account 13800000001 +password \S{16,} +dial 1000", told)
    assert re.search(r"agent +account 1001 +password \S{16,} +dial \*12", told)
    happened = [
        "agent 1001     is Ready",
        "13800000001    dials 1000",
        "您好，欢迎致电服务热线。",
        "[1]",
        "您的订单二零二六一一,已发货",
        "[0]",
        "(waits with music in queue service)",
        "agent 1001     the phone rings: 13800000001",
        "(talking to 王芳 (1001))",
        "感谢您的来电，再见。",
        "(the call has ended: flow ended)",
    ]
    place = told.index("A sample call")
    for text in happened:
        place = told.find(text, place + 1)
        assert place > 0, f"'{text}' is missing, or not in its order:\n{told}"
    assert {path.name for path in (tmp_path / "var").iterdir()} == {"demo", "sounds", "speech"}


def test_with_a_terminal_it_stays_until_ctrl_c(demo):
    ours, theirs = pty.openpty()
    with subprocess.Popen(demo, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        give_up = threading.Timer(LONGEST, process.kill)
        give_up.start()
        told = iter(process.stdout.readline, "")
        seen = list(iter(lambda: next(told), "Calls are shown here as they go. Ctrl-C ends the demo.\n"))
        process.send_signal(signal.SIGINT)
        rest = "".join(told)
        give_up.cancel()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, "".join(seen) + rest
    assert rest.strip() == "The demo is over."


@pytest.mark.parametrize("address", ["203.0.113.1", "hotline"])
def test_an_address_of_another_machine_is_refused_in_one_line(demo, address):
    done = subprocess.run(
        [*demo, "--listen", address], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"--listen: '{address}' is not an address of this machine, such as 127.0.0.1\n"
