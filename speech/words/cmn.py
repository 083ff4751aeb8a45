"""Mandarin, in simplified characters."""

from __future__ import annotations

from speech.words.chinese import Chinese, Unit

MANDARIN = Chinese(
    figures="零一二三四五六七八九",
    two="两",
    yao="幺",
    ten="十",
    hundred="百",
    thousand="千",
    wan="万",
    yi="亿",
    point="点",
    minus="负",
    plus="加",
    part_of="分之",
    and_="又",
    percent="百分之",
    place="第",
    star="星号",
    hash="井号",
    year="年",
    month="月",
    day="日",
    night="凌晨",
    morning="上午",
    noon="中午",
    afternoon="下午",
    evening="晚上",
    evening_from=19,  # 下午六点: so opening hours are said
    midnight=0,
    oclock="点",
    minute="分",
    days="天",
    hours="小时",
    minutes="分钟",
    seconds="秒",
    currencies={
        "CNY": Unit("元", "分", tenth="角"),
        "HKD": Unit("港元", "分", tenth="角"),
        "USD": Unit("美元", "美分"),
        "EUR": Unit("欧元", "欧分"),
        "GBP": Unit("英镑", "便士"),
    },
)
