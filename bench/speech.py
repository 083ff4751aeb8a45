"""What speaking costs: a text that is at hand, one that must be synthesised, many at once, and the hub meanwhile.

Each text is an answer about an order, as the shipped flow speaks it; no two are equal, so each is a miss once and a
hit ever after. The cache is a new folder.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gevent
import numpy as np

from speech import audio, riff, words
from speech.catalogue import TEMPLATE, Catalogue, read
from speech.library import Library
from speech.pool import Pool
from speech.port import RATE
from speech.words import Segment, Segments
from switch.port import Sound
from switch.shared.clock import RealClock

EACH = 40  # texts of each language
AT_ONCE = 20  # callers
PROMPTS = Path(__file__).parents[1] / "prompts"


def measure() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(size=2, within=60.0)
        library = Library(Path(folder), Path(folder) / "speech", Catalogue({}), pool, RealClock(), within=60.0)
        try:
            return _measured(library, pool)
        finally:
            library.close()
            pool.close()


def _measured(library: Library, pool: Pool) -> dict[str, object]:
    found: dict[str, object] = {"first text, worker started for it, ms": round(_took(library, "cmn", 0), 1)}
    pool.start()
    gevent.joinall([gevent.spawn(library.text, text, "cmn") for text in ("一", "二")], raise_error=True)
    for language in words.languages():
        for kind in ("miss", "hit"):
            times = [_took(library, language, number) for number in range(1, EACH + 1)]
            found[f"{kind}, {language}, ms"] = _spread(times)
        found[f"audio of the catalogue, {language}"] = _heard(library, language)
    texts = [_answer("cmn", number) for number in range(1000, 1000 + 10 * AT_ONCE)]
    stall, seconds = _hub_stall(lambda: _at_once(library, texts))
    found[f"misses a second, {AT_ONCE} callers at once, 2 workers"] = round(len(texts) / seconds, 1)
    found["longest hub stall meanwhile, ms"] = round(stall * 1000, 1)
    return found


def _heard(library: Library, language: str) -> dict[str, float]:
    """What the shipped prompts sound like, measured: level while speaking, peaks, pace, share in the telephone band."""
    texts = [text for name, texts in read(PROMPTS).texts.items() for text in [texts[language]] if TEMPLATE not in text]
    sounds = [sound for text in texts for sound in library.text(text, language) if isinstance(sound, Sound)]
    heard = [audio.samples(riff.read(sound.path.read_bytes())) for sound in sounds]
    power = np.sum([np.abs(np.fft.rfft(each, 2**18)) ** 2 for each in heard], axis=0)
    hertz = np.fft.rfftfreq(2**18, 1 / RATE)
    length = sum(map(len, heard)) / RATE
    units = sum(len(re.findall("[一-鿿]" if language != "en" else "[a-zA-Z'-]+", text)) for text in texts)
    return {
        "prompts": len(heard),
        "seconds": round(length, 1),
        "quietest, dBFS": round(min(map(audio.level, heard)), 1),
        "loudest, dBFS": round(max(map(audio.level, heard)), 1),
        "highest peak, dBFS": round(max(20 * np.log10(np.abs(each).max()) for each in heard), 1),
        "characters or words a second": round(units / length, 2),
        "power in 300-3400 Hz, %": round(100 * float(power[(hertz > 300) & (hertz < 3400)].sum() / power.sum()), 1),
    }


def _answer(language: str, number: int) -> Segments:
    digits, day = words.digits(202600 + number, language), words.date("2026-11-25", language)
    match language:
        case "cmn":
            return (Segment("您的订单"), *digits, Segment("，正在派送，预计"), *day, Segment("送达。"))
        case "yue":
            return (Segment("你嘅訂單"), *digits, Segment("，派送緊，預計"), *day, Segment("送到。"))
    return (Segment("Order"), *digits, Segment("is on its way, due"), *day, Segment("."))


def _took(library: Library, language: str, number: int) -> float:
    started = time.perf_counter()
    library.text(_answer(language, number), language)
    return (time.perf_counter() - started) * 1000


def _spread(times: list[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(times), 2), "p99": round(sorted(times)[int(len(times) * 0.99)], 2)}


def _at_once(library: Library, texts: list[Segments]) -> None:
    shares = [texts[start::AT_ONCE] for start in range(AT_ONCE)]

    def caller(share: list[Segments]) -> None:
        for text in share:
            library.text(text, "cmn")

    gevent.joinall([gevent.spawn(caller, share) for share in shares], raise_error=True)


def _hub_stall(work: Callable[[], None]) -> tuple[float, float]:
    """The longest time in which a greenlet that wakes every millisecond was not woken, and the time of the work."""
    longest = 0.0

    def watch() -> None:
        nonlocal longest
        while True:
            slept = time.perf_counter()
            gevent.sleep(0.001)
            longest = max(longest, time.perf_counter() - slept - 0.001)

    watching = gevent.spawn(watch)
    started = time.perf_counter()
    work()
    took = time.perf_counter() - started
    watching.kill()
    return longest, took
