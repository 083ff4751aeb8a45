"""Signs of a Chinese keyboard, and the curly ones of word processors, where YAML and expressions want plain ones."""

from __future__ import annotations

import re

_PLAIN = {
    "：": ":", "，": ",", "、": ",", "；": ",", "。": ".", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-",
    "－": "-", "｛": "{", "｝": "}", "［": "[", "］": "]", "【": "[", "】": "]", "（": "(", "）": ")", "＃": "#",
    "＊": "*", "！": "!", "＝": "=", "｜": "|", "＞": ">", "＜": "<", "\u3000": " ",
} | {chr(0xFF10 + figure): str(figure) for figure in range(10)}  # fmt: skip
_ANY = re.compile(f"[{re.escape(''.join(_PLAIN))}]")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|' + "'(?:[^']|'')*'")
_KEY = re.compile(r"\s*(?:- +)?[\w.-]+(：)")
_HAN = re.compile("[\u3400-\u9fff]")


def explained(text: str, offset: int = 0) -> str:
    """What is said of the first such sign in a piece of text, which stands `offset` signs into the whole; or ""."""
    found = _ANY.search(text)
    if found is None:
        return ""
    plain = "a space" if _PLAIN[found[0]] == " " else _PLAIN[found[0]]
    return f"'{found[0]}' at character {offset + found.start() + 1} is of another keyboard; write {plain}"


def hint(text: object) -> str:
    """`explained` in a sentence of its own, for a word or figures; "" for Chinese and templates."""
    if not isinstance(text, str) or len(text) > 200 or _HAN.search(text) or re.search("[{｛]{2}", text):
        return ""
    said = explained(text)
    return f". {said}" if said else ""


def in_line(line: str) -> tuple[int, str] | None:
    """Column and explanation of such a sign where it ends a key or stands among brackets, outside of quotes."""
    bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), line).partition(" #")[0]
    found = _KEY.match(bare)
    column = found.start(1) if found else -1
    if column < 0 and (bracket := re.search(r"[{\[｛［]", bare)) and (sign := _ANY.search(bare, bracket.start())):
        column = sign.start()
    if column < 0:
        return None
    return column + 1, named(line[column])


def named(sign: str) -> str:
    """What is said of one such sign."""
    return f"'{sign}' is of another keyboard; write {_PLAIN[sign]}"
