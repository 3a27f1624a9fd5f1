"""How far liars push the price: the table, the closed form, and the bars for robust aggregators."""

import math
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from multiprocessing import get_context

import pandas as pd
import pytest

from streamlet_lab.consensus.quorums import max_faulty
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    PreviousConsensus,
    PriceRound,
    PriceValidation,
    StockPrice,
    find_aggregator,
)
from streamlet_lab.studies import AGGREGATORS, SOURCES, displacement, push, summarize_displacement
from streamlet_lab.theory import mean_displacement

ROBUST = ("median", "trimmed_mean", "pyth", "mad_filter")
STRICT = PriceValidation(widening_percent=Decimal(0))


def below_a_third(*sources):
    return [(each, max_faulty(each)) for each in sources]


def only(frame):
    assert len(frame) == 1
    return frame.iloc[0]


# --- The table of the literature on the description's rules


@pytest.mark.parametrize(
    ("name", "pair", "first", "worst"),
    [
        ("mean", (3, 1), 334, 528),
        ("mean", (5, 2), 401, 715),
        ("mean", (7, 2), 287, 418),
        ("trimmed_mean", (3, 1), 334, 528),
        ("trimmed_mean", (5, 2), 334, 528),
        ("vwap", (3, 1), 1000, 2100),
        ("vwap", (5, 2), 1000, 23_267),
        ("vwap", (7, 2), 1000, 23_267),
    ],
)
def test_what_is_not_robust_is_pushed_as_far_as_noted(name, pair, first, worst):
    row = only(summarize_displacement(displacement([name], [pair], seeds=2)))
    assert row.first_bp_max == pytest.approx(first, rel=0.05)
    assert row.worst_bp_max == pytest.approx(worst, rel=0.05)


@pytest.mark.parametrize("name", ["vwap", "volume_weighted_median"])
def test_one_liar_with_all_the_volume_ends_the_price_under_the_strict_rule(name):
    row = only(displacement([name], [(7, 1)], seeds=1))
    assert (row.worst_bp, row.missed_epochs, row.locked_out) == (2100, 59, True)


def test_a_corridor_that_widens_lets_the_price_come_back():
    row = only(displacement(["vwap"], [(7, 1)], seeds=1, rules=PriceValidation()))
    assert not row.locked_out
    assert row.missed_epochs < 59
    assert row.worst_bp > 20_000  # and further away


@pytest.mark.parametrize("pair", [(3, 1), (4, 1), (5, 2), (7, 2), (4, 2), (4, 0)])
def test_without_noise_the_mean_is_pushed_as_the_closed_form_says(pair):
    deviation = 0.1
    for epochs, tolerance in ((1, 0.7), (5, 1.5), (60, 2.5)):  # rounding to cents adds up
        row = only(displacement(["mean"], [pair], epochs=epochs, seeds=1, noise_bp=0))
        expected = 10_000 * mean_displacement(*pair, deviation, epochs)
        assert row.worst_bp == pytest.approx(expected, abs=tolerance)
    assert row.worst_bp == pytest.approx(10_000 * mean_displacement(*pair, deviation), abs=3)


def test_patience_takes_a_volume_weighted_price_further_than_greed():
    # What the module says of the one case where greedy liars are not the worst.
    vwap = find_aggregator("vwap")
    honest = [StockPrice.create("AAPL", 150, 1_500, name) for name in ("one", "two")]
    previous, prices = PreviousConsensus(Decimal(150), -1), []
    for epoch, lie in enumerate(["165", "166.66", "183.32"]):
        quotes = [*honest, StockPrice.create("AAPL", lie, 10_000_000_000, "liar")]
        checks = PriceRound(STRICT, "AAPL", epoch, previous).check(quotes)
        assert all(check.valid for check in checks)
        previous = PreviousConsensus(vwap(quotes), epoch)
        prices.append(previous.price)
    assert prices[-1] == Decimal("183.32")
    greedy = only(displacement(["vwap"], [(3, 1)], seeds=1, noise_bp=0)).worst_bp
    assert greedy == 2100
    assert 10_000 * float(prices[-1] / 150 - 1) == pytest.approx(2_222, abs=1)


# --- The bars


def assert_bars(frame):
    worst = frame.groupby("aggregator").worst_bp.max()
    assert worst.drop("mad_filter").max() <= 5
    assert worst["mad_filter"] <= 8
    assert not frame.missed_epochs.any()


@pytest.fixture(scope="module")
def workers():
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.slow
def test_robust_aggregators_hold_over_the_whole_horizon(workers):
    pairs = below_a_third(4, 7, 10, 13)
    assert_bars(displacement(ROBUST, pairs, epochs=60, seeds=2, executor=workers))


