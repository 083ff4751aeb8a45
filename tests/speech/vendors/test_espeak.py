"""The real engine of the wheel: what it says, by its own account (phonemes) and by its audio."""

import re

import numpy as np
import pytest

from speech import audio, catalogue, vendors, words
from speech.port import CannotSpeak
from speech.vendors import espeak

HAN = re.compile("[㐀-鿿]")


@pytest.fixture(scope="module")
def engine():
    return espeak.open({})


@pytest.fixture(scope="module")
def texts(request):
    return catalogue.read(request.config.rootpath / "prompts").texts


def sounds(engine, text, language):
    """Phonemes without stress, boundaries and clause marks."""
    return re.sub(r"_\||[',%_|]", "", engine.phonemes(text, language)).split()


def test_mandarin_is_spoken_as_mandarin(engine):
    """Debian's own espeak-ng 1.51 reads these as English letters; the tones are those of the textbook."""
    assert sounds(engine, "您好", "cmn") == ["ni35nXAu214"]
    assert sounds(engine, "二零二六一一", "cmn") == ["@r51", "li35N", "@r51liou51", "ji55", "ji55"]
    assert sounds(engine, "两万元", "cmn") == ["liA214N", "wA51n", "jy&35n"]


def test_cantonese_is_spoken_as_cantonese(engine):
    assert sounds(engine, "多謝你嘅來電", "yue") == ["do1", "ze6", "nei5", "ge3", "loi4", "di6n"]
    assert sounds(engine, "兩萬", "yue") == ["loeng5", "maa6n"]
    assert sounds(engine, "唔好意思", "yue") == ["ng4", "hou2", "ji3", "si1"]


def test_english_is_spoken_as_english(engine):
    assert sounds(engine, "forty-two", "en") == ["fO@t#itu:"]


@pytest.mark.parametrize("language", ["cmn", "yue"])
def test_every_character_that_we_ever_say_has_a_reading(engine, texts, language):
    """A character without one is announced in English as a Chinese letter."""
    said = "".join(by_language[language] for by_language in texts.values()) + "".join(words.parts(language).values())
    characters = sorted(set(HAN.findall(said)))
    assert len(characters) > 100
    readings = []
    for some in (characters[at : at + 20] for at in range(0, len(characters), 20)):
        readings += engine.phonemes("。".join(some) + "。", language).split("|")
    readings = [reading for reading in readings if reading.strip("_")]
    unread = [each for each, reading in zip(characters, readings, strict=True) if "(en)" in reading]
    assert unread == []


@pytest.mark.parametrize(
    ("text", "language", "heard"),
    [
        ("我哋會盡快為你服務", "yue", "wai6"),  # for you, not wai4, to be
        ("朝早八點", "yue", "ziu1"),  # morning, not a dynasty
        ("四分之三", "yue", "fa6n"),  # a part, not a minute
        ("晏晝兩點", "yue", "zau3"),
        ("为了提升服务", "cmn", "wei51"),
        ("请重新输入", "cmn", "hong35"),  # again, not heavy
        ("还有", "cmn", "Xai35"),
        ("按井号键", "cmn", "tSi214N"),
    ],
)
def test_characters_with_several_readings(engine, text, language, heard):
    assert heard in "".join(sounds(engine, text, language)).replace(";", "")


def test_a_chinese_comma_is_a_pause(engine):
    """By itself the engine runs over it."""
    without, with_comma = (len(engine.speak(text, "cmn")[0]) for text in ("很抱歉没有找到", "很抱歉，没有找到"))
    assert (with_comma - without) / 44100 > 0.1


