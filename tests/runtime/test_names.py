"""The queues that there are for whoever names one on the command line."""

import pytest

from runtime.names import queue_names, unknown


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("service: {}\nsales: {strategy: of-a-slip}\n", {"service", "sales"}),
        ("service: [\n", set()),
        ("- service\n", set()),
        ("", set()),
    ],
)
def test_queues_are_known_by_name_also_where_something_else_of_them_is_wrong(tmp_path, text, names):
    (tmp_path / "queues.yaml").write_text(text)
    assert queue_names(tmp_path) == names


def test_without_a_file_there_are_none(tmp_path):
    assert queue_names(tmp_path) == set()


def test_an_unknown_name_is_told_with_those_that_there_are_and_the_one_that_is_meant():
    assert str(unknown("--queue", "servce", {"service", "sales"})) == (
        "--queue: there is no queue 'servce'; there is sales or service. Did you mean 'service'?"
    )
    assert str(unknown("--agent", "9", ())) == "--agent: there is no agent '9'."
