"""FreeSWITCH's hang-up causes in the words of the port, and back."""

from __future__ import annotations

from switch.port import Cause

_CAUSES = {
    "NORMAL_CLEARING": Cause.NORMAL,
    "NONE": Cause.NORMAL,
    "SUCCESS": Cause.NORMAL,
    "ATTENDED_TRANSFER": Cause.NORMAL,
    "BLIND_TRANSFER": Cause.NORMAL,
    "USER_BUSY": Cause.BUSY,
    "NO_ANSWER": Cause.NO_ANSWER,
    "NO_USER_RESPONSE": Cause.NO_ANSWER,
    "ALLOTTED_TIMEOUT": Cause.NO_ANSWER,
    "PROGRESS_TIMEOUT": Cause.NO_ANSWER,
    "CALL_REJECTED": Cause.REJECTED,
    "OUTGOING_CALL_BARRED": Cause.REJECTED,
    "INCOMING_CALL_BARRED": Cause.REJECTED,
    "DECLINE": Cause.REJECTED,
    "REJECT_ALL": Cause.REJECTED,
    "USER_NOT_REGISTERED": Cause.UNREACHABLE,
    "SUBSCRIBER_ABSENT": Cause.UNREACHABLE,
    "UNALLOCATED_NUMBER": Cause.UNREACHABLE,
    "INVALID_NUMBER_FORMAT": Cause.UNREACHABLE,
    "NO_ROUTE_DESTINATION": Cause.UNREACHABLE,
    "NO_ROUTE_TRANSIT_NET": Cause.UNREACHABLE,
    "DESTINATION_OUT_OF_ORDER": Cause.UNREACHABLE,
    "GATEWAY_DOWN": Cause.UNREACHABLE,
    "INVALID_GATEWAY": Cause.UNREACHABLE,
    "INVALID_URL": Cause.UNREACHABLE,
    "RECOVERY_ON_TIMER_EXPIRE": Cause.UNREACHABLE,
    "ORIGINATOR_CANCEL": Cause.CANCELLED,
    "LOSE_RACE": Cause.CANCELLED,
    "PICKED_OFF": Cause.CANCELLED,
    "NORMAL_CIRCUIT_CONGESTION": Cause.CONGESTION,
    "SWITCH_CONGESTION": Cause.CONGESTION,
    "NORMAL_TEMPORARY_FAILURE": Cause.CONGESTION,
    "REQUESTED_CHAN_UNAVAIL": Cause.CONGESTION,
    "NETWORK_OUT_OF_ORDER": Cause.CONGESTION,
    "BEARERCAPABILITY_NOTAVAIL": Cause.CONGESTION,
    "SYSTEM_SHUTDOWN": Cause.SWITCH_LOST,
    "MANAGER_REQUEST": Cause.NORMAL,
}

_HANG_UPS = {
    Cause.NORMAL: "",
    Cause.BUSY: "USER_BUSY",
    Cause.NO_ANSWER: "NO_ANSWER",
    Cause.REJECTED: "CALL_REJECTED",
    Cause.UNREACHABLE: "UNALLOCATED_NUMBER",
    Cause.CANCELLED: "ORIGINATOR_CANCEL",
    Cause.CONGESTION: "SWITCH_CONGESTION",
}


def cause(freeswitch: str) -> Cause:
    """The port's cause for one of FreeSWITCH's; FAILED for what has no word of its own."""
    return _CAUSES.get(freeswitch, Cause.FAILED)


def kill(leg: str, wanted: Cause) -> str:
    """The api command that ends a leg; a far end that was never answered hears the cause as its SIP status.

    NORMAL_CLEARING is what FreeSWITCH takes where none is said.
    """
    told = _HANG_UPS.get(wanted, "NORMAL_TEMPORARY_FAILURE")
    return f"uuid_kill {leg} {told}" if told else f"uuid_kill {leg}"
