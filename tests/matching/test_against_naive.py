"""The engine does, after every operation, what the naive matcher does."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    ConsensusMatchingEngine,
    Order,
    Reference,
    Rejected,
    Side,
    Traded,
)

from .naive import NaiveMatcher

# Around $2.00 the band is 20 cents wide, so that random prices often meet, and often miss.
cents = st.integers(185, 215)
order_ids = st.integers(0, 40).map("order-{}".format)
sides = st.sampled_from(["buy", "sell"])
quantities = st.integers(1, 6)
operations = st.one_of(
    st.tuples(st.just("limit"), order_ids, sides, quantities, cents),
    st.tuples(st.just("limit"), order_ids, sides, quantities, cents),
    st.tuples(st.just("market"), order_ids, sides, st.integers(1, 20)),
    st.tuples(st.just("cancel"), order_ids),
    st.tuples(st.just("move"), st.integers(192, 208)),
)
days = st.lists(operations, max_size=50)
many_days = settings(max_examples=300, deadline=None)


def dollars(ticks):
    return Decimal(ticks) / 100


def perform(engine, operation, time):
    match operation:
        case "limit", order_id, side, quantity, ticks:
            return engine.submit(Order.limit(order_id, "X", side, quantity, dollars(ticks)), time)
        case "market", order_id, side, quantity:
            return engine.submit(Order.market(order_id, "X", side, quantity), time)
        case "cancel", order_id:
            return engine.cancel(order_id, time)
        case "move", ticks:
            return engine.set_reference(Reference(dollars(ticks), time), time)


def perform_naively(naive, operation):
    match operation:
        case "limit", order_id, side, quantity, ticks:
            return naive.order(order_id, side, quantity, Fraction(ticks, 100))
        case "market", order_id, side, quantity:
            return naive.order(order_id, side, quantity, None)
        case "cancel", order_id:
            return naive.cancel(order_id)
        case "move", ticks:
            return naive.move(Fraction(ticks, 100))


def in_words(happened):
    match happened:
        case Accepted():
            return ("accepted", happened.order_id)
        case Rejected():
            return ("rejected", happened.order_id, str(happened.reason))
        case Cancelled():
            return ("cancelled", happened.order_id, str(happened.reason), happened.quantity)
        case Traded(trade=trade):
            price = Fraction(trade.price)
            buyer, seller = trade.buy_order_id, trade.sell_order_id
            return ("traded", buyer, seller, price, trade.quantity, str(trade.aggressor))


def resting(engine):
    return [
        [
            (order.order.order_id, order.order.price, order.remaining)
            for order in engine.book.side(side)
        ]
        for side in Side
    ]


def waiting(naive):
    return [
        [(w.order_id, w.price, w.quantity) for w in naive.queue(side)] for side in ("buy", "sell")
    ]


def assert_not_crossed(engine):
    book = engine.book
    if book.best_bid is not None and book.best_ask is not None:
        assert book.best_bid < book.best_ask


def assert_conserved(engine):
    accepted = traded = cancelled = 0
    for happened in engine.events:
        match happened:
            case Accepted(order=order):
                accepted += order.quantity
            case Traded(trade=trade):
                traded += trade.quantity
            case Cancelled(quantity=quantity):
                cancelled += quantity
    left = sum(order.remaining for side in Side for order in engine.book.side(side))
    assert accepted == 2 * traded + cancelled + left


def assert_depth_agrees(engine):
    depth = engine.book.depth()
    for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
        orders = list(engine.book.side(side))
        assert sum(level.orders for level in levels) == len(orders)
        for level in levels:
            here = [order.remaining for order in orders if order.order.price == level.price]
            assert (level.quantity, level.orders) == (sum(here), len(here))


def assert_resting_inside(engine):
    if engine.reference is not None:
        price = Fraction(engine.reference.price)
        for side in Side:
            for order in engine.book.side(side):
                assert abs(Fraction(order.order.price) - price) / price <= Fraction(5, 100)


@pytest.mark.parametrize("without_reference", ["reject", "allow"])
@given(day=days)
@many_days
def test_same_events_and_same_book_after_every_operation(without_reference, day):
    engine = ConsensusMatchingEngine("X", without_reference=without_reference)
    naive = NaiveMatcher(without_reference=without_reference)
    for time, operation in enumerate(day):
        before = resting(engine)
        happened = perform(engine, operation, time)
        assert [in_words(one) for one in happened] == perform_naively(naive, operation)
        assert resting(engine) == waiting(naive)
        assert {one.time for one in happened} <= {time}
        if any(isinstance(one, Rejected) for one in happened):
            assert len(happened) == 1
            assert resting(engine) == before
        assert_not_crossed(engine)
        assert_resting_inside(engine)
        assert_depth_agrees(engine)
        assert_conserved(engine)
    assert [one.sequence for one in engine.events] == list(range(len(engine.events)))
    assert [trade.trade_id for trade in engine.trades] == list(range(len(engine.trades)))
    for kind in {type(one).__name__ for one in engine.events}:
        event(kind)


@given(
    bids=st.lists(st.integers(170, 199), max_size=6),
    asks=st.lists(st.integers(201, 230), max_size=6),
    day=days.map(lambda day: [operation for operation in day if operation[0] != "move"]),
)
@many_days
def test_same_events_when_orders_already_rest_outside_the_band(bids, asks, day):
    engine, naive = ConsensusMatchingEngine("X"), NaiveMatcher()
    move = ("move", 200)
    assert [in_words(one) for one in perform(engine, move, 0)] == perform_naively(naive, move)
    for side, prices in (("buy", bids), ("sell", asks)):
        for number, ticks in enumerate(prices):
            order = Order.limit(f"{side}-{number}", "X", side, 3, dollars(ticks))
            engine.book.add(order, 3)
            naive.rest(order.order_id, side, Fraction(ticks, 100), 3)
    for time, operation in enumerate(day):
        happened = [in_words(one) for one in perform(engine, operation, time)]
        assert happened == perform_naively(naive, operation)
        assert resting(engine) == waiting(naive)
        assert_not_crossed(engine)


@given(day=days)
@many_days
def test_each_command_has_one_answer_and_each_accepted_order_ends_at_most_once(day):
    engine = ConsensusMatchingEngine("X", without_reference="allow")
    ended = set()
    for time, operation in enumerate(day):
        happened = perform(engine, operation, time)
        if operation[0] in ("limit", "market"):
            assert isinstance(happened[0], Accepted | Rejected)
            assert not any(isinstance(one, Accepted | Rejected) for one in happened[1:])
        elif operation[0] == "cancel":
            assert len(happened) == 1
            assert isinstance(happened[0], Cancelled | Rejected)
        for one in happened:
            ends = []
            if isinstance(one, Cancelled):
                ends = [one.order_id]
            elif isinstance(one, Traded):
                left = {
                    one.trade.buy_order_id: one.buy_remaining,
                    one.trade.sell_order_id: one.sell_remaining,
                }
                ends = [order_id for order_id, shares in left.items() if not shares]
            assert ended.isdisjoint(ends)
            ended.update(ends)
    accepted = {one.order_id for one in engine.events if isinstance(one, Accepted)}
    still_there = {order.order.order_id for side in Side for order in engine.book.side(side)}
    assert accepted == ended | still_there
    assert ended.isdisjoint(still_there)


class Network:
    """Finalizes what it is told to."""

    def __init__(self):
        self.latest = None

    def reference(self):
        return self.latest


@given(day=days)
@many_days
def test_asking_a_network_gives_what_pushing_gives_at_the_next_command(day):
    network = Network()
    asking, pushed = ConsensusMatchingEngine("X", network), ConsensusMatchingEngine("X")
    for time, operation in enumerate(day):
        if operation[0] == "move":
            network.latest = Reference(dollars(operation[1]), time)
            continue
        moved = []
        if network.latest is not None and network.latest != pushed.reference:
            moved = pushed.set_reference(network.latest, time)
        assert perform(asking, operation, time) == moved + perform(pushed, operation, time)
        assert resting(asking) == resting(pushed)
