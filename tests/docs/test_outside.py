"""The examples of docs/outside.md and of flows that call flows are right."""

import re

from config.appliance import Config
from config.document import load
from crm import catalogue
from tests.docs.generated import HERE
from tests.ivr.conftest import told_of


def examples(page):
    text = (HERE / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.+?)```", text, re.DOTALL)


def test_the_query_the_settings_and_the_flow_of_the_page_are_right():
    query, web, transfers, closing = examples("outside.md")
    assert catalogue.load(query, "queries.yaml")[1] == []
    for settings in (web, transfers):
        assert load(Config, settings, "appliance.yaml")[1] == []
    assert told_of({"closing": closing}) == []


def test_the_flow_that_is_called_is_right():
    called, step = (one for one in examples("flow-language.md") if "identify" in one)
    called = called.replace("[cmn, yue, en]", "[cmn, en]").replace("ask-account", "ask-number")
    calling = "number: '1'\nlanguages: [cmn, en]\nstart: who\nsteps:\n" + step + "  tell: {hangup: {}}\n"
    assert told_of({"main": calling, "identify": called}) == []
