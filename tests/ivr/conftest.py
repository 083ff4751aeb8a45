"""A small house for flows: the simulated exchange in virtual time, with every port of ivr.services around it."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import gevent
import numpy as np
import pytest

from config.document import parse
from ivr.language.calendars import OpeningHours, load_calendars
from ivr.language.calling import linked
from ivr.language.checker import check
from ivr.language.destinations import Destinations, NotAllowed
from ivr.language.house import House, QueryFacts
from ivr.language.reader import read
from ivr.language.templates import template
from ivr.services import (
    AgentReady,
    AnnouncementDue,
    CallerFacts,
    CannotKeep,
    CannotRecognise,
    CannotSpeak,
    HostFailed,
    MailboxAway,
    Message,
    MusicChanged,
    PromptDue,
    QueueOver,
    Services,
    StoredMessage,
    WebFailed,
)
from ivr.session import Session
from ivr.state import State
from runtime.closures import ClosableCalendars, Closures
from runtime.transfers import Transfers
from speech import words
from switch.port import CallEnded, CallId, Sound
from switch.shared.clock import VirtualClock
from switch.simulated import Exchange, Phone, SimulatedSwitch
from switch.simulated.audio import write_wav

LANGUAGES = ("cmn", "en")
PROMPTS = {
    "hello": {"cmn": "你好", "en": "Hello"},
    "ask": {"cmn": "请按键", "en": "Choose"},
    "ask-number": {"cmn": "请输入号码", "en": "Your number"},
    "bye": {"cmn": "再见", "en": "Bye"},
    "busy": {"cmn": "占线", "en": "Busy"},
    "not-an-option": {"cmn": "没有这个选项", "en": "Not an option"},
    "not-a-number": {"cmn": "输入有误", "en": "Not a number"},
    "enter-again": {"cmn": "重新输入", "en": "Again"},
    "confirm-number": {"cmn": "您输入的是{{ number | digits }}", "en": "You entered {{ number | digits }}"},
    "leave-message": {"cmn": "请留言", "en": "Leave a message"},
    "message-kept": {"cmn": "已保存", "en": "Kept"},
    "message-empty": {"cmn": "没有录到", "en": "Nothing heard"},
    "message-not-kept": {"cmn": "未能保存", "en": "Not kept"},
    "may-be-recorded": {"cmn": "可能录音", "en": "May be recorded"},
    "mailbox-full": {"cmn": "信箱已满", "en": "Mailbox full"},
    **{
        name: {"cmn": text, "en": text}
        for name, text in {
            "mailbox-choice": "{{ key | digits }} for {{ box }}",
            "mailbox-pin": "PIN",
            "mailbox-wrong-pin": "wrong PIN",
            "mailbox-locked": "locked",
            "mailbox-no-pin": "no PIN",
            "mailbox-none": "no messages",
            "mailbox-count": "{{ new | number }} new, {{ old | number }} old",
            "mailbox-menu": "mailbox menu",
            "mailbox-message": "from {{ caller | digits }}",
            "mailbox-message-anonymous": "from nobody",
            "mailbox-message-menu": "what now",
            "mailbox-message-menu-call": "what now, or call",
            "mailbox-saved": "saved",
            "mailbox-deleted": "deleted",
            "mailbox-no-more": "no more",
            "mailbox-cannot-play": "cannot play",
            "mailbox-greeting-menu": "greeting menu",
            "mailbox-greeting-record": "speak your greeting",
            "mailbox-greeting-kept": "greeting kept",
            "mailbox-greeting-removed": "greeting removed",
            "mailbox-greeting-none": "no greeting",
            "not-possible-now": "not possible",
        }.items()
    },
    "your-position": {"cmn": "第{{ position | number }}位", "en": "Number {{ position | number }}"},
    "wait-below": {"cmn": "不到{{ high | duration }}", "en": "Less than {{ high | duration }}"},
    "wait-between": {"cmn": "{{ low | duration }}到{{ high | duration }}", "en": "{{ low | duration }} or more"},
    "wait-above": {"cmn": "超过{{ low | duration }}", "en": "More than {{ low | duration }}"},
    "please-wait": {"cmn": "请稍等", "en": "Please wait"},
    "sorry-technical": {"cmn": "系统故障", "en": "Technical problem"},
    "closure-pin": {"cmn": "密码", "en": "PIN"},
    "closure-wrong-pin": {"cmn": "密码错", "en": "Wrong PIN"},
    "closure-locked": {"cmn": "已锁定", "en": "Locked"},
    "closure-not-possible": {"cmn": "没有密码", "en": "No PIN"},
    "closure-is-closed": {"cmn": "已停线", "en": "Closed"},
    "closure-is-open": {"cmn": "未停线", "en": "Open"},
    "closure-done": {"cmn": "好了", "en": "Done"},
    "closure-not-kept": {"cmn": "未能记住", "en": "Not kept"},
    "time-is-up": {"cmn": "时间已到", "en": "Time is up"},
    "beep": {"cmn": "哔", "en": "beep"},
    "did-you-say": {"cmn": "您说的是{{ said }}吗", "en": "Did you say {{ said }}"},
    "not-understood": {"cmn": "没有听清", "en": "Not understood"},
}
DESTINATIONS = Destinations("CN", allowed=("+8621",))


def refusal(to):
    try:
        DESTINATIONS.address(to, is_agent="1001".__eq__)
    except NotAllowed as error:
        return str(error)
    return ""


HOUSE = House(
    prompts={name: {language: template(text) for language, text in texts.items()} for name, texts in PROMPTS.items()},
    languages=words.languages(),
    queues=["service"],
    queries={
        "order": QueryFacts(frozenset({"number", "state"}), frozenset({"number"})),
        "open_ticket": QueryFacts(frozenset({"number"}), frozenset({"about"}), writes=True),
        "forget": QueryFacts(frozenset(), frozenset({"about"}), writes=True),
    },
    calendars=["office"],
    skills=["cmn", "en"],
    boxes=["service"],
    refused=refusal,
    unreachable=lambda host: "10.0.0.1 is an address of our own network" if host == "10.0.0.1" else "",
)
CALENDARS = 'office: {zone: Asia/Shanghai, open: {mon-fri: "09:00-18:00"}, holidays: CN}'
STRANGER = CallerFacts()
MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # ten o'clock on a Monday in Shanghai


def flow_of(text, name="flows/test.yaml"):
    """A flow from its text, which the checker must find right."""
    head = 'number: "1000"\nlanguages: [cmn, en]\n'
    text = textwrap.dedent(text)
    document, problems = parse(text if "\nnumber:" in text else head + text, name)
    assert problems == []
    draft = read(document)
    assert [str(problem) for problem in check([draft], HOUSE)] == []
    return draft.flow()


def told_of(flows):
    """What the checker says of a flow, or of several by their names, without the places."""
    texts = {"test": flows} if isinstance(flows, str) else flows
    drafts, problems = [], []
    for name, written in texts.items():
        text = textwrap.dedent(written)
        head = "" if "languages:" in text else 'number: "1000"\nlanguages: [cmn, en]\n'
        document, wrong = parse(head + text, f"flows/{name}.yaml")
        problems += wrong
        if document is not None:
            drafts.append(read(document))
    return [problem.message for problem in [*problems, *check(drafts, HOUSE)]]


class OneSecondVoice:
    """Every text and recording lasts one second; `broken` ones cannot be spoken, `unplayable` ones not played."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.broken = set()
        self.unplayable = set()
        write_wav(folder / "second.wav", np.full(8000, 0.1))

    def prompt(self, name, language):
        if name in self.broken:
            raise CannotSpeak(name)
        return self._said(PROMPTS[name][language], name in self.unplayable)

    def text(self, segments, language):
        text = words.join(segments)
        if text in self.broken:
            raise CannotSpeak(text)
        self.alone = [segment.text for segment in segments if segment.alone]
        return self._said(text, text in self.unplayable)

    def catalogue_text(self, name, language):
        return PROMPTS[name][language]

    def _said(self, text, unplayable):
        return [Sound(self._folder / ("gone.wav" if unplayable else "second.wav"), text)]


