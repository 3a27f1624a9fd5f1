"""What holds under every band, whatever it does."""

from fractions import Fraction

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    Cancelled,
    ConsensusMatchingEngine,
    Expired,
    Instrument,
    MarketState,
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

from .calling import Calling
from .test_against_naive import (
    ANSWERS,
    assert_conserved,
    assert_depth_agrees,
    assert_not_crossed,
    at_times,
    day_lengths,
    days,
    perform,
    policies,
)

# What takes five minutes of market time takes 30 microseconds of the engine's.
PACE = Fraction(1, 10_000_000)
BANDS = {
    **{name: make_band(name) for name in bands()},
    "widening": make_band("consensus", 5, {"stale": "widen", "stale_after": "1min"}),
    "pausing": make_band("clip", 5, {"stale": "halt", "stale_after": "1min"}),
    "quick luld": make_band("luld", 1, {"limit": "10s", "pause": "2min"}),
    "narrow ranges": make_band("volatility_auction", 3, {"dynamic_percent": 1}),
    "calling": Calling(6, "clip"),
}
some_days = settings(max_examples=40, deadline=None)


def assert_trades_are_inside(engine):
    """No trade is outside the limits of its instant, except in auctions."""
    limits, in_auction = (None, None), False
    for one in engine.events:
        match one:
            case BandMoved():
                limits = one.low, one.high
            case Uncrossed():
                in_auction = True
            case StateChanged():
                in_auction = False
            case Traded(trade=trade) if not in_auction:
                low, high = limits
                assert low is None or low <= trade.price
                assert high is None or trade.price <= high


def assert_all_end_once(engine):
    """An accepted order ends once, or still rests."""
    ends = []
    for one in engine.events:
        match one:
            case Cancelled() | Expired():
                ends.append(one.order_id)
            case Traded(_, trade, bought, sold):
                ends += [trade.buy_order_id] if not bought else []
                ends += [trade.sell_order_id] if not sold else []
    accepted = {one.order_id for one in engine.events if isinstance(one, Accepted)}
    still_there = {one.order.order_id for side in Side for one in engine.book.side(side)}
    assert len(ends) == len(set(ends))
    assert {*ends} | still_there == accepted
    assert still_there.isdisjoint(ends)


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


@pytest.mark.parametrize("name", BANDS)
@given(
    past=days,
    future=days,
    policy=policies,
    day_length=day_lengths,
    without_reference=st.sampled_from(["reject", "allow"]),
)
@some_days
def test_every_band(name, past, future, policy, day_length, without_reference):
    band = BANDS[name]
    engine = ConsensusMatchingEngine(
        Instrument("X", day=day_length),
        band=band,
        self_trade=policy,
        without_reference=without_reference,
        pace=PACE,
    )
    now = 0
    for now, operation in at_times(past, engine):
        engine.advance(now)
        before = engine.state()
        happened = perform(engine, operation, now)
        assert_not_crossed(engine)
        assert_depth_agrees(engine)
        if operation[0] in ANSWERS:
            assert isinstance(happened[0], (Rejected, ANSWERS[operation[0]]))
            assert not any(isinstance(one, Accepted | Rejected | Replaced) for one in happened[1:])
        if any(isinstance(one, Rejected) for one in happened):
            assert len(happened) == 1
            assert engine.state() == before._replace(events=before.events + 1)
    for check in (
        assert_conserved,
        assert_trades_are_inside,
        assert_all_end_once,
        assert_states_follow,
    ):
        check(engine)
    for one in engine.events:
        event(" ".join((type(one).__name__, str(getattr(one, "state", "")))))
    again = replay(engine.events)
    assert again.state() == engine.state()
    assert again.events == engine.events
    for time, operation in at_times(future, engine):
        assert perform(again, operation, now + time) == perform(engine, operation, now + time)
        assert again.state() == engine.state()
