"""Market quality: the same figures from the events and the path, and delays that are known."""

import math
from decimal import Decimal
from fractions import Fraction
from statistics import mean, median

import numpy as np
import pandas as pd
import pytest
from frames.naive import STOPPING, levels, open_orders, reference_at, run, stops, told, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab.columns import COLUMNS
from streamlet_lab.frames import make_frames
from streamlet_lab.intervals import Share
from streamlet_lab.liquidity import delay
from streamlet_lab.matching import (
    ConsensusBand,
    ConsensusMatchingEngine,
    Order,
    Reference,
    Side,
    StateChanged,
    Traded,
)
from streamlet_lab.matching.events import Repriced
from streamlet_lab.metrics import (
    MEASURES,
    OF_FAIRNESS,
    STOP_REASONS,
    are_fair,
    is_fair,
    judged_by,
    market_numbers,
    market_quality,
    share_of,
)
from streamlet_lab.simulator import Arrival

EVERYBODY = [
    {"kind": "noise_trader", "count": 6, "rate": 1},
    {"kind": "fat_finger", "rate": 1},
    {"kind": "market_maker", "rate": 2},
    {"kind": "informed", "rate": 1},
]

RUNS = {
    "the default": {"epochs": 30},
    "wild": {"epochs": 30, "prices": {"volatility": 6}, "market": {"traders": EVERYBODY}},
    "two symbols": {
        "epochs": 16,
        "symbols": ["AAPL", "MSFT"],
        "prices": {"volatility": 4},
        "market": {"traders": EVERYBODY, "samples_per_epoch": 3},
    },
    "without a band at first": {
        "epochs": 16,
        "prices": {"volatility": 4},
        "market": {
            "traders": EVERYBODY,
            "without_reference": "allow",
            "band_percent": 20,
            "fair_percent": 2,
        },
    },
    "at the trade only": {
        "epochs": 20,
        "prices": {"volatility": 3},
        "market": {"band": "trade_only"},
    },
    "clipping": {"epochs": 20, "prices": {"volatility": 2}, "market": {"band": "clip"}},
    "auctions": {
        "epochs": 24,
        "market_time_per_epoch": "5min",
        "prices": {"volatility": 20},
        "market": {"traders": EVERYBODY, "band": "luld"},
    },
    "pauses": {
        "epochs": 24,
        "faults": {"node_3": "crash@8"},
        "market": {"band_parameters": {"stale": "halt", "stale_after": "8h"}},
    },
}


@pytest.fixture(scope="module", params=RUNS)
def lab(request):
    return run(seed=8, **RUNS[request.param])


def _epoch_s(lab):
    return lab.config.epoch_length / 10**6


# --- The same, computed from the events


