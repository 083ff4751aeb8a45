"""What may stand between {{ and }}, what it is worth, and what it can never do."""

import re
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.language.templates import CannotEvaluate, template
from speech import words
from speech.words import Segment

CALLER = {
    "caller": {"tier": "gold", "name": "王芳", "known": True},
    "order": {"number": "202611", "eta": date(2026, 11, 25), "price": Decimal("42.10")},
    "language": "cmn",
    "keyed": "12",
}


def said(text, language="cmn", **kept):
    return template(text).speech(CALLER | kept, language)


def test_a_text_is_said_as_its_pieces_with_recorded_digits_between():
    assert said("订单{{ order.number | digits }},") == (
        Segment("订单"),
        *words.digits("202611", "cmn"),
        Segment(","),
    )


@pytest.mark.parametrize("language", ["cmn", "yue", "en"])
def test_filters_speak_the_callers_language(language):
    assert said("{{ order.eta | date }}", language) == tuple(words.date(date(2026, 11, 25), language))
    assert said("{{ order.price | money(currency='HKD') }}", language) == tuple(
        words.money(Decimal("42.10"), language, currency="HKD")
    )
    assert said("{{ order.eta | date(year=false) }}", language) == tuple(
        words.date(date(2026, 11, 25), language, year=False)
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ 10 if caller.tier == 'gold' else 0 }}", 10),
        ("{{ 10 if caller.tier == 'silver' else -5 }}", -5),
        ("{{ caller.known and not caller.tier == '' }}", True),
        ("{{ caller.tier in ['gold', 'silver'] }}", True),
        ("{{ caller.tier not in ['gold', 'silver'] }}", False),
        ("{{ 3 < 5 <= 5 }}", True),
        ("{{ keyed > 9 }}", True),
        ("{{ keyed == 12 }}", True),
        ("{{ order.eta > '2026-11-01' }}", True),
        ("{{ language }}", "cmn"),
        ("{{ order.price }}", Decimal("42.10")),
        ("x{{ keyed }}y", "x12y"),
        ("plain", "plain"),
    ],
)
def test_a_lone_expression_keeps_its_value_and_a_mixed_one_is_text(text, value):
    assert template(text).value(CALLER, "cmn") == value


def test_what_it_reads_is_known_beforehand():
    assert template("{{ order.number | digits }} {{ 1 if caller.known else keyed }}").reads == {
        ("order", "number"),
        ("caller", "known"),
        ("keyed",),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 'a' * 300000000 }}", "'*' is not possible in an expression"),
        ("{{ 9 ** 9 ** 9 }}", "'**' is not possible in an expression"),
        ("{{ range(9) }}", "calling a function or method is not possible in an expression"),
        ("{{ ''.join([]) }}", "calling a function or method is not possible in an expression"),
        ("{{ caller.__class__ }}", "'.__class__' is not possible: a name begins with a letter"),
        ("{{ caller['tier'] }}", "'[...]' is not possible in an expression"),
        ("{{ a ~ b }}", "'~' is not possible in an expression"),
        ("{{ a + b }}", "'+' is not possible in an expression"),
        ("{{ a is defined }}", "'is' is not possible in an expression"),
        ("{% for a in b %}{% endfor %}", "'{%' is not possible in a text; only {{ ... }} is"),
        ("{# note #}", "'{#' is not possible in a text; only {{ ... }} is"),
        ("{{ order.number | digit }}", "no filter 'digit'. Did you mean 'digits'?"),
        ("{{ a | safe }}", "no filter 'safe'. There are: date, digits, duration, money, number, ordinal, time"),
        ("{{ a | money(currency='XXX') }}", "no currency 'XXX'. There are: CNY, EUR, GBP, HKD, USD"),
        ("{{ a | date(yeer=false) }}", "the filter 'date' has no option 'yeer'. There are: year"),
        ("{{ a | date(year=b) }}", "the option 'year' of the filter 'date' must be true or false"),
        ("{{ a | digits('x') }}", "the filter 'digits' takes only named options. There are: yao"),
        ("{{ a if b }}", "'... if ...' needs an 'else'"),
        ("{{ order.number", "'{{' is not closed by '}}'"),
        ("{{ order number }}", "the expression cannot be read from 'number' on"),
        ("{{ " + "(" * 1000 + "a" + ")" * 1000 + " }}", "the expression is nested too deeply"),
        ("x" * 6000, "the text has 6,000 characters; at most 5,000 are possible"),
    ],
)
def test_what_is_not_possible_is_said_in_plain_words(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        template(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ nobody }}", "'nobody' has no value yet"),
        ("{{ order.nothing }}", "'order.nothing' has no value yet"),
        ("{{ language.upper }}", "'language.upper' has no value yet"),
        ("{{ caller.name > 5 }}", "a text and a number cannot be compared"),
        ("{{ caller.name | date }}", "'date' cannot read it: "),
    ],
)
def test_a_value_that_does_not_fit_is_named_when_it_is_used(text, message):
    with pytest.raises(CannotEvaluate, match=message):
        template(text).speech(CALLER, "cmn")


def test_what_a_caller_keyed_is_never_read_as_a_template():
    assert said("{{ keyed }}", keyed="{{ caller.name }}{% x %}") == (Segment("{{ caller.name }}{% x %}"),)


def test_a_huge_value_is_said_only_in_part():
    assert len(said("{{ keyed }}", keyed="x" * 1_000_000)[0].text) == 500


def test_what_a_sensitive_step_collected_stands_alone():
    text = template("PIN {{ keyed | digits }} {{ order.number | digits }}")
    spoken = text.speech(CALLER, "cmn", frozenset({"keyed"}))
    assert [s.alone for s in spoken] == [False, True, True] + [False] * 6


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("{}% |.()[]'\"ab12*+-~#\n,=<>!")), max_size=40).map(lambda t: "{{" + t))
def test_any_text_is_a_template_or_refused_in_words(text):
    with suppress(ValueError, CannotEvaluate):
        template(text).speech({"a": "1", "b": {"a": 2}}, "en")
