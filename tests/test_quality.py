"""Market quality: the same figures from the events and the path, and delays that are known."""

from fractions import Fraction
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from frames.naive import Lab, levels, open_orders, reference_at, run, until
from hypothesis import given
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab.columns import COLUMNS
from streamlet_lab.frames.tables import make_frame
from streamlet_lab.matching import Cancelled, Clipped, Rejected, RejectReason, Side, Traded
from streamlet_lab.quality import MEASURES, delay, market_numbers, market_quality

EVERYBODY = [
    {"kind": "zero_intelligence", "count": 6, "rate": 1},
    {"kind": "fat_finger", "rate": 1},
    {"kind": "market_maker", "rate": 2},
    {"kind": "informed", "rate": 1},
]

RUNS: dict[str, dict[str, Any]] = {
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
}

BAND = {"outside_band", "no_consensus", "stale_reference", "in_auction"}


@pytest.fixture(scope="module", params=RUNS)
def lab(request: pytest.FixtureRequest) -> Lab:
    return run(seed=8, **RUNS[request.param])


def _epoch_s(lab: Lab) -> float:
    return lab.config.epoch_length / 10**6


# --- The same, computed from the events


def _naive(lab: Lab, symbols: list[str]) -> dict[str, Any]:
    """Every measure but the delays, told from the events."""
    sent = [each for each in lab.market.arrivals if each.symbol in symbols]
    orders = {each.order.order_id: each for each in sent}
    trades, turned, ages, spreads, halted, samples = [], [], [], [], 0, 0
    for symbol in symbols:
        events = lab.events(symbol)
        trades += [event.trade for event in events if isinstance(event, Traded)]
        turned += [
            (symbol, event)
            for event in events
            if isinstance(event, Rejected | Cancelled) and event.reason in BAND
        ]
        for each in sent:
            if each.symbol == symbol:
                reference = reference_at(until(events, each.time))
                if reference is not None:
                    ages.append((each.time - reference.time) / 10**6)
        length, each_epoch = lab.config.epoch_length, lab.config.market.samples_per_epoch
        for number in range(1, lab.config.epochs * each_epoch + 1):
            samples += 1
            rest = list(open_orders(until(events, number * length // each_epoch)).values())
            bids, asks = levels(rest, Side.BUY), levels(rest, Side.SELL)
            if bids and asks:
                bid, ask = bids[0][0], asks[0][0]
                spreads.append(float(10_000 * (ask - bid) / ((ask + bid) / 2)))
    fair = {
        order_id
        for order_id, each in orders.items()
        if each.order.price is not None
        and lab.is_fair(Fraction(each.order.price), each.time / 10**6, each.symbol)
    }
    clipped = {
        event.order_id
        for symbol in symbols
        for event in lab.events(symbol)
        if isinstance(event, Clipped)
    }
    false, justified, lost, early = set(), set(), 0, set()
    rejected = 0
    for symbol, event in turned:
        arrival = orders[event.order_id]
        quantity = event.quantity if isinstance(event, Cancelled) else arrival.order.quantity
        price = arrival.order.price if event.price is None else event.price
        rejected += quantity
        if price is None or lab.is_fair(Fraction(price), event.time / 10**6, symbol):
            false.add(event.order_id)
            if event.reason is RejectReason.NO_CONSENSUS:
                early.add(event.order_id)
            lost += quantity
        else:
            justified.add(event.order_id)
    missed = [
        trade
        for trade in trades
        if not lab.is_fair(Fraction(trade.price), trade.time / 10**6, trade.symbol)
    ]
    return {
        "orders": len(sent),
        "trades": len(trades),
        "fair_orders": len(fair),
        "false_rejections": len(false & fair),
        "before_reference": len(early & fair),
        "justified_rejections": len(justified),
        "false_rejection_rate": len(false & fair) / len(fair) if fair else None,
        "clipped_orders": len(clipped & fair),
        "missed_trades": len(missed),
        "missed_rate": len(missed) / len(trades) if trades else None,
        "rejected_volume": rejected,
        "lost_volume": lost,
        "missed_volume": sum(trade.quantity for trade in missed),
        "mean_spread_bp": pytest.approx(mean(spreads)) if spreads else None,
        "two_sided_share": len(spreads) / samples,
        "halted_share": halted / samples,
        "mean_reference_age_s": pytest.approx(mean(ages)) if ages else None,
        "median_reference_age_s": pytest.approx(median(ages)) if ages else None,
    }


def test_all_counts_shares_and_means_are_those_of_the_events(lab: Lab) -> None:
    found = market_numbers(lab.frames, _epoch_s(lab))
    assert list(found) == list(MEASURES)
    expected = _naive(lab, list(lab.market.engines))
    assert {name: found[name] for name in expected} == expected


def test_each_symbol_has_a_row_of_its_own(lab: Lab) -> None:
    table = market_quality(lab.frames, lab.config.symbols, _epoch_s(lab))
    assert list(table.columns) == list(MEASURES)
    assert tuple(table.index) == lab.config.symbols
    for symbol in lab.config.symbols:
        expected = _naive(lab, [symbol])
        found = table.loc[symbol]
        assert {name: found[name] for name in expected} == expected
    pooled = market_numbers(lab.frames, _epoch_s(lab))
    for name in ("orders", "trades", "fair_orders", "rejected_volume", "missed_volume"):
        assert table[name].sum() == pooled[name]


def test_these_runs_have_something_to_count() -> None:
    wild = run(seed=8, **RUNS["wild"])
    numbers = market_numbers(wild.frames, _epoch_s(wild))
    for name in ("false_rejections", "justified_rejections", "missed_trades", "lost_volume"):
        assert numbers[name] > 0, name
    assert 0 < numbers["lost_volume"] < numbers["rejected_volume"]


# --- Definitions, on frames made by hand


def _frames(**rows: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Frames with these rows; what a row does not say is 0, empty or missing."""
    blank = {"str": "", "float64": float("nan"), "Int64": None, "int64": 0, "bool": False}
    frames = {}
    for name in ("orders", "trades", "rejections", "book"):
        columns = COLUMNS[name]
        defaults = {column: blank[what.dtype] for column, what in columns.items()}
        full = [{**defaults, "symbol": "AAPL", **row} for row in rows.get(name, [])]
        frames[name] = make_frame(columns, [tuple(row.values()) for row in full])
    return frames


def _numbers(**rows: list[dict[str, Any]]) -> dict[str, Any]:
    return market_numbers(_frames(**rows), 1.0)


def test_an_empty_market_has_nothing_to_measure() -> None:
    numbers = _numbers()
    counts = [name for name, value in numbers.items() if value is not None]
    assert {numbers[name] for name in counts} == {0}
    assert set(MEASURES) - set(counts) == {
        "false_rejection_rate",
        "missed_rate",
        "mean_spread_bp",
        "two_sided_share",
        "halted_share",
        "discovery_delay_s",
        "reference_delay_s",
        "mean_reference_age_s",
        "median_reference_age_s",
    }


def test_the_rate_is_of_limit_orders_and_the_volumes_are_of_all() -> None:
    orders = [
        {"order_id": "fair", "type": "limit", "fair": True},
        {"order_id": "let in", "type": "limit", "fair": True},
        {"order_id": "far", "type": "limit"},
        {"order_id": "market", "type": "market", "fair": True},
    ]
    turned = {"action": "rejected", "quantity": 10}
    rejections = [
        {**turned, "order_id": "fair", "verdict": "false"},
        {**turned, "order_id": "market", "verdict": "false"},
        {**turned, "order_id": "far", "verdict": "justified"},
        {**turned, "order_id": "let in", "verdict": "", "action": "cancelled"},
    ]
    numbers = _numbers(orders=orders, rejections=rejections)
    assert numbers["fair_orders"] == 2
    assert numbers["false_rejections"] == numbers["justified_rejections"] == 1
    assert numbers["false_rejection_rate"] == 0.5
    assert (numbers["rejected_volume"], numbers["lost_volume"]) == (30, 20)


def test_an_order_counts_once_however_often_it_is_turned_away() -> None:
    orders = [{"order_id": "again", "type": "limit", "fair": True}] * 3
    rejections = [{"order_id": "again", "verdict": "false", "action": "rejected"}] * 3
    rejections += [{"order_id": "far", "verdict": "justified", "action": "reduced"}] * 2
    numbers = _numbers(orders=orders, rejections=rejections)
    assert numbers["orders"] == 3
    assert numbers["fair_orders"] == numbers["false_rejections"] == 1
    assert numbers["justified_rejections"] == 1


def test_an_order_that_may_not_be_replaced_is_not_turned_away() -> None:
    orders = [{"order_id": "a", "type": "limit", "fair": True}]
    rejections = [
        {"order_id": "a", "verdict": verdict, "action": "not replaced"}
        for verdict in ("false", "justified")
    ]
    numbers = _numbers(orders=orders, rejections=rejections)
    assert numbers["false_rejections"] == numbers["justified_rejections"] == 0


def test_the_spread_is_of_the_time_in_which_orders_are_matched() -> None:
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
    assert numbers["halted_share"] == 3 / 8


# --- Delays


def _walk(length: int, seed: int = 0) -> npt.NDArray[np.float64]:
    steps = np.random.default_rng(seed).normal(0, 0.01, length)
    return 100 * np.exp(np.cumsum(steps))


def _samples(
    true: npt.NDArray[np.float64],
    seen: npt.NDArray[np.float64],
    step: float = 0.25,
    symbol: str = "AAPL",
) -> pd.DataFrame:
    times = step * np.arange(len(true))
    return pd.DataFrame({"symbol": symbol, "time_s": times, "true_price": true, "seen": seen})


def _late(true: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
    """What is seen of a path that many samples late; nothing at first."""
    seen = np.full(len(true), np.nan)
    seen[steps:] = true[: len(true) - steps]
    return seen


@given(steps=st.integers(0, 48), seed=st.integers(0, 10**6), step=st.sampled_from([0.05, 0.25]))
def test_a_known_delay_is_found(steps: int, seed: int, step: float) -> None:
    true = _walk(200, seed)
    assert delay(_samples(true, _late(true, steps), step), 4 * step) == pytest.approx(steps * step)


def test_noise_and_gaps_do_not_hide_a_delay() -> None:
    random = np.random.default_rng(3)
    true = _walk(2_000)
    seen = _late(true, 7) * np.exp(random.normal(0, 0.005, 2_000))
    seen[random.random(2_000) < 0.3] = np.nan
    assert delay(_samples(true, seen), 1.0) == 7 * 0.25


def test_the_delay_of_what_is_refreshed_now_and_then_is_the_median_of_its_ages() -> None:
    true = _walk(40_000)
    ages = np.tile(np.arange(5) + 6, 8_000)  # refreshed each 5 samples, 6 samples late
    seen = np.full(len(true), np.nan)
    late = np.arange(len(true)) - ages
    seen[late >= 0] = true[late[late >= 0]]
    assert delay(_samples(true, seen), 1.0) == 8 * 0.25


def test_the_level_of_a_symbol_does_not_weigh() -> None:
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


def test_what_stands_still_has_no_delay() -> None:
    true, still = _walk(100), np.full(100, 100.0)
    nothing = np.full(100, np.nan)
    assert delay(_samples(true, still), 1.0) is None
    assert delay(_samples(still, true), 1.0) is None
    assert delay(_samples(still, still), 1.0) is None
    assert delay(_samples(true, nothing), 1.0) is None
    moving = _samples(true, _late(true, 3))
    assert delay(pd.concat([_samples(true, still, symbol="MSFT"), moving]), 1.0) == 0.75


def test_of_delays_that_are_equally_good_it_is_the_middle_one() -> None:
    """A path of daily closes moves once an epoch."""
    closes = np.repeat(_walk(60), 4)
    assert delay(_samples(closes, _late(closes, 8)), 1.0) == 2.0
    seen = np.full(240, np.nan)
    seen[9::4] = closes[9::4]  # looked at once an epoch, in the second quarter of it
    assert delay(_samples(closes, seen), 1.0) == pytest.approx((0 + 0.25) / 2)


def test_delays_are_looked_for_within_twelve_epochs_and_half_of_the_run() -> None:
    true = _walk(400)
    far = delay(_samples(true, _late(true, 60)), 1.0)
    assert far is not None
    assert far <= 12.0
    short = _walk(21)
    assert delay(_samples(short, _late(short, 10)), 1.0) == 2.5
    assert delay(_samples(short[:2], short[:2]), 1.0) is None
    assert delay(_samples(short[:0], short[:0]), 1.0) is None


def test_of_an_even_number_of_samples_half_of_the_run_is_rounded_down() -> None:
    """Twenty samples are nineteen steps: nine is less than half of them, ten is more."""
    even = _walk(20)
    assert delay(_samples(even, _late(even, 9)), 1.0) == 9 * 0.25
    beyond = delay(_samples(even, _late(even, 10)), 1.0)
    assert beyond is not None
    assert beyond <= 9 * 0.25


@pytest.mark.parametrize("link", ["20ms", "150ms"])
def test_the_delay_of_the_reference_is_the_age_of_the_quotes_behind_it(link: str) -> None:
    """Constant links: each quote is as old when it becomes the reference, and one epoch more."""
    result = sl.Experiment(
        epochs=400,
        network={"median_delay": link, "delay_spread": 0},
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


# --- The same again


def test_a_loaded_result_has_the_same_quality(tmp_path: Path) -> None:
    experiment = sl.Experiment(
        epochs=12, symbols=["AAPL", "MSFT"], market={"traders": EVERYBODY}, signatures="none"
    )
    result = experiment.run()
    result.save(tmp_path / "run.zip")
    loaded = sl.Result.load(tmp_path / "run.zip")
    pd.testing.assert_frame_equal(loaded.market_quality, result.market_quality, check_exact=True)
    assert loaded.market_numbers == result.market_numbers
    again = experiment.run()
    pd.testing.assert_frame_equal(again.market_quality, result.market_quality, check_exact=True)


def test_every_measure_has_a_meaning() -> None:
    assert all(MEASURES.values())
    assert len(set(MEASURES.values())) == len(MEASURES)


def test_a_run_without_traders_still_measures_its_reference() -> None:
    numbers = sl.Experiment(epochs=12, market={"traders": 0}, signatures="none").run()
    assert numbers.market_numbers["orders"] == 0
    assert numbers.market_numbers["reference_delay_s"] is not None
    assert numbers.market_numbers["mean_reference_age_s"] is None
    assert numbers.market_quality.shape == (1, len(MEASURES))
