"""Laws of daily returns: their moments in closed form, their names, and what they refuse.

Four standard errors are allowed wherever a sample is compared with a law; the seeds are fixed.
"""

import dataclasses
import itertools
import math
import random
import runpy
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    SIMULATED,
    TRADING_DAY,
    Day,
    GeometricBrownianMotion,
    GjrGarch,
    Jump,
    MertonJumps,
    Regime,
    RegimeSwitching,
    ReturnModel,
    make_path,
    models,
    path_model,
    path_models,
)
from streamlet_lab.prices.facts import excess_kurtosis, real_returns, standard_deviation
from streamlet_lab.prices.models import make_model
from streamlet_lab.streams import stream

DAYS = 40_000
# Nearly the fit of the highest likelihood, without a fourth moment.
HEAVY = GjrGarch(0.0889, 0.0241, 0.063, 0.9314, 5.43)
NUMERIC = (GjrGarch, GeometricBrownianMotion, MertonJumps, Regime)
FIT = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "fit_path_model.py"))


def _days(model: ReturnModel, count: int = DAYS, seed: int = 0) -> list[Day]:
    return list(itertools.islice(model.days(stream(seed, "test")), count))


def _moments(model: ReturnModel) -> tuple[float, float, float]:
    """Mean, standard deviation and excess kurtosis of the daily returns, in percent."""
    returns = [day.total for day in _days(model)]
    return float(np.mean(returns)), float(np.std(returns)), float(stats.kurtosis(returns))


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the test registers."""
    monkeypatch.setattr(models._MODELS, "_kinds", dict(models._MODELS._kinds))


# Moments


@pytest.mark.parametrize(
    "model", [MertonJumps(), MertonJumps(0.1, jumps_per_year=252, jump_mean=0.01)]
)
def test_mertons_moments_are_those_of_a_compound_poisson_sum(model: MertonJumps) -> None:
    """With λ jumps a day of size J: variance σ² + λE[J²], excess kurtosis λE[J⁴] over its square.

    The compensation takes the mean out. The kurtosis has a standard error of about 0.1.
    """
    rate, sigma = model.jumps_per_year / 252, 100 * model.volatility / math.sqrt(252)
    mu, delta = 100 * model.jump_mean, 100 * model.jump_deviation
    variance = sigma**2 + rate * (mu**2 + delta**2)
    fourth = rate * (mu**4 + 6 * mu**2 * delta**2 + 3 * delta**4)
    mean, deviation, kurtosis = _moments(model)

    assert mean == pytest.approx(0, abs=4 * math.sqrt(variance / DAYS))
    assert deviation == pytest.approx(math.sqrt(variance), rel=0.02)
    assert kurtosis == pytest.approx(fourth / variance**2, abs=0.4)


def test_mertons_jumps_are_a_poisson_process() -> None:
    """Their number has mean and variance λ; their times are uniform and in order."""
    days = _days(MertonJumps(jumps_per_year=504))
    counts = [len(day.jumps) for day in days]
    times = [jump.time for day in days for jump in day.jumps]

    assert statistics.fmean(counts) == pytest.approx(2, abs=4 * math.sqrt(2 / DAYS))
    assert statistics.pvariance(counts) == pytest.approx(2, rel=0.04)
    assert statistics.fmean(times) == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / len(times)))
    assert all(0 <= time < 1 for time in times)
    assert all(list(day.jumps) == sorted(day.jumps, key=lambda jump: jump.time) for day in days)


def test_regimes_mix_normal_laws_by_the_time_they_take() -> None:
    """Variance Σwσ², excess kurtosis 3Σwσ⁴/(Σwσ²)² − 3. Clustered: errors of a few percent."""
    model = RegimeSwitching()
    spans = [one.days for one in model.regimes]
    shares = [days / sum(spans) for days in spans]
    variances = [100**2 * one.volatility**2 / 252 for one in model.regimes]
    variance = math.fsum(map(math.prod, zip(shares, variances, strict=True)))
    fourth = 3 * math.fsum(w * v**2 for w, v in zip(shares, variances, strict=True))
    mean, deviation, kurtosis = _moments(model)

    assert mean == pytest.approx(0, abs=4 * math.sqrt(variance / DAYS))
    assert deviation == pytest.approx(math.sqrt(variance), rel=0.03)
    assert kurtosis == pytest.approx(fourth / variance**2 - 3, abs=0.3)


def test_the_first_regime_is_drawn_by_its_share_of_time() -> None:
    model = RegimeSwitching((Regime(0.1, days=30), Regime(0.2, days=10)))
    calm = [_days(model, 1, seed)[0].deviation < 1 for seed in range(1_000)]

    assert sum(calm) == pytest.approx(750, abs=4 * math.sqrt(1_000 * 3 / 16))


def test_a_single_regime_has_the_descriptions_volatility_and_trend() -> None:
    """The trend is per year, as the path's own."""
    mean, deviation, kurtosis = _moments(RegimeSwitching((Regime(0.252, trend=2.52),)))
    daily = 25.2 / math.sqrt(252)

    assert mean == pytest.approx(1, abs=4 * daily / math.sqrt(DAYS))
    assert deviation == pytest.approx(daily, rel=4 / math.sqrt(2 * DAYS))
    assert kurtosis == pytest.approx(0, abs=4 * math.sqrt(24 / DAYS))


