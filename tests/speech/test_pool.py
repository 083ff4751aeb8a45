"""The pool with real workers, real deaths and real hangs (a stopped process is as hung as one can be)."""

import os
import signal

import gevent
import numpy as np
import pytest
from structlog.testing import capture_logs

from config.appliance import Speech, VoiceSection
from speech import audio, riff, workers
from speech.pool import Pool, Voices
from speech.port import LONGEST, CannotSpeak
from speech.workers import Worker


@pytest.fixture
def opened():
    pools = []

    def open_pool(**options):
        pools.append(Pool("espeak", **{"size": 2, "within": 30.0} | options))
        return pools[-1]

    yield open_pool
    for pool in pools:
        for pid in pool.pids:
            os.kill(pid, signal.SIGCONT)
        pool.close()


def both_at_work(pool):
    """Starts both workers by giving them texts at the same time."""
    gevent.joinall([gevent.spawn(pool.speak, text, "cmn") for text in ("好" * 20, "您" * 20)], raise_error=True)
    assert len(pool.pids) == 2
    return pool.pids


def test_a_worker_starts_when_it_is_needed_and_serves_again(opened):
    pool = opened()
    assert pool.pids == []
    first = pool.speak("您好", "cmn")
    assert len(first) > 8000
    pids = pool.pids
    assert pool.speak("您好", "cmn") == first
    assert pool.pids == pids


def test_workers_can_be_started_before_the_first_caller(opened):
    pool = opened()
    pool.start()
    pids = pool.pids
    assert len(pids) == 2
    both_at_work(pool)
    pool.start()
    assert pool.pids == pids


def test_many_callers_share_the_workers_and_each_gets_his_own_text(opened):
    pool = opened()
    texts = [f"{figure}" * length for figure in "一二三四" for length in range(1, 6)]
    alone = {text: pool.speak(text, "cmn") for text in texts}
    asked = [gevent.spawn(pool.speak, text, "cmn") for text in texts * 2]
    gevent.joinall(asked, raise_error=True)
    assert [greenlet.value for greenlet in asked] == [alone[text] for text in texts * 2]
    assert len(pool.pids) == 2


def test_a_worker_that_died_is_replaced_and_the_caller_notices_nothing(opened):
    pool = opened(size=1)
    before = pool.speak("您好", "cmn")
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    assert pool.speak("您好", "cmn") == before
    assert pool.pids != [pid]


def test_a_worker_that_hangs_is_replaced_within_the_deadline(opened):
    pool = opened()
    pids = both_at_work(pool)
    os.kill(pool._free[-1].pid, signal.SIGSTOP)
    pool.within = 3.0
    assert len(pool.speak("您好", "cmn")) > 8000
    assert len(set(pids) & set(pool.pids)) == 1


def test_when_every_worker_hangs_the_text_is_given_up_in_time(opened):
    pool = opened()
    for pid in both_at_work(pool):
        os.kill(pid, signal.SIGSTOP)
    pool.within = 0.4
    with gevent.Timeout(5.0), pytest.raises(CannotSpeak, match=r"within 0\.4 s: no answer"):
        pool.speak("您好", "cmn")


def test_waiting_for_a_worker_leaves_the_hub_to_others(opened):
    pool = opened(size=1)
    pool.speak("您好", "cmn")
    ticks = []

    def tick():
        while True:
            ticks.append(None)
            gevent.sleep(0)

    ticking = gevent.spawn(tick)
    pool.speak("好" * 500, "cmn")
    ticking.kill()
    assert len(ticks) > 20


def test_a_caller_who_hangs_up_in_mid_text_leaves_no_worker_out_of_step(opened):
    pool = opened(size=1)
    pool.speak("您好", "cmn")
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)
    leaving = gevent.spawn(pool.speak, "一二三四五", "cmn")
    gevent.sleep(0)  # it is asking now
    leaving.kill()
    assert pid not in pool.pids
    other = opened(size=1)
    assert pool.speak("您好", "cmn") == other.speak("您好", "cmn")


def test_what_an_engine_refuses_is_not_tried_again(opened):
    pool = opened(size=1)
    pool.speak("您好", "cmn")
    pids = pool.pids
    with pytest.raises(CannotSpeak, match="'fr'"):
        pool.speak("bonjour", "fr")
    assert pool.pids == pids


