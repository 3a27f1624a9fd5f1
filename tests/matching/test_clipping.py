"""Prices moved to the edge of the band: at entry, and when it moves."""

from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Accepted,
    CancelReason,
    Instrument,
    RejectReason,
    make_band,
    replay,
)

from .calling import engine_at, limit, move, state_of


@pytest.fixture
def engine():
    """An engine whose band is $95.00 to $105.00."""
    return engine_at("100.00", band=make_band("clip"))


def prices(orders):
    return [(one.order.order_id, str(one.price)) for one in orders]


@pytest.mark.parametrize(
    ("side", "price", "enters"),
    [
        ("buy", "105.01", "105.00"),
        ("buy", "180.00", "105.00"),
        ("sell", "94.99", "95.00"),
        ("buy", "105.00", "105.00"),
        ("buy", "94.99", "94.99"),
        ("sell", "105.01", "105.01"),
    ],
)
def test_only_the_aggressive_side_is_clipped(engine, side, price, enters):
    accepted, *clipped = engine.submit(limit("o", side, price))
    assert isinstance(accepted, Accepted)
    assert str(accepted.order.price) == price
    assert engine.book.find("o").price == Decimal(enters)
    assert [one.price for one in clipped] == [Decimal(enters)] * (price != enters)


def test_post_only_goes_by_where_it_enters(engine):
    engine.submit(limit("s-1", "sell", "106.00"))
    accepted, _ = engine.submit(limit("b-1", "buy", "107.00", post_only=True))
    assert isinstance(accepted, Accepted)
    engine.submit(limit("s-2", "sell", "105.00"))
    assert len(engine.trades) == 1
    engine.submit(limit("s-3", "sell", "105.00"))
    (event,) = engine.submit(limit("b-2", "buy", "107.00", post_only=True))
    assert event.reason is RejectReason.WOULD_TRADE


def test_moved_band_clips_best_price_first_then_by_arrival_and_they_stay_there(engine):
    for order_id, price in (
        ("b-1", "103.00"),
        ("b-2", "104.00"),
        ("b-3", "103.00"),
        ("b-4", "94.50"),
        ("b-5", "90.00"),
    ):
        engine.submit(limit(order_id, "buy", price))
    _, _, *clipped = move(engine, "90.00")
    moved = [(one.order_id, str(one.price)) for one in clipped]
    assert moved == [("b-2", "94.50"), ("b-1", "94.50"), ("b-3", "94.50")]
    rests = [("b-4", "94.50"), *moved, ("b-5", "90.00")]
    assert prices(engine.book.bids) == rests
    assert len(move(engine, "100.00")) == 2
    assert prices(engine.book.bids) == rests


def test_bid_has_no_edge_to_wait_at_where_the_band_lies_below_the_lowest_price():
    # An engine of whole dollars whose band is $0.95 to $1.05, and then lies below a dollar.
    engine = engine_at("1.00", Instrument("AAPL", tick=1), band=make_band("clip"))
    engine.submit(limit("b-1", "buy", "1.00"))
    engine.submit(limit("s-1", "sell", "2.00"))
    _, _, cancelled = move(engine, "0.50", 1)
    assert (cancelled.order_id, cancelled.reason) == ("b-1", CancelReason.OUTSIDE_BAND)
    (event,) = engine.submit(limit("b-2", "buy", "3.00"))
    assert event.reason is RejectReason.OUTSIDE_BAND
    engine.submit(limit("s-2", "sell", "1.00"))
    assert prices(engine.book.asks) == [("s-2", "1"), ("s-1", "2")]
    assert state_of(replay(engine.events)) == state_of(engine)


# -- replacements beyond the edge, of orders of every kind that rests

BEYOND = [("buy", "99.00", "107.00", "105.00"), ("sell", "101.00", "93.00", "95.00")]


@pytest.fixture
def waiting(engine):
    """The same engine with an ask of $106.00 and a bid of $94.00, outside the band."""
    engine.submit(limit("s-1", "sell", "106.00"))
    engine.submit(limit("b-1", "buy", "94.00"))
    return engine


@pytest.mark.parametrize(("side", "price", "beyond", "edge"), BEYOND)
def test_replaced_post_only_order_that_is_clipped_short_of_the_other_side_waits_at_the_edge(
    waiting, side, price, beyond, edge
):
    waiting.submit(limit("p-1", side, price, post_only=True))
    replaced, clipped = waiting.replace("p-1", price=beyond)
    assert (replaced.price, replaced.keeps_priority) == (Decimal(beyond), False)
    resting = waiting.book.find("p-1")
    assert (resting.price, resting.priority) == (Decimal(edge), clipped.sequence)
    assert not waiting.trades


@pytest.mark.parametrize(("side", "price", "beyond", "other"), BEYOND)
def test_replaced_post_only_order_that_meets_the_other_side_at_the_edge_is_refused(
    waiting, side, price, beyond, other
):
    waiting.submit(limit("p-1", side, price, post_only=True))
    waiting.submit(limit("o-1", "sell" if side == "buy" else "buy", other))
    (event,) = waiting.replace("p-1", price=beyond)
    assert (event.reason, event.price) == (RejectReason.WOULD_TRADE, Decimal(beyond))
    assert waiting.book.find("p-1").price == Decimal(price)
