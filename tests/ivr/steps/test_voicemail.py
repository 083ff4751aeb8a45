"""voicemail: a message is kept whole, or the caller is told that it was not."""

from ivr.language.phrases import Prompt
from switch.port import CallEnded, CannotRecord, Cause, Sound

FLOW = """
start: mail
keys: {"0": busy}
steps:
  mail:
    voicemail: {box: service, longest: 10s, silence: 4s}
    next: bye
    empty: hello
    full: busy
  bye: {say: {cmn: "留言{{ message.id }}", en: "{{ message.id }}"}, next: end}
  hello: {say: hello, next: end}
  busy: {say: busy, next: end}
  end: {hangup: {}}
"""


def after_the_beep(house):
    return house.ring(FLOW).hears("请留言").hears("哔").waits(1.0)


def test_the_hash_key_ends_a_message(house):
    after_the_beep(house).speaks(3.0).press("#").hears("已保存").hears("留言m1").is_over()
    assert house.boxes.kept == [("service", "13800000001", "王芳", 3.0)]
    assert house.exits[0] == ("mail", "next")


def test_silence_ends_a_message(house):
    after_the_beep(house).speaks(2.0).hears("已保存").is_over()
    assert house.boxes.kept[0][3] == 6.0


def test_the_greatest_length_ends_a_message(house):
    after_the_beep(house).speaks(20.0)
    assert house.boxes.kept[0][3] == 10.0


def test_hanging_up_is_the_ordinary_end_of_a_message(house):
    after_the_beep(house).speaks(3.0).hangs_up()
    assert house.boxes.kept[0][3] == 3.0
    assert house.cause == "normal"


def test_hanging_up_before_the_beep_leaves_nothing(house, tmp_path):
    house.ring(FLOW).hears("请留言").waits(0.5).hangs_up()
    assert house.boxes.kept == []
    assert list(tmp_path.glob("sim*")) == []


def test_any_key_skips_the_greeting(house):
    caller = house.ring(FLOW).hears("请留言").waits(0.2).press("5").hears("哔")
    assert caller.line.heard[0].cut
    caller.waits(1.0).speaks(2.0).press("#").hears("已保存")


def test_a_key_that_works_everywhere_works_in_the_greeting(house):
    house.ring(FLOW).hears("请留言").press("0").hears("占线").is_over()


def test_keys_in_the_message_cut_nothing_short_afterwards(house):
    caller = after_the_beep(house).speaks(1.0).press("123").speaks(1.0).press("#").hears("已保存").is_over()
    assert not caller.line.heard[-1].cut


def test_silence_is_no_message(house, tmp_path):
    house.boxes.silent = True
    after_the_beep(house).press("#").hears("没有录到").hears("你好").is_over()
    assert house.exits[0] == ("mail", "empty")
    assert list(tmp_path.glob("sim*.wav")) == []


def test_half_a_second_is_no_message(house, tmp_path):
    house.ring(FLOW).hears("哔").waits(1.5).press("#").hears("没有录到").is_over()
    assert house.boxes.kept == []
    assert list(tmp_path.glob("sim*.wav")) == []


def test_a_full_box_is_told_before_anyone_speaks(house):
    house.boxes.is_full = True
    assert house.ring(FLOW).is_over().heard == ["信箱已满", "占线"]
    assert house.exits[0] == ("mail", "full")


def test_a_full_disk_is_told_and_leaves_no_half_message(house, tmp_path):
    house.exchange.disk_full = True
    house.ring(FLOW).hears("哔").hears("未能保存").hears("占线").is_over()
    assert house.notes.of("MessageNotKept", "box", "reason") == [("service", "no space left on the switch's disk")]
    assert list(tmp_path.glob("sim*.wav")) == []


def test_a_message_that_cannot_be_stored_is_told(house, tmp_path):
    house.boxes.cannot_keep = True
    after_the_beep(house).speaks(2.0).press("#").hears("未能保存").hears("占线").is_over()
    assert list(tmp_path.glob("sim*.wav")) == []


def test_a_message_that_cannot_be_stored_after_the_end_is_at_least_noted(house):
    house.boxes.cannot_keep = True
    after_the_beep(house).speaks(2.0).hangs_up()
    assert house.notes.of("MessageNotKept", "reason") == ["no space left"]


def test_a_missing_beep_does_not_cost_the_message(house):
    house.voice.broken.add("beep")
    house.ring(FLOW).hears("请留言").waits(1.0).speaks(2.0).press("#").hears("已保存")


def test_a_call_that_another_process_took_over_is_not_a_message(house):
    def record(to, **_):
        to.write_bytes(b"half a message")
        raise CallEnded(Cause.SUPERSEDED)

    caller = house.ring(FLOW).hears("请留言")
    house.call.record = record
    caller.is_over()
    assert house.boxes.kept == []
    assert house.cause == Cause.SUPERSEDED


def test_a_switch_that_cannot_record_is_told_like_a_full_disk(house):
    def record(to, **_):
        raise CannotRecord("no right to write there")

    caller = house.ring(FLOW).hears("请留言")
    house.call.record = record
    caller.hears("未能保存").hears("占线")


def test_a_box_greets_with_its_owners_voice(house, tmp_path):
    house.boxes.own_greeting = Sound(tmp_path / "second.wav", "here is Wang Fang")
    caller = house.ring(FLOW).hears("here is Wang Fang").hears("哔")
    assert "请留言" not in caller.heard


def test_a_box_greets_with_its_own_prompt(house):
    house.boxes.own_greeting = Prompt("hello")
    house.ring(FLOW).hears("你好").hears("哔")


def test_a_greeting_that_is_gone_is_replaced_by_the_flows_words(house, tmp_path):
    house.boxes.own_greeting = Sound(tmp_path / "gone.wav")
    house.ring(FLOW).hears("请留言").hears("哔")


def test_a_key_that_works_everywhere_works_in_a_greeting_of_the_boxs_own(house, tmp_path):
    house.boxes.own_greeting = Sound(tmp_path / "second.wav", "here is Wang Fang")
    house.ring(FLOW).hears("here is Wang Fang").press("0").hears("占线").is_over()
