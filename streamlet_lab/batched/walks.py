"""True prices of many runs on one grid, in distribution those of a `SimulatedPath`.

The grid is the same for all runs, and so are the cells that are cut: all cells of one size are cut
at once. What a run draws does not depend on the others, since each has a generator of its own.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from streamlet_lab.batched.lockstep import Array
from streamlet_lab.config import ExperimentConfig, jump_times
from streamlet_lab.prices.feeds import STEPS_PER_EPOCH
from streamlet_lab.prices.intraday import PARTS, SMALLEST
from streamlet_lab.prices.models import TRADING_DAYS_PER_YEAR, GjrGarch, MertonJumps, make_model
from streamlet_lab.prices.paths import TRADING_DAY

Streams = Sequence[np.random.Generator]

_TINY: Final = np.finfo(np.float64).tiny


def step_of(config: ExperimentConfig) -> int:
    """Return how far apart the points of a path's grid are, in microseconds of market time."""
    return max(config.market_time_per_epoch // STEPS_PER_EPOCH, 1)


def points_of(config: ExperimentConfig) -> int:
    """Return how many points of the grid a run sees."""
    return (config.epochs * config.market_time_per_epoch - 1) // step_of(config) + 1


def draw_paths(config: ExperimentConfig, streams: Streams) -> Array:
    """Return the true price in micro-dollars, a row for each run with all points of the grid."""
    prices = config.prices.of(config.symbols[0])
    step, points = step_of(config), points_of(config)
    times = np.arange(points) * step
    days = -(-int(times[-1]) // TRADING_DAY)
    model: Any = make_model(prices.path_model, prices.path_parameters)
    logs = np.full((len(streams), points), math.log(prices.base_price))
    if days:
        move, deviation = _days(model, streams, days)
        move = prices.volatility * move / 100 + prices.trend / TRADING_DAYS_PER_YEAR
        deviation = prices.volatility * deviation / 100
        closes = np.cumsum(move, axis=1)
        first, nights = closes - move, prices.nights
        gaussian = fill(streams, (days,), normal)
        opening = first + nights * move + math.sqrt(nights * (1 - nights)) * deviation * gaussian
        variance = (1 - nights) * deviation**2
        logs[:, 1:] += _sessions(streams, times[1:], opening, closes, variance, prices.intraday)
        if isinstance(model, MertonJumps):
            jumped = _jumps(model, streams, days, nights, step, points)
            logs += prices.volatility * np.cumsum(jumped, axis=1) / 100
    low, high = (math.log(bound) for bound in prices.reflection)
    logs = _reflected(logs, low, high)
    for jump, at in zip(prices.jumps, jump_times(config), strict=True):
        after = logs[:, math.ceil(at / step) :]
        after[:] = _reflected(after + math.log(jump.factor), low, high)
    return np.asarray(np.rint(np.exp(logs) * 1e6).astype(np.int64))


def _reflected(logs: Array, low: float, high: float) -> Array:
    place = (logs - low) % (2 * (high - low))
    return np.asarray(low + np.minimum(place, 2 * (high - low) - place))


def fill(
    streams: Streams, shape: tuple[int, ...], draw: Callable[[np.random.Generator, Array], object]
) -> Array:
    """Return what each run draws, in a row of its own."""
    drawn = np.empty((len(streams), *shape))
    for stream, row in zip(streams, drawn, strict=True):
        draw(stream, row)
    return drawn


def normal(stream: np.random.Generator, row: Array) -> None:
    stream.standard_normal(out=row)


def _days(model: Any, streams: Streams, days: int) -> tuple[Array, Array]:
    """Return each day's move without jumps and its deviation, in percent; runs × days."""
    gaussian = fill(streams, (days,), normal)
    if not isinstance(model, GjrGarch):
        deviation = 100 * model.volatility / math.sqrt(TRADING_DAYS_PER_YEAR)
        mean = 0.0
        if isinstance(model, MertonJumps):
            mean = -100 * model.jump_mean * model.jumps_per_year / TRADING_DAYS_PER_YEAR
        return mean + deviation * gaussian, np.full_like(gaussian, deviation)
    nu = model.degrees_of_freedom
    chi_square = 2 * fill(streams, (days,), lambda g, row: g.standard_gamma(nu / 2, out=row))
    innovation = gaussian * np.sqrt((nu - 2) / chi_square)
    move, deviation = np.empty_like(gaussian), np.empty_like(gaussian)
    variance = np.full(len(streams), model.long_run_variance)
    for day in range(days):
        deviation[:, day] = np.sqrt(variance)
        move[:, day] = shock = deviation[:, day] * innovation[:, day]
        leverage = np.where(shock < 0, model.gamma, 0.0)
        variance = model.omega + (model.alpha + leverage) * shock**2 + model.beta * variance
    return move, deviation


def _sessions(
    streams: Streams, times: Array, opening: Array, closes: Array, variance: Array, intraday: float
) -> Array:
    """Return the logarithms at some times after the first; before each close by `Session`."""
    day = (times - 1) // TRADING_DAY
    logs = closes[:, day]
    left = np.flatnonzero(times % TRADING_DAY)  # points that are not known yet; a close is
    cells, cell = np.unique(day[left], return_inverse=True)
    start, width = cells * TRADING_DAY, TRADING_DAY
    first, last, variance = (each[:, cells] for each in (opening, closes, variance))
    for parts in PARTS:
        at_start = times[left] - start[cell] < SMALLEST
        logs[:, left[at_start]] = first[:, cell[at_start]]
        left, cell = left[~at_start], cell[~at_start]
        if not len(left):
            break
        width //= parts
        there, shares = _cut(streams, parts, first, last, variance, intraday)
        part = (times[left] - start[cell]) // width
        cells, cell = np.unique(cell * parts + part, return_inverse=True)
        parent, part = np.divmod(cells, parts)
        first, last = there[:, parent, part], there[:, parent, part + 1]
        variance = variance[:, parent] * shares[:, parent, part]
        start = start[parent] + part * width
    logs[:, left] = first[:, cell]
    return logs


def _cut(
    streams: Streams, parts: int, first: Array, last: Array, variance: Array, intraday: float
) -> tuple[Array, Array]:
    """Cut cells, runs × cells: return the ends of their parts, and the parts' shares of variance.

    A bridge is a walk less its end's share of the clock, which is the same as from part to part.
    """
    runs, cells = first.shape
    walk = fill(streams, (cells, parts), normal)
    grown = parts**intraday
    if grown == 1:
        shares = np.full_like(walk, 1 / parts)
    else:
        shape = (parts - grown) / (parts * (grown - 1))
        shares = fill(streams, (cells, parts), lambda g, row: g.standard_gamma(shape, out=row))
        shares /= np.maximum(shares.sum(axis=2, keepdims=True), _TINY)
    clock = np.cumsum(shares, axis=2)
    walk = np.cumsum(np.sqrt(shares) * walk, axis=2)
    walk -= clock * walk[..., -1:]
    there = np.empty((runs, cells, parts + 1))
    there[..., 0] = first
    there[..., 1:] = first[..., None] + clock * (last - first)[..., None]
    there[..., 1:] += np.sqrt(variance)[..., None] * walk
    there[..., -1] = last
    return there, shares


def _jumps(
    model: MertonJumps, streams: Streams, days: int, nights: float, step: int, points: int
) -> Array:
    """Return by how much, in percent, each point of the grid is beyond the one before by jumps."""
    jumped = np.zeros((len(streams), points))
    for stream, row in zip(streams, jumped, strict=True):
        counts = stream.poisson(model.jumps_per_year / TRADING_DAYS_PER_YEAR, days)
        day = np.repeat(np.arange(days), counts)
        waited = np.maximum(stream.random(len(day)) - nights, 0) / (1 - nights)
        sizes = model.jump_mean + model.jump_deviation * stream.standard_normal(len(day))
        start = day * TRADING_DAY
        # What comes at the open is seen right after it.
        seen = np.ceil((start + waited * TRADING_DAY) / step).astype(np.int64)
        seen = np.maximum(seen, start // step + 1)
        np.add.at(row, seen[seen < points], 100 * sizes[seen < points])
    return jumped
