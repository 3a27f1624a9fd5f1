"""Paths that move together.

Where a correlation is measured, its standard error is at most 1/√n for n pairs of Gaussians and a
little more for heavy tails; four of them are left to chance, and the seeds are fixed.
"""

import itertools
import math
import random
import statistics
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import SIMULATED, TRADING_DAY, PathSettings, make_path
from streamlet_lab.prices.correlation import TYPICAL_CORRELATION, PathStreams
from streamlet_lab.prices.daily_history import adjust_for_splits, load_bars
from streamlet_lab.prices.models import (
    GeometricBrownianMotion,
    GjrGarch,
    MertonJumps,
    ReturnModel,
    make_model,
)
from streamlet_lab.prices.paths import SimulatedPath
from streamlet_lab.streams import StreamFamily, stream

SYMBOLS = ("AAPL", "MSFT", "IBM")
WIDE = (Decimal("0.01"), Decimal(10_000_000))

# One draw from a stream by each of the methods that a model may use.
DRAWS: dict[str, Callable[[random.Random], object]] = {
    "random": lambda source: source.random(),
    "gauss": lambda source: source.gauss(1, 3),
    "normalvariate": lambda source: source.normalvariate(1, 3),
    "lognormvariate": lambda source: source.lognormvariate(0, 1),
    "gammavariate": lambda source: source.gammavariate(2.7, 1),
    "expovariate": lambda source: source.expovariate(0.6),
    "choices": lambda source: source.choices("abc", [1, 2, 3]),
    "randrange": lambda source: source.randrange(10**30),
    "getrandbits": lambda source: source.getrandbits(70),
    "sample": lambda source: source.sample(range(50), 5),
}
GAUSSIANS = {"gauss", "normalvariate", "lognormvariate"}


def _logs(
    symbol: str,
    correlation: float,
    points: int,
    step: int = TRADING_DAY,
    model: ReturnModel | None = None,
    seed: int = 3,
    **within: float,
) -> NDArray[np.float64]:
    """Logarithms of a path's first prices, at so many points that are a step apart."""
    streams, settings = PathStreams(seed, symbol, correlation), PathSettings(bounds=WIDE, **within)
    path = SimulatedPath(streams, step, settings, symbol=symbol, model=model)
    return np.log([path.price(index * step) for index in range(points)])


@given(st.lists(st.sampled_from(sorted(DRAWS))), st.sampled_from([0.0, 0.49]))
def test_of_each_day_the_first_gaussian_is_mixed_and_nothing_else(
    names: list[str], correlation: float
) -> None:
    streams, own = PathStreams(5, "IBM", correlation), stream(5, "prices/IBM/days")
    mixed, loading, to_come = streams.days(), math.sqrt(correlation), False
    for index, name in enumerate(names):
        if index % 3 == 0:
            mixed.begin_day(index)
            shared = StreamFamily(5, "prices/market/days").of(index).gauss(0, 1)
            to_come = correlation > 0
        if to_come and name in ("gauss", "normalvariate"):
            alone = getattr(own, name)(0, 1)
            expected = 1 + 3 * (loading * shared + math.sqrt(1 - correlation) * alone)
            assert DRAWS[name](mixed) == pytest.approx(expected, rel=1e-12)
        elif to_come and name == "lognormvariate":
            assert DRAWS[name](mixed) != DRAWS[name](own)
        else:
            assert DRAWS[name](mixed) == DRAWS[name](own)
        to_come = to_come and name not in GAUSSIANS


@given(st.lists(st.integers(0, 30), max_size=20), st.sampled_from([0.0, 0.5, 1.0]))
def test_a_path_s_stretches_do_not_depend_on_what_else_is_drawn(
    places: list[int], correlation: float
) -> None:
    streams, in_order = (PathStreams(9, "IBM", correlation) for _ in range(2))
    drawn = [in_order.stretch(index, 7, 3)[0] for index in range(31)]

    assert [streams.stretch(index, 7, 3)[0] for index in places] == [
        drawn[index] for index in places
    ]
    assert streams.days().random() == in_order.days().random()


def test_the_gaussians_of_stretches_correlate_and_their_clock_is_the_same() -> None:
    """8,000 pairs: four standard errors are 0.045."""
    one, other = PathStreams(9, "IBM", 0.6), PathStreams(9, "AAPL", 0.6)
    first, second = (
        [gaussian for start in range(2_000) for gaussian in streams.stretch(start, 7, 4)[0]]
        for streams in (one, other)
    )

    assert statistics.correlation(first, second) == pytest.approx(0.6, abs=0.045)
    assert statistics.pvariance(first) == pytest.approx(1, abs=0.065)
    assert one.stretch(0, 7, 4)[1].random() == other.stretch(0, 7, 4)[1].random()
    alone = [PathStreams(9, symbol).stretch(0, 7, 4)[1].random() for symbol in SYMBOLS]
    assert len({*alone}) == len(SYMBOLS)


