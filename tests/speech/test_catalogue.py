import re

import pytest

from config.values import UserError
from speech import catalogue, words


@pytest.fixture
def shipped(request):
    return catalogue.read(request.config.rootpath / "prompts")


def problems(tmp_path, text):
    (tmp_path / catalogue.FILE).write_text(text, encoding="utf-8")
    found, wrong = catalogue.load(tmp_path)
    assert (found is None) == bool(wrong)
    return [str(each).removeprefix(f"{tmp_path}/") for each in wrong]


def test_the_shipped_catalogue_has_every_prompt_in_every_language(shipped):
    assert len(shipped.texts) > 30
    for prompt, texts in shipped.texts.items():
        assert set(texts) == set(words.languages()), prompt


def test_the_shipped_texts_need_no_figures_read_by_a_synthesiser(shipped):
    for texts in shipped.texts.values():
        for text in texts.values():
            assert not re.search("[0-9]", text)


def test_languages_are_not_mixed_up(shipped):
    """Simplified characters in Mandarin, traditional ones in Cantonese, no Chinese in English."""
    simplified, traditional = "您请输订单号码务为这个时间电话", "請輸訂單號碼務為這個時間電話"
    said = {language: "".join(texts[language] for texts in shipped.texts.values()) for language in words.languages()}
    assert not set(said["cmn"]) & (set(traditional) - set(simplified))
    assert not set(said["yue"]) & (set(simplified) - set(traditional))
    assert not re.search("[㐀-鿿]", said["en"])
    assert not re.search("[的们您没这]", said["yue"])  # Cantonese says 嘅, 哋, 你, 冇, 呢


def test_a_template_is_the_same_in_every_language(shipped):
    for prompt, texts in shipped.texts.items():
        assert len({tuple(sorted(re.findall(r"\{\{.*?\}\}", text))) for text in texts.values()}) == 1, prompt


def test_fixed_texts_are_those_without_variable_parts(shipped):
    fixed = set(shipped.fixed())
    assert ("welcome", "yue") in fixed
    assert ("your-position", "yue") not in fixed


def test_a_folder_without_a_catalogue_has_no_texts(tmp_path):
    assert catalogue.read(tmp_path).texts == {}


def test_an_unknown_prompt_has_no_text(shipped):
    assert shipped.text("nothing", "cmn") is None
    assert shipped.text("welcome", "fr") is None


def test_every_mistake_is_named_at_once_with_its_place(tmp_path):
    wrong = problems(
        tmp_path,
        'welcome:\n  cmm: "您好"\nMain Menu:\n  en: "Hello"\nempty:\n  en: ""\nlist: [a]\nnone:\n'
        "cut:\n  en: press # now\n",
    )
    assert [each.split(": ", 1)[0] for each in wrong] == [
        "catalogue.yaml:2:3",
        "catalogue.yaml:3:1",
        "catalogue.yaml:6:7",
        "catalogue.yaml:7:7",
        "catalogue.yaml:8:6",
        "catalogue.yaml:10:7",
    ]
    assert "'cmm' is not a language" in wrong[0]
    assert "Did you mean 'cmn'?" in wrong[0]
    assert "'Main Menu' is not a prompt id" in wrong[1]
    assert "quotes" in wrong[5]


def test_a_text_without_end_is_refused(tmp_path):
    (wrong,) = problems(tmp_path, f'long:\n  en: "{"a" * 5000}"\n')
    assert "5,000 characters; at most 2,000" in wrong


def test_reading_it_for_a_command_is_one_clear_error(tmp_path):
    (tmp_path / catalogue.FILE).write_text("a: [")
    with pytest.raises(UserError, match=r"catalogue\.yaml:1"):
        catalogue.read(tmp_path)
