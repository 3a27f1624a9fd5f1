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
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from streamlet_lab.errors import DataError
from streamlet_lab.matching.engine import ConsensusMatchingEngine
from streamlet_lab.matching.events import Traded
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Order, Side, TimeInForce

NEW: Final = 1
PARTIAL: Final = 2
DELETION: Final = 3
EXECUTION: Final = 4

_EMPTY: Final = 9_999_999_999
_INSTRUMENT: Final = Instrument("LOBSTER", tick=Decimal("0.0001"))
_NANOSECONDS: Final = 1_000_000_000

#: Price in ten-thousandths of a dollar, and shares.
Quote = tuple[int, int]


class Message(NamedTuple):
    """One message."""

    time: int
    kind: int
    order_id: int
    size: int
    price: int
    direction: int


class Row(NamedTuple):
    """The occupied levels of the book after a message, best first."""

    asks: list[Quote]
    bids: list[Quote]

    def side(self, direction: int) -> list[Quote]:
        """Return one side."""
        return self.bids if direction > 0 else self.asks


class Mismatch(NamedTuple):
    """A row at which the engine's book is not the real one."""

    row: int
    expected: Row
    found: Row


class Report(NamedTuple):
    """What the comparison came to."""

    rows: int
    exact_rows: int
    runs: int
    exact_runs: int
    skipped: int
    first_mismatch: Mismatch | None


def read_messages(path: Path) -> Iterator[Message]:
    """Read a message file."""
    for number, fields in _lines(path):
        try:
            seconds, *rest = fields[:6]
            yield Message(int(Decimal(seconds) * _NANOSECONDS), *map(int, rest))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise DataError(f"{path.name}, line {number}: not a message: {fields}") from error


def read_books(path: Path) -> Iterator[Row]:
    """Read an order book file."""
    for number, fields in _lines(path):
        try:
            values = [int(field) for field in fields]
        except ValueError as error:
            raise DataError(f"{path.name}, line {number}: not numbers: {fields[:8]}…") from error
        if not values or len(values) % 4:
            raise DataError(f"{path.name}, line {number}: {len(values)} columns, not 4 a level")
        asks = zip(values[0::4], values[1::4], strict=True)
        bids = zip(values[2::4], values[3::4], strict=True)
        yield Row(*([quote for quote in side if abs(quote[0]) != _EMPTY] for side in (asks, bids)))


def find_files(folder: Path) -> tuple[Path, Path]:
    """Return the message file and the order book file of a folder that holds one pair."""
    found = [sorted(folder.glob(f"*_{kind}_*.csv")) for kind in ("message", "orderbook")]
    if [len(files) for files in found] != [1, 1]:
        names = [path.name for files in found for path in files]
        raise DataError(f"{folder.name}: one message file and one orderbook file, not {names}")
    return found[0][0], found[1][0]


def replay_flow(messages: Iterable[Message], books: Iterable[Row], levels: int = 20) -> Report:
    """Send real messages through an engine and compare its book with the real one.

    The book is seeded from the first row, which holds the first message already: one order for
    each level, ahead of all later ones, stands for the unknown orders there. Executions of one
    instant on one side come from one aggressive order: it is sent as one, and its fills must be
    the real ones in their order.
    """
    pairs = list(_pairs(messages, books))
    if not pairs:
        raise DataError("no messages")
    replay = _Replay(pairs[0][1], levels)
    numbered = enumerate(pairs[1:], start=1)
    for key, group in groupby(numbered, key=lambda entry: _run_key(*entry[1])):
        run = [(number, message, row) for number, (message, row) in group]
        if key is None:
            for number, message, row in run:
                replay.apply(number, message, row)
        else:
            replay.execute(run)
    return replay.report()


