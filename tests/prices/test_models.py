"""Laws of daily returns: their moments in closed form, their names, and what they refuse.

Four standard errors are allowed wherever a sample is compared with a law; the seeds are fixed.
"""

import itertools
import math
import random
import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from streamlet_lab.prices.models import make_model
from streamlet_lab.streams import stream

DAYS = 40_000


def _days(model: ReturnModel, count: int = DAYS, seed: int = 0) -> list[Day]:
    return list(itertools.islice(model.days(stream(seed, "test")), count))


def _moments(model: ReturnModel) -> tuple[float, float, float]:
    """Mean, standard deviation and excess kurtosis of the daily returns, in percent."""
    returns = np.array([day.total for day in _days(model)])
    centred = returns - returns.mean()
    variance = (centred**2).mean()
    return returns.mean(), math.sqrt(variance), (centred**4).mean() / variance**2 - 3


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the test registers."""
    monkeypatch.setattr(models, "_MODELS", dict(models._MODELS))


# Moments


def test_gbm_is_normal_with_the_daily_share_of_its_annual_volatility() -> None:
    """σ/√252 a day. Standard errors: σ/√n, σ/√2n, √(24/n)."""
    mean, deviation, kurtosis = _moments(GeometricBrownianMotion(volatility=0.252))
    daily = 25.2 / math.sqrt(252)

    assert mean == pytest.approx(0, abs=4 * daily / math.sqrt(DAYS))
    assert deviation == pytest.approx(daily, rel=4 / math.sqrt(2 * DAYS))
    assert kurtosis == pytest.approx(0, abs=4 * math.sqrt(24 / DAYS))


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


def test_without_jumps_merton_is_gbm() -> None:
    assert _days(MertonJumps(0.3, jumps_per_year=0), 50) == _days(GeometricBrownianMotion(0.3), 50)


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


def test_a_regime_lasts_a_geometric_time() -> None:
    """Mean d and variance d(d − 1), here 5 and 20."""
    model = RegimeSwitching((Regime(0.1, days=5), Regime(0.2, days=5)))
    runs = [len(list(run)) for _, run in itertools.groupby(_days(model), lambda d: d.deviation)]

    assert statistics.fmean(runs) == pytest.approx(5, abs=4 * math.sqrt(20 / len(runs)))
    assert statistics.pvariance(runs) == pytest.approx(20, rel=0.15)


def test_regimes_take_turns() -> None:
    model = RegimeSwitching(tuple(Regime(volatility, days=1) for volatility in (0.1, 0.2, 0.3)))
    deviations = [day.deviation for day in _days(model, 9)]

    assert deviations[:3] * 3 == deviations
    assert len(set(deviations)) == 3


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


def test_garch_days_follow_its_recursion() -> None:
    model = GjrGarch()
    variance = model.long_run_variance
    for day in _days(model, 500):
        assert day.deviation == pytest.approx(math.sqrt(variance))
        assert not day.jumps
        variance = model.next_variance(variance, day.move)


def test_the_fourth_moment_of_the_default_is_just_not_finite() -> None:
    """It is if E[((α + γ·[z < 0])·z² + β)²] < 1, with E[z⁴] = 3(ν − 2)/(ν − 4)."""
    model = GjrGarch()
    alpha, gamma, beta, nu = model.alpha, model.gamma, model.beta, model.degrees_of_freedom
    squared = alpha**2 + alpha * gamma + gamma**2 / 2
    moment = squared * 3 * (nu - 2) / (nu - 4) + 2 * beta * (alpha + gamma / 2) + beta**2

    assert 1 < moment < 1.001


@given(st.floats(-20, 20), st.lists(st.floats(-20, 20), max_size=5))
def test_a_days_return_is_its_move_and_its_jumps(move: float, sizes: list[float]) -> None:
    day = Day(move, 1.0, tuple(Jump(0.5, size) for size in sizes))

    assert day.total == pytest.approx(math.fsum([move, *sizes]), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gjr_garch", GjrGarch),
        ("gbm", GeometricBrownianMotion),
        ("merton", MertonJumps),
        ("regime", RegimeSwitching),
    ],
)
def test_every_own_model_varies_as_aapl_did(name: str, kind: type) -> None:
    """2.38 % a day over 2003–2013; the fit of the default says 2.6 %."""
    model = make_model(name)

    assert isinstance(model, kind)
    assert _moments(model)[1] == pytest.approx(2.4, rel=0.1)


@pytest.mark.parametrize("name", ["gbm", "gjr_garch", "merton", "regime"])
def test_days_depend_on_the_stream_alone(name: str) -> None:
    model = make_model(name)

    assert _days(model, 100) == _days(model, 100)
    assert _days(model, 100) != _days(model, 100, seed=1)


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


@pytest.mark.usefixtures("register")
def test_other_parameters_are_another_model() -> None:
    path_model("calm")(lambda: GeometricBrownianMotion(0.1))

    assert make_model("calm") == GeometricBrownianMotion(0.1)


@pytest.mark.parametrize("name", ["gbm", "gjr_garch", "merton", "regime"])
def test_the_labs_own_models_cannot_be_replaced(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^name: .* other than the lab's own"):
        path_model(name)


@pytest.mark.parametrize("name", ["", "my model", "2fast", None, GeometricBrownianMotion])
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^name: "):
        path_model(name)


def test_a_model_that_is_not_registered_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^path_model: 'steady' .* must be registered before"):
        make_model("steady")


# Bad parameters


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        (GeometricBrownianMotion, {"volatility": -0.1}, "volatility"),
        (GeometricBrownianMotion, {"volatility": math.nan}, "volatility"),
        (MertonJumps, {"volatility": math.inf}, "volatility"),
        (MertonJumps, {"jumps_per_year": -1}, "jumps_per_year"),
        (MertonJumps, {"jump_mean": math.nan}, "jump_mean"),
        (MertonJumps, {"jump_deviation": -0.1}, "jump_deviation"),
        (Regime, {"volatility": -0.1}, "volatility"),
        (Regime, {"volatility": 0.1, "trend": math.inf}, "trend"),
        (Regime, {"volatility": 0.1, "days": 0.5}, "days"),
        (Regime, {"volatility": 0.1, "days": math.nan}, "days"),
        (RegimeSwitching, {"regimes": ()}, "regimes"),
        (RegimeSwitching, {"regimes": (Regime(0.1), Regime(0.2, days=2))}, "regimes"),
    ],
)
def test_bad_parameters_are_refused(kind: type, parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field}: "):
        kind(**parameters)
