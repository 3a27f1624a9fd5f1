"""What a command answers: its events, read when somebody looks; and what it costs not to look."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from decimal import Decimal
from operator import add
from threading import Barrier

import pytest

from benchmarks.timing import calls
from streamlet_lab.matching import (
    BandWatch,
    Cancelled,
    ConsensusMatchingEngine,
    Decision,
    Instrument,
    Order,
    RejectReason,
)
from streamlet_lab.matching.log import Log, fields_of, order_of
from streamlet_lab.matching.orders import unchecked_order

from .calling import engine_at, kinds, limit, market


@pytest.fixture
def answer(engine):
    """That of an order which traded and was ended, after which more has happened."""
    engine.submit(limit("s-1", "sell", "152.00", 4))
    answer = engine.submit(market("b-1", "buy", 10))
    engine.submit(limit("s-2", "sell", "152.00", 4))
    return answer


def test_reads_like_the_list_of_its_events_whatever_came_after(engine, answer):
    events = engine.events[3:6]
    assert answer == events
    assert events == answer
    assert answer != events[:-1]
    assert (len(answer), answer[-1], answer[1:]) == (3, events[-1], events[1:])
    assert repr(answer) == repr(events)
    assert add(answer, events) == add(events, answer) == events * 2
    assert not engine.advance(engine.now)


@pytest.mark.parametrize("copied", [deepcopy, lambda answer: pickle.loads(pickle.dumps(answer))])
def test_copy_is_the_list_of_its_events_without_the_log(answer, copied):
    assert type(copied(answer)) is list
    assert copied(answer) == answer


def test_no_event_is_made_until_somebody_looks(engine, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Log, "event", lambda *_: pytest.fail("an event was made"))
        engine.submit(limit("s-1", "sell", "152.00", 4))
        engine.submit(limit("x-1", "buy", "182.94", 4))
        engine.cancel("s-1")
        assert engine.book.best_ask is None
    assert engine.events[-2].reason is RejectReason.OUTSIDE_BAND
    assert isinstance(engine.events[-1], Cancelled)


def test_a_command_calls_few_functions(engine):
    first, second, time = limit("s-1", "sell", "152.00"), limit("s-2", "sell", "152.00"), engine.now
    engine.submit(first, time)  # which begins the level
    # The lambda and the command, whether the standard log listens, the core.
    assert calls(lambda: engine.submit(second, time)) == 4
    assert calls(lambda: engine.cancel("s-2", time)) == 4


ORDERS = [
    limit("o-1", "sell", "152.5", 3, "ann", time_in_force="gtt", expires=9),
    limit("o-2", "buy", 152, 3, post_only=True),
    limit("o-3", "buy", "0.01", 7, time_in_force="fok"),
    market("o-4", "sell", 3, "bob"),
]


@pytest.mark.parametrize("order", ORDERS)
def test_order_in_cents_is_what_an_instrument_makes_of_it_and_back(order):
    cents = Instrument("AAPL")
    assert order.in_cents == fields_of(order, cents)
    for back in (order_of(order.in_cents, cents), unchecked_order("AAPL", order.in_cents)):
        assert repr(back) == repr(order)
        assert (back, back.in_cents) == (order, order.in_cents)


def test_price_between_two_cents_is_none_in_cents():
    assert limit("o-1", "buy", "0.5001").in_cents is None
    assert limit("o-1", "buy", "0.5000").in_cents[2] == 50


@pytest.mark.parametrize(
    "instrument", [Instrument("AAPL", Decimal("0.05")), Instrument("AAPL", lot=5)]
)
def test_other_grids_than_cents_and_shares_are_held(instrument):
    engine = engine_at("150.00", instrument)
    (refused,) = engine.submit(limit("b-1", "buy", "150.01", 3))
    assert refused.reason in (RejectReason.OFF_TICK, RejectReason.OFF_LOT)
    engine.submit(limit("b-2", "buy", "150.05", 5))
    assert engine.book.best_bid == Decimal("150.05")


class Even(BandWatch):
    """A band of 90 to 110 dollars in which prices of odd cents may not do something."""

    def watch(self, pace=1):
        return self

    def on_reference(self, ticks, since, time):
        return Decision((9_000, 11_000), ticks)


class EvenEntries(Even):
    def may_enter(self, side, ticks):
        return None if ticks % 2 else ticks


class EvenTrades(Even):
    def may_trade(self, ticks):
        return ticks % 2 == 0


class SaysItIsFree(EvenEntries):
    is_free_inside = True


def test_band_with_a_rule_of_its_own_is_asked_inside_too_unless_it_says_otherwise():
    order = Order.limit("s-1", "AAPL", "sell", 5, "100.01")
    assert engine_at("100.00", band=EvenEntries()).submit(order)[0].reason == "outside_band"
    assert kinds(engine_at("100.00", band=SaysItIsFree()).submit(order)) == kinds(
        engine_at("100.00").submit(order)
    )
    engine = engine_at("100.00", band=EvenTrades())
    engine.submit(order)
    *_, last = engine.submit(market("b-1", "buy", 5))
    assert (type(last), last.reason) == (Cancelled, "outside_band")


def test_threads_that_look_for_the_trades_at_once_find_each_once():
    engine = ConsensusMatchingEngine("AAPL", without_reference="allow")
    for number in range(4_000):
        engine.submit(limit(f"s-{number}", "sell", "100.00"))
        engine.submit(limit(f"b-{number}", "buy", "100.00"))
    barrier, switch = Barrier(4), sys.getswitchinterval()

    def look(_):
        barrier.wait()
        return len(engine.trades)

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert [*pool.map(look, range(4))] == [4_000] * 4
    finally:
        sys.setswitchinterval(switch)
