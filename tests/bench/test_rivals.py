"""What the switches' own queues are told, and that both sides of the comparison have the same manners."""

from pathlib import Path
from xml.etree import ElementTree

from bench import _rivals


def test_callcenters_configuration_has_every_agent_in_the_measured_queue():
    configuration = ElementTree.fromstring(_rivals._callcenter(Path("/tmp/sound.wav")))
    assert {agent.get("name") for agent in configuration.iter("agent")} == set(_rivals.AGENTS)
    assert {(tier.get("agent"), tier.get("queue")) for tier in configuration.iter("tier")} == {
        (agent, _rivals.MEASURED) for agent in _rivals.AGENTS
    }


def test_only_the_queue_that_is_heard_announces():
    configuration = ElementTree.fromstring(_rivals._callcenter(Path("/tmp/sound.wav")))
    announces = {
        queue.get("name"): any(param.get("name") == "announce-sound" for param in queue)
        for queue in configuration.iter("queue")
    }
    assert announces == {_rivals.MEASURED: False, _rivals.HEARD: True}


def test_freeswitchs_dialplan_leads_into_both_queues():
    dialplan = ElementTree.fromstring(f"<context>{_rivals._IN_FREESWITCH}</context>")
    leads = {
        extension[0].get("expression"): extension[0].find("action[@application='callcenter']").get("data")
        for extension in dialplan
    }
    assert leads == {
        f"^{_rivals.THEIRS.measured}$": _rivals.MEASURED,
        f"^{_rivals.THEIRS.heard}$": _rivals.HEARD,
    }
