"""Who is calling: any caller number to E.164, and E.164 to a customer."""

from __future__ import annotations

import re

import phonenumbers
import structlog
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from crm.host import Queries
from ivr.services import CallerFacts, HostFailed

log = structlog.get_logger(__name__)

QUERY = "caller_by_number"
LONGEST = 64  # characters; E.164 has 16, punctuation and a URI's scheme come on top
LONGEST_EXTENSION = 8  # digits

# A number with its usual punctuation, perhaps inside a SIP or tel URI.
_NUMBER = re.compile(r"(?:(?:sips?|tel):)?(\+?[0-9 ().\-/]{3,40})(?:[@;].*)?", re.IGNORECASE | re.ASCII)


def normalised(caller: str, country: str) -> str:
    """The caller's number as E.164, "" for anonymous callers, extensions and whatever is no number.

    `country` (two letters) says how numbers without a country code are meant.
    """
    found = _NUMBER.fullmatch(caller.strip()) if len(caller) <= LONGEST else None
    if not found:
        return ""
    try:
        number = phonenumbers.parse(found[1], country, keep_raw_input=True)
    except NumberParseException:
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if _usable(number) else ""


def _usable(number: PhoneNumber) -> bool:
    """Whether it is a subscriber's number, and not an extension or a local number without its area."""
    if phonenumbers.is_valid_number(number):
        return True
    # New ranges are in service long before they are in a library: its length suffices where it is a full one.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return False
    international = number.country_code_source != CountryCodeSource.FROM_DEFAULT_COUNTRY
    return international or len(phonenumbers.national_significant_number(number)) > LONGEST_EXTENSION


class Callers:
    """Recognises callers by the query `caller_by_number`."""

    def __init__(self, queries: Queries, country: str) -> None:
        self._queries = queries
        self._country = country

    def recognise(self, caller: str) -> CallerFacts:
        """What is known of whoever calls from this number. Never raises: without the CRM all are strangers."""
        number = normalised(caller, self._country)
        if not number or QUERY not in self._queries:
            return CallerFacts(number=number)
        try:
            row = self._queries.query(QUERY, {"number": number})
        except HostFailed:  # logged where it failed
            row = None
        if row is None:
            return CallerFacts(number=number)
        facts = {name: _text(row.get(name)) for name in ("customer_id", "name", "tier", "language")}
        return CallerFacts(number=number, known=True, **facts)


def _text(value: object) -> str:
    return "" if value is None else str(value)
