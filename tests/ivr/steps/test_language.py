"""language: speaks another of the flow's languages from here on."""

import pytest

from ivr.services import CallerFacts

LANGUAGE = """
start: pick
steps:
  pick: {language: "{{ caller.language }}", next: greet}
  greet: {say: hello, next: end}
  end: {hangup: {}}
"""


@pytest.mark.parametrize(("language", "said"), [("en", "Hello"), ("yue", "你好"), ("", "你好"), ("cmn", "你好")])
def test_a_callers_language_is_taken_where_the_flow_has_it(house, language, said):
    house.ring(LANGUAGE, caller=CallerFacts(language=language)).hears(said).is_over()


def test_it_stays_until_another_is_chosen(house):
    flow = """
    start: english
    steps:
      english: {language: en, next: first}
      first: {say: hello, next: mandarin}
      mandarin: {language: cmn, next: second}
      second: {say: hello, next: end}
      end: {hangup: {}}
    """
    assert house.ring(flow).is_over().heard == ["Hello", "你好"]
