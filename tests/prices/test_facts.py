"""Stylized facts: each by hand and on a known law, and models beside real AAPL."""

import itertools
import math
import statistics
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import TRADING_DAY, PathSettings, PathStreams, SimulatedPath, facts
from streamlet_lab.prices.daily_history import load_bars
from streamlet_lab.prices.facts import (
    COMPARED,
    FACTS,
    autocorrelation,
    compare_facts,
    excess_kurtosis,
    leverage,
    middle,
    model_returns,
    night_share,
    real_returns,
    standard_deviation,
    tail_index,
    volatility_clustering,
)
from streamlet_lab.prices.models import make_model
from streamlet_lab.prices.paths import TYPICAL_NIGHTS

Returns = NDArray[np.float64]


def _normal(seed: int = 0, count: int = 20_000) -> Returns:
    return np.random.default_rng(seed).standard_normal(count)


@pytest.fixture(scope="module")
def comparison() -> pd.DataFrame:
    """The default and GBM beside real AAPL."""
    return compare_facts(["gjr_garch", "gbm"], range(40))


def _of(comparison: pd.DataFrame, model: str) -> pd.DataFrame:
    return comparison[comparison.model == model].set_index("fact")


# By hand


def test_the_facts_of_plain_series() -> None:
    """A coin has the least kurtosis there is, −2; a volatility that alternates −99/100 and 98/100.

    Of the tail the five largest of 100 are e and e² times the sixth: mean logarithm 7/5.
    """
    coin, e = [3.0, -3.0] * 50, math.e

    assert standard_deviation(coin) == pytest.approx(3)
    assert excess_kurtosis(coin) == pytest.approx(-2)
    assert tail_index([e, -e, e, e**2, -(e**2), *[1.0, -1.0] * 47, 0.5]) == pytest.approx(5 / 7)
    assert volatility_clustering([1.0, 3.0] * 50, lags=2) == pytest.approx(-0.005)


def test_leverage_is_a_mean_of_plain_correlations() -> None:
    series = list(map(float, _normal(count=200)))
    by_hand = statistics.fmean(
        statistics.correlation(series[:-lag], [value**2 for value in series[lag:]])
        for lag in (1, 2, 3)
    )

    assert leverage(series, lags=3) == pytest.approx(by_hand)


# On known laws


def test_the_normal_law_has_none_of_the_facts() -> None:
    """Four standard errors of 20,000: √(24/n) for the kurtosis, 1/√n for a correlation."""
    returns = _normal()

    assert excess_kurtosis(returns) == pytest.approx(0, abs=4 * math.sqrt(24 / 20_000))
    assert autocorrelation(returns) == pytest.approx(0, abs=4 / math.sqrt(20_000))
    assert volatility_clustering(returns) == pytest.approx(0, abs=4 / math.sqrt(20 * 20_000))
    assert leverage(returns) == pytest.approx(0, abs=4 / math.sqrt(10 * 20_000))


@pytest.mark.parametrize("index", [2.0, 3.0, 5.0])
def test_hill_finds_the_index_of_a_pareto_law(index: float) -> None:
    """Relative standard error 1/√1000."""
    returns = 1 + np.random.default_rng(2).pareto(index, 20_000)

    assert tail_index(returns) == pytest.approx(index, rel=4 / math.sqrt(1_000))


def test_falls_that_are_followed_by_volatility_are_leverage() -> None:
    """A mirrored history has the opposite leverage."""
    draws, returns = _normal(4, 5_000), [0.0]
    for draw in draws:
        returns.append(float(draw) * (2 if returns[-1] < 0 else 1))
    mirrored = [-value for value in returns]

    assert leverage(returns, lags=1) < -0.1
    assert leverage(mirrored, lags=1) == pytest.approx(-leverage(returns, lags=1))


# Real AAPL


def test_the_real_returns_are_those_of_ten_years() -> None:
    """2,558 closes; the split's day moved by 44.86 · 2 / 88.99, not by half."""
    returns = real_returns()

    assert len(returns) == 2_557
    assert np.abs(returns).max() < 20
    assert 100 * math.log(2 * 44.86 / 88.99) in [pytest.approx(value) for value in returns]


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("standard_deviation", 2.38),
        ("excess_kurtosis", 4.595),
        ("tail_index", 3.36),
        ("volatility_clustering", 0.115),
        ("leverage", -0.0535),
        ("autocorrelation", -0.001),
    ],
)
def test_the_facts_of_real_aapl(fact: str, value: float) -> None:
    assert FACTS[fact](real_returns()) == pytest.approx(value, abs=0.005)


