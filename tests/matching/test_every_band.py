"""What holds under every band, whatever it does."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    ConsensusMatchingEngine,
    Instrument,
    LuldBand,
    MarketState,
    Reference,
    ReferenceMoved,
    Rejected,
    Replaced,
    Side,
    StateChanged,
    Traded,
    Uncrossed,
    bands,
    make_band,
    replay,
)

from .calling import Calling, assert_only_refused, limit, state_of
from .test_against_naive import (
    ANSWERS,
    as_band,
    assert_conserved,
    assert_depth_agrees,
    assert_not_crossed,
    at_times,
    band_rules,
    day_lengths,
    days,
    perform,
    policies,
)

# What takes five minutes of market time takes ten microseconds of the engine's.
PACE = Fraction(1, 30_000_000)
BANDS = {
    **{name: st.just(make_band(name)) for name in bands()},
    "widening": st.just(make_band("consensus", 5, {"stale": "widen", "stale_after": "3min"})),
    "pausing": st.just(make_band("clip", 5, {"stale": "halt", "stale_after": "3min"})),
    "any policies": band_rules.map(as_band),
    "quick luld": st.just(make_band("luld", 1, {"limit": "10s", "pause": "2min", "round_lot": 2})),
    "narrow ranges": st.just(make_band("volatility_auction", 3, {"dynamic_percent": 1})),
    "calling": st.builds(
        Calling, st.integers(3, 9), st.sampled_from(["clip", "keep"]), st.sampled_from([None, 1])
    ),
}


def pace_of(name):
    """The durations of the policies are microseconds of the engine already."""
    return 1 if name == "any policies" else PACE


some_days = settings(max_examples=20, deadline=None)


def assert_trades_are_inside(engine):
    """No trade is outside the limits of its orders, nor, but in auctions, of the band."""
    edges, in_auction, named = (None, None), False, {}
    for one in engine.events:
        match one:
            case Accepted(order=order):
                named[order.order_id] = order.price
            case Replaced():
                named[one.order_id] = one.price
            case BandMoved():
                edges = one.low, one.high
            case Uncrossed():
                in_auction = True
            case StateChanged():
                in_auction = False
            case Traded(trade=trade):
                low, high = (None, None) if in_auction else edges
                for bound in (low, named[trade.sell_order_id]):
                    assert bound is None or bound <= trade.price
                for bound in (high, named[trade.buy_order_id]):
                    assert bound is None or trade.price <= bound


def assert_quotes_are_inside(engine):
    """Where a band moves aggressive prices, none rests beyond its edge, but in auctions."""
    is_auction = engine.market is MarketState.AUCTION
    if isinstance(engine.settings.band, LuldBand) and not is_auction:
        (low, high), bid, ask = engine.band_limits, engine.book.best_bid, engine.book.best_ask
        assert None in (bid, high) or bid <= high
        assert None in (ask, low) or ask >= low


def assert_states_follow(engine):
    """An auction ends with its outcome, and nothing else has one."""
    state, outcome = MarketState.OPEN, False
    for one in engine.events:
        if isinstance(one, Uncrossed):
            assert state is MarketState.AUCTION
            outcome = True
        elif isinstance(one, StateChanged):
            assert one.state is not state
            assert outcome == (state is MarketState.AUCTION)
            state, outcome = one.state, False
    assert state is engine.market


def assert_references_are_prices(engine):
    """What a band goes by is a consensus, an auction's price, or a mean of trades that count."""
    consensus, cleared, traded = set(), None, []
    least = getattr(engine.settings.band, "round_lot", 1)
    for one in engine.events:
        match one:
            case ReferenceMoved(reference=reference):
                consensus.add(reference.price)
            case Uncrossed(price=price):
                cleared = price
            case Traded(trade=trade) if trade.quantity >= least:
                traded.append(trade.price)
            case BandMoved(reference=reference):
                match reference.kind:
                    case "consensus":
                        assert reference.price in consensus
                    case "auction":
                        assert reference.price == cleared
                    case "trades":
                        assert min(traded) <= reference.price <= max(traded)


