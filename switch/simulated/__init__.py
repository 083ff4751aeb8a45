"""A telephone exchange without telephones: scripted or typed calls, in virtual or real time."""

from switch.simulated.exchange import Exchange, Heard, Line, Phone
from switch.simulated.switch import SimulatedSwitch

__all__ = ["Exchange", "Heard", "Line", "Phone", "SimulatedSwitch"]