def test_innovations_have_unit_variance_and_heavy_tails() -> None:
    """Kurtosis 3(ν−2)/(ν−4) = 4.8: four standard errors of 50,000 squares are 3.5 %."""
    source = stream(1, "test")
    draws = [GjrGarch().innovation(source) for _ in range(50_000)]

    assert statistics.fmean(draws) == pytest.approx(0, abs=0.018)
    assert statistics.fmean(draw**2 for draw in draws) == pytest.approx(1, abs=0.035)
    assert statistics.fmean(draw**4 for draw in draws) > 4


def test_the_next_variance_is_larger_after_a_fall() -> None:
    """h' = ω + (α + γ·[e < 0])·e² + β·h, by hand."""
    model = GjrGarch(omega=0.1, alpha=0.05, gamma=0.1, beta=0.8)

    assert model.next_variance(2.0, 3.0) == pytest.approx(0.1 + 0.05 * 9 + 0.8 * 2)
    assert model.next_variance(2.0, -3.0) == pytest.approx(0.1 + 0.15 * 9 + 0.8 * 2)
    assert model.next_variance(2.0, 0.0) == pytest.approx(0.1 + 0.8 * 2)


@given(st.floats(0.01, 1), st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 0.5))
def test_the_long_run_variance_is_the_fixed_point_of_the_recursion(
    omega: float, alpha: float, gamma: float, beta: float
) -> None:
    """A symmetric return of variance h is negative half of the time."""
    model = GjrGarch(omega, alpha, gamma, beta)
    variance = model.long_run_variance
    shock = math.sqrt(variance)
    after_either_sign = [model.next_variance(variance, sign * shock) for sign in (1, -1)]

    assert statistics.fmean(after_either_sign) == pytest.approx(variance)


def test_garch_days_follow_its_recursion() -> None:
    model = GjrGarch()
    variance = model.long_run_variance
    for day in _days(model, 500):
        assert day.deviation == pytest.approx(math.sqrt(variance))
        assert not day.jumps
        variance = model.next_variance(variance, day.move)


@pytest.mark.parametrize("nu", [4.5, 7.0, 30.0])
def test_without_a_response_the_kurtosis_is_students(nu: float) -> None:
    """6/(ν − 4), whatever β."""
    assert GjrGarch(1, 0, 0, 0.5, nu).excess_kurtosis == pytest.approx(6 / (nu - 4))


def test_without_leverage_and_with_normal_innovations_the_kurtosis_is_bollerslevs() -> None:
    """6α² / (1 − (α + β)² − 2α²) (Bollerslev 1986); a million degrees of freedom are normal."""
    model = GjrGarch(1, 0.1, 0, 0.8, 1_000_000)

    assert model.excess_kurtosis == pytest.approx(6 * 0.01 / (1 - 0.81 - 0.02), rel=1e-4)


@pytest.mark.parametrize(
    "model", [GjrGarch(1, 0, 0, 0, 4), GjrGarch(1, 0, 0, 0, 3), HEAVY], ids=repr
)
def test_the_kurtosis_is_infinite_where_there_is_no_fourth_moment(model: GjrGarch) -> None:
    """With four degrees of freedom or fewer, or with too strong a response to large returns."""
    assert model.excess_kurtosis == math.inf


# The fit of the default


def test_the_default_has_the_historys_variance() -> None:
    assert math.sqrt(GjrGarch().long_run_variance) == pytest.approx(
        standard_deviation(real_returns()), rel=0.005
    )


def test_the_default_has_a_kurtosis_at_most_a_standard_error_above_the_historys() -> None:
    """4.60 + 1.09."""
    returns = real_returns()
    most = excess_kurtosis(returns) + FIT["standard_errors"](returns)["excess_kurtosis"]

    assert most - 0.1 < GjrGarch().excess_kurtosis < most


def test_the_conditions_have_their_price_in_likelihood() -> None:
    """Without them a surprise in the variance lasts longer, and the likelihood is the highest."""
    highest = FIT["highest_likelihood"](real_returns())
    models = (highest, make_model("gjr_garch_mle"), make_model("gjr_garch"))

    likelihoods = [FIT["log_likelihood"](model, real_returns()) for model in models]
    assert likelihoods == pytest.approx([-5578.54, -5578.54, -5586.37], abs=0.01)
    assert [FIT["half_life"](model) for model in models[1:]] == pytest.approx([45.9, 18.4], abs=0.1)


