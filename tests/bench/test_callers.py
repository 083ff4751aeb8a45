"""What is read from sipp's files, and what it is given."""

from xml.etree import ElementTree

import pytest

from bench import _callers

STATISTICS = """StartTime;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);Retransmissions(C);
a;1;1;0;0;
b;8;9;1;3;
"""
TIMES = """Date_ms;response_time_ms;rtd_no
360.001;24;answer
2692.001;1892.5;told
412.001;28;answer
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "stat.csv").write_text(STATISTICS)
    (tmp_path / "scenario_123_rtt.csv").write_text(TIMES)
    return tmp_path


def test_the_last_line_of_the_statistics_counts(files):
    assert _callers._counted(files) == (9, 3)


def test_times_are_told_apart_by_name(files):
    assert _callers._times(files) == {"answer": [24.0, 28.0], "told": [1892.5]}


def test_a_sipp_that_timed_nothing_has_no_times(tmp_path):
    (tmp_path / "scenario_123_rtt.csv").write_text(TIMES.splitlines()[0] + "\n")
    assert _callers._times(tmp_path) == {}


def test_callers_have_numbers_of_their_own_and_take_the_ports_in_turn():
    head, *lines = _callers._callers([4000, 4002]).splitlines()
    assert head == "SEQUENTIAL"
    assert lines[:3] == ["13900000000;4000", "13900000001;4002", "13900000002;4000"]
    assert len({line.partition(";")[0] for line in lines}) == len(lines) >= 1000


@pytest.mark.parametrize("press", [_callers._BY_SOUND.format(pcap="1.pcap"), _callers._BY_INFO.format(key="1")])
def test_the_order_scenario_times_the_key_however_it_is_pressed(press):
    text = (_callers.SCENARIOS / "order.xml").read_text().replace("@KEY@", press)
    scenario = ElementTree.fromstring(text)
    begun = [step.get("start_rtd") for step in scenario if step.get("start_rtd")]
    ended = [step.get("rtd") for step in scenario if step.get("rtd")]
    assert begun == ended == ["answer", "told"]