def _naive(lab, symbols):
    """Every measure but the delays, told from the events."""
    sent = [each for each in lab.market.arrivals if each.symbol in symbols]
    trades, stopped, ages, spreads, samples = [], [], [], [], 0
    spans = {"halted": [], "paused": [], "auction": [], "limit": []}
    clipped = set()
    for symbol in symbols:
        events = lab.events(symbol)
        trades += [event.trade for event in events if isinstance(event, Traded)]
        stopped += stops(lab, symbol)
        clipped |= {event.order_id for event in events if isinstance(event, Repriced)}
        for each in sent:
            if each.symbol == symbol:
                # Within one instant the slow one does not follow bands that go by trades.
                reference = reference_at(until(events, each.time))
                if reference is not None:
                    ages.append((each.time - reference.time) / 10**6)
        length, each_epoch = lab.config.epoch_length, lab.config.market.samples_per_epoch
        for number in range(1, lab.config.epochs * each_epoch + 1):
            samples += 1
            past = until(events, number * length // each_epoch)
            rest = list(open_orders(past).values())
            bids, asks = levels(rest, Side.BUY), levels(rest, Side.SELL)
            states = [event.state for event in past if isinstance(event, StateChanged)]
            if bids and asks and (not states or states[-1] in ("open", "limit")):
                bid, ask = bids[0][0], asks[0][0]
                spreads.append(float(10_000 * (ask - bid) / ((ask + bid) / 2)))
        changes = [event for event in events if isinstance(event, StateChanged)]
        ends = [change.time for change in changes[1:]] + [lab.config.epochs * length]
        for change, end in zip(changes, ends, strict=False):
            if change.state != "open":
                spans[change.state].append(end - change.time)
    fair = {
        each.order.order_id
        for each in sent
        if each.order.price is not None
        and lab.is_fair(Fraction(each.order.price), each.time / 10**6, each.symbol)
    }
    unfair = [
        trade
        for trade in trades
        if not lab.is_fair(Fraction(trade.price), trade.time / 10**6, trade.symbol)
    ]
    false = [stop for stop in stopped if stop.verdict == "false"]
    assert {stop.event.order_id for stop in false} <= fair
    limits = [stop for stop in stopped if stop.own_price is not None]
    blocked = [
        stop
        for stop in false
        if stop.where == "at_trade"
        and stop.event.price is not None
        and not lab.is_fair(Fraction(stop.event.price), stop.event.time / 10**6, _symbol(stop))
    ]
    closed = [length for state, own in spans.items() if state != "limit" for length in own]
    halted_s = pytest.approx(sum(closed) / 10**6, abs=1e-9)
    watched_s = len(symbols) * lab.config.epochs * lab.config.epoch_length / 10**6
    return {
        "orders": len(sent),
        "trades": len(trades),
        "fair_orders": len(fair),
        "fair_orders_stopped": len(false),
        "fair_stopped_rate": len(false) / len(fair) if fair else None,
        "fair_stopped_at_entry": sum(stop.where == "at_entry" for stop in false),
        "fair_stopped_at_trade": sum(stop.where == "at_trade" for stop in false),
        "fair_swept": sum(stop.where == "swept" for stop in false),
        **{
            f"fair_stopped_{reason}": sum(stop.event.reason == reason for stop in false)
            for reason in STOPPING
        },
        "fair_stopped_blocked": len(blocked),
        "stopped_turned_fair": sum(stop.fair and not stop.came_fair for stop in limits),
        "stopped_turned_unfair": sum(stop.came_fair and not stop.fair for stop in limits),
        "unfair_orders_stopped": sum(not (stop.fair or stop.came_fair) for stop in limits),
        "market_orders": sum(each.order.price is None for each in sent),
        "market_orders_stopped": len(stopped) - len(limits),
        "orders_stopped": len(stopped),
        "stopped_at_entry": sum(stop.where == "at_entry" for stop in stopped),
        "stopped_at_trade": sum(stop.where == "at_trade" for stop in stopped),
        "swept": sum(stop.where == "swept" for stop in stopped),
        "without_reference": sum(stop.event.reason == "no_consensus" for stop in stopped),
        "repriced_orders": len(clipped),
        "fair_orders_repriced": len(clipped & fair),
        "unfair_trades": len(unfair),
        "unfair_trade_rate": len(unfair) / len(trades) if trades else None,
        "stopped_volume": sum(stop.quantity for stop in stopped),
        "fair_stopped_volume": sum(stop.quantity for stop in false),
        "unfair_trade_volume": sum(trade.quantity for trade in unfair),
        "mean_spread_bp": pytest.approx(mean(spreads)) if spreads else None,
        "two_sided_share": len(spreads) / samples,
        "halts": len(spans["halted"]) + len(spans["paused"]),
        "auctions": len(spans["auction"]),
        "halted_s": halted_s,
        "halted_share": pytest.approx(sum(closed) / 10**6 / watched_s),
        **(
            {
                "mean_reference_age_s": pytest.approx(mean(ages)) if ages else None,
                "median_reference_age_s": pytest.approx(median(ages)) if ages else None,
            }
            if lab.config.market.band != "luld"
            else {}
        ),
    }


def _symbol(stop):
    """Ids of orders have the trader, the symbol and a number."""
    return stop.event.order_id.split("/")[1]


def test_all_counts_shares_and_means_are_those_of_the_events(lab):
    found = market_numbers(lab.frames, _epoch_s(lab))
    assert list(found) == list(MEASURES)
    expected = _naive(lab, list(lab.market.engines))
    assert {name: found[name] for name in expected} == expected


def test_each_symbol_has_a_row_of_its_own(lab):
    table = market_quality(lab.frames, lab.config.symbols, _epoch_s(lab))
    assert list(table.columns) == list(MEASURES)
    assert tuple(table.index) == lab.config.symbols
    pooled = market_numbers(lab.frames, _epoch_s(lab))
    for symbol in lab.config.symbols:
        expected = _naive(lab, [symbol])
        found = table.loc[symbol].to_dict()
        assert {name: found[name] for name in expected} == {
            name: value if value is not None or pooled[name] is None else pytest.approx(math.nan)
            for name, value in expected.items()
        }
    counts = [name for name, value in pooled.items() if isinstance(value, int)]
    assert "fair_stopped_blocked" in counts
    for name in counts:
        assert table[name].sum() == pooled[name], name


def test_the_bands_own_refusals_are_of_the_fair_orders_that_came_to_a_reference(lab):
    orders, stopped = lab.frames["orders"], lab.frames["rejections"].query("verdict == 'false'")
    fair = ((orders["type"] == "limit") & orders["fair"]).sum()
    outside = ((stopped["stopped"] == "at_entry") & (stopped["reason"] == "outside_band")).sum()
    early = (stopped["reason"] == "no_consensus").sum()
    numbers = market_numbers(lab.frames, _epoch_s(lab))
    assert share_of("fair_outside_share", numbers) == Share(outside, fair - early)


# --- What adds up


def assert_adds_up(numbers):
    """Hold the breakdowns against what they are breakdowns of."""
    false = numbers["fair_orders_stopped"]
    assert false == sum(
        numbers[name] for name in ("fair_stopped_at_entry", "fair_stopped_at_trade", "fair_swept")
    )
    assert false == sum(numbers[f"fair_stopped_{reason}"] for reason in STOP_REASONS)
    cells = ("stopped_turned_fair", "stopped_turned_unfair", "unfair_orders_stopped")
    limits = false + sum(numbers[name] for name in cells)
    assert numbers["orders_stopped"] == limits + numbers["market_orders_stopped"]
    assert numbers["orders_stopped"] == sum(
        numbers[name] for name in ("stopped_at_entry", "stopped_at_trade", "swept")
    )
    assert false + numbers["stopped_turned_unfair"] <= numbers["fair_orders"]
    assert numbers["fair_stopped_blocked"] <= numbers["fair_stopped_at_trade"]
    for name, part, whole in (
        ("fair_stopped_rate", "fair_orders_stopped", "fair_orders"),
        ("unfair_trade_rate", "unfair_trades", "trades"),
    ):
        share = numbers[name]
        if numbers[whole]:
            assert isinstance(share, Share)
            assert (share.part, share.whole) == (numbers[part], numbers[whole])
        else:
            assert share is None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    band=st.sampled_from(
        ["consensus", "trade_only", "keep_resting", "clip", "luld", "volatility_auction"]
    ),
    step=st.sampled_from(["1min", "6.5h"]),
    volatility=st.sampled_from([1, 6, 20]),
    fair_percent=st.sampled_from([1, 5]),
)
def test_every_order_that_was_stopped_is_in_exactly_one_cell(
    seed, band, step, volatility, fair_percent
):
    market = {"traders": EVERYBODY, "band": band, "fair_percent": fair_percent}
    prices = {"volatility": volatility}
    lab = run(seed=seed, epochs=6, market_time_per_epoch=step, prices=prices, market=market)
    numbers = market_numbers(lab.frames, _epoch_s(lab))
    assert_adds_up(numbers)
    told = [stop.verdict for symbol in lab.market.engines for stop in stops(lab, symbol)]
    assert numbers["orders_stopped"] == len(told)
    for name, value in (
        ("fair_orders_stopped", "false"),
        ("stopped_turned_fair", "turned_fair"),
        ("stopped_turned_unfair", "turned_unfair"),
        ("unfair_orders_stopped", "justified"),
        ("market_orders_stopped", "market"),
    ):
        assert numbers[name] == told.count(value)


