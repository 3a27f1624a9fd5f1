"""Informed traders: what they make of what they know."""

import statistics
from decimal import Decimal

import pytest

from streamlet_lab.matching import MarketState, Side, TimeInForce
from streamlet_lab.simulator.traders import Cancel, Submit, make_traders
from streamlet_lab.simulator.traders.simple_traders import Informed

from .floor import SECOND, SYMBOL, Floor, Traders, seat, view


def exact(**parameters):
    """One who sees the true price as it is, and wants one percent."""
    return Informed(seat(), noise_percent=0, edge_percent=1, **parameters)


@pytest.mark.parametrize(
    ("fields", "side"),
    [({"best_ask": 148.49}, Side.BUY), ({"best_bid": 151.51}, Side.SELL)],
)
def test_a_quote_that_is_wrong_by_more_than_the_edge_is_taken_up_to_the_value(fields, side):
    (submit,) = exact(size=30).decide(view(150.0, **fields))
    order = submit.order
    assert (order.side, order.price, order.quantity) == (side, Decimal("150.00"), 30)
    assert order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert submit.intent == "honest"


@pytest.mark.parametrize("fields", [{}, {"best_ask": 148.51}, {"best_bid": 151.49}])
def test_otherwise_it_offers_an_edge_away_from_the_value_on_either_side(fields):
    one = exact()
    sent = [one.decide(view(150.0, **fields))[0].order for _ in range(400)]
    prices = {order.side: order.price for order in sent}
    assert prices == {Side.BUY: Decimal("148.50"), Side.SELL: Decimal("151.50")}
    assert {(order.side, order.price) for order in sent} == {*prices.items()}
    assert all(order.time_in_force.rests for order in sent)
    share = statistics.fmean(order.side is Side.BUY for order in sent)
    assert share == pytest.approx(0.5, abs=0.1)  # four standard errors


def test_while_orders_are_not_matched_it_takes_nothing():
    (submit,) = exact().decide(view(150.0, best_ask=140.0, state=MarketState.HALTED))
    assert submit.order.time_in_force.rests


@pytest.mark.parametrize("ask", [None, 100.0])
def test_its_former_order_is_cancelled_first(ask):
    one = exact()
    floor = Floor([one], lambda time: 150.0, without_reference="allow")
    floor.act(one, 1)
    (former,) = one.orders
    actions = one.decide(view(150.0, best_ask=ask))
    assert actions[0] == Cancel(former)
    assert isinstance(actions[1], Submit)
    assert len(actions) == 2


def test_its_noise_is_normal_around_the_true_price():
    one = Informed(seat(), noise_percent=0.5, edge_percent=0)
    prices = [float(one.decide(view(150.0))[0].order.price) for _ in range(6_000)]
    # Four standard errors of the mean; five of the standard deviation.
    assert statistics.fmean(prices) == pytest.approx(150, abs=0.04)
    assert statistics.pstdev(prices) == pytest.approx(0.75, rel=0.045)


def test_the_instants_of_its_acts_do_not_depend_on_what_it_sees():
    here, there = Informed(seat()), Informed(seat())
    for _ in range(30):
        here.decide(view(150.0))
        there.decide(view(150.0, best_ask=100.0))
        assert here.wait() == there.wait()


def price_errors(informed, seeds=range(6)):
    """How far the last price is from a true one that has risen by 2 %, after five minutes."""
    errors = []
    for seed in seeds:
        configs = [
            Traders("market_maker", parameters={"reference_weight": 0}),
            Traders("zero_intelligence", 4, parameters={"market_order_share": 1}),
            Traders("informed", informed, rate=0.5),
        ]
        floor = Floor(
            make_traders(configs, [SYMBOL], seed), lambda time: 153.0, without_reference="allow"
        )
        floor.open_at(150)
        floor.run(300 * SECOND)
        errors.append(abs(float(floor.engine.trades[-1].price) / 153 - 1))
    return errors


def test_informed_traders_move_the_price_to_the_true_one():
    informed, uninformed = price_errors(4), price_errors(0)
    assert max(informed) < 0.005
    assert statistics.fmean(informed) < 0.003
    assert statistics.fmean(uninformed) > 0.01
