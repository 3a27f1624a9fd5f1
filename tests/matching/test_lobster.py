"""Real order flow. The sample may not be redistributed: ``LOBSTER_DIR`` names its folder."""

import os
from pathlib import Path

import pytest

from .lobster import replay_folder

FOLDER = os.environ.get("LOBSTER_DIR")


@pytest.mark.skipif(
    not FOLDER, reason="LOBSTER_DIR is not set: real order flow may not be redistributed"
)
def test_real_flow_gives_the_real_book_on_every_row_and_the_real_fills():
    report = replay_folder(Path(FOLDER))
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
def report_of(tmp_path):
    """Replay the small flow, with something replaced in one of its files."""

    def report_of(kind="message", old="", new=""):
        for name, text in (("message", MESSAGES), ("orderbook", BOOKS)):
            changed = text.replace(old, new) if old and name == kind else text
            assert (changed != text) == (bool(old) and name == kind)
            (tmp_path / f"X_2024-01-15_1_2_{name}_2.csv").write_text(changed)
        return replay_folder(tmp_path, levels=2)

    return report_of


def test_flow_is_followed_row_by_row(report_of):
    report = report_of()
    assert report.first_mismatch is None
    assert (report.rows, report.exact_rows) == (7, 7)
    assert (report.runs, report.exact_runs, report.skipped) == (1, 1, 1)


def test_book_that_differs_is_found(report_of):
    report = report_of("orderbook", "1000100,10,1000000,30,", "1000100,10,1000000,31,")
    assert (report.rows, report.exact_rows) == (7, 6)
    assert report.first_mismatch.row == 3
    assert report.first_mismatch.expected.bids[0] == (1_000_000, 31)
    assert report.first_mismatch.found.bids[0] == (1_000_000, 30)


def test_fills_in_another_order_are_found(report_of):
    report = report_of("message", "4,4,3,20,1000000,1", "4,4,7,20,1000000,1")
    assert (report.runs, report.exact_runs) == (1, 0)


def test_level_that_comes_into_view_is_taken_over(report_of):
    # The third bid shows only once the first has gone.
    last = "999900,10,1000200,10,"
    report = report_of("orderbook", f"{last}-9999999999,0", f"{last}999800,7")
    assert report.first_mismatch is None
