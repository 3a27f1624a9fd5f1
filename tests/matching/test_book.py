from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import Depth, Order, OrderBook, PriceLevel, Side


def rest(book, order_id, side, price, quantity=10):
    book.add(Order.limit(order_id, "AAPL", side, quantity, price), quantity)


def ids(side):
    return [resting.order.order_id for resting in side]


@pytest.fixture
def book():
    book = OrderBook()
    rest(book, "b-low", "buy", "149.00")
    rest(book, "b-first", "buy", "150.00")
    rest(book, "b-second", "buy", "150.00", 5)
    rest(book, "s-high", "sell", "152.00")
    rest(book, "s-first", "sell", "151.00", 7)
    rest(book, "s-second", "sell", "151.00")
    return book


def test_empty_book():
    book = OrderBook()
    assert (book.best_bid, book.best_ask, len(book)) == (None, None, 0)
    assert book.depth() == Depth((), ())
    assert book.bids.front() is None


def test_priority_is_price_then_arrival(book):
    assert ids(book.bids) == ["b-first", "b-second", "b-low"]
    assert ids(book.asks) == ["s-first", "s-second", "s-high"]
    assert book.bids.front().order.order_id == "b-first"
    assert book.asks.front().order.order_id == "s-first"


def test_best_prices(book):
    assert (book.best_bid, book.best_ask) == (Decimal("150.00"), Decimal("151.00"))


def test_sides(book):
    assert book.side(Side.BUY) is book.opposite(Side.SELL) is book.bids
    assert book.side(Side.SELL) is book.opposite(Side.BUY) is book.asks


def test_depth_counts_shares_and_orders_best_price_first(book):
    assert book.depth() == Depth(
        bids=(PriceLevel(Decimal("150.00"), 15, 2), PriceLevel(Decimal("149.00"), 10, 1)),
        asks=(PriceLevel(Decimal("151.00"), 17, 2), PriceLevel(Decimal("152.00"), 10, 1)),
    )


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_depth_can_be_cut(book, levels):
    everything = book.depth()
    assert book.depth(levels) == Depth(everything.bids[:levels], everything.asks[:levels])


@pytest.mark.parametrize("levels", [0, -1])
def test_depth_of_no_levels_is_refused(book, levels):
    with pytest.raises(InvalidInput, match="levels"):
        book.depth(levels)


def test_reduced_order_keeps_its_priority(book):
    book.reduce(book.find("b-first"), 4)
    assert ids(book.bids)[0] == "b-first"
    assert book.depth(1).bids == (PriceLevel(Decimal("150.00"), 11, 2),)


def test_order_leaves_with_its_last_share(book):
    book.reduce(book.find("b-first"), 10)
    assert ids(book.bids) == ["b-second", "b-low"]
    assert book.find("b-first") is None
    assert len(book) == 5


def test_price_leaves_with_its_last_order(book):
    book.reduce(book.find("s-first"), 7)
    book.reduce(book.find("s-second"), 10)
    assert book.best_ask == Decimal("152.00")
    rest(book, "s-third", "sell", "151.00")
    assert ids(book.asks) == ["s-third", "s-high"]


def test_order_that_comes_back_queues_again(book):
    book.reduce(book.find("b-first"), 10)
    rest(book, "b-first", "buy", "150.00")
    assert ids(book.bids) == ["b-second", "b-first", "b-low"]


def test_id_can_rest_only_once(book):
    with pytest.raises(InvalidInput, match="order_id: 'b-low'"):
        rest(book, "b-low", "buy", "148.00")


def test_market_order_cannot_rest(book):
    with pytest.raises(InvalidInput, match="order_type: 'market'"):
        book.add(Order.market("m-1", "AAPL", "buy", 1), 1)


def test_outside_goes_from_the_outermost_price_inwards_on_each_side():
    book = OrderBook()
    for number, price in enumerate((90, 91, 91, 95, 105, 109, 110)):
        rest(book, f"b{price}.{number}", "buy", price)
    for number, price in enumerate((90, 91, 95, 105, 109, 109, 110)):
        rest(book, f"s{price}.{number}", "sell", price)
    outside = [resting.order.order_id for resting in book.outside(9_500, 10_500)]
    assert outside == [
        *("b110.6", "b109.5", "b90.0", "b91.1", "b91.2"),
        *("s90.0", "s91.1", "s110.6", "s109.4", "s109.5"),
    ]
