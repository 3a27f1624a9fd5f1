"""Momentum traders."""

import pytest

from streamlet_lab.matching import MarketState
from streamlet_lab.simulator.traders.simple_traders import Momentum

from .floor import seat, view


def sides(last_prices, **parameters):
    """What one does at each of its acts."""
    one = Momentum(seat(), **parameters)
    done = [one.decide(view(last_price=price)) for price in last_prices]
    assert all(len(actions) <= 1 for actions in done)
    return [str(actions[0].order.side) if actions else None for actions in done]


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([100, 100, 101.1], [None, None, "buy"]),
        ([100, 100, 98.9], [None, None, "sell"]),
        ([100, 100, 100.9], [None] * 3),
        ([100, 100, 99.1], [None] * 3),
        ([100, 101.1], [None, None]),  # it has not seen enough yet
        ([100, 100, 101.1, 101.1, 101.1], [None, None, "buy", "buy", None]),
        ([100, 105, 100], [None, None, None]),
        ([None, None, 100, None, 101.1, 101.1], [None, None, None, None, None, "buy"]),
    ],
)
def test_it_follows_what_moved_since_a_number_of_acts_ago(prices, expected):
    assert sides(prices, lookback=2, threshold_percent=1) == expected


def test_in_a_halt_it_looks_on():
    one = Momentum(seat(), lookback=1, threshold_percent=0)
    halted = [
        one.decide(view(last_price=price, state=MarketState.HALTED)) for price in (100.0, 101.0)
    ]
    assert halted == [(), ()]
    assert len(one.decide(view(last_price=102.0))) == 1


def test_the_instants_of_its_acts_do_not_depend_on_what_it_sees():
    here, there = (Momentum(seat(), lookback=1, threshold_percent=0) for _ in range(2))
    for n in range(30):
        here.decide(view())
        there.decide(view(last_price=100.0 + n))
        assert here.wait() == there.wait()
