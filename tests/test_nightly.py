"""The parts of the nightly task, with every child process replaced."""

import sys

import pytest
from packaging.specifiers import SpecifierSet

from tools import nightly
from tools.nightly import Part, interpreter, main, parts, play, versions


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """What is called, and with how many seconds left; what has "bad" in it fails."""
    made = []

    def call(command, cwd, seconds):
        made.append((command, seconds))
        return 7 if "bad" in command else 0

    monkeypatch.setattr(nightly, "call", call)
    monkeypatch.setattr(nightly, "OUTPUT", tmp_path)
    return made


def run(monkeypatch, chosen, *arguments):
    monkeypatch.setattr(nightly, "parts", lambda seed: chosen)
    monkeypatch.setattr(sys, "argv", ["nightly", *arguments])
    return main()


def test_a_part_that_fails_ends_no_other_and_all_are_named(calls, monkeypatch, capsys):
    chosen = {"a": Part(1, [["bad"], ["not reached"]]), "b": None, "c": Part(2, [["good"]])}

    assert run(monkeypatch, chosen) == 1
    assert [command for command, _ in calls] == [["bad"], ["good"]]
    assert capsys.readouterr().out.splitlines()[-1] == "failed: a; not run: b; passed: c"
    assert run(monkeypatch, chosen, "--only", "c") == 0


def test_an_unknown_part_is_refused(calls, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, {"a": Part(1, [])}, "--only", "b")
    assert "--only: 'b' is no part; a are" in capsys.readouterr().err


def test_the_commands_of_a_part_share_its_minutes(calls, monkeypatch):
    clock = iter([100.0, 100.0, 150.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))

    assert play(Part(2, [["one"], ["two"]])) == 0
    assert calls == [(["one"], 120.0), (["two"], 70.0)]


def test_every_part_is_bounded_and_each_python_that_is_claimed_has_one():
    named = parts(0)

    assert all(part.minutes <= 60 for part in named.values() if part)
    this = "{}.{}".format(*sys.version_info)
    others = {f"Python {version}" for version in versions() if version != this}
    assert set(named) == {"adversaries", "decoders", "killed"} | others
    assert this in versions()
    oldest = SpecifierSet(">=" + versions()[0])
    assert all(version in oldest for version in versions())


def test_an_interpreter_is_found_where_it_is_what_its_name_says(monkeypatch, tmp_path):
    def script(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter("3.99") is None
    script(tmp_path / "python3.99", "echo not here >&2; exit 127")  # as a shim of pyenv does
    assert interpreter("3.99") is None
    here = script(tmp_path / "versions" / "3.99.1" / "bin" / "python", "echo 3.99")
    assert interpreter("3.99") == here