# Days of every model


@given(st.floats(-20, 20), st.lists(st.floats(-20, 20), max_size=5))
def test_a_days_return_is_its_move_and_its_jumps(move: float, sizes: list[float]) -> None:
    day = Day(move, 1.0, tuple(Jump(0.5, size) for size in sizes))

    assert day.total == pytest.approx(math.fsum([move, *sizes]), abs=1e-9)


@pytest.mark.parametrize("name", ["gjr_garch", "gbm", "merton", "regime"])
def test_every_own_model_varies_as_aapl_did(name: str) -> None:
    """2.38 % a day over 2003–2013."""
    assert _moments(make_model(name))[1] == pytest.approx(2.4, rel=0.1)


# Names


@pytest.mark.usefixtures("register")
def test_a_model_of_ones_own_makes_paths() -> None:
    @path_model("steady")
    class Steady:
        def days(self, stream: random.Random) -> Iterator[Day]:
            while True:
                yield Day(1.0, 0.0)

    assert "steady" in path_models()
    path = make_path(SIMULATED, 0, TRADING_DAY, path_model="steady")
    assert path.price(7 * TRADING_DAY) == pytest.approx(150e6 * math.exp(0.07), rel=1e-7)


# Parameters as data


@pytest.mark.parametrize(
    ("name", "parameters", "model"),
    [
        ("gbm", {"volatility": 1}, GeometricBrownianMotion(1)),
        ("gjr_garch", {"omega": 0.1, "beta": 0.8}, GjrGarch(omega=0.1, beta=0.8)),
        ("merton", MappingProxyType({"jumps_per_year": 0}), MertonJumps(jumps_per_year=0)),
        ("regime", {}, RegimeSwitching()),
        (
            "regime",
            {"regimes": ({"volatility": 0.3, "days": 20}, Regime(0.2, days=5))},
            RegimeSwitching((Regime(0.3, days=20), Regime(0.2, days=5))),
        ),
    ],
)
def test_parameters_are_plain_data(
    name: str, parameters: Mapping[str, object], model: ReturnModel
) -> None:
    """From TOML or JSON, or frozen by a configuration; what is left out keeps its default."""
    assert make_model(name, parameters) == model


@pytest.mark.parametrize(
    ("model", "parameters", "message"),
    [
        ("gbm", {"sigma": 0.2}, r"sigma: 0\.2 .* one of the parameters volatility$"),
        ("gbm", {"volatility": -1}, r"volatility: -1 .* a number from 0 to 1e\+06$"),
        ("gbm", {"volatility": None}, r"volatility: None .* a number"),
        ("gjr_garch", {"degrees_of_freedom": 2}, r"degrees_of_freedom: 2 .* above 2 and at most"),
        (
            "gjr_garch",
            {"beta": 0.99},
            r"beta: 0\.99 .* so little that alpha \+ gamma/2 \+ beta < 1",
        ),
        ("regime", {"regimes": []}, r"regimes: \[\] .* a list of at least one regime"),
        ("regime", {"regimes": {"volatility": 0.3}}, r"regimes: \{.*\} .* a list of at least one"),
        ("regime", {"regimes": [{}]}, r"regimes\.0: \{\} .* a value for volatility"),
        (
            "regime",
            {"regimes": [{"volatility": 0.3, "days": 2}, {"volatility": True, "days": 2}]},
            r"regimes\.1\.volatility: True .* a number from 0",
        ),
        (
            "regime",
            {"regimes": [{"volatility": 0.3, "drift": 0.1}]},
            r"regimes\.0\.drift: 0\.1 .* one of the parameters volatility, trend, days",
        ),
        (
            "regime",
            {"regimes": [{"volatility": 0.3}, {"volatility": 0.2, "days": 2}]},
            r"regimes: .* regimes that end, or only one",
        ),
        (lambda: GjrGarch(), {"omega": 1}, r"omega: 1 .* no parameters$"),
    ],
)
def test_wrong_parameters_are_named(
    model: Any, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"^path_parameters\.{message}"):
        make_model(model, parameters)


@pytest.mark.parametrize("factory", [list, lambda: None, lambda: 1.0])
def test_what_makes_no_model_is_refused(factory: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^path_model: .* with a method days\(stream\)$"):
        make_model(factory)


# Bad parameters


@pytest.mark.parametrize("value", [True, "0.1", None, math.nan, math.inf, 10**400, 1e300, 0.1j])
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (kind, field.name)
        for kind in NUMERIC
        for field in dataclasses.fields(kind)
        if field.name != "days"
    ],
)
def test_every_parameter_is_a_real_number_of_sensible_size(
    kind: type, field: str, value: object
) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field}: .* a number") as caught:
        kind(**{"volatility": 0.1, field: value} if kind is Regime else {field: value})
    assert caught.value.value is value
