"""Pages that are run: the files in them are taken as they stand, checked, and their scenarios played."""

import re
import shutil
from dataclasses import dataclass
from datetime import date

import numpy as np

from config.appliance import Config
from crm import demo
from ivr.language.scenarios import load_scenarios
from runtime.flowbook import Surroundings, read_book, scenario_files
from runtime.scenarios import play_all
from speech.simulated import Simulated
from store.database import Database
from switch.shared.clock import RealClock
from switch.simulated.audio import write_wav
from tests.docs.generated import HERE

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LABEL = re.compile(r"# (\S+\.yaml)(?:, (added|instead of (.+)|a slip instead of (.+)))?\n")


@dataclass(frozen=True)
class Block:
    """A part of a file: all of it, something to add, or something `instead` of a step or a scenario."""

    file: str
    text: str
    added: bool = False
    instead: str = ""
    said: str | None = None  # what `check` says of it; it is then no part of what follows


def sections(page):
    """The sections of a page with their blocks, by heading."""
    text = (HERE / "docs" / page).read_text(encoding="utf-8")
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {part.splitlines()[0]: list(_blocks(part)) for part in parts}


def _blocks(text):
    fences = FENCE.findall(text)
    for number, (kind, content) in enumerate(fences):
        if kind != "yaml":
            continue
        label = LABEL.match(content)
        assert label, f"the block does not say which file it is: {content[:60]}"
        file, how, instead, slip = label.groups()
        said = fences[number + 1][1] if slip else None
        yield Block(file, content[label.end() :], how == "added", instead or slip or "", said)


class Site:
    """A folder with an appliance's files in it, the catalogue that ships and a small CRM."""

    def __init__(self, home):
        self.home = home
        (home / "flows").mkdir()
        (home / "prompts").mkdir()
        shutil.copy(HERE / "prompts" / "catalogue.yaml", home / "prompts")
        self.config = Config().at(home)
        self.config.data_dir.mkdir()
        write_wav(self.config.sounds_dir / "beep.wav", np.zeros(1600))
        crm = Database(self.config.crm.url, RealClock(), name="CRM", threads=1, create=True)
        demo.fill(crm, customers=3, orders=3, today=date(2026, 11, 23))
        crm.close()

    def write(self, block):
        file = self.home / block.file
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(_put(before, block), encoding="utf-8")

    def problems(self):
        """What is wrong, without line and column."""
        self.book, problems = read_book(
            self.config.flows_dir,
            self.config.prompts_dir,
            Surroundings(["service", "complaints"], ["cmn", "yue", "en"]),
        )
        return [f"flows/{problem.path.rsplit('/', 1)[-1]}: {problem.message}" for problem in problems]

    def played(self, names):
        """How many scenarios of these names (None: of any) there are, and what did not go as written."""
        scenarios = []
        for file in scenario_files(self.config.flows_dir):
            found, problems = load_scenarios(file.read_text(encoding="utf-8"), str(file))
            assert problems == []
            scenarios += [one for one in found if names is None or one.name in names]
        outcomes = list(play_all(self.config, scenarios, self.book.prompts, Simulated()))
        return len(scenarios), [str(outcome) for outcome in outcomes if outcome is not None]

    def run(self, blocks, *, everything=False):
        """Takes the blocks in their order; the section's scenarios, or all, must then go as written."""
        for block in blocks:
            file = self.home / block.file
            before = file.read_text(encoding="utf-8") if block.said is not None else ""
            self.write(block)
            if block.said is not None:
                assert self.problems() == block.said.splitlines()
                file.write_text(before, encoding="utf-8")
        assert self.problems() == []
        new = {name for block in blocks for name in re.findall(r"^- name: (.+)$", block.text, re.MULTILINE)}
        many, wrong = self.played(None if everything else new)
        assert wrong == []
        return many


def _put(before, block):
    if block.added:
        return before.rstrip("\n") + "\n" + block.text
    if not block.instead:
        return block.text
    scenarios = block.file.endswith(".test.yaml")
    begins = f"- name: {block.instead}\n" if scenarios else f"  {block.instead}:"
    ends = r"^- |\Z" if scenarios else r"^  \S|\Z"
    start = f"\n{before}".index("\n" + begins)
    end = re.compile(ends, re.MULTILINE).search(before, start + len(begins)).start()
    return before[:start] + block.text + before[end:]
