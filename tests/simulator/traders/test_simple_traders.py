"""The simple kinds: what they make of what they see, and that their acts come whatever they see."""

import statistics
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import MarketState, Order, OrderType, Side, TimeInForce, Traded
from streamlet_lab.matching.events import Accepted
from streamlet_lab.matching.orders import Trade
from streamlet_lab.simulator.traders import Cancel, MarketView, Submit, make_traders
from streamlet_lab.simulator.traders.simple_traders import (
    FatFinger,
    Informed,
    Manipulator,
    Momentum,
    NoiseTrader,
)

from .floor import SECOND, SYMBOL, TRUE_PRICE, Floor, Traders, seat, view


def send(kind, count, true_price=TRUE_PRICE, **parameters):
    one = kind(seat(), **parameters)
    return [one.decide(view(true_price))[0] for _ in range(count)]


def distance(submit, true_price=TRUE_PRICE):
    return float(submit.order.price) / true_price - 1


# --- Noise traders


def test_each_act_is_one_honest_order():
    one = NoiseTrader(seat())
    assert [len(one.decide(view())) for _ in range(50)] == [1] * 50
    assert {submit.intent for submit in send(NoiseTrader, 50)} == {"honest"}


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_share_of_market_orders(share):
    sent = send(NoiseTrader, 8_000, market_order_share=share)
    found = statistics.fmean(one.order.order_type is OrderType.MARKET for one in sent)
    # Four standard errors at a share of 0.2.
    assert found == pytest.approx(share, abs=0.018 if 0 < share < 1 else 0)


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_limit_prices_are_normal_around_the_true_price(spread):
    sent = send(NoiseTrader, 8_000, spread_percent=spread, market_order_share=0)
    distances = [distance(one) for one in sent]
    sd = spread / 100
    # Four standard errors of the mean; five of the standard deviation.
    assert statistics.fmean(distances) == pytest.approx(0, abs=0.045 * sd)
    assert statistics.pstdev(distances) == pytest.approx(sd, rel=0.04)
    within = statistics.fmean(abs(one) < sd for one in distances)
    assert within == pytest.approx(0.6827, abs=0.021)


@pytest.mark.parametrize("kind", [NoiseTrader, FatFinger])
def test_sides_are_as_likely_and_prices_do_not_depend_on_them(kind):
    parameters = {"market_order_share": 0} if kind is NoiseTrader else {}
    sent = send(kind, 4_000, **parameters)
    assert statistics.fmean(one.order.side is Side.BUY for one in sent) == pytest.approx(
        0.5, abs=0.032
    )
    for side in Side:
        above = [distance(one) > 0 for one in sent if one.order.side is side]
        assert statistics.fmean(above) == pytest.approx(0.5, abs=0.045)


@pytest.mark.parametrize("kind", [NoiseTrader, FatFinger])
def test_quantities(kind):
    drawn = [one.order.quantity for one in send(kind, 4_000)]
    assert {*drawn} == {*range(10, 201, 10)}
    assert statistics.fmean(drawn) == pytest.approx(105, abs=4)  # four standard errors
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


@pytest.mark.parametrize("kind", [NoiseTrader, FatFinger])
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


# --- Informed


def exact(**parameters):
    """One who sees the true price as it is, and wants one percent."""
    return Informed(seat(), noise_percent=0, edge_percent=1, **parameters)


