"""What a stale reference costs: fair orders stopped, against what makes the reference old.

The traders are noise traders: they send the same orders whatever becomes of them, so that what
is refused is the reference's doing alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Unpack

import numpy as np
import pandas as pd

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.grid import Sweep
from streamlet_lab.intervals import Share
from streamlet_lab.measures import run_experiment
from streamlet_lab.metrics import activity
from streamlet_lab.points import Values
from streamlet_lab.prices import (
    SIMULATED,
    STEPS_PER_EPOCH,
    TRADING_DAY,
    GeometricBrownianMotion,
    GjrGarch,
)
from streamlet_lab.prices.models import TRADING_DAYS_PER_YEAR, make_model
from streamlet_lab.repeats import Run
from streamlet_lab.result import Result
from streamlet_lab.studies.common import Options, check_result, compare, known
from streamlet_lab.theory import first_passage_share, stale_outside_share
from streamlet_lab.units import MICROSECONDS_PER_SECOND, to_name

# Of floating point, in shares of a step or of a price.
_ROUNDING: Final = 1e-9


def run_at_pace(config: ExperimentConfig) -> Result:
    """Run an experiment whose ``market_time_per_epoch`` is meant for an epoch of one second."""
    pace = config.market_time_per_epoch * config.epoch_length // MICROSECONDS_PER_SECOND
    result: Result = run_experiment(config.model_copy(update={"market_time_per_epoch": pace}))
    return result


@dataclass(frozen=True)
class _Cause:
    """What can make a reference stale: a setting, its values, and what all runs have in common."""

    setting: str
    values: Values
    base: Mapping[str, Any] = field(default_factory=dict)
    run: Run = run_experiment


def _silent(*nodes: int) -> dict[str, str]:
    return {f"node_{number}": "silent_leader" for number in nodes}


_CAUSES: Final = {
    "latency": _Cause("network.median_delay", (0.02, 0.1, 0.2, 0.3, 0.4)),
    "faults": _Cause(
        "faults",
        {
            "none": {},
            "1 silent": _silent(0),
            "2 neighbours": _silent(0, 1),
            "2 apart": _silent(0, 3),
        },
        {"nodes": 7},
    ),
    "volatility": _Cause("prices.volatility", (0.25, 0.5, 1.0, 1.5, 2.0)),
    "market_time": _Cause("market_time_per_epoch", (60, 3_600, 7_200, 11_700, 23_400)),
    "epoch_length": _Cause("epoch_length", (1.0, 1.5, 2.0, 3.0), run=run_at_pace),
}

#: What :func:`staleness` varies.
CAUSES: Final = tuple(_CAUSES)


def staleness(
    cause: str = "latency",
    values: Values | None = None,
    *,
    settings: Mapping[str, Any] = MappingProxyType({}),
    epochs: int = 200,
    **options: Unpack[Options],
) -> Sweep:
    """Measure how many fair orders a stale reference has stopped, against one cause of its age.

    Parameters
    ----------
    cause : {"latency", "faults", "volatility", "market_time", "epoch_length"}
        What is varied: ``"latency"``, the median delay of a link, seconds, which finality waits
        for; ``"faults"``, silent leaders among seven nodes; ``"volatility"``, the factor of all
        returns; ``"market_time"``, how many seconds of it an epoch takes; ``"epoch_length"``, in
        seconds, while the market moves on by a trading day in each second, or by what
        ``market_time_per_epoch`` is.
    values : iterable, or mapping of labels to values, optional
        Other values of the same setting.
    settings : mapping
        Of all runs, such as ``{"prices.path_model": "gbm"}``; those of a section with a dot, as
        :func:`~streamlet_lab.sweep` takes them.
    epochs : int
    **options
        As of :func:`~streamlet_lab.studies.compare_bands`.

    Returns
    -------
    Sweep
        Of what :func:`staleness_numbers` measures.

    Examples
    --------
    >>> swept = staleness("volatility", [0.5, 1], epochs=60, repeats=2)
    >>> swept.means("entry_rate")[["prices.volatility", "n"]]
       prices.volatility  n
    0                0.5  2
    1                1.0  2
    """
    to_name(cause, CAUSES, "cause")
    what = _CAUSES[cause]
    # A number of traders means noise traders.
    base = {"market.traders": 20, **what.base, "epochs": epochs}
    over = {what.setting: what.values if values is None else values}
    return compare(over, base, settings, staleness_numbers, run=what.run, **options)


def staleness_numbers(result: Result) -> dict[str, float | None]:
    """Return how stale the references of a run were, and what that cost.

    What counts here are limit orders with a fair price that came when there was a reference. The
    band is to be one that refuses at entry what is outside of it, around the consensus price.

    Returns
    -------
    dict
        ``fair_stopped_rate`` and ``unfair_trade_rate``: as ``result.market_numbers`` has them, the
        first with orders that came before there was a reference or were swept later;

        ``entry_rate``: share of the orders that were refused at entry as outside the band;
        ``implied_rate``: share of them whose price is outside the band around the *true* price at
        the beginning of the reference's epoch: what the age of the references implies on the path
        alone;
        ``implied_margin``: share of them so near to an edge of that band that the consensus price's
        own error decides; the two rates cannot differ by more;
        ``diffusion_rate``: what a geometric Brownian motion of the path's long-run volatility has
        at the same ages (:func:`~streamlet_lab.theory.stale_outside_share`, with the spread of the
        very orders); for the models ``"gbm"``, of which it is the closed form, and ``"gjr_garch"``,
        without trend and with ``prices.nights`` and ``prices.intraday`` 0. It knows neither
        reflection nor the rules of validation: where a price leaves the corridor of the deviation
        rule, the references that follow are old because of that;
        ``first_passage_rate``: how likely that motion has been outside since
        (:func:`~streamlet_lab.theory.first_passage_share`);

        ``mean_age_days`` and ``median_age_days``: trading days between the true prices that the
        reference and the order go by, from the beginning of the reference's epoch;
        ``mean_age_s`` and ``median_age_s``: from there in seconds of protocol time;
        ``mean_known_s``: the same since the market knows the reference;
        ``mean_latency_s``: of finality, from the beginning of an epoch;
        ``orders``: how many there are.

        None for what there is nothing to measure of.
    """
    check_result(result)
    numbers = activity(result.frames)
    return {
        "fair_stopped_rate": numbers["fair_stopped_rate"],
        "unfair_trade_rate": numbers["unfair_trade_rate"],
        **_age_numbers(_judged(result), result.config),
        "mean_latency_s": result.summary["mean_latency_s"],
    }


def _judged(result: Result) -> pd.DataFrame:
    """Return the orders that count, with the true price that their reference was made of."""
    orders = result.orders
    counts = (orders["type"] == "limit") & orders["fair"] & orders["reference_epoch"].notna()
    table = orders[counts]
    quoted = result.prices.set_index(["epoch", "symbol"])["true_price"]
    epoch = table["reference_epoch"].astype("int64")
    beginnings = pd.MultiIndex.from_arrays([epoch, table["symbol"]])
    return table.assign(quoted_price=quoted.reindex(beginnings).to_numpy())


def age_days(orders: pd.DataFrame, config: ExperimentConfig) -> "pd.Series[float]":
    """Return how many trading days lie between the true prices that reference and order go by.

    A simulated price stands still between the steps of its path, so that these are what counts.
    """
    steps_per_s = STEPS_PER_EPOCH * MICROSECONDS_PER_SECOND / config.epoch_length
    steps = (
        np.floor(orders[name] * steps_per_s + _ROUNDING)
        for name in ("time_s", "reference_quoted_s")
    )
    days_per_step = config.market_time_per_epoch / TRADING_DAY / STEPS_PER_EPOCH
    age: pd.Series[float] = (next(steps) - next(steps)) * days_per_step
    return age


def _age_numbers(table: pd.DataFrame, config: ExperimentConfig) -> dict[str, float | None]:
    band, days = float(config.market.band_percent) / 100, age_days(table, config)
    in_seconds = table["time_s"] - table["reference_quoted_s"]
    refused = (table["status"] == "rejected") & (table["reason"] == "outside_band")
    ratio = table["price"] / table["quoted_price"]
    error = (table["reference_price"] / table["quoted_price"] - 1).abs().max()
    near = ((ratio / (1 + side * band) - 1).abs() <= error + _ROUNDING for side in (-1, 1))
    diffusion, passed = _expected(table.assign(age_days=days), config, band)
    shares = {
        "entry_rate": refused.sum(),
        "implied_rate": ((ratio - 1).abs() > band).sum(),
        "implied_margin": np.logical_or(*near).sum(),
        "diffusion_rate": diffusion,
        "first_passage_rate": passed,
    }
    count = len(table)
    return {
        **{
            name: None if math.isnan(part) else Share.of(float(part), count)
            for name, part in shares.items()
        },
        "mean_age_days": known(days.mean()),
        "median_age_days": known(days.median()),
        "mean_age_s": known(in_seconds.mean()),
        "median_age_s": known(in_seconds.median()),
        "mean_known_s": known(table["reference_age_s"].mean()),
        "orders": count,
    }


def _expected(table: pd.DataFrame, config: ExperimentConfig, band: float) -> tuple[float, float]:
    """Return how many orders both closed forms expect outside; NaN where they do not apply."""
    outside, passed = [], []
    for symbol, orders in table.groupby("symbol", sort=False):
        volatility = daily_volatility(config, str(symbol))
        if volatility is None:
            return math.nan, math.nan
        distance = orders["price"] / orders["true_price"] - 1
        spread = math.sqrt((distance**2).mean())
        ages, counts = np.unique(orders["age_days"], return_counts=True)
        for age, count in zip(map(float, ages), counts, strict=True):
            outside.append(count * stale_outside_share(age, volatility, band, spread))
            passed.append(count * first_passage_share(age, volatility, band))
    return math.fsum(outside), math.fsum(passed)


def daily_volatility(config: ExperimentConfig, symbol: str) -> float | None:
    """Return the long-run standard deviation of a simulated path's daily logarithmic returns.

    As a share; None where no closed form applies: for a replay, a path with a trend, with nights or
    with an intraday clock, or a model other than ``"gbm"`` and ``"gjr_garch"``.
    """
    prices = config.prices.of(symbol)
    if config.feed != SIMULATED or prices.trend or prices.nights or prices.intraday:
        return None
    match make_model(prices.path_model, prices.path_parameters):
        case GeometricBrownianMotion(volatility):
            return prices.volatility * volatility / math.sqrt(TRADING_DAYS_PER_YEAR)
        case GjrGarch() as model:
            return prices.volatility * math.sqrt(model.long_run_variance) / 100
        case _:
            return None
