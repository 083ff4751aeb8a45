"""A pytest plugin: property tests without the search for the smallest example, which takes minutes.

    pytest -p tests.unshrunk

For whoever asks only whether a test fails, not why.
"""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile("unshrunk", phases=(Phase.explicit, Phase.generate))
settings.load_profile("unshrunk")
