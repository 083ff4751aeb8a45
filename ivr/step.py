"""What a verb of the flow language is: its fields are the YAML, its exits the ways on, `run` the deed.

A verb is one file in `ivr/steps/` with one `Step` class in it. What its fields name (queues, prompts,
other steps) is marked by the types below, so that the checker knows it without knowing the verb.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.document import Written
from config.schema import NAMES
from config.syntax import Path
from config.values import Duration
from ivr.language.templates import Value
from switch.port import ANY, Capability

if TYPE_CHECKING:
    from ivr.conversation import Conversation
    from ivr.language.house import House

HANG_UP = ""  # the target of an exit that ends the call
KNOWN_FROM_THE_START = frozenset({"caller", "call", "dialled", "language", "now"})


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a step that stands beside its verb: required, or with another exit's target as default."""

    required: bool = False
    default: str | None = None  # the name of another exit, or HANG_UP; None: there need not be such an exit
    silent: bool = False  # a caller who does nothing can come this way
    about: str = ""  # when a call goes this way, for the reference


@dataclass(frozen=True, slots=True)
class Names:
    """Marks a field whose text must be the name of something that exists."""

    kind: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), NAMES: self.kind}


Shape = frozenset[str] | None  # the attributes of a variable that has some, None for a plain value

Prompts = Mapping[str, Mapping[str, object]]
"""Prompts by their ids, each with the values that it is given beside the call's own: an example of each."""


def without_values(*ids: str) -> Prompts:
    """Prompts that are given no values."""
    return dict.fromkeys(ids, MappingProxyType({}))


class Step(Written):
    """One step of a flow, as its administrator wrote it."""

    verb: ClassVar[str]
    exits: ClassVar[Mapping[str, Exit]]
    needs: ClassVar[frozenset[Capability]] = frozenset()
    broken: ClassVar[str] = ""  # the exit by which the call goes on when the step could not do its work
    prompts: ClassVar[Prompts] = MappingProxyType({})  # what the verb speaks of itself
    whole: ClassVar[str] = ""  # the field that the verb's whole value belongs to (``goto: main``)
    ends: ClassVar[bool] = False  # nothing comes after it
    instant: ClassVar[bool] = False  # takes no time of the caller's: such steps must not go round in circles

    @abstractmethod
    def run(self, call: Conversation) -> str:
        """Does the step's work with the caller and returns the name of the exit.

        Lets CallEnded pass; any other exception is a technical error, for which the session apologises.
        """

    def gives(self) -> frozenset[str] | None:
        """The values that it gives to the flow which called this one; None where it does not lead back there."""
        return None

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:  # noqa: ARG002
        """Which variables exist after which exit."""
        return {}

    def speaks(self, house: House) -> frozenset[str]:  # noqa: ARG002
        """The prompt ids that it speaks of itself, as it is written."""
        return frozenset(self.prompts)

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:  # noqa: ARG002
        """What only this verb can know to be wrong: where, from the verb's value, and what."""
        return iter(())

    def remarks(self, house: House) -> Iterator[tuple[Path, str]]:  # noqa: ARG002
        """What is right and yet does nothing here: where, from the verb's value, and what."""
        return iter(())

    def confidential(self) -> bool:
        """Whether what is said and keyed here must be in no recording of the call."""
        return False

    @model_validator(mode="before")
    @classmethod
    def _whole_value(cls, written: Any) -> Any:
        if cls.whole:
            return {cls.whole: written}
        return {} if written is None else written


def _key(text: str) -> str:
    if text not in ANY:
        collect = "; for several digits there is the verb collect" if text.isdecimal() and len(text) > 1 else ""
        raise ValueError(f"'{text}' is not a key; there are 0 to 9, * and #{collect}")
    return text


def _variable(text: str) -> str:
    if not (text.isidentifier() and text.isascii()):
        raise ValueError(f"'{text}' cannot be a variable's name; use letters, digits and _, beginning with a letter")
    return text


def _new(text: str) -> str:
    if text in KNOWN_FROM_THE_START:
        raise ValueError(f"'{text}' has its value from the first step on; choose another name")
    return _variable(text)


Key = Annotated[str, AfterValidator(_key)]
Patience = Annotated[Duration, Field(ge=0.5, le=600)]
StepName = Annotated[str, Names("step")]
QueueName = Annotated[str, Names("queue")]
QueryName = Annotated[str, Names("query")]
CalendarName = Annotated[str, Names("calendar")]
BoxName = Annotated[str, Names("box")]
SkillValue = Annotated[Value, Names("skill")]
LanguageValue = Annotated[Value, Names("language")]
ReadVariable = Annotated[str, Names("variable")]
FlowName = Annotated[str, Names("flow")]
NewVariable = Annotated[str, AfterValidator(_new)]
