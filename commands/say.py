"""Speak a text into a WAV file, just as a caller would hear it.

./appliance.py say "您的订单二零二六一一正在派送" --language cmn --out order.wav
./appliance.py say "Order {{ 202611 | digits }} is due." --language en --out order.wav
./appliance.py say --prompt main-menu --language yue --out menu.wav
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from commands import data_folder
from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from speech.library import Library
    from switch.port import Media


def arguments(parser: argparse.ArgumentParser) -> None:
    said = parser.add_mutually_exclusive_group(required=True)
    said.add_argument("text", nargs="?", metavar="TEXT", help="what to say; {{ 42.10 | money }} and the like work")
    said.add_argument("--prompt", metavar="ID", help="a prompt's recording or text instead")
    parser.add_argument("--language", default="cmn", metavar="LANGUAGE", help="cmn, yue or en (default: cmn)")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the WAV file to write")


def run(args: argparse.Namespace, config: Config) -> int:
    from ivr.language.templates import CannotEvaluate
    from speech.library import open_library
    from speech.port import CannotSpeak
    from switch.shared.clock import RealClock

    data_folder(config)
    library, pool = open_library(config.patient(), RealClock())
    try:
        return _write(_media(args, library), args.out)
    except (CannotSpeak, CannotEvaluate, ValueError) as error:
        raise UserError(f"cannot be spoken: {error}") from error
    except OSError as error:
        raise UserError(f"{error.filename or args.out}: {error.strerror}") from error
    finally:
        library.close()
        pool.close()


def _media(args: argparse.Namespace, library: Library) -> Sequence[Media]:
    from ivr.language.templates import template
    from speech.catalogue import TEMPLATE

    if args.prompt:
        return library.prompt(args.prompt, args.language)
    if TEMPLATE not in args.text:
        return library.text(args.text, args.language)
    return library.text(template(args.text).speech({}, args.language), args.language)


def _write(media: Sequence[Media], out: Path) -> int:
    from speech import audio, riff
    from switch.port import Sound

    sounds = [sound for sound in media if isinstance(sound, Sound)]
    if not sounds:
        raise ValueError("there is nothing to say")
    pcm = b"".join(audio.to_pcm(audio.samples(riff.read(sound.path.read_bytes()))) for sound in sounds)
    out.write_bytes(riff.written(pcm))
    print(f"{out}: {len(pcm) / 16000:.1f} s: {' '.join(sound.text for sound in sounds)}")
    return 0