# --- A worked example: bands, ranked


def _worked(band):
    """Seven orders in a band of 5 % around $100, which is the true price.

    A typing error bids $120. A check at entry refuses it; without one it rests, and every ask finds
    it, would trade at $120, and is stopped. In the fifth second the true price is $106, which the
    reference does not know: an ask of that price is fair, and outside the band. At last somebody
    bids $98, and somebody sells at any price.
    """
    parameters = {"consensus": {}, "trade_only": {"at_entry": "ignore"}}[band]
    rules = ConsensusBand(5, resting="cancel" if band == "consensus" else "keep", **parameters)
    engine = ConsensusMatchingEngine("AAPL", band=rules)
    engine.set_reference(Reference(Decimal(100), 0), 0)
    second, arrivals = 10**6, []

    def true_price(time):
        return (106 if time == 5 * second else 100) * second

    for number, (side, price) in enumerate(
        (
            ("buy", "120"),
            ("sell", "100"),
            ("sell", "101"),
            ("sell", "99"),
            ("sell", "106"),
            ("buy", "98"),
            ("sell", None),
        ),
        start=1,
    ):
        kind = "market" if price is None else "limit"
        order = Order(str(number), "AAPL", side, kind, 10, price, "someone")
        time = number * second
        arrivals.append(Arrival(time, "AAPL", order, "kind", "honest", true_price(time)))
        engine.submit(order, time)
    return market_numbers(make_frames(told(list(engine.events), arrivals, true_price)), 1.0)


