"""`graph` draws a flow, also one in which something is wrong."""

from pathlib import Path

import pytest

from commands import main

HOME = Path(__file__).parents[2]


@pytest.fixture
def graph(tmp_path, capsys, monkeypatch):
    (tmp_path / "flows").mkdir()
    (tmp_path / "appliance.yaml").write_text("")
    (tmp_path / "flows" / "queues.yaml").write_text("")
    (tmp_path / "flows" / "small.yaml").write_text("steps: {a: {say: hello, next: b}, b: {hangpu: {}}}\n")
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main(["--config", str(tmp_path / "appliance.yaml"), "graph", *words], HOME)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_the_only_flow_is_drawn_and_what_is_wrong_is_told(graph):
    code, out, err = graph()
    assert code == 0
    assert out.startswith("<svg")
    assert ">say hello<" in out
    assert "no verb 'hangpu'" in err


def test_mermaid_goes_into_a_file(graph, tmp_path):
    assert graph("flows/small.yaml", "--mermaid", "--output", "small.mmd")[:2] == (0, "")
    assert (tmp_path / "small.mmd").read_text().startswith("flowchart TD\n")


def test_of_several_flows_one_must_be_named(graph, tmp_path):
    (tmp_path / "flows" / "other.yaml").write_text("steps: {a: {hangup: {}}}\n")
    code, _, err = graph()
    assert code == 2
    assert err.endswith("name one: other, small\n")
    assert graph("small")[0] == 0


def test_what_is_no_flow_cannot_be_drawn(graph, tmp_path):
    (tmp_path / "flows" / "small.yaml").write_text("steps: [\n")
    code, out, err = graph()
    assert (code, out) == (1, "")
    assert err
