"""Zero intelligence and fat fingers: what they send, and that nothing they see matters."""

import statistics
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import MarketState, Order, OrderType, Side, Traded
from streamlet_lab.matching.events import Accepted
from streamlet_lab.matching.orders import Trade
from streamlet_lab.simulator.traders import MarketView
from streamlet_lab.simulator.traders.simple_traders import FatFinger, ZeroIntelligence

from .floor import SYMBOL, TRUE_PRICE, seat, view


def send(kind, count, true_price=TRUE_PRICE, **parameters):
    one = kind(seat(), **parameters)
    return [one.decide(view(true_price))[0] for _ in range(count)]


def distance(submit, true_price=TRUE_PRICE):
    return float(submit.order.price) / true_price - 1


# --- Zero intelligence


def test_each_act_is_one_honest_order():
    one = ZeroIntelligence(seat())
    assert [len(one.decide(view())) for _ in range(50)] == [1] * 50
    assert {submit.intent for submit in send(ZeroIntelligence, 50)} == {"honest"}


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_share_of_market_orders(share):
    sent = send(ZeroIntelligence, 8_000, market_order_share=share)
    found = statistics.fmean(one.order.order_type is OrderType.MARKET for one in sent)
    # Four standard errors at a share of 0.2.
    assert found == pytest.approx(share, abs=0.018 if 0 < share < 1 else 0)


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_limit_prices_are_normal_around_the_true_price(spread):
    sent = send(ZeroIntelligence, 8_000, spread_percent=spread, market_order_share=0)
    distances = [distance(one) for one in sent]
    sd = spread / 100
    # Four standard errors of the mean; five of the standard deviation.
    assert statistics.fmean(distances) == pytest.approx(0, abs=0.045 * sd)
    assert statistics.pstdev(distances) == pytest.approx(sd, rel=0.04)
    within = statistics.fmean(abs(one) < sd for one in distances)
    assert within == pytest.approx(0.6827, abs=0.021)


@pytest.mark.parametrize("kind", [ZeroIntelligence, FatFinger])
def test_sides_are_as_likely_and_prices_do_not_depend_on_them(kind):
    parameters = {"market_order_share": 0} if kind is ZeroIntelligence else {}
    sent = send(kind, 4_000, **parameters)
    assert statistics.fmean(one.order.side is Side.BUY for one in sent) == pytest.approx(
        0.5, abs=0.032
    )
    for side in Side:
        above = [distance(one) > 0 for one in sent if one.order.side is side]
        assert statistics.fmean(above) == pytest.approx(0.5, abs=0.045)


@pytest.mark.parametrize("kind", [ZeroIntelligence, FatFinger])
def test_quantities(kind):
    assert {one.order.quantity for one in send(kind, 2_000)} == set(range(10, 201, 10))
    assert {one.order.quantity for one in send(kind, 20, size=55)} == {55}


# --- Fat fingers


def test_fat_fingers_are_6_to_30_percent_away_on_both_sides():
    sent = send(FatFinger, 4_000)
    distances = [distance(one) for one in sent]
    half_cent = 0.005 / TRUE_PRICE
    assert all(0.06 - half_cent <= abs(one) <= 0.30 + half_cent for one in distances)
    assert statistics.fmean(abs(one) for one in distances) == pytest.approx(0.18, abs=0.0045)
    assert statistics.fmean(one > 0 for one in distances) == pytest.approx(0.5, abs=0.032)
    assert {one.intent for one in sent} == {"far"}
    assert {one.order.order_type for one in sent} == {OrderType.LIMIT}


# --- Nothing that they see matters

prices = st.none() | st.floats(100, 200)
views = st.builds(
    dict,
    best_bid=prices,
    best_ask=prices,
    last_price=prices,
    reference=prices,
    state=st.sampled_from(MarketState),
    low=prices,
    high=prices,
)


def tell(trader, number):
    """Have an order of the trader's own accepted, and half of it traded."""
    order = Order.limit(f"{trader.name}/{SYMBOL}/{number}", SYMBOL, "buy", 20, 150, trader.name)
    trader.on_event(Accepted(0, 0, order))
    trade = Trade(0, 0, SYMBOL, Decimal(150), 10, order.order_id, "other", Side.BUY)
    trader.on_event(Traded(1, trade, 10, 0))


@pytest.mark.parametrize("kind", [ZeroIntelligence, FatFinger])
@settings(max_examples=50)
@given(
    true_prices=st.lists(st.floats(50, 500), min_size=1, max_size=20),
    seed=st.integers(0, 10),
    data=st.data(),
)
def test_the_flow_is_the_same_in_any_market(kind, true_prices, seed, data):
    here, there = kind(seat(seed=seed)), kind(seat(seed=seed))
    for number, true_price in enumerate(true_prices):
        one = MarketView(0, SYMBOL, true_price, **data.draw(views))
        other = MarketView(0, SYMBOL, true_price, **data.draw(views))
        assert here.decide(one) == there.decide(other)
        if data.draw(st.booleans()):
            tell(there, number)
        assert here.wait() == there.wait()
