from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    MarketState,
    Order,
    Reduced,
    RejectReason,
    StateChanged,
)


def bid(order_id):
    return Order.limit(order_id, "AAPL", "buy", 10, "150.00")


def test_halted_market_refuses_orders_and_replacements(engine):
    engine.submit(bid("b-1"))
    assert engine.halt(2_000_000) == [StateChanged(3, 2_000_000, MarketState.HALTED)]
    before = engine.state()
    for event in (*engine.submit(bid("b-2")), *engine.replace("b-1", quantity=5)):
        assert event.reason is RejectReason.HALTED
    assert engine.state() == before._replace(events=before.events + 2)


def test_orders_may_leave_a_halted_market(engine):
    engine.submit(bid("b-1"))
    engine.halt()
    assert isinstance(engine.reduce("b-1", 4)[0], Reduced)
    assert isinstance(engine.cancel("b-1")[0], Cancelled)


def test_opens_again(engine):
    engine.halt()
    assert engine.market is MarketState.HALTED
    engine.resume()
    assert engine.market is MarketState.OPEN
    assert isinstance(engine.submit(bid("b-1"))[0], Accepted)


def test_to_say_it_twice_changes_nothing(engine):
    assert engine.resume() == []
    engine.halt()
    assert engine.halt() == []
