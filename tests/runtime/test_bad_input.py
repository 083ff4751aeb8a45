"""Whatever is written into a file of an administrator, the author gets answers with positions, and no traceback.

Ten thousand files with slips are read, or as many as HOTLINE_FUZZ says.
"""

import os
import random
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.queues import load_queues
from acd.reasons import load_reasons
from config.document import parse
from crm.catalogue import load as load_queries
from ivr.language.calendars import load_calendars
from ivr.language.checker import check
from ivr.language.house import House, QueryFacts
from ivr.language.reader import read
from ivr.language.scenarios import load_scenarios
from runtime.flowbook import Surroundings, read_book
from speech import words
from speech.catalogue import load as load_catalogue

HERE = Path(__file__).parents[2]
ALL = int(os.environ.get("HOTLINE_FUZZ", "10000"))
FLOWS = HERE / "flows"
CATALOGUE, _ = load_catalogue(HERE / "prompts")
HOUSE = House(
    prompts={name: dict.fromkeys(texts) for name, texts in CATALOGUE.texts.items()}
    | {"beep": dict.fromkeys(words.languages())},
    languages=words.languages(),
    queues=["service"],
    queries={"order_by_number": QueryFacts(frozenset({"number", "eta", "status_text"}), frozenset({"number"}))},
    calendars=["office"],
    skills=["cmn", "yue", "en"],
    boxes=["service", "complaints"],
)
JUNK = [
    "", " ", ":", "- ", "#", "{", "}", "[", "]", '"', "'", "{{", "}}", "|", ">", "&a", "*a", "!x", "%", "@", "`", "\t",
    "\n", "\n  ", "\n      ", "null", "~", "yes", "0x1F", "1e999", "-1", "9" * 400, "steps", "say", "menu", "next",
    "collect", "into", "{{ order.eta | date }}", "{{ a.b.c }}", "\u2028", "\x00", "\ufeff", "😀", "é", ": ", "? ",
    "- - -", "{}", "[]", "{x: {y: {z: 1}}}", "options: {}", "repeat", "<<: *a", ";", ":x", "--", "/*", "select", "80/",
    "24:00", "-", "closed", "mon-", "ms", "5h", "\u00a0", "\\", "\\u", "…", "\u202e", "call", "return", "with",
]  # fmt: skip


def flow(text):
    document, problems = parse(text, "flow.yaml")
    drafts = [] if document is None else [read(document)]
    problems = [*problems, *check(drafts, HOUSE)]
    return (None if problems else drafts[0].flow()), problems


