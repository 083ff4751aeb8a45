"""The worker process by itself, over plain pipes."""

import signal
import subprocess
import sys

import pytest

from speech import audio, wire


@pytest.fixture
def started():
    processes = []

    def start(vendor="espeak"):
        process = subprocess.Popen(
            [sys.executable, "-m", "speech.worker", "speak", vendor, "{}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait(30)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def asked(process, text, language="cmn", longest=30.0):
    process.stdin.write(wire.frame({"text": text, "language": language, "longest": longest}))
    process.stdin.flush()


def answered(process):
    return wire.read(process.stdout.read)


def test_it_greets_speaks_and_ends_with_its_input(started):
    worker = started()
    assert answered(worker)[0]["ready"] is True
    asked(worker, "您好")
    asked(worker, "hello", "en")
    for _ in range(2):
        header, pcm = answered(worker)
        assert header["done"] is True
        assert audio.level(audio.from_pcm(pcm)) == pytest.approx(audio.SPEECH_LEVEL, abs=1.5)
    worker.stdin.close()
    assert worker.wait(30) == 0
    assert worker.stdout.read() == b""


def test_what_it_cannot_speak_is_an_answer_and_not_the_end(started):
    worker = started()
    answered(worker)
    asked(worker, "bonjour", "fr")
    header, pcm = answered(worker)
    assert (header["done"], pcm) == (False, b"")
    assert "'fr'" in header["why"]
    asked(worker, "您好")
    assert answered(worker)[0]["done"] is True


def test_an_unknown_vendor_is_said_at_once(started):
    worker = started("nobody")
    header, _ = answered(worker)
    assert header["ready"] is False
    assert "'nobody'" in header["why"]
    assert worker.wait(30) == 1


def test_the_terminals_interrupt_is_not_its_business(started):
    worker = started()
    answered(worker)
    worker.send_signal(signal.SIGINT)
    asked(worker, "您好")
    assert answered(worker)[0]["done"] is True


def test_garbage_ends_it_quietly(started):
    worker = started()
    answered(worker)
    worker.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
    worker.stdin.close()
    assert worker.wait(30) == 0
    assert worker.stderr.read() == b""


def test_a_text_that_holds_it_too_long_ends_the_process(started):
    """No orphan may spin on when nobody is left to kill it."""
    worker = started()
    answered(worker)
    asked(worker, "好" * 2000, longest=0.001)
    assert worker.wait(30) == -signal.SIGALRM
