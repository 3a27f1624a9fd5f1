import pytest

from streamlet_lab.matching import Cancelled, CancelReason, Reduced, SelfTrade, Traded

from .calling import engine_at, limit


def meet(policy, *, selling=100, buying=60, traders=("ann", "ann")):
    """Let a resting sell order and an arriving buy order meet; return the engine and events."""
    engine = engine_at("152.45", self_trade=policy)
    engine.submit(limit("s-1", "sell", "152.00", selling, traders[0]))
    events = engine.submit(limit("b-1", "buy", "152.00", buying, traders[1]))
    return engine, events[1:]


def outcome(event):
    kind = type(event).__name__.lower()
    if isinstance(event, Traded):
        return kind, event.trade.quantity
    assert event.reason is CancelReason.SELF_TRADE
    return kind, event.order_id, event.quantity


@pytest.mark.parametrize(
    ("policy", "selling", "buying", "expected"),
    [
        ("none", 100, 60, [("traded", 60)]),
        ("cancel_newest", 100, 60, [("cancelled", "b-1", 60)]),
        ("cancel_oldest", 100, 60, [("cancelled", "s-1", 100)]),
        ("cancel_both", 100, 60, [("cancelled", "s-1", 100), ("cancelled", "b-1", 60)]),
        ("decrement", 100, 60, [("reduced", "s-1", 60), ("cancelled", "b-1", 60)]),
        ("decrement", 60, 100, [("cancelled", "s-1", 60), ("reduced", "b-1", 60)]),
        ("decrement", 60, 60, [("cancelled", "s-1", 60), ("cancelled", "b-1", 60)]),
    ],
)
def test_each_policy(policy, selling, buying, expected):
    engine, events = meet(policy, selling=selling, buying=buying)
    assert [outcome(event) for event in events] == expected
    for event in events:
        if isinstance(event, Cancelled):
            assert engine.book.find(event.order_id) is None
        if isinstance(event, Reduced):
            assert engine.book.find(event.order_id).remaining == event.remaining == 40


@pytest.mark.parametrize("policy", list(SelfTrade))
@pytest.mark.parametrize("traders", [("ann", "bob"), ("", ""), ("ann", "")])
def test_others_trade_and_so_do_those_who_do_not_say_who_they_are(policy, traders):
    _, events = meet(policy, traders=traders)
    assert [outcome(event) for event in events] == [("traded", 60)]
