"""How often a price is outside the band around an earlier one, on paths alone."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.intervals import Share, share_interval
from streamlet_lab.prices import GeometricBrownianMotion
from streamlet_lab.studies import compare_ages, outside_by_age
from streamlet_lab.theory import stale_outside_share

# The parameters of the model that the figures 5.4, 13 and 20 % were measured on, its drift aside.
PRICES = st.lists(st.floats(1, 1000), min_size=4, max_size=40)


def shares(frame, path):
    return frame[frame["path"] == path].set_index("age")["share"]


def naive_share(prices, age, percent):
    """One price after the other."""
    pairs = zip(prices, prices[age:], strict=False)
    exact = [(Fraction(before), Fraction(after)) for before, after in pairs]
    outside = [abs(after - before) > Fraction(percent, 100) * before for before, after in exact]
    return sum(outside) / len(outside)


def outside_at_once(before, after):
    return outside_by_age([before, after], [1])["share"].iloc[0]


@given(PRICES, st.integers(1, 3), st.sampled_from([1, 5, 20]))
def test_the_share_is_that_of_the_prices_counted_one_by_one(prices, age, percent):
    row = outside_by_age(prices, [age], band_percent=percent).iloc[0]
    assert row["share"] == pytest.approx(naive_share(prices, age, percent))
    # A short path is one stretch: unless all of it is the same, it has no interval.
    assert math.isnan(row["low"]) or 0 <= row["low"] <= row["share"] <= row["high"] <= 1
    assert math.isnan(row["low"]) == (0 < row["share"] < 1)


def test_exactly_at_the_edge_is_inside():
    cents = range(2_000, 50_000, 340)
    for side in (1, -1):
        edges = [(cent / 100, cent * (100 + 5 * side) / 10_000) for cent in cents]
        assert [outside_at_once(*edge) for edge in edges] == [0] * len(cents)
        beyond = [(before, edge + side * 0.01) for before, edge in edges]
        assert [outside_at_once(*edge) for edge in beyond] == [1] * len(cents)


def test_the_interval_of_independent_days_is_that_of_a_share():
    # Days whose price leaves the band with chance 0.1 and comes back at once, whatever was before.
    drawn = np.random.Generator(np.random.PCG64(1)).random(4_000) < 0.1
    path = np.cumprod(np.where(drawn, 1.1, 1.0))
    row = outside_by_age(path, [1], block=1).iloc[0]
    p = drawn[1:].mean()
    deviation = math.sqrt(p * (1 - p) / (len(path) - 1))
    assert row["share"] == pytest.approx(p)
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * deviation, rel=0.1)
    assert row["low"] < p < row["high"]


def test_blocks_keep_what_comes_in_stretches():
    # A hundred days outside, a hundred inside, and so on: single days hide how few stretches are.
    moves = np.tile(np.repeat([1.1, 1 / 1.01], 100), 10)
    path = np.cumprod(moves) ** 0.9
    widths = {}
    for block in (1, 100):
        row = outside_by_age(path, [1], block=block).iloc[0]
        widths[block] = row["high"] - row["low"]
    assert widths[100] > 5 * widths[1]


def test_the_interval_is_that_of_stretches_as_if_they_were_runs():
    path = 100 * np.exp(np.cumsum(0.03 * np.random.Generator(np.random.PCG64(2)).normal(size=600)))
    row = outside_by_age(path, [2], block=40).iloc[0]
    outside = np.abs(path[2:] / path[:-2] - 1) > 0.05
    # 598 steps: 14 stretches, of which ten have one step more.
    starts = np.cumsum([0] + [43] * 10 + [42] * 4)
    stretches = [outside[start:end] for start, end in itertools.pairwise(starts)]
    expected = share_interval(Share(int(each.sum()), len(each)) for each in stretches)
    assert (row["share"], row["low"], row["high"]) == (expected.mean, expected.low, expected.high)


def test_with_fewer_than_ten_stretches_there_is_no_interval():
    path = 100 * np.exp(np.cumsum(0.03 * np.random.Generator(np.random.PCG64(2)).normal(size=600)))
    frame = outside_by_age(path, block=60)
    assert frame["share"].between(0, 1, inclusive="neither").all()
    assert frame[["low", "high"]].isna().all(axis=None)


def test_real_history_and_the_default_model():
    # Measured. The interval of the real ones is wide: calm and turbulent years.
    frame = compare_ages(paths=20)
    assert shares(frame, "real").to_list() == pytest.approx([0.0418, 0.1088, 0.1820], abs=5e-5)
    real, model = (frame[frame["path"] == name] for name in ("real", "gjr_garch"))
    inside = real["low"].to_numpy() < model["share"].to_numpy()
    assert (inside & (model["share"].to_numpy() < real["high"].to_numpy())).all()


def test_a_geometric_brownian_motion_has_its_closed_form():
    volatility = 0.5
    gbm = compare_ages({"own": GeometricBrownianMotion(volatility)}, [1, 3, 9], paths=30)
    gbm = gbm[gbm["path"] == "own"]
    for row in gbm.itertuples():
        exact = stale_outside_share(row.age / 252, volatility, 0.05)
        assert row.low <= exact <= row.high
        assert row.diffusion == pytest.approx(exact, rel=0.02)
        assert row.diffusion < row.first_passage < 2.01 * row.diffusion
