import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    ConsensusBand,
    ConsensusMatchingEngine,
    depth_over_time,
    make_band,
)

from .calling import Calling, limit
from .test_against_naive import at_times, days, many_days, perform, policies

BANDS = [ConsensusBand(), make_band("clip"), Calling(5, "clip")]


@given(day=days, policy=policies, band=st.sampled_from(BANDS))
@many_days
def test_snapshots_are_what_the_book_was(day, policy, band):
    rules = {"without_reference": "allow", "self_trade": policy}
    engine = ConsensusMatchingEngine("AAPL", band=band, **rules)
    seen = {}
    for time, operation in at_times(day, engine):
        perform(engine, operation, time)
        seen[time] = engine.book.depth()
    assert dict(depth_over_time(engine.events, seen)) == seen


def test_levels_are_cut_and_instants_between_events_repeat(engine):
    for order_id, price in (("b-1", "150.00"), ("b-2", "151.00")):
        engine.submit(limit(order_id, "buy", price), 2_000_000)
    (_, early), (_, late) = depth_over_time(engine.events, [2_000_000, 9_000_000], levels=1)
    assert early == late == engine.book.depth(1)


def test_bad_arguments_are_named(engine):
    with pytest.raises(InvalidInput, match="levels: 0"):
        list(depth_over_time(engine.events, [1], levels=0))
    with pytest.raises(InvalidInput, match=r"times: 1 .* not before 2"):
        list(depth_over_time(engine.events, [2, 1]))
