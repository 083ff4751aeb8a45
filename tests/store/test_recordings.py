"""The index of recordings: found by call, queue and agent, and gone when they may be kept no longer."""

from datetime import UTC, datetime, timedelta

from store.rows import CallRecording

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def recording(id, *, queue="service", agent="1001", started=MONDAY, keep_until=None):
    return CallRecording(id, f"call-{id}", "hotline", queue, agent, started, 61.5, f"/recordings/{id}.wav", keep_until)


def test_a_recording_comes_back_as_it_was_kept_and_once(store):
    kept = recording("a", keep_until=MONDAY + timedelta(days=90))
    store.recordings.keep(kept)
    store.recordings.keep(kept)
    assert store.recordings.list() == [kept]


def test_recordings_are_found_by_call_queue_and_agent(store):
    by_queue = recording("a", agent="1002")
    by_flow = recording("b", queue="", agent="", started=MONDAY + timedelta(hours=1))
    for each in (by_queue, by_flow):
        store.recordings.keep(each)
    assert store.recordings.list() == [by_flow, by_queue]
    assert store.recordings.list(call="call-b") == [by_flow]
    assert store.recordings.list(queue="service") == store.recordings.list(agent="1002") == [by_queue]
    assert store.recordings.list(limit=1) == [by_flow]


def test_recordings_expire_and_are_forgotten(store):
    until = MONDAY + timedelta(days=90)
    old, for_ever = recording("a", keep_until=until), recording("b")
    for each in (old, for_ever):
        store.recordings.keep(each)
    assert store.recordings.expired(until - timedelta(seconds=1)) == []
    assert store.recordings.expired(until) == [old]
    store.recordings.forget([old.id])
    assert store.recordings.list() == [for_ever]