@pytest.mark.slow
def test_the_whole_table(workers):
    frame = displacement(seeds=4, executor=workers)
    table = summarize_displacement(frame).set_index(["aggregator", "sources"])
    assert len(table) == len(AGGREGATORS) * len(SOURCES)
    for name, limit in (("median", 4), ("pyth", 4), ("mad_filter", 8)):
        assert table.loc[name].worst_bp_max.max() <= limit
    assert table.loc[("trimmed_mean", 7)].worst_bp_max <= 4
    assert table.loc["trimmed_mean"].worst_bp_max.max() == pytest.approx(528, rel=0.05)
    assert table.loc[("mean", 3)].worst_bp_max == pytest.approx(528, rel=0.05)
    assert table.loc[("vwap", 3)].locked_out == 1


# --- The frame


def test_a_row_for_each_aggregator_pair_and_seed():
    frame = displacement(["median", "mean"], [(4, 1), (3, 0)], epochs=2, seeds=2)
    assert [*frame.columns] == [
        *("aggregator", "sources", "liars", "seed"),
        *("first_bp", "worst_bp", "missed_epochs", "locked_out"),
    ]
    rows = [*frame.iloc[:, :4].itertuples(index=False, name=None)]
    assert rows == [
        (name, *pair, seed)
        for name in ("median", "mean")
        for pair in ((4, 1), (3, 0))
        for seed in (0, 1)
    ]
    assert (frame.worst_bp >= frame.first_bp).all()


def test_a_game_does_not_depend_on_the_others():
    alone = displacement(["median"], [(5, 1)], epochs=3, seeds=1)
    among = displacement(["pyth", "median"], [(7, 2), (5, 1)], epochs=3, seeds=2)
    same = among[(among.aggregator == "median") & (among.sources == 5) & (among.seed == 0)]
    pd.testing.assert_frame_equal(alone, same.reset_index(drop=True))


def test_an_executor_changes_nothing(workers):
    options = {"epochs": 2, "seeds": 5}
    here = displacement(["mean", "mad_filter"], [(4, 1)], **options)
    there = displacement(["mean", "mad_filter"], [(4, 1)], executor=workers, **options)
    pd.testing.assert_frame_equal(here, there)


def test_the_summary_counts_over_seeds():
    frame = pd.DataFrame(
        {
            "aggregator": ["b", "b", "b", "a"],
            "sources": [3, 3, 3, 3],
            "liars": [1, 1, 1, 1],
            "seed": [0, 1, 2, 0],
            "first_bp": [1.0, 2.0, 6.0, 5.0],
            "worst_bp": [2.0, 3.0, 7.0, 5.0],
            "missed_epochs": [0, 4, 1, 0],
            "locked_out": [False, True, False, False],
        }
    )
    b, a = summarize_displacement(frame).itertuples(index=False)
    assert b[:7] == ("b", 3, 1, 2.0, 6.0, 3.0, 7.0)
    assert b[7:] == (4, pytest.approx(1 / 3), 3)
    assert a == ("a", 3, 1, 5.0, 5.0, 5.0, 5.0, 0, 0.0, 1)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"aggregators": ["no_such"]}, "aggregator"),
        ({"aggregators": "no_such"}, "aggregator"),
        ({"aggregators": []}, "aggregators"),
        ({"aggregators": 3}, "aggregators"),
        ({"sources": 3}, "sources"),
        ({"sources": [(3, 3)]}, "sources"),
        ({"sources": [(3, -1)]}, "sources"),
        ({"sources": [(100, 1)]}, "sources"),
        ({"sources": [(3, 1, 1)]}, "sources"),
        ({"sources": [3]}, "sources"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"seeds": True}, "seeds"),
        ({"true_price": 20}, "true_price"),
        ({"true_price": "a lot"}, "true_price"),
        ({"true_price": "150.0000001"}, "true_price"),
        ({"noise_bp": -1}, "noise_bp"),
        ({"noise_bp": math.nan}, "noise_bp"),
    ],
)
def test_bad_input_is_refused_by_name(options, field):
    with pytest.raises(InvalidInput, match=rf"^{field}: "):
        displacement(**{"epochs": 1, "seeds": 1} | options)


@pytest.mark.parametrize("given", [lambda quotes: quotes[0].price, "no_such"])
def test_only_a_registered_aggregator_has_a_name_for_its_rows(given):
    for study in (displacement, push):
        with pytest.raises(InvalidInput, match="regist") as caught:
            study([given])
        assert "or a function" not in str(caught.value)


@pytest.mark.parametrize("frame", [3, None, pd.DataFrame(), pd.DataFrame({"aggregator": ["mean"]})])
def test_a_summary_is_of_a_study(frame):
    with pytest.raises(InvalidInput, match=r"^frame: .*displacement\(\)"):
        summarize_displacement(frame)
