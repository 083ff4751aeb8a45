"""Why a leg ended: Q.850 causes, as Asterisk reports and takes them, and the port's words."""

from __future__ import annotations

from collections.abc import Mapping

from switch.port import Cause

_MEANING: Mapping[int, Cause] = {
    0: Cause.NORMAL,
    16: Cause.NORMAL,
    17: Cause.BUSY,
    18: Cause.NO_ANSWER,
    19: Cause.NO_ANSWER,
    21: Cause.REJECTED,
    26: Cause.CANCELLED,  # answered elsewhere
    31: Cause.NORMAL,
    32: Cause.NORMAL,  # what Asterisk gives for a hang-up that was asked for
    1: Cause.UNREACHABLE,
    2: Cause.UNREACHABLE,
    3: Cause.UNREACHABLE,
    20: Cause.UNREACHABLE,  # subscriber absent
    22: Cause.UNREACHABLE,
    23: Cause.UNREACHABLE,
    27: Cause.UNREACHABLE,
    28: Cause.UNREACHABLE,
    34: Cause.CONGESTION,
    41: Cause.CONGESTION,
    42: Cause.CONGESTION,
    44: Cause.CONGESTION,
    47: Cause.CONGESTION,
}

_CODE: Mapping[Cause, int] = {
    Cause.NORMAL: 16,
    Cause.BUSY: 17,
    Cause.NO_ANSWER: 19,
    Cause.REJECTED: 21,
    Cause.UNREACHABLE: 1,
    Cause.CONGESTION: 34,
    Cause.FAILED: 38,
}


def meaning(code: object) -> Cause:
    return _MEANING.get(code, Cause.FAILED) if isinstance(code, int) else Cause.NORMAL


def code(cause: Cause) -> str:
    return str(_CODE.get(cause, 16))
