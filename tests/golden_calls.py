"""The calls that have a golden journal, told once for every switch.

Each is a function of a house: real telephones on a real switch, or lines on the simulated exchange. People here do what
they do when the journal says that the house has come so far, never after a guess of time.
"""

from tests import golden

ANSWERS, DECLINES, RINGS = "answers", "declines", "rings"
NO_ANSWER_LIMIT = 5  # of the desks' queues


class House:
    """What a golden call needs of a hotline. A subclass for each kind of switch says how."""

    queue = number = ""  # a queue that serves nobody else, and the number that leads into it
    agents = ()  # its two agents, logged off

    def __init__(self):
        self.calls = []  # the ids of the calls that were made, in order

    def journal(self):
        """What the journal says of these calls and agents, as the lines of a golden file."""
        names = {self.queue: "QUEUE", self.number: "NUMBER"}
        return golden.streams(self.records(), self.calls, self.agents, names)

    def dial(self, number, caller):
        """Somebody calls; returned once the call is in the journal."""
        raise NotImplementedError

    def dial_as(self, agent, number):
        """An agent calls from the telephone on the desk."""
        raise NotImplementedError

    def at_work(self, agent, how):
        """The agent is Ready, at a telephone that answers soon, declines, or rings for ever."""
        raise NotImplementedError

    def rung(self, agent):
        """The agent's end of the call, once the telephone rings."""
        raise NotImplementedError

    def until(self, true, what):
        raise NotImplementedError

    def records(self):
        """The journal since this house was made."""
        raise NotImplementedError

    def state(self, agent):
        raise NotImplementedError

    def log_off(self, agent):
        raise NotImplementedError

    # What the calls say

    def until_journaled(self, type, times=1, **facts):
        wanted = {"type": type, **facts}

        def written():
            return sum(wanted.items() <= record.items() for record in self.records()) >= times

        self.until(written, f"{wanted} to be journaled")

    def until_agent(self, agent, state):
        self.until(lambda: self.state(agent) == state, f"agent {agent} to be {state}")


class Far:
    """The far end of a call: a caller, or an agent at the telephone."""

    call = ""

    def __init__(self, house):
        self.house = house

    def press(self, keys):
        raise NotImplementedError

    def speak(self):
        """From now on."""
        raise NotImplementedError

    def listen(self, seconds):
        raise NotImplementedError

    def hang_up(self):
        raise NotImplementedError

    def until_told(self, prompt, times=1, language="cmn"):
        self.house.until_journaled("PromptPlayed", times, call=self.call, prompt=prompt, language=language)

    def until_ended(self):
        self.house.until_journaled("CallEnded", call=self.call)


def an_order_is_told(house):
    caller = house.dial("1000", "13910000001")
    caller.until_told("main-menu")
    caller.press("1")
    caller.until_told("ask-order-number")
    caller.press("880202#")
    caller.until_told("confirm-number")
    caller.press("1")
    caller.until_told("main-menu", times=2)
    caller.press("9")
    caller.until_told("main-menu", language="en")
    caller.hang_up()
    caller.until_ended()


def waiting(house, caller):
    """A caller who waits and has been told the place, after which there is nothing new to tell."""
    far = house.dial(house.number, caller)
    house.until_journaled("AnnouncementMade", call=far.call)
    return far


def a_silent_caller_talks_to_an_agent_who_hangs_up(house):
    caller = waiting(house, "13910000002")
    house.at_work(house.agents[0], ANSWERS)
    house.until_journaled("CallConnected", call=caller.call)
    caller.listen(1)
    house.rung(house.agents[0]).hang_up()
    caller.until_ended()
    house.until_agent(house.agents[0], "Ready")


def a_caller_hangs_up_while_talking_to_an_agent(house):
    caller = waiting(house, "13910000003")
    house.at_work(house.agents[0], ANSWERS)
    house.until_journaled("CallConnected", call=caller.call)
    caller.listen(1)
    caller.hang_up()
    caller.until_ended()
    house.until_agent(house.agents[0], "Ready")


def a_caller_gives_up_while_it_rings(house):
    caller = waiting(house, "13910000004")
    house.at_work(house.agents[0], RINGS)
    house.rung(house.agents[0])
    caller.hang_up()
    caller.until_ended()
    house.until_agent(house.agents[0], "Ready")


def served_by(house, agent, caller):
    """The agent answers, talks for a second and leaves."""
    house.at_work(agent, ANSWERS)
    house.until_journaled("CallConnected", call=caller.call, agent=agent)
    caller.listen(1)
    house.rung(agent).hang_up()
    caller.until_ended()
    house.until_agent(agent, "Ready")


def an_agent_declines_and_another_answers(house):
    first, second = house.agents
    caller = waiting(house, "13910000005")
    house.at_work(first, DECLINES)
    house.until_journaled("OfferDeclined", call=caller.call)
    served_by(house, second, caller)


def nobody_answers_until_the_agent_is_not_ready(house):
    first, second = house.agents
    caller = waiting(house, "13910000009")
    house.at_work(first, RINGS)
    for times in range(1, NO_ANSWER_LIMIT + 1):
        house.until_journaled("OfferNotAnswered", times, call=caller.call)
    house.until_agent(first, "NotReady")
    served_by(house, second, caller)


def a_lookup_fails(house):
    house.dial("3600", "13910000010").until_ended()


def a_wait_overflows(house):
    house.dial("3601", "13910000011").until_ended()


def a_message_ends_with_a_key(house):
    caller = house.dial("3000", "13910000006")
    caller.until_told("beep")
    caller.speak()
    caller.listen(4)
    caller.press("#")
    caller.until_ended()


def a_message_ends_with_the_call(house):
    caller = house.dial("3000", "13910000007")
    caller.until_told("beep")
    caller.speak()
    caller.listen(4)
    caller.hang_up()
    caller.until_ended()


def a_caller_hangs_up_in_the_menu(house):
    caller = house.dial("1000", "13910000008")
    caller.until_told("main-menu")
    caller.hang_up()
    caller.until_ended()


def an_agent_dials_star_codes(house):
    agent = house.agents[0]
    ready = house.dial_as(agent, "*12")
    ready.until_ended()
    away = house.dial_as(agent, "*13")
    away.press("2")
    away.until_ended()
    house.until_agent(agent, "NotReady")


CALLS = [
    an_order_is_told,
    a_silent_caller_talks_to_an_agent_who_hangs_up,
    a_caller_hangs_up_while_talking_to_an_agent,
    a_caller_gives_up_while_it_rings,
    an_agent_declines_and_another_answers,
    nobody_answers_until_the_agent_is_not_ready,
    a_lookup_fails,
    a_wait_overflows,
    a_message_ends_with_a_key,
    a_message_ends_with_the_call,
    a_caller_hangs_up_in_the_menu,
    an_agent_dials_star_codes,
]
ORDER = {"number": "880202", "status": "shipped", "status_text": "已发货", "eta": "2026-11-29"}  # in every CRM here


def name(call):
    return call.__name__.replace("_", "-")
