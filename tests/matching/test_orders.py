from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import MAX_QUANTITY, Order, OrderType, Side

from .calling import limit, market


def test_short_ways_make_limit_and_market_orders():
    order = Order.limit("b-1", "AAPL", Side.BUY, 100, Decimal("149.40"), trader="alice")
    assert order == Order("b-1", "AAPL", "buy", "limit", 100, "149.40", "alice")
    assert (order.side, order.order_type, order.trader) == (Side.BUY, OrderType.LIMIT, "alice")
    order = Order.market("s-1", "AAPL", Side.SELL, 5, trader="bob")
    assert order == Order("s-1", "AAPL", "sell", "market", 5, None, "bob", "ioc")


@pytest.mark.parametrize("price", ["149.4", 149.4, Decimal("149.400"), Decimal("1494E-1")])
def test_price_is_written_in_cents_however_it_was_given(price):
    order = limit("b-1", "buy", price)
    assert str(order.price) == "149.40"
    assert order == limit("b-1", Side.BUY, Decimal("149.40"))


@pytest.mark.parametrize(
    "quantity", [0, -1, 1.5, 1.0, Decimal(1), True, "100", None, MAX_QUANTITY + 1]
)
def test_bad_quantity_is_refused(quantity):
    with pytest.raises(InvalidInput, match="whole number of shares, 1 to 1,000,000,000") as caught:
        market("b-1", "buy", quantity)
    assert caught.value.field == "quantity"
    assert caught.value.value == quantity


@pytest.mark.parametrize(
    "price", [Decimal("NaN"), float("inf"), "-Infinity", "a lot", True, 0, "-149.40", "1E+13"]
)
def test_bad_price_is_refused(price):
    with pytest.raises(InvalidInput) as caught:
        limit("b-1", "buy", price)
    assert caught.value.field == "price"


def test_price_and_type_must_go_together():
    with pytest.raises(InvalidInput, match=r"price: None .* because this is a limit order"):
        Order("b-1", "AAPL", Side.BUY, OrderType.LIMIT, 1)
    with pytest.raises(InvalidInput, match=r"no price, because this is a market order"):
        Order("b-1", "AAPL", Side.BUY, OrderType.MARKET, 1, Decimal("149.40"))
    with pytest.raises(InvalidInput, match=r"time_in_force: 'gtc' .* this is a market order"):
        market("b-1", "buy", time_in_force="gtc")


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("order_id", {"order_id": ""}),
        ("order_id", {"order_id": 7}),
        ("symbol", {"symbol": ""}),
        ("side", {"side": "hold"}),
        ("order_type", {"order_type": "stop"}),
        ("time_in_force", {"time_in_force": "week"}),
        ("post_only", {"post_only": "yes"}),
        ("post_only", {"post_only": True, "time_in_force": "ioc"}),
        ("expires", {"time_in_force": "gtt"}),
        ("expires", {"time_in_force": "gtt", "expires": 2.5}),
        ("expires", {"time_in_force": "gtt", "expires": 0}),
        ("expires", {"expires": 7}),
        ("trader", {"trader": None}),
    ],
)
def test_other_bad_fields_and_those_that_do_not_go_together_are_named(field, fields):
    good = {"order_id": "b-1", "symbol": "AAPL", "side": "buy", "order_type": "limit"}
    with pytest.raises(InvalidInput) as caught:
        Order(**{**good, "quantity": 1, "price": "149.40", **fields})
    assert caught.value.field == field
