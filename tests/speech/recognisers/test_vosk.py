"""vosk's model directory is looked at before the first call, and phrases are put into the model's own words."""

import importlib.util

import pytest

from speech.port import CannotRecognise
from speech.recognisers import vosk
from speech.recognisers.vosk import in_words


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(vosk, "find_spec", lambda name: object())
    for part in ("am/final.mdl", "graph/HCLr.fst", "graph/Gr.fst"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        (tmp_path / part).touch()
    return tmp_path


def test_a_whole_model_is_taken(model):
    vosk.check("cmn", str(model))


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("am/final.mdl", "this is no vosk model: am/final.mdl is missing"),
        ("graph/HCLr.fst", "phrases need a model with graph/HCLr.fst and graph/Gr.fst"),
        ("graph/Gr.fst", "phrases need a model with"),
    ],
)
def test_what_a_model_lacks_is_named(model, missing, message):
    (model / missing).unlink()
    with pytest.raises(CannotRecognise, match=message):
        vosk.check("cmn", str(model))


def test_a_model_that_is_not_there_or_not_named_is_said(model):
    with pytest.raises(CannotRecognise, match="no such model directory"):
        vosk.check("cmn", str(model / "none"))
    with pytest.raises(CannotRecognise, match=r"set speech\.recognition\.cmn\.model"):
        vosk.check("cmn", "")


@pytest.mark.skipif(importlib.util.find_spec("vosk") is not None, reason="vosk is installed")
def test_the_missing_package_is_said(tmp_path):
    with pytest.raises(CannotRecognise, match="optional extra 'vosk'"):
        vosk.check("cmn", str(tmp_path))


WORDS = {"查询", "订单", "查", "询", "订", "单", "留言", "track", "my", "order"}


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("查询订单", ["查询", "订单"]),
        ("查单", ["查", "单"]),
        ("留言", ["留言"]),
        ("留语", None),
        ("track my order", ["track", "my", "order"]),
        ("track myorder", None),
        ("trackmy", None),
    ],
)
def test_a_phrase_is_put_into_the_fewest_words_that_the_model_has(phrase, words):
    assert in_words(phrase, WORDS.__contains__) == words