class Orders:
    """The business's data: rows by number, what was saved under its key, or a failure."""

    def __init__(self, notes) -> None:
        self.notes = notes
        self.saved = []
        self.row = ...  # what saving returns, unless it is the number of what was saved
        self.may_repeat = True
        self.noted_before = ""
        self.rows = {"202611": {"number": "202611", "state": "sent"}}
        self.failure = None
        self.asked = []

    def query(self, name, parameters):
        self.asked.append((name, dict(parameters)))
        if self.failure:
            raise HostFailed(self.failure)
        return self.rows.get(parameters["number"])

    def save(self, name, parameters, key):
        self.noted_before = self.notes[-1][0] if self.notes else ""
        if self.failure:
            raise HostFailed(self.failure)
        self.saved.append((name, dict(parameters), key))
        return {"number": len(self.saved)} if self.row is ... else self.row

    def repeatable(self, name):
        return self.may_repeat


class AnyWeb:
    """Every web service at once: one answer, or a failure."""

    def __init__(self) -> None:
        self.row = {"state": "arrived"}
        self.failure = None
        self.asked = []

    def ask(self, request):
        if self.failure:
            raise WebFailed(self.failure)
        self.asked.append(request)
        return self.row


@dataclass
class Boxes:
    """Mailboxes on disk; what is kept is listed with its length in seconds."""

    folder: Path
    is_full: bool = False
    cannot_keep: bool = False
    silent: bool = False
    kept: list = field(default_factory=list)
    own_greeting: object = None
    pin: str = "2580"  # of every box; "" for none
    wrong: int = 0
    stored: list = field(default_factory=list)  # what owners hear
    states: dict = field(default_factory=dict)
    of_phones: dict = field(default_factory=dict)
    away: bool = False

    def full(self, box):
        return self.is_full

    def greeting(self, box, language):
        return self.own_greeting

    def file_for(self, box, call, visit, *, caller, caller_name):
        return self.folder / f"{call}-{visit}.wav"

    def discard(self, recorded):
        recorded.unlink(missing_ok=True)

    def leave(self, recorded):
        pass

    def keep(self, box, recorded, *, call, visit, caller, caller_name):
        if self.cannot_keep:
            recorded.unlink(missing_ok=True)
            raise CannotKeep("no space left")
        if self.silent or not recorded.exists():
            recorded.unlink(missing_ok=True)
            return None
        seconds = (recorded.stat().st_size - 44) / 16000
        self.kept.append((box, caller, caller_name, seconds))
        return Message(f"m{len(self.kept)}", box, seconds)

    def boxes_of(self, account):
        return self.of_phones.get(account, [])

    def open(self, box, pin):
        if self.away:
            raise MailboxAway("the database is away")
        if not self.pin:
            return "no pin"
        if self.wrong >= 5:
            return "locked"
        self.wrong = 0 if pin == self.pin else self.wrong + 1
        return "open" if pin == self.pin else "locked" if self.wrong >= 5 else "wrong"

    def holds(self, id, text, *, caller="+8613800000001", new=True, received=MORNING):
        """A message for owners, who hear its text."""
        path = self.folder / f"{id}.wav"
        write_wav(path, np.full(16_000, 0.1))
        self.stored.append(StoredMessage(id, caller, received, Sound(path, text), new))

    def messages(self, box):
        return [message for message in self.stored if self.states.get(message.id) != "deleted"]

    def mark(self, message, state):
        self.states[message] = state

    def delete(self, message):
        self.states[message] = "deleted"

    def greeting_file(self, box):
        return self.folder / "greeting.wav"

    def set_greeting(self, box, language, recorded):
        if recorded is not None and self.silent:
            return False
        self.own_greeting = Sound(recorded, f"greeting in {language}") if recorded else None
        return True


