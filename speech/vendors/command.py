"""Any program that turns a text into a WAV file, such as piper or flite: one process for each text, no shell.

The text goes to its input, unless an argument holds ``{text}``; the WAV comes from its output, unless an
argument holds ``{file}``, the name of the file that it is to write.

    voices:
      cmn: {vendor: command, program: [/opt/piper/piper, --model, /opt/piper/zh.onnx, --output_file, "{file}"]}
      en: {vendor: command, program: [flite, -voice, slt, -o, "{file}", -t, "{text}"]}
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from speech import audio, riff
from speech.port import RATE, CannotHear, CannotSpeak, Manner, Voice

TEXT, FILE = "{text}", "{file}"
LARGEST = 64 * 1024 * 1024  # bytes of one text's WAV
_PARENT_DIED = 1  # PR_SET_PDEATHSIG


def voices(manners: Mapping[str, Manner]) -> Mapping[str, Voice]:
    """The version of a voice tells by when its program and the files it is given were changed."""
    return {
        language: Voice("command", "\0".join(one.program), _version(language, one)) for language, one in manners.items()
    }


def open(manners: Mapping[str, Manner]) -> Command:
    voices(manners)
    return Command(manners)


class Command:
    """Runs the program of a language, and ends it when this worker ends, however that comes about."""

    def __init__(self, manners: Mapping[str, Manner]) -> None:
        self._manners = manners
        self._libc = ctypes.CDLL(None)

    def speak(self, text: str, language: str) -> tuple[bytes, int]:
        if language not in self._manners:
            raise CannotSpeak(f"no program is configured for '{language}'")
        text = text.replace("\0", " ")
        with tempfile.TemporaryDirectory(prefix="hotline-speech-") as folder:
            file = Path(folder) / "spoken.wav"
            program = [_filled(part, text, file) for part in self._manners[language].program]
            given = any(TEXT in part for part in self._manners[language].program)
            content = self._run(program, b"" if given else f"{text}\n".encode())
            if any(FILE in part for part in self._manners[language].program):
                content = _content(file)
        try:
            return audio.to_pcm(audio.samples(riff.read(content))), RATE
        except CannotHear as error:
            raise CannotSpeak(f"what {program[0]} made cannot be used: {error}") from error

    def _run(self, program: list[str], given: bytes) -> bytes:
        try:
            done = subprocess.run(program, input=given, capture_output=True, check=False, preexec_fn=self._die_with_me)
        except (OSError, ValueError) as error:
            raise CannotSpeak(f"{program[0]} cannot be run: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise CannotSpeak(f"{program[0]} failed ({done.returncode}){': ' + said[-1][:200] if said else ''}")
        return done.stdout

    def _die_with_me(self) -> None:
        self._libc.prctl(_PARENT_DIED, signal.SIGKILL)


def _filled(part: str, text: str, file: Path) -> str:
    """An argument with its text and file. A text that begins with a hyphen is no option of the program."""
    if part.startswith(TEXT) and text.startswith("-"):
        text = f" {text}"
    return part.replace(FILE, str(file)).replace(TEXT, text)


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise CannotSpeak(f"its program made a file of {file.stat().st_size} bytes")
        return file.read_bytes()
    except OSError as error:
        raise CannotSpeak(f"its program made no file: {error.strerror}") from error


def _version(language: str, manner: Manner) -> str:
    if not manner.program:
        raise CannotSpeak(f"speech.voices.{language}: the vendor 'command' needs a program, with its arguments")
    found = shutil.which(manner.program[0])
    if found is None:
        raise CannotSpeak(f"speech.voices.{language}: there is no program '{manner.program[0]}' that can be run")
    facts = [manner.version]
    for part in (found, *manner.program[1:]):
        with contextlib.suppress(OSError, ValueError):
            stat = Path(part).stat()
            facts.append(f"{part} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
