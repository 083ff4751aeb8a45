"""Where callers may be transferred to: what is allowed, however it is written, and nothing else."""

import pytest

from ivr.language.destinations import Destinations, NotAllowed

AGENTS = {"1001", "li.wei"}
RULES = Destinations("CN", True, ("+8621", "+852"), ("+85290",), ("95588", "110", "+900"))


def address(text, rules=RULES):
    return rules.address(text, is_agent=AGENTS.__contains__)


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("021-5555 0100", "+862155550100"),
        ("+86 21 5555 0100", "+862155550100"),
        ("00 852 2345 6789", "+85223456789"),
        ("1001", "1001"),
        ("li.wei", "li.wei"),
        ("95588", "95588"),
        ("110", "110"),
    ],
)
def test_what_is_allowed_is_dialled_as_the_switch_needs_it(written, dialled):
    assert address(written) == dialled


@pytest.mark.parametrize(
    "written",
    ["", "1002", "010 6555 0100", "+85290123456", "119", "120", "+1 900 555 0100", "+44 9098790000", "+881612345678",
     "sip:1001@evil", "1001@evil", "1001;a=b", "${system(x)}", "021 5555 0100 ext 7", "٠٢١٥٥٥٥٠١٠٠", "+86" + "2" * 60],
)  # fmt: skip
def test_nothing_else_is(written):
    with pytest.raises(NotAllowed) as refused:
        address(written)
    assert not written or written not in str(refused.value)


def test_without_a_word_only_agents_are_reached():
    rules = Destinations("CN")
    assert address("1001", rules) == "1001"
    for number in ("02155550100", "+85223456789", "95588"):
        with pytest.raises(NotAllowed):
            address(number, rules)


def test_agents_can_be_left_out():
    with pytest.raises(NotAllowed):
        address("1001", Destinations("CN", agents=False))


def test_a_premium_number_must_be_named_even_where_its_beginning_is_allowed():
    rules = Destinations("GB", allowed=("+44",))
    assert address("020 7946 0000", rules) == "+442079460000"
    with pytest.raises(NotAllowed, match="premium"):
        address("0909 879 0000", rules)
    assert address("09098790000", Destinations("GB", numbers=("09098790000",))) == "09098790000"
