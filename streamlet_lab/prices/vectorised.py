"""Quotes of a long stretch at once, for studies and statistics: a year of seconds in seconds.

The law is that of :class:`~streamlet_lab.prices.paths.SimulatedPath` and
:class:`~streamlet_lab.prices.feeds.QuoteFeed`; the draws are others. What a day brings is drawn in
plain Python, from the stream of the step-by-step path. All within the days is numpy, whose
variates, ``exp`` and ``log`` may differ in the last bit between processors and versions. Prices and
volumes are rounded at birth, which hides almost all of this, but not all: no run draws from here.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.correlation import path_stream
from streamlet_lab.prices.feeds import DEFAULT_SYMBOL, QuoteFeed
from streamlet_lab.prices.models import TRADING_DAYS_PER_YEAR, Day, ReturnModel, make_model
from streamlet_lab.prices.paths import TRADING_DAY, SimulatedPath, next_day
from streamlet_lab.prices.sources import VOLUME_SPREAD, Source, read_sources
from streamlet_lab.streams import generator
from streamlet_lab.units import (
    MICROSECONDS_PER_SECOND,
    to_decimal,
    to_micros,
    to_microseconds,
)

#: Seconds of market time in a year of 252 trading days.
TRADING_YEAR: Final = TRADING_DAYS_PER_YEAR * TRADING_DAY // MICROSECONDS_PER_SECOND

_STANDARD_SOURCES: Final = 3
# Four trading years of seconds; with three sources 2.2 GB.
_MOST_ROWS: Final = 25_000_000
_BASIS_POINTS: Final = 10_000
_MICROS_PER_CENT: Final = 10_000

Floats = NDArray[np.float64]


def quote_table(
    duration: int | float | str = TRADING_YEAR,
    *,
    step: int | float | str = "1s",
    sources: object = _STANDARD_SOURCES,
    seed: int = 0,
    base_price: object = Decimal("150.00"),
    bounds: tuple[Decimal, Decimal] = (Decimal(50), Decimal(500)),
    volatility: float = 1.0,
    trend: float = 0.0,
    path_model: str | Callable[..., ReturnModel] = "gjr_garch",
    path_parameters: Mapping[str, object] = MappingProxyType({}),
) -> pd.DataFrame:
    """Draw the true price and what every source quotes, step by step of market time.

    The days are those of the seed's step-by-step path with one step a day, and the same whatever
    the step here. A longer table begins with the shorter one, and no source's settings change what
    another one quotes, except for the split of the volume.

    Parameters
    ----------
    duration : int, float or str
        Market time from the first row on: seconds, or a text such as ``"6.5h"``, which is a day.
    step : int, float or str
        Market time between rows, a divisor of the trading day; one row is one epoch of a source.
    sources : int, or sequence of Source, str or mapping
        As in an experiment: a number of ordinary sources, or the sources themselves, their names or
        tables (:func:`~streamlet_lab.prices.sources.read_sources`); the description's three unless
        given. A lag counts in whole steps, rounded up, since the price stands still within a step.
    seed : int
        Each part of the table has a generator of its own.
    base_price : Decimal or number
        Price in the first row, US dollars.
    bounds : (Decimal, Decimal)
        Where the path reflects.
    volatility, trend : float
        See :class:`~streamlet_lab.prices.paths.SimulatedPath`.
    path_model : str or callable
        One of :func:`~streamlet_lab.prices.models.path_models`, or what makes a model itself.
    path_parameters : mapping
        Parameters of the model that are not to have their default value.

    Returns
    -------
    pandas.DataFrame
        One row per step:

        - ``market_time_s``: seconds of market time, from 0; float64.
        - ``true_micros``: the true price, micro-dollars; int64.

        And for each source, as float64 of whole numbers that are missing (NaN) in its outages:

        - ``<source>_cents``: price, cents.
        - ``<source>_shares``: volume, shares.
        - ``<source>_confidence_micros``: how far the price may be off to either side,
          micro-dollars.

    Raises
    ------
    InvalidInput
        If an argument is not as described, or whole days of the table have more than 25,000,000
        rows: the days are drawn whole.

    Examples
    --------
    >>> day = quote_table("6.5h", step="1min")
    >>> day.shape
    (390, 11)
    >>> day[["market_time_s", "true_micros"]].iloc[0].tolist()
    [0.0, 150000000.0]
    """
    length = to_microseconds(duration, "duration")
    if length == 0:
        raise InvalidInput("duration", duration, "more than no time")
    step_length = to_microseconds(step, "step")
    if step_length == 0 or TRADING_DAY % step_length:
        raise InvalidInput("step", step, "a duration that divides the trading day of 6.5 h")
    rows, per_day = math.ceil(length / step_length), TRADING_DAY // step_length
    day_count = math.ceil(rows / per_day)
    if day_count * per_day > _MOST_ROWS:
        # Days are drawn whole.
        expected = (
            f"at most {_MOST_ROWS:,} rows in whole trading days, not {day_count * per_day:,}: "
            f"a shorter duration, or a longer step than {step!r}"
        )
        raise InvalidInput("duration", duration, expected)
    price = to_decimal(base_price, "base_price")
    to_micros(price, "base_price")
    low, high = (to_decimal(bound, "bounds") for bound in bounds)
    if not 0 < low < high:
        raise InvalidInput("bounds", f"{low} and {high}", "two prices, the lower one first")
    if not low <= price <= high:
        raise InvalidInput("base_price", str(price), f"a price from {low} to {high}, the bounds")
    model = make_model(path_model, path_parameters)

    # Never walked: it and its feed refuse what they always refuse, and know the day's volume.
    path = SimulatedPath(
        path_stream(seed, DEFAULT_SYMBOL),
        step_length,
        base_price=price,
        bounds=(low, high),
        volatility=volatility,
        trend=trend,
        model=model,
    )
    feed = QuoteFeed(path, step_length, seed, read_sources(sources))

    coming = model.days(path_stream(seed, DEFAULT_SYMBOL))
    days = [next_day(coming) for _ in range(day_count)]
    logs = _free_path(days, per_day, math.log(price), volatility, trend, seed)[:rows]
    true_micros = _to_micros(_reflected(logs, math.log(low), math.log(high)))
    one_day = [path.volume(index * step_length) for index in range(per_day)]
    volume = np.resize(np.array(one_day, dtype=np.float64), rows)

    columns: dict[str, Floats | NDArray[np.int64]] = {
        "market_time_s": np.arange(rows) * step_length / MICROSECONDS_PER_SECOND,
        "true_micros": true_micros,
    }
    shares = math.fsum(source.volume_share for source in feed.sources)
    for source in feed.sources:
        late = _late(true_micros, math.ceil(source.lag / step_length))
        cents = _quoted_cents(source, late, seed)
        cents[_outages(source, rows, seed)] = np.nan
        quoted = _quoted_shares(source, source.volume_share / shares * volume, seed)
        quoted[np.isnan(cents)] = np.nan
        confidence = source.stated_confidence_bp / _BASIS_POINTS
        columns[f"{source.name}_cents"] = cents
        columns[f"{source.name}_shares"] = quoted
        columns[f"{source.name}_confidence_micros"] = np.rint(cents * _MICROS_PER_CENT * confidence)
    return pd.DataFrame(columns, copy=False)


def _free_path(
    days: Sequence[Day], per_day: int, start: float, volatility: float, trend: float, seed: int
) -> Floats:
    """Logarithm of the price, unreflected, from the first day's beginning to the last one's end."""
    deviations = volatility / 100 * np.array([day.deviation for day in days])
    moves = volatility / 100 * np.array([day.move for day in days]) + trend / TRADING_DAYS_PER_YEAR
    steps = _bridge_steps(len(days), per_day, seed)
    steps *= deviations[:, np.newaxis]
    steps += moves[:, np.newaxis] / per_day
    path = np.concatenate([[start], steps.ravel()])
    for index, size in _jumps(days, per_day):
        path[index] += volatility / 100 * size
    return np.cumsum(path, out=path)


def _bridge_steps(days: int, per_day: int, seed: int) -> Floats:
    """Steps of one standard Brownian bridge a day, as rows.

    Independent normal steps without their mean are the steps of a bridge.
    """
    steps = generator(seed, "prices/table/path").standard_normal((days, per_day))
    steps -= steps.mean(axis=1, keepdims=True)
    steps /= math.sqrt(per_day)
    return steps


def _jumps(days: Sequence[Day], per_day: int) -> Iterable[tuple[int, float]]:
    """Each jump with the first grid point at or after it, the path's very first excepted."""
    for index, day in enumerate(days):
        for jump in day.jumps:
            yield max(index * per_day + math.ceil(jump.time * per_day), 1), jump.size


