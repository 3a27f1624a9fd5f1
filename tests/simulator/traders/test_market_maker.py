"""The market maker: its quotes, and what its inventory does to them."""

import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.matching import Order, Side, Traded
from streamlet_lab.simulator.traders import Cancel, Submit, make_traders
from streamlet_lab.simulator.traders.market_maker import MarketMaker

from .floor import SECOND, SYMBOL, Floor, Traders, seat, view


def maker(position=0, **parameters):
    settings = {"half_spread_percent": 1, "size": 100, "inventory_limit": 1_000, **parameters}
    one = MarketMaker(seat(), **settings)
    one.position = position
    return one


def quotes(one, **fields):
    sent = [action.order for action in one.decide(view(**fields)) if isinstance(action, Submit)]
    return {order.side: order.price for order in sent}


# --- Around what


@pytest.mark.parametrize(
    ("fields", "fair"),
    [
        ({"reference": 100.0}, 100),
        ({"last_price": 100.0}, 100),
        ({"reference": 100.0, "last_price": 200.0}, 175),
    ],
)
def test_fair_is_between_the_reference_and_the_last_trade(fields, fair):
    found = quotes(maker(reference_weight=0.25), **fields)
    assert found[Side.BUY] == Decimal(fair) * Decimal("0.99")
    assert found[Side.SELL] == Decimal(fair) * Decimal("1.01")


def test_without_a_price_it_does_not_quote():
    assert maker().decide(view(best_bid=149.0, best_ask=151.0)) == ()


def test_its_quotes_wait_for_others_and_are_not_post_only():
    actions = maker(size=70).decide(view(reference=100.0))
    assert {action.order.quantity for action in actions} == {70}
    assert all(action.order.time_in_force.rests for action in actions)
    assert not any(action.order.post_only for action in actions)
    assert {action.intent for action in actions} == {"honest"}


# --- Its inventory


def test_quotes_shift_against_the_position_in_a_straight_line():
    mids = []
    for position in (-800, -400, 0, 400, 800):
        found = quotes(maker(position, skew_percent=2), reference=100.0)
        mids.append((found[Side.BUY] + found[Side.SELL]) / 2)
    # 2 % at the limit of 1,000 shares.
    expected = [Decimal(one) for one in ("101.6", "100.8", "100", "99.2", "98.4")]
    assert [round(one, 1) for one in mids] == expected


@pytest.mark.parametrize(
    ("position", "sides"),
    [
        (900, {Side.BUY, Side.SELL}),
        (901, {Side.SELL}),
        (1_000, {Side.SELL}),
        (-900, {Side.BUY, Side.SELL}),
        (-901, {Side.BUY}),
        (-1_000, {Side.BUY}),
    ],
)
def test_the_side_that_would_exceed_the_limit_is_not_quoted(position, sides):
    assert quotes(maker(position), reference=100.0).keys() == sides


def test_a_side_that_is_not_quoted_any_more_is_cancelled():
    one = maker()
    floor = Floor([one])
    floor.set_reference(100.0, 0)
    floor.act(one, 1)
    (bid,) = (order_id for order_id, order in one.orders.items() if order.side is Side.BUY)
    one.position = 1_000
    assert Cancel(bid) in one.decide(floor.view(2))


@pytest.fixture(scope="module")
def random_flow():
    """A maker's position after each act of anybody, in runs by its skew."""

    def positions(skew_percent, seed):
        parameters = {"skew_percent": skew_percent, "inventory_limit": 1_500}
        configs = [
            Traders("market_maker", rate=2.0, parameters=parameters),
            Traders("noise_trader", 5, parameters={"spread_percent": 0.3}),
        ]
        traders = make_traders(configs, [SYMBOL], seed)
        floor = Floor(traders)
        floor.set_reference(150.0, 0)
        seen = []
        floor.run(400 * SECOND, lambda: seen.append(traders[0].position))
        return seen

    return {skew: [positions(skew, seed) for seed in range(4)] for skew in (0.0, 0.5)}


def test_the_position_never_passes_the_limit(random_flow):
    for runs in random_flow.values():
        for seen in runs:
            assert max(map(abs, seen)) <= 1_500
    # And it comes close without a skew, so that the limit is what holds it.
    assert max(abs(one) for seen in random_flow[0.0] for one in seen) > 1_300


def test_the_skew_brings_the_inventory_back(random_flow):
    for plain, skewed in zip(random_flow[0.0], random_flow[0.5], strict=True):
        assert statistics.pstdev(skewed) < 0.5 * statistics.pstdev(plain)


def test_it_gains_the_spread_from_a_random_flow():
    configs = [
        Traders("market_maker", rate=2.0),
        Traders("noise_trader", 5, parameters={"market_order_share": 1}),
    ]
    for seed in range(4):
        traders = make_traders(configs, [SYMBOL], seed)
        floor = Floor(traders)
        floor.set_reference(150.0, 0)
        floor.run(300 * SECOND)
        one = traders[0]
        assert len(floor.engine.trades) > 300
        assert floor.cash(one) + 150.0 * one.position > 0


# --- Its orders


def test_quotes_that_are_still_right_stay_in_their_place():
    one = maker()
    floor = Floor([one])
    floor.set_reference(100.0, 0)
    floor.act(one, 1)
    before = dict(one.orders)
    assert len(before) == 2
    assert one.decide(floor.view(2)) == ()
    assert one.orders == before


@given(
    data=st.data(), half_spread=st.floats(0.001, 50), skew=st.floats(0, 50), weight=st.floats(0, 1)
)
def test_quotes_never_cross_and_at_most_one_rests_on_a_side(data, half_spread, skew, weight):
    one = MarketMaker(
        seat(),
        half_spread_percent=half_spread,
        skew_percent=skew,
        reference_weight=weight,
        size=100,
        inventory_limit=350,
    )
    floor = Floor([one], without_reference="allow")
    prices = st.none() | st.floats(0.001, 0.1) | st.floats(1, 500) | st.just(1e12)
    for time in range(1, 12):
        fields = {"reference": data.draw(prices), "last_price": data.draw(prices)}
        for action in one.decide(view(**fields)):
            if isinstance(action, Cancel):
                floor.tell(floor.engine.cancel(action.order_id, time))
            else:
                floor.tell(floor.engine.submit(action.order, time))
        sides = {order.side: order.price for order in one.orders.values()}
        assert len(sides) == len(one.orders)
        assert len(sides) < 2 or sides[Side.BUY] < sides[Side.SELL]
        if data.draw(st.booleans()):
            side = data.draw(st.sampled_from(Side))
            order = Order.market(f"other/{time}", SYMBOL, side, data.draw(st.integers(1, 150)))
            floor.tell(floor.engine.submit(order, time))
        assert abs(one.position) <= 350
    # It never trades with itself.
    for event in floor.engine.events:
        if isinstance(event, Traded):
            ids = event.trade.buy_order_id, event.trade.sell_order_id
            assert sum(one.startswith("other/") for one in ids) == 1
