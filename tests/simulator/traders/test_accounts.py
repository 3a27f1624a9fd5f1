"""What traders believe of their positions and orders is what the engine's book and tape say."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import (
    Cancelled,
    Expired,
    Instrument,
    MarketState,
    Reduced,
    Rejected,
    Replaced,
    Repriced,
    SelfTrade,
    StateChanged,
    Uncrossed,
    make_band,
)
from streamlet_lab.matching.watch import bands
from streamlet_lab.simulator.traders import Trader, make_traders

from .floor import SECOND, SYMBOL, Floor, Traders


class Restless(Trader):
    """Does all that can be done to an order, at random and without sense."""

    def act(self, view):
        draw = self.random
        price = view.true_price * (1 + draw.gauss(0, 0.01))
        known = [*self.orders, f"{self.name}/{self.symbol}/0"]
        what = draw.randrange(7)
        send = draw.choice([self.buy, self.sell])
        if what == 0:
            yield self.cancel(draw.choice(known))
        elif what == 1:
            yield self.replace(draw.choice(known), price)
        elif what == 2:
            yield self.replace(draw.choice(known), quantity=draw.randint(1, 100))
        elif what == 3:
            expires = view.time + draw.randint(1, 20 * SECOND)
            yield send(50, price, time_in_force="gtt", expires=expires)
        elif what == 4:
            yield send(50, price, time_in_force=draw.choice(["ioc", "fok"]))
        elif what == 5:
            yield send(50, price, post_only=True)
        else:
            # Both of these may be its own.
            yield send(70, price)
            yield draw.choice([self.buy, self.sell])(50, price)


KINDS = (
    "noise_trader",
    "informed",
    "market_maker",
    "momentum",
    "fat_finger",
    "manipulator",
    Restless,
)


class Audit:
    """What the book and the tape say, read again only where they are new."""

    def __init__(self, floor):
        self.floor = floor
        self.positions = dict.fromkeys(floor.traders, 0)
        self.read = 0

    def check(self):
        engine = self.floor.engine
        for trade in engine.trades[self.read :]:
            self.positions[owner(trade.buy_order_id)] += trade.quantity
            self.positions[owner(trade.sell_order_id)] -= trade.quantity
        self.read = len(engine.trades)
        books = {name: {} for name in self.floor.traders}
        for resting in (*engine.book.bids, *engine.book.asks):
            order = resting.order
            state = (order.side, resting.price, resting.remaining)
            books[owner(order.order_id)][order.order_id] = state
        for name, one in self.floor.traders.items():
            believed = {
                order_id: (order.side, order.price, order.quantity)
                for order_id, order in one.orders.items()
            }
            assert believed == books[name]
            assert one.position == self.positions[name]


def owner(order_id):
    return order_id.rpartition("/")[0]


def crowd(counts, seed):
    """So many traders of each kind."""
    configs = [Traders(kind, count) for kind, count in zip(KINDS, counts, strict=True) if count]
    return make_traders(configs, [SYMBOL], seed)


def play(counts, seed, policy, references, *, day=None, until=25):
    floor = Floor(
        crowd(counts, seed),
        lambda time: 150.0 + 0.05 * time / SECOND,
        instrument=Instrument(SYMBOL, day=day),
        self_trade=policy,
        without_reference="allow",
    )
    audit = Audit(floor)
    for step, reference in enumerate([*references, None], 1):
        floor.run(step * until * SECOND // (len(references) + 1), audit.check)
        if reference is not None:
            floor.set_reference(reference)
        audit.check()
    floor.tell(floor.engine.end_day())
    audit.check()
    return floor


@settings(max_examples=60)
@given(
    counts=st.tuples(*[st.integers(0, 2)] * len(KINDS)),
    seed=st.integers(0, 1_000),
    policy=st.sampled_from(SelfTrade),
    references=st.lists(st.integers(138, 165), max_size=4),
    day=st.sampled_from([None, 7 * SECOND]),
)
def test_after_every_act_accounts_are_true(counts, seed, policy, references, day):
    floor = play(counts, seed, policy, references, day=day)  # audited after each
    assert sum(one.position for one in floor.traders.values()) == 0


@pytest.mark.parametrize("policy", [SelfTrade.NONE, SelfTrade.DECREMENT])
def test_accounts_are_true_after_all_that_can_happen(policy):
    floor = play((3, 2, 2, 2, 1, 1, 4), 7, policy, [150, 165, 152], day=7 * SECOND, until=60)
    kinds = {type(event) for event in floor.engine.events}
    assert {Cancelled, Expired, Rejected, Replaced} <= kinds
    assert (Reduced in kinds) is (policy is SelfTrade.DECREMENT)
    positions = [one.position for one in floor.traders.values()]
    assert sum(positions) == 0
    assert any(positions)


# --- Under every band: clipped orders, auctions, pauses and halts too

#: What must have happened, so that the test is one of these events.
MUST_SEE = {"clip": Repriced, "luld": Uncrossed, "volatility_auction": Uncrossed}

SHORT = {
    "luld": {"window": "20s", "hold": "2s", "limit": "1s", "pause": "5s"},
    "volatility_auction": {"dynamic_percent": 1, "call": "5s"},
}


@pytest.mark.parametrize("name", bands())
def test_accounts_are_true_under_every_band(name):
    floor = Floor(
        crowd((4, 2, 2, 2, 2, 1, 3), seed=3),
        lambda time: 150.0 + 0.1 * time / SECOND,
        band=make_band(name, 2, SHORT.get(name, {})),
    )
    audit = Audit(floor)
    for step, reference in enumerate((150, 153, 150, 158, 160, 150)):
        floor.set_reference(reference, step * 10 * SECOND)
        audit.check()
        floor.run((step + 1) * 10 * SECOND, audit.check)
        audit.check()
    kinds = Counter(type(event) for event in floor.engine.events)
    if name in MUST_SEE:
        assert kinds[MUST_SEE[name]] > 0
    if MUST_SEE.get(name) is Uncrossed:
        states = {one.state for one in floor.engine.events if isinstance(one, StateChanged)}
        assert MarketState.AUCTION in states
    assert sum(one.position for one in floor.traders.values()) == 0
