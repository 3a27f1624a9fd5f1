"""Real NASDAQ order flow as an outside check of the engine.

LOBSTER (lobsterdata.com) gives two files for a stretch of a day: the messages, and the order book
after each of them, down to some level. :func:`replay_flow` sends the messages through an engine
and holds its book against every row of the other file, and the fills of every aggressive order
against the executions that really followed from it.

The format: a message is time in seconds, type, order id, size, price × 10⁴ and the direction *of
the resting order*; types are 1 new limit order, 2 partial cancel, 3 deletion, 4 execution of a
visible order, 5 of a hidden one, 6 cross trade, 7 halt. A row of the book is ask price, ask size,
bid price, bid size for each level; an empty level has price ±9999999999.
"""

import csv
from collections import Counter
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from streamlet_lab.matching import ConsensusMatchingEngine, Instrument, Order, Traded

NEW, PARTIAL, DELETION, EXECUTION = 1, 2, 3, 4

EMPTY = 9_999_999_999
INSTRUMENT = Instrument("LOBSTER", tick=Decimal("0.0001"))
SIDES = {1: "buy", -1: "sell"}


class Message(NamedTuple):
    time: int  # nanoseconds
    kind: int
    order_id: int
    size: int
    price: int
    direction: int


class Row(NamedTuple):
    """The occupied levels of the book after a message, best first: prices and shares."""

    asks: list[tuple[int, int]]
    bids: list[tuple[int, int]]

    def side(self, direction):
        return self.bids if direction > 0 else self.asks


class Mismatch(NamedTuple):
    """A row at which the engine's book is not the real one."""

    row: int
    expected: Row
    found: Row


def read_messages(path):
    with path.open(newline="", encoding="ascii") as file:
        for seconds, *rest in csv.reader(file):
            yield Message(int(Decimal(seconds) * 1_000_000_000), *map(int, rest[:5]))


def read_books(path):
    with path.open(newline="", encoding="ascii") as file:
        for fields in csv.reader(file):
            values = [int(field) for field in fields]
            asks = zip(values[0::4], values[1::4], strict=True)
            bids = zip(values[2::4], values[3::4], strict=True)
            yield Row(*([one for one in side if abs(one[0]) != EMPTY] for side in (asks, bids)))


def replay_folder(folder, levels=20):
    """Replay the one pair of files of a folder."""
    (messages,), (books,) = (folder.glob(f"*_{kind}_*.csv") for kind in ("message", "orderbook"))
    return replay_flow(read_messages(messages), read_books(books), levels)


def replay_flow(messages, books, levels):
    """Send real messages through an engine and compare its book with the real one.

    The book is seeded from the first row, which holds the first message already: one order for
    each level, ahead of all later ones, stands for the unknown orders there. Executions of one
    instant on one side come from one aggressive order: it is sent as one, and its fills must be
    the real ones in their order.
    """
    (_, first), *pairs = zip(messages, books, strict=True)
    replay = Replay(first, levels)
    numbered = enumerate(pairs, start=1)
    for key, group in groupby(numbered, key=lambda entry: run_of(entry[1][0])):
        run = [(number, message, row) for number, (message, row) in group]
        if key is None:
            for number, message, row in run:
                replay.apply(number, message, row)
        else:
            replay.execute(run)
    return replay


def run_of(message):
    return (message.time, message.direction) if message.kind == EXECUTION else None


