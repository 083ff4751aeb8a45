"""Mailboxes as their owners know them: PINs and locks, lights, greetings, notices, retention."""

from datetime import UTC, datetime, timedelta

import gevent
import pytest

from store.rows import MessageState, Waiting
from store.voicemail import GUESSES, LOCKED_FOR, LONGEST_LOCK, Opening

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def boxes(store):
    store.add_mailbox("service", pin="2580", email="team@example.org", phones=["1001", "1002"], keep_days=30)
    store.add_mailbox("complaints", phones=["1002"])
    return store


def keep(store, box="service", call="call-1", received=MONDAY):
    return store.keep_message(
        box, path=f"/messages/{call}.wav", seconds=3, received=received, caller="+8613800000001", call=call, visit="1"
    )


def attempts(store, pins, at=MONDAY):
    return [store.voicemail.open("service", pin, at) for pin in pins]


# --- PINs ----------------------------------------------------------------------------------------


def test_the_right_pin_opens_a_box(boxes):
    assert attempts(boxes, ["2581", "", "2580"]) == [Opening.WRONG, Opening.WRONG, Opening.OPEN]


def test_a_box_without_a_pin_cannot_be_opened(boxes):
    assert [boxes.voicemail.open("complaints", pin, MONDAY) for pin in ("", "0000")] == [Opening.NO_PIN] * 2
    assert boxes.voicemail.open("nobody", "2580", MONDAY) is Opening.NO_PIN


def test_wrong_pins_lock_a_box_even_for_the_right_one(boxes):
    assert attempts(boxes, ["1"] * GUESSES) == [Opening.WRONG] * (GUESSES - 1) + [Opening.LOCKED]
    assert attempts(boxes, ["2580"], MONDAY + LOCKED_FOR - timedelta(seconds=1)) == [Opening.LOCKED]
    assert boxes.mailbox("service").locked_until == MONDAY + LOCKED_FOR
    assert attempts(boxes, ["2580"], MONDAY + LOCKED_FOR) == [Opening.OPEN]
    assert boxes.mailbox("service").locked_until is None


def test_whoever_goes_on_guessing_is_locked_out_for_longer_each_time(boxes):
    at, locks = MONDAY, []
    for _ in range(9):
        attempts(boxes, ["1"] * GUESSES, at)
        until = boxes.mailbox("service").locked_until
        locks.append(until - at)
        at = until
    assert locks[:3] == [LOCKED_FOR, 2 * LOCKED_FOR, 4 * LOCKED_FOR]
    assert locks[-1] == LONGEST_LOCK


def test_a_clock_that_is_set_back_locks_nobody_out_for_longer_than_the_lock(boxes):
    attempts(boxes, ["1"] * GUESSES)
    day_before = MONDAY - timedelta(days=1)
    assert attempts(boxes, ["2580"], day_before) == [Opening.LOCKED]
    assert attempts(boxes, ["2580"], day_before + LOCKED_FOR - timedelta(seconds=1)) == [Opening.LOCKED]
    assert attempts(boxes, ["2580"], day_before + LOCKED_FOR) == [Opening.OPEN]


def test_a_lock_that_grew_keeps_its_length_when_the_clock_is_set_back(boxes):
    attempts(boxes, ["1"] * GUESSES)
    attempts(boxes, ["1"] * GUESSES, MONDAY + LOCKED_FOR)
    day_before = MONDAY - timedelta(days=1)
    assert attempts(boxes, ["2580"], day_before) == [Opening.LOCKED]
    assert attempts(boxes, ["2580"], day_before + 2 * LOCKED_FOR - timedelta(seconds=1)) == [Opening.LOCKED]
    assert attempts(boxes, ["2580"], day_before + 2 * LOCKED_FOR) == [Opening.OPEN]


def test_the_right_pin_forgets_the_wrong_ones_before_it(boxes):
    wrong_four_times = ["1"] * (GUESSES - 1)
    assert Opening.LOCKED not in attempts(boxes, [*wrong_four_times, "2580", *wrong_four_times])


def test_guesses_at_the_same_time_are_counted_one_by_one(boxes):
    guesses = [gevent.spawn(boxes.voicemail.open, "service", "1", MONDAY) for _ in range(8)]
    came = [guess.get(timeout=30) for guess in guesses]
    assert came.count(Opening.WRONG) == GUESSES - 1


def test_a_lock_is_lifted_by_hand_and_by_a_new_pin(boxes):
    attempts(boxes, ["1"] * GUESSES)
    assert boxes.voicemail.unlock("service")
    assert attempts(boxes, ["2580"]) == [Opening.OPEN]
    attempts(boxes, ["1"] * GUESSES)
    assert boxes.voicemail.set_pin("service", "1357")
    assert attempts(boxes, ["2580", "1357"]) == [Opening.WRONG, Opening.OPEN]
    boxes.voicemail.set_pin("service", "")
    assert attempts(boxes, ["1357"]) == [Opening.NO_PIN]
    assert not boxes.voicemail.set_pin("nobody", "1357")


# --- lights --------------------------------------------------------------------------------------


def test_a_phone_shows_what_all_its_boxes_hold(boxes):
    assert boxes.voicemail.waiting() == {"1001": Waiting(), "1002": Waiting()}
    heard = keep(boxes, call="a")
    keep(boxes, call="b")
    keep(boxes, "complaints", call="c")
    boxes.mark(heard.id, MessageState.HEARD)
    assert boxes.voicemail.waiting() == {"1001": Waiting(1, 1), "1002": Waiting(2, 1)}
    boxes.voicemail.drop(heard.id, MONDAY)
    assert boxes.voicemail.waiting()["1001"] == Waiting(1, 0)


