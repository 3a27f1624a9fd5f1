"""The underlying path: its law, its bounds, and history as it was.

Every interval for a random quantity is stated with its reason; a test fails by chance less than
once in ten thousand seeds, and the seeds are fixed. Golden values are in test_determinism.py.
"""

import itertools
import math
import operator
import random
import runpy
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    SimulatedPath,
    make_path,
)
from streamlet_lab.prices.intraday import TYPICAL_INTRADAY
from streamlet_lab.prices.models import make_model
from streamlet_lab.prices.paths import TYPICAL_NIGHTS

MODEL = GjrGarch()
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


def _logs(seed: int, days: int, per_day: int, **settings: object) -> list[float]:
    """Logarithms of the path's prices, ``per_day`` of them each day and the last one's end."""
    path = _path(seed, TRADING_DAY // per_day, bounds=WIDE, **settings)
    return [
        math.log(path.price(index * TRADING_DAY // per_day) / 1e6)
        for index in range(days * per_day + 1)
    ]


def _with_variances(daily_logs: list[float]) -> list[tuple[float, float]]:
    """Daily returns in percent, each with the variance that the model gives it beforehand."""
    variance, result = MODEL.long_run_variance, []
    for before, after in itertools.pairwise(daily_logs):
        change = 100 * (after - before)
        result.append((change, variance))
        variance = MODEL.next_variance(variance, change)
    return result


@pytest.mark.parametrize(("per_day", "days"), [(1, 2_000), (10, 1_000)])
def test_the_daily_law_does_not_depend_on_the_step(per_day: int, days: int) -> None:
    """Returns over the model's own deviation have variance 1.

    Four standard errors of a mean of squares with kurtosis 7.2 are 10 / √days.
    """
    squares = [
        change**2 / variance
        for change, variance in _with_variances(_logs(7, days, per_day)[::per_day])
    ]

    assert statistics.fmean(squares) == pytest.approx(1, abs=10 / math.sqrt(days))


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
    closes = []
    for length, days in [
        (TRADING_DAY, 60),
        (TRADING_DAY // 2, 60),
        (60 * MINUTE, 60),
        (MINUTE, 2),
    ]:
        path = make_path(SIMULATED, 3, length, **chosen)  # type: ignore[arg-type]
        closes.append([path.price(day * TRADING_DAY) for day in range(days + 1)])

    for fewer in closes[1:]:
        assert fewer == closes[0][: len(fewer)]
    assert len(set(closes[0])) == 61


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
    fine, coarse = (
        SimulatedPath(
            PathStreams(1, "TEST", 0.5),
            size,
            PathSettings(intraday=intraday, nights=nights),
            model=make_model(model),
        )
        for size in (step, times * step)
    )

    for index in range(8):
        time = index * times * step
        assert coarse.price(time) == fine.price(time)


# --- Within the session


def _moves(cell: int, days: int, intraday: float) -> list[float]:
    """Moves in each cell of that length, without nights, of normal days of variance 1."""
    path = _path(4, cell, bounds=WIDE, model=NORMAL, nights=0.0, intraday=intraday)
    times = range(0, days * TRADING_DAY + 1, cell)
    logs = [100 * math.log(path.price(time)) for time in times]
    return [after - before for before, after in itertools.pairwise(logs)]


def _mean_power(moves: list[float], power: int, cell: int) -> tuple[float, float]:
    """Mean power of moves over their deviation, and its standard error: days are independent."""
    share, per_day = cell / TRADING_DAY, TRADING_DAY // cell
    powers = (np.array(moves) / math.sqrt(share)) ** power
    days = powers.reshape(-1, per_day).mean(axis=1)
    return float(days.mean()), float(days.std() / math.sqrt(len(days)))


@pytest.mark.parametrize("minutes", [39, 1.5])
@pytest.mark.parametrize("intraday", [0.0, TYPICAL_INTRADAY])
def test_tails_are_the_fatter_the_shorter_the_time(minutes: float, intraday: float) -> None:
    """The kurtosis is 3 (6.5 h / cell)^h, and the variance that of the time."""
    cell = round(minutes * MINUTE)
    moves = _moves(cell, {0.5: 150, 1.5: 600}.get(minutes, 2_000), intraday)
    expected = 3 * (TRADING_DAY / cell) ** intraday
    variance, error = _mean_power(moves, 2, cell)
    assert abs(variance - 1) < 4 * error < 0.5
    fourth, error = _mean_power(moves, 4, cell)
    assert abs(fourth - expected) < 4 * error < 0.5 * expected


def test_five_minutes_of_the_default_have_the_kurtosis_of_the_literature() -> None:
    assert FIT["fitted_intraday"](GjrGarch()) == pytest.approx(TYPICAL_INTRADAY, abs=0.005)
    found = FIT["kurtosis_within_the_session"](GjrGarch(), TYPICAL_INTRADAY, 10)
    assert found == pytest.approx(15.95, abs=0.1)


@pytest.mark.parametrize("value", [-0.1, 0.91, math.nan, math.inf])
def test_a_clock_out_of_bounds_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"^intraday: .* a number from 0 to 0\.9"):
        _path(intraday=value)


# --- Nights


@pytest.mark.parametrize("intraday", [0.0, TYPICAL_INTRADAY])
@pytest.mark.parametrize("nights", [0.0, TYPICAL_NIGHTS, 0.8])
def test_a_night_has_its_share_of_the_variance_and_the_session_the_rest(
    nights: float, intraday: float
) -> None:
    """Of 4,000 days of variance 1: the first tenth of a session, the night before it included.

    Four standard errors of a mean of 4,000 squares are 9 % of it, of fatter tails 16 %.
    """
    path = _path(6, TRADING_DAY // 10, bounds=WIDE, model=NORMAL, nights=nights, intraday=intraday)
    logs = [100 * math.log(path.price(i * TRADING_DAY // 10)) for i in range(40_001)]
    moves = [after - before for before, after in itertools.pairwise(logs)]
    first = statistics.fmean(move**2 for move in moves[::10])
    later = [move**2 for index, move in enumerate(moves) if index % 10]

    assert first == pytest.approx(nights + (1 - nights) / 10, rel=0.16)
    assert 10 * statistics.fmean(later) == pytest.approx(1 - nights, rel=0.06)


def test_a_night_follows_the_move_of_its_day() -> None:
    """Without any deviation it is its share of the move; the first minute adds a little."""
    path = _path(6, MINUTE, bounds=WIDE, model=_Steady(), nights=0.32, intraday=0.0)
    for day in range(3):
        before = path.price(day * TRADING_DAY)
        opened = path.price(day * TRADING_DAY + MINUTE)
        assert 100 * math.log(opened / before) == pytest.approx(2 * (0.32 + 0.68 / 390), abs=1e-5)
        assert 100 * math.log(path.price((day + 1) * TRADING_DAY) / before) == pytest.approx(2)


class _Steady:
    """Each day rises by 2 %, without any deviation."""

    def days(self, stream: random.Random) -> Iterator[Day]:
        return itertools.repeat(Day(2.0, 0.0))


def test_at_the_boundary_the_price_is_the_close_and_right_after_it_the_open() -> None:
    """Jumps by 4 % at a quarter of the day's variance come with the night, if that is longer."""
    path = _path(step=TRADING_DAY // 100, bounds=WIDE, model=_TwoJumps(), nights=0.5, intraday=0.0)

    def percent(hundredths: int) -> float:
        return 100 * math.log(path.price(hundredths * TRADING_DAY // 100) / 150e6)

    assert percent(0) == 0
    assert percent(1) == pytest.approx(4 + 4 + 4 / 100, abs=1e-5)
    assert percent(49) == pytest.approx(4 + 4 + 4 * 0.49, abs=1e-5)
    assert percent(50) == pytest.approx(4 + 4 + 4 * 0.5 - 2, abs=1e-5)  # three quarters of the way
    assert percent(100) == pytest.approx(10, abs=1e-5)
    assert percent(101) == pytest.approx(10 + 4 + 4 + 4 / 100, abs=1e-5)


@pytest.mark.parametrize("value", [-0.1, 1.0, math.nan, math.inf])
def test_nights_out_of_bounds_are_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match=r"^nights: .* a number from 0 and below 1"):
        _path(nights=value)


# --- Where it begins, and its bounds


def test_the_path_stays_within_its_bounds_and_uses_them_all() -> None:
    path = _path(volatility=20.0)
    prices = [path.price(day * TRADING_DAY) for day in range(3_000)]

    assert 50_000_000 <= min(prices) < 55_000_000
    assert 450_000_000 < max(prices) <= 500_000_000


@pytest.mark.parametrize("trend", [-50.0, -25.2, 25.2, 50.0])
def test_the_bounds_are_mirrors(trend: float) -> None:
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


def test_the_trend_is_per_year() -> None:
    path = _path(volatility=0.0, trend=0.5)

    assert path.price(252 * TRADING_DAY) == pytest.approx(150e6 * math.exp(0.5), rel=1e-6)


def test_volatility_multiplies_every_return() -> None:
    calm, wild = (
        [math.log(path.price(day * TRADING_DAY) / 150e6) for day in range(300)]
        for path in (_path(bounds=WIDE), _path(bounds=WIDE, volatility=2.0))
    )

    assert wild == pytest.approx([2 * value for value in calm], abs=1e-6)


class _TwoJumps:
    """Each day rises by 8 % in a straight line, jumps by 4 % early and falls by 2 % late."""

    def days(self, stream: random.Random) -> Iterator[Day]:
        while True:
            yield Day(8.0, 0.0, (Jump(0.25, 4.0), Jump(0.75, -2.0)))


@given(st.integers(1, 3 * TRADING_DAY), st.lists(st.integers(0, 5 * TRADING_DAY), max_size=5))
def test_a_jump_comes_at_its_instant_whatever_the_step(step: int, times: list[int]) -> None:
    path = _path(step=max(step, TRADING_DAY // 100), bounds=WIDE, model=_TwoJumps(), **DIFFUSION)
    for time in times:
        days, share = divmod(time // path._step * path._step / TRADING_DAY, 1)
        percent = 10 * days + 8 * share + 4 * (share >= 0.25) - 2 * (share >= 0.75)
        assert path.price(time) == pytest.approx(150e6 * math.exp(percent / 100), rel=1e-7)


@pytest.mark.parametrize("hours", [1 / 60, 13])
def test_gbms_annual_volatility_is_scaled_to_the_length_of_an_epoch(hours: float) -> None:
    """By the square root of its share of a year; four standard errors of 4,000 are 4.5 %."""
    epoch = round(hours * 60) * MINUTE
    path = _path(2, epoch // 10, bounds=WIDE, model=GeometricBrownianMotion(0.3), **DIFFUSION)
    logs = [math.log(path.price(index * epoch)) for index in range(4_001)]
    deviation = statistics.pstdev(map(operator.sub, logs[1:], logs))

    assert deviation == pytest.approx(0.3 * math.sqrt(hours / 6.5 / 252), rel=0.045)


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

    assert path.symbol == "AAPL"
    assert path.bounds == (Decimal(50), Decimal(500))
    assert path.base_price == 150
    assert path.duration is None
    assert path.volume(0) == 4_500
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


# --- Laws of the path


def test_daily_returns_have_the_long_run_deviation() -> None:
    """20 paths of 2,000 days; the fourth moment is hardly finite, so 10 % is left to chance."""
    returns = [
        100 * (after - before)
        for seed in range(20)
        for before, after in itertools.pairwise(_logs(seed, 2_000, 1))
    ]

    assert statistics.pstdev(returns) == pytest.approx(math.sqrt(MODEL.long_run_variance), rel=0.1)
    # Without drift the mean is 0, to four standard errors.
    assert abs(statistics.fmean(returns)) < 4 * 2.4 / math.sqrt(len(returns))


@pytest.mark.parametrize("part", [1, 2, 3])
def test_within_a_day_the_path_is_a_brownian_bridge(part: int) -> None:
    """At noon, given both ends, the variance is h/4; at t of the day it is h·t·(1−t).

    The deviation from the straight line does not depend on where the line leads. Four standard
    errors of a mean of 4,000 squares of normal variates are 9 %, of the two other means 6 %.
    """
    days, share = 4_000, part / 4
    logs = _logs(11, days, 4, **DIFFUSION)
    ends = logs[::4]
    returns, deviations = [], []
    for day, (change, variance) in enumerate(_with_variances(ends)):
        deviation = logs[4 * day + part] - (1 - share) * ends[day] - share * ends[day + 1]
        deviations.append(100 * deviation / math.sqrt(variance * share * (1 - share)))
        returns.append(change / math.sqrt(variance))

    assert statistics.fmean(deviations) == pytest.approx(0, abs=0.063)
    assert statistics.fmean(value**2 for value in deviations) == pytest.approx(1, abs=0.09)
    assert statistics.fmean(map(operator.mul, deviations, returns)) == pytest.approx(0, abs=0.063)


def test_within_a_step_the_price_stands_still() -> None:
    path = _path(step=MINUTE)
    changes = 0
    for index in range(390):
        price = path.price(index * MINUTE)
        assert path.price(index * MINUTE + MINUTE - 1) == price
        changes += price != path.price((index + 1) * MINUTE)

    assert changes > 380


@pytest.mark.parametrize("model", ["gjr_garch", "gbm", "merton", "regime"])
@pytest.mark.parametrize("within", [{"nights": 0.6}, {"intraday": 0.7}, DIFFUSION], ids=str)
def test_what_happens_within_the_days_does_not_change_them(
    model: str, within: dict[str, float]
) -> None:
    default, other = (
        make_path(SIMULATED, 5, TRADING_DAY // 2, path_model=model, **chosen)
        for chosen in ({}, within)
    )

    assert [other.price(day * TRADING_DAY) for day in range(100)] == [
        default.price(day * TRADING_DAY) for day in range(100)
    ]
    assert other.price(TRADING_DAY // 2) != default.price(TRADING_DAY // 2)


@pytest.mark.parametrize(("minutes", "expected"), [(1, 20.75), (5, 10.58)])
def test_minutes_have_the_kurtosis_of_the_cells_that_they_are_made_of(
    minutes: int, expected: float
) -> None:
    """Of the second moments of all cells of 30 seconds, as the fit has them."""
    normal = GjrGarch(1, 0, 0, 0, 1e6)
    exact = FIT["kurtosis_within_the_session"](normal, TYPICAL_INTRADAY, 2 * minutes) + 3

    assert exact == pytest.approx(expected, abs=0.01)
    moves = _moves(minutes * MINUTE, 200 if minutes == 1 else 400, TYPICAL_INTRADAY)
    fourth, error = _mean_power(moves, 4, minutes * MINUTE)
    assert abs(fourth - exact) < 4 * error < 0.5 * exact


@pytest.mark.parametrize("minutes", [0.5, 39])
def test_without_a_clock_the_moves_are_normal_at_every_step(minutes: float) -> None:
    """By Kolmogorov and Smirnov's test, which the clock fails at once."""
    cell = round(minutes * MINUTE)
    deviation = math.sqrt(cell / TRADING_DAY)
    days = 10 if minutes < 1 else 800
    even, clocked = (
        stats.kstest([move / deviation for move in _moves(cell, days, intraday)], "norm").pvalue
        for intraday in (0.0, TYPICAL_INTRADAY)
    )

    assert even > 1e-4
    assert clocked < 1e-9


def test_another_seed_is_another_path() -> None:
    assert _path(1).price(TRADING_DAY) != _path(2).price(TRADING_DAY)


@pytest.mark.parametrize("name", ["merton", "regime"])
def test_the_other_models_keep_their_daily_law_on_a_finer_grid(name: str) -> None:
    """2.36 % a day; four standard errors of 4,000 days, clustered or with jumps, are below 10 %."""
    path = _path(2, TRADING_DAY // 10, bounds=WIDE, model=make_model(name))
    logs = [math.log(path.price(day * TRADING_DAY)) for day in range(4_001)]

    assert statistics.pstdev(map(operator.sub, logs[1:], logs)) == pytest.approx(0.0236, rel=0.1)


def test_each_symbol_has_a_simulated_path_of_its_own() -> None:
    aapl, msft = (make_path(SIMULATED, 0, TRADING_DAY, symbol=name) for name in ("AAPL", "MSFT"))
    default = make_path(SIMULATED, 0, TRADING_DAY)

    assert (aapl.symbol, msft.symbol, default.symbol) == ("AAPL", "MSFT", "AAPL")
    assert aapl.price(TRADING_DAY) == default.price(TRADING_DAY) != msft.price(TRADING_DAY)
