"""collect: asks for digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.document import OneOrSeveral, Written
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.patterns import BadPattern, matches, pattern
from ivr.language.phrases import Phrase, Prompt
from ivr.step import Exit, Key, NewVariable, Patience, Shape, Step

DIGITS = frozenset("0123456789")
AGAIN = "*"  # begins the entry anew, unless it ends it or works everywhere in the flow
SOON = 3.0  # so many seconds after a complete entry its end key still belongs to it


def _pattern(text: str) -> str:
    try:
        pattern(text)
    except BadPattern as error:
        raise ValueError(f"'{text[:60]}' is not a pattern: {error}") from error
    return text


class Digits(Written):
    min: Annotated[int, Field(ge=1, le=64)] = 1
    """How many digits at least."""
    max: Annotated[int, Field(ge=1, le=64)] = 20
    """How many at most; the last of them ends the entry."""
    end: Key = "#"
    """The key that ends the entry."""
    between: Patience = 3.0
    """The pause between two digits that ends the entry."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"'min' ({self.min}) is more than 'max' ({self.max})")
        return self


class Collect(Step):
    """Asks up to `tries` times for digits that are long enough and fit a pattern, and keeps them in `into`.

        ask-number:
          collect:
            say: ask-order-number
            digits: {min: 6, max: 12, end: "#", between: 3s}
            confirm: true
            into: order_number
          next: find-order
          otherwise: agent

    `*` begins the entry anew where the flow's `keys` do not use it. With `confirm` the digits are read
    back: 1 accepts, 2 enters again. Without `no-input` a silence is asked again; without `no-match` an entry
    that does not fit is told by the prompt `not-a-number`. With `sensitive` they are kept out of the journal,
    the log and every file.
    """

    verb = "collect"
    exits: ClassVar = {
        "next": Exit(required=True, about="when the digits fit"),
        "no-input": Exit(about="after each silence but the last"),
        "no-match": Exit(about="after each entry that does not fit but the last"),
        "otherwise": Exit(required=True, silent=True, about="after so many tries"),
    }
    broken = "otherwise"
    prompts: ClassVar = {"not-a-number": {}, "confirm-number": {"number": "202611"}}

    say: Phrase
    """What is asked."""
    digits: Digits = Digits()
    """How many digits, and what ends them."""
    timeout: Patience = 5.0
    """How long a silence after the prompt may last."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Silences, and entries that do not fit."""
    pattern: Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], OneOrSeveral] = ()
    """How all the digits must look: `1[3-9]xxxxxxxxx`, `x{6,12}`, `(4|6)x*`, with `x` for any; or a list of such."""
    confirm: bool = False
    """Reads the digits back: 1 accepts them, 2 enters them again."""
    sensitive: bool = False
    """Keeps the digits out of the journal, the log and every spoken file."""
    into: NewVariable
    """The variable that keeps the digits."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:  # noqa: ARG002
        return {"next": {self.into: None}}

    def confidential(self) -> bool:
        return self.sensitive

    def run(self, call: Conversation) -> str:
        while True:
            entry = self._entry(call)
            verdict = self._verdict(call, entry)
            if verdict == "accepted":
                call.succeeded()
                call.set(self.into, entry, sensitive=self.sensitive)
                return "next"
            if verdict == "again":
                continue
            if entry:
                call.forget_keys()
            if call.failed() >= self.tries:
                if verdict == "no-match" and not call.leads(verdict):
                    call.say(Prompt("not-a-number"))
                call.succeeded()
                return "otherwise"
            if call.leads(verdict):
                return verdict
            if verdict == "no-match":
                call.say(Prompt("not-a-number"))

    def _verdict(self, call: Conversation, entry: str) -> Literal["accepted", "again", "no-input", "no-match"]:
        if not entry:
            return "no-input"
        if not self._fits(entry):
            return "no-match"
        return self._confirmed(call, entry) if self.confirm else "accepted"

    def _entry(self, call: Conversation) -> str:
        """What was keyed up to the end key, the greatest length or a pause; "" for silence."""
        call.say(self.say)
        own = DIGITS | {self.digits.end}
        entry = ""
        while len(entry) < self.digits.max:
            key = call.key(self.digits.between if entry else self.timeout, own=own, masked=self.sensitive)
            if key is None or key == self.digits.end:
                return entry
            if key in DIGITS:
                entry += key
            elif key == AGAIN:
                entry = ""
        call.let_pass(self.digits.end, SOON)
        return entry

    def _fits(self, entry: str) -> bool:
        if not self.digits.min <= len(entry) <= self.digits.max:
            return False
        return not self.pattern or any(matches(pattern(written), entry) for written in self.pattern)

    def _confirmed(self, call: Conversation, entry: str) -> Literal["accepted", "again", "no-input"]:
        """Reads the digits back until the caller has agreed or not, at most `tries` times."""
        for _ in range(self.tries):
            call.say(
                Prompt("confirm-number"),
                values={"number": entry},
                sensitive=frozenset({"number"} if self.sensitive else ()),
            )
            match call.key(self.timeout, own=frozenset("12"), masked=self.sensitive):
                case "1":
                    return "accepted"
                case "2":
                    return "again"
        return "no-input"
