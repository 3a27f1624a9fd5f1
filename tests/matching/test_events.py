from decimal import Decimal

import pytest

from streamlet_lab.matching import (
    Cancelled,
    CancelReason,
    Command,
    Order,
    Reference,
    Rejected,
    RejectReason,
)

REFERENCE = Reference(Decimal("152.45"), time=2_000_000, block_hash="a1b2c3d4")
ORDER = Order.limit("s-1", "AAPL", "sell", 100, "182.94")


def rejected(reason, *, order=ORDER, reference=REFERENCE):
    price = None if order is None else order.price
    return Rejected(0, 5_000_000, "s-1", price, reference, reason, order)


def cancelled(reason, *, price=None, reference=None):
    return Cancelled(0, 5_000_000, "s-1", price, reference, reason, ORDER, 40)


def test_rejection_knows_deviation_and_age_of_the_reference():
    event = rejected(RejectReason.OUTSIDE_BAND)
    assert event.deviation_percent == 20
    assert event.reference_age == 3_000_000


def test_without_a_reference_there_is_neither_deviation_nor_age():
    event = rejected(RejectReason.NO_CONSENSUS, reference=None)
    assert (event.deviation_percent, event.reference_age) == (None, None)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            RejectReason.OUTSIDE_BAND,
            "Trade rejected: Price $182.94 deviates 20.00% from consensus $152.45",
        ),
        (
            RejectReason.NO_CONSENSUS,
            "Trade rejected: No consensus price has been finalized yet",
        ),
        (RejectReason.DUPLICATE_ID, "Trade rejected: Order id s-1 was used before"),
        (RejectReason.WRONG_SYMBOL, "Trade rejected: Order s-1 is for a symbol not traded here"),
        (RejectReason.HALTED, "Trade rejected: The market is halted"),
        (RejectReason.TOO_LATE, "Trade rejected: Order s-1 would have expired before it came"),
        (RejectReason.WOULD_TRADE, "Trade rejected: Order s-1 would trade, and is post-only"),
        (
            RejectReason.STALE_REFERENCE,
            "Trade rejected: The market is paused: its reference is too old",
        ),
        (
            RejectReason.IN_AUCTION,
            "Trade rejected: Order s-1 cannot wait for the end of the call auction",
        ),
    ],
)
def test_rejection_in_words(reason, message):
    assert rejected(reason).message == message


@pytest.mark.parametrize("kind", ["trades", "auction"])
def test_words_tell_the_consensus_from_what_else_a_band_goes_by(kind):
    reference = Reference(Decimal("152.45"), 2_000_000, kind=kind)
    event = rejected(RejectReason.OUTSIDE_BAND, reference=reference)
    assert event.message.endswith("Price $182.94 deviates 20.00% from reference $152.45")


@pytest.mark.parametrize("command", [Command.CANCEL, Command.REDUCE, Command.REPLACE])
def test_refused_command_says_what_it_was(command):
    event = Rejected(0, 0, "s-1", None, None, RejectReason.UNKNOWN_ID, None, command)
    assert event.message == f"{str(command).capitalize()} rejected: No order s-1 is in the book"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            cancelled(CancelReason.OUTSIDE_BAND, price=Decimal("144.00"), reference=REFERENCE),
            "Order cancelled: Price $144.00 deviates 5.54% from consensus $152.45",
        ),
        (
            cancelled(CancelReason.NO_LIQUIDITY),
            "Order cancelled: Nobody to trade 40 shares with",
        ),
        (
            cancelled(CancelReason.REQUESTED),
            "Order cancelled: 40 shares of s-1, as requested",
        ),
        (
            cancelled(CancelReason.IMMEDIATE_OR_CANCEL),
            "Order cancelled: 40 shares of s-1 could not trade at once",
        ),
        (
            cancelled(CancelReason.FILL_OR_KILL),
            "Order cancelled: 40 shares of s-1 could not trade whole at once",
        ),
        (
            cancelled(CancelReason.SELF_TRADE),
            "Order cancelled: 40 shares of s-1 would have met their own trader",
        ),
    ],
)
def test_cancellation_in_words(event, message):
    assert event.message == message
