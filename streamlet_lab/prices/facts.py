"""Stylized facts: what daily returns of shares have in common, and which models have it too.

How the comparison is made, laid down before anything was measured:

- The yardstick is AAPL's daily log returns from 2003-01-02 to 2013-03-01, in percent, of the closes
  as traded. The split of 2005-02-28 is taken out; dividends are not.
- A model is measured on paths that are as long as the history, without reflection, volatility 1 and
  no trend. It passes in a fact if real AAPL lies within the middle 95 % of its paths: if the
  history could be one of them. Nothing is assumed but the model, so that a history that *is* one of
  its paths lies there 95 times in 100, whatever the fact, its skew and its bias. It is one history:
  to pass is not to be the law of AAPL. ``docs/coverage.md`` has what this covers, and why intervals
  around the real facts do not: ten years with one crisis do not tell how far ten others may be off.

The default model was fitted to the same history, under conditions on two of these facts, kurtosis
and leverage (``tools/fit_path_model.py``): in those its passing is no surprise.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.daily_history import DailyBar, adjust_for_splits, load_bars
from streamlet_lab.prices.models import ReturnModel, make_model
from streamlet_lab.streams import stream

#: The models that are compared unless others are named.
COMPARED: Final = ("gjr_garch", "gbm", "merton", "regime")

_FIRST_YEAR: Final = 2003

# With fewer paths their extremes lie closer together than the middle 95 % of all paths.
_FEWEST_PATHS: Final = 39
_ENDS: Final = ((1 - 0.95) / 2, (1 + 0.95) / 2)

# With fewer days the longest lag and the tail would hardly be there.
_FEWEST: Final = 100


def standard_deviation(returns: ArrayLike) -> float:
    """Return the standard deviation, in the unit of the returns."""
    return float(np.std(_series(returns)))


def excess_kurtosis(returns: ArrayLike) -> float:
    """Return the fourth standardized moment minus 3: 0 for the normal law, more for heavy tails."""
    centred = _centred(returns)
    return float(np.mean(centred**4) / np.mean(centred**2) ** 2 - 3)


def tail_index(returns: ArrayLike, share: float = 0.05) -> float:
    """Return Hill's estimate from the largest absolute returns (Hill 1975): lower is heavier."""
    largest = np.sort(np.abs(_series(returns)))[::-1]
    count = int(len(largest) * share)
    return float(1 / np.mean(np.log(largest[:count] / largest[count])))


def autocorrelation(series: ArrayLike, lag: int = 1) -> float:
    """Return the sample autocorrelation; near 0 for returns that nobody can predict.

    >>> values = [1.0, -1.0] * 100
    >>> autocorrelation(values)
    -0.995
    """
    centred = _centred(series)
    return float(np.dot(centred[lag:], centred[:-lag]) / np.dot(centred, centred))


def volatility_clustering(returns: ArrayLike, lags: int = 20) -> float:
    """Return the mean autocorrelation of absolute returns over lags from 1 day."""
    absolute = np.abs(_series(returns))
    return math.fsum(autocorrelation(absolute, lag) for lag in range(1, lags + 1)) / lags


def leverage(returns: ArrayLike, lags: int = 10) -> float:
    """Return the mean correlation of a return with the squared one 1 to ``lags`` days later.

    It is negative where a fall is followed by more volatility than a rise.
    """
    series = _series(returns)
    squared = series**2
    pairs = ((series[:-lag], squared[lag:]) for lag in range(1, lags + 1))
    return math.fsum(float(np.corrcoef(now, later)[0, 1]) for now, later in pairs) / lags


#: Each fact by its name, as a function of a series of daily returns.
FACTS: Final[Mapping[str, Callable[[ArrayLike], float]]] = {
    "standard_deviation": standard_deviation,
    "excess_kurtosis": excess_kurtosis,
    "tail_index": tail_index,
    "volatility_clustering": volatility_clustering,
    "leverage": leverage,
    "autocorrelation": autocorrelation,
}


