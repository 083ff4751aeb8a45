"""What a start loads before it takes calls: callers wait meanwhile."""

import signal
import subprocess
import sys

import pytest

from tests.installation import CHECKOUT, PROGRAM, install

WITHOUT = {
    "alembic",
    "matplotlib",
    "numpy",
    "pocketsphinx",
    "psycopg",
    "soxr",
    "sqlalchemy.dialects.postgresql",
    "switch.asterisk",
    "switch.freeswitch",
    "vosk",
    "wsproto",
}


STOPPED_AT_ONCE = """
from gevent import monkey; monkey.patch_all()
import sys
from pathlib import Path
import gevent
from commands import main, run
from runtime import service
from speech.pool import Voices
service.serve_until = lambda *_, on_ready, **__: on_ready()
Voices.start = lambda _: print("voices started")
run.SPEECH_AFTER = 0.001
assert main(["--config", sys.argv[1], "run"], Path()) == 0
gevent.sleep(run.SPEECH_AFTER)  # due later than the voices were
"""


STARTED_LATER = """
from gevent import monkey; monkey.patch_all()
import sys
from pathlib import Path
from gevent.event import Event
from commands import main, run
from runtime import service
from runtime.spoken_phrases import SpokenPhrases
from speech.pool import Voices
loaded = Event()
def load_models(_):
    print("models loaded")
    loaded.set()
service.serve_until = lambda *_, on_ready, **__: (on_ready(), loaded.wait(10))
Voices.start = lambda _: print("voices started")
SpokenPhrases.load_models = load_models
run.SPEECH_AFTER = 0.001
assert main(["--config", sys.argv[1], "run"], Path()) == 0
"""


@pytest.fixture
def config(tmp_path):
    """The file of an appliance whose databases are made."""
    return install(tmp_path)


def test_a_start_loads_nothing_that_the_first_call_can_do_without(config, tmp_path):
    loading = tmp_path / "loading"
    with loading.open("w") as file:
        command = [PROGRAM, "--config", str(config), "run"]
        started = [sys.executable, "-X", "importtime", *command]
        process = subprocess.Popen(started, stdout=subprocess.PIPE, stderr=file, text=True)
        assert process.stdout.readline() == "ready\n", loading.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
    loaded = {line.rpartition("|")[2].strip() for line in loading.read_text().splitlines()}
    assert {"gevent", "sqlalchemy", "runtime.assembly", "switch.simulated.switch"} <= loaded
    assert loaded & WITHOUT == set()


@pytest.mark.parametrize(
    ("program", "said"),
    [(STOPPED_AT_ONCE, "ready\n"), (STARTED_LATER, "ready\nvoices started\nmodels loaded\n")],
    ids=["a stop before that starts none", "a moment after ready"],
)
def test_voices_and_recognisers_are_started_after_ready(config, program, said):
    started = [sys.executable, "-c", program, str(config)]
    done = subprocess.run(started, cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.returncode) == (said, 0), done.stderr
