"""Debian packages in a tree of our own: what is said where they cannot be had, and that work is done once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from provision import asterisk, debs, phones

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A machine with only the programs that a test puts there."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(debs, "KEYRING", tmp_path / "keyring.gpg")
    debs.KEYRING.touch()

    def install(name, script):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)

    return install


def codename(text, monkeypatch):
    monkeypatch.setattr(debs, "_codename", lambda: text)


@pytest.mark.parametrize(("command", "what"), [(asterisk.main, "no private Asterisk"), (phones.main, "no test phones")])
def test_without_apt_one_plain_line_and_a_code_of_its_own(host, tmp_path, capsys, command, what):
    assert command(["--prepare", str(tmp_path / "var")]) == debs.NO_APT
    said = capsys.readouterr().out
    assert said == f"{what}: there is no apt on this machine\n"


def test_without_a_mirror_one_plain_line_and_another_code(host, tmp_path, capsys):
    host("apt-get", "exit 0")
    host("dpkg-deb", "exit 0")
    assert asterisk.main(["--prepare", str(tmp_path / "var")]) == debs.NO_MIRROR
    assert capsys.readouterr().out == "no private Asterisk: this machine's apt has no Debian mirror set up\n"


def test_where_no_suite_has_it_every_reason_is_in_one_line_without_addresses(host, tmp_path, capsys):
    listing = 'case "$1" in indextargets) echo "scheme://mirror.example/debian Debian Debian bookworm";; *) '
    host("apt-get", listing + 'echo "E: Failed to fetch scheme://mirror.example/x  404" >&2; exit 100;; esac')
    host("dpkg-deb", "exit 0")
    assert asterisk.main(["--prepare", str(tmp_path / "var")]) == debs.NO_MIRROR
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert all(f"{suite}: Failed to fetch the mirror" in said for suite in asterisk.SUITES)
    assert "mirror.example" not in said
    assert not (tmp_path / "var" / "work").exists()


def mirrors(host, *rows):
    host("apt-get", "\n".join(f"echo '{row}'" for row in rows))
    host("dpkg-deb", "exit 0")
    return debs.host_mirrors()


def test_the_mirror_is_the_hosts_own_and_only_debians(host):
    found = mirrors(
        host,
        "scheme://one/debian Debian Debian bookworm",
        "scheme://one/debian Debian Debian bookworm-updates",
        "scheme://two/security Debian Debian-Security bookworm-security",
        "scheme://three/apt Somebody Else stable",
    )
    assert found == ["scheme://one/debian"]


def test_where_apt_knows_no_origins_yet_the_suites_name_is_the_hint(host, monkeypatch):
    codename("bookworm", monkeypatch)
    unknown = "$(ORIGIN) $(LABEL)"
    found = mirrors(host, f"scheme://one/debian {unknown} bookworm", f"scheme://two/apt {unknown} stable")
    assert found == ["scheme://one/debian"]


def test_a_tree_that_was_made_from_other_packages_is_made_again(tmp_path):
    (tmp_path / "root").mkdir()
    wanted = debs._wanted(tmp_path, ["asterisk"], ["forky"])
    (tmp_path / "prepared.json").write_text(json.dumps({"wanted": wanted, "suite": "forky", "versions": {}}))
    assert debs._already(tmp_path, ["asterisk"], ["forky"])
    assert not debs._already(tmp_path, ["asterisk", "more"], ["forky"])
    assert not debs._already(tmp_path, ["asterisk"], ["sid"])
    (tmp_path / "prepared.json").write_text("{")
    assert not debs._already(tmp_path, ["asterisk"], ["forky"])


@pytest.mark.parametrize(
    ("version", "plain"),
    [("1:22.10.1+dfsg+~cs6.17-1", "22.10.1"), ("1:16.28.0~dfsg-0+deb11u4", "16.28.0"), ("22-1", "22")],
)
def test_versions(version, plain):
    assert asterisk.version(debs.Tree(Path("/"), "forky", {"asterisk": version})) == plain


@pytest.fixture(scope="module")
def tree():
    try:
        return asterisk.prepare(CHECKOUT / "var" / "asterisk")
    except debs.Unavailable as reason:
        due = "asterisk" in os.environ.get("HOTLINE_REQUIRE", "").split(",")
        (pytest.fail if due else pytest.skip)(f"no private Asterisk: {reason}")


@pytest.mark.live
@pytest.mark.asterisk
def test_the_unpacked_asterisk_takes_nothing_from_the_machine(tree):
    command = tree.command(asterisk.PROGRAM, "-V")
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert told.stdout.startswith(f"Asterisk {asterisk.version(tree)}")
    assert tree.foreign(tree.root / asterisk.PROGRAM) == []
    assert tree.foreign(Path(sys.executable).resolve())


@pytest.mark.live
@pytest.mark.asterisk
def test_what_is_in_the_way_is_said_in_one_line(tree, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site = asterisk.Site(agents={}, music={"default": tmp_path}, ari_port=port, agents_port=0, trunk_port=0)
        with pytest.raises(debs.Unavailable, match=f"cannot use 127.0.0.1:{port}") as refused:
            asterisk.start(tree, tmp_path / "home", site)
    assert refused.value.code == asterisk.IN_THE_WAY
