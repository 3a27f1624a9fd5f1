"""The frames of real markets agree with the events, with the network, and with each other."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamlet_lab.config import make_config
from streamlet_lab.facade import StockMarketConsensusNetwork
from streamlet_lab.frames import Record, make_frames
from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    CancelReason,
    OrderTracker,
    Reduced,
    Replaced,
    Side,
    Traded,
)
from streamlet_lab.matching.events import Repriced
from streamlet_lab.simulator import Market, Recorder

from .naive import levels, open_orders, reference_at, run, stops, until

EVERYBODY = [
    {"kind": "noise_trader", "count": 4, "rate": 1},
    {"kind": "fat_finger", "rate": 1},
    {"kind": "market_maker", "rate": 1},
    {"kind": "informed", "rate": 1},
    {"kind": "momentum", "rate": 1},
]

MARKETS = {
    "the default": {"epochs": 20},
    "everybody": {"epochs": 20, "market": {"traders": EVERYBODY, "samples_per_epoch": 7}},
    "two symbols": {
        "epochs": 12,
        "symbols": ["AAPL", "MSFT"],
        "market": {"traders": EVERYBODY, "depth_levels": 2},
    },
    "nobody": {"epochs": 4, "market": {"traders": 0}},
    "one epoch": {"epochs": 1, "nodes": 1, "market": {"traders": EVERYBODY}},
    "nothing final": {
        "epochs": 8,
        "faults": {"node_1": "crash", "node_2": "crash"},
        "market": {"traders": EVERYBODY},
    },
    "unchecked at first": {
        "epochs": 12,
        "market": {"traders": EVERYBODY, "without_reference": "allow", "fair_percent": 1},
    },
    "read from a node that crashes": {
        "epochs": 16,
        "faults": {"node_2": "crash@9"},
        "market": {"traders": EVERYBODY, "reference_node": "node_2"},
    },
    "self-trade prevention": {
        "epochs": 12,
        "market": {
            "traders": [{"kind": "noise_trader", "count": 2, "rate": 6}],
            "self_trade": "decrement",
        },
    },
    **{
        band: {
            "epochs": 12,
            "prices": {"volatility": 3},
            "market": {"traders": EVERYBODY, "band": band},
        }
        for band in ("trade_only", "keep_resting", "clip")
    },
    "paused": {
        "epochs": 16,
        "faults": {"node_3": "crash@4"},
        "market": {"traders": EVERYBODY, "band_parameters": {"stale": "halt", "stale_after": "8h"}},
    },
    "history": {"epochs": 20, "feed": "aapl-2008", "market": {"traders": EVERYBODY}},
}


@pytest.fixture(scope="module", params=MARKETS)
def lab(request):
    return run(seed=5, **MARKETS[request.param])


def _micros(time_s):
    return round(time_s * 10**6)


def _dollars(price):
    return None if price is None else float(price)


def _same(shown, expected):
    return bool(pd.isna(shown)) if expected is None else shown == expected


def assert_agrees(lab):
    """Hold every frame of the market against what the events say."""
    assert_order(lab)
    for symbol in lab.market.engines:
        assert_samples_agree(lab, symbol)
        assert_orders_agree(lab, symbol)
        assert_trades_agree(lab, symbol)
        assert_rejections_agree(lab, symbol)


def assert_order(lab):
    order = {symbol: number for number, symbol in enumerate(lab.market.engines)}
    for name in ("orders", "trades", "rejections", "bands", "book", "depth"):
        frame = lab.frames[name]
        place = list(zip(frame.time_s, frame.symbol.map(order), strict=True))
        times = [time for time, _ in place]
        assert times == sorted(times)
        if name != "orders":  # at one instant two traders come in the order of the queue
            assert place == sorted(place)


def assert_samples_agree(lab, symbol):
    length, each = lab.config.epoch_length, lab.config.market.samples_per_epoch
    book = lab.frames["book"]
    book = book[book.symbol == symbol]
    depth = lab.frames["depth"]
    depth = depth[depth.symbol == symbol]
    count = lab.config.epochs * each
    assert [_micros(time) for time in book.time_s] == [k * length // each for k in range(count + 1)]
    events, shown = lab.events(symbol), dict(list(depth.groupby("time_s")))
    for row in book.itertuples():
        past = until(events, _micros(row.time_s))
        orders, reference = list(open_orders(past).values()), reference_at(past)
        bids, asks = levels(orders, Side.BUY), levels(orders, Side.SELL)
        assert _same(row.best_bid, _dollars(bids[0][0] if bids else None))
        assert _same(row.best_ask, _dollars(asks[0][0] if asks else None))
        assert (row.bid_quantity, row.ask_quantity) == (
            bids[0][1] if bids else 0,
            asks[0][1] if asks else 0,
        )
        if bids and asks and row.state != "auction":
            assert row.best_bid < row.best_ask
        assert _same(row.reference_price, reference and float(reference.price))
        age = None if reference is None else (_micros(row.time_s) - reference.time) / 10**6
        assert _same(row.reference_age_s, age)
        assert row.true_price == float(lab.true_price(row.time_s, symbol))
        most = lab.config.market.depth_levels
        expected = [
            (side, level, float(price), int(100 * price), quantity, number)
            for side, there in (("buy", bids), ("sell", asks))
            for level, (price, quantity, number) in enumerate(there[:most])
        ]
        columns = ["side", "level", "price", "price_cents", "quantity", "orders"]
        table = shown.get(row.time_s)
        found = [] if table is None else [*table[columns].itertuples(index=False, name=None)]
        assert found == expected


def assert_orders_agree(lab, symbol):
    orders = lab.frames["orders"]
    orders = orders[orders.symbol == symbol]
    arrivals = [arrival for arrival in lab.market.arrivals if arrival.symbol == symbol]
    events = lab.events(symbol)
    epochs = {block.hash.hex(): block.epoch for block in lab.recorder.blocks.values()}
    resting = open_orders(events)
    filled, reduced = {}, {}
    for event in events:
        if isinstance(event, Traded):
            for order_id in (event.trade.buy_order_id, event.trade.sell_order_id):
                filled[order_id] = filled.get(order_id, 0) + event.trade.quantity
        elif isinstance(event, Reduced):
            reduced[event.order_id] = reduced.get(event.order_id, 0) + event.quantity
    tracker, tracked = OrderTracker(), {}
    for event in events:
        tracked |= {one.order.order_id: one for one in tracker.follow(event)}
    accepted = orders.loc[orders.status != "rejected", ["order_id", "status", "filled", "clipped"]]
    assert [*accepted.itertuples(index=False, name=None)] == [
        (name, one.status, one.filled, one.repriced) for name, one in tracked.items()
    ]
    assert len(orders) == len(arrivals)
    for row, arrival in zip(orders.itertuples(), arrivals, strict=True):
        order = arrival.order
        assert (row.order_id, row.trader, row.kind, row.intent, row.quantity) == (
            order.order_id,
            order.trader,
            arrival.kind,
            arrival.intent,
            order.quantity,
        )
        assert row.true_price == float(lab.true_price(row.time_s, symbol))
        limit = None if order.price is None else Fraction(order.price)
        assert row.fair == (limit is None or lab.is_fair(limit, row.time_s, symbol))
        # References move before the orders of their instant.
        reference = reference_at(until(events, arrival.time))
        assert _same(row.reference_price, reference and float(reference.price))
        if reference is not None:
            assert row.reference_epoch == epochs[reference.block_hash]
            assert _micros(row.reference_quoted_s) == row.reference_epoch * lab.network.epoch_length
        assert row.filled == filled.get(row.order_id, 0)
        assert (row.status == "resting") == (row.order_id in resting)
        left = row.quantity - reduced.get(row.order_id, 0)
        assert (row.status == "filled") == (row.filled == left)
        assert (row.status in ("rejected", "cancelled")) == (row.reason != "")


def assert_trades_agree(lab, symbol):
    trades = lab.frames["trades"]
    trades = trades[trades.symbol == symbol]
    made = [event.trade for event in lab.events(symbol) if isinstance(event, Traded)]
    assert list(trades.trade_id) == list(range(len(made)))
    for row, trade in zip(trades.itertuples(), made, strict=True):
        assert (_micros(row.time_s), row.price_cents, row.quantity) == (
            trade.time,
            int(100 * trade.price),
            trade.quantity,
        )
        assert (row.buy_order_id, row.sell_order_id) == (trade.buy_order_id, trade.sell_order_id)
        assert row.fair == lab.is_fair(Fraction(trade.price), row.time_s, symbol)
        assert not row.auction
    orders = lab.frames["orders"]
    filled = orders[orders.symbol == symbol].filled.sum()
    assert filled == 2 * trades.quantity.sum()


def assert_rejections_agree(lab, symbol):
    rejections = lab.frames["rejections"]
    rejections = rejections[rejections.symbol == symbol]
    asked = {
        event.order_id
        for event in lab.events(symbol)
        if isinstance(event, Cancelled) and event.reason is CancelReason.REQUESTED
    }
    assert asked.isdisjoint(rejections.order_id)
    stopped = rejections[rejections.verdict != ""]
    expected = stops(lab, symbol)
    assert len(stopped) == len(expected)
    assert (rejections.stopped == "").equals(rejections.verdict == "")
    assert not rejections.blocked[rejections.stopped != "at_trade"].any()
    standing = _standing(lab.events(symbol))
    for row, stop in zip(stopped.itertuples(), expected, strict=True):
        event = stop.event
        assert (row.order_id, row.reason) == (event.order_id, str(event.reason))
        assert (row.stopped, row.verdict, row.quantity) == (stop.where, stop.verdict, stop.quantity)
        assert _same(row.own_price, _dollars(stop.own_price))
        judged = None if event.price is None else Fraction(event.price)
        resting_is_fair = judged is None or lab.is_fair(judged, row.time_s, symbol)
        assert row.blocked == (stop.where == "at_trade" and not resting_is_fair)
        if stop.where == "swept":
            assert judged == standing[event.sequence]


def _standing(events):
    """For each order that leaves the book: where it stood."""
    found, places = {}, {}
    for event in events:
        match event:
            case Accepted(order=order) if order.price is not None:
                places[event.order_id] = Fraction(order.price)
            case Replaced() | Repriced():
                places[event.order_id] = Fraction(event.price)
            case Cancelled() if event.order_id in places:
                found[event.sequence] = places[event.order_id]
    return found


def test_the_frames_agree_with_the_events(lab):
    assert_agrees(lab)


@pytest.mark.parametrize("band", ["luld", "volatility_auction"])
def test_what_is_stopped_in_auctions_agrees_with_the_events(band):
    """These bands go by trades, which the slow references here do not follow within an instant."""
    market = {"traders": EVERYBODY, "band": band}
    fast = {"market_time_per_epoch": "1min", "prices": {"volatility": 20}}
    lab = run(seed=5, epochs=16, market=market, **fast)
    assert_rejections_agree(lab, "AAPL")
    assert "in_auction" in set(lab.frames["rejections"].reason)


TRADERS = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(
                ["noise_trader", "fat_finger", "market_maker", "informed", "momentum"]
            ),
            "count": st.integers(1, 3),
            "rate": st.sampled_from([0.5, 2.0, 6.0]),
        }
    ),
    max_size=4,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    epochs=st.integers(1, 5),
    symbols=st.sampled_from([["AAPL"], ["AAPL", "MSFT"]]),
    volatility=st.sampled_from([1, 6]),
    market=st.fixed_dictionaries(
        {
            "traders": TRADERS,
            "samples_per_epoch": st.integers(1, 6),
            "depth_levels": st.integers(1, 4),
            "band": st.sampled_from(["consensus", "trade_only", "keep_resting", "clip"]),
            "band_percent": st.sampled_from([1, 5, 20]),
            "fair_percent": st.sampled_from([1, 5]),
            "without_reference": st.sampled_from(["reject", "allow"]),
            "self_trade": st.sampled_from(["none", "cancel_newest", "decrement"]),
        }
    ),
)
def test_the_frames_of_any_market_agree_with_its_events(seed, epochs, symbols, volatility, market):
    prices = {"volatility": volatility}
    lab = run(seed=seed, epochs=epochs, symbols=symbols, prices=prices, market=market)
    assert_agrees(lab)


def test_a_run_that_is_stopped_has_samples_up_to_where_it_stopped():
    config, recorder = make_config(epochs=50), Recorder()
    network = StockMarketConsensusNetwork(config)
    network.monitors.append(recorder)
    market = Market(network)
    network.run(3)
    book = make_frames(Record.of(config, network, recorder, market))["book"]
    assert np.array_equal(book.time_s, np.arange(13) / 4)


def test_references_are_found_in_the_chain_that_the_market_reads():
    """Where final chains conflict, the observer's does not have them all."""
    lab = run(seed=5, **MARKETS["read from a node that crashes"])
    known = lab.frames["orders"].reference_price.notna()
    assert known.any()
    for reader, expected in (("node_2", known), ("observer", known & False)):
        recorder = Recorder()
        for record in lab.recorder.finalizations:
            if record.node == reader:
                recorder.finalized(*record)
        orders = make_frames(Record.of(lab.config, lab.network, recorder, lab.market))["orders"]
        assert orders.reference_epoch.notna().tolist() == expected.tolist()