@pytest.mark.parametrize(
    ("fields", "side"), [({"best_ask": 148.49}, Side.BUY), ({"best_bid": 151.51}, Side.SELL)]
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


def price_errors(informed, seeds=range(6)):
    """How far the last price is from a true one that has risen by 2 %, after five minutes."""
    errors = []
    for seed in seeds:
        configs = [
            Traders("market_maker", parameters={"reference_weight": 0}),
            Traders("noise_trader", 4, parameters={"market_order_share": 1}),
            *([Traders("informed", informed, rate=0.5)] if informed else []),
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


# --- Manipulators

UP = {"reference": 103.0, "best_bid": 102.0, "best_ask": 104.0}
DOWN = {"reference": 97.0, "best_bid": 96.0, "best_ask": 98.0}


def manipulate(**fields):
    one = Manipulator(seat(), threshold_percent=2, edge_percent=1, size=30)
    return one.decide(view(100.0, **fields))


@pytest.mark.parametrize(
    ("fields", "side", "price"), [(UP, Side.SELL, "101.00"), (DOWN, Side.BUY, "99.00")]
)
def test_it_trades_with_who_quotes_around_a_displaced_reference(fields, side, price):
    (submit,) = manipulate(**fields)
    order = submit.order
    assert (order.order_type, order.side, order.price) == (OrderType.LIMIT, side, Decimal(price))
    assert order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert order.quantity == 30
    assert submit.intent == "manipulating"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"best_bid": 102.0, "best_ask": 104.0},
        UP | {"reference": 102.0},  # not displaced by more than the threshold
        DOWN | {"reference": 98.0},
        UP | {"reference": 100.0},
        UP | {"best_bid": 101.0},  # no gain above the edge
        DOWN | {"best_ask": 99.0},
        UP | {"state": MarketState.HALTED},
        DOWN | {"state": MarketState.HALTED},
        UP | {"best_bid": None},
        DOWN | {"best_ask": None},
        UP | {"best_bid": 96.0, "best_ask": 98.0},  # quotes on the other side of the truth
        DOWN | {"best_bid": 102.0, "best_ask": 104.0},
    ],
)
def test_otherwise_it_waits(fields):
    assert manipulate(**fields) == ()


def play(displacement, seed):
    """A manipulator, a maker who believes in the reference, and a random flow between them."""
    configs = [
        Traders("manipulator"),
        Traders("market_maker", rate=2.0, parameters={"reference_weight": 1}),
        Traders("noise_trader", 5, parameters={"spread_percent": 0.5}),
    ]
    traders = make_traders(configs, [SYMBOL], seed)
    floor = Floor(traders, lambda time: 150.0)
    floor.set_reference(150.0 * (1 + displacement), 0)
    floor.run(300 * SECOND)
    one = traders[0]
    return floor, one, floor.cash(one) + 150.0 * one.position


@pytest.mark.parametrize("displacement", [0.03, -0.03])
def test_it_gains_where_a_maker_quotes_around_a_displaced_reference(displacement):
    for seed in range(3):
        floor, one, gain = play(displacement, seed)
        assert one.position * displacement < 0
        # Each share is worth more than the edge of 0.1 %; what the maker pays lies near 3 %.
        per_share = gain / abs(one.position) / 150
        assert 0.001 <= per_share <= 0.031
        assert one.orders == {}
        assert abs(one.position) >= 1_000
        assert floor.engine.trades


# --- Momentum


def sides(last_prices, **parameters):
    """What one does at each of its acts."""
    one = Momentum(seat(), **parameters)
    done = [one.decide(view(last_price=price)) for price in last_prices]
    assert all(len(actions) <= 1 for actions in done)
    return [str(actions[0].order.side) if actions else None for actions in done]


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([100, 100, 101.1], [None, None, "buy"]),
        ([100, 100, 98.9], [None, None, "sell"]),
        ([100, 100, 100.9], [None] * 3),
        ([100, 100, 99.1], [None] * 3),
        ([100, 101.1], [None, None]),  # it has not seen enough yet
        ([100, 100, 101.1, 101.1, 101.1], [None, None, "buy", "buy", None]),
        ([100, 105, 100], [None, None, None]),
        ([None, None, 100, None, 101.1, 101.1], [None, None, None, None, None, "buy"]),
    ],
)
def test_it_follows_what_moved_since_a_number_of_acts_ago(prices, expected):
    assert sides(prices, lookback=2, threshold_percent=1) == expected


def test_in_a_halt_it_looks_on():
    one = Momentum(seat(), lookback=1, threshold_percent=0)
    halted = [
        one.decide(view(last_price=price, state=MarketState.HALTED)) for price in (100.0, 101.0)
    ]
    assert halted == [(), ()]
    assert len(one.decide(view(last_price=102.0))) == 1


@pytest.mark.parametrize(
    ("kind", "parameters", "seen"),
    [
        (Informed, {}, [{"best_ask": 100.0}] * 30),
        (Manipulator, {}, [UP] * 30),
        (Momentum, {"lookback": 1}, [{"last_price": 100.0 + n} for n in range(30)]),
    ],
)
def test_the_instants_of_its_acts_do_not_depend_on_what_it_sees(kind, parameters, seen):
    here, there = (kind(seat(), **parameters) for _ in range(2))
    sent = []
    for fields in seen:
        here.decide(view(100.0))
        sent += there.decide(view(100.0, **fields))
        assert here.wait() == there.wait()
    assert sent
