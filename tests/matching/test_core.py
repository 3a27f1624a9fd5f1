"""What the core promises to those who speak to it directly, in ticks."""

import gc
from fractions import Fraction

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import EngineSettings, EventLog, Instrument, Reference
from streamlet_lab.matching.commands import GTT, Entry
from streamlet_lab.matching.log import ACCEPTED, BAND, CANCELLED, EXPIRED, REFERENCE, TRADED


@pytest.fixture
def core():
    core = EngineSettings(Instrument("X")).core()
    core.move_reference(Reference("100.00", 0), Fraction(10_000), 0)
    core.enter(tuple(Entry("b-1", 1, 10_000, 10, "ann", GTT, False, 50)), 10)
    return core


def kinds(core):
    return [row[0] for row in core.log.rows]


def test_an_order_meets_what_has_not_expired(core):
    core.enter(tuple(Entry("s-1", -1, 10_000, 10)), 49)
    assert kinds(core) == [REFERENCE, BAND, ACCEPTED, ACCEPTED, TRADED]


def test_what_is_due_happens_before_an_order(core):
    core.enter(tuple(Entry("s-1", -1, 10_000, 10)), 50)
    assert kinds(core) == [REFERENCE, BAND, ACCEPTED, EXPIRED, ACCEPTED]


def test_what_is_due_happens_before_a_cancel(core):
    core.enter(tuple(Entry("s-1", -1, 10_100, 10)), 20)
    core.cancel("s-1", 60)
    assert kinds(core) == [REFERENCE, BAND, ACCEPTED, ACCEPTED, EXPIRED, CANCELLED]
    assert [row[1] for row in core.log.rows] == [0, 0, 10, 20, 50, 60]


def test_time_does_not_run_backwards(core):
    for act in (
        lambda: core.enter(Entry("s-1", -1, 10_000, 10), 9),
        lambda: core.cancel("b-1", 9),
    ):
        with pytest.raises(InvalidInput, match=r"time: 9 .* not before 10"):
            act()
    assert len(core.log.rows) == 3


def test_rows_of_orders_trades_and_cancels_are_nothing_to_the_garbage_collector(core):
    core.enter(tuple(Entry("s-1", -1, 10_000, 4)), 20)
    core.cancel("b-1", 21)
    gc.collect()
    gc.collect()  # first the tuple of an order's fields, then the row that holds it
    rows = core.log.rows[2:]
    assert [row[0] for row in rows] == [ACCEPTED, ACCEPTED, TRADED, CANCELLED]
    assert not any(map(gc.is_tracked, rows))


def test_events_can_be_read_of_what_was_said_in_ticks(core):
    settings = EngineSettings(Instrument("X"))
    accepted = EventLog(core.log, settings)[2]
    assert (str(accepted.order.price), accepted.order.trader) == ("100.00", "ann")
