"""Telephones for tests: sipp speaks SIP, an RTP endpoint of ours speaks and hears, the test decides what happens.

Every wait of a test has a deadline; Late says what did not happen, and names the
file with the SIP messages.
"""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.live import heard, rtp
from tests.live.sipp import PROGRAM, Sipp, assembled, free_port

T = TypeVar("T")
_NUMBERS = itertools.count(1)  # of callers, each has its own


class Late(AssertionError):
    """Something that the test waited for did not happen in time."""


class Leg:
    """One call as a telephone knows it.

    `ended` is "" while it lives, then who ended it: us, them, cancelled, refused CODE, or lost with its telephone.
    """

    def __init__(self, name: str, sipp: Sipp | None = None, call_id: str = "", *, media: rtp.Endpoint) -> None:
        self.name = name
        self.media = media
        self.news: list[tuple[float, str]] = []
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.ended = ""
        self.from_header = ""
        self._sipp, self._call_id = sipp, call_id
        self._decided = threading.Lock()  # held for good by who said first what becomes of a call that rings

    # What the test does

    def press(self, keys: str) -> None:
        """RFC 2833, in the media; a space is a second's pause. Returns at once."""
        self.media.press(keys)

    def press_by_info(self, key: str) -> None:
        """One key by SIP INFO instead."""
        self._tell(f"info {key}")

    def offer(self, codec: rtp.Codec) -> None:
        """Offers to go on in another codec (a re-INVITE); returns when the far end has agreed."""
        moved = len(self.news)
        self._tell(f"offer {codec.payload} {codec.name}")
        self._await(lambda: any(news.startswith("moved") for _, news in self.news[moved:]), 5, "was not agreed with")

    def say(self, source: rtp.Source) -> None:
        self.media.say(source)

    def tone(self, frequency: float) -> None:
        self.media.say(rtp.tone(frequency))

    def hang_up(self) -> None:
        """Ends the call, or cancels it while it rings; returns when the far end confirmed it."""
        if not self.ended:
            self.leave()
            self.wait_ended(5)

    def answer(self) -> None:
        if self._decided.acquire(blocking=False):
            self._tell(f"answer {self.media.port}")

    def decline(self, code: int = 486) -> None:
        """Declines with 486, 480 or 603."""
        if self._decided.acquire(blocking=False):
            self._tell(f"decline {code}")

    def leave(self) -> None:
        """Hangs up and does not wait for the end."""
        if not self._decided.acquire(blocking=False):
            # sipp drops the whole call, without a word, at a command that comes while it waits for the answer's ACK.
            self._await(lambda: self.answered_at is not None or self.ended, 5, "was not answered")
        self._tell("bye")

    # What the test learns

    def heard(self, since: float | None = None, until: float | None = None) -> rtp.Samples:
        """What this end heard between two moments of `media.now()`; from the answer to the end by default."""
        since = (self.answered_at or 0.0) if since is None else since
        return self.media.heard(since, self.ended_at if until is None else until)

    def wait_answered(self, within: float = 10) -> None:
        self._await(lambda: self.answered_at is not None or bool(self.ended), within, "was not answered")
        if self.answered_at is None:
            raise Late(f"{self}: {self.ended}, not answered")

    def wait_ended(self, within: float = 10) -> str:
        self._await(lambda: bool(self.ended), within, "did not end")
        return self.ended

    def wait_for_sound(self, within: float = 5, *, since: float | None = None, lasting: float = 0.2) -> float:
        """When a sound of at least `lasting` seconds began, on the timeline of `media`."""
        begin = (self.answered_at or 0.0) if since is None else since

        def found() -> float | None:
            for span in heard.sounds(self.media.heard(begin)):
                if span.seconds >= lasting:
                    return begin + span.start
            return None

        return self._await(found, within, "heard nothing")

    def wait_for_tone(self, frequency: float, within: float = 5, *, since: float | None = None) -> heard.Tone:
        """The tone, with its times on the timeline of `media`."""
        begin = (self.answered_at or 0.0) if since is None else since

        def found() -> heard.Tone | None:
            for tone in heard.tones(self.media.heard(begin), frequency):
                return heard.Tone(frequency, begin + tone.start, begin + tone.end, tone.level)
            return None

        return self._await(found, within, f"did not hear {frequency} Hz")

    def wait_for(self, recording: rtp.Samples, within: float = 10, *, since: float | None = None) -> heard.Match:
        """Waits until the recording was heard to its end; the match, placed on the timeline of `media`."""
        searched = (self.answered_at or 0.0) if since is None else since
        longest = len(recording) / rtp.RATE + 1  # it may come with pauses between its parts
        best = heard.Match(-1.0, 0.0)

        def found() -> heard.Match | None:
            """Looks at what is new, and at as much before it as the recording may reach back."""
            nonlocal searched, best
            now = self.media.now()
            match = heard.same(recording, self.media.heard(searched, now))
            match = heard.Match(match.score, searched + match.at)
            best = max(best, match, key=lambda each: each.score)
            searched = max(searched, now - longest)
            whole = match.at + len(recording) / rtp.RATE <= now
            return match if match.score >= heard.SAME and whole else None

        try:
            return self._await(found, within, "did not hear the recording", every=0.5)
        except Late as late:
            raise Late(f"{late}; best match {best.score:.2f}") from None

    def wait_for_quiet(self, lasting: float, within: float = 10) -> None:
        """Until nothing was heard for so long."""

        def found() -> bool:
            now = self.media.now()
            return now > lasting and not heard.sounds(self.media.heard(now - lasting))

        self._await(found, within, "it did not become quiet")

    def close(self) -> None:
        """Ends the call where it still lives, and frees its ports."""
        if not self.ended and self._sipp is not None:
            self._tell("bye")
            self.media.wait_until(lambda: self.ended, 2)
        if self._sipp is not None and self.answered_at is not None:
            heard.write_wav(self._sipp.log.with_suffix(f".{self._call_id.partition('-')[0]}.wav"), self.heard())
        self.media.close()

    def __repr__(self) -> str:
        return f"{self.name} ({', '.join(f'{at:.1f} {what}' for at, what in self.news[-4:]) or 'no news'})"

    # What sipp says

    def told(self, news: str) -> None:
        at = self.media.now()
        self.news.append((at, news))
        word, _, rest = news.partition(" ")
        match word:
            case "answered" | "early" | "moved":
                address, port, payload = rest.split()
                self.media.send_to(address, int(port), int(payload))
                if word == "answered":
                    self.answered_at = self._answer_heard(at)
            case "rung":
                self.from_header = rest
            case "refused":
                self.finish(news)
            case "ended":
                self.finish(rest)

    def _answer_heard(self, told: float) -> float:
        """Since when the answer was heard: on a busy machine sipp's word of it comes after the first sound."""
        first = self.media.first_heard
        announced = any(news.startswith("early") for _, news in self.news)
        return told if first is None or announced else min(told, first)

    def finish(self, how: str) -> None:
        if not self.ended:
            self.media.stop_sending()
            self.ended_at = self.media.now()
            self.ended = how

    def _tell(self, what: str) -> None:
        assert self._sipp is not None
        self._sipp.tell(self._call_id, what)

    def _await(self, found: Callable[[], T], within: float, complaint: str, every: float = 0.02) -> T:
        looked_at = -every

        def look() -> T | None:
            nonlocal looked_at
            if self.media.now() - looked_at < every:
                return None
            value = found()
            looked_at = self.media.now()
            return value

        value = self.media.wait_until(look, within) or found()
        if not value:
            where = self._sipp.log if self._sipp else ""
            raise Late(f"{self}: {complaint} within {within:g} s; SIP in {where}")
        return value


