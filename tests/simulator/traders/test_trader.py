"""What every trader can do, and what it knows of its own orders."""

import statistics
from dataclasses import fields
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import MarketState, Order, Side, TimeInForce
from streamlet_lab.simulator.traders import Cancel, Replace, Submit, Trader, TraderContext

from .floor import SECOND, SYMBOL, Floor, seat, view


class Scripted(Trader):
    """Does what the test says next."""

    def __init__(self, seat, steps=()):
        super().__init__(seat)
        self.steps = iter(steps)

    def act(self, view):
        step = next(self.steps, None)
        return step(self) if callable(step) else step


@pytest.fixture
def trader():
    return Scripted(seat())


# --- When it acts


@pytest.mark.parametrize("state", MarketState)
def test_orders_are_matched_as_they_come_in_an_open_market_and_at_its_limits(state):
    assert view(state=state).is_continuous is (state in ("open", "limit"))


@pytest.mark.parametrize("rate", [0.2, 3.0])
def test_waits_are_those_of_a_poisson_process(rate):
    one = Scripted(seat(rate=rate))
    waits = [one.wait() for _ in range(20_000)]
    # An exponential law's mean and standard deviation are equal; 3 % are over four standard errors.
    assert statistics.fmean(waits) == pytest.approx(SECOND / rate, rel=0.03)
    assert statistics.pstdev(waits) == pytest.approx(SECOND / rate, rel=0.03)


# --- Orders


def test_an_order_has_its_traders_name_symbol_and_number(trader):
    orders = [trader.buy(10).order, trader.sell(20, 151).order, trader.buy(30, 149).order]
    assert [order.order_id for order in orders] == [f"trader_0/AAPL/{n}" for n in range(3)]
    assert {(order.trader, order.symbol) for order in orders} == {("trader_0", "AAPL")}
    assert [order.side for order in orders] == [Side.BUY, Side.SELL, Side.BUY]
    assert [order.quantity for order in orders] == [10, 20, 30]


@pytest.mark.parametrize("send", ["buy", "sell"])
def test_options_reach_the_order(trader, send):
    submit = getattr(trader, send)
    order, intent = submit(10, 150, time_in_force="gtt", expires=7, post_only=True, intent="far")
    assert (order.time_in_force, order.expires, order.post_only) == ("gtt", 7, True)
    assert order.time_in_force is TimeInForce.GOOD_TILL_TIME
    assert intent == "far"


def test_an_intent_is_that_of_the_kind_unless_given():
    class Shady(Scripted):
        intent = "manipulating"

    assert Scripted(seat()).buy(10).intent == "honest"
    assert Shady(seat()).buy(10).intent == "manipulating"
    assert Shady(seat()).buy(10, intent="honest").intent == "honest"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 10, "price": float("nan")}, "price"),
        ({"quantity": 10, "price": float("inf")}, "price"),
        ({"quantity": 10, "price": "150"}, "price"),
        ({"quantity": 10, "price": True}, "price"),
        ({"quantity": 10, "price": 150, "time_in_force": "never"}, "time_in_force"),
        ({"quantity": 10, "post_only": True}, "post_only"),
        ({"quantity": 10, "intent": "evil"}, "intent"),
    ],
)
def test_bad_orders_are_refused_when_they_are_made(trader, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        trader.buy(**arguments)
    assert caught.value.field == field
    assert trader.buy(10).order.order_id.endswith("/0")


@pytest.mark.parametrize(
    ("price", "on_grid"),
    [
        (150, "150.00"),
        (150.004, "150.00"),
        (150.006, "150.01"),
        (150.005, "150.00"),  # half even
        (150.015, "150.02"),
        (Decimal("150.015"), "150.02"),
        (0.0, "0.01"),
        (-20.0, "0.01"),
        (1e-300, "0.01"),
        (1e300, "999999999999.99"),
        (10**400, "999999999999.99"),
        (152.44999999999999, "152.45"),
    ],
)
def test_prices_are_put_on_the_cent_grid(trader, price, on_grid):
    assert str(trader.on_grid(price)) == on_grid
    assert str(trader.buy(10, price).order.price) == on_grid
    assert str(trader.replace("trader_0/AAPL/0", price).price) == on_grid


@given(st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-10, 10**6, places=7))
def test_any_finite_price_becomes_one_that_an_order_may_have(price):
    order = Scripted(seat()).buy(10, price).order
    assert Decimal("0.01") <= order.price <= Decimal("999999999999.99")
    if Decimal("0.01") <= Decimal(str(price)) <= Decimal("999999999999.99"):
        assert abs(order.price - Decimal(str(price))) <= Decimal("0.005")


