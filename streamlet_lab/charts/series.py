"""What several charts show, as frames and numbers: no drawing here."""

from collections.abc import Callable, Iterable
from typing import Final

import pandas as pd

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.fault import Fault
from streamlet_lab.result import Result
from streamlet_lab.units import to_name, to_seconds, to_whole

# How far from the range of the path a price may be that is on the scale, as a share of the path.
_NEAR: Final = 0.2
# Above and below what is shown: a share of it, or dollars.
_ROOM: Final = 0.06
_LEAST_ROOM: Final = 0.01


def chosen_symbol(result: Result, symbol: str | None) -> str:
    """Return which symbol is to be shown: the first one unless another is named."""
    symbols = result.config.symbols
    return symbols[0] if symbol is None else to_name(symbol, symbols, "symbol")


def of_symbol(frame: pd.DataFrame, symbol: str) -> pd.DataFrame:
    """Return the rows of a symbol."""
    return frame[frame["symbol"] == symbol]


def shown_epochs(
    run: Result, first: int, last: int | None, count: int | None = None
) -> tuple[int, int]:
    """Return the first and the last epoch to show: so many by default, or all that follow."""
    end = run.config.epochs - 1
    to_whole(first, 0, "first", end)
    if last is None:
        return first, end if count is None else min(first + count - 1, end)
    return first, to_whole(last, first, "last", end)


def epoch_prices(result: Result, symbol: str) -> pd.DataFrame:
    """Return ``result.prices`` of a symbol, with ``start_s`` and ``notarized_s`` of each epoch."""
    times = result.epochs[["epoch", "start_s", "notarized_s"]]
    return of_symbol(result.prices, symbol).merge(times, on="epoch", validate="one_to_one")


def true_path(result: Result, symbol: str) -> "pd.Series[float]":
    """Return the underlying price of a symbol, dollars, wherever a frame knows it, by seconds."""
    frames = (result.book, result.orders, result.trades, result.rejections)
    known = pd.concat([of_symbol(frame, symbol)[["time_s", "true_price"]] for frame in frames])
    return known.drop_duplicates("time_s").set_index("time_s")["true_price"].sort_index()


def band_steps(result: Result, symbol: str) -> pd.DataFrame:
    """Return what the band of a symbol says, each row in force from its instant to the next.

    With columns of ``result.bands``, and one row for an instant: the first of time 0, when the
    market is open and has no reference; the last repeats what is in force when the run ends.
    """
    columns = ["time_s", "state", "reference_price", "low", "high"]
    moves = of_symbol(result.bands, symbol)[columns]
    begin = pd.DataFrame([(0.0, "open", *3 * [float("nan")])], columns=columns)
    known = pd.concat([begin, moves]) if len(moves) else begin
    steps = known.drop_duplicates("time_s", keep="last")
    end = to_seconds(result.config.epochs * result.config.epoch_length)
    return pd.concat([steps, steps.tail(1).assign(time_s=end)], ignore_index=True)


def price_limits(path: "pd.Series[float]", *others: "pd.Series[float]") -> tuple[float, float]:
    """Return the range of prices that shows a path and what is near it.

    What is more than a fifth beyond the path's own range does not flatten the rest.
    """
    nearest = path.min() * (1 - _NEAR), path.max() * (1 + _NEAR)
    values = pd.concat([path, *(each.clip(*nearest) for each in others if each.notna().any())])
    low, high = float(values.min()), float(values.max())
    room = max(_ROOM * (high - low), _LEAST_ROOM)
    return low - room, high + room


def extremes(values: "pd.Series[float]", write: Callable[[float], str]) -> str:
    """Say from which of these to which they reach, by their labels; a tie is what looks alike.

    >>> extremes(pd.Series({"a": 3.0, "b": 1.0, "c": 1.04}), "{:.1f}".format)
    'from 1.0 at b and 1 more to 3.0 at a'
    """
    known = values.dropna().sort_values(kind="stable")
    written = [write(value) for value in known]
    said = []
    for place in (0, -1) if written[0] != written[-1] else (0,):
        others = written.count(written[place]) - 1
        alike = f" and {others} more" if others else ""
        said.append(f"{written[place]} at {known.index[place]}{alike}")
    return said[0] if len(said) == 1 else f"from {said[0]} to {said[1]}"


def agreed_prices(result: Result, symbol: str) -> pd.DataFrame:
    """Return every epoch, with the prices of notarized blocks only.

    ``deviation_bp`` is by how much the consensus is above the true price, in basis points of it;
    ``difference_bp`` consensus minus VWAP, in basis points of the VWAP, as is ``one_cent_bp``.
    """
    epochs = epoch_prices(result, symbol)
    agreed = epochs["notarized_s"].notna()
    consensus, vwap = (epochs[name].where(agreed) for name in ("consensus_price", "vwap"))
    cents = (epochs["consensus_cents"] - epochs["vwap_cents"]).astype("float64")
    return pd.DataFrame(
        {
            "time_s": epochs["start_s"],
            "consensus_price": consensus,
            "vwap": vwap,
            "deviation_bp": (consensus / epochs["true_price"] - 1) * 10_000,
            "difference_bp": cents * (100 / vwap),
            "one_cent_bp": 100 / vwap,
        }
    )


def fault_changes(config: ExperimentConfig, faults: Iterable[Fault]) -> list[int]:
    """Return the epochs within the run at which one of its faults begins or ends, in order."""
    names = (*config.node_ids, *config.prices.source_names)
    own = [fault for fault in faults if fault.affected(names)]
    changes = {epoch for fault in own for epoch in (fault.start, fault.stop)}
    return sorted(epoch for epoch in changes if epoch is not None and 0 < epoch < config.epochs)
