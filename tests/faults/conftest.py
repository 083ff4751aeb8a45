"""The live tests' switches and telephones, with a Hotline of its own that is killed again and again."""

import os

from tests.live.conftest import calls_made, hotline, network, phones, programs, pytest_runtest_makereport, running

__all__ = ["calls_made", "hotline", "network", "phones", "programs", "pytest_runtest_makereport", "running"]

# Minutes of killing, and one thing that is not right yet (docs/reliability.md): `make soak` and HOTLINE_KILLS run it.
collect_ignore = [] if "HOTLINE_KILLS" in os.environ else ["test_many_kills.py"]
