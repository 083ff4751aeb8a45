"""lookup: asks the business's data by a named query."""

LOOKUP = """
start: number
steps:
  number:
    collect: {say: ask-number, into: keyed}
    next: find
    otherwise: end
  find:
    lookup: {query: order, with: {number: "{{ keyed }}"}, into: found}
    found: tell
    missing: busy
    failed: bye
  tell: {say: {cmn: "{{ found.number }}{{ found.state }}", en: "{{ found.state }}"}, next: end}
  busy: {say: busy, next: end}
  bye: {say: bye, next: end}
  end: {hangup: {}}
"""


def test_what_is_found_is_told(house):
    house.ring(LOOKUP).press("202611#").hears("202611 sent").is_over()
    assert house.orders.asked == [("order", {"number": "202611"})]
    assert house.notes.of("StepLeft", "exit", "set")[1] == (
        "found",
        {"found": {"map": {"number": "202611", "state": "sent"}}},
    )


def test_what_is_not_there_is_missing(house):
    house.ring(LOOKUP).press("5#").hears("占线").is_over()


def test_a_database_that_fails_is_an_exit_of_its_own(house):
    house.orders.failure = "the database is down"
    house.ring(LOOKUP).press("5#").hears("再见").is_over()
    assert house.notes.of("LookupFailed", "query", "reason") == [("order", "the database is down")]


def test_what_a_caller_keyed_is_data_and_no_template(house):
    house.orders.rows["1"] = {"number": "{{ caller.number }}", "state": "{% x %}"}
    house.ring(LOOKUP).press("1#").hears("{{ caller.number }} {% x %}")
