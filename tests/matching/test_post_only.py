from decimal import Decimal

import pytest

from streamlet_lab.matching import Accepted, RejectReason

from .calling import assert_only_refused, limit, state_of


def post(side, price):
    return limit("p-1", side, price, post_only=True)


@pytest.fixture
def quoted(engine):
    """A market of $152.00 to $153.00."""
    engine.submit(limit("b-1", "buy", "152.00"))
    engine.submit(limit("s-1", "sell", "153.00"))
    return engine


@pytest.mark.parametrize(("side", "price"), [("buy", "153.00"), ("sell", "152.00")])
def test_is_refused_where_it_would_trade_and_changes_nothing(quoted, side, price):
    before = state_of(quoted)
    (event,) = quoted.submit(post(side, price))
    assert (event.reason, event.price) == (RejectReason.WOULD_TRADE, Decimal(price))
    assert_only_refused(quoted, before)


@pytest.mark.parametrize(("side", "price"), [("buy", "152.99"), ("sell", "152.01")])
def test_rests_one_tick_short_of_the_other_side(quoted, side, price):
    (event,) = quoted.submit(post(side, price))
    assert isinstance(event, Accepted)
    assert quoted.book.find("p-1").price == Decimal(price)


def test_replacement_that_would_trade_is_refused_too(quoted):
    quoted.submit(post("buy", "151.00"))
    before = state_of(quoted)
    (event,) = quoted.replace("p-1", price="153.00")
    assert event.reason is RejectReason.WOULD_TRADE
    assert_only_refused(quoted, before)
