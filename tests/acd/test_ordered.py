"""The ordered index against a plain sorted list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd import ordered
from acd.ordered import Ordered

keys = st.tuples(st.integers(0, 50), st.integers(0, 3))


@given(st.lists(st.tuples(st.booleans(), keys), max_size=200), keys)
def test_it_is_a_sorted_list_whatever_comes_and_goes(steps, asked):
    with pytest.MonkeyPatch.context() as small:
        small.setattr(ordered, "_CHUNK", 4)
        index, plain = Ordered(), []
        for add, key in steps:
            if add and key not in plain:
                index.add(key)
                plain = sorted([*plain, key])
            elif not add and key in plain:
                index.remove(key)
                plain.remove(key)
            assert list(index) == plain
            assert len(index) == len(plain)
            assert index.head == (plain[0] if plain else None)
        assert index.ahead_of(asked) == len([key for key in plain if key < asked])
        assert list(index.after(asked)) == [key for key in plain if key > asked]
        assert list(index.after(asked[:1])) == [key for key in plain if key > asked[:1]]


def test_it_is_a_sorted_list_of_many_too():
    numbers = [(number * 7919) % 10_007 for number in range(10_007)]
    index = Ordered()
    for number in numbers:
        index.add((number,))
    assert list(index) == [(number,) for number in range(10_007)]
    assert index.ahead_of((5_000,)) == 5_000
    for number in numbers[:9_000]:
        index.remove((number,))
    assert list(index) == sorted((number,) for number in numbers[9_000:])
    assert index.head == min((number,) for number in numbers[9_000:])


@pytest.mark.parametrize("missing", [(0,), (2,), (4,)])
def test_what_is_not_there_cannot_be_removed(missing):
    index = Ordered()
    index.add((1,))
    index.add((3,))
    with pytest.raises(KeyError):
        index.remove(missing)
    assert list(index) == [(1,), (3,)]
