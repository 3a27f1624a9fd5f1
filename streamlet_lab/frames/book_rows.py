"""The book as it stood at sampled instants: best prices, and depth."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

from streamlet_lab.columns import BookRow, DepthRow
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.symbol_log import Moment
from streamlet_lab.frames.tables import Rows, by_time
from streamlet_lab.matching import PriceLevel, depth_over_time
from streamlet_lab.units import to_ticks


def book_rows(record: Record) -> tuple[Rows, Rows]:
    """Return the rows of the frames ``book`` and ``depth``, of all symbols."""
    each, length = record.config.market.samples_per_epoch, record.epoch_length
    count = len(record.recorder.leaders) * each
    samples = [number * length // each for number in range(count + 1)]
    books = [sample_book(record, symbol, samples) for symbol in record.engines]
    return by_time(book for book, _ in books), by_time(depth for _, depth in books)


def sample_book(
    record: Record, symbol: str, samples: Sequence[int]
) -> tuple[list[BookRow], list[DepthRow]]:
    """Return the rows of one symbol.

    Each sample shows everything that happened until its instant, that instant included.
    """
    events = list(record.engines[symbol].events)
    times = [event.time for event in events]
    moments = [*accumulate(events, Moment.after, initial=Moment())]
    in_dollars = cache(float)  # the same few prices are shown again and again
    in_cents = cache(to_ticks)
    book: list[BookRow] = []
    depth: list[DepthRow] = []
    for time, shown in depth_over_time(events, samples, record.config.market.depth_levels):
        moment, (time_s, epoch) = moments[bisect_right(times, time)], record.place(time)
        best_bid, bid_quantity = _best(shown.bids)
        best_ask, ask_quantity = _best(shown.asks)
        row = BookRow(
            time_s=time_s,
            epoch=epoch,
            symbol=symbol,
            state=moment.state.value,
            best_bid=best_bid,
            best_ask=best_ask,
            bid_quantity=bid_quantity,
            ask_quantity=ask_quantity,
            reference_price=moment.reference_price,
            reference_age_s=moment.age_at(time),
            low=moment.low,
            high=moment.high,
            true_price=record.true_price(symbol, time) / 1e6,
        )
        book.append(row)
        for side, occupied in (("buy", shown.bids), ("sell", shown.asks)):
            for number, level in enumerate(occupied):
                price = in_dollars(level.price), in_cents(level.price)
                shares = level.quantity, level.orders
                depth.append(DepthRow(time_s, epoch, symbol, side, number, *price, *shares))
    return book, depth


def _best(side: Sequence[PriceLevel]) -> tuple[float | None, int]:
    return (float(side[0].price), side[0].quantity) if side else (None, 0)
