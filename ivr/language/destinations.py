"""Where callers may be transferred to: what the owner of the telephone bill has allowed, and nothing else.

A number that a caller keys or a database holds is no reason to dial it. Premium numbers and those of the
emergency services are dialled only where they are named one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

LONGEST = 40  # characters of a number with its punctuation
PAID_BY_THE_MINUTE = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}

_ACCOUNT = re.compile(r"[0-9A-Za-z_.-]{1,32}", re.ASCII)
_WRITTEN = re.compile(r"\+?[0-9 ().\-/]{3,40}", re.ASCII)


class NotAllowed(Exception):
    """Nobody may be transferred there; the text says why and leaves the number out."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """What `transfers` in appliance.yaml allows.

    `allowed` and `refused` are beginnings of numbers as E.164, `numbers` single ones as they are dialled;
    `country` says how numbers without a country code are meant.
    """

    country: str = "CN"
    agents: bool = True
    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    numbers: Collection[str] = ()

    def address(self, text: str, *, is_agent: Callable[[str], bool]) -> str:
        """What the switch is to dial for a destination. Raises NotAllowed."""
        written = text.strip()
        if written in self.numbers:
            return written
        if self.agents and _ACCOUNT.fullmatch(written) and is_agent(written):
            return written
        return self._number(written)

    def _number(self, written: str) -> str:
        if not _WRITTEN.fullmatch(written) or len(written) > LONGEST:
            raise NotAllowed("it is neither an agent's telephone nor a number")
        plain = re.sub(r"[^0-9+]", "", written)
        if phonenumbers.is_emergency_number(plain, self.country):
            raise NotAllowed("it is a number of the emergency services, which 'numbers' does not name")
        try:
            number = phonenumbers.parse(plain, self.country)
        except NumberParseException:
            raise NotAllowed("it is neither an agent's telephone nor a number") from None
        if not phonenumbers.is_possible_number(number):
            raise NotAllowed("it is neither an agent's telephone nor a whole number")
        if phonenumbers.number_type(number) in PAID_BY_THE_MINUTE:
            raise NotAllowed("it is a premium number, which 'numbers' does not name")
        dialled = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        if not dialled.startswith(self.allowed or ("-",)) or dialled.startswith(self.refused or ("-",)):
            raise NotAllowed("its beginning is not among those that are allowed")
        return dialled
