"""transfer: hands the caller over to another telephone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import structlog

from config.syntax import Path
from ivr.conversation import Conversation
from ivr.language.expressions import text_of
from ivr.language.house import House
from ivr.language.phrases import Phrase
from ivr.language.templates import Value
from ivr.services import CannotTransfer
from ivr.step import HANG_UP, Exit, Step
from switch.port import Capability

log = structlog.get_logger(__name__)


class Transfer(Step):
    """Hands the caller over to an agent's telephone or a number, and lets the call go.

        to-the-warehouse:
          transfer: {to: "+862155550100", say: queue-please-wait}
          failed: leave-message

    Only to what `transfers` in `appliance.yaml` allows, and so often as it allows in a day; anything else
    goes on by `failed`. The transfer is a blind one: whether the other telephone answers is between it, the
    caller and the telephone switch, and the flow has ended for this call.
    """

    verb = "transfer"
    exits: ClassVar = {
        "answered": Exit(default=HANG_UP, about="the switch has taken the call over and given it back"),
        "failed": Exit(required=True, silent=True, about="it is not allowed, was too often, or the switch refuses it"),
    }
    broken = "failed"
    needs = frozenset({Capability.TRANSFER})
    instant = True

    to: Value
    """The number, or an agent's telephone account."""
    say: Phrase | None = None
    """What the caller is told before."""

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:
        if self.to.fixed and (why := house.refused(self.to.source)):
            yield ("to",), f"nobody may be transferred there: {why}; see transfers in appliance.yaml"

    def run(self, call: Conversation) -> str:
        to = text_of(call.value(self.to))
        try:
            address = call.services.transfers.grant(to, caller=call.caller.number or call.call.caller)
            if self.say is not None:
                call.say(self.say)
            call.transfer(address, hidden=call.shields(self.to))
        except CannotTransfer as error:
            log.warning("a transfer was refused", step=call.state.step, reason=str(error))
            call.note("TransferRefused", step=call.state.step, reason=str(error))
            return "failed"
        return "answered"
