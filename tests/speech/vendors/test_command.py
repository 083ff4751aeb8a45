"""Any program as a synthesiser: how it is given the text, and what it may do wrong."""

import os
import signal
import stat
import sys
from pathlib import Path

import gevent
import numpy as np
import pytest

from speech import audio, riff
from speech.pool import Pool
from speech.port import CannotSpeak, Manner
from speech.vendors import command

HUM = riff.written(audio.to_pcm(0.3 * np.sin(np.arange(4000) * 0.3)))


@pytest.fixture
def program(tmp_path):
    """Writes a program in Python and returns its path; `HUM` is half a second of sound."""
    (tmp_path / "hum.wav").write_bytes(HUM)

    def write(body, name="speak"):
        file = tmp_path / name
        file.write_text(
            f"#!{sys.executable}\nimport sys, os\nHUM = open({str(tmp_path / 'hum.wav')!r}, 'rb').read()\n{body}\n"
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return str(file)

    return write


def opened(*arguments):
    return command.open({"cmn": Manner(program=arguments)})


def test_the_text_goes_in_and_the_sound_comes_out(program, tmp_path):
    text = tmp_path / "text"
    speaks = program(f"open({str(text)!r}, 'w').write(sys.stdin.read())\nsys.stdout.buffer.write(HUM)")
    pcm, rate = opened(speaks).speak("您好", "cmn")
    assert (len(pcm), rate) == (8000, 8000)
    assert text.read_text() == "您好\n"


def test_the_text_may_be_an_argument_and_the_sound_a_file(program, tmp_path):
    text = tmp_path / "text"
    speaks = program(f"open({str(text)!r}, 'w').write(sys.argv[1])\nopen(sys.argv[2][4:], 'wb').write(HUM)")
    pcm, _ = opened(speaks, "{text}", "out={file}").speak("您好; rm -rf $HOME `id` 'x'", "cmn")
    assert len(pcm) == 8000
    assert text.read_text() == "您好; rm -rf $HOME `id` 'x'"


def test_a_text_that_begins_with_a_hyphen_is_no_option(program, tmp_path):
    text = tmp_path / "text"
    speaks = program(f"open({str(text)!r}, 'w').write(sys.argv[1])\nsys.stdout.buffer.write(HUM)")
    opened(speaks, "{text}").speak("--help", "cmn")
    assert text.read_text() == " --help"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit('no such voice')", "no such voice"),
        ("print('hello')", "no WAV"),
        ("pass", "no WAV"),
        ("os.kill(os.getpid(), 9)", "-9"),
        ("sys.stdout.buffer.write(HUM[:44])", "no samples"),
    ],
)
def test_what_a_program_does_wrong_is_said(program, body, message):
    with pytest.raises(CannotSpeak, match=message):
        opened(program(body)).speak("您好", "cmn")


def test_a_length_that_a_stream_could_not_know_is_no_fault(program):
    """Programs that write to a pipe put any number into the header."""
    unknown = "b'\\xff\\xff\\xff\\x7f'"
    speaks = program(f"sys.stdout.buffer.write(HUM[:4] + {unknown} + HUM[8:40] + {unknown} + HUM[44:])")
    assert len(opened(speaks).speak("您好", "cmn")[0]) == 8000


def test_a_program_that_makes_no_file_is_said(program):
    with pytest.raises(CannotSpeak, match="made no file"):
        opened(program("pass"), "{file}").speak("您好", "cmn")


def test_a_voice_without_a_program_or_with_one_that_is_not_there_is_refused_at_once():
    with pytest.raises(CannotSpeak, match=r"speech\.voices\.cmn: .* needs a program"):
        command.voices({"cmn": Manner()})
    with pytest.raises(CannotSpeak, match="no program '/nowhere/piper'"):
        command.voices({"cmn": Manner(program=("/nowhere/piper",))})
    with pytest.raises(CannotSpeak, match="'yue'"):
        command.open({}).speak("你好", "yue")


def test_a_changed_program_or_model_is_another_voice(program, tmp_path):
    model = tmp_path / "model.onnx"
    model.write_text("one")
    manners = {"cmn": Manner(program=(program("pass"), "--model", str(model)))}
    before = command.voices(manners)["cmn"]
    assert command.voices(manners)["cmn"] == before
    model.write_text("two, and longer")
    assert command.voices(manners)["cmn"] != before


def test_a_program_that_hangs_ends_with_its_worker(program, tmp_path):
    pid = tmp_path / "pid"
    hangs = program(f"open({str(pid)!r}, 'w').write(str(os.getpid()))\nimport signal; signal.pause()")
    pool = Pool("command", {"cmn": Manner(program=(hangs,))}, size=1, within=3.0)
    try:
        with pytest.raises(CannotSpeak, match="could not speak within 3 s"):
            pool.speak("您好", "cmn")
        with gevent.Timeout(10):
            while alive(int(pid.read_text())):
                gevent.sleep(0.01)
    finally:
        pool.close()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_a_real_synthesiser_is_only_a_program(program):
    """The house's own engine, asked as if it were a stranger: text in, WAV out."""
    speaks = program(
        "sys.path.insert(0, os.environ['HOTLINE'])\n"
        "from speech import audio, riff\nfrom speech.vendors import espeak\n"
        "pcm, rate = espeak.open({}).speak(sys.stdin.read(), 'cmn')\n"
        "sys.stdout.buffer.write(riff.written(audio.to_pcm(audio.resampled(audio.from_pcm(pcm), rate))))"
    )
    os.environ["HOTLINE"] = str(Path.cwd())
    pcm, rate = opened(speaks).speak("您好", "cmn")
    assert 0.4 < len(pcm) / 2 / rate < 2
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