class _Replay:
    """An engine on its way through the messages."""

    def __init__(self, first: Row, levels: int) -> None:
        self._engine = ConsensusMatchingEngine(_INSTRUMENT, without_reference="allow")
        self._levels = levels
        self._seeds = 0
        # Which order stands for those at a price that are not known by their ids.
        self._stand_ins: dict[tuple[int, int], str] = {}
        self._worst: dict[int, int] = {}
        self._rows = self._exact_rows = self._runs = self._exact_runs = self._skipped = 0
        self._first_mismatch: Mismatch | None = None
        for direction in (1, -1):
            for price, size in first.side(direction):
                self._seed(direction, price, size)
        self._look(first)
        self._compare(0, first, self._book())

    def report(self) -> Report:
        """Return what the comparison came to."""
        return Report(
            self._rows,
            self._exact_rows,
            self._runs,
            self._exact_runs,
            self._skipped,
            self._first_mismatch,
        )

    def apply(self, number: int, message: Message, row: Row) -> None:
        """Carry out a message that is not an execution."""
        name = self._name(message)
        if message.kind == NEW:
            side = _side(message.direction)
            price = _INSTRUMENT.price(message.price)
            order = Order.limit(
                str(message.order_id),
                _INSTRUMENT.symbol,
                side,
                message.size,
                price,
                time_in_force=TimeInForce.GOOD_TILL_CANCEL,
            )
            self._engine.submit(order)
        elif message.kind not in (PARTIAL, DELETION) or name is None:
            self._skipped += 1
        else:
            resting = self._engine.book.find(name)
            assert resting is not None
            self._engine.reduce(name, min(message.size, resting.remaining))
        self._come_into_view(row)
        self._compare(number, row, self._book())

    def execute(self, run: Sequence[tuple[int, Message, Row]]) -> None:
        """Send one aggressive order for executions of one instant on one side."""
        executions = [message for _, message, _ in run]
        direction = executions[0].direction
        prices = [message.price for message in executions]
        expected = _joined(
            (self._name(message) or str(message.order_id), message.price, message.size)
            for message in executions
        )
        before, taken = self._book(), dict[int, int]()
        for number, message, row in run[:-1]:
            taken[message.price] = taken.get(message.price, 0) + message.size
            self._compare(number, row, _without(before, direction, taken))
        order = Order.limit(
            f"aggressor/{self._runs}",
            _INSTRUMENT.symbol,
            _side(-direction),
            sum(message.size for message in executions),
            _INSTRUMENT.price(min(prices) if direction > 0 else max(prices)),
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        )
        trades = [one.trade for one in self._engine.submit(order) if isinstance(one, Traded)]
        found = [
            (
                trade.buy_order_id if direction > 0 else trade.sell_order_id,
                _INSTRUMENT.ticks(trade.price),
                trade.quantity,
            )
            for trade in trades
        ]
        self._runs += 1
        self._exact_runs += found == expected
        number, _, row = run[-1]
        self._come_into_view(row)
        self._compare(number, row, self._book())

    def _name(self, message: Message) -> str | None:
        """Return the order that a message is about: its own, or the one that stands for it."""
        for name in (
            str(message.order_id),
            self._stand_ins.get((message.direction, message.price)),
        ):
            if name is not None and self._engine.book.find(name) is not None:
                return name
        return None

    def _seed(self, direction: int, price: int, size: int) -> None:
        name = f"seed/{self._seeds}"
        self._seeds += 1
        self._stand_ins[direction, price] = name
        order = Order.limit(
            name, _INSTRUMENT.symbol, _side(direction), size, _INSTRUMENT.price(price)
        )
        self._engine.submit(order)

    def _come_into_view(self, row: Row) -> None:
        """Take over the levels that the last row did not reach: nobody told what happened there."""
        for direction in (1, -1):
            worst = self._worst.get(direction)
            book = self._engine.book
            for price, size in row.side(direction):
                if worst is None or direction * price >= direction * worst:
                    continue
                here = [
                    one
                    for one in book.side(_side(direction))
                    if one.price == _INSTRUMENT.price(price)
                ]
                if sum(one.remaining for one in here) != size:
                    for one in here:
                        self._engine.cancel(one.order.order_id)
                    self._seed(direction, price, size)
        self._look(row)

    def _look(self, row: Row) -> None:
        self._worst = {side: row.side(side)[-1][0] for side in (1, -1) if row.side(side)}

    def _book(self) -> Row:
        depth = self._engine.book.depth(self._levels + 1)
        return Row(
            *(
                [(_INSTRUMENT.ticks(level.price), level.quantity) for level in side]
                for side in (depth.asks, depth.bids)
            )
        )

    def _compare(self, number: int, expected: Row, found: Row) -> None:
        top = slice(self._levels)
        expected, found = (Row(book.asks[top], book.bids[top]) for book in (expected, found))
        self._rows += 1
        if expected == found:
            self._exact_rows += 1
        elif self._first_mismatch is None:
            self._first_mismatch = Mismatch(number, expected, found)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(newline="", encoding="ascii") as file:
        yield from enumerate(csv.reader(file), start=1)


def _pairs(messages: Iterable[Message], books: Iterable[Row]) -> Iterator[tuple[Message, Row]]:
    try:
        yield from zip(messages, books, strict=True)
    except ValueError as error:
        raise DataError("not as many rows of the book as messages") from error


def _run_key(message: Message, _: Row) -> tuple[int, int] | None:
    return (message.time, message.direction) if message.kind == EXECUTION else None


def _without(book: Row, direction: int, taken: dict[int, int]) -> Row:
    """Return a book as it is when shares have gone from one side."""
    left = [(price, size - taken.get(price, 0)) for price, size in book.side(direction)]
    left = [quote for quote in left if quote[1]]
    return Row(book.asks, left) if direction > 0 else Row(left, book.bids)


def _joined(fills: Iterable[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Join successive fills of one order: unknown orders are one order here."""
    return [
        (name, price, sum(size for _, _, size in group))
        for (name, price), group in groupby(fills, key=lambda fill: fill[:2])
    ]


def _side(direction: int) -> Side:
    return Side.BUY if direction > 0 else Side.SELL
