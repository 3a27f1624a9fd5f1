"""What the frames make of events, whatever band or state they come from: lists made by hand."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import count

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.columns import COLUMNS
from streamlet_lab.frames import make_frames
from streamlet_lab.frames.book_rows import sample_book
from streamlet_lab.frames.tables import make_frame
from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    CancelReason,
    Command,
    Expired,
    MarketState,
    Order,
    Reduced,
    Reference,
    ReferenceMoved,
    Rejected,
    RejectReason,
    Replaced,
    Side,
    StateChanged,
    Trade,
    Traded,
)
from streamlet_lab.matching.events import BandMoved, Repriced, Uncrossed
from streamlet_lab.metrics import STOP_REASONS, is_fair
from streamlet_lab.simulator import Arrival

from .naive import told

TRUE = 100_000_000  # micro-dollars: $100
SECOND = 1_000_000


class Story:
    """Writes a log, and the arrivals that it answers."""

    def __init__(self):
        self.events = []
        self.arrivals = []
        self.time = 0
        self._trades = count()

    def _say(self, event):
        self.events.append(event)

    def _next(self):
        return len(self.events), self.time

    def arrive(self, order, symbol="AAPL"):
        self.arrivals.append(Arrival(self.time, symbol, order, "kind", "honest", TRUE))

    def accept(self, order_id, price="100.00", **fields):
        order = _order(order_id, price, **fields)
        self.arrive(order)
        self._say(Accepted(*self._next(), order))
        return order

    def refuse(self, order, reason, reference=None):
        self.arrive(order)
        price, order_id = order.price, order.order_id
        self._say(Rejected(*self._next(), order_id, price, reference, reason, order))

    def refuse_replacement(self, order_id, reason, price=None):
        wanted = None if price is None else Decimal(price)
        command = Command.REPLACE
        self._say(Rejected(*self._next(), order_id, wanted, None, reason, None, command))

    def cancel(self, order, reason, price=None, reference=None):
        judged = None if price is None else Decimal(price)
        what = (order.order_id, judged, reference, reason, order.quantity)
        self._say(Cancelled(*self._next(), *what))

    def expire(self, order):
        self._say(Expired(*self._next(), order.order_id, order.quantity))

    def trade(self, buy, sell, price="100.00", quantity=10):
        sequence, time = self._next()
        ids = (buy.order_id, sell.order_id)
        made = Trade(next(self._trades), time, "AAPL", Decimal(price), quantity, *ids, Side.BUY)
        left = (buy.quantity - quantity, sell.quantity - quantity)
        self._say(Traded(sequence, made, *left))

    def state(self, state):
        self._say(StateChanged(*self._next(), state))

    def uncross(self, price="100.00"):
        found = None if price is None else Decimal(price)
        self._say(Uncrossed(*self._next(), found, 10, 0))

    def refer(self, price, block="b"):
        reference = Reference(Decimal(price), self.time, block)
        self._say(ReferenceMoved(*self._next(), reference))
        return reference

    def band(self, low, high, reference):
        limits = [None if edge is None else Decimal(edge) for edge in (low, high)]
        self._say(BandMoved(*self._next(), *limits, reference))

    def clip(self, order, price):
        self._say(Repriced(*self._next(), order.order_id, Decimal(price), order.quantity))

    def replace(self, order, price, quantity):
        what = (order.order_id, Decimal(price), quantity, False)
        self._say(Replaced(*self._next(), *what))

    def reduce(self, order, reason, quantity):
        left = order.quantity - quantity
        self._say(Reduced(*self._next(), order.order_id, reason, quantity, left))


def _order(order_id, price="100.00", **fields):
    symbol, side = fields.pop("symbol", "AAPL"), fields.pop("side", "buy")
    quantity = fields.pop("quantity", 10)
    kind = "market" if price is None else "limit"
    return Order(order_id, symbol, side, kind, quantity, price, "someone", **fields)


def _frames(story, samples=(0,)):
    record = told(story.events, story.arrivals, lambda time: TRUE)
    quoted = {Reference(Decimal("101.00"), 2 * SECOND, "b"): SECOND}
    record = replace(record, quoted={"AAPL": quoted})
    record.__dict__["reference_epochs"] = {"b": 7}
    frames = dict(make_frames(record))
    names = zip(("book", "depth"), sample_book(record, "AAPL", samples), strict=True)
    return {**frames, **{name: make_frame(COLUMNS[name], rows) for name, rows in names}}


def _is_missing(value):
    return bool(pd.isna(value))


# --- What the band goes by


def test_before_there_is_a_band_the_reference_is_the_consensus():
    story = Story()
    story.accept("a")
    story.time = 2 * SECOND
    story.refer("101.00")
    story.time = 5 * SECOND
    story.accept("b")
    story.refer("102.00")
    story.accept("c")
    orders = _frames(story)["orders"]
    assert orders.reference_price.tolist()[1:] == [101.0, 102.0]
    assert orders.reference_age_s.tolist()[1:] == [3.0, 0.0]
    assert orders.reference_epoch.tolist()[1:] == [7, 7]
    assert orders.reference_quoted_s.isna().tolist() == [True, False, True]
    assert orders.reference_quoted_s[1] == 1.0
    assert _is_missing(orders.reference_price[0])
    assert _is_missing(orders.reference_epoch[0])


def test_each_move_and_each_change_of_state_is_a_row_of_bands():
    story = Story()
    story.state(MarketState.HALTED)
    story.time = SECOND
    story.state(MarketState.OPEN)
    story.time += 1
    story.band("95.00", "105.00", story.refer("100.00"))
    story.state(MarketState.LIMIT)
    bands = _frames(story)["bands"]
    assert bands.state.tolist() == ["halted", "open", "open", "limit"]
    assert bands.time_s.tolist() == [0.0, 1.0, 1.000001, 1.000001]
    assert bands.epoch.tolist() == [0, 0, 1, 1]
    assert bands.reference_kind.tolist() == ["", "", "consensus", "consensus"]
    assert bands.high.isna().tolist() == [True, True, False, False]


# --- Trades


def test_what_trades_when_a_call_ends_is_of_the_auction_and_nothing_else():
    story = Story()
    pairs = [
        (story.accept(f"b{number}"), story.accept(f"s{number}", side="sell")) for number in range(4)
    ]
    story.trade(*pairs[0])
    story.state(MarketState.AUCTION)
    story.uncross()
    story.trade(*pairs[1])
    story.uncross("99.00")
    story.trade(*pairs[2], price="99.00")
    story.state(MarketState.OPEN)
    story.trade(*pairs[3])
    frames = _frames(story)
    assert frames["trades"].auction.tolist() == [False, True, True, False]
    assert frames["trades"].price_cents.tolist() == [10_000, 10_000, 9_900, 10_000]
    assert set(frames["orders"].status) == {"filled"}


@given(
    price=st.decimals("0.000001", "999999999", places=6),
    true_price=st.integers(1, 10**12),
    percent=st.integers(0, 10_000),
)
def test_fairness_is_exact(price, true_price, percent):
    true = Fraction(true_price, 10**6)
    expected = abs(Fraction(price) - true) <= Fraction(percent, 10_000) * true
    assert is_fair(price, true_price, percent) == expected


# --- What was turned away


@pytest.mark.parametrize("reason", RejectReason)
def test_a_refusal_has_a_verdict_where_the_market_stopped_the_order(reason):
    story = Story()
    reference = Reference(Decimal("80.00"), 0)
    for number, price in enumerate(("100.00", "120.00", None)):
        story.refuse(_order(str(number), price), reason, reference)
    frames = _frames(story)
    part = reason in STOP_REASONS
    verdicts = ["false", "justified", "market"] if part else [""] * 3
    assert frames["rejections"].verdict.tolist() == verdicts
    assert frames["rejections"].stopped.tolist() == ["at_entry" if part else ""] * 3
    assert frames["rejections"].own_price.tolist()[:2] == [100.0, 120.0]
    assert not frames["rejections"].blocked.any()
    assert frames["rejections"].action.tolist() == ["rejected"] * 3
    assert frames["rejections"].quantity.tolist() == [10] * 3
    assert frames["rejections"].deviation_percent.tolist()[:2] == [25.0, 50.0]
    assert frames["orders"].status.tolist() == ["rejected"] * 3
    assert frames["orders"].reason.tolist() == [str(reason)] * 3


@pytest.mark.parametrize("reason", CancelReason)
def test_a_cancellation_is_a_rejection_unless_its_trader_asked(reason):
    story = Story()
    order = story.accept("a")
    story.time = 3 * SECOND
    story.cancel(order, reason, "106.00", Reference(Decimal("100.00"), SECOND))
    frames = _frames(story)
    assert frames["orders"].status.tolist() == ["cancelled"]
    assert frames["orders"].reason.tolist() == [str(reason)]
    rejections = frames["rejections"]
    if reason is CancelReason.REQUESTED:
        assert rejections.empty
        return
    assert rejections.action.tolist() == ["cancelled"]
    assert rejections.price.tolist() == [106.0]
    assert rejections.deviation_percent.tolist() == [6.0]
    assert rejections.reference_age_s.tolist() == [2.0]
    # It is judged by its own price, which is fair, whatever it would have traded at.
    part = reason in STOP_REASONS
    row = rejections.iloc[0]
    assert (row.verdict, row.stopped) == (("false", "at_trade") if part else ("", ""))
    assert row.own_price == 100.0
    assert row.blocked == part


def test_an_order_has_its_traders_price_and_not_the_edge_that_a_band_moved_it_to():
    story = Story()
    plain, clipped, replaced = (story.accept(name, "120.00") for name in "abc")
    worse = story.accept("d", "100.00")
    story.clip(clipped, "105.00")
    story.replace(replaced, "95.00", 10)
    story.replace(worse, "90.00", 10)
    story.band("99.00", "101.00", None)
    for order in (plain, clipped, replaced, worse):
        story.cancel(order, CancelReason.OUTSIDE_BAND)
    frames = _frames(story)
    rejections = frames["rejections"]
    assert rejections.verdict.tolist() == ["justified", "justified", "turned_fair", "turned_unfair"]
    assert rejections.own_price.tolist() == [120.0, 120.0, 95.0, 90.0]
    assert rejections.price.isna().all()
    assert frames["orders"].clipped.tolist() == [False, True, False, False]


def test_an_order_is_stopped_at_a_trade_or_swept_out_of_the_book_later():
    story = Story()
    early = story.accept("early")
    halfway = story.accept("halfway")
    story.cancel(halfway, CancelReason.OUTSIDE_BAND, "106.00")
    story.replace(early, "101.00", 10)
    story.cancel(early, CancelReason.OUTSIDE_BAND, "100.00")
    for name, move in (("band", True), ("state", False)):
        resting = story.accept(name)
        if move:
            story.band("105.00", None, None)
        else:
            story.state(MarketState.OPEN)
        story.cancel(resting, CancelReason.OUTSIDE_BAND, "100.00")
    waiting = story.accept("waiting")
    story.state(MarketState.AUCTION)
    story.cancel(waiting, CancelReason.IN_AUCTION)
    rejections = _frames(story)["rejections"]
    assert rejections.stopped.tolist() == ["at_trade"] * 2 + ["swept"] * 2 + ["at_trade"]
    # 106 is 6 % from the true price, 100 is that price; where nothing was judged nothing blocks.
    assert rejections.blocked.tolist() == [True, False, False, False, False]


def test_shares_that_an_order_loses_to_its_own_trader_are_turned_away():
    story = Story()
    order = story.accept("a")
    story.reduce(order, CancelReason.REQUESTED, 3)
    story.reduce(order, CancelReason.SELF_TRADE, 2)
    frames = _frames(story)
    row = frames["rejections"].iloc[0]
    assert len(frames["rejections"]) == 1
    assert (row.action, row.reason, row.quantity, row.verdict) == ("reduced", "self_trade", 2, "")
    assert frames["orders"].status.tolist() == ["resting"]


def test_a_refused_replacement_leaves_the_order_as_it_was():
    story = Story()
    order = story.accept("a", "100.00")
    story.refuse_replacement("a", RejectReason.OUTSIDE_BAND, "120.00")
    story.refuse_replacement("a", RejectReason.OUTSIDE_BAND, "104.00")
    story.replace(order, "130.00", 10)
    story.refuse_replacement("a", RejectReason.STALE_REFERENCE)
    story.refuse_replacement("a", RejectReason.HALTED)
    frames = _frames(story)
    rejections = frames["rejections"]
    assert set(rejections.verdict) == set(rejections.stopped) == {""}
    assert set(rejections.action) == {"not replaced"}
    assert set(rejections.quantity) == {0}
    assert frames["orders"][["status", "reason"]].to_numpy().tolist() == [["resting", ""]]


# --- Orders


def test_a_second_order_of_an_id_is_refused_and_the_first_one_goes_on():
    story = Story()
    buy = story.accept("a", "100.00")
    story.refuse(_order("a", "101.00"), RejectReason.DUPLICATE_ID)
    sell = story.accept("s", side="sell", quantity=4)
    story.trade(buy, sell, quantity=4)
    orders = _frames(story)["orders"]
    assert orders.status.tolist() == ["resting", "rejected", "filled"]
    assert orders.filled.tolist() == [4, 0, 4]
    assert orders.price_cents.tolist() == [10_000, 10_100, 10_000]


# --- Samples


def test_a_sample_shows_its_own_instant():
    story = Story()
    story.time = SECOND
    story.band("95.00", "105.00", story.refer("100.00"))
    story.accept("a", "99.00")
    story.state(MarketState.PAUSED)
    book = _frames(story, [0, SECOND - 1, SECOND, 3 * SECOND])["book"]
    assert book.best_bid.isna().tolist() == [True, True, False, False]
    assert book.state.tolist() == ["open", "open", "paused", "paused"]
    assert book.reference_age_s.tolist()[2:] == [0.0, 2.0]
    assert book.epoch.tolist() == [0, 0, 0, 2]
    assert book.bid_quantity.tolist() == [0, 0, 10, 10]
