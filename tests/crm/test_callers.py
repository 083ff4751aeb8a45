"""A caller is recognised by number however the trunk writes it, and by nothing else."""

from pathlib import Path

import pytest

from crm import catalogue
from crm.callers import Callers, normalised
from crm.host import Host, Queries
from ivr.services import CallerFacts
from switch.shared.clock import RealClock
from tests.store.test_store import HOSTILE

MOBILE = "+8613800000001"


@pytest.mark.parametrize(
    "written",
    [
        "13800000001",
        "+86 138 0000 0001",
        "+8613800000001",
        "008613800000001",
        "8613800000001",
        "013800000001",
        "138-0000-0001",
        " (138) 0000 0001 ",
        "sip:13800000001@10.0.0.7:5060;user=phone",
        "sips:+8613800000001@trunk.example",
        "tel:+86-138-0000-0001;phone-context=+86",
        "13800000001@trunk",
    ],
)
def test_one_number_however_it_is_written(written):
    assert normalised(written, "CN") == MOBILE


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("01065550001", "CN", "+861065550001"),
        ("+85255500002", "CN", "+85255500002"),
        ("0085255500002", "CN", "+85255500002"),
        ("51234567", "HK", "+85251234567"),
        ("55500002", "HK", ""),
        ("+8612345678", "CN", "+8612345678"),
        ("00 44 7700 900123", "CN", "+447700900123"),
        ("07700900123", "GB", "+447700900123"),
        ("(202) 555-0143", "US", "+12025550143"),
    ],
)
def test_a_number_is_read_by_the_countrys_habits(written, country, number):
    assert normalised(written, country) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "anonymous",
        "Anonymous",
        "unknown",
        "restricted",
        "unavailable",
        "sip:anonymous@anonymous.invalid",
        "sip:alice@example.org",
        "sip:",
        "1001",
        "110",
        "95588",
        "12345678",
        "+",
        "+0",
        "+999123456789",
        "1" * 30,
        "call 13800000001 now",
        "13800000001x",
        "1380000\n0001",
        "13800000001%0A",
        "13800000001\0",
        "1380000000１",
        "9" * 4096,
        "(" * 4096,
        *HOSTILE.values(),
    ],
)
def test_what_is_no_number_is_nobodys(written):
    assert normalised(written, "CN") == ""


@pytest.fixture
def callers(host, demo_crm) -> Callers:
    queries, _ = catalogue.load_file(Path("flows/queries.yaml"))
    return Callers(Queries(host, queries), "CN")


def test_a_gold_customer_is_recognised_by_each_of_the_numbers(callers):
    facts = CallerFacts(number=MOBILE, known=True, customer_id="C00001", name="张伟", tier="gold", language="cmn")
    assert callers.recognise("13800000001") == facts
    assert callers.recognise("010 6555 0001").customer_id == "C00001"


def test_languages_and_tiers_come_from_the_crm(callers):
    assert callers.recognise("13800000002").language == "yue"
    assert callers.recognise("+852 5550 0002").tier == "silver"
    english = callers.recognise("13800000003")
    assert (english.known, english.language, english.tier) == (True, "en", "")


def test_an_unknown_number_is_a_stranger_with_a_number(callers):
    assert callers.recognise("13900000009") == CallerFacts(number="+8613900000009")


def test_an_anonymous_caller_is_a_stranger_without_one(callers):
    assert callers.recognise("anonymous") == CallerFacts()


def test_without_the_crm_everybody_is_a_stranger(tmp_path):
    queries, _ = catalogue.load_file(Path("flows/queries.yaml"))
    host = Host(f"sqlite:///{tmp_path}/gone.db", RealClock())
    assert Callers(Queries(host, queries), "CN").recognise("13800000001") == CallerFacts(number=MOBILE)
    host.close()


def test_a_catalogue_without_the_query_knows_nobody(host):
    assert Callers(Queries(host, {}), "CN").recognise("13800000001") == CallerFacts(number=MOBILE)