def catalogue(text, tmp):
    (tmp / "catalogue.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    return load_catalogue(tmp)


# Each kind of file: one that is right, what reads it, and its share of all examples.
KINDS = {
    "flow": ((FLOWS / "hotline.yaml").read_text(encoding="utf-8"), flow, 0.20),
    "queues": ((FLOWS / "queues.yaml").read_text(encoding="utf-8"), lambda text: load_queues(text, "f"), 0.25),
    "queries": ((FLOWS / "queries.yaml").read_text(encoding="utf-8"), lambda text: load_queries(text, "f"), 0.20),
    "calendars": ((FLOWS / "calendars.yaml").read_text(encoding="utf-8"), lambda text: load_calendars(text, "f"), 0.15),
    "reasons": ((FLOWS / "reasons.yaml").read_text(encoding="utf-8"), lambda text: load_reasons(text, "f"), 0.05),
    "catalogue": ((HERE / "prompts" / "catalogue.yaml").read_text(encoding="utf-8"), catalogue, 0.10),
    "scenarios": (
        (FLOWS / "hotline.test.yaml").read_text(encoding="utf-8"), lambda text: load_scenarios(text, "f"), 0.05
    ),
}  # fmt: skip


def slipped(text, seed):
    """A valid file with a few slips in it: something inserted, removed, exchanged or moved."""
    order = random.Random(seed)
    for _ in range(order.randint(1, 4)):
        at, length = order.randint(0, len(text)), order.randint(0, 12)
        match order.choice(["insert", "remove", "replace", "move", "line", "indent"]):
            case "insert":
                text = text[:at] + order.choice(JUNK) + text[at:]
            case "remove":
                text = text[:at] + text[at + length :]
            case "replace":
                text = text[:at] + order.choice(JUNK) + text[at + length :]
            case "move":
                to = order.randint(0, len(text))
                text = text[:at] + text[to : to + length] + text[at:]
            case "line":
                lines = text.split("\n")
                del lines[order.randrange(len(lines))]
                text = "\n".join(lines)
            case "indent":
                lines = text.split("\n")
                lines.insert(order.randrange(len(lines)), " " * order.randint(0, 8) + order.choice(lines).strip())
                text = "\n".join(lines)
    return text


def placed(text, problems):
    """Whether every problem stands in the text, and says something."""
    for sign in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
        text = text.replace(sign, "\n")
    lines = text.split("\n")
    return all(
        1 <= problem.line <= len(lines) and 1 <= problem.column <= len(lines[problem.line - 1]) + 2 and problem.message
        for problem in problems
    )


SEEDS = st.integers(0, 2**32 - 1)
# The same slips in every run, but for those who ask for a number of their own.
EXAMPLES = settings(
    derandomize="HOTLINE_FUZZ" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_slips_is_right_or_told_with_positions(kind, tmp_path):
    text, load, share = KINDS[kind]

    @settings(EXAMPLES, max_examples=round(ALL * share))
    @given(SEEDS)
    def any_slips(seed):
        wrong = slipped(text, seed)
        found, problems = load(wrong, tmp_path) if kind == "catalogue" else load(wrong)
        assert placed(wrong, problems)
        assert problems or found is not None
        assert not (problems and found)

    any_slips()


@settings(EXAMPLES, max_examples=max(20, ALL // 100))
@given(SEEDS, st.sampled_from(["hotline.yaml", "queues.yaml", "queries.yaml", "calendars.yaml", "catalogue.yaml"]))
def test_a_house_with_slips_in_one_of_its_files_is_right_or_told(tmp_path_factory, seed, name):
    home = tmp_path_factory.mktemp("house")
    for file in (*FLOWS.glob("*.yaml"), HERE / "prompts" / "catalogue.yaml"):
        folder = home / file.parent.name
        folder.mkdir(exist_ok=True)
        shutil.copy(file, folder)
    file = home / ("prompts" if name == "catalogue.yaml" else "flows") / name
    wrong = slipped(file.read_text(encoding="utf-8"), seed)
    file.write_bytes(wrong.encode("utf-8", "surrogatepass"))
    book, problems = read_book(home / "flows", home / "prompts", Surroundings(["service", "complaints"]))
    assert (book is None) == bool(problems)
    for problem in problems:  # others of the files may count on what is wrong in this one
        assert placed(Path(problem.path).read_bytes().decode("utf-8", "replace"), [problem])


# --- bombs -------------------------------------------------------------------------------------------


def bombs(text):
    """Texts that were made to take long, of a file that is right."""
    return {
        "a thousand aliases": "a: &a [1]\n" + "".join(f"s{n}: *a\n" for n in range(1000)),
        "doubling aliases": "a: &a [x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghijkl")),
        "a million brackets": text + "x: " + "[" * 900_000,
        "a million braces": text + "x: " + "{a: " * 220_000,
        "deep indentation": "".join(" " * n + f"k{n}:\n" for n in range(1300)),
        "a ten-megabyte text": text + 'x: "' + "长" * 10_000_000 + '"\n',
        "ten megabytes of lines": text + "x: y\n" * 2_000_000,
        "many names": "".join(f"k{n}: v\n" for n in range(100_000)),
        "many double keys": "k: v\n" * 100_000,
        "a huge key": "k" * 900_000 + ": v\n",
        "an endless quote": text + '"' + "a\n\n" * 200_000,
        "tabs without end": "\t" * 900_000,
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bomb", bombs(""))
def test_a_bomb_is_refused(kind, bomb, tmp_path):
    """How soon, `python -m bench flows` measures."""
    text, load, _ = KINDS[kind]
    wrong = bombs(text)[bomb]
    found, problems = load(wrong, tmp_path) if kind == "catalogue" else load(wrong)
    assert problems
    assert not found
