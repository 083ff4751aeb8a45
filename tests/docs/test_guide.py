"""The guide for administrators: after each of its ten steps the hotline is right, and its calls go as written."""

import pytest

from tests.docs.pages import Site, sections

ENGLISH = sections("guide/en.md")
LAST = list(ENGLISH)[-1]


def test_the_guide_has_ten_steps_and_each_builds_something():
    assert [heading.split(".")[0] for heading in ENGLISH] == [str(number) for number in range(1, 11)]
    assert all(ENGLISH.values())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The hotline of the guide, which grows from test to test as it does from step to step."""
    return Site(tmp_path_factory.mktemp("guide"))


@pytest.mark.parametrize("step", ENGLISH)
def test_a_step_leaves_a_hotline_that_works(site, step):
    assert site.run(ENGLISH[step], everything=step == LAST) > 0


def test_the_chinese_guide_builds_the_same_hotline_by_the_same_steps():
    chinese = sections("guide/zh.md")
    assert list(chinese.values()) == list(ENGLISH.values())
