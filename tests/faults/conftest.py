"""The live tests' switches and telephones, with a Hotline of its own that is killed again and again."""

import pytest

from tests.faults.crowd import Crowd
from tests.live.conftest import calls_made, hotline, network, phones, programs, running

__all__ = ["calls_made", "crowds", "hotline", "network", "phones", "programs", "running"]


@pytest.fixture
def crowds(hotline, tmp_path):
    """Makes a crowd of each kind: the numbers that they dial, and for how many seconds they listen.

    When the test is over nobody calls any more, however it went.
    """
    made = []

    def make(*kinds, per_second, seed):
        homes = tmp_path / f"crowds-{len(made)}"
        new = [
            Crowd(
                hotline.switch.trunk, homes / str(n), numbers=numbers, listens=listens, per_second=per_second,
                seed=(seed + n) % 100,
            )
            for n, (numbers, listens) in enumerate(kinds)
        ]  # fmt: skip
        made.extend(new)
        return new

    yield make
    for crowd in made:
        crowd.stop()
