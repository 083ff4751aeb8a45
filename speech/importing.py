"""Recordings as a studio delivers them: judged, and made what telephones play.

A recording is refused rather than mended where a caller would hear the fault: clipping, near silence, a file
that is something else. What can be put right without loss is: rate, channels, offset, silence at the ends,
loudness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from config.wording import suggestion
from speech import audio, riff, words
from speech.audio import Samples
from speech.port import RATE, CannotHear
from speech.riff import Wav

QUIETEST = -45.0  # dBFS while speaking: evening out what is fainter raises its noise to where it is heard
SHORTEST = 0.15  # seconds, of what is left without silence
CLIPPED_RUN = 3  # samples in a row at full scale: a waveform with its top cut off
CLIPPED_PLACES = 3  # so many of which are heard
NOISY = 20.0  # dB between speech and the noise in its pauses, below which it is remarked upon
LARGEST = 200 * 1024 * 1024
_FULL = 0.9985
_OTHERS = {
    b"ID3": "an MP3",
    b"\xff\xfb": "an MP3",
    b"\xff\xf3": "an MP3",
    b"fLaC": "a FLAC file",
    b"OggS": "an Ogg file",
    b"FORM": "an AIFF file",
    b"caff": "a CAF file",
}
_PACE = {"cmn": (1.5, 9.0), "yue": (1.5, 9.0), "en": (5.0, 30.0)}  # characters a second that people speak


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found about one file. `refused` says why it cannot be taken; empty where it can."""

    file: Path
    language: str
    prompt: str
    refused: str = ""
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0
    level: float = 0.0  # dBFS while speaking, as it was delivered
    form: str = ""
    content: bytes = b""  # the WAV file for telephones


def deliveries(folder: Path, language: str | None) -> Iterator[tuple[Path, str, str]]:
    """Every file of a delivery with its language and prompt id: ``cmn/welcome.wav``, or all of one language."""
    for each in [language] if language else words.languages():
        base = folder if language else folder / each
        for file in sorted(base.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(base).parts)
            if file.is_file() and not hidden:
                yield file, each, file.relative_to(base).with_suffix("").as_posix()


def judged(file: Path, language: str, prompt: str, known: Mapping[str, str], *, new: bool = False) -> Judged:
    """What a delivered file is worth. Never raises; `known` are the prompt ids with their texts in that language."""
    verdict = Judged(file, language, prompt)
    if prompt not in known and not new:
        return _refused(
            verdict, f"no prompt '{prompt}'.{suggestion(prompt, known) or ' Take it all the same with --new'}"
        )
    try:
        wav = _read(file)
        original = audio.decoded(wav)
    except (CannotHear, OSError) as error:
        return _refused(verdict, error.strerror or str(error) if isinstance(error, OSError) else str(error))
    delivered = _centred(audio.samples(wav))
    level = audio.level(delivered)
    heard = audio.trimmed(audio.evened(delivered), before=0.05, after=0.15)
    form = f"{wav.rate / 1000:g} kHz, {('mono', 'stereo')[wav.channels - 1] if wav.channels < 3 else 'channels'}"
    found = Judged(file, language, prompt, seconds=heard.size / RATE, level=level, form=f"{form}, {wav.bits} bit")
    if fault := _fault(wav, original, heard, level):
        return _refused(found, fault)
    remarks = tuple(_remarks(heard, known.get(prompt, ""), language))
    made = riff.written(audio.to_pcm(heard))
    return Judged(file, language, prompt, "", remarks, found.seconds, level, found.form, made)


def place(verdict: Judged, prompts_dir: Path, *, replace: bool) -> str:
    """Puts a good recording where prompts are looked for: "imported", "unchanged", or why not. Raises OSError."""
    target = prompts_dir / verdict.language / f"{verdict.prompt}.wav"
    if target.exists():
        if target.read_bytes() == verdict.content:
            return "unchanged"
        if not replace:
            return f"there is a recording already ({target}); take the new one with --replace"
    target.parent.mkdir(parents=True, exist_ok=True)
    riff.put(target, verdict.content)
    return "imported"


def _read(file: Path) -> Wav:
    if file.stat().st_size > LARGEST:
        raise CannotHear(f"it has {file.stat().st_size / 1e6:.0f} MB; {LARGEST / 1e6:.0f} is the most")
    content = file.read_bytes()
    for beginning, what in _OTHERS.items():
        if content.startswith(beginning):
            raise CannotHear(f"it is {what}; export it as WAV, 16 bit, 8 kHz or more")
    if not content:
        raise CannotHear("it is empty")
    wav = riff.read(content)
    if wav.rate < RATE:
        raise CannotHear(f"its rate of {wav.rate} Hz is less than a telephone's {RATE}")
    return wav


def _fault(wav: Wav, original: Samples, heard: Samples, level: float) -> str:
    if heard.size < SHORTEST * RATE:
        return "nothing is to be heard on it" if level == -np.inf else f"only {heard.size / RATE:.2f} s of it are sound"
    if level < QUIETEST:
        return f"it is too quiet: {level:.0f} dBFS while speaking, at least {QUIETEST:.0f} is needed"
    clipped = max(map(clippings, original.reshape(-1, wav.channels).T))
    if clipped > CLIPPED_PLACES:
        return f"it is clipped in {clipped} places: record it again with less gain"
    return ""


def clippings(heard: Samples) -> int:
    """How many times the waveform stays at full scale for several samples, as when its top is cut off."""
    full = np.abs(heard) >= _FULL
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8))))[::2]
    return int((runs >= CLIPPED_RUN).sum())


def _remarks(heard: Samples, text: str, language: str) -> Iterator[str]:
    frames = heard[: heard.size - heard.size % 160].reshape(-1, 160)
    noise = 10 * np.log10(max(float(np.percentile((frames**2).mean(axis=1), 5)), 1e-12))
    below = audio.level(heard) - noise
    if below < NOISY:
        yield f"its noise is only {below:.0f} dB below the speech"
    letters = sum(map(str.isalnum, text))
    if letters > 8 and "{{" not in text:
        slowest, fastest = _PACE[language]
        if not letters / fastest <= heard.size / RATE <= letters / slowest:
            yield f"{heard.size / RATE:.1f} s is odd for its text of {letters} characters: is it the right file?"


def _centred(heard: Samples) -> Samples:
    """Without the offset that cheap sound cards add, which would click at both ends."""
    return heard - heard.mean() if heard.size else heard


def _refused(verdict: Judged, why: str) -> Judged:
    return Judged(verdict.file, verdict.language, verdict.prompt, why, (), verdict.seconds, verdict.level, verdict.form)


def unrecorded(
    texts: Mapping[str, Mapping[str, str]], recorded: Collection[tuple[str, str]], languages: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Prompt, language and text of all that has no recording; the text is "" where callers can be told nothing."""
    for prompt, by_language in texts.items():
        for language in languages:
            if (prompt, language) not in recorded:
                yield prompt, language, by_language.get(language, "")
