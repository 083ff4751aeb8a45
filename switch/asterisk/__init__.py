"""Asterisk as a switch, over its REST interface (ARI)."""

from switch.asterisk.switch import Asterisk

__all__ = ["Asterisk"]