# --- Decisions


def test_what_is_decided_is_what_act_returns_or_yields(trader):
    bought, cancelled = trader.buy(10, 150), trader.cancel("trader_0/AAPL/0")
    replaced = trader.replace("trader_0/AAPL/0", quantity=5)
    trader.steps = iter([[bought, cancelled], None, (one for one in [replaced]), []])
    assert trader.decide(view()) == (bought, cancelled)
    assert trader.decide(view()) == ()
    assert trader.decide(view()) == (Replace("trader_0/AAPL/0", None, 5),)
    assert trader.decide(view()) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        False,
        [None],
        "buy",
        [("trader_0/AAPL/0",)],
        Cancel("trader_0/AAPL/0"),  # not in a list
        [Order.limit("trader_0/AAPL/0", SYMBOL, "buy", 10, 150)],
        [Cancel("trader_1/AAPL/0")],
        [Cancel("trader_0/MSFT/0")],
        [Cancel(None)],
        [Replace("trader_1/AAPL/0", None, 5)],
        [Submit(Order.limit("mine", SYMBOL, "buy", 10, 150), "honest")],
    ],
)
def test_what_is_no_action_of_its_own_is_refused(trader, wrong):
    trader.steps = iter([wrong])
    with pytest.raises(InvalidInput, match=r"^trader_0\.act: "):
        trader.decide(view())


def test_an_order_that_was_made_and_not_yielded_is_not_lost_in_silence(trader):
    trader.steps = iter([lambda one: None, lambda one: one.buy(10, 150) and None])
    assert trader.decide(view()) == ()
    with pytest.raises(InvalidInput, match=r"^trader_0\.act: None .* by `yield`$"):
        trader.decide(view())


# --- Its account, event by event


def test_what_happens_to_others_changes_nothing():
    trader = Scripted(seat(), [lambda self: [self.buy(5, 140)]])
    other = Scripted(seat("trader_1"), [lambda self: [self.buy(30, 150), self.sell(10, 150)]])
    floor = Floor([trader, other], without_reference="allow")
    floor.act(trader, 1)
    before = dict(trader.orders)
    assert [order.quantity for order in before.values()] == [5]
    floor.act(other, 2)
    other.steps = iter([lambda self: [self.replace(one, 149) for one in self.orders]])
    floor.act(other, 3)
    other.steps = iter([lambda self: [self.cancel(one) for one in self.orders]])
    floor.act(other, 4)
    for event in floor.engine.events[1:]:
        trader.on_event(event)
        assert (trader.position, trader.orders) == (0, before)


@given(st.integers(0, 2**32))
def test_sizes_are_drawn_as_a_die_of_twenty_sides_draws(seed):
    trader, die = Scripted(TraderContext("trader_0", SYMBOL, Random(seed))), Random(seed)
    drawn = [trader.draw_quantity() for _ in range(50)]
    assert drawn == [10 * die.randint(1, 20) for _ in range(50)]


@pytest.mark.parametrize("price", [None, 150.004, Decimal("150.015"), 1e-300])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_order_without_conditions_is_as_its_constructor_makes_it(trader, side, price):
    order = getattr(trader, side)(np.int64(10), price).order
    given = (order.order_id, SYMBOL, side, 10)
    if price is None:
        made = Order.market(*given, "trader_0")
    else:
        made = Order.limit(*given, order.price, "trader_0")
    for item in fields(Order):
        value, expected = getattr(order, item.name), getattr(made, item.name)
        assert (type(value), value) == (type(expected), expected)


# --- Names that every trader has


def test_a_kind_cannot_have_a_parameter_by_a_name_that_every_trader_has():
    with pytest.raises(InvalidInput, match=r"^Fielded\.kind: .*another name"):

        class Fielded(Trader):
            kind: str = "mine"

    with pytest.raises(InvalidInput, match=r"^Made\.orders: .*another name"):

        class Made(Trader):
            def __init__(self, context, *, orders=3):
                super().__init__(context)


def test_the_orders_of_a_trader_are_not_set(trader):
    with pytest.raises(InvalidInput, match=r"^Scripted\.orders: .*another name"):
        trader.orders = {}
