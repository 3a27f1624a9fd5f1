"""The band as the market had it, for every chart with prices on its y-axis."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from streamlet_lab import liquidity
from streamlet_lab.charts import style
from streamlet_lab.charts.layout import percent, spaced
from streamlet_lab.config import MarketConfig
from streamlet_lab.result import Result
from streamlet_lab.values import kind_name

_STATES: Final[Mapping[str, str]] = {
    "limit": "limit state",
    "auction": "call auction",
    "paused": "pause, stale reference",
    "halted": "halt",
}
#: Bands whose names do not say it all.
BAND_NAMES: Final[Mapping[str, str]] = {"luld": "US LULD", "twap": "TWAP"}


def band_name(market: MarketConfig) -> str:
    """Name a band with its width, such as ``band (trade only, ±5 %)``."""
    name = kind_name(market.band)
    if name == "consensus":  # it is around whatever the reference is
        name = kind_name(market.reference.kind)
    # A percentage that is not the width of the whole band.
    of_what = "static range " if name == "volatility_auction" else ""
    widens = ", wider with age" if market.band_parameters.get("stale") == "widen" else ""
    called = BAND_NAMES.get(name, spaced(name))
    return f"band ({called}, {of_what}±{percent(market.band_percent)}{widens})"


def draw_band(axes: Axes, steps: pd.DataFrame, name: str) -> None:
    """Fill the band and draw its edges: they move in steps.

    On a side without an edge the filling goes on to the limits of the axes.
    """
    draw_band_edges(axes, steps)
    least, most = limits = axes.get_ylim()
    # Each row is in force until the instant of the next one.
    times = np.repeat(steps["time_s"], 2)[1:-1]
    held = steps.loc[np.repeat(steps.index, 2)[:-2]]
    low, high = held["low"].fillna(least), held["high"].fillna(most)
    limited = held[["low", "high"]].notna().any(axis="columns").to_numpy()
    axes.fill_between(times, low, high, where=limited, label=name, **style.BAND)
    axes.set_ylim(limits)


def draw_band_edges(axes: Axes, steps: pd.DataFrame, name: str | None = None) -> None:
    """Draw where the band ends, without the filling."""
    for side, label in (("low", name), ("high", None)):
        axes.step(steps["time_s"], steps[side], where="post", label=label, **style.BAND_EDGE)


def draw_reference(axes: Axes, steps: pd.DataFrame) -> None:
    """Draw what the band goes by."""
    prices = steps["reference_price"]
    axes.step(steps["time_s"], prices, where="post", label="reference", **style.REFERENCE)


def draw_states(axes: Axes, result: Result, symbol: str, end_s: float) -> None:
    """Shade when the market is not simply open."""
    spans = liquidity.state_spans(result.bands, symbol, end_s)
    for state, own in spans.groupby("state"):
        label = f"{_STATES[str(state)]} ({len(own)})"
        for start, stop in zip(own["start_s"], own["stop_s"], strict=True):
            axes.axvspan(start, stop, label=label, zorder=0.5, **style.STATES[str(state)])
            label = "_again"
