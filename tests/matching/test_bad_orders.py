"""What no engine can take is refused with a reason code, and nothing changes."""

from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import NEVER, Accepted, Instrument, Order, RejectReason

from .calling import assert_only_refused, engine_at, limit, state_of

GOOD = {
    "order_id": "b-1",
    "symbol": "AAPL",
    "side": "buy",
    "order_type": "limit",
    "quantity": 10,
    "price": Decimal("150.00"),
}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        *(
            ({"price": price}, RejectReason.INVALID_PRICE)
            for price in (0, -1, "NaN", float("nan"), float("inf"), "1E+13", None, "much", True)
        ),
        *(
            ({"quantity": quantity}, RejectReason.INVALID_QUANTITY)
            for quantity in (0, -1, 1.5, Decimal(1), True, None, 10**10, float("nan"))
        ),
        ({"side": "hold"}, RejectReason.INVALID_ORDER),
        ({"order_id": 7}, RejectReason.INVALID_ORDER),
        ({"time_in_force": "gtt"}, RejectReason.INVALID_ORDER),
        ({"colour": "red"}, RejectReason.INVALID_ORDER),
        ({"price": "150.005"}, RejectReason.OFF_TICK),
        ({"price": "182.94"}, RejectReason.OUTSIDE_BAND),
        ({"symbol": "MSFT"}, RejectReason.WRONG_SYMBOL),
        ({"order_id": "s-1"}, RejectReason.DUPLICATE_ID),
    ],
)
def test_refused_with_a_reason_code_and_nothing_changes(engine, fields, reason):
    engine.submit(limit("s-1", "sell", "155.00"))
    before = state_of(engine)
    (event,) = engine.receive({**GOOD, **fields})
    assert event.reason is reason
    assert event.message.startswith("Trade rejected: ")
    assert_only_refused(engine, before)


def test_good_fields_make_an_order(engine):
    (event,) = engine.receive(GOOD, 2_000_000)
    assert isinstance(event, Accepted)
    assert event.order == Order(**GOOD)


def test_grids_are_the_instruments():
    engine = engine_at("152.47", Instrument("AAPL", tick=Decimal("0.05"), lot=100))
    (event,) = engine.submit(limit("b-1", "buy", "152.43", 100))
    assert (event.reason, event.price) == (RejectReason.OFF_TICK, Decimal("152.43"))
    assert event.message.endswith("expected a multiple of the tick size 0.05")
    (event,) = engine.submit(limit("b-1", "buy", "152.45", 150))
    assert event.reason is RejectReason.OFF_LOT
    assert event.message.endswith("expected a multiple of the lot size 100")
    (event,) = engine.submit(limit("b-1", "buy", "152.45", 200))
    assert isinstance(event, Accepted)
    assert engine.book.best_bid == Decimal("152.45")
    assert engine.reduce("b-1", 50)[0].reason is RejectReason.OFF_LOT
    assert engine.replace("b-1", quantity=50)[0].reason is RejectReason.OFF_LOT
    assert engine.replace("b-1", price="152.41")[0].reason is RejectReason.OFF_TICK


def test_market_may_be_finer_than_the_cent():
    engine = engine_at("0.50", Instrument("AAPL", tick=Decimal("0.0001")))
    engine.submit(limit("s-1", "sell", "0.5001"))
    (trade,) = engine.process_order(limit("b-1", "buy", "0.525"))
    assert trade.price == Decimal("0.5001")
    (event,) = engine.submit(limit("b-2", "buy", "0.5251"))
    assert event.reason is RejectReason.OUTSIDE_BAND


@pytest.mark.parametrize(
    ("command", "arguments", "field"),
    [
        ("submit", [GOOD, 2_000_000], "order"),
        ("process_order", ["b-1", 2_000_000], "order"),
        ("set_reference", [Decimal("150.00"), 2_000_000], "reference"),
        ("set_reference", [None, 2_000_000], "reference"),
        ("advance", [NEVER], "time"),
        ("halt", [NEVER], "time"),
    ],
)
def test_what_is_no_command_at_all_is_named_and_changes_nothing(engine, command, arguments, field):
    before, now = state_of(engine), engine.now
    with pytest.raises(InvalidInput) as caught:
        getattr(engine, command)(*arguments)
    assert caught.value.field == field
    assert (state_of(engine), engine.now) == (before, now)
