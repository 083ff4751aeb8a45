"""branch: goes where the first true expression leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

import structlog
from pydantic import Field

from config.syntax import Path
from ivr.conversation import Conversation
from ivr.language.expressions import CannotEvaluate
from ivr.language.house import House
from ivr.language.templates import Template, Value
from ivr.step import Exit, Step, StepName

log = structlog.get_logger(__name__)


class Branch(Step):
    """Tries the cases from the first to the last and goes where the first true one leads.

        which-service:
          branch:
            cases:
              "{{ caller.tier == 'gold' }}": gold-service
              "{{ order.status in ['shipped', 'delivering'] }}": on-its-way
          otherwise: main

    Nothing, 0, an empty text and `false` are not true; nor is what cannot be worked out, such as whether a
    text is greater than a number.
    """

    verb = "branch"
    exits: ClassVar = {"otherwise": Exit(required=True, silent=True, about="when no case is true")}
    broken = "otherwise"
    instant = True

    cases: Annotated[Mapping[Value, StepName], Field(min_length=1)]
    """Expressions, each with the step that it leads to."""

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:  # noqa: ARG002
        for case in self.cases:
            if not _is_expression(case):
                example = "\"{{ caller.tier == 'gold' }}\""
                yield ("cases", case.source), f"a case is one expression, for example {example}"

    def run(self, call: Conversation) -> str:
        for case in self.cases:
            if self._true(call, case):
                return case.source
        return "otherwise"

    def _true(self, call: Conversation, case: Template) -> bool:
        try:
            return bool(call.value(case))
        except CannotEvaluate as error:
            log.warning("a case cannot be worked out and counts as not true", step=call.state.step, reason=str(error))
            call.note("CaseNotEvaluated", step=call.state.step, case=case.source)
            return False


def _is_expression(case: Template) -> bool:
    return len(case.parts) == 1 and not isinstance(case.parts[0], str)
