"""Playing the scenarios beside a flow, each as a call in virtual time on a stage of its own."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from config.appliance import Config
from config.values import Diagnostic
from config.wording import choices, closest, suggestion
from ivr.language.scenarios import (
    AgentAnswers,
    AgentDeclines,
    Closed,
    DatabaseIs,
    Ended,
    HangUp,
    Hear,
    MessageLeft,
    PositionIs,
    Press,
    Queued,
    Scenario,
    Silence,
    Speak,
    SwitchLost,
    Transferred,
    Wait,
    WebIs,
)
from ivr.language.scenarios import Stage as Act
from ivr.language.templates import CannotEvaluate, template
from runtime.rehearsal import shown
from runtime.stage import TABLES, Stage, StagedHost, make_tables
from speech import words
from speech.catalogue import Catalogue
from speech.library import Library
from speech.port import Synthesiser
from switch.port import Cause
from switch.shared.clock import VirtualClock
from switch.simulated import Heard, Line
from switch.simulated.audio import spoken_between, write_wav

PATIENCE = 180.0  # virtual seconds in which what is expected must happen
BETWEEN = 1.0  # virtual seconds between two agents becoming Ready, so that their order is known
PROMPT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MOST_REASONS = 2  # that are told of one call
MESSAGE = 3  # seconds of a message that lies in the mailbox
PIECES = 50  # in which a prompt is said at most
VARIABLE = re.compile(r"\\\{\\\{.*?\\\}\\\}")


class NotSo(Exception):
    """What a scenario says did not come about; the text says what happened instead."""


def play_all(
    config: Config, scenarios: Sequence[Scenario], catalogue: Catalogue, synthesiser: Synthesiser
) -> Iterator[Diagnostic | None]:
    """Plays one after the other; for each None where it went as written, else where it did not."""
    with tempfile.TemporaryDirectory(prefix="hotline-scenarios-") as home:
        tables = Path(home)
        make_tables(config, tables)
        for number, scenario in enumerate(scenarios):
            scratch = tables / str(number)
            scratch.mkdir()
            shutil.copy(tables / TABLES, scratch / TABLES)
            yield _play(config, scenario, catalogue, synthesiser, scratch)
            shutil.rmtree(scratch)


def _play(
    config: Config, scenario: Scenario, catalogue: Catalogue, synthesiser: Synthesiser, scratch: Path
) -> Diagnostic | None:
    at = scenario.at.replace(tzinfo=config.zone) if scenario.at else datetime.now(config.zone)
    clock = VirtualClock(at)
    library = Library(config.prompts_dir, config.data_dir / "speech", catalogue, synthesiser, clock)
    host = StagedHost(config.crm.url, clock, connections=1)
    stage = Stage(config, clock, scratch, library, agents_answer_after=None, host=host)
    stage.start(ready=())
    player = _Player(stage, clock, host, scenario)
    current: Act | None = None
    try:
        player.dial()
        for current in scenario.steps:
            player.play(current)
    except NotSo as error:
        return scenario.failed(current, str(error))
    finally:
        player.clear()
        stage.stop()
    return None


class _Player:
    """The people around one call: its caller, and the agents that the scenario names."""

    def __init__(self, stage: Stage, clock: VirtualClock, host: StagedHost, scenario: Scenario) -> None:
        self._stage = stage
        self._clock = clock
        self._host = host
        self._scenario = scenario
        self._listened = 0  # how much of what was heard has been expected already
        self._messages = 0
        self._ended_by = ""
        self._line: Line
        self._failures: list[str] = []  # what went wrong with the call, as the journal has it
        stage.appliance.journal.readers.append(self._read)

    def dial(self) -> None:
        """Agents whom the scenario names are Ready, in its order; the others are logged on and busy otherwise."""
        self._furnish()
        named = [act.act.agent for act in self._scenario.steps if isinstance(act.act, AgentAnswers | AgentDeclines)]
        for agent in self._stage.phones:
            if agent not in named:
                self._stage.not_ready(agent)
        for agent in dict.fromkeys(name for name in named if name in self._stage.phones):
            self._stage.ready(agent)
            self._pass(BETWEEN)
        book = self._stage.appliance.flowbook.book
        flow = next((flow for flow in book.flows if flow.name == self._scenario.flow), None)
        if flow is None:
            raise NotSo(f"there is no flow {self._scenario.flow}.yaml beside this file")
        dialled, phone = self._scenario.dialled or flow.numbers[0], self._scenario.phone
        self._line = self._stage.exchange.ring_in(dialled, self._scenario.caller or phone, account=phone)

    def _furnish(self) -> None:
        """Gives the telephone its mailbox, and that and closures their PIN."""
        phone, mailbox, pin = self._scenario.phone, self._scenario.mailbox, self._scenario.pin
        store = self._stage.appliance.store
        if phone:
            self._must_be("telephone", phone, self._stage.phones.values())
        if mailbox:
            self._must_be("mailbox", mailbox, [box.name for box in store.boxes()])
            store.voicemail.change(mailbox, phones=[phone] if phone else [])
            store.voicemail.set_pin(mailbox, pin)
        if pin:
            self._stage.appliance.closures.set_pin(pin)

    def play(self, act: Act) -> None:
        """Does what the caller, an agent or the world around them does, or expects what is to come of it."""
        match act.act:
            case Press() | Speak() | Silence() | Wait() | HangUp():
                self._as_caller(act.act)
            case AgentAnswers(agent):
                self._ringing(agent).pick_up()
                self._expect(lambda: self._talks_to(agent), f"the caller was not connected to agent {agent}")
            case AgentDeclines(agent):
                self._ringing(agent).refuse(Cause.REJECTED)
                self._settle()
            case DatabaseIs() | WebIs() | Closed() | MessageLeft() | SwitchLost():
                self._around(act.act)
            case Hear() | PositionIs() | Queued() | Transferred() | Ended():
                self._come_about(act.act)

    def _as_caller(self, act: Press | Speak | Silence | Wait | HangUp) -> None:
        match act:
            case Press(keys):
                for key in keys:
                    self._line.press(key)
                self._settle()
            case Speak(seconds):
                self._line.speak(seconds)
                self._pass(seconds)
            case Silence(seconds):
                self._pass(seconds)
            case Wait(seconds):
                self._expect(lambda: not _sounding(self._line), "what was begun to be said did not end")
                self._pass(seconds)
            case HangUp():
                self._ended_by = self._ended_by or ("" if self._line.ended else "caller")
                self._line.hang_up()
                self._settle()

    def _around(self, act: DatabaseIs | WebIs | Closed | MessageLeft | SwitchLost) -> None:
        match act:
            case DatabaseIs(state):
                self._host.state = state
            case WebIs(answer):
                self._stage.web.answer = answer
            case Closed(calendar):
                self._must_be("calendar", calendar, self._stage.appliance.flowbook.book.calendars.names)
                self._stage.appliance.closures.close(calendar, by="the scenario")
            case MessageLeft(caller):
                self._leave_message(caller)
            case SwitchLost():
                self._ended_by = self._ended_by or "switch"
                self._stage.exchange.lose()
                self._settle()

    def _leave_message(self, caller: str) -> None:
        self._messages += 1
        name = f"message-{self._messages}"
        path = self._stage.appliance.config.data_dir / f"{name}.wav"
        write_wav(path, spoken_between([(0, MESSAGE * 1000, 440.0)], 0, MESSAGE * 1000))
        received = self._clock.wall() + timedelta(milliseconds=self._messages)  # one after the other
        store = self._stage.appliance.store
        box, visit = self._scenario.mailbox, "1"
        store.keep_message(
            box, path=str(path), seconds=MESSAGE, received=received, caller=caller, call=name, visit=visit
        )

    def _come_about(self, act: Hear | PositionIs | Queued | Transferred | Ended) -> None:
        match act:
            case Hear(what):
                self._expect(self._hears(what), f"'{what}' was not heard{self._meant(what)}")
            case PositionIs(position):
                self._expect(self._hears_position(position), f"position {position} was not told")
            case Queued(queue):
                self._must_be("queue", queue, [view.name for view in self._stage.appliance.acd.queues()])
                self._expect(lambda: self._line.id in self._waiting(queue), f"the call is not in queue {queue}")
            case Transferred(to):
                self._transfers(to)
            case Ended(by):
                self._ends(by)

    def clear(self) -> None:
        """Ends what is still there, so that the stage can be struck."""
        for line in list(self._stage.exchange.lines.values()):
            line.hang_up()
        self._clock.run_until(lambda: not self._stage.appliance.desk.in_progress, longest=PATIENCE)

    def _must_be(self, kind: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            hint = suggestion(name, known) or (f" There are: {choices(known)}" if known else "")
            raise NotSo(f"there is no {kind} {name}{f'.{hint}' if hint else ''}")

    def _meant(self, what: str) -> str:
        """The prompt that is probably meant by what looks like the id of one."""
        prompts = self._stage.appliance.library.catalogue.texts
        meant = closest(what, prompts) if PROMPT.fullmatch(what) and what not in prompts else ""
        return f", and there is no such prompt (did you mean '{meant}'?)" if meant else ""

    # --- what is expected

    def _hears(self, what: str) -> Callable[[], bool]:
        if what == "music":
            return lambda: self._find(lambda heard: heard.kind == "music")
        texts = self._prompt_texts(what)
        if texts or self._is_sound(what):
            return lambda: self._find(lambda heard: _file_heard(heard) == what) or self._find_pieces(texts)
        return lambda: self._find(lambda heard: what in heard.text or _file_heard(heard) == what)

    def _hears_position(self, position: int) -> Callable[[], bool]:
        told = {self._position_in(language, position) for language in words.languages()}
        return lambda: self._find(lambda heard: heard.text in told - {""})

    def _position_in(self, language: str, position: int) -> str:
        """How a position is told; "" where it cannot be, and then it was not."""
        text = template(self._stage.appliance.library.catalogue_text("your-position", language))
        try:
            return words.join(text.speech({"position": position}, language))
        except CannotEvaluate:
            return ""

    def _prompt_texts(self, prompt: str) -> list[re.Pattern[str]]:
        """The prompt's text in each language, anything in place of its variable parts."""
        library = self._stage.appliance.library
        texts = [library.catalogue_text(prompt, language) for language in words.languages()]
        return [re.compile(VARIABLE.sub(".*", re.escape(_without_blanks(text)))) for text in texts if text]

    def _is_sound(self, name: str) -> bool:
        library = self._stage.appliance.library
        return name == "beep" or any(library.knows(name, language) for language in words.languages())

    def _find(self, wanted: Callable[[Heard], bool]) -> bool:
        """Whether it was heard since what was expected last; then this is what was expected last."""
        for number in range(self._listened, len(self._line.heard)):
            if wanted(self._line.heard[number]):
                self._listened = number + 1
                return True
        return False

    def _find_pieces(self, texts: Sequence[re.Pattern[str]]) -> bool:
        """`_find` of a text that may be said in several pieces: numbers and names that no file may keep, recordings."""
        heard = self._line.heard
        for first in range(self._listened, len(heard)):
            said = ""
            for last in range(first, min(first + PIECES, len(heard))):
                if not heard[last].text or heard[last].kind != "sound":
                    break
                said += _without_blanks(heard[last].text)
                if any(text.fullmatch(said) for text in texts):
                    self._listened = last + 1
                    return True
        return False

    def _waiting(self, queue: str) -> tuple[str, ...]:
        return next((view.waiting for view in self._stage.appliance.acd.queues() if view.name == queue), ())

    def _ringing(self, agent: str) -> Line:
        if agent not in self._stage.phones:
            raise NotSo(f"there is no agent {agent}; there are {', '.join(self._stage.phones)}")
        phone = self._stage.phones[agent]
        self._expect(
            lambda: self._stage.exchange.ringing(phone) is not None, f"the phone of agent {agent} did not ring"
        )
        ringing = self._stage.exchange.ringing(phone)
        assert ringing is not None
        return ringing

    def _talks_to(self, agent: str) -> bool:
        return self._line.partner is not None and self._line.partner.dialled == self._stage.phones[agent]

    def _transfers(self, to: str) -> None:
        complaint = f"the caller was not transferred to {to}"
        self._expect(lambda: self._line.transferred_to == to, complaint, also_when_ended=True)
        if self._line.transferred_to != to:
            raise NotSo(f"{complaint}; {self._instead()}")

    def _ends(self, by: str) -> None:
        if by == "agent":
            if self._line.partner is None:
                raise NotSo("the caller does not talk to an agent who could end the call")
            self._ended_by = "agent"
            self._line.partner.hang_up()
        self._expect(lambda: self._line.ended is not None, "the call goes on", also_when_ended=True)
        if (self._ended_by or "flow") != by:
            raise NotSo(f"the call was ended by the {self._ended_by or 'flow'}, not by the {by}")

    # --- time

    def _expect(self, true: Callable[[], bool], complaint: str, *, also_when_ended: bool = False) -> None:
        came = False

        def settled() -> bool:
            nonlocal came
            came = true()
            return came or self._line.ended is not None

        self._clock.run_until(settled, longest=PATIENCE)
        if not came and not (also_when_ended and self._line.ended):
            raise NotSo(self._unanswered() or f"{complaint}; {self._instead()}")

    def _unanswered(self) -> str:
        """That nobody answered the number that was dialled; "" where somebody did."""
        book, dialled = self._stage.appliance.flowbook.book, self._line.dialled
        refused = self._line.ended and not self._line.answered and book.flow_for(dialled) is None
        return book.unanswered(dialled) if refused else ""

    def _instead(self) -> str:
        since = [text for text in map(shown, self._line.heard[self._listened :]) if text]
        heard = f"heard instead: {' / '.join(since[-3:])}" if since else "nothing more was heard"
        ended = ["the call had ended"] if self._line.ended else []
        return "; ".join([heard, *ended, *self._failures[-MOST_REASONS:]])

    def _read(self, line: bytes) -> None:
        if (what := _failure(json.loads(line))) and what not in self._failures:
            self._failures.append(what)

    def _pass(self, seconds: float) -> None:
        end = self._clock.now() + round(seconds * 1000)
        with self._clock.after(seconds, lambda: None):
            self._clock.run_until(lambda: self._clock.now() >= end, longest=seconds)

    def _settle(self) -> None:
        self._clock.run_until(lambda: True, longest=0)


def _failure(record: Mapping[str, Any]) -> str:
    """What a record says of something that did not work; "" where it says nothing such."""
    match record:
        case {"type": "StepFailed", "step": step, "detail": detail}:
            return f"the step {step} failed: {detail}"
        case {"type": "LookupFailed" | "SaveFailed" | "HttpFailed" | "MessageNotKept", "reason": reason}:
            return str(reason)
        case {"type": "NotSpoken", "prompt": prompt, "reason": reason}:
            return f"the prompt {prompt} could not be spoken: {reason}"
        case {
            "type": "NotRecorded" | "MailboxAway" | "GreetingNotKept" | "RecognitionFailed" as what,
            "reason": reason,
        }:
            return f"{what}: {reason}"
    return ""


def _file_heard(heard: Heard) -> str:
    """The name of the sound's file without its ending; "" where it has none."""
    return heard.path.stem if heard.path is not None else ""


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _sounding(line: Line) -> bool:
    return bool(line.heard) and line.heard[-1].until is None and line.heard[-1].kind in {"sound", "silence"}
