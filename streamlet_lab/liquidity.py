"""A market over time: when its orders were matched, its midpoint and spread, and how late it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from streamlet_lab.intervals import Share

if TYPE_CHECKING:
    import pandas as pd

#: The states in which orders are matched as they come.
MATCHED: Final = ("open", "limit")

_HALTS: Final = ("halted", "paused")

# The longest delay that is looked for, in epochs.
_LONGEST_DELAY: Final = 12

# Errors that differ by less than rounding are the same.
_SAME: Final = 1 + 1e-9

_Path = npt.NDArray[np.float64]


def state_spans(bands: "pd.DataFrame", symbol: str, end_s: float) -> "pd.DataFrame":
    """Return when the market of one symbol was not simply open, from the frame ``bands``.

    Columns ``state``, ``start_s`` and ``stop_s``, seconds; the run ends at ``end_s``. One that ends
    as it begins has its row too.
    """
    import pandas as pd

    states, starts, stops = _spans(bands, symbol, end_s)
    return pd.DataFrame(
        {"state": pd.array(states, dtype="str"), "start_s": starts, "stop_s": stops}
    )


def _spans(bands: Any, symbol: str, end_s: float) -> tuple[npt.NDArray[np.object_], _Path, _Path]:
    own = np.asarray(bands["symbol"], "O") == symbol
    states, times = np.asarray(bands["state"], "O")[own], np.asarray(bands["time_s"], "d")[own]
    changes = states != np.append(["open"], states[:-1])
    states, starts = states[changes], times[changes]
    closed = states != "open"
    return states[closed], starts[closed], np.append(starts[1:], end_s)[closed]


def interruptions(bands: Any, ends: Mapping[Any, float]) -> dict[str, Any]:
    """Return how often, and for how long, orders were not matched as they came, by ``bands``.

    Each symbol's market is watched until its end, in seconds.
    """
    halts, auctions, halted_s = 0, 0, 0.0
    for symbol, end_s in ends.items():
        states, starts, stops = _spans(bands, symbol, end_s)
        halts += int(np.isin(states, _HALTS).sum())
        auctions += int((states == "auction").sum())
        closed = ~np.isin(states, MATCHED)
        halted_s += float((stops - starts)[closed].sum())
    return {
        "halts": halts,
        "auctions": auctions,
        "halted_s": halted_s,
        "halted_share": Share.of(halted_s, sum(ends.values())),
    }


def midpoints(book: "pd.DataFrame") -> "pd.Series[float]":
    """Return the midpoint where both sides quote and orders are matched, in dollars."""
    quoted = book[book["state"].isin(MATCHED) & book["best_bid"].notna() & book["best_ask"].notna()]
    return (quoted["best_bid"] + quoted["best_ask"]) / 2


def quoted_spreads(book: "pd.DataFrame") -> "pd.Series[float]":
    """Return the quoted spread in basis points of the midpoint, where there is a midpoint."""
    middle = midpoints(book)
    quoted = book.loc[middle.index]
    return 1e4 * (quoted["best_ask"] - quoted["best_bid"]) / middle


def delay(samples: "pd.DataFrame", epoch_s: float) -> float | None:
    """Return how old the true price is that a series is nearest to, in seconds.

    The delay d that makes the mean of (ln seen(t) − ln true(t − d))² smallest, in steps of the
    samples. Every delay is held against the same instants, those of all symbols together, and is at
    most twelve epochs and half of the run. Of delays that are equally good it is the middle one.

    Where the true price is a random walk and what was seen is that price at ever changing ages,
    this is the median of the ages. What stands still, or was never seen, has no delay.

    The samples have ``symbol``, ``time_s``, ``true_price`` and ``seen``, at equal steps of time and
    the same for all symbols; an epoch takes ``epoch_s`` seconds.
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
