"""collect: asks for digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.document import OneOrSeveral, Written
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.phrases import Phrase, Prompt
from ivr.step import Exit, Key, NewVariable, Patience, Shape, Step

DIGITS = frozenset("0123456789")
AGAIN = "*"  # begins the entry anew, unless it ends it or works everywhere in the flow
SOON = 3.0  # so many seconds after a complete entry its end key still belongs to it


def _mask(text: str) -> str:
    if not text or set(text) - DIGITS - {"x"}:
        raise ValueError(f"'{text}' is not a pattern; write digits, and x for any digit, for example 1xxxxxxxxxx")
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
    back: 1 accepts, 2 enters again. With `sensitive` they are kept out of the journal, the log and every file.
    """

    verb = "collect"
    exits: ClassVar = {
        "next": Exit(required=True, about="when the digits fit"),
        "otherwise": Exit(required=True, silent=True, about="after so many tries"),
    }
    broken = "otherwise"
    prompts = frozenset({"not-a-number", "confirm-number"})

    say: Phrase
    """What is asked."""
    digits: Digits = Digits()
    """How many digits, and what ends them."""
    timeout: Patience = 5.0
    """How long a silence after the prompt may last."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Silences, and entries that do not fit."""
    pattern: Annotated[tuple[Annotated[str, AfterValidator(_mask)], ...], OneOrSeveral] = ()
    """Digits as they must be, `x` for any (`1xxxxxxxxxx`), or a list of such."""
    confirm: bool = False
    """Reads the digits back: 1 accepts them, 2 enters them again."""
    sensitive: bool = False
    """Keeps the digits out of the journal, the log and every spoken file."""
    into: NewVariable
    """The variable that keeps the digits."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:  # noqa: ARG002
        return {"next": {self.into: None}}

    def run(self, call: Conversation) -> str:
        failures = 0
        while failures < self.tries:
            entry = self._entry(call)
            if self._fits(entry):
                verdict = self._confirmed(call, entry) if self.confirm else "accepted"
                if verdict == "accepted":
                    call.set(self.into, entry, sensitive=self.sensitive)
                    return "next"
                failures += verdict == "silent"
                continue
            failures += 1
            if entry:
                call.forget_keys()
                call.say(Prompt("not-a-number"))
        return "otherwise"

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
        return not self.pattern or any(_matches(entry, mask) for mask in self.pattern)

    def _confirmed(self, call: Conversation, entry: str) -> Literal["accepted", "again", "silent"]:
        """Reads the digits back until the caller has agreed or not, at most `tries` times."""
        for _ in range(self.tries):
            call.say(
                Prompt("confirm-number"),
                values={"number": entry},
                sensitive=frozenset({"number"} if self.sensitive else ()),
            )
            match call.key(self.timeout, own=frozenset("12")):
                case "1":
                    return "accepted"
                case "2":
                    return "again"
        return "silent"


def _matches(entry: str, mask: str) -> bool:
    return len(entry) == len(mask) and all(wanted in {"x", digit} for digit, wanted in zip(entry, mask, strict=True))
