"""espeak-ng out of the espeakng-loader wheel, called through ctypes.

The library's state is global to its process, so a process speaks one text at a time; a worker does.
The system's espeak-ng is never used: Debian's 1.51 reads `cmn` as English letters.
"""

from __future__ import annotations

import _ctypes
import ctypes
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

from speech import words
from speech.port import CannotSpeak, Manner, Voice

_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_RATE, _VOLUME = 1, 2  # espeak_PARAMETER
_CHARACTER, _UTF8 = 1, 1
_QUIET = 70  # of 100: at 100 the engine clips its own peaks; loudness is evened afterwards


# The pace is espeak's words per minute, which mean something else in every language.
# About four syllables a second in Chinese and 170 words a minute in English: the pace of an announcement.
MANNERS: Mapping[str, Manner] = {
    "cmn": Manner("cmn", 170),
    "yue": Manner("yue", 150),
    "en": Manner("en-us", 135),
}

_MANNERS_VERSION = 3  # one more whenever volume or phrasing change, so that no cache says it the old way

_FIGURES_WRITTEN = re.compile(r"((?<![\w.-])-)?(\d{1,64})(?:\.(\d{1,12})(?![\d.]))?(年?)", re.ASCII)
_FIGURES = "[零一二三四五六七八九幺]"
_SERIES = re.compile(f"{_FIGURES}{{6,}}")
_ENGLISH_FIGURE = "(?:zero|one|two|three|four|five|six|seven|eight|nine)"
_ENGLISH_SERIES = re.compile(rf"\b{_ENGLISH_FIGURE}(?: {_ENGLISH_FIGURE}){{5,}}\b")
_LETTER_A = re.compile(r"\bA(?= [A-Z]\b)|(?<=\w )A\b(?!['’])")


def voices(manners: Mapping[str, Manner]) -> Mapping[str, Voice]:
    try:
        release = version("espeakng-loader")
    except PackageNotFoundError:
        raise CannotSpeak("the package espeakng-loader is not installed; set the appliance up again") from None
    made = f"{release} manners {_MANNERS_VERSION}"
    return {
        language: Voice("espeak", f"{manner.voice}@{manner.pace}", made) for language, manner in chosen(manners).items()
    }


def chosen(manners: Mapping[str, Manner]) -> Mapping[str, Manner]:
    """How each language is spoken: by the voice and at the pace of `manners`, else by those above."""
    return {
        language: replace(
            usual,
            voice=manners[language].voice or usual.voice,
            pace=manners[language].pace or usual.pace,
        )
        if language in manners
        else usual
        for language, usual in MANNERS.items()
    }


_PAUSES = re.compile(r"[,;:](?=[^\s\d])|[，；：]")
_HAN = re.compile("([⺀-⿕\u3400-鿿豈-﫿]+)")
_MISREAD = {  # what is said, written with characters that have only that reading
    "yue": {
        "為你": "胃你",  # "for you": wai6
        "朝早": "招早",  # "morning": ziu1, not ciu4, a dynasty
        "分之": "份之",  # in fractions: fan6, not fan1, a minute
    }
}


def phrased(text: str, language: str) -> str:
    """The text as espeak reads it best.

    It makes no pause at a Chinese comma, nor at any other sign without a space behind it; runs through twelve digits
    without a breath; and reads `A` before a word as the article, even in an order number.
    """
    if language != "en":
        text = _FIGURES_WRITTEN.sub(lambda found: _figures_said(found, language), text)
    for written, said in _MISREAD.get(language, {}).items():
        text = text.replace(written, said)
    text = _SERIES.sub(lambda series: "、".join(_grouped(list(series[0]), "")), text)
    text = _ENGLISH_SERIES.sub(lambda series: ", ".join(_grouped(series[0].split(), " ")), text)
    text = _LETTER_A.sub("eigh", text)
    return _PAUSES.sub(", ", text).replace("！", "! ").replace("？", "? ")


def _figures_said(found: re.Match[str], language: str) -> str:
    """Figures that stand in a text itself: years, codes and long numbers digit by digit, others as numbers."""
    minus, whole, fraction, year = found.groups(default="")
    if len(whole) > 12 or (not fraction and (year or len(whole) > 4 or (len(whole) > 1 and whole[0] == "0"))):
        return minus + words.join(words.digits(whole + fraction, language)) + year
    return words.join(words.number(f"{minus}{whole}{'.' if fraction else ''}{fraction}", language)) + year


