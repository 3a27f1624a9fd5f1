"""The manipulator: it profits from a lie, and is silent without one."""

from decimal import Decimal

import pytest

from streamlet_lab.matching import MarketState, OrderType, Side, TimeInForce
from streamlet_lab.simulator.traders import make_traders
from streamlet_lab.simulator.traders.simple_traders import Manipulator

from .floor import SECOND, SYMBOL, Floor, Traders, seat, view

UP = {"reference": 103.0, "best_bid": 102.0, "best_ask": 104.0}
DOWN = {"reference": 97.0, "best_bid": 96.0, "best_ask": 98.0}


def act(**fields):
    one = Manipulator(seat(), threshold_percent=2, edge_percent=1, size=30)
    return one.decide(view(100.0, **fields))


@pytest.mark.parametrize(
    ("fields", "side", "price"), [(UP, Side.SELL, "101.00"), (DOWN, Side.BUY, "99.00")]
)
def test_it_trades_with_who_quotes_around_a_displaced_reference(fields, side, price):
    (submit,) = act(**fields)
    order = submit.order
    assert (order.order_type, order.side, order.price) == (OrderType.LIMIT, side, Decimal(price))
    assert order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert order.quantity == 30
    assert submit.intent == "manipulating"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"best_bid": 102.0, "best_ask": 104.0},
        UP | {"reference": 102.0},  # not displaced by more than the threshold
        DOWN | {"reference": 98.0},
        UP | {"reference": 100.0},
        UP | {"best_bid": 101.0},  # no gain above the edge
        DOWN | {"best_ask": 99.0},
        UP | {"state": MarketState.HALTED},
        DOWN | {"state": MarketState.HALTED},
        UP | {"best_bid": None},
        DOWN | {"best_ask": None},
        UP | {"best_bid": 96.0, "best_ask": 98.0},  # quotes on the other side of the truth
        DOWN | {"best_bid": 102.0, "best_ask": 104.0},
    ],
)
def test_otherwise_it_waits(fields):
    assert act(**fields) == ()


def test_the_instants_of_its_acts_do_not_depend_on_what_it_sees():
    here, there = Manipulator(seat()), Manipulator(seat())
    for _ in range(30):
        here.decide(view(100.0))
        there.decide(view(100.0, **UP))
        assert here.wait() == there.wait()


def play(displacement, seed):
    """A manipulator, a maker who believes in the reference, and a random flow between them."""
    configs = [
        Traders("manipulator"),
        Traders("market_maker", rate=2.0, parameters={"reference_weight": 1}),
        Traders("zero_intelligence", 5, parameters={"spread_percent": 0.5}),
    ]
    traders = make_traders(configs, [SYMBOL], seed)
    floor = Floor(traders, lambda time: 150.0)
    floor.set_reference(150.0 * (1 + displacement), 0)
    floor.run(300 * SECOND)
    one = traders[0]
    return floor, one, floor.cash(one) + 150.0 * one.position


@pytest.mark.parametrize("displacement", [0.03, -0.03])
def test_it_gains_where_a_maker_quotes_around_a_displaced_reference(displacement):
    for seed in range(3):
        floor, one, gain = play(displacement, seed)
        assert one.position * displacement < 0
        # Each share is worth more than the edge of 0.1 %; what the maker pays lies near 3 %.
        per_share = gain / abs(one.position) / 150
        assert 0.001 <= per_share <= 0.031
        assert one.orders == {}
        assert abs(one.position) >= 1_000
        assert floor.engine.trades
