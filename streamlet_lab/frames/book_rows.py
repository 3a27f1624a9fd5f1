"""The book as it stood at sampled instants: best prices, and depth."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from streamlet_lab.columns import BookRow, DepthRow
from streamlet_lab.frames.tape import Moment, Tape
from streamlet_lab.matching import Event, PriceLevel, depth_over_time
from streamlet_lab.units import to_ticks


def book_rows(
    tape: Tape,
    events: Iterable[Event],
    samples: Sequence[int],
    levels: int,
    true_price: Callable[[int], int],
) -> tuple[list[BookRow], list[DepthRow]]:
    """Return the rows of the frames ``book`` and ``depth`` of one symbol.

    Each snapshot shows everything that happened until its instant, that instant included.
    """
    in_dollars = cache(float)  # the same few prices are shown again and again
    in_cents = cache(to_ticks)
    book: list[BookRow] = []
    depth: list[DepthRow] = []
    snapshots = depth_over_time(events, samples, levels)
    moments = _at(tape.moments, samples)
    for (time, snapshot), moment in zip(snapshots, moments, strict=True):
        (time_s, epoch, symbol), bids, asks = tape.place(time), snapshot.bids, snapshot.asks
        best_bid, bid_quantity = _best(bids)
        best_ask, ask_quantity = _best(asks)
        reference_price, age = moment.price_and_age(time)
        row = BookRow(
            time_s=time_s,
            epoch=epoch,
            symbol=symbol,
            state=moment.state.value,
            best_bid=best_bid,
            best_ask=best_ask,
            bid_quantity=bid_quantity,
            ask_quantity=ask_quantity,
            reference_price=reference_price,
            reference_age_s=age,
            low=moment.low,
            high=moment.high,
            true_price=true_price(time) / 1e6,
        )
        book.append(row)
        for side, occupied in (("buy", bids), ("sell", asks)):
            for number, level in enumerate(occupied):
                price = in_dollars(level.price), in_cents(level.price)
                shares = level.quantity, level.orders
                depth.append(DepthRow(time_s, epoch, symbol, side, number, *price, *shares))
    return book, depth


def _best(side: Sequence[PriceLevel]) -> tuple[float | None, int]:
    return (float(side[0].price), side[0].quantity) if side else (None, 0)


def _at(moments: Sequence[Moment], samples: Iterable[int]) -> Iterable[Moment]:
    """Yield what holds at each sampled instant."""
    number, last = 0, len(moments) - 1
    for time in samples:
        while number < last and moments[number + 1].time <= time:
            number += 1
        yield moments[number]
