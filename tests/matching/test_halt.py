from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    MarketState,
    Reduced,
    RejectReason,
    StateChanged,
)

from .calling import assert_only_refused, limit, state_of


def bid(order_id):
    return limit(order_id, "buy", "150.00")


def test_halted_market_refuses_orders_and_replacements_and_lets_orders_leave(engine):
    engine.submit(bid("b-1"))
    assert engine.halt(2_000_000) == [StateChanged(3, 2_000_000, MarketState.HALTED)]
    before = state_of(engine)
    for event in (*engine.submit(bid("b-2")), *engine.replace("b-1", quantity=5)):
        assert event.reason is RejectReason.HALTED
    assert_only_refused(engine, before, 2)
    assert isinstance(engine.reduce("b-1", 4)[0], Reduced)
    assert isinstance(engine.cancel("b-1")[0], Cancelled)


def test_opens_again_and_to_say_it_twice_changes_nothing(engine):
    assert engine.resume() == []
    engine.halt()
    assert engine.halt() == []
    engine.resume()
    assert engine.market is MarketState.OPEN
    assert isinstance(engine.submit(bid("b-1"))[0], Accepted)
