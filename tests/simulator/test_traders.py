"""What traders send, and when."""

import statistics
from collections import Counter
from decimal import Decimal

import pytest

from streamlet_lab.config import MarketConfig
from streamlet_lab.matching import OrderType, Side
from streamlet_lab.simulator import Trader

TRUE_PRICE = 150_000_000
EPOCH = 1_000_000


def trader(name="trader_0", seed=0, symbols=("AAPL",), **settings):
    return Trader(name, symbols, MarketConfig(**settings), seed, EPOCH)


def submissions(count, true_price=TRUE_PRICE, **settings):
    one = trader(**settings)
    return [one.next_submission("AAPL", true_price) for _ in range(count)]


def distance(submission):
    return submission.order.price / (Decimal(TRUE_PRICE) / 1_000_000) - 1


def test_waits_are_those_of_a_poisson_process():
    one = trader(traders=20, orders_per_epoch=8)
    waits = [one.wait() for _ in range(20_000)]
    mean = 20 / 8 * EPOCH
    assert statistics.fmean(waits) == pytest.approx(mean, rel=0.03)
    assert statistics.pstdev(waits) == pytest.approx(mean, rel=0.03)


def test_a_wait_is_never_shorter_than_a_microsecond():
    one = trader(traders=1, orders_per_epoch=1e6)
    waits = [one.wait() for _ in range(1_000)]
    assert min(waits) == 1
    assert all(type(wait) is int for wait in waits)


def test_shares_of_far_and_of_market_orders():
    sent = submissions(10_000, far_share=0.1, market_order_share=0.3)
    far = [one for one in sent if one.intent == "far"]
    honest = [one for one in sent if one.intent == "honest"]
    market = [one for one in honest if one.order.order_type is OrderType.MARKET]
    assert len(far) / len(sent) == pytest.approx(0.1, abs=0.01)
    assert len(market) / len(honest) == pytest.approx(0.3, abs=0.015)
    assert all(one.order.order_type is OrderType.LIMIT for one in far)
    assert {one.true_price for one in sent} == {TRUE_PRICE}


def test_far_prices_are_6_to_30_percent_away_on_both_sides():
    distances = [distance(one) for one in submissions(2_000, far_share=1)]
    cent = Decimal("0.0001")
    assert all(Decimal("0.06") - cent <= abs(one) <= Decimal("0.30") + cent for one in distances)
    assert 0.45 < sum(one > 0 for one in distances) / len(distances) < 0.55


def test_honest_limit_prices_are_normal_around_the_true_price():
    sent = submissions(5_000, far_share=0, market_order_share=0, price_spread_percent=0.5)
    distances = [float(distance(one)) for one in sent]
    assert statistics.fmean(distances) == pytest.approx(0, abs=0.0003)
    assert statistics.pstdev(distances) == pytest.approx(0.005, rel=0.05)


def test_sides_and_quantities():
    orders = [one.order for one in submissions(4_000)]
    assert {order.quantity for order in orders} == set(range(10, 201, 10))
    assert sum(order.side is Side.BUY for order in orders) == pytest.approx(2_000, abs=150)


def test_a_price_is_a_cent_at_least():
    sent = submissions(50, true_price=5_000, far_share=0, market_order_share=0)
    assert {one.order.price for one in sent} == {Decimal("0.01")}


def test_orders_are_numbered_in_their_traders_name():
    orders = [one.order for one in submissions(3)]
    assert [order.order_id for order in orders] == ["trader_0/0", "trader_0/1", "trader_0/2"]
    assert {order.trader for order in orders} == {"trader_0"}


def test_symbols_are_traded_equally_often():
    one = trader(symbols=("AAPL", "MSFT", "IBM"))
    drawn = Counter(one.next_symbol() for _ in range(6_000))
    assert set(drawn) == {"AAPL", "MSFT", "IBM"}
    assert all(count == pytest.approx(2_000, rel=0.06) for count in drawn.values())


def test_a_trader_of_one_symbol_draws_nothing_for_it():
    asked, silent = trader(), trader()
    assert [asked.next_symbol() for _ in range(5)] == ["AAPL"] * 5
    assert asked.wait() == silent.wait()


def test_an_order_is_for_the_symbol_that_is_asked_for():
    one = trader(symbols=("AAPL", "MSFT"))
    orders = [one.next_submission(symbol, TRUE_PRICE).order for symbol in ("MSFT", "AAPL")]
    assert [order.symbol for order in orders] == ["MSFT", "AAPL"]


def test_each_trader_draws_from_a_stream_of_its_own():
    traders = trader(), trader(), trader("trader_1"), trader(seed=1)
    waits = [tuple(one.wait() for _ in range(5)) for one in traders]
    assert waits[0] == waits[1]
    assert len(set(waits)) == 3
