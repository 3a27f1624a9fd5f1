"""Market quality: what a band and its reference cost, measured against the true price.

Everything follows from the frames of a result, so that a loaded one gives the same figures.

A refusal or a cancellation counts here where the band had a part in it: the price was outside,
there was no reference or too old a one, or a call auction went on. A price is fair that is at most
``fair_percent`` from the true one at that instant, whatever the band says.

At an execution the price that is judged is that of the trade. An order with a fair limit that is
stopped because what rests in the book is out of line counts as justly stopped: the trade would have
been missed. :func:`~streamlet_lab.studies.band_numbers` has the share of these orders.

Market orders name no price. The band never judges them at entry, but they are refused where there
is no reference, or in a call auction: the frame ``rejections`` calls that false, since they would
have taken a fair price, and the volumes count them. Rates are of limit orders only, whose own price
says whether they deserved to be let in.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

#: What is measured, in this order: the columns of ``result.market_quality``.
MEASURES: Final[dict[str, str]] = {
    "orders": "orders that were sent",
    "trades": "trades",
    "fair_orders": "limit orders whose price was fair when they came",
    "false_rejections": (
        "of these, those that the band refused, or cancelled later, at a price that was fair then"
    ),
    "before_reference": "of these, those that came before there was any reference",
    "justified_rejections": (
        "orders that the band refused, or cancelled later, at a price that was not fair"
    ),
    "false_rejection_rate": (
        "false rejections per fair order: the share of honest prices that the band turns away"
    ),
    "clipped_orders": "fair orders whose price the band moved to its edge",
    "missed_trades": "trades that the band let through at a price that was not fair",
    "missed_rate": "the same per trade",
    "rejected_volume": "shares that the band refused or took away, market orders among them",
    "lost_volume": "of these, shares at a fair price or at none: what should have been let in",
    "missed_volume": "shares that traded at a price that was not fair",
    "mean_spread_bp": (
        "quoted spread in basis points of the midpoint, mean over the time in which both sides "
        "quote and orders are matched"
    ),
    "two_sided_share": "share of time in which both sides quote and orders are matched",
    "halted_share": (
        "share of the sampled instants at which the market is halted, paused or in a call auction"
    ),
    "discovery_delay_s": (
        "how many seconds old the true price is that the midpoint is nearest to; least squares"
    ),
    "reference_delay_s": "the same of the reference, from the instant at which it was quoted",
    "mean_reference_age_s": (
        "seconds for which the market has known its reference when an order comes, mean"
    ),
    "median_reference_age_s": "the same, median",
}

# The longest delay that is looked for, in epochs.
_LONGEST_DELAY: Final = 12

# Errors that differ by less than rounding are the same.
_SAME: Final = 1 + 1e-9

Frames = Mapping[str, pd.DataFrame]
_Path = npt.NDArray[np.float64]


def market_quality(frames: Frames, symbols: tuple[str, ...], epoch_s: float) -> pd.DataFrame:
    """Return the quality of each symbol's market.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Those of a result.
    symbols : tuple of str
    epoch_s : float
        Length of an epoch in seconds.

    Returns
    -------
    DataFrame
        One row for each symbol; columns as :data:`MEASURES` has them.
    """
    rows = [
        market_numbers({name: _of(frames[name], symbol) for name in _USED}, epoch_s)
        for symbol in symbols
    ]
    return pd.DataFrame(rows, index=pd.Index(symbols, name="symbol"), columns=list(MEASURES))


_USED: Final = ("orders", "trades", "rejections", "book")


def _of(frame: pd.DataFrame, symbol: str) -> pd.DataFrame:
    return frame[frame["symbol"] == symbol]


def market_numbers(frames: Frames, epoch_s: float) -> dict[str, Any]:
    """Return the quality of all symbols' markets together; None for what cannot be measured.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Those of a result.
    epoch_s : float
        Length of an epoch in seconds.

    Returns
    -------
    dict
        By the names of :data:`MEASURES`.
    """
    orders, trades, samples = frames["orders"], frames["trades"], frames["book"]
    turned_away = _turned_away(frames["rejections"])
    false = turned_away[turned_away["verdict"] == "false"]
    justified = turned_away[turned_away["verdict"] == "justified"]
    # A trader may send an order that was refused once more: it is the same order.
    is_fair = orders["fair"] & (orders["type"] == "limit")
    fair_orders = orders.loc[is_fair, "order_id"].drop_duplicates()
    false_orders = int(fair_orders.isin(false["order_id"]).sum())
    unreferenced = false.loc[false["reason"] == "no_consensus", "order_id"]
    missed = trades[~trades["fair"]]
    # A sample stands for the time since the one before it; at the instant 0 nothing has passed.
    book = samples[samples["time_s"] > 0]
    spreads = quoted_spreads(book)
    age = orders["reference_age_s"]
    numbers = {
        "orders": len(orders),
        "trades": len(trades),
        "fair_orders": len(fair_orders),
        "false_rejections": false_orders,
        "before_reference": int(fair_orders.isin(unreferenced).sum()),
        "justified_rejections": justified["order_id"].nunique(),
        "false_rejection_rate": _share(false_orders, len(fair_orders)),
        "clipped_orders": orders.loc[is_fair & orders["clipped"], "order_id"].nunique(),
        "missed_trades": len(missed),
        "missed_rate": _share(len(missed), len(trades)),
        "rejected_volume": int(turned_away["quantity"].sum()),
        "lost_volume": int(false["quantity"].sum()),
        "missed_volume": int(missed["quantity"].sum()),
        "mean_spread_bp": _mean(spreads),
        "two_sided_share": _share(len(spreads), len(book)),
        "halted_share": _share(int((~is_matched(book)).sum()), len(book)),
        "discovery_delay_s": delay(samples.assign(seen=midpoints(book)), epoch_s),
        "reference_delay_s": delay(samples.assign(seen=samples["reference_price"]), epoch_s),
        "mean_reference_age_s": _mean(age),
        "median_reference_age_s": None if age.isna().all() else float(age.median()),
    }
    return {name: numbers[name] for name in MEASURES}


def is_matched(book: pd.DataFrame) -> "pd.Series[bool]":
    """Return for rows of the frame ``book`` whether orders are matched as they come."""
    return book["state"].isin(("open", "limit"))


def midpoints(book: pd.DataFrame) -> "pd.Series[float]":
    """Return the midpoint where both sides quote and orders are matched, in dollars."""
    quoted = book[is_matched(book) & book["best_bid"].notna() & book["best_ask"].notna()]
    return (quoted["best_bid"] + quoted["best_ask"]) / 2


def quoted_spreads(book: pd.DataFrame) -> "pd.Series[float]":
    """Return the quoted spread in basis points of the midpoint, where there is a midpoint."""
    middle = midpoints(book)
    quoted = book.loc[middle.index]
    return 1e4 * (quoted["best_ask"] - quoted["best_bid"]) / middle


def _turned_away(rejections: pd.DataFrame) -> pd.DataFrame:
    """Return what the band did to orders; one that may not be replaced stays as it was."""
    had_a_part = rejections["verdict"] != ""
    return rejections[had_a_part & (rejections["action"] != "not replaced")]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: "pd.Series[float]") -> float | None:
    return None if values.isna().all() else float(values.mean())


def delay(samples: pd.DataFrame, epoch_s: float) -> float | None:
    """Return how old the true price is that a series is nearest to, in seconds.

    The delay d that makes the mean of (ln seen(t) − ln true(t − d))² smallest, in steps of the
    samples. Every delay is held against the same instants, those of all symbols together, and is at
    most twelve epochs and half of the run. Of delays that are equally good it is the middle one.

    Where the true price is a random walk and what was seen is that price at ever changing ages,
    this is the median of the ages.

    Parameters
    ----------
    samples : DataFrame
        Columns ``symbol``, ``time_s``, ``true_price`` and ``seen``, at equal steps of time and the
        same for all symbols; missing where nothing was seen.
    epoch_s : float
        Length of an epoch in seconds.

    Returns
    -------
    float or None
        None where nothing was seen, or nothing moved: what stands still has no delay.
    """
    tables = [each for _, each in samples.groupby("symbol", sort=False)]
    count = len(tables[0]) if tables else 0
    if count < 2:
        return None
    step = float(np.ptp(tables[0]["time_s"])) / (count - 1)
    longest = min(round(_LONGEST_DELAY * epoch_s / step), (count - 1) // 2)
    paths = [(_log(each["true_price"]), _log(each["seen"])[longest:]) for each in tables]
    moving = [(true, seen) for true, seen in paths if _moves(true) and _moves(seen)]
    if not moving or not longest:
        return None
    errors = np.array([_error(moving, late, longest) for late in range(longest + 1)])
    best = np.flatnonzero(errors <= errors.min() * _SAME)
    return step * float(best.mean())


def _log(prices: "pd.Series[float]") -> _Path:
    return np.log(prices.to_numpy(dtype=np.float64))


def _moves(path: _Path) -> bool:
    known = path[~np.isnan(path)]
    return known.size > 0 and bool(known.max() > known.min())


def _error(paths: list[tuple[_Path, _Path]], late: int, longest: int) -> float:
    """Return the mean squared distance from the true price of so many samples before."""
    distances = [seen - true[longest - late : len(true) - late] for true, seen in paths]
    return float(np.nanmean(np.square(np.concatenate(distances))))
