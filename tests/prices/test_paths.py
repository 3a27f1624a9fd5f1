"""The simulated path: its law at every step, its nights, its bounds.

Every interval for a random quantity is stated with its reason; a test fails by chance less than
once in ten thousand seeds, and the seeds are fixed. Golden values are in test_determinism.py.
"""

import itertools
import math
import random
import runpy
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    ORIGIN,
    SIMULATED,
    TRADING_DAY,
    Day,
    GeometricBrownianMotion,
    GjrGarch,
    Jump,
    PathSettings,
    PathStreams,
    ReturnModel,
    SimulatedPath,
    make_path,
)
from streamlet_lab.prices.intraday import TYPICAL_INTRADAY
from streamlet_lab.prices.models import make_model
from streamlet_lab.prices.paths import TYPICAL_NIGHTS

# So wide that the path never meets them: nothing is folded.
WIDE = (Decimal("0.01"), Decimal(10_000_000))
MINUTE = 60_000_000
# No nights and a clock that runs evenly: a Brownian bridge within each day.
DIFFUSION = {"nights": 0.0, "intraday": 0.0}
# Of variance 1 a day.
NORMAL = GeometricBrownianMotion(math.sqrt(252) / 100)
FIT = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "fit_path_model.py"))


def _path(seed: int = 0, step: int = TRADING_DAY, **settings: object) -> SimulatedPath:
    model = settings.pop("model", None)
    values = PathSettings(**settings)  # type: ignore[arg-type]
    return SimulatedPath(PathStreams(seed, "TEST"), step, values, model=model)  # type: ignore[arg-type]


def _closes(path: SimulatedPath, days: int) -> list[int]:
    return [path.price(day * TRADING_DAY) for day in range(days + 1)]


def _logs(seed: int, step: int, count: int, **settings: object) -> NDArray[np.float64]:
    """Logarithms of the prices at so many steps from time 0 on, in percent of $150."""
    path = _path(seed, step, bounds=WIDE, **settings)
    return 100 * np.log([path.price(index * step) / 150e6 for index in range(count + 1)])


