"""Every message that the sources can give an administrator, as a pattern, found in their syntax trees."""

import ast
import re

from tests.docs.generated import HERE

FILES = [
    "config/document.py", "config/signs.py", "config/syntax.py", "config/wording.py", "config/values.py", "ivr/step.py",
    *(f"ivr/language/{name}.py" for name in (
        "calendars", "calling", "checker", "expressions", "flow", "graph", "phrases", "reader", "scenarios",
        "templates", "variables",
    )),
    *sorted(str(file.relative_to(HERE)) for file in (HERE / "ivr" / "steps").glob("*.py")),
    "acd/queues.py", "acd/reasons.py", "crm/catalogue.py", "crm/statement.py", "crm/trial.py", "speech/catalogue.py",
    "runtime/flowbook.py", "runtime/house_prompts.py",
]  # fmt: skip
PROSE = re.compile(r"[a-z]{2,} [a-z']")  # two words
ELSEWHERE = {  # what is said while a call goes on, to other code, or not of a file's text
    "log", "note", "compile", "search", "startswith", "endswith", "apologise", "Exit", "CannotEvaluate", "Interrupted",
    "CannotKeep", "HostFailed", "CannotSpeak", "fullmatch", "Edition", "failed", "join", "DeedFailed", "NotTried",
}  # fmt: skip
NOT_BROUGHT_ABOUT = {
    # of files that cannot be read, or that change meanwhile: tests/config, tests/runtime/test_editions.py
    "the file has … bytes; that is far too large", "not UTF-8 text; save the file with the encoding UTF-8",
    "cannot be read: …", "the files changed again and again while they were read",
    "no edition of the flows can be kept: …",
    # of a call or a scenario: tests/commands
    "no flow answers …; …", "none has a number",
    # of files and folders that are not there: tests/commands/test_check.py
    "there is no such file; the prompts' texts stand in it",
    "there is no such folder; name that of the prompts by prompts-dir",
    " There is none: … beside the flows is missing or empty",
    # of other files, of the house around, and of the language itself
    "… is of our own network, which web.private in appliance.yaml does not allow", "greeting of …", "given back",
    "the appliance was restarted meanwhile, and the query has no :key", "it returned no row",
    "Calls that must go as written.", " There is none",
    # of bounds that no field of these files has: tests/config
    "at most … … are possible here", "at least … … are needed here",
    # of the switch, the network and the model's own bounds: tests of theirs
    "the verb '…' needs a switch that can …; this one cannot", "… is not a whole flow",
}  # fmt: skip


def templates():
    """Each message's file, line, pattern and text."""
    for name in FILES:
        tree = ast.parse((HERE / name).read_text(encoding="utf-8"))
        skipped = {id(one) for node in ast.walk(tree) for one in _elsewhere(node)}
        for node in ast.walk(tree):
            if id(node) in skipped:
                continue
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            fixed = [
                one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None for one in parts
            ]
            text = "".join("…" if one is None else one for one in fixed)
            if PROSE.search("".join(filter(None, fixed))) and text not in NOT_BROUGHT_ABOUT:
                yield name, node.lineno, "".join(".*" if one is None else re.escape(one) for one in fixed), text


def _elsewhere(node):
    """The parts of the tree in which no messages stand: docstrings, tables of words, logging, and parts of others."""
    match node:
        case ast.Expr(value=ast.Constant() as doc):
            yield doc
        case ast.JoinedStr():
            yield from (one for one in ast.walk(node) if one is not node)
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if called in ELSEWHERE:
            yield from ast.walk(node)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
            yield from ast.walk(node)
        case ast.Compare():
            yield from ast.walk(node)
        case ast.Assign(targets=[ast.Name(id=table)]) | ast.AnnAssign(target=ast.Name(id=table)) if table.isupper():
            if isinstance(node.value, ast.Dict | ast.Call):
                yield from ast.walk(node)
