"""The rules of the volatility auction, told to its watch alone: prices in ticks."""

from fractions import Fraction

import pytest

from streamlet_lab.matching.events import MarketState
from streamlet_lab.matching.rules import VolatilityAuctionBand
from streamlet_lab.matching.watch import NEVER, Decision, make_band

OPEN, AUCTION, HALTED = MarketState.OPEN, MarketState.AUCTION, MarketState.HALTED
SECOND = 1_000_000


def settle(watch, time):
    """Tell the watch what it decides, until it decides nothing; return the decisions."""
    decisions = []
    while (decision := watch.decide(time, None, None)) is not None:
        decisions.append(decision)
        assert len(decisions) < 5
        if decision.limits is not None:
            watch.moved(decision.limits, decision.reference, time)
        if decision.state is not None:
            watch.entered(decision.state, time)
    return decisions


@pytest.fixture
def watch():
    """A watch at $100.00: dynamic range $97.50 to $102.50 inside the static $95 to $105."""
    watch = VolatilityAuctionBand().watch()
    assert watch.on_reference(Fraction(10_000), 0, 0) is None
    settle(watch, 0)
    return watch


def test_first_consensus_opens_both_ranges_and_later_ones_do_not_matter():
    watch = VolatilityAuctionBand().watch()
    watch.on_reference(Fraction(10_000), 0, 0)
    assert settle(watch, 0) == [Decision((9_750, 10_250), Fraction(10_000), None, "consensus")]
    watch.on_reference(Fraction(20_000), 5, 5)
    assert settle(watch, 5) == []


def test_dynamic_range_follows_the_last_trade_once_its_order_is_matched(watch):
    watch.traded(10_100, 1, 7)
    watch.traded(10_200, 1, 7)
    assert not watch.may_trade(10_251)  # the same order goes on
    assert settle(watch, 7) == [Decision((9_945, 10_455), Fraction(10_200), None, "trades")]
    assert watch.may_trade(10_455)


def test_static_range_stays_and_cuts_the_dynamic_one(watch):
    watch.traded(10_400, 1, 7)
    # 2.5 % around $104 is $101.40 to $106.60; the static range ends at $105.
    assert settle(watch, 7)[0].limits == (10_140, 10_500)
    watch.traded(9_600, 1, 8)
    assert settle(watch, 8)[0].limits == (9_500, 9_840)


def test_call_phase_lasts_two_minutes_and_so_does_each_extension(watch):
    watch.entered(AUCTION, 10)
    for end in (10 + 120 * SECOND, 10 + 240 * SECOND):
        assert watch.alarm == end
        assert watch.decide(end - 1, 10_500, 10_400) is None
        assert watch.decide(end, 10_500, 10_400) == Decision(state=OPEN)
        watch.wake(end)


def test_corridor_of_the_auction_is_around_the_last_trade_and_widens_with_each_call(watch):
    watch.traded(10_200, 1, 5)
    settle(watch, 5)
    watch.entered(AUCTION, 10)
    # 5 % around $102.00 is $96.90 to $107.10, and 10 % is $91.80 to $112.20.
    for calls, low, high in ((1, 9_690, 10_710), (2, 9_180, 11_220)):
        end = 10 + calls * 120 * SECOND
        allowed = [watch.may_clear(at, end) for at in (low - 1, low, high, high + 1)]
        assert allowed == [False, True, True, False]


def test_price_of_the_auction_is_the_middle_of_both_ranges(watch):
    watch.traded(10_200, 1, 5)
    settle(watch, 5)
    watch.entered(AUCTION, 10)
    watch.traded(11_000, 1, 20)
    watch.traded(11_000, 1, 20)
    watch.entered(OPEN, 20)
    assert settle(watch, 20) == [Decision((10_725, 11_275), Fraction(11_000), None, "auction")]
    watch.traded(11_200, 1, 21)
    settle(watch, 21)
    watch.traded(11_400, 1, 22)
    # 5 % around $110.00 ends at $115.50, 2.5 % around $114.00 at $116.85.
    assert settle(watch, 22) == [Decision((11_115, 11_550), Fraction(11_400), None, "trades")]


def test_operator_who_halts_ends_the_call_phase(watch):
    watch.entered(AUCTION, 10)
    watch.traded(11_000, 1, 20)
    watch.entered(HALTED, 20)
    assert settle(watch, 20) == [Decision((10_725, 11_275), Fraction(11_000), None, "auction")]
    assert watch.alarm == NEVER
    watch.entered(OPEN, 30)
    assert settle(watch, 30) == []


def test_call_phase_is_market_time_and_the_pace_converts_it():
    watch = VolatilityAuctionBand(call="1us").watch(Fraction(5, 2))
    watch.entered(AUCTION, 10)
    assert watch.alarm == 13


def test_every_parameter_is_used():
    band = make_band("volatility_auction", 4, {"dynamic_percent": 3, "call": 60})
    assert band == VolatilityAuctionBand(4, 3, 60)
    watch = band.watch()
    watch.on_reference(Fraction(10_000), 0, 0)
    assert settle(watch, 0)[0].limits == (9_700, 10_300)
    watch.traded(10_300, 1, 1)
    assert settle(watch, 1)[0].limits == (9_991, 10_400)
    watch.entered(AUCTION, 1)
    assert watch.alarm == 1 + 60 * SECOND
    assert not watch.may_clear(10_713, watch.alarm)