def test_an_endless_text_is_refused_before_it_takes_a_worker(opened):
    pool = opened()
    with pytest.raises(CannotSpeak, match="too long"):
        pool.speak("好" * (LONGEST + 1), "cmn")
    assert pool.pids == []


def test_voices_are_known_without_starting_anything(opened):
    pool = opened()
    voice = pool.voice("cmn")
    assert (voice.vendor, voice.name) == ("espeak", "cmn@170")
    with pytest.raises(CannotSpeak, match="'fr'"):
        pool.voice("fr")
    assert pool.pids == []


def test_a_vendor_that_does_not_exist_is_named(opened):
    with pytest.raises(CannotSpeak, match="'nobody'"):
        Pool("nobody").voice("cmn")
    pool = Pool("nobody", within=30.0)
    with pytest.raises(CannotSpeak, match="'nobody'"):
        pool.speak("您好", "cmn")
    assert pool.pids == []


def test_closing_ends_the_processes_and_answers_who_waits(opened):
    pool = opened(size=1)
    pool.speak("您好", "cmn")
    (pid,) = pool.pids
    os.kill(pid, signal.SIGSTOP)
    waiting = gevent.spawn(pool.speak, "您好", "cmn")
    gevent.sleep(0)
    pool.close()
    with pytest.raises(CannotSpeak, match="stopped"):
        waiting.get(timeout=10)
    assert pool.pids == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_was_closed_starts_no_workers(opened):
    pool = opened()
    pool.close()
    pool.start()
    assert pool.pids == []


def test_a_worker_that_is_just_being_started_ends_with_the_others(opened, monkeypatch):
    pool, begun = opened(size=1), []

    def closed_meanwhile(arguments):
        begun.append(Worker(arguments))
        pool.close()
        return begun[-1]

    monkeypatch.setattr(workers, "Worker", closed_meanwhile)
    pool.start()
    assert pool.pids == []
    (worker,) = begun
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


def test_each_language_is_spoken_by_the_vendor_that_is_named_for_it(tmp_path):
    hum = tmp_path / "hum.wav"
    hum.write_bytes(riff.written(audio.to_pcm(0.3 * np.sin(np.arange(8000) * 0.3))))
    voices = Voices(
        Speech(
            workers=1,
            within=30.0,
            voices={
                "yue": VoiceSection(vendor="command", program=("cat", str(hum))),
                "en": VoiceSection(voice="en-gb-scotland", pace=100),
            },
        )
    )
    try:
        assert [voices.voice(language).vendor for language in ("cmn", "yue", "en")] == ["espeak", "command", "espeak"]
        assert voices.voice("en").name == "en-gb-scotland@100"
        assert len(voices.speak("你好", "yue")) == pytest.approx(16_000, abs=2000)
        assert len(voices.speak("Hello.", "en")) > 4000
        with pytest.raises(CannotSpeak, match="'fr'"):
            voices.speak("bonjour", "fr")
    finally:
        voices.close()


def test_a_vendor_that_bears_one_process_gets_one():
    assert Pool("pyttsx3", size=4).size == 1
    assert Pool("espeak", size=4).size == 4


def test_a_language_whose_vendor_is_not_there_is_logged_and_the_others_start():
    voices = Voices(
        Speech(
            workers=1,
            voices={
                "yue": VoiceSection(vendor="pipr"),
                "en": VoiceSection(vendor="command", program=("/nowhere/piper",)),
            },
        )
    )
    try:
        with capture_logs() as logged:
            voices.start()
        assert [(entry["language"], entry["why"]) for entry in logged] == [
            ("yue", "no speech vendor 'pipr'; known are command, espeak, pyttsx3"),
            ("en", "speech.voices.en: there is no program '/nowhere/piper' that can be run"),
        ]
        assert [len(pool.pids) for pool in voices._pools.values()] == [1, 0, 0]
    finally:
        voices.close()


def test_a_worker_that_still_starts_is_left_to_start(opened):
    pool = opened(size=1, within=0.001)
    with pytest.raises(CannotSpeak, match="still starting"):
        pool.speak("您好", "cmn")
    (pid,) = pool.pids
    pool.within = 30.0
    assert len(pool.speak("您好", "cmn")) > 8000
    assert pool.pids == [pid]
