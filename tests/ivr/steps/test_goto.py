"""goto: goes on at another step."""


def test_the_call_goes_on_there_and_hears_nothing(house):
    flow = """
    start: here
    steps:
      here: {goto: there}
      not-here: {say: bye, next: end}
      there:
        menu: {say: ask, options: {"1": not-here}}
        otherwise: end
      end: {hangup: {}}
    """
    house.ring(flow).hears("请按键").press("1").hears("再见").is_over()
    assert house.exits == [("here", "to"), ("there", "1"), ("not-here", "next"), ("end", "ended")]