# The middle of a law


def test_one_more_value_lies_in_the_middle_as_often_as_it_says() -> None:
    """Of a law with a heavy tail, too: 38 of 40 places for the fortieth value."""
    values = np.random.default_rng(9).pareto(1, (4_000, 40))
    inside = 0
    for sample in values:
        low, high = middle(sample[:-1])
        inside += low <= sample[-1] <= high

    assert inside / len(values) == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 4_000))


def test_the_middle_of_many_is_that_of_the_law() -> None:
    assert middle(_normal(10, 100_000)) == pytest.approx((-1.96, 1.96), abs=0.03)


def test_a_third_of_the_variance_passes_overnight() -> None:
    """By hand, of opens and closes as traded but for AAPL's one split, two for one."""
    bars = [bar for bar in load_bars("AAPL") if bar.date.year >= 2003]
    nights = [
        math.log((2 if bar.date == date(2005, 2, 28) else 1) * bar.open / before.close)
        for before, bar in itertools.pairwise(bars)
    ]
    sessions = [math.log(bar.close / bar.open) for bar in bars]
    by_hand = statistics.pvariance(nights)
    by_hand /= by_hand + statistics.pvariance(sessions)

    assert night_share() == pytest.approx(by_hand)
    assert round(night_share(), 2) == TYPICAL_NIGHTS
    shares = [round(night_share(name), 3) for name in ("AAPL", "MSFT", "IBM", "GOOG")]
    assert shares == [0.318, 0.327, 0.325, 0.375]


# Models


@pytest.mark.parametrize("name", COMPARED)
def test_a_models_returns_are_those_of_a_free_path(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounding to micro-dollars moves a return by less than a millionth."""
    model, wide = make_model(name), (Decimal("0.01"), Decimal(10_000_000))
    monkeypatch.setattr(facts, "stream", lambda seed, name: PathStreams(seed, "AAPL").days())
    path = SimulatedPath(
        PathStreams(3, "AAPL"), TRADING_DAY, PathSettings(bounds=wide), model=model
    )
    logs = [100 * math.log(path.price(day * TRADING_DAY)) for day in range(201)]

    assert np.diff(logs) == pytest.approx(model_returns(model, 3, 200), abs=1e-4)


def test_real_aapl_could_be_a_path_of_the_default(comparison: pd.DataFrame) -> None:
    default = _of(comparison, "gjr_garch")

    assert default.inside.all()
    assert default.below.between(0.05, 0.95).all()


def test_a_comparison_is_one_row_per_model_and_fact(comparison: pd.DataFrame) -> None:
    assert list(comparison.model) == [name for name in ("real", "gjr_garch", "gbm") for _ in FACTS]
    assert list(comparison.fact) == [*FACTS] * 3
    real = _of(comparison, "real")
    returns = real_returns()
    assert real.value.to_dict() == {name: fact(returns) for name, fact in FACTS.items()}
    assert real[["low", "high", "below"]].isna().all(axis=None)


def test_a_row_is_that_of_the_paths_measured_one_by_one(comparison: pd.DataFrame) -> None:
    days, real = len(real_returns()), leverage(real_returns())
    values = [leverage(model_returns(make_model("gbm"), seed, days)) for seed in range(40)]
    row = _of(comparison, "gbm").loc["leverage"]

    assert (row.value, row["median"]) == pytest.approx((np.mean(values), np.median(values)))
    assert (row.low, row.high) == middle(values)
    assert row.below == np.mean([value < real for value in values])
    assert row.inside == (row.low <= real <= row.high)


# Bad input


@pytest.mark.parametrize("fact", FACTS.values())
@pytest.mark.parametrize(
    "returns", [[], [1.0] * 99, [math.nan, *[1.0, 2.0] * 60], np.ones((200, 2)), [math.inf] * 200]
)
def test_what_is_no_series_of_returns_is_refused(fact: object, returns: object) -> None:
    assert callable(fact)
    with pytest.raises(InvalidInput, match=r"^returns: .* at least 100 finite numbers"):
        fact(returns)


def test_a_comparison_needs_seeds_and_known_models() -> None:
    with pytest.raises(InvalidInput, match=r"^seeds: "):
        compare_facts(["gbm"], [])
    with pytest.raises(InvalidInput, match=r"^path_model: "):
        compare_facts(["garch"])