@dataclass
class Tapes:
    """Recordings of calls; those that were kept with their facts and length."""

    folder: Path
    kept: list = field(default_factory=list)
    begun: list = field(default_factory=list)
    left: list = field(default_factory=list)

    def file_for(self, call, *, flow, queue, agent, keep_days):
        path = self.folder / f"tape-{len(self.begun)}.wav"
        self.begun.append((path, flow, queue, agent, keep_days))
        return path

    def keep(self, recorded, seconds):
        self.kept.append((recorded, seconds))

    def discard(self, recorded):
        self.begun = [facts for facts in self.begun if facts[0] != recorded]

    def leave(self, recorded):
        self.left.append(recorded)


@dataclass
class WaitingPlace:
    """A place in a queue, played by the test: it posts what the ACD would."""

    call: object
    request: object
    id: str
    music: str = "calm"
    keys: Mapping[str, str] = field(default_factory=lambda: {"1": "stay", "2": "left"})
    told: list = field(default_factory=list)
    has_talked: bool = False  # as the agent's leg says

    def announced(self):
        self.told.append("announced")

    def connected(self):
        self.told.append("connected")

    def connect_failed(self):
        self.told.append("connect failed")
        return not self.has_talked

    def leave(self, reason):
        self.told.append(f"left: {reason}")

    def announce(self, position=None, wait=None):
        self.call.post(AnnouncementDue(self.id, position, wait))

    def prompt(self, prompt):
        self.call.post(PromptDue(self.id, prompt))

    def changes(self, music, keys):
        self.music, self.keys = music, keys
        self.call.post(MusicChanged(self.id))

    def over(self, exit):
        self.call.post(QueueOver(self.id, exit))

    def agent_ready(self, leg, recording=None):
        self.call.post(AgentReady(self.id, leg, "service", "1001", recording))


