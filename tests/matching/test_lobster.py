"""Real order flow. The sample may not be redistributed: ``LOBSTER_DIR`` names its folder."""

import os
import random
from collections import Counter
from itertools import tee
from pathlib import Path

import pytest

from streamlet_lab.prices.lobster import Message

from .lobster import (
    BOOKS,
    DELETION,
    EXECUTION,
    MESSAGES,
    NEW,
    PARTIAL,
    Row,
    read_files,
    replay_flow,
)

FOLDER = os.environ.get("LOBSTER_DIR")


def replay(messages, books, levels, whole):
    """Replay all messages, or those that a file of so many levels holds: what changes one."""
    flow = ((message, row.top(levels)) for message, row in zip(messages, books, strict=True))
    if not whole:
        flow = changes(flow)
    of_messages, of_books = tee(flow)
    messages, books = (message for message, _ in of_messages), (row for _, row in of_books)
    return replay_flow(messages, books, levels)


def changes(flow):
    before = None
    for message, row in flow:
        if row != before or message.kind not in {NEW, PARTIAL, DELETION}:
            yield message, row
        before = row


@pytest.mark.skipif(
    not FOLDER, reason="LOBSTER_DIR is not set: real order flow may not be redistributed"
)
@pytest.mark.parametrize("levels", [50, 10, 1])
@pytest.mark.parametrize("whole", [True, False], ids=["all messages", "those of its levels"])
def test_real_flow_gives_the_real_book_on_every_row_and_the_real_fills(levels, whole):
    paths = sorted(Path(FOLDER).glob("*_message_*.csv"))
    assert paths
    for path in paths:
        *flow, deepest = read_files(path)
        report = replay(*flow, min(levels, deepest), whole)
        assert report.mismatches == []
        assert report.exact_rows == report.rows > 0
        assert report.exact_runs >= 0.997 * report.runs > 0
        # What was taken from a row instead of made from the messages, of all levels compared.
        assert report.taken_over < 0.01 * 2 * levels * report.rows


class MadeFlow:
    """Orders, oldest first, as a list that is searched anew for everything; prices far apart."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.orders = []
        self.flow = []
        self.time = self.ids = 0
        for _ in range(40):
            self.new()
        self.flow.clear()
        self.new()
        kinds = [self.new, self.new, self.cancel, self.cancel, self.delete, self.take, self.other]
        while len(self.flow) < 400:
            self.time += self.random.randint(1, 10**9)
            self.random.choice(kinds if len(self.orders) > 15 else [self.new])()

    def best(self, direction):
        keys = [direction * price for _, way, price, _ in self.orders if way == direction]
        return direction * max(keys, default=direction * 10_000 - 100)

    def new(self):
        direction = self.random.choice((1, -1))
        furthest = direction * self.best(-direction) - 1
        price = direction * (furthest - self.random.randint(0, 200))
        self.ids += 1
        self.orders.append([self.ids, direction, price, self.random.randint(1, 100)])
        self.note(NEW, *self.orders[-1])

    def cancel(self):
        order = self.random.choice(self.orders)
        if order[3] > 1:
            size = self.random.randrange(1, order[3])
            order[3] -= size
            self.note(PARTIAL, *order[:3], size)

    def delete(self):
        self.note(DELETION, *self.orders.pop(self.random.randrange(len(self.orders))))

    def take(self):
        direction, size = self.random.choice((1, -1)), self.random.randint(1, 300)
        for order in sorted(self.orders, key=lambda order: -direction * order[2]):
            if order[1] == direction and size > 0:
                taken = min(order[3], size)
                size -= taken
                order[3] -= taken
                self.orders = [one for one in self.orders if one[3]]
                self.note(EXECUTION, *order[:3], taken)

    def other(self):
        self.note(*self.random.choice([(5, 0, 1, 10_000, 7), (6, -1, -1, 10_000, 9)]))
        self.note(7, 0, -1, self.random.choice((-1, 0, 1)), 0)

    def note(self, kind, order_id, direction, price, size):
        levels = Counter()
        for _, way, at, shares in self.orders:
            levels[way, at] += shares
        sides = ([(at, n) for (way, at), n in levels.items() if way == one] for one in (-1, 1))
        asks, bids = map(sorted, sides)
        message = Message(self.time, kind, order_id, size, price, direction)
        self.flow.append((message, Row(asks, bids[::-1])))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("levels", [1, 3, 100])
@pytest.mark.parametrize("whole", [True, False], ids=["all messages", "those of its levels"])
def test_made_flow_is_followed_whatever_happens_out_of_view(seed, levels, whole):
    """Orders eat several levels, and levels out of view come, change and go."""
    report = replay(*zip(*MadeFlow(seed).flow, strict=True), levels, whole)

    assert report.mismatches == []
    assert report.exact_rows == report.rows > 200
    assert report.exact_runs == report.runs > 25
    assert (report.taken_over == 0) == (levels == 100)


@pytest.fixture
def report_of(tmp_path):
    """Replay the small flow, with something replaced in one of its files."""

    def report_of(kind="message", old="", new=""):
        for name, text in (("message", MESSAGES), ("orderbook", BOOKS)):
            changed = text.replace(old, new) if old and name == kind else text
            assert (changed != text) == (bool(old) and name == kind)
            (tmp_path / f"X_2024-01-15_1_2_{name}_2.csv").write_text(changed)
        return replay_flow(*read_files(tmp_path / "X_2024-01-15_1_2_message_2.csv"))

    return report_of


def test_flow_is_followed_row_by_row(report_of):
    report = report_of()
    assert report.mismatches == []
    assert (report.rows, report.exact_rows) == (7, 7)
    assert (report.runs, report.exact_runs, report.skipped) == (1, 1, 1)


def test_book_that_differs_is_found(report_of):
    report = report_of("orderbook", "1000100,10,1000000,30,", "1000100,10,1000000,31,")
    assert (report.rows, report.exact_rows) == (7, 6)
    (mismatch,) = report.mismatches
    assert mismatch.row == 3
    assert mismatch.expected.bids[0] == (1_000_000, 31)
    assert mismatch.found.bids[0] == (1_000_000, 30)


def test_fills_in_another_order_are_found(report_of):
    report = report_of("message", "4,4,3,20,1000000,1", "4,4,7,20,1000000,1")
    assert (report.runs, report.exact_runs) == (1, 0)


def test_level_that_comes_into_view_is_taken_over(report_of):
    # The third bid shows only once the first has gone.
    last = "999900,10,1000200,10,"
    report = report_of("orderbook", f"{last}-9999999999,0", f"{last}999800,7")
    assert report.mismatches == []
