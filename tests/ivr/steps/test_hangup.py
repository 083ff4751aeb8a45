"""hangup: ends the call."""


def test_the_call_ends_when_what_was_said_before_is_over(house):
    flow = "start: bye\nsteps:\n  bye: {say: bye, next: end}\n  end: {hangup: {}}\n"
    caller = house.ring(flow).is_over()
    assert caller.heard == ["再见"]
    assert (caller.line.heard[0].cut, caller.line.ended is not None) == (False, True)
    assert house.exits == [("bye", "next"), ("end", "ended")]


def test_a_call_that_was_told_nothing_is_never_answered(house):
    assert not house.ring("start: end\nsteps:\n  end: {hangup: {}}\n").is_over().line.answered