def test_a_band_is_not_praised_for_the_fair_orders_that_an_error_blocks():
    """Judged by what rests in the book, each of the four was stopped justly."""
    checked, unchecked = _worked("consensus"), _worked("trade_only")
    assert checked["fair_orders"] == unchecked["fair_orders"] == 5
    # With the check: the error at entry, justly, and the ask of $106.
    assert (checked["fair_orders_stopped"], checked["unfair_orders_stopped"]) == (1, 1)
    assert checked["fair_stopped_at_entry"] == 1
    assert (checked["trades"], checked["market_orders_stopped"]) == (1, 0)
    # Without: four asks and the market order at the trade with the error, which stays.
    assert (unchecked["fair_orders_stopped"], unchecked["unfair_orders_stopped"]) == (4, 0)
    assert unchecked["fair_stopped_at_trade"] == 4
    assert unchecked["fair_stopped_blocked"] == 4
    assert (unchecked["trades"], unchecked["market_orders_stopped"]) == (0, 1)
    assert checked["fair_stopped_rate"] == 0.2 < 0.8 == unchecked["fair_stopped_rate"]
    assert_adds_up(checked)
    assert_adds_up(unchecked)


# --- Another answer to what is fair


def test_the_frames_judged_by_their_own_percentage_are_the_same(lab):
    again = judged_by(lab.frames, lab.config.market.fair_percent)
    for name, frame in lab.frames.items():
        pd.testing.assert_frame_equal(again[name], frame, check_exact=True)


def test_an_order_is_not_judged_by_one_that_was_refused_under_its_name():
    lab = run(seed=8, **RUNS["wild"])
    orders, rejections = lab.frames["orders"], lab.frames["rejections"]
    later = rejections[rejections["stopped"].isin(["at_trade", "swept"])]
    refused = orders[orders["order_id"].isin(later["order_id"]) & orders["price"].notna()]
    assert refused["fair"].any()
    refused = refused.assign(status="rejected", price=0.01)
    frames = {**lab.frames, "orders": pd.concat([orders, refused], ignore_index=True)}
    again = judged_by(frames, lab.config.market.fair_percent)
    pd.testing.assert_frame_equal(again["rejections"], rejections, check_exact=True)


EDGES = ["95", "94.999999999999", "105", "105.000000000001", "105.01"]
_micros = st.integers(1, 10**18)
_prices = st.decimals("0.01", 10**12, places=2) | st.decimals("0.01", 10**12, places=12)


@given(
    orders=st.lists(
        st.tuples(st.none() | _prices, _micros)
        # At the edge, one millionth beyond, and just inside: a hundred dollars, and 5 %.
        | st.tuples(st.sampled_from([None, *map(Decimal, EDGES)]), st.just(10**8)),
        max_size=20,
    ),
    hundredths=st.sampled_from([0, 1, 500, 10_000]),
)
def test_many_prices_are_as_fair_as_each_is(orders, hundredths):
    prices, truth = [price for price, _ in orders], [true for _, true in orders]
    each = [price is None or is_fair(price, true, hundredths) for price, true in orders]
    assert are_fair(prices, truth, hundredths).tolist() == each