def real_returns() -> NDArray[np.float64]:
    """Return AAPL's daily log returns from 2003 on, in percent, without its split."""
    return 100 * np.diff([math.log(bar.close) for bar in _bars("AAPL")])


def night_share(symbol: str = "AAPL") -> float:
    """Return the share of the nights in the variance of a share's returns, from 2003 on.

    That is, of the variance of log returns from close to open, in the sum of it and the variance of
    those from open to close; splits are taken out. For AAPL it is 0.318.
    """
    bars = _bars(symbol)
    nights = [math.log(bar.open / before.close) for before, bar in itertools.pairwise(bars)]
    sessions = [math.log(bar.close / bar.open) for bar in bars]
    overnight = float(np.var(nights))
    return overnight / (overnight + float(np.var(sessions)))


def _bars(symbol: str) -> tuple[DailyBar, ...]:
    bars = [bar for bar in load_bars(symbol) if bar.date.year >= _FIRST_YEAR]
    return adjust_for_splits(symbol, bars)


def model_returns(model: ReturnModel, seed: int, days: int) -> NDArray[np.float64]:
    """Return a model's daily log returns in percent: those of a path that nothing reflects."""
    drawn = model.days(stream(seed, "prices/path"))
    return np.array([day.total for day in itertools.islice(drawn, days)])


def middle(values: ArrayLike) -> tuple[float, float]:
    """Return the ends between which the middle 95 % of the law of a sample lie.

    They are Weibull's quantiles, at ranks 0.025 · (n + 1) and 0.975 · (n + 1): one more value of
    the same law lies between them 95 times in 100. NaN of fewer than 39 values.

    >>> [round(end, 9) for end in middle(range(1, 40))]
    [1.0, 39.0]
    """
    sample = np.asarray(values, dtype=np.float64)
    if len(sample) < _FEWEST_PATHS:
        return math.nan, math.nan
    low, high = np.quantile(sample, _ENDS, method="weibull")
    return float(low), float(high)


def compare_facts(
    models: Iterable[str] = COMPARED, seeds: Iterable[int] = range(40)
) -> pd.DataFrame:
    """Measure models against real AAPL.

    Parameters
    ----------
    models : iterable of str
        Names of :func:`~streamlet_lab.prices.models.path_models`.
    seeds : iterable of int
        One path for each: at least 39, or no model has an interval.

    Returns
    -------
    pandas.DataFrame
        One row per model and fact, first those of the history, as model ``"real"``: ``value`` (the
        mean over the seeds), ``median`` (of the seeds), ``low`` and ``high`` (see :func:`middle`),
        ``inside`` (whether the real value lies between them) and ``below`` (the share of paths
        whose value is below the real one). The history has NaN for ``low``, ``high`` and ``below``.
    """
    seeds = tuple(seeds)
    if not seeds:
        raise InvalidInput("seeds", seeds, "at least one seed")
    history = real_returns()
    real = {fact: measure(history) for fact, measure in FACTS.items()}
    nan = math.nan
    rows = [("real", fact, value, value, nan, nan, True, nan) for fact, value in real.items()]
    for name in models:
        model = make_model(name)
        paths = [model_returns(model, seed, len(history)) for seed in seeds]
        for fact, measure in FACTS.items():
            values = np.array([measure(path) for path in paths])
            low, high = middle(values)
            inside, below = low <= real[fact] <= high, float(np.mean(values < real[fact]))
            centre = float(np.mean(values)), float(np.median(values))
            rows.append((name, fact, *centre, low, high, inside, below))
    columns = ["model", "fact", "value", "median", "low", "high", "inside", "below"]
    return pd.DataFrame(rows, columns=columns)


def _series(returns: ArrayLike) -> NDArray[np.float64]:
    series = np.asarray(returns, dtype=np.float64)
    if series.ndim != 1 or len(series) < _FEWEST or not np.isfinite(series).all():
        expected = f"a series of at least {_FEWEST} finite numbers"
        raise InvalidInput("returns", type(returns).__name__, expected)
    return series


def _centred(returns: ArrayLike) -> NDArray[np.float64]:
    series = _series(returns)
    return series - np.mean(series)
