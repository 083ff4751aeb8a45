import struct

import pytest

from speech import riff
from speech.port import CannotHear
from speech.riff import PCM


def wav_of(data, *, encoding=PCM, channels=1, rate=8000, bits=16, before=b"", extensible=False):
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else encoding, channels, rate, rate * frame, frame, bits)
    if extensible:
        form += struct.pack("<HHIH14s", 22, bits, 0, encoding, b"\0" * 14)
    chunks = before + struct.pack("<4sI", b"fmt ", len(form)) + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def test_only_what_every_switch_reads_is_played_as_it_is():
    plain = wav_of(b"\1\0" * 800)
    assert riff.read(plain).for_telephones
    assert riff.read(plain).seconds == pytest.approx(0.1)
    assert not riff.read(wav_of(b"\1\0" * 800, rate=16000)).for_telephones
    assert not riff.read(wav_of(b"\1\0" * 800, channels=2)).for_telephones
    assert not riff.read(wav_of(b"\1" * 800, bits=8)).for_telephones
    assert not riff.read(wav_of(b"\1\0" * 800, before=struct.pack("<4sI4s", b"LIST", 4, b"abcd"))).for_telephones
    assert not riff.read(plain + b"LIST").for_telephones


def test_a_false_size_ends_with_the_file():
    """espeak-ng's own --stdout writes such headers."""
    content = bytearray(wav_of(b"\1\0" * 800))
    content[40:44] = b"\xff\xff\xff\x7f"
    assert len(riff.read(bytes(content)).data) == 1600


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no WAV file"),
        (b"ID3\4" + b"\0" * 100, "no WAV file"),
        (wav_of(b""), "no samples"),
        (wav_of(b"\0"), "no samples"),
        (wav_of(b"\1\0" * 100)[:30], "cut short"),
        (wav_of(b"\1\0" * 100)[:36], "no samples"),
        (wav_of(b"\1\0" * 100, encoding=0x55), "encoding"),
        (wav_of(b"\1\0" * 100, bits=12), "encoding"),
        (wav_of(b"\1\0" * 100, channels=0), "0 channels"),
        (wav_of(b"\1\0" * 100, rate=0), "0 Hz"),
        (wav_of(b"\1\0" * 100, rate=2_000_000_000), "2000000000 Hz"),
        (wav_of(b"\1\0" * 8000 * 601), "601 seconds"),
        (wav_of(b"", before=struct.pack("<4sI", b"data", 0)), "before their format"),
    ],
)
def test_what_cannot_be_heard_says_why(content, why):
    with pytest.raises(CannotHear, match=why):
        riff.read(content)


def test_what_is_written_is_read_again():
    pcm = b"\1\0" * 800
    again = riff.read(riff.written(pcm))
    assert again.for_telephones
    assert again.data == pcm