@pytest.mark.parametrize("correlation", [-0.1, 1.1, math.nan, True, "0.5", None])
def test_a_correlation_out_of_bounds_is_refused(correlation: Any) -> None:
    with pytest.raises(InvalidInput, match=r"correlation: .* a number from 0 to 1"):
        make_path(SIMULATED, 0, TRADING_DAY, correlation=correlation)


@pytest.mark.parametrize("name", ["gbm", "gjr_garch", "merton", "regime"])
def test_without_correlation_the_days_are_those_of_the_own_stream(name: str) -> None:
    days = make_model(name).days(stream(3, "prices/MSFT/days"))
    moves = [day.total / 100 for day in itertools.islice(days, 200)]

    alone, mixed = (
        np.diff(_logs("MSFT", correlation, 201, model=make_model(name)))
        for correlation in (0.0, 0.5)
    )
    assert alone == pytest.approx(moves, abs=1e-6)
    assert not np.array_equal(alone, mixed)


@pytest.mark.parametrize("correlation", [0.2, 0.5, 0.9])
def test_daily_returns_of_gbm_correlate_as_asked(correlation: float) -> None:
    """4,000 days: four standard errors are 0.063."""
    model = GeometricBrownianMotion()
    returns = [np.diff(_logs(symbol, correlation, 4_001, model=model)) for symbol in SYMBOLS]
    for one, other in itertools.combinations(returns, 2):
        assert statistics.correlation(one, other) == pytest.approx(correlation, abs=0.063)


@pytest.mark.parametrize("within", [{}, {"nights": 0.0, "intraday": 0.0}], ids=str)
@pytest.mark.parametrize("model", [GeometricBrownianMotion(), GjrGarch(), MertonJumps()])
def test_within_the_day_the_noise_around_the_straight_line_correlates_as_asked(
    model: ReturnModel, within: dict[str, float]
) -> None:
    """At noon, half of the way: what is left is Gaussian given the day's deviation and its clock.

    Of 4,000 days. Merton's jumps are not on the straight line; their share of it pulls the
    correlation down.
    """
    correlation, deviations = 0.6, []
    for symbol in SYMBOLS[:2]:
        logs = _logs(symbol, correlation, 8_001, TRADING_DAY // 2, model, **within)
        deviations.append(logs[1::2] - (logs[:-1:2] + logs[2::2]) / 2)
    measured = statistics.correlation(*deviations)

    if isinstance(model, MertonJumps):
        assert 0.1 < measured < correlation - 0.063
    else:
        assert measured == pytest.approx(correlation, abs=0.09)


def test_with_the_full_correlation_all_paths_are_alike_at_every_step() -> None:
    one, other = (
        _logs(symbol, 1.0, 800, TRADING_DAY // 390, GeometricBrownianMotion())
        for symbol in SYMBOLS[:2]
    )
    assert np.array_equal(one, other)


@pytest.mark.parametrize("nu", [3.5, 7.29])
def test_student_innovations_correlate_as_the_closed_form_says(nu: float) -> None:
    """40,000 pairs of unit variance; four standard errors of their mean product are 0.025."""
    model = GjrGarch(degrees_of_freedom=nu)
    one, other = (PathStreams(2, symbol, 0.6).days() for symbol in ("AAPL", "MSFT"))
    products = []
    for day in range(40_000):
        for days in (one, other):
            days.begin_day(day)
        products.append(model.innovation(one) * model.innovation(other))

    # z = g·√((ν − 2)/χ²) has a χ² of its own for each share.
    kept = stats.chi2(nu).expect(lambda x: math.sqrt((nu - 2) / x)) ** 2
    assert statistics.fmean(products) == pytest.approx(0.6 * kept, abs=0.025)


def _mean_correlation(returns: list[NDArray[np.float64]]) -> float:
    return float(np.mean(np.corrcoef(returns)[np.triu_indices(3, 1)]))


def test_the_typical_correlation_is_that_of_real_shares() -> None:
    """Ten seeds, each as long as the real history; four standard errors of their mean are 0.02."""
    real = []
    for symbol in SYMBOLS:
        bars = [bar for bar in load_bars(symbol) if bar.date.year >= 2003]
        real.append(np.diff([math.log(bar.close) for bar in adjust_for_splits(symbol, bars)]))
    days = len(real[0])
    simulated = [
        [np.diff(_logs(one, TYPICAL_CORRELATION, days + 1, seed=seed)) for one in SYMBOLS]
        for seed in range(10)
    ]

    assert np.corrcoef(real)[np.triu_indices(3, 1)].round(2).tolist() == [0.43, 0.46, 0.58]
    measured = statistics.fmean(map(_mean_correlation, simulated))
    assert measured == pytest.approx(_mean_correlation(real), abs=0.02)
