"""The live tests' switches and telephones, with a Hotline of its own that is killed again and again."""

from tests.live.conftest import calls_made, hotline, network, phones, programs, running

__all__ = ["calls_made", "hotline", "network", "phones", "programs", "running"]
