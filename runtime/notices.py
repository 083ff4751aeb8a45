"""E-mails that tell of new messages, with the message attached: sent once, tried until the server takes them."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import structlog
from gevent.threadpool import ThreadPool

from config.appliance import Mail
from journal.writer import Journal
from store.rows import Notice
from store.store import Store, StoreFailed
from switch.port import CallId
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(minutes=1)  # doubled with every attempt
LONGEST_PAUSE = timedelta(hours=1)
DATABASE_TRIED_AGAIN = 30.0  # seconds

ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", re.ASCII)

EXAMPLE = {"box": "service", "caller": "13800000001", "name": "", "received": "2026-11-23 10:05", "length": "0:42"}
PROMPTS = ("notice-subject", "notice-text")  # which are given these values

Words = Callable[[str, dict[str, object]], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one e-mail: taken by the server, refused for good, or to be tried again."""

    what: Literal["sent", "refused", "failed"]
    why: str = ""
    server_away: bool = False  # the others need not be tried now


class Notices:
    """Calling it sends what is due. What is to be sent stands in the store, and survives every restart.

    Pauses go by the clock that never goes back; over a restart by the time of day, but none is longer than the longest.
    `words` gives the text of a prompt with its values: ``notice-subject`` and ``notice-text``.
    """

    def __init__(
        self, store: Store, settings: Mail, clock: Clock, journal: Journal, *, words: Words, zone: ZoneInfo
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._began = clock.wall().astimezone(UTC) - timedelta(milliseconds=clock.now())
        self._journal = journal
        self._words = words
        self._zone = zone
        self._thread = ThreadPool(1)
        self.trouble = ""

    def __call__(self) -> float | None:
        """Returns in how many seconds the next one is due; None when there is none to send."""
        try:
            if self._settings.server:
                self._send_due()
            due = self._store.voicemail.next_notice()
        except StoreFailed as error:
            log.debug("notices cannot be looked up", error=str(error))
            return DATABASE_TRIED_AGAIN
        if due is None:
            self.trouble = ""
            return None
        if not self._settings.server:
            self.trouble = "e-mails about messages wait: set mail.server in appliance.yaml"
            return None
        return min(max(1.0, (due - self._now()).total_seconds()), LONGEST_PAUSE.total_seconds())

    def _send_due(self) -> None:
        for notice in self._due():
            outcome = self._send(notice)
            self._settle(notice, outcome)
            if outcome.server_away:
                self._put_off_the_rest()
                return

    def _due(self) -> list[Notice]:
        now = self._now()
        return self._store.voicemail.due_notices(now, latest=now + LONGEST_PAUSE)

    def _send(self, notice: Notice) -> Outcome:
        try:
            mail = self._written(notice)
        except ValueError as error:  # the address was changed since, by hand
            return Outcome("refused", str(error))
        with self._clock.working():
            outcome: Outcome = self._thread.apply(deliver, (self._settings, mail, Path(notice.message.path)))
        return outcome

    def _settle(self, notice: Notice, outcome: Outcome) -> None:
        message, call = notice.message, CallId(notice.message.call)
        facts = {"box": message.box, "message": message.id}
        match outcome.what:
            case "sent":
                self._journal.append("NoticeSent", call, **facts)
                self._store.voicemail.notice_over(message.id)
                self.trouble = ""
            case "refused":
                self._journal.append("NoticeRefused", call, **facts, reason=outcome.why)
                self._store.voicemail.notice_over(message.id)
                self.trouble = f"an e-mail about a message in {message.box} was refused for good: {outcome.why}"
            case "failed":
                due = self._now() + min(FIRST_PAUSE * (1 << min(notice.attempts, 10)), LONGEST_PAUSE)
                self._store.voicemail.notice_failed(message.id, due, outcome.why)
                self.trouble = f"e-mails about messages wait: {outcome.why}"
        log.info("a notice by e-mail", outcome=outcome.what, box=message.box, message=message.id, reason=outcome.why)

    def _put_off_the_rest(self) -> None:
        """With the server away one attempt tells as much as a hundred."""
        due = self._now() + FIRST_PAUSE
        for notice in self._due():
            self._store.voicemail.notice_failed(notice.message.id, due, "the server was away")

    def _written(self, notice: Notice) -> EmailMessage:
        message = notice.message
        received = message.received.astimezone(self._zone)
        values: dict[str, object] = {
            "box": message.box,
            "caller": _one_line(message.caller) or "?",
            "name": _one_line(message.caller_name),
            "received": f"{received:%Y-%m-%d %H:%M}",
            "length": f"{int(message.seconds) // 60}:{int(message.seconds) % 60:02d}",
        }
        mail = EmailMessage()
        mail["Subject"] = _one_line(self._words("notice-subject", values))
        mail["From"] = self._settings.sender
        mail["To"] = ", ".join(recipients(notice.to))
        mail["Date"] = format_datetime(self._clock.wall().astimezone(UTC))
        mail["Message-ID"] = f"<{message.id}@{self._settings.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self._words("notice-text", values) + "\n")
        return mail

    def _now(self) -> datetime:
        """The time of day as it would be if nobody had set it since this process began."""
        return self._began + timedelta(milliseconds=self._clock.now())


def recipients(addresses: str) -> list[str]:
    """The addresses of a mailbox's `email`, which may hold several with commas. Raises ValueError."""
    found = [address for _, address in getaddresses([addresses])]
    if not found or not all(ADDRESS.fullmatch(address) for address in found):
        raise ValueError(f"'{addresses}' is not one or more e-mail addresses")
    return found


def deliver(settings: Mail, mail: EmailMessage, audio: Path) -> Outcome:
    """Sends one e-mail with its message attached. Blocks, for at most some times `within`; raises nothing."""
    try:
        attached = audio.read_bytes()
    except OSError as error:
        return Outcome("refused", f"the message's audio cannot be read: {error.strerror or error}")
    mail.add_attachment(attached, maintype="audio", subtype="wav", filename=f"{mail['Message-ID'][1:9]}.wav")
    try:
        with _connected(settings) as server:
            refused = server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        return _refusal(error.recipients)
    except smtplib.SMTPResponseException as error:
        final = 500 <= error.smtp_code < 600 and not isinstance(error, smtplib.SMTPAuthenticationError)
        return Outcome("refused" if final else "failed", _answer(error.smtp_code, error.smtp_error), not final)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Outcome("failed", str(error) or type(error).__name__, server_away=True)
    return Outcome("sent", "but not to all" if refused else "")


def _connected(settings: Mail) -> smtplib.SMTP:
    host, _, port = settings.server.rpartition(":")
    context = ssl.create_default_context()
    name = settings.sender.rpartition("@")[2]  # else it would be looked up, which may take long
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port), name, timeout=settings.within, context=context)
    else:
        server = smtplib.SMTP(host, int(port), name, timeout=settings.within)
    try:
        if settings.tls == "starttls":
            server.starttls(context=context)
        if settings.user:
            password = settings.password_file.read_text(encoding="utf-8").strip()
            server.login(settings.user, password)
    except BaseException:
        server.close()
        raise
    return server


def _refusal(recipients: dict[str, tuple[int, bytes]]) -> Outcome:
    """All were refused: for good only where every one was."""
    codes = [code for code, _ in recipients.values()]
    code, text = next(iter(recipients.values()))
    return Outcome("refused" if all(code >= 500 for code in codes) else "failed", _answer(code, text))


def _answer(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"the mail server answered {code} {_one_line(said)[:200]}"


def _one_line(text: str) -> str:
    """A header's value: what a caller sent as its name must not begin a header of its own."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]", " ", text).split())
