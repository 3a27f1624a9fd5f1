import pytest

from streamlet_lab.matching import RejectReason

from .calling import assert_only_refused, limit, state_of


@pytest.fixture
def resting(engine):
    """Two orders to buy 100 at $150.00."""
    for order_id in ("b-1", "b-2"):
        engine.submit(limit(order_id, "buy", "150.00", 100))
    return engine


@pytest.mark.parametrize("quantity", [0, -1, 1.5, True, None, "4", 10**10, 101])
def test_bad_quantity_is_refused_and_changes_nothing(resting, quantity):
    before = state_of(resting)
    (event,) = resting.reduce("b-1", quantity)
    assert event.reason is RejectReason.INVALID_QUANTITY
    assert (event.order_id, event.command) == ("b-1", "reduce")
    assert str(quantity) in event.message
    assert_only_refused(resting, before)


def test_unknown_order_is_refused(engine):
    (event,) = engine.reduce("b-1", 1)
    assert event.reason is RejectReason.UNKNOWN_ID
    assert event.message == "Reduce rejected: No order b-1 is in the book"
