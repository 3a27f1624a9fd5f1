"""Real order flow. The sample may not be redistributed: ``LOBSTER_DIR`` names its folder."""

import os
from pathlib import Path

import pytest

from streamlet_lab.errors import DataError

from .lobster import (
    Message,
    Row,
    find_files,
    read_books,
    read_messages,
    replay_flow,
)

FOLDER = os.environ.get("LOBSTER_DIR")


@pytest.mark.skipif(
    not FOLDER, reason="LOBSTER_DIR is not set: real order flow may not be redistributed"
)
def test_real_flow_gives_the_real_book_on_every_row_and_the_real_fills():
    messages, books = find_files(Path(FOLDER))
    report = replay_flow(read_messages(messages), read_books(books), levels=20)
    assert report.first_mismatch is None
    assert report.exact_rows == report.rows > 0
    assert report.exact_runs >= 0.997 * report.runs > 0


# A small flow in the same format, made up: two asks, two bids, then
# a new bid, a partial cancel of an order that is not known by its id, one aggressive sell order
# over two prices, a hidden execution, a deletion of what is left of the new bid.
MESSAGES = """\
34200.000000001,1,1,10,1000100,-1
34200.000000002,1,7,30,1000000,1
34200.000000003,2,2,5,999900,1
34200.000000004,4,3,20,1000000,1
34200.000000004,4,7,10,1000000,1
34200.000000005,5,0,99,1000050,1
34200.000000006,3,7,20,1000000,1
"""
BOOKS = """\
1000100,10,1000000,20,1000200,10,999900,15
1000100,10,1000000,50,1000200,10,999900,15
1000100,10,1000000,50,1000200,10,999900,10
1000100,10,1000000,30,1000200,10,999900,10
1000100,10,1000000,20,1000200,10,999900,10
1000100,10,1000000,20,1000200,10,999900,10
1000100,10,999900,10,1000200,10,-9999999999,0
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "X_2024-01-15_1_2_message_2.csv").write_text(MESSAGES)
    (tmp_path / "X_2024-01-15_1_2_orderbook_2.csv").write_text(BOOKS)
    return tmp_path


def report_of(folder, levels=2):
    messages, books = find_files(folder)
    return replay_flow(read_messages(messages), read_books(books), levels)


def change(folder, kind, old, new):
    (path,) = folder.glob(f"*_{kind}_*.csv")
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_reads_both_formats(folder):
    messages, books = find_files(folder)
    assert next(read_messages(messages)) == Message(34_200_000_000_001, 1, 1, 10, 1_000_100, -1)
    *_, last = read_books(books)
    assert last == Row([(1_000_100, 10), (1_000_200, 10)], [(999_900, 10)])


def test_flow_is_followed_row_by_row(folder):
    report = report_of(folder)
    assert report.first_mismatch is None
    assert (report.rows, report.exact_rows) == (7, 7)
    assert (report.runs, report.exact_runs, report.skipped) == (1, 1, 1)


def test_book_that_differs_is_found(folder):
    change(folder, "orderbook", "1000100,10,1000000,30,", "1000100,10,1000000,31,")
    report = report_of(folder)
    assert (report.rows, report.exact_rows) == (7, 6)
    assert report.first_mismatch.row == 3
    assert report.first_mismatch.expected.bids[0] == (1_000_000, 31)
    assert report.first_mismatch.found.bids[0] == (1_000_000, 30)


def test_fills_in_another_order_are_found(folder):
    change(folder, "message", "4,4,3,20,1000000,1", "4,4,7,20,1000000,1")
    report = report_of(folder)
    assert (report.runs, report.exact_runs) == (1, 0)


def test_level_that_comes_into_view_is_taken_over(folder):
    # The third bid shows only once the first has gone.
    change(
        folder, "orderbook", "999900,10,1000200,10,-9999999999,0", "999900,10,1000200,10,999800,7"
    )
    assert report_of(folder).first_mismatch is None


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("message", "34200.000000005,5", "noon,5", "line 6: not a message"),
        ("message", ",0,99,1000050,1", ",0", "line 6: not a message"),
        ("orderbook", "-9999999999", "none", "line 7: not numbers"),
        ("orderbook", ",-9999999999,0", "", "line 7: 6 columns, not 4 a level"),
        ("message", "34200.000000006,3,7,20,1000000,1\n", "", "not as many rows"),
    ],
)
def test_bad_file_is_named_with_its_line(folder, kind, old, new, message):
    change(folder, kind, old, new)
    with pytest.raises(DataError, match=message):
        report_of(folder)


def test_folder_without_a_pair_of_files_is_refused(tmp_path):
    with pytest.raises(DataError, match="one message file and one orderbook file"):
        find_files(tmp_path)
