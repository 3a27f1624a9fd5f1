"""What a log is, and what it rebuilds; the property is in ``test_every_band``."""

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import replay

from .calling import limit, market, state_of


@pytest.fixture
def traded(engine):
    engine.submit(limit("s-1", "sell", "152.00", 100, "ann"))
    engine.submit(limit("b-1", "buy", "153.00", 60, "bob"))
    engine.submit(limit("x-1", "buy", "182.94", 60))
    return engine


def test_rebuilt_engine_goes_on_as_the_first_would_have(traded):
    again = replay(traded.events)
    order = market("b-2", "buy", 50)
    assert again.submit(order, 3_000_000) == traded.submit(order, 3_000_000)
    assert state_of(again) == state_of(traded)


def test_plain_list_of_events_needs_the_settings(traded):
    events = list(traded.events)
    assert state_of(replay(events, traded.settings)) == state_of(traded)
    with pytest.raises(InvalidInput, match="settings"):
        replay(events)


def test_part_of_a_log_rebuilds_that_moment(traded):
    early = replay(traded.events[:3], traded.settings)
    assert early.book.find("s-1").remaining == 100
    assert len(early.trades) == 0


def test_log_reads_like_a_list(traded):
    events = traded.events
    assert [event.sequence for event in events] == [0, 1, 2, 3, 4, 5]
    assert events[-1].sequence == 5
    assert events[1:3] == [events[1], events[2]]
    assert events == list(events)
    assert events != list(events)[:-1]
    assert repr(traded.trades) == repr(list(traded.trades))
    with pytest.raises(IndexError):
        events[6]
