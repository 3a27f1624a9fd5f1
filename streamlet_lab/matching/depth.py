"""What a person sees of the book: orders, best prices and depth, in dollars."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.book import BUY, SELL, BookSide, OrderBook, Resting
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.log import Log
from streamlet_lab.matching.orders import Order, Side


class PriceLevel(NamedTuple):
    """One price of a depth snapshot: dollars, shares, number of orders."""

    price: Decimal
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class Depth:
    """The occupied prices of both sides, best first."""

    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]


class RestingOrder(NamedTuple):
    """An order in the book, as it is now.

    Parameters
    ----------
    order : Order
        The order as it came.
    price : Decimal
        Where it rests, in dollars: the order's own price unless it was replaced.
    remaining : int
        Shares that are left of it.
    priority : int
        Sequence number of the event that gave it its place: at one price, less trades first.
    """

    order: Order
    price: Decimal
    remaining: int
    priority: int


class BookView:
    """The resting orders of an engine, to look at.

    Parameters
    ----------
    book : OrderBook
    log : Log
        Where the orders stand as they came.
    instrument : Instrument
    """

    __slots__ = ("_book", "_instrument", "_log")

    def __init__(self, book: OrderBook, log: Log, instrument: Instrument) -> None:
        self._book = book
        self._log = log
        self._instrument = instrument

    def __len__(self) -> int:
        return len(self._book.orders)

    @property
    def bids(self) -> list[RestingOrder]:
        """The orders to buy, in priority."""
        return self.side(Side.BUY)

    @property
    def asks(self) -> list[RestingOrder]:
        """The orders to sell, in priority."""
        return self.side(Side.SELL)

    @property
    def best_bid(self) -> Decimal | None:
        """The highest price that a resting order pays, in dollars; None where nobody buys."""
        return self._best(self._book.bids)

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest price that a resting order asks, in dollars; None where nobody sells."""
        return self._best(self._book.asks)

    def depth(self, levels: int | None = None) -> Depth:
        """Return a snapshot of the best prices of both sides.

        Parameters
        ----------
        levels : int or None
            How many prices a side; all of them by default.

        Raises
        ------
        InvalidInput
            If ``levels`` is less than 1.
        """
        if levels is not None and levels < 1:
            raise InvalidInput("levels", levels, "at least 1, or None for all")
        return Depth(
            tuple(islice(self._levels(self._book.bids), levels)),
            tuple(islice(self._levels(self._book.asks), levels)),
        )

    def side(self, side: Side) -> list[RestingOrder]:
        """Return the orders of one side, in priority."""
        return [self._show(one) for one in self._book.side(BUY if side is Side.BUY else SELL)]

    def find(self, order_id: str) -> RestingOrder | None:
        """Return a resting order, None where no such order rests."""
        resting = self._book.orders.get(order_id)
        return None if resting is None else self._show(resting)

    def _best(self, side: BookSide) -> Decimal | None:
        level = side.best()
        return None if level is None else self._instrument.price(level.ticks)

    def _levels(self, side: BookSide) -> Iterator[PriceLevel]:
        for level in side.levels():
            price = self._instrument.price(level.ticks)
            yield PriceLevel(price, level.quantity, sum(1 for _ in level))

    def _show(self, resting: Resting) -> RestingOrder:
        return RestingOrder(
            self._log.order(resting.order_id, self._instrument),
            self._instrument.price(resting.level.ticks),
            resting.remaining,
            resting.priority,
        )
