"""return: goes back to the flow that called this one."""

MAIN = """
number: "1000"
languages: [cmn, en]
start: who
steps:
  who:
    call: {flow: identify, into: identity}
    next: tell
  tell: {say: {cmn: "{{ identity.name }}", en: "{{ identity.name }}"}, next: end}
  end: {hangup: {}}
"""
IDENTIFY = """
languages: [cmn, en]
start: keep
steps:
  keep: {set: {found: "张{{ dialled }}"}, next: back}
  back: {return: {name: "{{ found }}"}}
"""


def test_the_other_flow_goes_on_with_what_is_given(house, flows):
    assert house.ring(flows({"main": MAIN, "identify": IDENTIFY})["main"]).is_over().heard == ["张1000"]
    assert house.exits[-3:] == [("who", "next"), ("tell", "next"), ("end", "ended")]


def test_in_a_flow_that_was_not_called_it_ends_the_call(house):
    caller = house.ring("start: bye\nsteps:\n  bye: {say: bye, next: back}\n  back: {return: {}}\n").is_over()
    assert caller.heard == ["再见"]