class Replay:
    """An engine on its way through the messages, and what the comparison came to."""

    def __init__(self, first, levels):
        self.rows = self.exact_rows = self.runs = self.exact_runs = self.skipped = 0
        self.first_mismatch = None
        self._engine = ConsensusMatchingEngine(INSTRUMENT, without_reference="allow")
        self._levels = levels
        # Which order stands for those at a price that are not known by their ids.
        self._stand_ins = {}
        self._seeds = 0
        for direction in SIDES:
            for price, size in first.side(direction):
                self._seed(direction, price, size)
        self._look(first)
        self._compare(0, first, self._book())

    def apply(self, number, message, row):
        """Carry out a message that is not an execution."""
        name = self._name(message)
        if message.kind == NEW:
            order_id = str(message.order_id)
            self._send(order_id, message.direction, message.size, message.price, "gtc")
        elif message.kind not in (PARTIAL, DELETION) or name is None:
            self.skipped += 1
        else:
            left = self._engine.book.find(name).remaining
            self._engine.reduce(name, min(message.size, left))
        self._come_into_view(row)
        self._compare(number, row, self._book())

    def execute(self, run):
        """Send one aggressive order for executions of one instant on one side."""
        executions = [message for _, message, _ in run]
        direction = executions[0].direction
        prices = [message.price for message in executions]
        expected = joined(
            (self._name(message) or str(message.order_id), message.price, message.size)
            for message in executions
        )
        before, taken = self._book(), Counter()
        for number, message, row in run[:-1]:
            taken[message.price] += message.size
            self._compare(number, row, without(before, direction, taken))
        size = sum(message.size for message in executions)
        price = min(prices) if direction > 0 else max(prices)
        events = self._send(f"aggressor/{self.runs}", -direction, size, price, "ioc")
        found = [
            (
                trade.buy_order_id if direction > 0 else trade.sell_order_id,
                INSTRUMENT.ticks(trade.price),
                trade.quantity,
            )
            for trade in (one.trade for one in events if isinstance(one, Traded))
        ]
        self.runs += 1
        self.exact_runs += found == expected
        number, _, row = run[-1]
        self._come_into_view(row)
        self._compare(number, row, self._book())

    def _send(self, order_id, direction, size, price, lasts):
        what = (order_id, INSTRUMENT.symbol, SIDES[direction], size, INSTRUMENT.price(price))
        return self._engine.submit(Order.limit(*what, time_in_force=lasts))

    def _name(self, message):
        """Return the order that a message is about: its own, or the one that stands for it."""
        stand_in = self._stand_ins.get((message.direction, message.price), "")
        names = (str(message.order_id), stand_in)
        return next((name for name in names if self._engine.book.find(name)), None)

    def _seed(self, direction, price, size):
        name = self._stand_ins[direction, price] = f"seed/{self._seeds}"
        self._seeds += 1
        self._send(name, direction, size, price, "gtc")

    def _come_into_view(self, row):
        """Take over the levels that the last row did not reach: nobody told what happened there."""
        book = self._engine.book
        for direction, worst in self._worst.items():
            resting = book.bids if direction > 0 else book.asks
            for price, size in row.side(direction):
                if direction * price >= direction * worst:
                    continue
                here = [one for one in resting if one.price == INSTRUMENT.price(price)]
                if sum(one.remaining for one in here) != size:
                    for one in here:
                        self._engine.cancel(one.order.order_id)
                    self._seed(direction, price, size)
        self._look(row)

    def _look(self, row):
        self._worst = {side: row.side(side)[-1][0] for side in SIDES if row.side(side)}

    def _book(self):
        depth = self._engine.book.depth(self._levels + 1)
        sides = (depth.asks, depth.bids)
        return Row(*([(INSTRUMENT.ticks(one.price), one.quantity) for one in at] for at in sides))

    def _compare(self, number, expected, found):
        top = slice(self._levels)
        expected, found = (Row(book.asks[top], book.bids[top]) for book in (expected, found))
        self.rows += 1
        if expected == found:
            self.exact_rows += 1
        elif self.first_mismatch is None:
            self.first_mismatch = Mismatch(number, expected, found)


def without(book, direction, taken):
    """Return a book as it is when shares have gone from one side."""
    left = [(price, size - taken[price]) for price, size in book.side(direction)]
    left = [one for one in left if one[1]]
    return Row(book.asks, left) if direction > 0 else Row(left, book.bids)


def joined(fills):
    """Join successive fills of one order: unknown orders are one order here."""
    return [
        (name, price, sum(size for _, _, size in group))
        for (name, price), group in groupby(fills, key=lambda fill: fill[:2])
    ]
