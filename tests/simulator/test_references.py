"""References that need no agreement: what they publish, and what the market makes of it."""

import random
from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise, takewhile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matching.calling import state_of

import streamlet_lab as sl
from streamlet_lab import InvalidInput, Publication
from streamlet_lab.config import ReferenceConfig
from streamlet_lab.matching import ReferenceMoved, Rejected, RejectReason, replay
from streamlet_lab.matching.watch import bands
from streamlet_lab.simulator import Market
from streamlet_lab.simulator.references import Publications
from streamlet_lab.units import to_microseconds

from .stocks import network

SECOND = 1_000_000
DAY = to_microseconds("6.5h")
ORACLES = {
    "delayed": {"kind": "delayed", "parameters": {"delay": "8h", "every": "3h"}},
    "heartbeat": "heartbeat",
    "twap": {"kind": "twap", "parameters": {"window": "9h", "every": "2h", "check": "30min"}},
}


def published(kind, prices, *, until=None, **parameters):
    """What a kind publishes of a list of prices, one a second, the last of which lasts for ever."""

    def price(time):
        assert time >= 0
        return prices[min(time // SECOND, len(prices) - 1)]

    feed = Publications(ReferenceConfig(kind=kind, parameters=parameters), price)
    until = (len(prices) - 1) * SECOND if until is None else until
    return list(takewhile(lambda publication: publication.time <= until, feed))


walks = st.lists(st.integers(-2_000_000, 2_000_000), min_size=1, max_size=60).map(
    lambda steps: [100_000_000 + sum(steps[: end + 1]) for end in range(len(steps))]
)
seconds = st.integers(1, 9)


# --- What is published


@given(prices=walks, delay=st.integers(0, 9), every=seconds, first=st.integers(0, 9))
def test_a_delayed_price_is_that_of_so_long_ago(prices, delay, every, first):
    found = published("delayed", prices, delay=f"{delay}s", every=f"{every}s", first=f"{first}s")
    last = len(prices) - 1
    assert found == [
        Publication((start + delay) * SECOND, prices[start], start * SECOND)
        for start in range(first, last + 1, every)
        if start + delay <= last
    ]


@given(
    prices=walks,
    deviation=st.sampled_from(["0", "0.01", "0.5", "1", "3"]),
    heartbeat=st.integers(1, 30),
    check=st.integers(1, 5),
)
def test_a_heartbeat_is_never_further_than_its_threshold_and_one_step(
    prices, deviation, heartbeat, check
):
    found = published(
        "heartbeat",
        prices,
        deviation_percent=deviation,
        heartbeat=f"{heartbeat}s",
        check=f"{check}s",
    )
    times, threshold = [one.time for one in found], Fraction(deviation) / 100
    assert times[0] == 0
    for second, true in enumerate(prices):
        last = found[bisect_right(times, second * SECOND) - 1].price
        looked = prices[second - second % check]
        assert abs(looked - last) <= threshold * last
        assert abs(true - last) <= threshold * last + abs(true - looked)
    for before, after in pairwise(found):
        moved = abs(after.price - before.price) > threshold * before.price
        passed = after.time - before.time >= heartbeat * SECOND
        assert moved or passed
        # Not later than at the first look after a heartbeat.
        assert after.time - before.time < (heartbeat + check) * SECOND
        assert after.price == prices[after.time // SECOND]
        assert after.quoted == after.time


@pytest.mark.parametrize(
    ("prices", "settings", "seconds"),
    [
        ([100_000_000, 100_500_000, 100_500_001], {"heartbeat": "1h", "check": 1}, [0, 2]),
        (14 * [100_000_000], {"heartbeat": 4, "check": 2}, [0, 4, 8, 12]),
    ],
)
def test_a_move_beyond_the_threshold_is_published_or_a_heartbeat_later(prices, settings, seconds):
    found = published("heartbeat", prices, deviation_percent=0.5, **settings)
    assert [(one.time, one.price) for one in found] == [(s * SECOND, prices[s]) for s in seconds]


def test_what_a_heartbeat_sees_is_known_a_delay_later():
    prices = [100_000_000, 102_000_000, 104_000_000]
    found = published("heartbeat", prices, until=9 * SECOND, check=1, delay="3s", heartbeat="1min")
    assert found == [
        Publication((second + 3) * SECOND, price, second * SECOND)
        for second, price in enumerate(prices)
    ]


@given(prices=walks, looks=seconds, every=seconds, check=seconds)
def test_a_twap_is_the_average_of_what_was_seen_in_its_window(prices, looks, every, check):
    until = 60 * SECOND
    found = published(
        "twap",
        prices,
        until=until,
        window=f"{looks * check}s",
        every=f"{every * check}s",
        check=f"{check}s",
    )
    assert [one.time for one in found] == [*range(0, until + 1, every * check * SECOND)][1:]
    for one in found:
        now = one.time // SECOND
        seen = range(max(now - looks * check, 0), now, check)
        assert one.price == Fraction(
            sum(prices[min(second, len(prices) - 1)] for second in seen), len(seen)
        )
        # Half a step may be half a microsecond.
        assert abs(one.quoted - SECOND * Fraction(sum(seen), len(seen))) <= 1


@pytest.mark.parametrize("looks", [1, 10, 60])
def test_on_a_random_walk_a_twap_is_as_far_as_a_price_of_a_third_of_its_window(looks):
    stream, prices, step = random.Random(5), [10**12], 1_000
    for _ in range(60_000):
        prices.append(prices[-1] + stream.choice([-step, step]))
    found = published("twap", prices, window=looks, every=1, check=1)[looks:]
    errors = [(prices[one.time // SECOND] - one.price) ** 2 for one in found]
    # The variance of a second is the square of its step.
    age = float(sum(errors) / len(errors)) / step**2
    exact = (looks + 1) * (2 * looks + 1) / (6 * looks)
    assert age == pytest.approx(exact, rel=0.06)
    if looks == 60:
        assert age == pytest.approx(looks / 3, rel=0.06)
    mean_age = sum(one.time - one.quoted for one in found) / len(found) / SECOND
    assert mean_age == (looks + 1) / 2


# --- Kinds of one's own


@pytest.mark.parametrize("kind", [lambda price: [], lambda price: None])
def test_what_yields_no_publications_is_no_kind(kind):
    with pytest.raises(InvalidInput, match=r"^market\.reference: .* an iterator"):
        sl.Experiment(market={"reference": kind})


def test_a_wrong_price_of_a_publication_is_no_parameter_of_its_kind():
    def floats(price):
        yield Publication(0, float(price(0)), 0)

    with pytest.raises(InvalidInput, match=r"^market\.reference: price: 150000000\.0 is not valid"):
        sl.Experiment(market={"reference": floats})


@pytest.mark.parametrize(
    "second", [3, (2 * DAY, 100_000_000, 0), Publication(DAY - 1, 100_000_000, 0)]
)
def test_what_is_no_later_publication_is_refused(second):
    experiment = sl.Experiment(
        epochs=4,
        market={"reference": lambda price: iter([Publication(DAY, 100_000_000, 0), second])},
    )
    with pytest.raises(InvalidInput, match=r"^market\.reference: .* from 23400000000 on"):
        experiment.run()


def test_the_reference_is_rounded_to_the_cent_half_even():
    prices = [100_005_000, 100_015_000, Fraction(300_015_001, 3), 100_024_999]
    lab, _ = network(
        epochs=5,
        market={
            "reference": lambda price: (
                Publication(day * DAY, price, 0) for day, price in enumerate(prices)
            ),
            "traders": 0,
        },
    )
    market = Market(lab)
    lab.run(5)
    moves = [event for event in market.engines["AAPL"].events if isinstance(event, ReferenceMoved)]
    assert [str(event.reference.price) for event in moves] == [
        "100.00",
        "100.02",
        "100.01",
        "100.02",
    ]
    assert [event.time for event in moves] == [0, 1 * SECOND, 2 * SECOND, 3 * SECOND]


# --- In the market


def run(reference, **settings):
    market = {"reference": reference, **settings.pop("market", {})}
    settings = {"epochs": 20, "signatures": "none", "market": market, **settings}
    lab, recorder = network(**settings)
    market = Market(lab)
    lab.run(settings["epochs"])
    return lab, recorder, market


def moves_of(market, symbol):
    return [event for event in market.engines[symbol].events if isinstance(event, ReferenceMoved)]


def market_time(lab, time):
    return time * lab.config.market_time_per_epoch // lab.config.epoch_length


@pytest.mark.parametrize("kind", ORACLES)
def test_the_market_learns_of_each_publication_at_its_instant(kind):
    symbols = ["AAPL", "MSFT"]
    lab, _, market = run(ORACLES[kind], symbols=symbols, epoch_length="700ms")
    config = lab.config.market.reference
    for symbol in symbols:
        own = Publications(config, lab.feeds[symbol].path.price)
        due = list(takewhile(lambda one: lab.protocol_time(one.time) <= 14 * SECOND, own))
        moves = moves_of(market, symbol)
        assert len(moves) == len(due) > 20
        for move, one in zip(moves, due, strict=True):
            assert market_time(lab, move.time - 1) < one.time <= market_time(lab, move.time)
            assert move.reference.time == move.time
            assert move.reference.kind == "oracle"
            assert 10_000 * round(Fraction(one.price) / 10_000) == 10**6 * move.reference.price


@pytest.mark.parametrize("kind", ORACLES)
def test_frames_say_what_an_order_met_and_of_when_it_is(kind):
    settings = {"epochs": 20, "signatures": "none", "symbols": ["AAPL", "MSFT"], "seed": 4}
    result = sl.Experiment(**settings, market={"reference": ORACLES[kind]}).run()
    lab, _, market = run(ORACLES[kind], **settings, prices={"volatility": 1})
    known = 0
    for row in result.orders.itertuples():
        moves = [move for move in moves_of(market, row.symbol) if move.time <= row.time_s * 10**6]
        if not moves:
            assert pd.isna(row.reference_price)
            assert pd.isna(row.reference_quoted_s)
            continue
        reference, known = moves[-1].reference, known + 1
        assert row.reference_price == float(reference.price)
        assert pd.isna(row.reference_epoch)
        assert row.reference_age_s == pytest.approx(row.time_s - reference.time / 10**6)
        age = row.time_s - row.reference_quoted_s
        if kind == "delayed":
            quoted = round(row.reference_quoted_s * 10**6)
            assert row.reference_price == round(lab.true_price(quoted, row.symbol) / 10**6, 2)
            assert 8 / 6.5 <= age <= 11 / 6.5 + 1e-6
        elif kind == "heartbeat":
            assert row.reference_quoted_s == reference.time / 10**6
            assert abs(row.reference_price / row.true_price - 1) < 0.0051
        elif row.time_s > 3:
            assert 4.5 / 6.5 <= age <= (4.75 + 2) / 6.5
    assert known > 100
    assert {*result.bands.reference_kind} == {"oracle"}


def test_of_the_consensus_the_start_of_its_epoch_counts():
    result = sl.Experiment(epochs=20, signatures="none", epoch_length="1.3s").run()
    known = result.orders[result.orders.reference_price.notna()]
    assert len(known) > 50
    assert (known.reference_quoted_s == (known.reference_epoch * 1.3).round(6)).all()


@pytest.mark.parametrize("kind", ORACLES)
def test_prices_orders_and_consensus_are_the_same_whatever_the_reference(kind):
    settings = {"symbols": ["AAPL", "MSFT"], "prices": {"correlation": 0.5}, "seed": 7}
    lab, recorder, market = run("consensus", **settings)
    other_lab, other_recorder, other_market = run(ORACLES[kind], **settings)
    assert len(market.arrivals) > 100
    assert market.arrivals == other_market.arrivals
    assert lab.observations == other_lab.observations
    assert vars(recorder) == vars(other_recorder)
    for symbol in lab.symbols:
        events, others = (each.engines[symbol].events for each in (market, other_market))
        assert list(events) != list(others)


def test_a_price_without_delay_stops_a_fair_order_only_at_a_rounding():
    """The band is then where a price is fair, but for half a cent of the reference."""
    market = {
        "reference": {"kind": "delayed", "parameters": {"delay": 0, "every": "39min"}},
        "traders": [
            {
                "kind": "noise_trader",
                "count": 60,
                "parameters": {"spread_percent": 4, "market_order_share": 0},
            }
        ],
    }

    def refused(**more):
        result = sl.Experiment(
            epochs=40, signatures="none", market={**market, **more}, seed=1
        ).run()
        entries = result.rejections[result.rejections.action == "rejected"]
        assert {*entries.reason} == {"outside_band"}
        assert len(entries) > 100
        return entries, entries[entries.verdict == "false"]

    _, false = refused()
    edges = (false.price / false.true_price - 1).abs()
    assert (edges > 0.05 - 0.01 / 50).all()
    assert len(false) < 5
    _, none = refused(fair_percent="4.9")
    assert none.empty
    entries, many = refused(fair_percent=6)
    assert len(many) > 0.2 * len(entries)


@pytest.mark.parametrize(("every", "stops"), [("6.5h", False), ("39h", True)])
def test_a_band_stops_when_an_oracle_is_silent_for_too_long(every, stops):
    reference = {"kind": "delayed", "parameters": {"delay": 0, "every": every}}
    band = {"band_parameters": {"stale": "halt", "stale_after": "13h"}}
    _, _, market = run(reference, market=band)
    refused = [
        event.time
        for event in market.engines["AAPL"].events
        if isinstance(event, Rejected) and event.reason is RejectReason.STALE_REFERENCE
    ]
    if not stops:
        assert refused == []
    else:
        late = [each.time for each in market.arrivals if each.time % (6 * SECOND) >= 2 * SECOND]
        assert refused == late
        assert late


@pytest.mark.parametrize("kind", ORACLES)
@pytest.mark.parametrize("band", bands())
def test_every_band_goes_by_any_reference_and_its_log_is_the_truth(kind, band):
    _, _, market = run(ORACLES[kind], market={"band": band}, prices={"volatility": 1})
    (engine,) = market.engines.values()
    assert {move.reference.kind for move in moves_of(market, "AAPL")} == {"oracle"}
    again = replay(engine.events)
    assert state_of(again) == state_of(engine)
