"""Where an order could be refused for two reasons, which one is given."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

import pytest

from streamlet_lab.matching import (
    NEVER,
    BandWatch,
    ConsensusMatchingEngine,
    Decision,
    Instrument,
    MarketState,
    Order,
    Reference,
    RejectReason,
)

from .calling import assert_only_refused, state_of

#: The reasons for which an order is refused, first things first.
ORDER = (
    RejectReason.WRONG_SYMBOL,
    RejectReason.OFF_LOT,
    RejectReason.OFF_TICK,
    RejectReason.HALTED,
    RejectReason.STALE_REFERENCE,
    RejectReason.NO_CONSENSUS,
    RejectReason.IN_AUCTION,
    RejectReason.DUPLICATE_ID,
    RejectReason.TOO_LATE,
    RejectReason.OUTSIDE_BAND,
    RejectReason.WOULD_TRADE,
)
#: The same of a replacement, which may be sent in an auction, and of an order that rests.
REPLACE = (
    RejectReason.INVALID_QUANTITY,
    RejectReason.OFF_LOT,
    RejectReason.INVALID_PRICE,
    RejectReason.OFF_TICK,
    RejectReason.HALTED,
    RejectReason.STALE_REFERENCE,
    RejectReason.UNKNOWN_ID,
    RejectReason.OUTSIDE_BAND,
    RejectReason.WOULD_TRADE,
)
STATES = {
    RejectReason.STALE_REFERENCE: MarketState.PAUSED,
    RejectReason.IN_AUCTION: MarketState.AUCTION,
}


@dataclass(frozen=True)
class Moody:
    """Refuses prices above $150.00, and enters a state at the instant 5, whatever is known."""

    state: MarketState

    def watch(self, pace=1):
        return MoodyWatch(self.state)


class MoodyWatch(BandWatch):
    alarm = 5

    def __init__(self, state):
        self.state = state

    def may_enter(self, side, ticks):
        return ticks if ticks <= 15_000 else None

    def wake(self, time):
        self.alarm = NEVER

    def decide(self, time, best_bid, best_ask):
        return Decision(state=self.state) if time >= 5 else None


# One state at a time; and who refuses orders before the first reference has none that rest.
EXCLUDED = [
    {RejectReason.HALTED, RejectReason.STALE_REFERENCE},
    {RejectReason.HALTED, RejectReason.IN_AUCTION},
    {RejectReason.STALE_REFERENCE, RejectReason.IN_AUCTION},
    {RejectReason.NO_CONSENSUS, RejectReason.DUPLICATE_ID},
    {RejectReason.NO_CONSENSUS, RejectReason.WOULD_TRADE},
    {RejectReason.INVALID_QUANTITY, RejectReason.OFF_LOT},
    {RejectReason.INVALID_PRICE, RejectReason.OFF_TICK},
    {RejectReason.INVALID_PRICE, RejectReason.OUTSIDE_BAND},
    {RejectReason.INVALID_PRICE, RejectReason.WOULD_TRADE},
    {RejectReason.UNKNOWN_ID, RejectReason.WOULD_TRADE},
]


def pairs(reasons):
    return [pair for pair in combinations(reasons, 2) if set(pair) not in EXCLUDED]


def market(causes):
    """An engine in which some causes of a refusal hold from the instant 5 on."""
    state = next((STATES[cause] for cause in causes if cause in STATES), MarketState.OPEN)
    engine = ConsensusMatchingEngine(Instrument("X", lot=2), band=Moody(state))
    if RejectReason.NO_CONSENSUS not in causes:
        engine.set_reference(Reference(Decimal("100.00"), 0))
        engine.submit(Order.limit("taken", "X", "buy", 2, "90.00", post_only=True))
    if RejectReason.WOULD_TRADE in causes:
        engine.submit(Order.limit("s-1", "X", "sell", 2, "95.00"))
    engine.advance(5)
    if RejectReason.HALTED in causes:
        engine.halt(5)
    return engine


def price(causes):
    dollars = Decimal("200.00") if RejectReason.OUTSIDE_BAND in causes else Decimal("100.00")
    return dollars + (Decimal("0.005") if RejectReason.OFF_TICK in causes else 0)


def sent(causes):
    return Order.limit(
        "taken" if RejectReason.DUPLICATE_ID in causes else "new",
        "Y" if RejectReason.WRONG_SYMBOL in causes else "X",
        "buy",
        3 if RejectReason.OFF_LOT in causes else 2,
        price(causes),
        time_in_force="gtt",
        expires=9 if RejectReason.TOO_LATE in causes else 99,
        post_only=bool({RejectReason.IN_AUCTION, RejectReason.WOULD_TRADE} & set(causes)),
    )


@pytest.mark.parametrize("causes", [*((one,) for one in ORDER), *pairs(ORDER)], ids=" and ".join)
def test_first_reason_to_refuse_an_order_is_given(causes):
    engine = market(causes)
    before = state_of(engine)
    (event,) = engine.submit(sent(causes), 10)
    assert event.reason is causes[0]
    assert_only_refused(engine, before)


@pytest.mark.parametrize(
    "causes", [*((one,) for one in REPLACE), *pairs(REPLACE)], ids=" and ".join
)
def test_first_reason_to_refuse_a_replacement_is_given(causes):
    engine = market(causes)
    before = state_of(engine)
    quantity = 3 if RejectReason.OFF_LOT in causes else 2
    (event,) = engine.replace(
        "nobody" if RejectReason.UNKNOWN_ID in causes else "taken",
        price=-1 if RejectReason.INVALID_PRICE in causes else price(causes),
        quantity=0 if RejectReason.INVALID_QUANTITY in causes else quantity,
        time=10,
    )
    assert event.reason is causes[0]
    assert_only_refused(engine, before)