@pytest.mark.parametrize("name", ["wild", "at the trade only", "two symbols"])
def test_another_percentage_needs_no_other_run(name):
    lab = run(seed=8, **RUNS[name])
    for percent in (1, "2.5", Decimal(9)):
        market = {**RUNS[name].get("market", {}), "fair_percent": percent}
        other = run(seed=8, **{**RUNS[name], "market": market})
        again = judged_by(lab.frames, percent)
        for frame in ("orders", "trades", "rejections"):
            pd.testing.assert_frame_equal(again[frame], other.frames[frame], check_exact=True)


def test_percentages_stand_beside_each_other():
    result = sl.Experiment(epochs=20, seed=1, signatures="none").run()
    table = result.sensitivity()
    assert table.index.tolist() == [1, 2, 5]
    assert table.columns.tolist() == list(OF_FAIRNESS)
    for percent in table.index:
        numbers = market_numbers(judged_by(result.frames, percent), 1.0)
        assert table.loc[percent].tolist() == [numbers[name] for name in OF_FAIRNESS]
        assert_adds_up(numbers)
    assert table["fair_orders"].is_monotonic_increasing
    assert table["unfair_trades"].is_monotonic_decreasing
    assert numbers == result.market_numbers
    for wrong in (-1, "some", 0.001):
        with pytest.raises(sl.InvalidInput, match="fair_percent"):
            result.sensitivity([5, wrong])


# --- Definitions, on frames made by hand


def _frames(**rows):
    """Frames with these rows; what a row does not say is 0, empty or missing."""
    blank = {"str": "", "float64": float("nan"), "Int64": None, "int64": 0, "bool": False}
    frames = {}
    for name in ("orders", "trades", "rejections", "bands", "book"):
        columns = COLUMNS[name]
        defaults = {column: blank[what.dtype] for column, what in columns.items()}
        full = [{**defaults, "symbol": "AAPL", **row} for row in rows.get(name, [])]
        dtypes = {column: what.dtype for column, what in columns.items()}
        frames[name] = pd.DataFrame(full, columns=[*columns]).astype(dtypes)
    return frames


def _numbers(**rows):
    return market_numbers(_frames(**rows), 1.0)


def test_an_empty_market_has_nothing_to_measure():
    numbers = _numbers()
    counts = [name for name, value in numbers.items() if value is not None]
    assert {numbers[name] for name in counts} == {0}
    assert set(MEASURES) - set(counts) == {
        "fair_stopped_rate",
        "unfair_trade_rate",
        "mean_spread_bp",
        "two_sided_share",
        "halted_share",
        "discovery_delay_s",
        "reference_delay_s",
        "mean_reference_age_s",
        "median_reference_age_s",
    }


def test_the_rate_is_of_limit_orders_and_volumes_are_of_all():
    orders = [
        {"order_id": "fair", "type": "limit", "fair": True},
        {"order_id": "let in", "type": "limit", "fair": True},
        {"order_id": "far", "type": "limit"},
        {"order_id": "market", "type": "market", "fair": True},
    ]
    stopped = {"action": "rejected", "stopped": "at_entry", "quantity": 10}
    rejections = [
        {**stopped, "order_id": "fair", "verdict": "false", "reason": "outside_band"},
        {**stopped, "order_id": "market", "verdict": "market", "reason": "no_consensus"},
        {**stopped, "order_id": "far", "verdict": "justified", "reason": "outside_band"},
        {"order_id": "let in", "action": "cancelled", "quantity": 10, "reason": "no_liquidity"},
    ]
    numbers = _numbers(orders=orders, rejections=rejections)
    assert numbers["fair_orders"] == 2
    assert numbers["fair_orders_stopped"] == numbers["unfair_orders_stopped"] == 1
    assert numbers["fair_stopped_rate"] == 0.5
    assert (numbers["market_orders"], numbers["market_orders_stopped"]) == (1, 1)
    assert (numbers["stopped_volume"], numbers["fair_stopped_volume"]) == (30, 10)
    assert_adds_up(numbers)


def test_stopped_orders_are_counted_by_the_column_that_says_it():
    odd = {"verdict": "justified", "stopped": "at_entry", "reason": "market", "quantity": 1}
    numbers = _numbers(orders=[{"type": "limit"}], rejections=[odd])
    assert (numbers["market_orders_stopped"], numbers["unfair_orders_stopped"]) == (0, 1)


