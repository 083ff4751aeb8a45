"""The menus that are measured, twice: as a flow of ours, and in the switch's own dialplan with the same sounds.

    ORDER   answer, "press one" (cut short by the key), look the order up, tell it, hang up
    TONES   two menus of one tone each that lead to one another, to hear from which of them a sound comes

The dialplan looks nothing up: it has no database to ask.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ASK = "To track your order, press one."
TELL = "Your order is on its way."
ORDER_NUMBER = "202611"  # of the demo CRM; its state, as the flow says it, gives TELL
KEY = "1"
LOW, HIGH = 450.0, 850.0  # Hz; 20 ms hold whole periods of both
TONE_SECONDS = 0.6
LONGEST_WAIT = 20  # seconds for a key of the tones' menus


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which number leads where."""

    order: str = "7001"
    order_by_dialplan: str = "7002"
    tones: str = "7003"
    tones_by_dialplan: str = "7004"
    queue: str = "7005"
    order_by_bare_controller: str = "7006"


NUMBERS = Numbers()

FLOWS = {
    "bench-order.yaml": f"""
number: ["{NUMBERS.order}"]
languages: [en]
start: ask
steps:
  ask:
    menu: {{say: {{en: "{ASK}"}}, options: {{"{KEY}": find}}, timeout: 5s, tries: 1}}
    otherwise: end
  find:
    lookup: {{query: order_by_number, with: {{number: "{ORDER_NUMBER}"}}, into: order}}
    found: tell
    missing: end
    failed: end
  tell: {{say: {{en: "Your order is {{{{ order.status_text_en }}}}."}}, next: end}}
  end: {{hangup: {{}}}}
""",
    "bench-tones.yaml": f"""
number: ["{NUMBERS.tones}"]
languages: [en]
longest: 10m
start: low
steps:
  low: {{menu: {{say: bench-low, options: {{"{KEY}": high}}, timeout: {LONGEST_WAIT}s, tries: 1}}, otherwise: end}}
  high: {{menu: {{say: bench-high, options: {{"{KEY}": low}}, timeout: {LONGEST_WAIT}s, tries: 1}}, otherwise: end}}
  end: {{hangup: {{}}}}
""",
    "bench-queue.yaml": f"""
number: ["{NUMBERS.queue}"]
languages: [en]
start: wait
steps:
  wait: {{queue: {{name: bench}}, overflowed: end}}
  end: {{hangup: {{}}}}
""",
}
QUEUE = """
# Nobody serves this queue, and nothing is said in it: music for as long as the measurement lasts.
bench:
  longest-queue: 1000
  music: calm
  overflow:
    - {after: 30m, exit: overflowed}
"""


@dataclass(frozen=True, slots=True)
class Sounds:
    """The files that both sides play."""

    ask: Path
    tell: Path
    low: Path
    high: Path


def write_tone(file: Path, frequency: float) -> None:
    """TONE_SECONDS of a tone at -12 dBFS that begins with its first sample."""
    at = np.arange(round(TONE_SECONDS * 8000)) / 8000
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes((8192 * np.sin(2 * np.pi * frequency * at)).astype("<i2").tobytes())


def seconds(file: Path) -> float:
    with wave.open(str(file), "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def freeswitch_dialplan(shipped: str, sounds: Sounds, bare_port: int) -> str:
    """freeswitch-conf/dialplan.xml with the same menus before our own extensions."""
    context = '<context name="hotline">\n'
    assert shipped.count(context) == 1
    return shipped.replace(context, context + _freeswitch_menus(sounds, bare_port))


def _freeswitch_menus(sounds: Sounds, bare_port: int) -> str:
    wait = LONGEST_WAIT * 1000
    return f"""
    <extension name="the order menu, by the dialplan alone">
      <condition field="destination_number" expression="^{NUMBERS.order_by_dialplan}$">
        <action application="answer"/>
        <action application="play_and_get_digits" data="1 1 1 5000 none {sounds.ask} silence_stream://10 key {KEY}"/>
        <action application="playback" data="{sounds.tell}"/>
        <action application="hangup"/>
      </condition>
    </extension>
    <extension name="the order menu, by bench/_bare.py">
      <condition field="destination_number" expression="^{NUMBERS.order_by_bare_controller}$">
        <action application="set" data="playback_terminators={KEY}"/>
        <action application="socket" data="127.0.0.1:{bare_port} async full"/>
      </condition>
    </extension>
    <extension name="the menus of tones, by the dialplan alone">
      <condition field="destination_number" expression="^{NUMBERS.tones_by_dialplan}$">
        <action application="answer"/>
        <action application="play_and_get_digits" data="1 1 1 {wait} none {sounds.low} silence_stream://10 key {KEY}"/>
        <action application="play_and_get_digits" data="1 1 1 {wait} none {sounds.high} silence_stream://10 key {KEY}"/>
        <action application="transfer" data="{NUMBERS.tones_by_dialplan} XML hotline"/>
      </condition>
    </extension>
"""


def asterisk_dialplan(shipped: str, sounds: Sounds) -> str:
    """asterisk-conf/extensions.conf with the same menus beside our own extensions."""
    context = "[from-trunk]\n"
    assert shipped.count(context) == 1
    lead_there = (
        f"exten => {NUMBERS.order_by_dialplan},1,Goto(bench-order,s,1)\n"
        f"exten => {NUMBERS.tones_by_dialplan},1,Goto(bench-low,s,1)\n"
    )
    ask, tell, low, high = (file.with_suffix("") for file in (sounds.ask, sounds.tell, sounds.low, sounds.high))
    return f"""{shipped.replace(context, context + lead_there)}
[bench-order]
exten => s,1,Answer(,i)
 same => n,Background({ask})
 same => n,WaitExten(5)
 same => n,Hangup()
exten => {KEY},1,Playback({tell})
 same => n,Hangup()

[bench-low]
exten => s,1,Answer(,i)
 same => n,Background({low})
 same => n,WaitExten({LONGEST_WAIT})
 same => n,Hangup()
exten => {KEY},1,Goto(bench-high,s,1)

[bench-high]
exten => s,1,Background({high})
 same => n,WaitExten({LONGEST_WAIT})
 same => n,Hangup()
exten => {KEY},1,Goto(bench-low,s,1)
"""
