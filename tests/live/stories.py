"""Stories that happen at the same time: many calls at once on one Hotline, each with telephones of its own.

A module lists its stories, functions of (hotline, phones). They are all told at once, as a hotline's day is; each is
then a test of its own, which fails with what went wrong in its story.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.hotline import Hotline
from tests.live.network import Network
from tests.live.phones import Late, Phones

Story = Callable[[Hotline, Phones], None]


class Told:
    """How all the stories of a module went."""

    def __init__(self, hotline: Hotline, stories: Sequence[Story]) -> None:
        self.calls = 0
        self._hotline = hotline
        with ThreadPoolExecutor(len(stories)) as at_once:
            self._ends = dict(zip(stories, at_once.map(self._tell, stories), strict=True))
        self._left = self._what_is_left()

    def check(self, story: Story) -> None:
        """Fails as the story failed."""
        failure = self._ends[story]
        if failure is not None:
            pytest.fail("".join(traceback.format_exception(failure)), pytrace=False)

    def check_nothing_is_left(self) -> None:
        """Fails when a call stayed in the appliance, or a leg on the switch, after everybody had hung up."""
        assert not self._left, self._left

    def _what_is_left(self) -> str:
        try:
            self._hotline.until_idle()
        except Late as late:
            return f"{late}: {self._hotline.status()['calls']} {self._hotline.switch.listed()}"
        return ""

    def _tell(self, story: Story) -> BaseException | None:
        phones = self._hotline.phones(story.__name__)
        try:
            story(self._hotline, phones)
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as failure:  # noqa: BLE001 - told by its test
            return failure
        else:
            return None
        finally:
            self.calls += phones.calls
            phones.close()


def names(stories: Sequence[Story]) -> list[str]:
    return [re.sub("_", "-", story.__name__) for story in stories]


def tell(stories: Sequence[Story]) -> Callable[..., Told]:
    """The fixture that tells a module's stories once on each switch."""

    @pytest.fixture(scope="module")
    def told(running: Hotline, network: Network, calls_made: Callable[[Hotline, int], None]) -> Told:
        with network.entered():
            ends = Told(running, stories)
        calls_made(running, ends.calls)
        return ends

    return told
