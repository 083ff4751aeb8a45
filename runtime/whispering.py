"""What an agent hears before the caller, in the caller's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ivr.language.templates import CannotEvaluate, template
from ivr.services import CannotSpeak, Voice
from runtime.agent_leg import Offered
from switch.port import Media

EXAMPLE = {"queue": "service", "name": ""}
PROMPTS = ("whisper", "whisper-named")  # which are given these values
ASK = "press-to-accept"


def whispered(voice: Voice) -> Callable[[Offered], Sequence[Media]]:
    """What an agent hears before the caller: the queue, and the caller's name where it is known."""

    def whisper(offered: Offered) -> Sequence[Media]:
        language, name = offered.request.language, offered.request.caller.name
        queue = voice.catalogue_text(f"queue-{offered.queue}", language) or offered.queue
        prompt = voice.catalogue_text("whisper-named" if name else "whisper", language)
        try:
            said = template(prompt).speech({"queue": queue, "name": name}, language)
        except (CannotEvaluate, ValueError) as error:
            raise CannotSpeak(f"whisper: {error}") from error
        return voice.text(said, language)

    return whisper


def asked_to_accept(voice: Voice) -> Callable[[Offered], Sequence[Media]]:
    """What an agent at any telephone hears behind the whisper."""
    return lambda offered: voice.prompt(ASK, offered.request.language)
