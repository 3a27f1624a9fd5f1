"""LULD and the volatility auction at work in an engine."""

from decimal import Decimal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    Cancelled,
    Instrument,
    MarketState,
    Reference,
    Rejected,
    Repriced,
    StateChanged,
    Traded,
    Uncrossed,
    make_band,
)

from .calling import SECOND, engine_at, limit, market, move

LIMIT = MarketState.LIMIT


def submit(engine, order_id, side, price, quantity=100, time=None, **options):
    return engine.submit(limit(order_id, side, price, quantity, **options), time)


def outline(events):
    """What happened, in few words."""
    return [words(event) for event in events]


def words(event):
    match event:
        case StateChanged():
            return str(event.state)
        case BandMoved():
            return f"band {event.low} to {event.high} {event.reference.kind}"
        case Uncrossed():
            return f"uncrossed {event.price} {event.quantity} {event.surplus:+d}"
        case Traded():
            trade = event.trade
            buyer, seller = trade.buy_order_id, trade.sell_order_id
            return f"{buyer} buys {trade.quantity} of {seller} at {trade.price}"
        case Repriced():
            return f"{event.order_id} clipped to {event.price}"
        case Rejected() | Cancelled():
            return f"{event.order_id} {event.reason}"
        case Accepted():
            return f"{event.order.order_id} accepted"
        case _:
            return type(event).__name__


@pytest.fixture
def luld():
    """LULD at $100.00: its bands are at $95 and $105."""
    return engine_at("100.00", band=make_band("luld"))


@pytest.fixture
def ranges():
    """A volatility auction's ranges at $100.00: $97.50 to $102.50, and $95 to $105."""
    return engine_at("100.00", band=make_band("volatility_auction"))


# -- LULD


def test_limit_state_of_fifteen_seconds_leads_to_a_pause_and_a_reopening(luld):
    submit(luld, "b-1", "buy", "108.00", time=1 * SECOND)
    luld.advance(16 * SECOND - 1)
    assert luld.market is LIMIT
    assert outline(luld.advance(16 * SECOND)) == ["auction"]
    # Any price may be named in the call phase, and nothing trades.
    collected = [
        *submit(luld, "b-2", "buy", "112.00", 200, time=20 * SECOND),
        *submit(luld, "s-1", "sell", "109.00", 150, time=30 * SECOND),
        *submit(luld, "s-2", "sell", "104.00", 50, time=40 * SECOND),
    ]
    assert outline(collected) == ["b-2 accepted", "s-1 accepted", "s-2 accepted"]
    assert luld.advance(316 * SECOND - 1) == []
    # From 109 to 112 all 200 trade and nobody is left over: the nearest to $100 is 109.
    reopening = luld.advance(316 * SECOND)
    assert outline(reopening) == [
        "uncrossed 109.00 200 +0",
        "b-2 buys 50 of s-2 at 109.00",
        "b-2 buys 150 of s-1 at 109.00",
        "open",
        "band 103.55 to 114.45 auction",
    ]
    assert luld.band_reference == Reference(Decimal("109.00"), 316 * SECOND, kind="auction")
    assert luld.book.find("b-1").price == Decimal("105.00")
    # What was outside the band before trades now, and what was inside is outside.
    submit(luld, "s-3", "sell", "114.00")
    trades = luld.process_order(market("b-4", "buy", 100))
    assert [trade.price for trade in trades] == [Decimal("114.00")]
    assert outline(submit(luld, "s-4", "sell", "100.00"))[1] == "s-4 clipped to 103.55"


def test_operator_who_ends_a_pause_takes_the_price_that_there_is(luld):
    submit(luld, "b-1", "buy", "105.00", time=0)
    luld.advance(15 * SECOND)
    submit(luld, "b-2", "buy", "150.00")
    submit(luld, "s-1", "sell", "150.00")
    assert outline(luld.resume(20 * SECOND))[-1] == "band 142.50 to 157.50 auction"


@pytest.fixture
def at_the_edge():
    """The same market, whose days are ten seconds; its best bid is at the upper band."""
    engine = engine_at("100.00", Instrument("AAPL", day=10 * SECOND), band=make_band("luld"))
    submit(engine, "s-1", "sell", "110.00", time=SECOND, time_in_force="gtc")
    submit(engine, "b-1", "buy", "105.00", time=SECOND)
    assert engine.market is LIMIT
    return engine


