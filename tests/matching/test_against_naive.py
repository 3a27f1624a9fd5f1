"""The engine does, after every operation, what the naive matcher does."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    Cancelled,
    ConsensusBand,
    ConsensusMatchingEngine,
    Expired,
    Instrument,
    MarketState,
    Reduced,
    Reference,
    ReferenceMoved,
    Rejected,
    Replaced,
    Repriced,
    SelfTrade,
    StateChanged,
    Traded,
    Uncrossed,
)

from .calling import Calling, Network, assert_only_refused, ids, limit, market, orders_of, state_of
from .naive import NaiveMatcher

# Around $2.00 the band is 20 cents wide, so that random prices often meet, and often miss.
cents = st.integers(196, 204) | st.integers(185, 215)
order_ids = st.integers(0, 99).map("order-{}".format)
# Which of the resting orders; the last number means one that is not there.
NOBODY = 12
targets = st.integers(0, NOBODY)
sides = st.sampled_from(["buy", "sell"])
quantities = st.integers(1, 6)
traders = st.sampled_from(["", "ann", "ann", "bob"])
lifetimes = st.sampled_from(["day", "day", "gtc", "gtt", "gtt", "ioc", "fok"])
limits = st.fixed_dictionaries(
    {
        "order_id": order_ids,
        "side": sides,
        "quantity": quantities,
        "ticks": cents,
        "trader": traders,
        "lasts": lifetimes,
        "lives": st.integers(0, 30),
        "post_only": st.sampled_from([False, False, False, True]),
    }
)
markets = st.fixed_dictionaries(
    {
        "order_id": order_ids,
        "side": sides,
        "quantity": st.integers(1, 20),
        "trader": traders,
        "lasts": st.sampled_from(["ioc", "fok"]),
    }
)
operations = st.one_of(
    st.tuples(st.just("limit"), limits),
    st.tuples(st.just("limit"), limits),
    st.tuples(st.just("limit"), limits),
    st.tuples(st.just("market"), markets),
    st.tuples(st.just("cancel"), targets),
    st.tuples(st.just("reduce"), targets, st.integers(0, 4)),
    st.tuples(st.just("replace"), targets, st.none() | cents, st.none() | st.integers(0, 8)),
    st.tuples(st.just("move"), st.integers(192, 208)),
    st.tuples(st.just("move"), st.integers(180, 220)),
    st.just(("end day",)),
    st.tuples(st.just("halt"), st.sampled_from([True, False, False, False])),
)
steps = st.tuples(st.sampled_from([0, 0, 1, 3]), operations)
# Most days begin with a reference, without which little happens.
mornings = st.sampled_from([[], *4 * [[(0, ("move", 200))]]])
days = st.tuples(mornings, st.lists(steps, min_size=20, max_size=60)).map(
    lambda parts: parts[0] + parts[1]
)
policies = st.sampled_from(SelfTrade)
ageing = st.sampled_from(
    [{}, {}, {"stale": "widen", "stale_after": 4}, {"stale": "halt", "stale_after": 4}]
)
resting_policies = st.sampled_from(["cancel", "clip", "keep"])
band_rules = st.builds(
    lambda at_entry, resting, age: {"at_entry": at_entry, "resting": resting, **age},
    st.sampled_from(["reject", "clip", "ignore"]),
    resting_policies,
    ageing,
)
day_lengths = st.sampled_from([None, 20])
many_days = settings(max_examples=80, deadline=None)


def as_band(rules):
    """The band of some rules; its durations are microseconds there."""
    if "call" in rules:
        return Calling(**rules)
    after = rules.get("stale_after")
    return ConsensusBand(**{**rules, "stale_after": after and f"{after}us"})


def dollars(ticks):
    return None if ticks is None else Decimal(ticks) / 100


def exact(ticks):
    return None if ticks is None else Fraction(ticks, 100)


def rests(fields):
    return fields["lasts"] not in ("ioc", "fok")


def expiry(fields, time):
    return max(time + fields["lives"] - 1, 1) if fields["lasts"] == "gtt" else None


def since(ticks, time):
    """When the reference became final that the market learns of at a time."""
    return max(time - ticks % 6, 0)


def perform(engine, operation, time):
    match operation:
        case "limit", fields:
            order = limit(
                fields["order_id"],
                fields["side"],
                dollars(fields["ticks"]),
                fields["quantity"],
                fields["trader"],
                time_in_force=fields["lasts"],
                expires=expiry(fields, time),
                post_only=fields["post_only"] and rests(fields),
            )
            return engine.submit(order, time)
        case "market", fields:
            what = (fields[name] for name in ("order_id", "side", "quantity", "trader"))
            return engine.submit(market(*what, time_in_force=fields["lasts"]), time)
        case "cancel", order_id:
            return engine.cancel(order_id, time)
        case "reduce", order_id, shares:
            return engine.reduce(order_id, shares, time)
        case "replace", order_id, ticks, shares:
            return engine.replace(order_id, price=dollars(ticks), quantity=shares, time=time)
        case "move", ticks:
            return engine.set_reference(Reference(dollars(ticks), since(ticks, time)), time)
        case ("end day",):
            return engine.end_day(time)
        case "halt", halted:
            return engine.halt(time) if halted else engine.resume(time)


def command(naive, operation, time):
    match operation:
        case (("limit" | "market" as kind), fields):
            return naive.order(
                fields["order_id"],
                fields["side"],
                fields["quantity"],
                exact(fields["ticks"]) if kind == "limit" else None,
                time=time,
                trader=fields["trader"],
                lasts=fields["lasts"],
                expires=expiry(fields, time),
                post_only=kind == "limit" and fields["post_only"] and rests(fields),
            )
        case "cancel", order_id:
            return naive.cancel(order_id)
        case "reduce", order_id, shares:
            return naive.reduce(order_id, shares)
        case "replace", order_id, ticks, shares:
            return naive.replace(order_id, exact(ticks), shares)
        case "move", ticks:
            return naive.move(exact(ticks), since(ticks, time))
        case ("end day",):
            return naive.end_day()
        case "halt", halted:
            return naive.halt() if halted else naive.resume()


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
        case Reduced(_, _, order_id, reason, quantity, remaining):
            return ("reduced", order_id, str(reason), quantity, remaining)
        case Replaced(_, _, order_id, price, quantity, keeps):
            return ("replaced", order_id, Fraction(price), quantity, keeps)
        case Expired(_, _, order_id, quantity):
            return ("expired", order_id, quantity)
        case ReferenceMoved(_, _, reference):
            return ("moved", Fraction(reference.price))
        case StateChanged(_, _, state):
            return ("state", str(state))
        case BandMoved(_, _, low, high, reference):
            low = None if low is None else Fraction(low)
            return ("band", low, Fraction(high), Fraction(reference.price), reference.kind)
        case Repriced(_, _, order_id, price, quantity):
            return ("clipped", order_id, Fraction(price), quantity)
        case Uncrossed(_, _, price, quantity, surplus):
            return ("uncrossed", None if price is None else Fraction(price), quantity, surplus)


def resting(engine):
    return [(one.order.order_id, Fraction(one.price), one.remaining) for one in orders_of(engine)]


def waiting(naive):
    queues = [*naive.queue("buy"), *naive.queue("sell")]
    return [(w.order_id, w.price, w.quantity) for w in queues]


def assert_not_crossed(engine):
    bid, ask = engine.book.best_bid, engine.book.best_ask
    if engine.market is not MarketState.AUCTION and bid is not None and ask is not None:
        assert bid < ask


def assert_conserved(engine):
    """What was accepted, once, was traded or taken away, once, or is still there."""
    open_shares = {}
    for happened in engine.events:
        match happened:
            case Accepted(order=order):
                assert order.order_id not in open_shares
                open_shares[order.order_id] = order.quantity
            case Traded(trade=trade):
                open_shares[trade.buy_order_id] -= trade.quantity
                open_shares[trade.sell_order_id] -= trade.quantity
                assert open_shares[trade.buy_order_id] == happened.buy_remaining
                assert open_shares[trade.sell_order_id] == happened.sell_remaining
            case Cancelled() | Expired():
                assert open_shares[happened.order_id] == happened.quantity > 0
                open_shares[happened.order_id] = 0
            case Reduced():
                open_shares[happened.order_id] -= happened.quantity
                assert open_shares[happened.order_id] == happened.remaining > 0
            case Repriced():
                assert open_shares[happened.order_id] == happened.quantity
            case Replaced():
                assert open_shares[happened.order_id] > 0
                open_shares[happened.order_id] = happened.quantity
    left = {one.order.order_id: one.remaining for one in orders_of(engine)}
    assert {name: shares for name, shares in open_shares.items() if shares} == left


def assert_depth_agrees(engine):
    depth = engine.book.depth()
    for orders, levels in ((engine.book.bids, depth.bids), (engine.book.asks, depth.asks)):
        assert sum(level.orders for level in levels) == len(orders)
        for level in levels:
            here = [order.remaining for order in orders if order.price == level.price]
            assert (level.quantity, level.orders) == (sum(here), len(here))


def assert_resting_inside(engine):
    if engine.reference is not None:
        price = Fraction(engine.reference.price)
        for order in orders_of(engine):
            assert abs(Fraction(order.price) - price) / price <= Fraction(5, 100)


def at_times(day, engine):
    """Give each operation of a day its instant, and its target among what rests by then."""
    time = 0
    for wait, operation in day:
        time += wait
        if operation[0] in ("cancel", "reduce", "replace"):
            kind, target, *rest = operation
            names = ids(orders_of(engine))
            name = "nobody" if target == NOBODY or not names else names[target % len(names)]
            operation = (kind, name, *rest)
        yield time, operation


def assert_same_throughout(day, engine, naive, check):
    """Compare every event and every state of the book."""
    for time, operation in at_times(day, engine):
        due = engine.advance(time)
        assert [in_words(one) for one in due] == naive.pass_time(time)
        before = state_of(engine)
        happened = perform(engine, operation, time)
        assert [in_words(one) for one in happened] == command(naive, operation, time)
        assert resting(engine) == waiting(naive)
        assert str(engine.market) == naive.state
        if any(isinstance(one, Rejected) for one in happened):
            assert len(happened) == 1
            assert_only_refused(engine, before)
        assert_not_crossed(engine)
        assert_depth_agrees(engine)
        check(engine)
    assert_conserved(engine)
    assert [one.sequence for one in engine.events] == list(range(len(engine.events)))
    assert [trade.trade_id for trade in engine.trades] == list(range(len(engine.trades)))
    times = [one.time for one in engine.events]
    assert times == sorted(times)
    for one in engine.events:
        event(" ".join((type(one).__name__, str(getattr(one, "reason", "")))))


@pytest.mark.parametrize("without_reference", ["reject", "allow"])
@given(day=days, policy=policies, day_length=day_lengths, lot=st.sampled_from([1, 1, 1, 2]))
@many_days
def test_same_events_and_same_book_after_every_operation(
    without_reference, day, policy, day_length, lot
):
    instrument = Instrument("AAPL", day=day_length, lot=lot)
    rules = {"without_reference": without_reference, "self_trade": policy}
    engine = ConsensusMatchingEngine(instrument, **rules)
    naive = NaiveMatcher(**rules, day=day_length, lot=lot)
    assert_same_throughout(day, engine, naive, assert_resting_inside)


@pytest.mark.parametrize("without_reference", ["reject", "allow"])
@given(day=days, policy=policies, rules=band_rules)
@settings(many_days, max_examples=100)
def test_same_events_under_any_policies_of_the_band(without_reference, day, policy, rules):
    common = {"without_reference": without_reference, "self_trade": policy}
    engine = ConsensusMatchingEngine("AAPL", band=as_band(rules), **common)
    naive = NaiveMatcher(**common, **rules)
    assert_same_throughout(day, engine, naive, lambda engine: None)


@given(
    day=days,
    policy=policies,
    call=st.sampled_from([1, 5, 20]),
    rest=resting_policies,
    collar=st.sampled_from([None, 1, 3]),
)
@settings(many_days, max_examples=100)
def test_same_events_where_a_breach_begins_a_call_auction(day, policy, call, rest, collar):
    band = Calling(call, rest, collar)
    engine = ConsensusMatchingEngine("AAPL", band=band, self_trade=policy)
    rules = {"at_entry": "ignore", "resting": rest, "call": call, "collar": collar}
    naive = NaiveMatcher(self_trade=policy, **rules)
    assert_same_throughout(day, engine, naive, lambda engine: None)


@given(
    policy=policies,
    offers=st.lists(st.tuples(st.integers(198, 202), quantities, traders), max_size=6),
    price=st.none() | st.integers(199, 203),
    quantity=st.integers(1, 12),
)
@many_days
def test_fill_or_kill_is_whole_or_nothing_on_any_queue(policy, offers, price, quantity):
    rules = {"without_reference": "allow", "self_trade": policy}
    engine, naive = ConsensusMatchingEngine("AAPL", **rules), NaiveMatcher(**rules)
    fok = {"order_id": "f", "side": "buy", "quantity": quantity, "trader": "ann", "lasts": "fok"}
    day = [
        (
            "limit",
            {**fok, "side": "sell", "lasts": "gtc", "post_only": False}
            | {"order_id": f"s{number}", "ticks": at, "quantity": shares, "trader": trader},
        )
        for number, (at, shares, trader) in enumerate(offers)
    ]
    last = (
        ("market", fok) if price is None else ("limit", {**fok, "ticks": price, "post_only": False})
    )
    for operation in (*day, last):
        happened = [in_words(one) for one in perform(engine, operation, 0)]
        assert happened == command(naive, operation, 0)
        assert resting(engine) == waiting(naive)
    event(happened[-1][0])


ANSWERS = {
    "limit": Accepted,
    "market": Accepted,
    "cancel": Cancelled,
    "reduce": (Reduced, Cancelled),
    "replace": Replaced,
}


@given(day=days)
@many_days
def test_asking_a_network_gives_what_pushing_gives_at_the_next_command(day):
    network = Network()
    asking, pushed = ConsensusMatchingEngine("AAPL", network), ConsensusMatchingEngine("AAPL")
    for time, operation in at_times(day, pushed):
        if operation[0] == "move":
            network.latest = Reference(dollars(operation[1]), since(operation[1], time))
        if operation[0] not in ANSWERS:
            continue
        moved = pushed.advance(time)
        if network.latest is not None and network.latest != pushed.reference:
            moved += pushed.set_reference(network.latest, time)
        assert perform(asking, operation, time) == moved + perform(pushed, operation, time)
        assert resting(asking) == resting(pushed)
