"""The book as it stood at sampled instants: best prices, and depth."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import cache

from streamlet_lab.frames.tables import Timed, cents
from streamlet_lab.frames.tape import Moment, Tape
from streamlet_lab.matching import Event, PriceLevel, depth_over_time


def book_rows(
    tape: Tape,
    events: Iterable[Event],
    samples: Sequence[int],
    levels: int,
    true_price: Callable[[int], int],
) -> tuple[list[Timed], list[Timed]]:
    """Return the rows of the frames ``book`` and ``depth`` of one symbol.

    Each snapshot shows everything that happened until its instant, that instant included.
    """
    # The same few prices are shown again and again.
    in_dollars_and_cents = cache(_in_dollars_and_cents)
    book: list[Timed] = []
    depth: list[Timed] = []
    snapshots = depth_over_time(events, samples, levels)
    moments = _at(tape.moments, samples)
    for (time, snapshot), moment in zip(snapshots, moments, strict=True):
        place, bids, asks = tape.place(time), snapshot.bids, snapshot.asks
        best_bid, bid_quantity = _best(bids)
        best_ask, ask_quantity = _best(asks)
        row = (
            *place,
            moment.state.value,
            best_bid,
            best_ask,
            bid_quantity,
            ask_quantity,
            *moment.price_and_age(time),
            moment.low,
            moment.high,
            true_price(time) / 1e6,
        )
        book.append((time, row))
        for side, occupied in (("buy", bids), ("sell", asks)):
            for number, level in enumerate(occupied):
                price = in_dollars_and_cents(level.price)
                depth.append((time, (*place, side, number, *price, level.quantity, level.orders)))
    return book, depth


def _best(side: Sequence[PriceLevel]) -> tuple[float | None, int]:
    return (float(side[0].price), side[0].quantity) if side else (None, 0)


def _in_dollars_and_cents(price: Decimal) -> tuple[float, int | None]:
    return float(price), cents(price)


def _at(moments: Sequence[Moment], samples: Iterable[int]) -> Iterable[Moment]:
    """Yield what holds at each sampled instant."""
    number, last = 0, len(moments) - 1
    for time in samples:
        while number < last and moments[number + 1].time <= time:
            number += 1
        yield moments[number]