def test_an_order_that_is_sent_once_more_is_another_one():
    orders = [{"order_id": "again", "type": "limit", "fair": True, "status": "rejected"}] * 3
    row = {"order_id": "again", "verdict": "false", "action": "rejected", "stopped": "at_entry"}
    numbers = _numbers(orders=orders, rejections=[{**row, "reason": "no_consensus"}] * 3)
    assert numbers["orders"] == numbers["fair_orders"] == numbers["fair_orders_stopped"] == 3
    assert_adds_up(numbers)


def test_halts_and_auctions_are_timed_to_the_instant_and_not_by_samples():
    book = [{"time_s": float(number), "symbol": symbol} for number in range(11) for symbol in "AB"]
    states = [
        ("A", 1.25, "limit"),
        ("A", 1.5, "auction"),
        ("A", 1.75, "auction"),  # a move of the band
        ("A", 3.125, "auction"),
        ("A", 3.5, "open"),
        ("A", 4.0, "auction"),
        ("A", 4.0, "open"),  # an auction that ends at once
        ("A", 5.0, "paused"),
        ("A", 5.5, "halted"),
        ("A", 6.0, "open"),
        ("B", 9.75, "auction"),  # until the end
    ]
    bands = [dict(zip(("symbol", "time_s", "state"), row, strict=True)) for row in states]
    numbers = _numbers(book=book, bands=bands)
    assert (numbers["halts"], numbers["auctions"]) == (2, 3)
    assert numbers["halted_s"] == 2.0 + 0.5 + 0.5 + 0.25
    share = numbers["halted_share"]
    assert (share.part, share.whole) == (3.25, 20.0)


def test_the_spread_is_of_the_time_in_which_orders_are_matched():
    quote = {"best_bid": 99.0, "best_ask": 101.0}
    states = ["open", "open", "limit", "auction", "halted", "paused", "open", "open", "open"]
    quotes = [quote, quote, {"best_bid": 90.0, "best_ask": 110.0}, quote, quote, quote]
    quotes += [{"best_bid": 99.0}, {"best_ask": 101.0}, {}]
    book = [
        {"time_s": float(number), "state": state, "true_price": 100.0, **shown}
        for number, (state, shown) in enumerate(zip(states, quotes, strict=True))
    ]
    numbers = _numbers(book=book)
    # The first sample is of the instant 0, before any time has passed.
    assert numbers["mean_spread_bp"] == pytest.approx((200 + 2_000) / 2)
    assert numbers["two_sided_share"] == 2 / 8
    assert isinstance(numbers["two_sided_share"], Share)


# --- Delays


def _walk(length, seed=0):
    steps = np.random.default_rng(seed).normal(0, 0.01, length)
    return 100 * np.exp(np.cumsum(steps))


def _samples(true, seen, step=0.25, symbol="AAPL"):
    times = step * np.arange(len(true))
    return pd.DataFrame({"symbol": symbol, "time_s": times, "true_price": true, "seen": seen})


def _late(true, steps):
    """What is seen of a path that many samples late; nothing at first."""
    seen = np.full(len(true), np.nan)
    seen[steps:] = true[: len(true) - steps]
    return seen


@given(steps=st.integers(0, 48), seed=st.integers(0, 10**6), step=st.sampled_from([0.05, 0.25]))
def test_a_known_delay_is_found(steps, seed, step):
    true = _walk(200, seed)
    assert delay(_samples(true, _late(true, steps), step), 4 * step) == pytest.approx(steps * step)


def test_the_delay_of_what_is_refreshed_now_and_then_is_the_median_of_its_ages():
    true = _walk(40_000)
    ages = np.tile(np.arange(5) + 6, 8_000)  # refreshed each 5 samples, 6 samples late
    seen = np.full(len(true), np.nan)
    late = np.arange(len(true)) - ages
    seen[late >= 0] = true[late[late >= 0]]
    assert delay(_samples(true, seen), 1.0) == 8 * 0.25


def test_what_stands_still_has_no_delay():
    true, still = _walk(100), np.full(100, 100.0)
    nothing = np.full(100, np.nan)
    assert delay(_samples(true, still), 1.0) is None
    assert delay(_samples(still, true), 1.0) is None
    assert delay(_samples(still, still), 1.0) is None
    assert delay(_samples(true, nothing), 1.0) is None
    moving = _samples(true, _late(true, 3))
    assert delay(pd.concat([_samples(true, still, symbol="MSFT"), moving]), 1.0) == 0.75