class Caller(Leg):
    """A call that was dialled: from the trunk, or from an agent's telephone with its account."""

    def __init__(
        self,
        number: str,
        *,
        to: tuple[str, int],
        log: Path,
        caller: str,
        name: str = "",
        codec: rtp.Codec = rtp.PCMA,
        events: bool = True,
        account: tuple[str, str] | None = None,
        local: str = "127.0.0.1",
    ) -> None:
        media = rtp.Endpoint(local)
        self.caller = caller
        super().__init__(f"{caller or 'anonymous'} to {number}", media=media)
        address = f"<sip:{caller}@{local}>" if caller else "<sip:anonymous@anonymous.invalid>"
        display = f'"{name}" ' if name else ""
        user, password = account or ("nobody", "nothing")
        arguments = [
            "-key", "from", display + address, "-key", "to", f"sip:{number}@{to[0]}:{to[1]}",
            "-au", user, "-ap", password,
            "-key", "media_at", str(media.port), "-key", "payload", str(codec.payload), "-key", "codec", codec.name,
        ]  # fmt: skip
        scenario = "caller" if events else "caller-without-events"
        self._dialling = threading.Event()
        self._sipp = Sipp(scenario, arguments, log=log, to=to, local=local, on_news=self._news, on_end=self._lost)
        if not self._dialling.wait(10):
            raise Late(f"{self}: sipp did not dial; see {log}.out")

    def leave(self) -> None:
        # Before the far end's first reaction there is nothing that could be cancelled (RFC 3261, 9.1).
        self._await(lambda: self.ended or len(self.news) > 1, 5, "there was no reaction")
        super().leave()

    def close(self) -> None:
        super().close()
        assert self._sipp is not None
        self._sipp.stop()

    def _news(self, call_id: str, news: str) -> None:
        self._call_id = call_id
        self.told(news)
        self._dialling.set()

    def _lost(self) -> None:
        self.finish("lost")


