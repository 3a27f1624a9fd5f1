from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import MAX_QUANTITY, Order, OrderType, Side


def test_limit_order_keeps_what_it_was_given():
    order = Order.limit("b-1", "AAPL", Side.BUY, 100, Decimal("149.40"), trader="alice")
    assert (order.order_id, order.symbol, order.side, order.order_type) == (
        "b-1",
        "AAPL",
        Side.BUY,
        OrderType.LIMIT,
    )
    assert (order.quantity, order.price, order.trader) == (100, Decimal("149.40"), "alice")


def test_market_order_has_no_price():
    order = Order.market("s-1", "AAPL", Side.SELL, 5, trader="bob")
    assert (order.order_type, order.quantity, order.trader) == (OrderType.MARKET, 5, "bob")
    assert order.price is None


@pytest.mark.parametrize("price", ["149.4", 149.4, Decimal("149.400"), Decimal("1494E-1")])
def test_price_is_written_in_cents_however_it_was_given(price):
    order = Order.limit("b-1", "AAPL", "buy", 1, price)
    assert str(order.price) == "149.40"
    assert order == Order.limit("b-1", "AAPL", Side.BUY, 1, Decimal("149.40"))


@pytest.mark.parametrize(
    "quantity", [0, -1, 1.5, 1.0, Decimal(1), True, "100", None, MAX_QUANTITY + 1]
)
def test_bad_quantity_is_refused(quantity):
    with pytest.raises(InvalidInput, match="whole number of shares, 1 to 1,000,000,000") as caught:
        Order.market("b-1", "AAPL", "buy", quantity)
    assert caught.value.field == "quantity"
    assert caught.value.value == quantity


@pytest.mark.parametrize(
    "price",
    [
        Decimal("NaN"),
        float("inf"),
        "-Infinity",
        "a lot",
        True,
        0,
        "-149.40",
        "1E+13",
    ],
)
def test_bad_price_is_refused(price):
    with pytest.raises(InvalidInput) as caught:
        Order.limit("b-1", "AAPL", "buy", 1, price)
    assert caught.value.field == "price"


def test_price_and_type_must_go_together():
    with pytest.raises(InvalidInput, match=r"price: None .* because this is a limit order"):
        Order("b-1", "AAPL", Side.BUY, OrderType.LIMIT, 1)
    with pytest.raises(InvalidInput, match=r"no price, because this is a market order"):
        Order("b-1", "AAPL", Side.BUY, OrderType.MARKET, 1, Decimal("149.40"))


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("order_id", ("", "AAPL", "buy", "market", 1)),
        ("order_id", (7, "AAPL", "buy", "market", 1)),
        ("symbol", ("b-1", "", "buy", "market", 1)),
        ("side", ("b-1", "AAPL", "hold", "market", 1)),
        ("order_type", ("b-1", "AAPL", "buy", "stop", 1)),
    ],
)
def test_other_bad_fields_are_named(field, fields):
    with pytest.raises(InvalidInput) as caught:
        Order(*fields)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "fields"),
    [
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
def test_conditions_that_do_not_go_together_are_named(field, fields):
    with pytest.raises(InvalidInput) as caught:
        Order.limit("b-1", "AAPL", "buy", 1, "149.40", **fields)
    assert caught.value.field == field