def _reflected(logs: Floats, low: float, high: float) -> Floats:
    """Fold the free path into the bounds, as two mirrors would."""
    width = high - low
    position = logs - low
    position %= 2 * width
    np.minimum(position, 2 * width - position, out=position)
    position += low
    return position


def _to_micros(logs: Floats) -> NDArray[np.int64]:
    micros = np.exp(logs)
    micros *= 1_000_000
    return np.rint(micros, out=micros).astype(np.int64)


def _late(prices: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """The prices so many steps before; before the first row, the first price."""
    steps = min(steps, len(prices))
    return np.concatenate([np.full(steps, prices[0]), prices[: len(prices) - steps]])


def _quoted_cents(source: Source, true_micros: NDArray[np.int64], seed: int) -> Floats:
    draws = generator(seed, f"prices/table/noise/{source.name}")
    factor = draws.standard_normal(len(true_micros))
    factor *= source.noise_bp / _BASIS_POINTS
    factor += 1 + source.bias_bp / _BASIS_POINTS
    factor *= true_micros
    factor /= _MICROS_PER_CENT
    np.rint(factor, out=factor)
    return np.maximum(factor, 1.0, out=factor)


def _quoted_shares(source: Source, expected: Floats, seed: int) -> Floats:
    """Whole shares with a lognormal factor of mean 1."""
    draws = generator(seed, f"prices/table/volume/{source.name}")
    factor = draws.standard_normal(len(expected))
    factor *= VOLUME_SPREAD
    factor -= VOLUME_SPREAD**2 / 2
    np.exp(factor, out=factor)
    factor *= expected
    return np.rint(factor, out=factor)


def _outages(source: Source, rows: int, seed: int) -> NDArray[np.bool_]:
    """Where the source says nothing: runs of geometric lengths, which are a Markov chain."""
    ends = 1 / source.outage_epochs
    falls_out = source.outage / (1 - source.outage) / source.outage_epochs
    if falls_out == 0:
        return np.zeros(rows, dtype=np.bool_)
    draws = generator(seed, f"prices/table/outage/{source.name}")
    begins_out = bool(draws.random() < source.outage)
    chances = (ends, falls_out) if begins_out else (falls_out, ends)
    states: list[NDArray[np.bool_]] = []
    left = rows
    while left > 0:
        cycles = max(math.ceil(left * ends * falls_out / (ends + falls_out)), 1)
        lengths = np.minimum(draws.geometric(chances, size=(cycles, 2)), rows).ravel()
        states.append(np.repeat(np.resize([begins_out, not begins_out], lengths.size), lengths))
        left -= len(states[-1])
    return np.concatenate(states)[:rows]
