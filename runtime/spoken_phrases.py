"""`ivr.services.Ears` over the recognisers: where utterances lie, and that none of them stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog

from ivr.services import CannotRecognise
from runtime.filing import new_file
from speech.ears import Ears
from speech.port import CannotRecognise as NotRecognised
from switch.port import CallId
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)


class SpokenPhrases:
    """What callers say, in `directory` for as long as it takes to look into it."""

    def __init__(self, ears: Ears, directory: Path, clock: Clock) -> None:
        self._ears = ears
        self._directory = directory
        self._clock = clock

    def start(self) -> None:
        """Removes what an earlier life of this process left behind."""
        for left in self._directory.glob("*.wav"):
            self.forget(left)

    def load_models(self) -> None:
        """Now and in processes of their own, so that the first caller finds them ready."""
        self._ears.start()

    def close(self) -> None:
        self._ears.close()

    def understand(self, language: str) -> bool:
        return language in self._ears.languages

    def file_for(self, call: CallId, visit: int) -> Path:  # noqa: ARG002 - a name that says nothing of the call
        try:
            return new_file(self._directory)
        except OSError as error:
            raise CannotRecognise(f"{self._directory}: {error.strerror}") from error

    def recognise(self, said: Path, language: str, phrases: Sequence[str]) -> str | None:
        with self._clock.working():
            try:
                return self._ears.recognise(said, language, phrases)
            except NotRecognised as error:
                raise CannotRecognise(str(error)) from error

    def forget(self, said: Path) -> None:
        try:
            said.unlink(missing_ok=True)
        except OSError as error:
            log.error("what a caller said cannot be removed", file=str(said), why=str(error))