@pytest.mark.parametrize(
    ("text", "language", "phrased"),
    [
        ("编号二零二六一一", "cmn", "编号二零二、六一一"),
        ("一三八零零零零零零零一", "yue", "一三八、零零零零、零零零一"),
        ("二零二六年", "cmn", "二零二六年"),
        ("one three eight zero zero zero", "en", "one three eight, zero zero zero"),
        ("one two three", "en", "one two three"),
        ("您好，欢迎！再见？", "cmn", "您好, 欢迎! 再见? "),
        ("好,欢迎", "cmn", "好, 欢迎"),
        ("well,thanks", "en", "well, thanks"),
        ("order A one", "en", "order eigh one"),
        ("A B one", "en", "eigh B one"),
        ("A message", "en", "A message"),
        ("订单202611", "cmn", "订单二零二、六一一"),
        ("2026年，共15件，42.10元，-5度", "cmn", "二零二六年, 共十五件, 四十二点一零元, 负五度"),
        ("房间0203", "yue", "房间零二零三"),
        ("A-5", "cmn", "A-五"),
        ("9" * 70, "cmn", "、".join(["九九九"] * 2 + ["九九九九"] * 16)),
        ("12345678901234567890.5元", "cmn", "一二三、四五六、七八九、零一二三、四五六七、八九零五元"),
    ],
)
def test_texts_are_phrased_for_the_engine(text, language, phrased):
    assert espeak.phrased(text, language) == phrased


def test_a_chinese_name_in_an_english_sentence_is_said_in_mandarin(engine):
    said = engine.phonemes("A call from service: 王小明.", "en")
    assert "wA35N" in said.replace("'", "")
    assert "tSaIni:z" not in said.replace("'", "")


@pytest.mark.parametrize("language", words.languages())
def test_the_audio_is_speech_for_a_telephone(engine, texts, language):
    """Loudness, clipping, pace, band and pauses, over the whole catalogue."""
    for by_language in texts.values():
        text = re.sub(r"\{\{.*?\}\}", "", by_language[language])
        raw, rate = engine.speak(text, language)
        assert rate == 22050
        assert np.abs(audio.from_pcm(raw)).max() < 0.99  # the engine itself did not clip
        heard = audio.from_pcm(audio.spoken(raw, rate))
        assert audio.level(heard) == pytest.approx(audio.SPEECH_LEVEL, abs=1.5), text
        assert np.abs(heard).max() <= audio.CEILING + 1e-3
        assert 0.3 < heard.size / 8000 < 18, text
        frames = heard[: heard.size // 160 * 160].reshape(-1, 160)
        loud = np.flatnonzero(np.abs(frames).max(axis=1) > 0.01)
        assert np.diff(loud).max(initial=1) * 0.02 < 0.6, text  # no dead air within a sentence
    # speech has most of its power between 300 and 3400 Hz, and a telephone carries no more
    power = np.abs(np.fft.rfft(heard)) ** 2
    hertz = np.fft.rfftfreq(heard.size, 1 / 8000)
    assert power[(hertz > 300) & (hertz < 3400)].sum() / power.sum() > 0.5


def test_the_pace_is_that_of_an_announcement(engine):
    """About four syllables a second in Chinese, 150 to 190 words a minute in English."""
    for language, text in (
        ("cmn", "您好欢迎致电服务热线请输入您的订单号码"),
        ("yue", "你好歡迎致電服務熱線請輸入你嘅訂單號碼"),
    ):
        pcm = audio.spoken(*engine.speak(text, language))
        assert 3.3 < len(text) / (len(pcm) / 16000) < 5, language
    text = "hello and welcome to the service line please enter your order number"
    pcm = audio.spoken(*engine.speak(text, "en"))
    assert 150 < len(text.split()) / (len(pcm) / 16000) * 60 < 215


def test_equal_texts_give_equal_audio_whatever_was_said_between(engine):
    """So what a caller heard can be compared with what `say` writes, sample by sample."""
    for text, language in (("您好世界", "cmn"), ("你好", "yue"), ("hello there", "en")):
        first = engine.speak(text, language)
        engine.speak("something else 别的", "en")
        assert engine.speak(text, language) == first


@pytest.mark.parametrize(
    "text", ["", "   ", "\0", "😀", "，。", "<speak>&amp;</speak>", "[[a]]", "\ud800好", "好" * 500]
)
def test_odd_texts_do_no_harm(engine, text):
    for language in words.languages():
        pcm, rate = engine.speak(text, language)
        assert rate == 22050
        assert len(pcm) % 2 == 0


def test_a_language_without_a_voice_is_refused(engine):
    with pytest.raises(CannotSpeak, match="'fr'"):
        engine.speak("bonjour", "fr")


def test_vendors_are_found_by_their_files():
    assert "espeak" in vendors.names()
    assert set(vendors.find("espeak").voices({})) == set(words.languages())
    with pytest.raises(CannotSpeak, match=r"'nobody'.*espeak"):
        vendors.find("nobody")
