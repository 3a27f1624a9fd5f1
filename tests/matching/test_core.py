"""What the core promises to those who speak to it directly, in ticks."""

import gc

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    Cancelled,
    EngineSettings,
    Expired,
    Instrument,
    Reference,
    ReferenceMoved,
    Traded,
)
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.orders import GTC, GTT

from .calling import kinds


@pytest.fixture
def core():
    core = MatchingCore(EngineSettings(Instrument("X")))
    core.move_reference(Reference("100.00", 0), 0)
    core.enter(("b-1", 1, 10_000, 10, "ann", GTT, False, 50), 10)
    return core


def sells(ticks, quantity=10):
    return ("s-1", -1, ticks, quantity, "", GTC, False, None)


def events(core):
    return [core.log.event(sequence) for sequence in range(len(core.log.rows))]


def test_what_is_due_happens_before_an_order(core):
    core.enter(sells(10_000), 50)
    assert kinds(events(core)) == [ReferenceMoved, BandMoved, Accepted, Expired, Accepted]


def test_what_is_due_happens_before_a_cancel(core):
    core.enter(sells(10_100), 20)
    core.cancel("s-1", 60)
    assert kinds(events(core)) == [
        ReferenceMoved,
        BandMoved,
        Accepted,
        Accepted,
        Expired,
        Cancelled,
    ]
    assert [event.time for event in events(core)] == [0, 0, 10, 20, 50, 60]


def test_time_does_not_run_backwards(core):
    for act in (lambda: core.enter(sells(10_000), 9), lambda: core.cancel("b-1", 9)):
        with pytest.raises(InvalidInput, match=r"time: 9 .* not before 10"):
            act()
    assert len(core.log.rows) == 3


def test_rows_of_orders_trades_and_cancels_are_nothing_to_the_garbage_collector(core):
    core.enter(sells(10_000, 4), 20)
    core.cancel("b-1", 21)
    gc.collect()
    gc.collect()  # first the tuple of an order's fields, then the row that holds it
    rows = core.log.rows[2:]
    assert kinds(events(core))[2:] == [Accepted, Accepted, Traded, Cancelled]
    assert not any(map(gc.is_tracked, rows))