class Phone:
    """An agent's telephone: registers, rings, answers or not as told, and dials.

    It answers `answer_after` seconds after it rang; with None it rings until the caller gives up. With 486, 480 or 603
    in `decline_with` it declines. While it talks or rings, a second call gets 486 Busy Here.
    """

    def __init__(
        self,
        account: str,
        password: str,
        *,
        to: tuple[str, int],
        log: Path,
        codec: rtp.Codec = rtp.PCMA,
        tone: float | None = None,
        local: str = "127.0.0.1",
        port: int | None = None,
    ) -> None:
        self.account = account
        self.answer_after: float | None = 0.3
        self.decline_with: int | None = None
        self.source = rtp.tone(tone) if tone else rtp.silence
        self.calls: list[Leg] = []
        self._password, self._to, self._log, self._codec, self._local = password, to, log, codec, local
        self._changed = threading.Condition()
        self._by_id: dict[str, Leg] = {}
        self.dialled: list[Caller] = []
        self._port = port or free_port(local)
        self._sipp: Sipp | None = None

    # What the test does

    def register(self) -> None:
        """Plugs the telephone in. Raises AssertionError when the switch refuses its registration."""
        self.unplug()
        self._registration(3600)
        self.plug_in()

    def plug_in(self) -> None:
        """Rings from now on for whoever knows its address."""
        keys = ["-key", "payload", str(self._codec.payload), "-key", "codec", self._codec.name]
        self._sipp = Sipp(
            "phone", keys, log=self._log, port=self._port, local=self._local, calls=1000,
            on_news=self._news, on_end=self._unplugged,
        )  # fmt: skip

    def unregister(self) -> None:
        """Takes the registration back, as a telephone does that is switched off."""
        self.unplug()
        self._registration(0)

    def unplug(self) -> None:
        """Nothing answers any more, and the switch does not know."""
        if self._sipp is not None:
            self._sipp.stop()
            self._sipp = None

    def dial(self, number: str) -> Caller:
        """Dials as this account, authenticated: star codes, other agents, the trunk."""
        log = self._log.with_name(f"{self._log.name}-dials-{len(self.dialled) + 1}")
        call = Caller(
            number, to=self._to, log=log, caller=self.account, account=(self.account, self._password),
            codec=self._codec, local=self._local,
        )  # fmt: skip
        self.dialled.append(call)
        return call

    def answer(self, leg: Leg) -> None:
        leg.answer()

    def close(self) -> None:
        for call in (*self.calls, *self.dialled):
            call.close()
        self.unplug()

    # What the test learns

    @property
    def address(self) -> tuple[str, int]:
        return self._local, self._port

    @property
    def call(self) -> Leg | None:
        """The call that rings or talks now."""
        return next((leg for leg in self.calls if not leg.ended), None)

    def wait_rung(self, count: int = 1, within: float = 10) -> Leg:
        """Waits for the `count`-th call since the telephone was made."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.calls) >= count, within):
                raise Late(f"{self} did not ring {count} times within {within:g} s; SIP in {self._log}.sip")
            return self.calls[count - 1]

    def __repr__(self) -> str:
        return f"{self.account} ({len(self.calls)} calls, now {self.call or 'idle'})"

    # What sipp says

    def _news(self, call_id: str, news: str) -> None:
        leg = self._by_id.get(call_id)
        if leg is None:
            leg = self._rung(call_id)
        leg.told(news)

    def _rung(self, call_id: str) -> Leg:
        busy = self.call is not None
        leg = Leg(f"{self.account} rung", self._sipp, call_id, media=rtp.Endpoint(self._local))
        leg.say(self.source)
        with self._changed:
            self._by_id[call_id] = leg
            self.calls.append(leg)
            self._changed.notify_all()
        if busy or self.decline_with is not None:
            leg.decline(486 if busy or self.decline_with is None else self.decline_with)
        elif self.answer_after is not None:
            timer = threading.Timer(self.answer_after, leg.answer)
            timer.daemon = True
            timer.start()
        return leg

    def _unplugged(self) -> None:
        for leg in self.calls:
            leg.finish("lost")

    def _registration(self, expires: int) -> None:
        log = self._log.with_name(f"{self._log.name}-registers")
        log.with_suffix(".xml").write_text(assembled("register"))
        # From the telephone's own port, as telephones do: a switch may note where a registration came from.
        done = subprocess.run(
            [*PROGRAM, f"{self._to[0]}:{self._to[1]}", "-sf", str(log.with_suffix(".xml")),
             "-i", self._local, "-p", str(self._port), "-m", "1", "-nostdin", "-ci", self._local,
             "-au", self.account, "-ap", self._password,
             "-key", "account", self.account, "-key", "expires", str(expires),
             "-key", "contact", f"{self._local}:{self._port}",
             "-timeout", "10s", "-timeout_error", "-trace_msg", "-message_file", str(log.with_suffix(".sip"))],
            stdin=subprocess.DEVNULL, capture_output=True, cwd=log.parent, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.account} could not register; SIP in {log}.sip"


class Phones:
    """The telephones of one test: made here, closed together."""

    def __init__(self, trunk: tuple[str, int], agents: tuple[str, int], logs: Path, local: str = "127.0.0.1") -> None:
        self.made: list[Caller | Phone] = []
        self.trunk, self._agents, self._logs, self._local = trunk, agents, logs, local
        logs.mkdir(parents=True, exist_ok=True)

    def call(
        self,
        number: str,
        *,
        caller: str | None = None,
        name: str = "",
        tone: float | None = None,
        codec: rtp.Codec = rtp.PCMA,
        events: bool = True,
    ) -> Caller:
        """Dials a number through the trunk, from a number of its own; "" hides it.

        `name` stands raw between the quotes of the From header. Without `events` no RFC 2833 is offered.
        """
        caller = f"139{next(_NUMBERS):08d}" if caller is None else caller
        call = Caller(
            number,
            to=self.trunk,
            log=self._log("caller"),
            caller=caller,
            name=name,
            codec=codec,
            events=events,
            local=self._local,
        )
        self.made.append(call)
        if tone:
            call.tone(tone)
        return call

    def agent(
        self,
        account: str,
        password: str,
        *,
        tone: float | None = None,
        codec: rtp.Codec = rtp.PCMA,
        port: int | None = None,
    ) -> Phone:
        """A telephone that is not yet registered."""
        log = self._log(f"agent-{account}")
        phone = Phone(account, password, to=self._agents, log=log, codec=codec, tone=tone, local=self._local, port=port)
        self.made.append(phone)
        return phone

    @property
    def calls(self) -> int:
        """How many calls these telephones made or were rung with."""
        agents = [phone for phone in self.made if isinstance(phone, Phone)]
        return len(self.made) - len(agents) + sum(len(phone.calls) + len(phone.dialled) for phone in agents)

    def close(self) -> None:
        for phone in self.made:
            phone.close()
        self.made.clear()

    def _log(self, name: str) -> Path:
        return self._logs / f"{len(self.made) + 1:02d}-{name}"
