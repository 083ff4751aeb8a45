"""flows/queues.yaml: what is written becomes rules; what is wrong is named with its place and a suggestion."""

from __future__ import annotations

import pytest

from acd.model import Announcements, Comforts, Overflow, Question, QueueRule
from acd.queues import Known, load_queues

WHOLE = """\
service:
  strategy: longest-idle
  weight: 1
  music: calm
  skills: {cmn: required, claims: preferred 3}
  priority-credit: 60s
  announce: {position: true, wait: true, first: 15s, every: 30s, only-if-better: true}
  comfort: {say: [please-keep-waiting], first: 40s, every: 60s}
  offer-after: 60s
  while-waiting: {"1": stay, "2": left}
  ring-for: 15s
  no-answer-limit: 2
  wrap-up: 20s
  service-level: 80/20
  overflow:
    - {after: 90s, relax: claims}
    - {after: 3m, to-queue: experts}
    - {when: none-logged-on, exit: overflowed}
    - {when: none-ready, after: 5m, exit: overflowed}
    - {after: 10m, exit: overflowed}
  longest-queue: 200
experts: {}
"""


def problems(text: str, **known: object) -> list[str]:
    rules, found = load_queues(text, "queues.yaml", Known(**known))
    assert not rules or not found, "all or nothing"
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("comfort: {say: please-keep-wating}", "no prompt 'please-keep-wating'. Did you mean 'please-keep-waiting'?"),
        ('offer-after: 1m, offer: stay-or-go, while-waiting: {"2": left}', "no prompt 'stay-or-go'."),
        ("music: clam", "no music 'clam'. Did you mean 'calm'?"),
        ("music: jazz", "no music 'jazz'. There is calm"),
        ("calendar: ofice", "no calendar 'ofice'. Did you mean 'office'?"),
    ],
)
def test_prompts_and_music_that_there_are_not_are_named(written: str, words: str):
    (problem,) = problems(
        f"service: {{{written}}}", prompts=["please-keep-waiting"], music=["calm"], calendars=["office"]
    )
    assert words in problem


def test_a_queue_that_never_asks_needs_no_question():
    assert problems("service: {}", prompts=["please-keep-waiting"], music=["calm"]) == []


def test_a_whole_queue_is_read():
    rules, found = load_queues(WHOLE, "queues.yaml")
    assert not found
    assert rules == (
        QueueRule(
            name="service",
            skills={"cmn": "required", "claims": "preferred 3"},
            announce=Announcements(position=True, wait=True, first=15_000, every=30_000, only_if_better=True),
            comfort=Comforts(("please-keep-waiting",), first=40_000, every=60_000),
            question=Question(after=60_000, prompt="keep-waiting-or-leave"),
            while_waiting={"1": "stay", "2": "left"},
            overflow=(
                Overflow(after=90_000, relax="claims"),
                Overflow(after=180_000, to_queue="experts"),
                Overflow(when="none-logged-on", exit="overflowed"),
                Overflow(after=300_000, when="none-ready", exit="overflowed"),
                Overflow(after=600_000, exit="overflowed"),
            ),
        ),
        QueueRule(name="experts"),
    )


def test_what_is_left_out_has_the_engines_own_defaults():
    rules, _ = load_queues("service: {}", "queues.yaml")
    assert rules == (QueueRule(name="service"),)


@pytest.mark.parametrize(
    ("written", "place", "words"),
    [
        ("strategy: longest-idel", "1:21", "no strategy 'longest-idel'. Did you mean 'longest-idle'?"),
        ("weight: 0", "1:19", "must be at least 1"),
        ("anounce: {position: true}", "1:11", "Did you mean 'announce'?"),
        ("skills: {claims: preferd}", "1:28", "write required, preferred, or with a least level: required 3"),
        ("skills: {claims: required 6}", "1:28", "'required 6' is not a demand"),
        ("service-level: 180/20", "1:26", "80/20 means 80 % answered within 20 seconds"),
        ("service-level: 80/0", "1:26", "'80/0' is not a service level"),
        ("ring-for: 0s", "1:21", "must be between 1s and 24h"),
        ("ring-for: fifteen", "1:21", "write for example 500ms, 5s, 2m or 1h"),
        ("offer-after: 60s", "1:24", "no key lets them leave"),
        ("record: {calls: some}", "1:27", "all"),
        ('while-waiting: {"2": callback}', "1:32", "callback will come in a later version"),
        ("overflow: [{after: 5s}]", "1:22", "exactly one of exit, to-queue and relax"),
        ("overflow: [{after: 5s, exit: overflowed, relax: claims}]", "1:22", "exactly one of"),
        ("overflow: [{when: none-redy, exit: overflowed}]", "1:29", "Did you mean 'none-ready'?"),
        ("overflow: [{to-queue: servise}]", "1:33", "no queue 'servise'. Did you mean 'service'?"),
        ("overflow: [{when: closed, exit: closed}]", "1:29", "write for example calendar: office"),
        ("overflow: [{when: emergancy, exit: emergency}]", "1:29", "Did you mean 'emergency'?"),
        ("successor: servise", "1:22", "no queue 'servise'. Did you mean 'service'?"),
        ("overflow: [{to-queue: service}]", "1:33", "callers would go round: service -> service"),
        (
            "overflow: [{after: 1m, exit: overflowed}, {after: 2m, exit: unavailable}]",
            "1:53",
            "never reached: another line ends every wait after 60s",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_to_write(written: str, place: str, words: str):
    (problem,) = problems(f"service: {{{written}}}")
    assert problem.startswith(f"queues.yaml:{place}: ")
    assert words in problem


def test_overflow_that_leads_back_is_refused_once_for_each_way_round():
    text = """\
service:
  overflow: [{after: 1m, to-queue: sales}]
sales:
  overflow: [{after: 1m, to-queue: experts}]
experts:
  overflow: [{after: 1m, to-queue: service}]
"""
    assert problems(text) == [
        "queues.yaml:2:36: service.overflow.0.to-queue: callers would go round: service -> sales -> experts -> service"
    ]


def test_all_problems_are_told_at_once():
    assert len(problems("service: {weight: x, music: [a], nonsense: 1}\nsales: {strategy: best}")) == 4


def test_a_near_miss_of_a_skill_is_a_problem():
    text = "service:\n  skills: {claims: required}\n  overflow: [{after: 1m, relax: claim}]"
    assert problems(text) == ["queues.yaml:3:33: service.overflow.0.relax: no skill 'claim'. Did you mean 'claims'?"]


def test_a_skill_that_only_calls_ask_for_may_be_relaxed():
    assert not problems("service:\n  skills: {claims: required}\n  overflow: [{after: 1m, relax: yue}]")


def test_with_the_agents_skills_known_any_other_is_a_problem():
    text = "service:\n  skills: {claims: required, yeu: required}\n  overflow: [{after: 1m, relax: yeu}]"
    assert problems(text, skills=["claims", "yue"]) == [
        "queues.yaml:2:30: service.skills.yeu: no agent has the skill 'yeu'. Did you mean 'yue'?",
        "queues.yaml:3:33: service.overflow.0.relax: no skill 'yeu'. Did you mean 'yue'?",
    ]


@pytest.mark.parametrize("text", ["", "service: {", "- a", "service: yes", "a b: {}"])
def test_what_is_no_queue_file_is_a_problem_or_no_queues_and_never_a_crash(text: str):
    rules, found = load_queues(text, "queues.yaml")
    assert rules == ()
    assert bool(found) == bool(text)
