from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    CancelReason,
    Command,
    ConsensusBand,
    Reference,
    Rejected,
    RejectReason,
)

from .calling import engine_at, limit, move

REFERENCE = Reference(Decimal("152.45"), time=2_000_000, block_hash="a1b2c3d4")
ORDER = limit("s-1", "sell", "182.94", 100)
#: What these say in words is what was not valid.
DETAILED = {
    RejectReason.INVALID_PRICE,
    RejectReason.INVALID_QUANTITY,
    RejectReason.INVALID_ORDER,
    RejectReason.OFF_TICK,
    RejectReason.OFF_LOT,
}


def rejected(reason, reference=REFERENCE):
    return Rejected(0, 5_000_000, "s-1", ORDER.price, reference, reason, ORDER)


def cancelled(reason, price=Decimal("144.00")):
    return Cancelled(0, 5_000_000, "s-1", price, REFERENCE, reason, 40)


def test_rejection_knows_deviation_and_age_of_the_reference():
    event = rejected(RejectReason.OUTSIDE_BAND)
    assert (event.deviation_percent, event.reference_age) == (20, 3_000_000)
    event = rejected(RejectReason.NO_CONSENSUS, reference=None)
    assert (event.deviation_percent, event.reference_age) == (None, None)


def test_price_outside_the_band_is_told_with_what_it_deviates_from():
    deviates = "Price $182.94 deviates 20.00% from"
    event = rejected(RejectReason.OUTSIDE_BAND)
    assert event.message == f"Trade rejected: {deviates} consensus $152.45"
    for kind in ("trades", "auction"):
        reference = Reference(Decimal("152.45"), 2_000_000, kind=kind)
        event = rejected(RejectReason.OUTSIDE_BAND, reference)
        assert event.message == f"Trade rejected: {deviates} reference $152.45"
    event = cancelled(CancelReason.OUTSIDE_BAND)
    assert event.message == "Order cancelled: Price $144.00 deviates 5.54% from consensus $152.45"


@given(st.integers(100, 60_000), st.integers(1, 10_000), st.integers(-3, 300))
@example(20_000, 500, 0)  # 210.01 is 5.005 % away
@example(19_999, 500, 0)  # the edge, 209.98, is 4.995 % away
def test_a_rejected_price_is_not_shown_as_one_that_the_band_lets_in(reference, hundredths, beyond):
    engine = engine_at(Decimal(reference) / 100, band=ConsensusBand(Decimal(hundredths) / 100))
    edge = reference * (10_000 + hundredths) // 10_000
    (event,) = engine.submit(limit("s-1", "sell", Decimal(edge + 1 + beyond) / 100))
    if beyond < 0:
        assert isinstance(event, Accepted)
        return
    shown, limits = Decimal(event.message.split()[5].rstrip("%")), Decimal(hundredths) / 100
    assert shown > limits
    assert abs(shown - event.deviation_percent) <= Decimal("0.005")


def test_what_the_band_sweeps_out_is_not_shown_as_inside():
    engine = engine_at("200.00")
    engine.submit(limit("b-1", "buy", "209.99"))
    (*_, event) = move(engine, "199.9900")
    assert event.message == (
        "Order cancelled: Price $209.99 deviates 5.0003% from consensus $199.99"
    )


WITHOUT_DETAILS = [reason for reason in [*RejectReason, *CancelReason] if reason not in DETAILED]


@pytest.mark.parametrize("reason", WITHOUT_DETAILS)
def test_every_reason_has_words_with_the_order_in_them(reason):
    event = cancelled(reason) if isinstance(reason, CancelReason) else rejected(reason)
    start, words = event.message.split(": ", 1)
    assert start == ("Order cancelled" if isinstance(reason, CancelReason) else "Trade rejected")
    assert words
    assert "{" not in words
    about_the_market = ("halted", "no_consensus", "stale_reference", "outside_band")
    assert ("s-1" in words or "40 shares" in words) == (reason not in about_the_market)


@pytest.mark.parametrize("command", [Command.CANCEL, Command.REDUCE, Command.REPLACE])
def test_refused_command_says_what_it_was(command):
    event = Rejected(0, 0, "s-1", None, None, RejectReason.UNKNOWN_ID, None, command)
    assert event.message == f"{str(command).capitalize()} rejected: No order s-1 is in the book"


def test_an_event_that_was_forgotten_is_refused_and_what_rests_is_kept():
    engine = engine_at("152.45")
    for name in ("s-1", "s-2"):
        engine.submit(limit(name, "sell", "153.00", 100))
    log, before = engine.core.log, [*engine.events]
    log.forget(["s-1"])
    engine.cancel("s-2")
    assert engine.events[log.accepted["s-2"]] in before
    assert isinstance(engine.events[-1], Cancelled)
    for position in range(len(before)):
        if position != log.accepted["s-2"]:
            with pytest.raises(LookupError, match="was forgotten"):
                log.event(position)
