from decimal import Decimal
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.matching import Depth, PriceLevel
from streamlet_lab.matching.book import BUY, SELL, OrderBook, Resting

from .calling import engine_at, limit, market


@pytest.fixture
def engine():
    engine = engine_at("150.00")
    for order_id, side, price, quantity in (
        ("b-low", "buy", "149.00", 10),
        ("b-first", "buy", "150.00", 10),
        ("b-second", "buy", "150.00", 5),
        ("s-high", "sell", "152.00", 10),
        ("s-first", "sell", "151.00", 7),
        ("s-second", "sell", "151.00", 10),
    ):
        engine.submit(limit(order_id, side, price, quantity))
    return engine


def test_depth_counts_shares_and_orders_best_price_first(engine):
    assert engine.book.depth() == Depth(
        bids=(PriceLevel(Decimal("150.00"), 15, 2), PriceLevel(Decimal("149.00"), 10, 1)),
        asks=(PriceLevel(Decimal("151.00"), 17, 2), PriceLevel(Decimal("152.00"), 10, 1)),
    )
    engine.submit(market("b-third", "buy", 3))
    assert engine.book.depth(1).asks == (PriceLevel(Decimal("151.00"), 14, 2),)


def test_outside_goes_from_the_outermost_price_inwards_on_each_side():
    book = OrderBook()
    bids, asks = (90, 91, 91, 95, 105, 109, 110), (90, 91, 95, 105, 109, 109, 110)
    for side, prices in ((BUY, bids), (SELL, asks)):
        for number, ticks in enumerate(prices):
            name = f"{'b' if side == BUY else 's'}{ticks}.{number}"
            book.add(Resting.of(name, "", 10, number, -side * ticks))
    assert [resting.order_id for resting in book.outside(95, 105)] == [
        *("b110.6", "b109.5", "b90.0", "b91.1", "b91.2"),
        *("s90.0", "s91.1", "s110.6", "s109.4", "s109.5"),
    ]


@given(prices=st.lists(st.integers(1, 60), max_size=60), gone=st.integers(0, 60))
def test_levels_come_best_first_and_the_empty_ones_not_at_all(prices, gone):
    for number in (BUY, SELL):
        book = OrderBook()
        for place, ticks in enumerate(prices):
            book.add(Resting.of(f"o-{place}", "", 1, place, -number * ticks))
        for order in [*book.orders.values()][:gone]:
            book.reduce(order, 1)
        left = sorted(set(prices[gone:]), reverse=number == BUY)
        assert [level.ticks for level in book.sides[number][0].occupied()] == left


def test_the_first_levels_cost_the_same_however_many_there_are():
    class Keys(list):
        def copy(self):
            pytest.fail("all prices were copied")

        def __iter__(self):
            pytest.fail("all prices were looked at")

    book = OrderBook()
    for ticks in range(1, 1_001):
        book.add(Resting.of(f"o-{ticks}", "", 1, ticks, ticks))
    book.asks.keys = Keys(book.asks.keys)
    assert [level.ticks for level in islice(book.asks.occupied(), 3)] == [1, 2, 3]