# --- messages that go ----------------------------------------------------------------------------


def test_a_dropped_message_is_gone_for_everybody_until_its_file_is(boxes):
    kept = keep(boxes)
    assert boxes.voicemail.drop(kept.id, MONDAY) == kept.path
    assert boxes.messages("service") == []
    assert boxes.voicemail.dropped() == {kept.id: kept.path}
    boxes.voicemail.forget([kept.id])
    assert boxes.voicemail.dropped() == {}
    assert boxes.voicemail.drop(kept.id, MONDAY) is None


def test_what_was_not_dropped_cannot_be_forgotten(boxes):
    kept = keep(boxes)
    boxes.voicemail.forget([kept.id])
    assert boxes.messages("service") == [kept]


def test_a_dropped_message_makes_room(store):
    store.add_mailbox("small", limit=1)
    kept = keep(store, "small", call="a")
    assert store.full("small")
    store.voicemail.drop(kept.id, MONDAY)
    assert not store.full("small")


def test_messages_go_when_their_box_keeps_them_no_longer(boxes):
    old, fresh = keep(boxes, call="old"), keep(boxes, call="fresh", received=MONDAY + timedelta(days=1))
    kept_for_ever = keep(boxes, "complaints", call="complaint")
    for message in (old, fresh):
        boxes.voicemail.notice_over(message.id)
    assert boxes.voicemail.drop_expired(MONDAY + timedelta(days=30)) == 1
    assert boxes.voicemail.dropped() == {old.id: old.path}
    assert boxes.messages("service") == [fresh]
    assert boxes.messages("complaints") == [kept_for_ever]


def test_a_message_that_is_still_to_be_mailed_does_not_expire(boxes):
    kept = keep(boxes)
    assert boxes.voicemail.drop_expired(MONDAY + timedelta(days=99)) == 0
    boxes.voicemail.notice_over(kept.id)
    assert boxes.voicemail.drop_expired(MONDAY + timedelta(days=99)) == 1


# --- greetings -----------------------------------------------------------------------------------


def test_a_box_has_a_greeting_in_each_language(boxes):
    assert boxes.voicemail.set_greeting("service", "cmn", "/messages/1.wav") is None
    boxes.voicemail.set_greeting("service", "en", "/messages/2.wav")
    assert boxes.voicemail.set_greeting("service", "cmn", "/messages/3.wav") == "/messages/1.wav"
    assert [boxes.voicemail.greeting("service", language) for language in ("cmn", "en", "yue")] == [
        "/messages/3.wav",
        "/messages/2.wav",
        None,
    ]
    assert boxes.voicemail.set_greeting("service", "en", "") == "/messages/2.wav"
    assert boxes.voicemail.greeting("service", "en") is None


# --- notices -------------------------------------------------------------------------------------


def test_a_message_in_a_box_with_an_address_is_to_be_mailed(boxes):
    kept = keep(boxes)
    keep(boxes, "complaints", call="not mailed")
    [notice] = boxes.voicemail.due_notices(MONDAY, MONDAY + HOUR)
    assert (notice.message, notice.to, notice.attempts) == (kept, "team@example.org", 0)
    assert boxes.voicemail.next_notice() == MONDAY


def test_a_notice_that_failed_is_due_again_later(boxes):
    kept = keep(boxes)
    later = MONDAY + timedelta(minutes=1)
    boxes.voicemail.notice_failed(kept.id, later, "connection refused")
    assert boxes.voicemail.due_notices(MONDAY, MONDAY + HOUR) == []
    [notice] = boxes.voicemail.due_notices(later, later + HOUR)
    assert notice.attempts == 1
    assert boxes.voicemail.next_notice() == later


def test_a_notice_that_is_due_later_than_any_pause_can_reach_or_was_never_tried_is_due_now(boxes):
    tried = keep(boxes)
    boxes.voicemail.notice_failed(tried.id, MONDAY + timedelta(minutes=1), "connection refused")
    never = keep(boxes, call="call-2", received=MONDAY + timedelta(minutes=1))
    day_before = MONDAY - timedelta(days=1)
    due = boxes.voicemail.due_notices(day_before, day_before + HOUR)
    assert {notice.message.id for notice in due} == {tried.id, never.id}
    [notice] = boxes.voicemail.due_notices(MONDAY, MONDAY + HOUR)
    assert notice.message.id == never.id


def test_a_notice_is_over_when_it_was_sent_or_its_message_is_dropped(boxes):
    sent, dropped = keep(boxes, call="a"), keep(boxes, call="b")
    boxes.voicemail.notice_over(sent.id)
    boxes.voicemail.drop(dropped.id, MONDAY)
    assert boxes.voicemail.next_notice() is None


# --- the box itself ------------------------------------------------------------------------------


def test_a_box_is_changed(boxes):
    assert boxes.voicemail.change("complaints", email="c@example.org", phones=["1004"], keep_days=7)
    box = boxes.mailbox("complaints")
    assert (box.email, box.phones, box.keep_days) == ("c@example.org", ("1004",), 7)
    assert not boxes.voicemail.change("nobody", email="c@example.org")


def test_only_an_empty_box_is_removed(boxes):
    kept = keep(boxes)
    assert boxes.voicemail.remove("service") == 1
    boxes.voicemail.drop(kept.id, MONDAY)
    boxes.voicemail.forget([kept.id])
    boxes.voicemail.set_greeting("service", "en", "/messages/2.wav")
    assert boxes.voicemail.remove("service") == 0
    assert boxes.mailbox("service") is None
    assert boxes.voicemail.remove("service") is None