def test_quote_that_expires_ends_a_limit_state_at_that_instant(at_the_edge):
    *_, last = at_the_edge.advance(12 * SECOND)
    assert last == StateChanged(last.sequence, 10 * SECOND, MarketState.OPEN)


def test_reopening_is_nearest_to_what_the_band_goes_by_and_not_to_the_consensus(at_the_edge):
    submit(at_the_edge, "b-2", "buy", "105.00", time=2 * SECOND, time_in_force="gtc")
    move(at_the_edge, "108.00", 3 * SECOND)
    at_the_edge.advance(16 * SECOND)
    assert at_the_edge.market is MarketState.AUCTION
    at_the_edge.cancel("b-2")
    at_the_edge.cancel("s-1")
    for order_id, side, price in (("b-3", "buy", "109.00"), ("s-2", "sell", "99.00")):
        submit(at_the_edge, order_id, side, price, time=17 * SECOND, time_in_force="gtc")
    at_the_edge.resume(18 * SECOND)
    assert at_the_edge.trades[-1].price == Decimal("100.00")


# -- volatility auction


def test_order_trades_up_to_the_edge_and_the_rest_joins_the_auction(ranges):
    submit(ranges, "s-1", "sell", "102.50", 30)
    submit(ranges, "s-2", "sell", "103.00", 50)
    assert outline(submit(ranges, "b-1", "buy", "104.00", time=1 * SECOND)) == [
        "b-1 accepted",
        "b-1 buys 30 of s-1 at 102.50",
        "auction",
    ]
    assert ranges.book.find("b-1").remaining == 70
    assert ranges.advance(121 * SECOND - 1) == []
    assert outline(ranges.advance(121 * SECOND)) == [
        "uncrossed 104.00 50 +20",
        "b-1 buys 50 of s-2 at 104.00",
        "open",
        "band 101.40 to 106.60 auction",
    ]


def test_dynamic_range_follows_the_trades_of_whole_orders(ranges):
    submit(ranges, "s-1", "sell", "101.00", 10)
    submit(ranges, "s-2", "sell", "102.00", 10)
    submit(ranges, "s-3", "sell", "103.00", 10)
    assert outline(submit(ranges, "b-1", "buy", "102.00", 20))[1:] == [
        "b-1 buys 10 of s-1 at 101.00",
        "b-1 buys 10 of s-2 at 102.00",
        "band 99.45 to 104.55 trades",
    ]
    assert outline(submit(ranges, "b-2", "buy", "103.00", 10))[1:] == [
        "b-2 buys 10 of s-3 at 103.00",
        "band 100.43 to 105.00 trades",
    ]


# -- both


SHORT = {
    "luld": {"window": "20us", "hold": "6us", "limit": "4us", "pause": "10us", "round_lot": 2},
    "volatility_auction": {"call": "10us"},
}
flows = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.integers(95, 105) | st.integers(88, 112),
        st.integers(1, 5),
        st.sampled_from([0, 1, 2, 4, 10]),
    ),
    min_size=10,
    max_size=40,
)


@pytest.mark.parametrize("band", SHORT)
@given(flow=flows)
@settings(deadline=None, max_examples=100)
def test_auction_that_the_band_ends_clears_inside_its_collars(band, flow):
    engine = engine_at("100.00", band=make_band(band, 2, SHORT[band]))
    for number, (side, price, quantity, wait) in enumerate(flow):
        submit(engine, str(number), side, price, quantity, engine.now + wait)
    engine.advance(engine.now + 100)
    began, middle = 0, Decimal(100)
    for one in engine.events:
        match one:
            case StateChanged(time=began):
                pass
            case BandMoved(reference=reference):
                middle = reference.price
            case Traded(trade=trade) if band == "volatility_auction":
                middle = trade.price  # its ranges follow once the whole order is matched
            case Uncrossed(time=time, price=price) if price:
                calls = (time - began) // 10
                event(f"{calls} calls")
                assert calls
                collar = 2 * calls + (2 if band == "luld" else 0)
                assert abs(price - middle) * 100 <= collar * middle
