"""What happens to calls and agents, told in lines that people read: by the demo, on whatever switch it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

UNKNOWN = "anonymous"
TURNED_DOWN = {
    "OfferDeclined": "declines",
    "OfferNotAnswered": "does not answer",
    "OfferFailed": "cannot be reached",
    "ConnectFailed": "had hung up",
}


def music(name: str) -> str:
    return f"(music: {name})"


def talking(to: str) -> str:
    return f"(talking to {to})"


def pressed(digit: str) -> str:
    return f"[{digit}]"


class Teller:
    """Journal records as lines. `text_of` knows the text of a prompt in a language, `names` those of the agents."""

    def __init__(self, text_of: Callable[[str, str], str], names: Mapping[str, str], zone: ZoneInfo) -> None:
        self._text_of = text_of
        self._names = names
        self._zone = zone
        self._callers: dict[str, str] = {}
        self._offers: dict[str, str] = {}

    def line(self, record: Mapping[str, Any]) -> str:
        """When, who and what; "" for what says nothing to people."""
        if record["type"] in {"CallArrived", "CallReturned"}:
            self._callers[record["call"]] = record["caller"] or UNKNOWN
        if record["type"] == "OfferCall":
            self._offers[record["offer"]] = record["agent"]
        who, what = self._told(record)
        at = datetime.fromisoformat(record["at"]).astimezone(self._zone)
        return f"{at:%H:%M:%S}  {who:<13}  {what}" if what else ""

    def _told(self, record: Mapping[str, Any]) -> tuple[str, str]:
        caller = self._callers.get(record["call"], UNKNOWN)
        if what := self._of_caller(record):
            return caller, what
        agent = record.get("agent") or self._offers.get(record.get("offer", ""), "")
        return f"agent {agent}", self._of_agent(record, caller)

    def _of_caller(self, record: Mapping[str, Any]) -> str:
        what = ""
        match record["type"]:
            case "CallArrived" | "CallReturned":
                what = f"dials {record['dialled']}"
            case "PromptPlayed":
                what = self._said(record)
            case "KeyPressed":
                what = pressed(record["key"])
            case "LookupFailed":
                what = "(the CRM did not answer)"
            case "StepFailed":
                what = f"(step {record['step']} failed: {record['detail']})"
            case "CallQueued":
                what = f"(waits with music in queue {record['queue']})"
            case "CallConnected":
                what = talking(f"{self._names.get(record['agent'], '')} ({record['agent']})".lstrip())
            case "TalkEnded":
                what = f"(the talk has ended after {record.get('talked', 0) / 1000:.0f} s)"
            case "MessageKept":
                what = f"(a message of {record['seconds']:.0f} s is kept in mailbox {record['box']})"
            case "StarCodeRefused":
                what = "(is no agent: nothing was changed)"
            case "CallDetached":
                what = "(the connection to the switch broke)"
            case "CallEnded":
                what = f"(the call has ended: {record['outcome']})"
        return what

    def _of_agent(self, record: Mapping[str, Any], caller: str) -> str:
        what = TURNED_DOWN.get(record["type"], "")
        match record["type"]:
            case "OfferCall":
                what = f"the phone rings: {caller} from queue {record['queue']}"
            case "OfferAnswered":
                what = "has answered, and was told who calls"
            case "WithdrawOffer":
                what = f"the phone stops ringing: {record['reason']}"
            case "AgentStateChanged":
                what = f"is {record['state']}{_because(record['reason'])}"
        return what

    def _said(self, record: Mapping[str, Any]) -> str:
        return str(record.get("text") or self._text_of(record["prompt"], record["language"]) or f"({record['prompt']})")


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
