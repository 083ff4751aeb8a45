"""Many callers at once: one sipp, seeded, that is stopped when it is enough."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

from tests.live.sipp import PROGRAM, free_port

SCENARIO = Path(__file__).with_name("crowd.xml")
KINDS = 2000  # lines of the list; then it begins anew
AT_ONCE = 1000  # callers at most; sipp's own limit is one or two


class Crowd:
    """Callers who dial one of `numbers`, so many a second, and hang up after `listens` seconds."""

    def __init__(
        self, to: tuple[str, int], home: Path, *, numbers: list[str], listens: float, per_second: float, seed: int
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / "crowd.out"
        dice = random.Random(seed)
        scenario, people = home / "crowd.xml", home / "people.csv"
        scenario.write_text(SCENARIO.read_text().replace("@LISTENS@", str(round(listens * 1000))))
        lines = [f"{dice.choice(numbers)};{seed:02d}{line:06d}" for line in range(KINDS)]
        people.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                [*PROGRAM, f"{to[0]}:{to[1]}", "-sf", str(scenario), "-inf", str(people), "-i", "127.0.0.1",
                 "-p", str(free_port("127.0.0.1")), "-mp", str(free_port("127.0.0.1")),
                 "-r", str(round(per_second * 10)), "-rp", "10000", "-l", str(AT_ONCE), "-nostdin",
                 "-default_behaviors", "all,-bye",
                 "-trace_err", "-error_file", str(home / "crowd.err"),
                 "-trace_msg", "-message_file", str(home / "crowd.sip"),
                 "-trace_screen", "-screen_file", str(home / "crowd.screen")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=home,
            )  # fmt: skip

    def leave(self, within: float) -> int:
        """Nobody else calls; returns when everybody has hung up: 0 where every call went as it should."""
        self._process.send_signal(signal.SIGUSR1)
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends this sipp with the calls that it still has, if it is still there."""
        self._process.kill()
        self._process.wait(5)
