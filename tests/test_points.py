"""The points of a sweep, one by one, and those that fill a box."""

import math

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import InvalidInput, quasi_random, sweep

POINTS = [{"nodes": 4, "network.delta": "1s"}, {"network.delta": "2s", "nodes": 7}]
BOX = {"nodes": (4, 16), "network.delta": ("100ms", "1s"), "prices.volatility": (0.5, 2.0)}


def sweep_points(over, **options):
    numbers = {"delta": lambda config: {"delta": config.network.delta / config.nodes}}
    given = {"run": lambda config: config, "measure": numbers["delta"], "repeats": 2}
    return sweep({}, over, **(given | options))


@pytest.mark.parametrize(
    "make", [list, pd.DataFrame, lambda rows: pd.DataFrame(rows, index=[7, 7])]
)
def test_points_one_by_one_are_run_as_they_are_given(make):
    swept = sweep_points(make(POINTS))
    expected = [(4, "1s", 250_000), (7, "2s", 2_000_000 / 7)]
    assert swept.settings == ("nodes", "network.delta")
    means = swept.means("delta")[["nodes", "network.delta", "mean"]]
    assert [*means.itertuples(index=False, name=None)] == expected


def test_a_difference_is_of_points_that_differ_in_one_setting():
    over = [*POINTS, {"nodes": 7, "network.delta": "1s"}]
    difference = sweep_points(over).difference("delta", "nodes", 4, 7)
    assert [*difference["network.delta"]] == ["1s"]
    with pytest.raises(InvalidInput, match=r"second: '2s' .* differ from those of '1s' in network"):
        sweep_points(POINTS).difference("delta", "network.delta", "1s", "2s")


@pytest.mark.parametrize(
    ("over", "field", "expected"),
    [
        ([], "over", "a list or frame of points"),
        (pd.DataFrame(), "over", "a list or frame of points"),
        ([4], "over", "a list or frame of points"),
        ([{"nodes": 4}, {}], r"over\[1\].nodes", "a value, as other points have"),
        ([{"nodes": 4}, {"nodes": 7, "echo": True}], r"over\[1\]", "first point nodes"),
        ([{"nodes": 4}, {"nodes": 5, "nods": 7}], r"over\[1\]", "first point nodes"),
        ([{"nodes": 4}, {"nodes": 4}], r"over\[1\]", r"another point than over\[0\]"),
        ([{"nodes": math.nan}], r"over\[0\].nodes", "it is missing here"),
        (pd.DataFrame({"nodes": [4, None]}), r"over\[1\].nodes", "it is missing here"),
        (pd.DataFrame({"nodes": pd.array([4, None])}), r"over\[1\].nodes", "it is missing here"),
        ([{"market.traders": 0, "market": {}}], "over", "before market.traders, which it would"),
        ({"market.traders": [0], "market": [{}]}, "over", "before market.traders, which it would"),
        (pd.DataFrame([[4, 5]], columns=["nodes"] * 2), "over", "each setting in one column"),
        ([{"seed": 4}], "over", "another setting"),
        ([{"nodes": 4}, {"nodes": 0}], "nodes", "a whole number"),
        ([{4: 4}], "setting", "the name of a setting"),
    ],
)
def test_a_point_that_is_none_is_refused_before_anything_runs(over, field, expected):
    ran = []
    with pytest.raises(InvalidInput, match=f"^{field}: .*{expected}"):
        sweep_points(over, run=ran.append)
    assert not ran


def test_points_fill_a_box_and_more_begin_with_the_same():
    points = quasi_random(BOX, count=64, log=["network.delta"])
    assert [*points.columns] == [*BOX]
    for name, low, high in (("nodes", 4, 16), ("prices.volatility", 0.5, 2.0)):
        counts, _ = np.histogram(points[name], bins=3, range=(low, high + (name == "nodes")))
        assert counts.min() >= 18
        assert points[name].between(low, high).all()
    delta = points["network.delta"].str.removesuffix("ms").astype(float)
    assert delta.between(100, 1000).all()
    assert abs(np.log10(delta).mean() - 2.5) < 0.02  # ratios are even
    pd.testing.assert_frame_equal(quasi_random(BOX, count=20, log=["network.delta"]), points[:20])
    assert not quasi_random(BOX, count=64, seed=1).equals(points)
    assert len(sweep_points(points, repeats=1).frame) == 64


@pytest.mark.parametrize("log", [(), ["nodes"]])
def test_whole_numbers_reach_both_ends_and_no_point_comes_twice(log):
    points = quasi_random({"nodes": (4, 16)}, count=13, log=log)
    assert sorted(points["nodes"]) == [*range(4, 17)]
    with pytest.raises(InvalidInput, match=r"count: 14 .* the 13 different ones"):
        quasi_random({"nodes": (4, 16)}, count=14, log=log)


@pytest.mark.parametrize(
    ("bounds", "options", "field"),
    [
        ({}, {}, "bounds"),
        ("nodes", {}, "bounds"),
        ({"nodes": 4}, {}, "bounds.nodes"),
        ({"nodes": (4, 5, 6)}, {}, "bounds.nodes"),
        ({"nodes": (7, 4)}, {}, "bounds.nodes"),
        ({"nodes": (4, math.nan)}, {}, "bounds.nodes"),
        ({"nodes": ("4", 7)}, {}, "bounds.nodes"),
        ({"network.delta": ("soon", "1s")}, {}, "bounds.network.delta"),
        ({"market.rate": (0.0, 1.0)}, {"log": ["market.rate"]}, "bounds.market.rate"),
        ({"nodes": (4, 7)}, {"log": ["node"]}, "log"),
        ({"nodes": (4, 7)}, {"log": "nodes"}, "log"),
        ({"nodes": (4, 7)}, {"log": True}, "log"),
        ({"nodes": (4, 7)}, {"count": 0}, "count"),
        ({"nodes": (4, 7)}, {"count": 2.0}, "count"),
        ({"nodes": (4, 7)}, {"seed": -1}, "seed"),
    ],
)
def test_a_box_that_is_none_is_refused(bounds, options, field):
    with pytest.raises(InvalidInput) as refused:
        quasi_random(bounds, **options)
    assert refused.value.field == field