@pytest.mark.parametrize("name", BANDS)
@given(
    data=st.data(),
    past=days,
    future=days,
    policy=policies,
    day_length=day_lengths,
    without_reference=st.sampled_from(["reject", "allow"]),
)
@some_days
def test_every_band(name, data, past, future, policy, day_length, without_reference):
    engine = ConsensusMatchingEngine(
        Instrument("AAPL", day=day_length),
        band=data.draw(BANDS[name]),
        self_trade=policy,
        without_reference=without_reference,
        pace=pace_of(name),
    )
    now = 0
    for now, operation in at_times(past, engine):
        engine.advance(now)
        before = state_of(engine)
        happened = perform(engine, operation, now)
        assert_not_crossed(engine)
        assert_quotes_are_inside(engine)
        assert_depth_agrees(engine)
        if operation[0] in ANSWERS:
            assert isinstance(happened[0], (Rejected, ANSWERS[operation[0]]))
            assert not any(isinstance(one, Accepted | Rejected | Replaced) for one in happened[1:])
        if any(isinstance(one, Rejected) for one in happened):
            assert len(happened) == 1
            assert_only_refused(engine, before)
    assert_conserved(engine)
    assert_trades_are_inside(engine)
    assert_states_follow(engine)
    assert_references_are_prices(engine)
    for one in engine.events:
        event(" ".join((type(one).__name__, str(getattr(one, "state", "")))))
    again = replay(engine.events)
    assert state_of(again) == state_of(engine)
    assert (again.events, again.trades) == (engine.events, engine.trades)
    assert again.book.depth() == engine.book.depth()
    for time, operation in at_times(future, engine):
        assert perform(again, operation, now + time) == perform(engine, operation, now + time)
        assert state_of(again) == state_of(engine)


# -- orders that never trade: bids below $2.00 and asks from there on, as far away as one likes

BIDS, ASKS = st.integers(1, 199), st.integers(200, 100_000)
waits = st.sampled_from([0, 0, 1, 2, 5, 12, 30])
quiet = st.one_of(
    st.tuples(st.just("buy"), BIDS | st.integers(185, 199), st.integers(1, 3)),
    st.tuples(st.just("sell"), ASKS | st.integers(200, 215), st.integers(1, 3)),
    st.tuples(st.just("sell"), ASKS | st.integers(200, 215), st.integers(1, 3)),
    st.tuples(st.just("cancel"), st.integers(0, 12)),
    st.tuples(st.just("replace"), st.integers(0, 12), BIDS, ASKS),
    st.tuples(st.just("reference"), st.integers(180, 220)),
    st.tuples(st.sampled_from(["halt", "resume", "wait", "wait"])),
)


def act_quietly(engine, number, action, time):
    match action:
        case (("buy" | "sell" as side), ticks, quantity):
            price = Decimal(ticks) / 100
            engine.submit(limit(str(number), side, price, quantity), time)
        case "cancel", target:
            engine.cancel(str(target), time)
        case "replace", target, bid, ask:
            order = engine.book.find(str(target))
            is_bid = order is not None and order.order.side is Side.BUY
            price = Decimal(bid if is_bid else ask) / 100
            engine.replace(str(target), price=price, time=time)


@pytest.mark.parametrize("name", BANDS)
@given(
    data=st.data(),
    first=st.integers(180, 220),  # so that one side or the other may be at the edge of the band
    script=st.lists(st.tuples(waits, quiet), min_size=10, max_size=40),
    policy=policies,
)
@settings(some_days, max_examples=30)
def test_orders_that_never_trade_move_no_reference_and_no_limits(name, data, first, script, policy):
    settings = {"band": data.draw(BANDS[name]), "self_trade": policy, "pace": pace_of(name)}
    engine, empty = (ConsensusMatchingEngine("AAPL", **settings) for _ in range(2))
    time = 0
    for number, (wait, action) in enumerate([(0, ("reference", first)), *script]):
        time += wait
        for each in (engine, empty):
            each.advance(time)
            match action:
                case "reference", ticks:
                    each.set_reference(Reference(Decimal(ticks) / 100, time), time)
                case (("halt" | "resume" as command),):
                    getattr(each, command)(time)
        act_quietly(engine, number, action, time)
        event(str(engine.market))
        assert engine.band_limits == empty.band_limits
        assert engine.band_reference == empty.band_reference
    assert not engine.trades
