"""The command `sweep`: what it prints and writes, its exit codes, and how it goes on."""

import json
import re
import sys
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.cli import main
from streamlet_lab.measures import Experiment

STUDY = """
repeats = 3
measure = ["finalized_blocks", "safe"]
[base]
epochs = 6
signatures = "none"
market.traders = 0
[over.faults]
"none" = {}
"one silent" = {node_3 = "silent_leader"}
"""
PRINTED = """\
6 runs over faults; measured: finalized_blocks, safe
    faults          measure  mean      low  high  n estimator                      note
      none finalized_blocks     5        5     5  3         t
one silent finalized_blocks     2        2     2  3         t
      none             safe     1 0.292402     1  3     exact no exception: lower bound
one silent             safe     1 0.292402     1  3     exact no exception: lower bound
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def command(*options):
    return main(["sweep", "study.toml", *options])


def test_it_prints_means_and_writes_the_runs(folder, capsys):
    assert command("--csv", "runs.csv", "--parquet", "runs.parquet") == 0
    assert capsys.readouterr() == (PRINTED + "Written: runs.csv\nWritten: runs.parquet\n", "")
    frame = sl.sweep(**sl.load_study("study.toml")).frame
    assert (folder / "runs.csv").read_text() == frame.to_csv(index=False)
    pd.testing.assert_frame_equal(pd.read_parquet("runs.parquet"), frame)


def test_what_cannot_be_measured_is_a_dash(capsys):
    with interrupted_after(1):
        command()
    assert re.search(r"none finalized_blocks +5 +- +- +1 ", capsys.readouterr().out)


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert command() == 0
    printed = capsys.readouterr()
    assert printed.out == PRINTED
    assert "100%|" in printed.err
    assert "| 6/6 [" in printed.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_was_found_is_printed_where_a_file_cannot_be_written(capsys):
    assert command("--csv", "/dev/full") == 2
    printed = capsys.readouterr()
    assert printed.out == PRINTED
    assert printed.err.startswith("streamlet-lab: error: /dev/full: cannot be written")


def test_without_a_standard_error_there_is_still_one_document(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with interrupted_after(0, ValueError("no run")):
        assert command("--json") == 1
    assert json.loads(capsys.readouterr().out)["finished"] == 0


def test_json_is_one_document_of_it_all(capsys):
    assert command("--json", "--csv", "runs.csv") == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.err == "Written: runs.csv\n"
    assert document["settings"] == ["faults"]
    assert (document["planned"], document["finished"], document["interrupted"]) == (6, 6, False)
    assert [row["mean"] for row in document["means"]] == [5, 2, 1, 1]
    assert document["failures"] == []
    assert [row["engine"] for row in document["engines"]] == ["full", "full"]


def interrupted_after(runs, error=KeyboardInterrupt):
    """Have the runs after so many end in an error."""
    left, make = iter(range(runs)), Experiment.from_config

    def from_config(config):
        if next(left, None) is None:
            raise error
        return make(config)

    return mock.patch.object(Experiment, "from_config", from_config)


def test_what_was_finished_before_an_interrupt_is_printed_and_kept(capsys):
    with interrupted_after(4):
        assert command("--store", "s.db") == 130
    printed = capsys.readouterr()
    assert printed.out.startswith("interrupted: 4 of 6 runs over faults")
    assert printed.out.endswith("Kept in s.db: the same command goes on from there\n")
    assert printed.err == "streamlet-lab: interrupted\n"
    with interrupted_after(2):
        assert command("--store", "s.db") == 0
    assert capsys.readouterr().out == PRINTED


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_run_that_fails_is_told_and_makes_the_exit_code_1(capsys, json):
    with interrupted_after(0, ValueError("no run")):
        assert command(*json) == 1
    printed = capsys.readouterr()
    assert "ValueError: no run" in printed.out
    assert printed.err.startswith("streamlet-lab: a run failed, and is left out: ValueError: no ")
    assert printed.err.count("\n") == 1


def test_so_do_intervals_wider_than_they_were_to_be(folder, capsys):
    study = STUDY.replace("repeats = 3", "repeats = 31\nuntil.safe = 0.01")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    assert command() == 1
    assert "; intervals wider than they were to be" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--workers 0", "workers: 0"),
        ("--store .", ".: cannot be a store (not a file)"),
        ("--store study.toml", "study.toml: no store of a sweep"),
        ("--store other.db", "other.db: the store of another study: base.epochs is 5 in it, and 6"),
        ("--store s.db --csv s.db", "--csv: 's.db'"),
        ("--csv x --parquet ./x", "--parquet: 'x'"),
        ("--csv study.toml/x", "--csv: 'study.toml/x'"),
    ],
)
def test_a_mistake_gets_one_line_before_anything_runs(folder, capsys, options, message):
    study = {**sl.load_study("study.toml"), "repeats": 1}
    study["base"]["epochs"] = 5
    sl.sweep(**study, store="other.db")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with interrupted_after(0, AssertionError):
        assert command(*options.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"streamlet-lab: error: {message}")
    assert printed.err.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
