"""Real NASDAQ order flow as an outside check of the engine.

LOBSTER (lobsterdata.com) gives two files for a stretch of a day: the messages, and the order book
after each of them, down to some level. :func:`replay_flow` sends the messages through an engine
and holds its book against every row of the other file, and the fills of every aggressive order
against the executions that really followed from it.

A file of ten levels says nothing of what happens below the tenth: not of the orders that come and
go there, nor of those that went there. So a level that comes into view is taken over from the row
as one order, whatever the engine holds there, and one that is not there any more is removed; no row
is believed about a level that was in view before.

The format: a message is time in seconds, type, order id, size, price × 10⁴ and the direction *of
the resting order*; types are 1 new limit order, 2 partial cancel, 3 deletion, 4 execution of a
visible order, 5 of a hidden one, 6 cross trade, 7 halt. A row of the book is ask price, ask size,
bid price, bid size for each level; an empty level has price ±9999999999 and size 0.
"""

import math
from collections import Counter
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from streamlet_lab.matching import ConsensusMatchingEngine, Instrument, Order, Traded
from streamlet_lab.prices.lobster import read_messages

NEW, PARTIAL, DELETION, EXECUTION = 1, 2, 3, 4

EMPTY = 9_999_999_999
INSTRUMENT = Instrument("LOBSTER", tick=Decimal("0.0001"))
SIDES = {1: "buy", -1: "sell"}


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


class Row(NamedTuple):
    """The occupied levels of the book after a message, best first: prices and shares."""

    asks: list[tuple[int, int]]
    bids: list[tuple[int, int]]

    def side(self, direction):
        return self.bids if direction > 0 else self.asks

    def top(self, levels):
        return Row(self.asks[:levels], self.bids[:levels])


class Mismatch(NamedTuple):
    """A row at which the engine's book is not the real one."""

    row: int
    expected: Row
    found: Row


def read_books(path):
    """Yield the rows of an order book file."""
    with path.open(encoding="ascii") as file:
        for line in file:
            values = [*map(int, line.split(","))]
            yield Row(*(occupied(values[at::4], values[at + 1 :: 4]) for at in (0, 2)))


def occupied(prices, sizes):
    """Return the levels that are not empty ones at the end."""
    levels = list(zip(prices, sizes, strict=True))
    while levels and abs(levels[-1][0]) == EMPTY and levels[-1][1] == 0:
        levels.pop()
    return levels


def read_files(path):
    """Return the messages of a file, the rows of its order book, and how many levels they have."""
    books = path.with_name(path.name.replace("_message_", "_orderbook_"))
    return read_messages(path), read_books(books), int(path.stem.rpartition("_")[2])


def replay_flow(messages, books, levels):
    """Send real messages through an engine and compare its book with one of so many levels.

    The book is seeded from the first row, which holds the first message already: one order for
    each level, ahead of all later ones, stands for the unknown orders there. Executions of one
    instant on one side come from one aggressive order: it is sent as one, and its fills must be
    the real ones in their order.
    """
    # A whole day of both does not fit into memory.
    numbered = enumerate(zip(messages, books, strict=True))
    _, (_, first) = next(numbered)
    replay = Replay(first, levels)
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
        self.mismatches = []
        self._engine = ConsensusMatchingEngine(INSTRUMENT, without_reference="allow")
        self._levels = levels
        # Which order stands for those at a price that are not known by their ids.
        self._stand_ins = {}
        self._seeds = self.taken_over = 0
        # From which price on, worse ones being lower, the last row showed all that there is.
        self._seen = dict.fromkeys(SIDES, math.inf)
        self._come_into_view(first)
        self.taken_over = 0
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
        taken = Counter()
        for number, message, row in run[:-1]:
            taken[message.price] += message.size
            # What shows only now was behind the rest before it was taken.
            self._come_into_view(row)
            self._compare(number, row, without(self._book(len(taken)), direction, taken))
        expected = joined(
            (self._name(message) or str(message.order_id), message.price, message.size)
            for message in executions
        )
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
        self.taken_over += 1
        self._send(name, direction, size, price, "gtc")

    def _come_into_view(self, row):
        """Take over the levels that the last row did not reach: nobody told what happened there."""
        book = self._engine.book
        for direction, seen in self._seen.items():
            levels = row.side(direction)
            sees = direction * levels[-1][0] if len(levels) == self._levels else -math.inf
            self._seen[direction] = sees
            if sees < seen:
                for one in book.bids if direction > 0 else book.asks:
                    if sees <= direction * INSTRUMENT.ticks(one.price) < seen:
                        self._engine.cancel(one.order.order_id)
                for price, size in levels:
                    if direction * price < seen:
                        self._seed(direction, price, size)

    def _book(self, more=0):
        depth = self._engine.book.depth(self._levels + more)
        sides = (depth.asks, depth.bids)
        return Row(*([(INSTRUMENT.ticks(one.price), one.quantity) for one in at] for at in sides))

    def _compare(self, number, expected, found):
        expected, found = expected.top(self._levels), found.top(self._levels)
        self.rows += 1
        if expected == found:
            self.exact_rows += 1
        else:
            self.mismatches.append(Mismatch(number, expected, found))


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
