"""The table of the checker's messages for administrators: an example of each and what to do."""

from tests.docs.generated import keep_current
from tests.ivr.language.slips import SLIPS

HEAD = """\
# What `check` says

Each message here was brought about by a slip in a flow, and stands as `./appliance.py check` prints it after
the file and the place: `flows/hotline.yaml:20:22:` is line 20, column 22. All problems are told at once; where
one slip would cause others, only the slip is told.

| message | what to do |
|---|---|
"""


def test_every_message_stands_with_its_remedy_in_the_table():
    rows = [f"| `{slip.message.replace('|', chr(92) + '|')}` | {slip.remedy} |" for slip in SLIPS]
    keep_current("messages.md", HEAD + "\n".join(rows) + "\n")


def test_every_message_has_a_remedy():
    assert [slip.message for slip in SLIPS if not slip.remedy.endswith(".")] == []
