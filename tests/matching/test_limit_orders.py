from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    CancelReason,
    Order,
    Rejected,
    RejectReason,
    Side,
    Trade,
)

from .calling import kinds, limit


def test_description_orders_two_percent_away_are_accepted_and_do_not_trade(engine):
    assert engine.process_order(limit("b-1", "buy", "149.40")) == []
    assert engine.process_order(limit("s-1", "sell", "155.50")) == []
    assert (engine.book.best_bid, engine.book.best_ask) == (Decimal("149.40"), Decimal("155.50"))


@pytest.mark.parametrize("side", list(Side))
def test_description_order_twenty_percent_above_is_rejected_on_either_side(engine, side):
    order = limit("x-1", side, "182.94")
    assert engine.process_order(order, 4_000_000) == []
    event = engine.events[-1]
    assert isinstance(event, Rejected)
    assert (event.reason, event.order, event.time) == (RejectReason.OUTSIDE_BAND, order, 4_000_000)
    assert (event.price, event.deviation_percent) == (Decimal("182.94"), 20)
    assert (event.reference, event.reference_age) == (engine.reference, 3_000_000)
    assert len(engine.book) == 0


@pytest.mark.parametrize("price", ["152.00", "151.00"])
def test_trade_is_made_at_the_resting_price(engine, price):
    engine.submit(limit("b-1", "buy", "152.00", 100), 2_000_000)
    (trade,) = engine.process_order(limit("s-1", "sell", price, 100), 3_000_000)
    assert trade == Trade(
        trade_id=0,
        time=3_000_000,
        symbol="AAPL",
        price=Decimal("152.00"),
        quantity=100,
        buy_order_id="b-1",
        sell_order_id="s-1",
        aggressor=Side.SELL,
    )
    assert list(engine.trades) == [trade]
    assert len(engine.book) == 0


def test_better_price_trades_first_then_earlier_arrival(engine):
    for order_id, price in (
        ("s-late-best", "152.00"),
        ("s-1", "152.10"),
        ("s-2", "152.10"),
        ("s-best", "151.90"),
    ):
        engine.submit(limit(order_id, "sell", price), 5_000_000)
    trades = engine.process_order(limit("b-1", "buy", "153.00", 35))
    assert [(trade.sell_order_id, str(trade.price), trade.quantity) for trade in trades] == [
        ("s-best", "151.90", 10),
        ("s-late-best", "152.00", 10),
        ("s-1", "152.10", 10),
        ("s-2", "152.10", 5),
    ]
    assert {trade.aggressor for trade in trades} == {Side.BUY}


def test_partly_filled_resting_order_keeps_its_place(engine):
    engine.submit(limit("s-1", "sell", "152.00", 100))
    engine.submit(limit("s-2", "sell", "152.00", 100))
    engine.submit(limit("b-1", "buy", "152.00", 40))
    trades = engine.process_order(limit("b-2", "buy", "152.00", 80))
    assert [(trade.sell_order_id, trade.quantity) for trade in trades] == [("s-1", 60), ("s-2", 20)]


def test_remainder_is_cancelled_where_resting_would_cross_a_price_outside_the_band(keeping_engine):
    engine = keeping_engine
    events = engine.submit(limit("b-1", "buy", "152.00", 50), 9_000_000)
    assert kinds(events) == [Accepted, Cancelled]
    assert (events[1].reason, events[1].quantity) == (CancelReason.OUTSIDE_BAND, 50)
    assert (events[1].price, events[1].reference) == (Decimal("100.00"), engine.reference)
    assert events[1].reference_age == 8_000_000
    assert engine.book.best_bid is None


def test_an_id_is_accepted_once_whatever_became_of_the_order(engine):
    engine.submit(limit("s-1", "sell", "152.00"))
    (again,) = engine.submit(limit("s-1", "sell", "152.00"))
    engine.submit(limit("b-1", "buy", "152.00"))
    (filled,) = engine.submit(limit("s-1", "sell", "152.00"))
    assert again.reason is filled.reason is RejectReason.DUPLICATE_ID
    assert len(engine.book) == 0


def test_other_symbol_is_refused_without_comparing_its_price(engine):
    (event,) = engine.submit(Order.limit("b-1", "MSFT", "buy", 1, "400.00"))
    assert event.reason is RejectReason.WRONG_SYMBOL
    assert event.deviation_percent is None
    assert len(engine.book) == 0
