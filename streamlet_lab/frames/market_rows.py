"""What became of the market: orders, trades, rejections, the band and the book.

Everything is read from the engines' events, which are made once for each symbol.
"""

from collections.abc import Callable, Iterable
from functools import cached_property, partial
from itertools import chain
from operator import attrgetter
from typing import Any

from streamlet_lab.columns import BookRow, DepthRow
from streamlet_lab.frames.book_rows import book_rows
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.tables import Rows
from streamlet_lab.frames.tape import Tape
from streamlet_lab.matching import Event
from streamlet_lab.simulator import Arrival


class MarketRows:
    """The rows of all frames of the market, from events that are read once for all of them."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def makers(self) -> dict[str, Callable[[], Rows]]:
        """Return what makes the rows of each frame: of all symbols, by time."""
        return {
            "orders": lambda: _by_time(tape.orders() for tape in self._tapes),
            "trades": lambda: _by_time(tape.trades for tape in self._tapes),
            "rejections": lambda: _by_time(tape.rejections for tape in self._tapes),
            "bands": lambda: _by_time(tape.bands for tape in self._tapes),
            "book": lambda: _by_time(book for book, _ in self._books),
            "depth": lambda: _by_time(depth for _, depth in self._books),
        }

    @cached_property
    def _events(self) -> dict[str, list[Event]]:
        return {symbol: list(engine.events) for symbol, engine in self._record.engines.items()}

    @cached_property
    def _tapes(self) -> list[Tape]:
        record = self._record
        settings = record.config.market
        # References come from the chain that the market reads, which need not be the observer's.
        epochs = {
            block.hash.hex(): block.epoch
            for _, node, block in record.recorder.finalizations
            if node == settings.reference_node
        }
        arrivals: dict[str, list[Arrival]] = {symbol: [] for symbol in record.engines}
        for arrival in record.arrivals:
            arrivals[arrival.symbol].append(arrival)
        return [
            Tape(
                symbol,
                events,
                arrivals[symbol],
                true_price=partial(record.true_price, symbol),
                epoch_length=record.epoch_length,
                fair_hundredths=settings.fair_hundredths,
                epochs=epochs,
                quoted=record.quoted[symbol],
            )
            for symbol, events in self._events.items()
        ]

    @cached_property
    def _books(self) -> list[tuple[list[BookRow], list[DepthRow]]]:
        record, settings = self._record, self._record.config.market
        each, length = settings.samples_per_epoch, record.epoch_length
        count = len(record.recorder.leaders) * each
        samples = [number * length // each for number in range(count + 1)]
        return [
            book_rows(tape, events, samples, settings.depth_levels, partial(record.true_price, one))
            for tape, (one, events) in zip(self._tapes, self._events.items(), strict=True)
        ]


def _by_time(symbols: Iterable[Iterable[Any]]) -> Rows:
    # At one instant they stay in the order of the symbols.
    return sorted(chain.from_iterable(symbols), key=attrgetter("time_s"))
