"""`doctor` beside a real switch: it logs in, and finds nothing wrong with one that serves."""

import pytest

pytestmark = pytest.mark.live

REFUSED = {"freeswitch": "has another password than", "asterisk": "refuses hotline with the password in"}


def problems(hotline):
    """All that it says, and what is wrong; the flows of these tests have a query that fails on purpose."""
    told = hotline.command("doctor", check=False).splitlines()
    wrong = [line for line in told if line.startswith("PROBLEM")]
    return told, [line for line in wrong if line.split()[1] not in {"disk:", "flows:"}]


def test_a_switch_that_serves_lets_us_in_and_has_read_everything(hotline):
    told, wrong = problems(hotline)
    assert wrong == []
    logged_in = [line for line in told if "lets us in at" in line]
    assert len(logged_in) == 1
    assert " ".join(hotline.switch.version.partition("-")[0].split()[:2]) in logged_in[0]


def test_another_password_is_found(hotline):
    settings = getattr(hotline.config.switch, hotline.kind)
    known = settings.password_file.read_text()
    settings.password_file.write_text("0123456789abcdef0123456789abcdef\n")
    try:
        _, wrong = problems(hotline)
    finally:
        settings.password_file.write_text(known)
    assert any(REFUSED[hotline.kind] in line for line in wrong)