class Ears:
    """Understands Mandarin: each utterance is the next of `words`, whatever it sounds like; silence is silence."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "said.wav"
        self.words = []
        self.asked = []
        self.broken = False

    def understand(self, language):
        return language == "cmn"

    def file_for(self, call, visit):
        return self._file

    def recognise(self, said, language, phrases):
        if self.broken:
            raise CannotRecognise("the worker is gone")
        if not any(said.read_bytes()[44:]):
            return None
        self.asked.append(tuple(phrases))
        word = self.words.pop(0)
        return word if word in phrases else ""

    def forget(self, said):
        said.unlink(missing_ok=True)


class Queues:
    def __init__(self) -> None:
        self.places = []
        self.recorded = None

    def recording(self, queue):
        return self.recorded

    def enter(self, call, request):
        self.places.append(WaitingPlace(call, request, f"p{len(self.places) + 1}"))
        return self.places[-1]


class Notes(list):
    """The journal of a call."""

    def note(self, type, **facts):
        self.append((type, facts))

    def of(self, type, *names):
        """Those facts of every record of a type; a single one bare."""
        found = [
            tuple(facts[name] for name in names) for kind, facts in self if kind == type and facts.keys() >= set(names)
        ]
        return [values[0] for values in found] if len(names) == 1 else found


class HouseClock:
    def __init__(self, clock) -> None:
        self._clock = clock

    def now(self):
        return self._clock.wall().astimezone(UTC)

    def seconds(self):
        return self._clock.now() / 1000


class Caller:
    """Someone on the telephone. What was heard is looked at once, in its order."""

    def __init__(self, house, line) -> None:
        self._house = house
        self._looked = 0
        self.line = line

    @property
    def heard(self):
        """Everything that was heard so far; music in brackets."""
        return [f"({one.text})" if one.kind in {"music", "voice"} else one.text for one in self.line.heard]

    def hears(self, text, within=60.0):
        """Time passes until the caller begins to hear a text."""

        def found():
            new = self.heard[self._looked :]
            if text in new:
                self._looked += new.index(text) + 1
                return True
            return self.line.ended is not None

        self._house.clock.run_until(found, longest=within)
        assert self._looked, f"never heard {text!r}; heard {self.heard}"
        assert self.heard[self._looked - 1] == text, f"never heard {text!r}; heard {self.heard}"
        return self

    def press(self, keys):
        for key in keys.replace(" ", ""):
            self.line.press(key)
        return self

    def waits(self, seconds):
        """Time passes."""
        passed = gevent.event.Event()
        self._house.clock.after(seconds, passed.set)
        self._house.clock.run_until(passed.is_set, longest=seconds)
        return self

    def listens(self, within=600.0):
        """Time passes until the flow waits for a key and says nothing."""

        def quiet():
            last = self.line.heard[-1] if self.line.heard else None
            return self.line.awaiting and (last is None or last.until is not None or last.kind == "music")

        assert self._house.clock.run_until(lambda: quiet() or self.line.ended is not None, longest=within)
        return self

    def speaks(self, seconds):
        self.line.speak(seconds)
        return self.waits(seconds)

    def hangs_up(self):
        self.line.hang_up()
        return self.is_over()

    def is_over(self, within=36_000.0):
        assert self._house.clock.run_until(lambda: self._house.over, longest=within), f"goes on; heard {self.heard}"
        return self


class TestHouse:
    """Everything that a flow needs, and one call at a time."""

    __test__ = False

    def __init__(self, folder, at=MORNING) -> None:
        self.folder = folder
        self.clock = VirtualClock(at)
        self.exchange = Exchange(self.clock)
        self.switch = SimulatedSwitch(self.exchange)
        self.voice = OneSecondVoice(folder)
        self.notes = Notes()
        self.orders = Orders(self.notes)
        self.web = AnyWeb()
        self.closures = Closures(folder, self.clock)
        self.boxes = Boxes(folder)
        self.tapes = Tapes(folder)
        self.queues = Queues()
        self.ears = Ears(folder)
        calendars, problems = load_calendars(CALENDARS, "calendars.yaml")
        assert problems == []
        self.services = Services(
            voice=self.voice,
            hosts=self.orders,
            web=self.web,
            closures=self.closures,
            transfers=self.restart_transfers(),
            calendars=ClosableCalendars(OpeningHours(calendars), self.closures),
            mailboxes=self.boxes,
            recordings=self.tapes,
            queues=self.queues,
            journal=self.notes,
            clock=HouseClock(self.clock),
            ears=self.ears,
        )
        self.over = False
        self.cause = None
        self.session = None

    def restart_transfers(self):
        """What grants transfers, as after a restart of the appliance."""
        transfers = Transfers(
            DESTINATIONS,
            self.folder,
            self.clock,
            per_caller=2,
            per_day=3,
            today=self.clock.wall,
            is_agent="1001".__eq__,
        )
        if hasattr(self, "services"):
            self.services = replace(self.services, transfers=transfers)
        return transfers

    def sets_the_clock(self, at):
        """The same house at another time."""
        self.__init__(self.folder, at)

    def flow(self, text):
        return flow_of(text)

    def ring(self, flow, *, caller=STRANGER, state=None, account=""):
        """A call comes in and is walked through a flow."""
        flow = flow_of(flow) if isinstance(flow, str) else flow
        self.over, self.cause = False, None

        def on_call(call):
            self.call = call
            self.session = Session(call, flow, self.services, caller, state=state)
            try:
                self.session.run()
            except CallEnded as ended:
                self.cause = ended.cause
            finally:
                self.over = True

        self.switch.serve(on_call)
        return Caller(self, self.exchange.ring_in("1000", "13800000001", caller_name="王芳", account=account))

    def resumes(self, flow, step, interrupted=None):
        """Another process takes the call over and goes on at a step."""
        call = self.switch.adopt(self.call.id)
        flow = flow_of(flow)

        def go_on():
            state = State(step, flow.languages[0])
            self.session = Session(call, flow, self.services, STRANGER, state=state, interrupted=interrupted)
            try:
                self.session.run()
            finally:
                self.over = True

        self.clock.run_until(lambda: self.over, longest=5)
        self.over = False
        gevent.spawn(go_on)

    def agent_leg(self, **behaviour):
        """An agent's answered telephone, to be joined with a caller."""
        self.exchange.phones["1001"] = Phone("1001", says="agent", **behaviour)
        leg = self.switch.dial("1001", call_id=CallId("agent-1"), caller="1000", ring_for=15)
        self.exchange.lines[CallId("agent-1")].pick_up()
        assert leg.answered() is None
        return leg

    def enter_queue(self):
        """Time passes until the call is in the queue; its place."""
        before = len(self.queues.places)
        assert self.clock.run_until(lambda: len(self.queues.places) > before, longest=600)
        return self.queues.places[-1]

    @property
    def exits(self):
        """Every step with the exit by which it was left."""
        return self.notes.of("StepLeft", "step", "exit")


@pytest.fixture
def told():
    return told_of


@pytest.fixture
def flows():
    """Several flows that call each other, from their texts, which the checker must find right."""

    def of(texts):
        assert told_of(texts) == []
        drafts = [read(parse(text, f"flows/{name}.yaml")[0]) for name, text in texts.items()]
        return {flow.name: flow for flow in linked([draft.flow() for draft in drafts])}

    return of


@pytest.fixture
def house(tmp_path):
    return TestHouse(tmp_path)
