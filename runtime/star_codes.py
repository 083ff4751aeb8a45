"""What agents dial on their own phones: log on and off, ready and not ready, more time after a call.

Authorised by the account that the switch authenticated, never by what the phone says of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from acd.model import AgentState
from acd.reasons import Reasons
from ivr.services import CannotSpeak, Voice
from journal.writer import Journal
from switch.port import ANY, Call, CannotPlay, Key

log = structlog.get_logger(__name__)

REASON_KEY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class StarCode:
    state: AgentState
    reason: str
    prompt: str


MORE_TIME = "*14"
EXTENSION_SECONDS = 60.0

STAR_CODES: Mapping[str, StarCode] = {
    "*10": StarCode(AgentState.NOT_READY, "logged on", "logged-on"),
    "*11": StarCode(AgentState.LOGGED_OFF, "", "logged-off"),
    "*12": StarCode(AgentState.READY, "", "ready"),
    "*13": StarCode(AgentState.NOT_READY, "", "not-ready"),
}

PROMPTS = (
    *(code.prompt for code in STAR_CODES.values()),
    "more-time",
    "not-possible-now",
    "not-an-agent",
    "ask-not-ready-reason",
)


class StarCodes:
    """Serves one call from an agent's phone that dialled a star code."""

    def __init__(
        self,
        *,
        agent_of: Callable[[str], str | None],
        set_state: Callable[[str, AgentState, str], None],
        extend: Callable[[str, float], bool],
        reasons: Callable[[], Reasons],
        voice: Voice,
        language: str,
        journal: Journal,
    ) -> None:
        self._agent_of = agent_of
        self._set_state = set_state
        self._extend = extend
        self._reasons = reasons
        self._voice = voice
        self._language = language
        self._journal = journal

    def serves(self, call: Call) -> bool:
        return call.dialled.startswith("*")

    def run(self, call: Call) -> None:
        """Does what was dialled and says so. Raises CallEnded."""
        call.answer()
        code = STAR_CODES.get(call.dialled)
        agent = self._agent_of(call.account) if call.account else None
        if agent is not None and call.dialled == MORE_TIME:
            self._journal.append("StarCodeDialled", call.id, code=call.dialled, agent=agent, reason="")
            self._say(call, "more-time" if self._extend(agent, EXTENSION_SECONDS) else "not-possible-now")
            return
        if code is None or agent is None:
            self._journal.append("StarCodeRefused", call.id, code=call.dialled, account=call.account)
            self._say(call, "not-an-agent")
            return
        reason = code.reason or (self._reason(call) if code.state is AgentState.NOT_READY else "")
        self._journal.append("StarCodeDialled", call.id, code=call.dialled, agent=agent, reason=reason)
        self._set_state(agent, code.state, reason)
        self._say(call, code.prompt)

    def _reason(self, call: Call) -> str:
        self._say(call, "ask-not-ready-reason", stop=True)
        key = call.wait(REASON_KEY_SECONDS)
        return self._reasons().by_key(key.digit if isinstance(key, Key) else "")

    def _say(self, call: Call, prompt: str, *, stop: bool = False) -> None:
        try:
            call.play(self._voice.prompt(prompt, self._language), stop_on=ANY if stop else frozenset())
        except (CannotSpeak, CannotPlay):
            log.exception("star code: could not be confirmed aloud", prompt=prompt)
