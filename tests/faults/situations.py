"""Callers and agents in the situations in which a fault may find them: each behind a key of the menu of 7000."""

NUMBER, QUEUE = "7000", "desk-31"


def arrives(hotline, phones, keys="", **more):
    """A caller who has chosen from the first menu; its telephone and its call."""
    caller = phones.call(NUMBER, **more)
    caller.wait_answered()
    call = hotline.call_of(caller.caller)
    hotline.until(lambda: at_step(hotline, call, "choose"), 5, f"{caller} to hear the menu")
    caller.press(keys)
    return caller, call


def at_step(hotline, call, step):
    return any(record["step"] == step for record in hotline.records(type="StepEntered", call=call))


def waits(hotline, phones, key="1", queue=QUEUE, **more):
    caller, call = arrives(hotline, phones, key, **more)
    hotline.until(lambda: call in hotline.queue(queue), 10, f"{caller} to wait")
    return caller, call


def ended_once(hotline, calls):
    """Every one of these calls is over, and the journal is whole."""
    ended = [record["call"] for record in hotline.records(type="CallEnded") if record["call"] in calls]
    assert sorted(ended) == sorted(calls)
    assert "open=0 holes=0 doubles=0" in hotline.command("journal", "verify")
