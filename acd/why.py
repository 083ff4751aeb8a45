"""Why a call went as it did, in words, from the journal: why it waited, who was able, why that agent got it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from acd.agents import is_working
from acd.chosen import choice
from acd.hindsight import Hindsight, Person, Record, Waiter, span
from acd.model import AgentId, AgentState, CallId, Millis, QueueName, QueueRule
from acd.skills import needs
from acd.story import Choice, Doing, Line, Passed, Story, Wait

NAMED = 3  # so many calls that came before are named; of more only the number is told
_TOLD_AFTERWARDS = frozenset({"CallQueued", "MoveCall", "RelaxSkill"})  # as they have left the floor
MOST_AGENTS = 12  # so many are told one by one


def why(records: Iterable[Record], call: CallId, rules: Mapping[QueueName, QueueRule] | None = None) -> Story:
    """The story of one call, without lines when the journal does not know it.

    `rules`: the queues as they are now, for what the journal no longer says of them.
    """
    teller = _Teller(Story(call), Hindsight(rules or {}))
    for record in records:
        with suppress(KeyError, TypeError, ValueError):  # a record of another version, or none of ours
            teller.take(record)
    return teller.story


class _Teller:
    """Reads the journal once, and writes down what concerns one call."""

    def __init__(self, story: Story, floor: Hindsight) -> None:
        self.story = story
        self.floor = floor
        self._since = 0  # the stay that is not over yet, by the floor's time
        self._told = 0  # of those who were served before it
        self._detached = False

    def take(self, record: Record) -> None:
        now = self.floor.time(record)
        mine = self._concerns(record)
        if not mine:
            self._passed_by(record)
        if mine and record["type"] not in _TOLD_AFTERWARDS:
            self._tell(record, now)
        self.floor.take(record)
        if mine and record["type"] in _TOLD_AFTERWARDS:
            self._tell(record, now)
        self._watch(record)

    @property
    def waiter(self) -> Waiter | None:
        return self.floor.waiting.get(self.story.call)

    @property
    def wait(self) -> Wait | None:
        """The stay that is not over yet."""
        return self.story.waits[-1] if self.story.waits and not self.story.waits[-1].end else None

    def _concerns(self, record: Record) -> bool:
        if record["type"] == "AgentStateChanged":
            return False
        offered = self.floor.offers.get(record.get("offer", ""))
        return bool(record.get("call") == self.story.call or (offered and offered.call == self.story.call))

    def _tell(self, record: Record, now: Millis) -> None:
        tell = _SENTENCES.get(record["type"])
        text = tell(self, record, now) if tell else ""
        if text:
            self.story.lines.append(Line(record["at"], text))

    # --- sentences

    def arrived(self, record: Record, _: Millis) -> str:
        flow = f"; flow {record['flow']} answers" if record.get("flow") else ""
        return f"dialled {record['dialled']}{flow}." if record.get("dialled") else ""

    def detached(self, _: Record, __: Millis) -> str:
        self._detached = True
        return "the connection to the switch broke."

    def returned(self, _: Record, __: Millis) -> str:
        detached, self._detached = self._detached, False
        return "found again on the switch." if detached else "taken over again after the appliance was started anew."

    def queued(self, record: Record, now: Millis) -> str:
        waiter = self.waiter
        if waiter is None or self.wait:
            return ""  # told again after a restart
        wait = self._begin(record, waiter)
        asked = f", asking for {' and '.join(waiter.skills)}" if waiter.skills else ""
        before = (
            f"{wait.ahead} wait{'s' if wait.ahead == 1 else ''} before it" if wait.ahead else "nobody waits before it"
        )
        words = f"queued in {waiter.queue} with priority {waiter.priority}{asked}; {before}."
        rings = any(not waiter.awaited or person.agent.id == waiter.awaited for person in self._free(waiter, now))
        return words if rings else f"{words} {self._nobody(waiter)}"

    def moved(self, record: Record, _: Millis) -> str:
        waiter = self.waiter
        if waiter is None:
            return ""
        if wait := self.wait:
            self._end(wait, record, "moved")
        self._begin(record, waiter)
        return f"moved to queue {waiter.queue} by its overflow, the arrival kept. {self._nobody(waiter)}"

    def relaxed(self, record: Record, now: Millis) -> str:
        waiter, wait, skill = self.waiter, self.wait, record["skill"]
        if waiter is None or wait is None or skill in wait.relaxed:
            return ""  # told again after a restart
        rule, waited = self.floor.rule(waiter.queue), now - waiter.entered
        asked = {demand.skill for demand in needs(rule, waiter.skills, frozenset()).required}
        if skill not in asked:
            return ""
        wait.relaxed.append(skill)
        steps = (step for step in rule.overflow if step.relax == skill and step.after <= waited)
        when = next((f" ({step.when})" for step in steps if step.when), "")
        return f"'{skill}' was no longer required after {span(waited)}{when}. {self._nobody(waiter)}"

    def anybody(self, _: Record, now: Millis) -> str:
        waiter = self.waiter
        if waiter is None or not waiter.awaited:
            return ""
        agent = self.floor.people.get(waiter.awaited)
        because = f"{waiter.awaited} serves it no more"
        if now - waiter.entered >= self.floor.rule(waiter.queue).sticky_for:
            because = f"{span(now - waiter.entered)} are over"
        elif agent and not is_working(agent.state):
            because = f"{waiter.awaited} is {_doing(agent)}"
        return f"waits for anybody who is able, not only for its last agent: {because}."

    def offered(self, record: Record, now: Millis) -> str:
        waiter, agent = self.waiter, record["agent"]
        if waiter is None:
            return ""
        self._tell_passed_by(record["at"])
        others = [person for person in self._free(waiter, now) if person.agent.id != agent]
        reason = choice(self.floor, waiter, self.floor.people.get(agent), others, now)
        if wait := self.wait:
            wait.offers.append(Choice(record["at"], agent, tuple(each.agent.id for each in others), reason))
        return f"{agent}'s phone rings: {reason}."

    def withdrawn(self, record: Record, _: Millis) -> str:
        return f"the offer to {record['agent']} was taken back: {record['reason']}."

    def rang_out(self, record: Record, _: Millis) -> str:
        return f"{self._who(record)} let it ring; the call kept its place."

    def refused(self, record: Record, _: Millis) -> str:
        return f"{self._who(record)} could not have it ({record['cause']}); the call kept its place."

    def not_joined(self, record: Record, _: Millis) -> str:
        return f"{self._who(record)} was gone before the two were joined; the call kept its place."

    def connected(self, record: Record, now: Millis) -> str:
        if wait := self.wait:
            wait.agent = self._who(record)
            self._end(wait, record, "answered")
        return f"connected with {self._who(record)} after {self._waited(now)}."

    def found(self, record: Record, now: Millis) -> str:
        if self.wait is None:
            return ""
        return f"found talking after the appliance was started anew: {self.connected(record, now)}"

    def result(self, record: Record, _: Millis) -> str:
        return f"{record['agent']} said what came of it: {record['result']}."

    def abandoned(self, record: Record, now: Millis) -> str:
        waiter, wait = self.waiter, self.wait
        if waiter is None or wait is None:
            return ""  # during the talk
        self._tell_passed_by(record["at"])
        self._end(wait, record, "abandoned")
        return f"the caller hung up after {self._waited(now)}. {self._nobody(waiter)}"

    def left(self, record: Record, now: Millis) -> str:
        wait, reason = self.wait, str(record.get("reason", ""))
        if wait is None:
            return ""
        self._tell_passed_by(record["at"])
        self._end(wait, record, reason or "left")
        if reason:
            return f"joined after {self._waited(now)} to an agent who had gone; its flow goes on as after a talk."
        return f"the caller left by a key after {self._waited(now)}."

    def given_back(self, record: Record, now: Millis) -> str:
        if wait := self.wait:
            self._tell_passed_by(record["at"])
            self._end(wait, record, str(record["exit"]))
        return f"given back to its flow by '{record['exit']}' after {self._waited(now)}."

    def announced(self, record: Record, _: Millis) -> str:
        position = f"position {record['position']}" if record.get("position") is not None else ""
        wait = f"a wait of about {record['wait']:.0f} s" if record.get("wait") is not None else ""
        return f"told {' and '.join(filter(None, (position, wait)))}."

    def asked(self, _: Record, now: Millis) -> str:
        return f"asked after {span(now - self._since if self.wait else 0)} whether to go on waiting."

    def talk_ended(self, record: Record, now: Millis) -> str:
        if self.wait and self.floor.is_open(record):
            return f"{self.connected(record, now)} The talk ended at once."
        talked = record.get("talked")
        return f"the talk ended after {span(talked)}." if isinstance(talked, int) else "the talk ended."

    def transferred(self, record: Record, _: Millis) -> str:
        return f"transferred to {record['to']}."

    def ended(self, record: Record, now: Millis) -> str:
        how = f": {record['outcome']}" if record.get("outcome") else ""
        wait = self.wait
        if wait is None:
            return f"the call ended{how}."
        self._tell_passed_by(record["at"])
        self._end(wait, record, "abandoned")  # as the figures have it
        return f"the call ended while it waited, after {self._waited(now)}{how}."

    # --- a stay in a queue

    def _begin(self, record: Record, waiter: Waiter) -> Wait:
        wait = Wait(waiter.queue, record["at"], waiter.priority, waiter.skills, self.floor.ahead(waiter))
        for person in self.floor.able(waiter, widest=True):
            wait.able[person.agent.id] = [Doing(record["at"], person.state, person.reason, person.call)]
        self.story.waits.append(wait)
        self._since, self._told = self.floor.time(record), 0
        return wait

    def _end(self, wait: Wait, record: Record, how: str) -> None:
        wait.end, wait.until = how, record["at"]
        wait.waited = (self.floor.time(record) - self._since) / 1000
        for doing in wait.able.values():
            doing[-1].until = record["at"]

    def _watch(self, record: Record) -> None:
        """Notes what able agents do while the call waits."""
        wait = self.wait
        if wait is None or record["type"] != "AgentStateChanged" or record["agent"] not in wait.able:
            return
        spans = wait.able[record["agent"]]
        if spans[-1].since == record["at"]:
            spans.pop()
        elif spans:
            spans[-1].until = record["at"]
        state = AgentState(record["state"])
        spans.append(Doing(record["at"], state, record.get("reason", ""), record.get("call", "")))

    # --- who could have had it

    def _free(self, waiter: Waiter, now: Millis) -> list[Person]:
        return [person for person in self.floor.able(waiter) if person.free(waiter.call, now)]

    def _nobody(self, waiter: Waiter) -> str:
        """What everybody was doing who is able for it, and who will be when its queue asks for less."""
        able, widest = self.floor.able(waiter), self.floor.able(waiter, widest=True)
        if not widest:
            return "No agent of this queue is able for it."
        if all(each.state is AgentState.LOGGED_OFF for each in widest):
            return "Nobody who is able was logged on."
        later_on = [each for each in widest if each not in able]
        alone = f"For {span(self.floor.rule(waiter.queue).sticky_for)} only its last agent {waiter.awaited} is rung. "
        less = f" Able when less is asked for: {_all(later_on)}."
        return f"{alone if waiter.awaited else ''}{_at_work(able)}{less if later_on else ''}"

    def _passed_by(self, record: Record) -> None:
        """Notes that an agent who is able for our call was rung for another one."""
        waiter, wait = self.waiter, self.wait
        if record["type"] != "OfferCall" or waiter is None or wait is None or self.floor.is_rung_for(waiter.call):
            return
        other = self.floor.waiting.get(record["call"])
        if other and any(person.agent.id == record["agent"] for person in self.floor.able(waiter)):
            wait.passed_by.append(
                Passed(
                    record["at"], record["agent"], other.call, other.queue, self._before(other, waiter, record["agent"])
                )
            )

    def _before(self, other: Waiter, ours: Waiter, agent: AgentId) -> str:
        """Why another call was served before ours."""
        if ours.awaited and ours.awaited != agent:
            return f"came while this one waited for {ours.awaited} alone"
        there, here = self.floor.rule(other.queue), self.floor.rule(ours.queue)
        if there.weight > here.weight:
            return f"weight {there.weight} against {here.weight}"
        earlier = ours.arrived - other.arrived
        if other.priority > ours.priority and earlier < 0:
            return f"priority {other.priority} against {ours.priority}"
        return f"came {span(earlier)} earlier" if earlier >= 0 else "was next for this agent"

    def _tell_passed_by(self, at: str) -> None:
        wait = self.wait
        news = wait.passed_by[self._told :] if wait else []
        if wait is None or not news:
            return
        self._told = len(wait.passed_by)
        named = "; ".join(f"{each.agent} was rung for {_named(each, wait)}" for each in news[:NAMED])
        more = f"; and {len(news) - NAMED} more" if len(news) > NAMED else ""
        self.story.lines.append(Line(at, f"meanwhile others were served before it: {named}{more}."))

    # --- small words

    def _who(self, record: Record) -> AgentId:
        offered = self.floor.offers.get(record.get("offer", ""))
        return str(record.get("agent") or (offered.agent if offered else "the agent"))

    def _waited(self, now: Millis) -> str:
        """Since its first entry, all queues together."""
        waiter = self.waiter or self.floor.lost.get(self.story.call)
        return span(now - waiter.arrived) if waiter else "an unknown time"


_SENTENCES: Mapping[str, Callable[[_Teller, Record, Millis], str]] = {
    "CallArrived": _Teller.arrived,
    "CallDetached": _Teller.detached,
    "CallReturned": _Teller.returned,
    "CallQueued": _Teller.queued,
    "MoveCall": _Teller.moved,
    "RelaxSkill": _Teller.relaxed,
    "WaitForAnybody": _Teller.anybody,
    "OfferCall": _Teller.offered,
    "WithdrawOffer": _Teller.withdrawn,
    "OfferNotAnswered": _Teller.rang_out,
    "OfferDeclined": _Teller.refused,
    "OfferFailed": _Teller.refused,
    "ConnectFailed": _Teller.not_joined,
    "CallConnected": _Teller.connected,
    "TalkFound": _Teller.found,
    "NoteResult": _Teller.result,
    "Announce": _Teller.announced,
    "AskToStay": _Teller.asked,
    "TalkEnded": _Teller.talk_ended,
    "CallAbandoned": _Teller.abandoned,
    "CallLeft": _Teller.left,
    "EndWait": _Teller.given_back,
    "CallTransferred": _Teller.transferred,
    "CallEnded": _Teller.ended,
}


def _at_work(able: Iterable[Person]) -> str:
    """What the agents do who are able and logged on."""
    there = [each for each in able if each.state is not AgentState.LOGGED_OFF]
    if not there:
        return "Nobody who is able was logged on."
    if any(is_working(each.state) for each in there):
        return f"Able and logged on: {_all(there)}."
    return f"All who are able take no calls: {_all(there)}."


def _all(people: Sequence[Person]) -> str:
    """What each is doing; of very many only how many do what."""
    if len(people) <= MOST_AGENTS:
        return ", ".join(f"{each.agent.id} {_doing(each)}" for each in people)
    doing = Counter(f"{each.state}{_because(each)}" for each in people)
    return f"{len(people)} agents, " + ", ".join(f"{count} {what}" for what, count in doing.most_common())


def _doing(person: Person) -> str:
    with_call = f" with {person.call}" if person.call else ""
    return f"{person.state}{with_call}{_because(person)}"


def _because(person: Person) -> str:
    return f" ({person.reason})" if person.reason else ""


def _named(passed: Passed, wait: Wait) -> str:
    """``c7, which came 10 s earlier``, ``c8 of queue sales, which has weight 5 against 1``."""
    queue = f" of queue {passed.queue}" if passed.queue != wait.queue else ""
    has = "" if passed.why.startswith(("came", "was")) else "has "
    return f"{passed.call}{queue}, which {has}{passed.why}"