def _grouped(figures: list[str], joint: str) -> list[str]:
    """In groups of three and four, the longer ones last: 138 0000 0001, 202 611, 2026 1123."""
    groups = -(-len(figures) // 4)
    short = groups * 4 - len(figures)
    sizes = [3] * short + [4] * (groups - short)
    starts = [sum(sizes[:index]) for index in range(groups)]
    return [joint.join(figures[start : start + size]) for start, size in zip(starts, sizes, strict=True)]


def _by_script(text: str, language: str) -> list[tuple[str, str]]:
    """Parts and the language to say each in: Mandarin for a Chinese name in English, which has no letters for it."""
    if language != "en":
        return [(text, language)]
    parts = [(part, "cmn" if index % 2 else "en") for index, part in enumerate(_HAN.split(text))]
    return [(part, tongue) for part, tongue in parts if part.strip()]


class Espeak:
    """The engine. One text at a time in a process; equal texts give equal audio to the last bit."""

    def __init__(self, manners: Mapping[str, Manner] = MANNERS) -> None:
        self._manners = manners

    def speak(self, text: str, language: str) -> tuple[bytes, int]:
        with _Library() as library:
            for part, tongue in _by_script(phrased(text, language), language):
                library.take_on(self._manners.get(tongue), tongue)
                library.say(part)
            return b"".join(library.heard), library.rate

    def phonemes(self, text: str, language: str) -> str:
        """What the voice makes of a text, in espeak's phoneme names; each clause after a vertical bar."""
        clauses: list[str] = []
        with _Library() as library:
            for part, tongue in _by_script(phrased(text, language), language):
                library.take_on(self._manners.get(tongue), tongue)
                clauses += library.clauses(part)
        return "|".join(clauses)


_CALLBACK: Callable[..., Any] = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class _Library:
    """The C library, loaded anew for each text and unloaded after it, at the price of 5 ms.

    Its generator keeps static variables (phases, flutter) that neither espeak_Initialize nor a seed sets
    back: a process that had spoken before gave other audio for the same text (correlation 0.6 at best).
    """

    def __init__(self) -> None:
        try:
            import espeakng_loader  # noqa: PLC0415 - only worker processes need it

            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path()
        except (ImportError, OSError, RuntimeError) as error:
            raise CannotSpeak(f"espeak-ng cannot be loaded: {error}") from error
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_Synth.argtypes = [
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
            *(ctypes.c_void_p, ctypes.c_void_p),
        ]
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT))
        if self.rate <= 0:
            raise CannotSpeak("espeak-ng found no voice data")
        self.heard: list[bytes] = []
        self._callback = _CALLBACK(self._collect)  # kept: the library holds only the bare pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.espeak_Terminate()
        _ctypes.dlclose(self._library._handle)

    def take_on(self, manner: Manner | None, language: str) -> None:
        if manner is None:
            raise CannotSpeak(f"espeak has no voice for '{language}'")
        if self._library.espeak_SetVoiceByName(manner.voice.encode()):
            raise CannotSpeak(f"espeak lacks the data of its voice '{manner.voice}'")
        self._library.espeak_SetParameter(_RATE, manner.pace, 0)
        self._library.espeak_SetParameter(_VOLUME, _QUIET, 0)

    def say(self, text: str) -> None:
        content = text.encode("utf-8", "ignore").replace(b"\0", b" ")
        if self._library.espeak_Synth(content, len(content) + 1, 0, _CHARACTER, 0, _UTF8, None, None):
            raise CannotSpeak("espeak refused the text")

    def clauses(self, text: str) -> Iterator[str]:
        content = ctypes.create_string_buffer(text.encode("utf-8", "ignore"))
        rest = ctypes.c_void_p(ctypes.addressof(content))
        while rest.value:
            yield self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, 0).decode()

    def _collect(self, samples: Any, count: int, _events: object) -> int:
        if samples and count > 0:
            self.heard.append(ctypes.string_at(samples, count * 2))
        return 0


def open(manners: Mapping[str, Manner]) -> Espeak:
    with _Library():  # now, so that a worker that can never speak says so at once
        return Espeak(chosen(manners))
