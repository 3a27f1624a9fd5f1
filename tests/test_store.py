"""A store keeps what a sweep has finished, and takes nothing that is not its own."""

import hashlib
import json
import math
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from killing import kill_and_resume

from streamlet_lab.errors import DataError
from streamlet_lab.grid import sweep
from streamlet_lab.store import Outcome, Store, open_store

STUDY = {"version": "1", "base": {"nodes": 4}, "points": [{"echo": True}, {"echo": False}]}


def measured(late=0.1):
    return Outcome({"late": late})


COLUMNS = ("echo", "repeat", "seed")
SILENT, FAILED = measured(math.nan), Outcome({}, "ValueError: no")


def told(outcomes):
    """As text: NaN is not equal to itself, and -0.0 to 0.0."""
    return repr(sorted(outcomes.items()))


def reopened(path, study=STUDY):
    with open_store(path, study, COLUMNS) as store:
        return store.kept()


KEPT = {0: measured(), 1: SILENT, 2: FAILED}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A store with a run, a run without a number, and one that failed."""
    path = tmp_path_factory.mktemp("store") / "s.db"
    with open_store(path, STUDY, COLUMNS) as store:
        store.keep({0: measured()})
        store.keep({1: SILENT, 2: FAILED})
    return path.read_bytes()


@pytest.fixture
def path(tmp_path, content):
    path = tmp_path / "s.db"
    path.write_bytes(content)
    return path


def test_what_was_kept_is_there_when_it_is_opened_again(path):
    assert told(reopened(path)) == told(KEPT)
    assert [*path.parent.iterdir()] == [path]


def test_a_run_that_is_made_again_takes_the_place_of_what_failed(path):
    with open_store(path, STUDY, COLUMNS) as store:
        store.keep({2: measured(0.2)})
    assert told(reopened(path)) == told({0: measured(), 1: SILENT, 2: measured(0.2)})


@given(st.lists(st.floats(allow_infinity=False), min_size=1), st.text())
def test_numbers_and_errors_are_read_to_the_last_bit(tmp_path_factory, numbers, name):
    outcome = Outcome({f"x{name}{place}": each for place, each in enumerate(numbers)})
    path = tmp_path_factory.mktemp("store") / "s.db"
    with open_store(path, STUDY, COLUMNS) as store:
        store.keep({0: outcome})
    assert told(reopened(path)) == told({0: outcome})


@pytest.mark.parametrize(
    "name", [":memory:", "file:s.db?mode=ro", "späte Läufe.db", "a/b/s.db", ""]
)
def test_a_path_is_a_path(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.db").symlink_to("elsewhere.db")
    with open_store(name or "s.db", STUDY, COLUMNS) as store:
        store.keep({0: measured()})
    assert (tmp_path / (name or "elsewhere.db")).is_file()
    assert [*reopened(tmp_path / (name or "s.db"))] == [0]


# What is refused.


def made(make):
    """Something else in its place."""

    def change(path):
        path.unlink()
        make(path)

    return change


def below_a_file(path):
    (path.parent / "file").write_text("")
    path.symlink_to(path.parent / "file" / "s.db")


def sha256(*parts):
    return hashlib.sha256(json.dumps(parts, default=repr).encode()).hexdigest()


def changed(*statements):
    def change(path):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.create_function("sha256", -1, sha256)
            for statement in statements:
                connection.execute(statement)

    return change


def forged(numbers="'{}'", error="''", run=3):
    """A run that nobody made, of expressions of SQL, with its right digest."""
    digest = f"sha256((SELECT sha256 FROM study), {run}, {numbers}, {error})"
    return changed(f"INSERT INTO runs VALUES ({run}, {numbers}, {error}, {digest})")


REFUSED = {
    "a text": (lambda path: path.write_text("nodes,late\n4,0.1\n"), "no store of a sweep"),
    "a short text": (lambda path: path.write_text("4"), "no store of a sweep"),
    "of another program": (
        made(changed("CREATE TABLE bookmarks (url TEXT)")),
        "a database of another program",
    ),
    "a folder": (made(Path.mkdir), "not a file"),
    "a pipe": (made(os.mkfifo), "not a file"),
    "below a file": (made(below_a_file), "cannot be written (File exists)"),
    "cut off": (lambda path: os.truncate(path, path.stat().st_size - 4096), "damaged"),
    "of another format": (changed("PRAGMA user_version = 2"), "of format 2"),
    "with a trigger": (
        changed("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END"),
        "damaged",
    ),
    "without a study": (changed("DELETE FROM study"), "damaged"),
    "a changed study": (changed("UPDATE study SET document = '[]'"), "damaged"),
    "a forged study": (
        changed("UPDATE study SET document = '[]', sha256 = sha256('[]')"),
        "the store of another study:",
    ),
    "another number": (
        changed("""UPDATE runs SET numbers = '{"late": 0.2}' WHERE run = 0"""),
        "run 0 was changed",
    ),
    "another place": (changed("UPDATE runs SET run = 4 WHERE run = 0"), "run 4 was changed"),
    "a text in a measure": (
        forged("""'{"late": "<script>"}'"""),
        "late is '<script>', and no number",
    ),
    "an integer in a measure": (forged("""'{"late": 1}'"""), "late is 1, and no number"),
    "another seed": (forged("""'{"seed": 3.0}'"""), "seed is 3.0, and no number"),
    "no table": (forged("'[]'"), "not a run"),
    "no JSON": (forged("'{'"), "not a JSON document"),
    "bytes": (forged("x'7b7d'"), "not a run"),
    "no error text": (forged(error="NULL"), "not a run"),
    "before the first": (forged(run=-1), "not a run"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_store_of_the_study_is_refused_by_name(path, what):
    make, message = REFUSED[what]
    make(path)
    with pytest.raises(DataError) as refused:
        reopened(path)
    assert str(refused.value).startswith(str(path))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("study", "message"),
    [
        (
            STUDY | {"version": "2", "base": 3},
            "another version: version is '1' in it, and '2' here",
        ),
        (
            STUDY | {"code": "5f", "base": 3},
            "made by another state of the lab's code: code is nothing",
        ),
        (STUDY | {"base": {"nodes": 7}}, "another study: base.nodes is 4 in it, and 7 here"),
        (STUDY | {"base": {"nodes": 4.0}}, "base.nodes is 4 in it, and 4.0 here"),
        (STUDY | {"points": STUDY["points"][:1]}, "points.1 is {'echo': False} in it, and nothing"),
        (STUDY | {"seed": 3}, "seed is nothing in it, and 3 here"),
    ],
)
def test_another_study_is_refused_with_what_differs(path, study, message):
    before = path.read_bytes()
    with pytest.raises(DataError) as refused:
        reopened(path, study=study)
    assert message in str(refused.value)
    assert path.read_bytes() == before


@given(place=st.integers(0, 12_287), mask=st.integers(1, 255))
def test_no_damage_changes_a_number(tmp_path_factory, content, place, mask):
    path, damaged = tmp_path_factory.mktemp("store") / "s.db", bytearray(content)
    damaged[place % len(damaged)] ^= mask
    path.write_bytes(damaged)
    with suppress(DataError):
        assert told(reopened(path)) == told(KEPT)


def test_an_error_of_somebody_else_stays_what_it_is_and_its_text_obeys_no_terminal(path):
    with pytest.raises(sqlite3.OperationalError, match="mine"), open_store(path, STUDY, COLUMNS):
        raise sqlite3.OperationalError("mine")
    forged(error="'\x1b[2J'")(path)
    assert reopened(path)[3].error == r"\x1b[2J"


def test_a_batch_is_kept_at_once_before_anybody_is_told_of_it(tmp_path, monkeypatch):
    kept, keep = [], Store.keep

    def noted(store, outcomes):
        kept.append([*outcomes])
        keep(store, outcomes)

    def stop(done, total):
        if done == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "keep", noted)
    study = {"base": {"epochs": 12}, "over": {"nodes": [4, 5]}, "repeats": 4, "engine": "batched"}
    study |= {"measure": ["finalized_blocks"], "store": tmp_path / "s.db"}
    with monkeypatch.context() as patched:
        patched.setattr("streamlet_lab.batched.tally._EPOCHS", 2 * 12)
        assert len(sweep(**study, progress=stop).frame) == 2
    frame = sweep(**study).frame
    assert kept == [[0, 2], [1, 3, 5, 7], [4, 6]]
    pd.testing.assert_frame_equal(frame, sweep(**study | {"store": None}).frame)


@pytest.mark.slow
def test_a_sweep_that_is_killed_three_times_gives_the_same_frame(tmp_path):
    """One with workers is killed by night."""
    became = kill_and_resume(tmp_path, 3, 0)
    assert became.midway > 0
    assert became.twice == []
    assert became.same


IN_ANOTHER_PROCESS = """
import resource, sys
from streamlet_lab.store import Outcome, open_store

with open_store(sys.argv[1], {"version": "1"}, ("repeat",)) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    for run in range(10_000):
        store.keep({run: Outcome({"late": 0.1})})
        print(run, flush=True)
        if run == int(sys.argv[2]):
            input()
"""


@contextmanager
def other_process(path, stop):
    """A process that keeps runs in a store, until it is told to stop or the test is over."""
    with subprocess.Popen(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, path, str(stop)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_full_disk_loses_nothing_that_was_kept(tmp_path):
    with other_process(tmp_path / "s.db", -1) as process:
        out, err = process.communicate(timeout=60)
    assert "DataError" in err
    assert "s.db: cannot be written (" in err
    kept = reopened(tmp_path / "s.db", {"version": "1"})
    assert [*kept] == [*range(len(out.split()))]
    assert 10 < len(kept) < 10_000


def test_one_sweep_at_a_time_until_it_ends_or_is_killed(tmp_path):
    path = tmp_path / "s.db"
    with other_process(path, 1) as process:
        assert [process.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
        with pytest.raises(DataError, match=r"s\.db: in use: another sweep"):
            reopened(path, {"version": "1"})
    assert [*reopened(path, {"version": "1"})] == [0, 1]
