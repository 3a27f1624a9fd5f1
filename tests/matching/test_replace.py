import pytest

from streamlet_lab.matching import RejectReason

from .calling import assert_only_refused, limit, state_of


@pytest.fixture
def queue(engine):
    """Three orders to buy 100 at $150.00."""
    for order_id in ("b-1", "b-2", "b-3"):
        engine.submit(limit(order_id, "buy", "150.00", 100))
    return engine


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price": "182.94"}, RejectReason.OUTSIDE_BAND),
        ({"price": "150.005"}, RejectReason.OFF_TICK),
        *(
            ({"price": price}, RejectReason.INVALID_PRICE)
            for price in ("NaN", 0, "-150.00", "1E+40")
        ),
        *(
            ({"quantity": quantity}, RejectReason.INVALID_QUANTITY)
            for quantity in (0, -5, 2.5, 10**10)
        ),
    ],
)
def test_refused_it_leaves_the_order_as_it_was(queue, fields, reason):
    before = state_of(queue)
    (event,) = queue.replace("b-1", **fields)
    assert (event.reason, event.order_id, event.command) == (reason, "b-1", "replace")
    assert event.message.startswith("Replace rejected: ")
    assert_only_refused(queue, before)


def test_unknown_order_is_refused(queue):
    (event,) = queue.replace("b-9", price="150.00")
    assert event.reason is RejectReason.UNKNOWN_ID
