"""What people call the languages, and what these files call them: cmn, yue, en."""

from __future__ import annotations

from collections.abc import Collection

from config.wording import closest

_CALLED = {
    "cmn": {
        "zh", "cn", "zho", "chi", "zh-cn", "zh_cn", "zh-hans", "zh-tw", "zh_tw", "zh-hant", "mandarin", "chinese",
        "putonghua", "中文", "汉语", "國語", "国语", "普通话", "普通話", "简体中文",
    },
    "yue": {"hk", "zh-hk", "zh_hk", "yue-hk", "cantonese", "粤语", "粵語", "广东话", "廣東話", "白话"},
    "en": {"eng", "en-us", "en_us", "en-gb", "en_gb", "english", "英语", "英文", "英語"},
}  # fmt: skip
_OURS = {name: language for language, names in _CALLED.items() for name in names}


def meant(written: str, known: Collection[str]) -> str:
    """The language of those known that is probably meant; "" where nobody can tell."""
    ours = _OURS.get(written.strip().lower(), "")
    return ours if ours in known else closest(written, known)


def suggestion(written: str, known: Collection[str]) -> str:
    """`` Did you mean 'cmn'?`` with its leading space, or ""."""
    language = meant(written, known)
    return f" Did you mean '{language}'?" if language else ""