@given(st.lists(st.integers(0, 50 * TRADING_DAY), max_size=20))
def test_the_order_of_questions_does_not_matter(times: list[int]) -> None:
    path, asked_in_order = _path(step=TRADING_DAY // 10), _path(step=TRADING_DAY // 10)
    in_order = {time: asked_in_order.price(time) for time in sorted(times)}

    assert {time: path.price(time) for time in times} == in_order
    assert {time: path.price(time) for time in times} == in_order


# --- One path, however often one looks


@pytest.mark.parametrize(
    "chosen",
    [{"path_model": model, "symbol": "MSFT"} for model in ("gjr_garch", "gbm", "merton", "regime")]
    # Reflected every few days, with a trend, without a common factor, as a diffusion.
    + [{"volatility": 10.0, "trend": 20.0, "path_model": model} for model in ("gbm", "merton")]
    + [{"correlation": 0.0}, {"correlation": 1.0}, DIFFUSION],
    ids=str,
)
def test_the_same_days_pass_under_every_step(chosen: dict[str, object]) -> None:
    """Whatever the market time of an epoch, the closes are the same to the micro-dollar."""
    lengths = {TRADING_DAY: 60, TRADING_DAY // 2: 60, 60 * MINUTE: 60, MINUTE: 2}
    closes, *others = (
        _closes(make_path(SIMULATED, 3, length, **chosen), days)  # type: ignore[arg-type]
        for length, days in lengths.items()
    )

    assert len(set(closes)) == 61
    for fewer in others:
        assert fewer == closes[: len(fewer)]


@given(
    st.integers(TRADING_DAY // 1_000, TRADING_DAY) | st.sampled_from([MINUTE, 10 * MINUTE]),
    st.integers(2, 20),
    st.sampled_from(["gjr_garch", "merton"]),
    st.sampled_from([0.0, 0.34, 0.9]),
    st.sampled_from([0.0, 0.32]),
)
@settings(max_examples=30)
def test_larger_steps_see_some_of_the_prices_of_smaller_ones(
    step: int, times: int, model: str, intraday: float, nights: float
) -> None:
    chosen = PathSettings(intraday=intraday, nights=nights)
    fine, coarse = (
        SimulatedPath(PathStreams(1, "TEST", 0.5), size, chosen, model=make_model(model))
        for size in (step, times * step)
    )

    for time in range(0, 8 * times * step, times * step):
        assert coarse.price(time) == fine.price(time)


@pytest.mark.parametrize("model", ["gjr_garch", "gbm", "merton", "regime"])
@pytest.mark.parametrize("within", [{"nights": 0.6}, {"intraday": 0.7}, DIFFUSION], ids=str)
def test_what_happens_within_the_days_does_not_change_them(
    model: str, within: dict[str, float]
) -> None:
    default, other = (
        make_path(SIMULATED, 5, TRADING_DAY // 2, path_model=model, **chosen)
        for chosen in ({}, within)
    )

    assert _closes(other, 100) == _closes(default, 100)  # type: ignore[arg-type]
    assert other.price(TRADING_DAY // 2) != default.price(TRADING_DAY // 2)


def test_within_a_step_the_price_stands_still() -> None:
    path = _path(step=MINUTE)
    prices = [path.price(index * MINUTE) for index in range(391)]

    assert [path.price(index * MINUTE + MINUTE - 1) for index in range(391)] == prices
    assert np.count_nonzero(np.diff(prices)) > 380


def test_each_seed_and_each_symbol_has_a_path_of_its_own() -> None:
    aapl, msft, default = (
        make_path(SIMULATED, 0, TRADING_DAY, symbol=symbol) for symbol in ("AAPL", "MSFT", None)
    )

    assert (aapl.symbol, msft.symbol, default.symbol) == ("AAPL", "MSFT", "AAPL")
    assert aapl.price(TRADING_DAY) == default.price(TRADING_DAY) != msft.price(TRADING_DAY)
    assert _path(1).price(TRADING_DAY) != _path(2).price(TRADING_DAY)


# --- Within the session


def _moves(cell: int, days: int, intraday: float) -> NDArray[np.float64]:
    """Moves in each cell of that length over its deviation, without nights, of normal days."""
    logs = _logs(4, cell, days * TRADING_DAY // cell, model=NORMAL, nights=0.0, intraday=intraday)
    return np.diff(logs) / math.sqrt(cell / TRADING_DAY)


def _mean_power(moves: NDArray[np.float64], power: int, per_day: int) -> tuple[float, float]:
    """Mean power of moves, and its standard error: days are independent."""
    days = (moves**power).reshape(-1, per_day).mean(axis=1)
    return float(days.mean()), float(days.std() / math.sqrt(len(days)))


@pytest.mark.parametrize(("minutes", "days"), [(39, 2_000), (1.5, 600)])
@pytest.mark.parametrize("intraday", [0.0, TYPICAL_INTRADAY])
def test_tails_are_the_fatter_the_shorter_the_time(
    minutes: float, days: int, intraday: float
) -> None:
    """The kurtosis is 3 (6.5 h / cell)^h, and the variance that of the time."""
    cells = round(390 / minutes)
    moves = _moves(TRADING_DAY // cells, days, intraday)
    expected = 3 * cells**intraday
    variance, error = _mean_power(moves, 2, cells)
    assert abs(variance - 1) < 4 * error < 0.5
    fourth, error = _mean_power(moves, 4, cells)
    assert abs(fourth - expected) < 4 * error < 0.5 * expected


@pytest.mark.parametrize(("minutes", "days", "expected"), [(1, 200, 20.75), (5, 400, 10.58)])
def test_minutes_have_the_kurtosis_of_the_cells_that_they_are_made_of(
    minutes: int, days: int, expected: float
) -> None:
    """Of the second moments of all cells of 30 seconds, as the fit has them."""
    normal = GjrGarch(1, 0, 0, 0, 1e6)
    exact = FIT["kurtosis_within_the_session"](normal, TYPICAL_INTRADAY, 2 * minutes) + 3

    assert exact == pytest.approx(expected, abs=0.01)
    moves = _moves(minutes * MINUTE, days, TYPICAL_INTRADAY)
    fourth, error = _mean_power(moves, 4, 390 // minutes)
    assert abs(fourth - exact) < 4 * error < 0.5 * exact


def test_five_minutes_of_the_default_have_the_kurtosis_of_the_literature() -> None:
    assert FIT["fitted_intraday"](GjrGarch()) == pytest.approx(TYPICAL_INTRADAY, abs=0.005)
    found = FIT["kurtosis_within_the_session"](GjrGarch(), TYPICAL_INTRADAY, 10)
    assert found == pytest.approx(15.95, abs=0.1)


@pytest.mark.parametrize(("minutes", "days"), [(0.5, 10), (39, 800)])
def test_without_a_clock_the_moves_are_normal_at_every_step(minutes: float, days: int) -> None:
    """By Kolmogorov and Smirnov's test, which the clock fails at once."""
    even, clocked = (
        stats.kstest(_moves(round(minutes * MINUTE), days, intraday), "norm").pvalue
        for intraday in (0.0, TYPICAL_INTRADAY)
    )

    assert even > 1e-4
    assert clocked < 1e-9


@pytest.mark.parametrize("part", [1, 2, 3])
def test_within_a_day_the_path_is_a_brownian_bridge(part: int) -> None:
    """At noon, given both ends, the variance is h/4; at t of the day it is h·t·(1−t).

    The deviation from the straight line does not depend on where the line leads. Four standard
    errors of a mean of 4,000 squares of normal variates are 9 %, of the two other means 6 %.
    """
    days, share, model = 4_000, part / 4, GjrGarch()
    logs = _logs(11, TRADING_DAY // 4, 4 * days, **DIFFUSION)
    ends, between = logs[::4], logs[part::4]
    returns = np.diff(ends)
    variances = [model.long_run_variance]
    for change in returns[:-1]:
        variances.append(model.next_variance(variances[-1], change))
    scale = np.sqrt(variances)
    deviations = between - (1 - share) * ends[:-1] - share * ends[1:]
    deviations /= scale * math.sqrt(share * (1 - share))

    assert np.mean(deviations) == pytest.approx(0, abs=0.063)
    assert np.mean(deviations**2) == pytest.approx(1, abs=0.09)
    assert np.mean(deviations * returns / scale) == pytest.approx(0, abs=0.063)


@pytest.mark.parametrize("hours", [1 / 60, 13])
def test_gbms_annual_volatility_is_scaled_to_the_length_of_an_epoch(hours: float) -> None:
    """By the square root of its share of a year; four standard errors of 4,000 are 4.5 %."""
    epoch = round(hours * 60) * MINUTE
    logs = _logs(2, epoch, 4_000, model=GeometricBrownianMotion(0.3), **DIFFUSION)

    assert np.std(np.diff(logs)) == pytest.approx(30 * math.sqrt(hours / 6.5 / 252), rel=0.045)


# --- Nights and jumps


@pytest.mark.parametrize("intraday", [0.0, TYPICAL_INTRADAY])
@pytest.mark.parametrize("nights", [0.0, TYPICAL_NIGHTS, 0.8])
def test_a_night_has_its_share_of_the_variance_and_the_session_the_rest(
    nights: float, intraday: float
) -> None:
    """Of 4,000 days of variance 1: the first tenth of a session, the night before it included.

    Four standard errors of a mean of 4,000 squares are 9 % of it, of fatter tails 16 %.
    """
    logs = _logs(6, TRADING_DAY // 10, 40_000, model=NORMAL, nights=nights, intraday=intraday)
    first, *later = (np.diff(logs) ** 2).reshape(-1, 10).T

    assert np.mean(first) == pytest.approx(nights + (1 - nights) / 10, rel=0.16)
    assert 10 * np.mean(later) == pytest.approx(1 - nights, rel=0.06)


class _TwoJumps:
    """Each day rises by 8 % in a straight line, jumps by 4 % early and falls by 2 % late."""

    def days(self, stream: random.Random) -> Iterator[Day]:
        return itertools.repeat(Day(8.0, 0.0, (Jump(0.25, 4.0), Jump(0.75, -2.0))))


def test_at_the_boundary_the_price_is_the_close_and_right_after_it_the_open() -> None:
    """Jumps by 4 % at a quarter of the day's variance come with the night, if that is longer."""
    percent = _logs(0, TRADING_DAY // 100, 101, model=_TwoJumps(), nights=0.5, intraday=0.0)

    assert percent[0] == 0
    assert percent[1] == pytest.approx(4 + 4 + 4 / 100, abs=1e-5)
    assert percent[49] == pytest.approx(4 + 4 + 4 * 0.49, abs=1e-5)
    assert percent[50] == pytest.approx(4 + 4 + 4 * 0.5 - 2, abs=1e-5)  # three quarters of the way
    assert percent[100] == pytest.approx(10, abs=1e-5)
    assert percent[101] == pytest.approx(10 + 4 + 4 + 4 / 100, abs=1e-5)


@given(st.integers(1, 3 * TRADING_DAY), st.lists(st.integers(0, 5 * TRADING_DAY), max_size=5))
def test_a_jump_comes_at_its_instant_whatever_the_step(step: int, times: list[int]) -> None:
    step = max(step, TRADING_DAY // 100)
    path = _path(step=step, bounds=WIDE, model=_TwoJumps(), **DIFFUSION)
    for time in times:
        days, share = divmod(time // step * step / TRADING_DAY, 1)
        percent = 10 * days + 8 * share + 4 * (share >= 0.25) - 2 * (share >= 0.75)
        assert path.price(time) == pytest.approx(150e6 * math.exp(percent / 100), rel=1e-7)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [("nights", value, "0 and below 1") for value in (-0.1, 1.0, math.nan, math.inf)]
    + [("intraday", value, r"0 to 0\.9") for value in (-0.1, 0.91, math.nan, math.inf)],
)
def test_nights_and_clocks_out_of_bounds_are_refused(
    field: str, value: float, expected: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field}: .* a number from {expected}"):
        _path(**{field: value})


# --- Where it begins, and its bounds


def test_the_path_stays_within_its_bounds_and_uses_them_all() -> None:
    prices = _closes(_path(volatility=20.0), 3_000)

    assert 50_000_000 <= min(prices) < 55_000_000
    assert 450_000_000 < max(prices) <= 500_000_000


@pytest.mark.parametrize("trend", [-50.0, -25.2, 0.5, 25.2, 50.0])
def test_the_bounds_are_mirrors_and_the_trend_is_per_year(trend: float) -> None:
    """Without volatility the free path is a straight line; fold it step by step."""
    path = _path(volatility=0.0, trend=trend)
    low, high = math.log(50), math.log(500)
    position, step = math.log(150), trend / 252
    for day in range(1, 200):
        position += step
        if position > high:
            position, step = 2 * high - position, -step
        elif position < low:
            position, step = 2 * low - position, -step
        assert path.price(day * TRADING_DAY) == pytest.approx(math.exp(position) * 1e6, rel=1e-6)


@pytest.mark.parametrize("model", [GjrGarch(), _TwoJumps()])
def test_volatility_multiplies_every_move(model: ReturnModel) -> None:
    calm, wild = (_logs(0, TRADING_DAY // 4, 80, model=model, volatility=by) for by in (1.0, 2.0))

    assert wild == pytest.approx(2 * calm, abs=1e-4)


def test_volume_is_u_shaped_within_the_day_and_the_same_every_day() -> None:
    """Half as much at noon as at the opening and the close."""
    path = _path()
    volumes = [path.volume(minute * MINUTE) for minute in range(391)]

    assert volumes[0] == volumes[390] == 4_500
    assert volumes[195] == 2_250
    assert volumes[:196] == sorted(volumes[:196], reverse=True)
    assert volumes[195:] == sorted(volumes[195:])
    assert [path.volume(7 * TRADING_DAY + minute * MINUTE) for minute in range(390)] == volumes[:-1]


def test_the_simulated_path_is_aapl_from_fifty_to_five_hundred_without_end() -> None:
    path = make_path(SIMULATED, 0, TRADING_DAY)

    assert path.bounds == (Decimal(50), Decimal(500))
    assert path.base_price == 150
    assert path.duration is None
    assert path.timestamp(0) == ORIGIN
    assert path.timestamp(TRADING_DAY) == datetime(2024, 1, 15, 17, 0, tzinfo=UTC)


# --- A model of one's own


class _Given:
    """A model whose days are what they are said to be, and then end."""

    def __init__(self, days: object) -> None:
        self._days = days

    def days(self, stream: random.Random) -> Iterator[Day]:
        return self._days  # type: ignore[return-value]


@pytest.mark.parametrize(
    "days",
    [
        [Day(0.0, 1.0)],
        None,
        iter([Day(0.0, 1.0)]),
        itertools.repeat(None),
        itertools.repeat(Day(math.nan, 1.0)),
        itertools.repeat(Day("much", 1.0)),  # type: ignore[arg-type]
        itertools.repeat(Day(0.0, -1.0)),
        itertools.repeat(Day(0.0, math.inf)),
        itertools.repeat(Day(0.0, 1.0, (Jump(0.5, math.inf),))),
        itertools.repeat(Day(0.0, 1.0, (Jump(1.5, 1.0),))),
        itertools.repeat(Day(0.0, 1.0, (Jump(math.nan, 1.0),))),
        itertools.repeat(Day(0.0, 1.0, (2.0,))),  # type: ignore[arg-type]
        itertools.repeat(Day(0.0, 1.0, None)),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_day_is_refused_when_it_comes(days: object) -> None:
    path = _path(model=_Given(days))
    for _ in range(2):  # and again, if it is asked again
        with pytest.raises(InvalidInput, match=r"^path_model: .* never ends and yields one Day"):
            path.price(3 * TRADING_DAY)
