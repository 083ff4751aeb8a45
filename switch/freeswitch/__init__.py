"""FreeSWITCH as the switch: the event socket, spoken by ourselves."""

from switch.freeswitch.switch import FreeSwitch

__all__ = ["FreeSwitch"]
