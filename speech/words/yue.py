"""Cantonese, in traditional characters, as it is said on the telephone in Hong Kong and Guangdong."""

from __future__ import annotations

from speech.words.chinese import Chinese, Unit

CANTONESE = Chinese(
    figures="零一二三四五六七八九",
    two="兩",
    yao="一",  # Cantonese has no 幺: its 一 and 七 do not sound alike
    ten="十",
    hundred="百",
    thousand="千",
    wan="萬",
    yi="億",
    point="點",
    minus="負",
    plus="加",
    part_of="分之",
    and_="又",
    percent="百分之",
    place="第",
    star="星號",
    hash="井號",
    year="年",
    month="月",
    day="日",
    night="凌晨",
    morning="朝早",
    noon="中午",
    afternoon="晏晝",
    evening="夜晚",
    evening_from=18,
    midnight=12,
    oclock="點",
    minute="分",
    days="日",
    hours="個鐘",
    minutes="分鐘",
    seconds="秒",
    currencies={
        "CNY": Unit("元", "分", tenth="角"),
        "HKD": Unit("港元", "仙", tenth="毫"),
        "USD": Unit("美元", "美仙"),
        "EUR": Unit("歐元", "歐仙"),
        "GBP": Unit("英鎊", "便士"),
    },
)