def test_of_delays_that_are_equally_good_it_is_the_middle_one():
    """A path of daily closes moves once an epoch."""
    closes = np.repeat(_walk(60), 4)
    assert delay(_samples(closes, _late(closes, 8)), 1.0) == 2.0
    seen = np.full(240, np.nan)
    seen[9::4] = closes[9::4]  # looked at once an epoch, in the second quarter of it
    assert delay(_samples(closes, seen), 1.0) == pytest.approx((0 + 0.25) / 2)


def test_delays_are_looked_for_within_twelve_epochs_and_half_of_the_run():
    true = _walk(400)
    far = delay(_samples(true, _late(true, 60)), 1.0)
    assert far is not None
    assert far <= 12.0
    short = _walk(21)
    assert delay(_samples(short, _late(short, 10)), 1.0) == 2.5
    # Twenty samples are nineteen steps, and ten of them are more than half.
    even = delay(_samples(short[1:], _late(short[1:], 10)), 1.0)
    assert even is not None
    assert even <= 9 * 0.25
    assert delay(_samples(short[:2], short[:2]), 1.0) is None
    assert delay(_samples(short[:0], short[:0]), 1.0) is None


@pytest.mark.parametrize("link", ["20ms", "150ms"])
def test_the_delay_of_the_reference_is_the_age_of_the_quotes_behind_it(link):
    """Constant links: each quote is as old when it becomes the reference, and one epoch more."""
    result = sl.Experiment(
        epochs=400,
        network={"median_delay": link, "delay_spread": 0},
        # Nights, in which much passes in no time, would make the nearest age another one.
        prices={"nights": 0, "intraday": 0},
        market={"traders": 0, "samples_per_epoch": 8},
        signatures="none",
    ).run()
    final = result.epochs.dropna(subset=["finalized_s", "consensus_price"])
    (latency,) = set(np.round(final.latency_s, 6))
    book = result.book.dropna(subset=["reference_price"])
    quoted = dict(zip(np.round(final.finalized_s, 6), final.start_s, strict=True))
    since = np.round(book.time_s - book.reference_age_s, 6)
    ages = book.time_s - since.map(quoted)
    assert ages.min() >= latency
    found = result.market_numbers["reference_delay_s"]
    assert abs(found - ages.mean()) <= 1 / 8


def test_noise_and_gaps_do_not_hide_a_delay():
    random = np.random.default_rng(3)
    true = _walk(2_000)
    seen = _late(true, 7) * np.exp(random.normal(0, 0.005, 2_000))
    seen[random.random(2_000) < 0.3] = np.nan
    assert delay(_samples(true, seen), 1.0) == 7 * 0.25


def test_the_level_of_a_symbol_does_not_weigh():
    """Together they have one delay, and it is the same in cents."""
    true, other = _walk(400), _walk(400, seed=1)
    first = _samples(true, _late(true, 9))
    second = _samples(other, _late(other, 2), symbol="MSFT")
    together = delay(pd.concat([first, second]), 1.0)
    assert together in (9 * 0.25, 2 * 0.25)
    for table in (first, second):
        in_cents = table.assign(true_price=100 * table.true_price, seen=100 * table.seen)
        both = [in_cents if each is table else each for each in (first, second)]
        assert delay(pd.concat(both), 1.0) == together
    same = _samples(other, _late(other, 9), symbol="MSFT")
    assert delay(pd.concat([first, same]), 1.0) == 9 * 0.25


def test_a_run_without_traders_still_measures_its_reference():
    numbers = sl.Experiment(epochs=12, market={"traders": 0}, signatures="none").run()
    assert numbers.market_numbers["orders"] == 0
    assert numbers.market_numbers["reference_delay_s"] is not None
    assert numbers.market_numbers["mean_reference_age_s"] is None
    assert numbers.market_quality.shape == (1, len(MEASURES))


# --- The same again


def test_another_percentage_changes_nothing_where_nobody_trades():
    without_orders = sl.Experiment(epochs=4, market={"traders": 0}).run()
    for result in (without_orders, sl.run_protocol(epochs=4)):
        assert (result.sensitivity((1, 5))["unfair_trades"] == 0).all()
