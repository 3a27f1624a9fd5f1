"""What the charts show, as frames and numbers: no drawing here.

Where a function takes a symbol, it is the first one unless another is named; one that the run does
not have is an :class:`~streamlet_lab.errors.InvalidInput`.
"""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from numbers import Integral
from typing import Final, NamedTuple

import pandas as pd

from streamlet_lab import liquidity, metrics
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.result import Result
from streamlet_lab.theory import round_robin_finality_lag
from streamlet_lab.units import to_seconds

# How far from the range of the path a price may be that is on the scale, as a share of the path.
_NEAR: Final = 0.2
# Above and below what is shown: a share of it, or dollars.
_ROOM: Final = 0.06
_LEAST_ROOM: Final = 0.01


def chosen_symbol(result: Result, symbol: str | None) -> str:
    """Return which symbol is to be shown."""
    symbols = result.config.symbols
    if symbol is None:
        return symbols[0]
    if symbol not in symbols:
        raise InvalidInput("symbol", symbol, f"one of {', '.join(symbols)}")
    return symbol


def of_symbol(frame: pd.DataFrame, symbol: str) -> pd.DataFrame:
    """Return the rows of a symbol."""
    return frame[frame["symbol"] == symbol]


def shown_epochs(
    run: Result, first: int, last: int | None, count: int | None = None
) -> tuple[int, int]:
    """Return the first and the last epoch to show: so many by default, or all that follow."""
    end = run.config.epochs - 1
    for field, epoch, least in (
        ("first", first, 0),
        ("last", end if last is None else last, first),
    ):
        if not (isinstance(epoch, Integral) and least <= int(epoch) <= end):
            raise InvalidInput(field, epoch, f"an epoch from {least} to {end}")
    if last is None:
        last = end if count is None else min(first + count - 1, end)
    return first, last


def epoch_prices(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return ``result.prices`` of a symbol, with ``start_s`` and ``notarized_s`` of each epoch."""
    prices = of_symbol(result.prices, chosen_symbol(result, symbol))
    times = result.epochs[["epoch", "start_s", "notarized_s"]]
    return prices.merge(times, on="epoch", validate="one_to_one")


def quote_deviations(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return the quotes of a symbol with ``deviation_bp``, how far above the true price they are.

    In basis points of it; ``time_s`` is the epoch's start.
    """
    quotes = of_symbol(result.quotes, chosen_symbol(result, symbol))
    deviation = (quotes["price"] / quotes["true_price"] - 1) * 10_000
    times = quotes["epoch"] * to_seconds(result.config.epoch_length)
    return quotes.assign(time_s=times, deviation_bp=deviation)


def true_path(result: Result, symbol: str | None = None) -> "pd.Series[float]":
    """Return the underlying price of a symbol, dollars, wherever a frame knows it, by seconds."""
    chosen = chosen_symbol(result, symbol)
    frames = (result.book, result.orders, result.trades, result.rejections)
    known = pd.concat([of_symbol(frame, chosen)[["time_s", "true_price"]] for frame in frames])
    return known.drop_duplicates("time_s").set_index("time_s")["true_price"].sort_index()


def band_steps(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return what the band of a symbol says, each row in force from its instant to the next.

    With columns of ``result.bands``, and one row for an instant: the first of time 0, when the
    market is open and has no reference; the last repeats what is in force when the run ends.
    """
    columns = ["time_s", "state", "reference_price", "low", "high"]
    moves = of_symbol(result.bands, chosen_symbol(result, symbol))[columns]
    begin = pd.DataFrame([(0.0, "open", *3 * [float("nan")])], columns=columns)
    known = pd.concat([begin, moves]) if len(moves) else begin
    steps = known.drop_duplicates("time_s", keep="last")
    return pd.concat([steps, steps.tail(1).assign(time_s=_end_s(result))], ignore_index=True)


def state_spans(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return when the market of a symbol was not simply open: `liquidity.state_spans`."""
    return liquidity.state_spans(result.bands, chosen_symbol(result, symbol), _end_s(result))


def price_limits(path: "pd.Series[float]", *others: "pd.Series[float]") -> tuple[float, float]:
    """Return the range of prices that shows a path and what is near it.

    What is more than a fifth beyond the path's own range does not flatten the rest.
    """
    nearest = path.min() * (1 - _NEAR), path.max() * (1 + _NEAR)
    values = pd.concat([path, *(each.clip(*nearest) for each in others if each.notna().any())])
    low, high = float(values.min()), float(values.max())
    room = max(_ROOM * (high - low), _LEAST_ROOM)
    return low - room, high + room


def within_band(result: Result, symbol: str | None = None) -> "pd.Series[bool]":
    """Return for every epoch whether the underlying price starts it inside the market's band.

    It does not where there is no band yet; on a side without an edge nothing is outside.
    """
    starts = epoch_prices(result, symbol)[["start_s", "true_price"]]
    steps = band_steps(result, symbol)
    held = pd.merge_asof(starts, steps, left_on="start_s", right_on="time_s")
    price = held["true_price"]
    outside = (price < held["low"]) | (price > held["high"])
    return held["reference_price"].notna() & ~outside


def agreed_prices(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return every epoch, with the prices of notarized blocks only.

    ``deviation_bp`` is by how much the consensus is above the true price, in basis points of it;
    ``difference_bp`` consensus minus VWAP, in basis points of the VWAP, as is ``one_cent_bp``.
    """
    epochs = epoch_prices(result, symbol)
    agreed = epochs["notarized_s"].notna()
    consensus = epochs["consensus_price"].where(agreed)
    vwap = epochs["vwap"].where(agreed)
    cents = (epochs["consensus_cents"] - epochs["vwap_cents"]).astype("float64")
    one_cent = 100 / vwap
    return pd.DataFrame(
        {
            "time_s": epochs["start_s"],
            "consensus_price": consensus,
            "vwap": vwap,
            "deviation_bp": (consensus / epochs["true_price"] - 1) * 10_000,
            "difference_bp": cents * one_cent,
            "one_cent_bp": one_cent,
        }
    )


def refusal_counts(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return how many orders were stopped by ``where`` and ``reason``, most frequent first.

    With a column for each of :data:`~streamlet_lab.metrics.VERDICTS`, and the empty text, for
    orders that lost shares without being stopped: for these ``where`` is the ``action``.
    """
    refused = of_symbol(result.rejections, chosen_symbol(result, symbol))
    refused = refused[refused["action"] != "not replaced"]
    where = refused["stopped"].where(refused["verdict"] != "", refused["action"]).rename("where")
    counts = refused.groupby([where, "reason", "verdict"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=[*metrics.VERDICTS, ""], fill_value=0)
    return counts.loc[counts.sum(axis="columns").sort_values(ascending=False, kind="stable").index]


class Regime(NamedTuple):
    """Epochs from `start` to before `stop` during which the same leaders are silent.

    By the closed form, their blocks are final `lag` epochs later in the mean; None is never.
    """

    start: int
    stop: int
    lag: Fraction | None


def fault_changes(config: ExperimentConfig) -> list[int]:
    """Return the epochs within the run at which a fault of a node begins or ends, in order."""
    return _changes(config.node_faults, config.node_ids, config.epochs)


def source_fault_changes(config: ExperimentConfig) -> list[int]:
    """Return the epochs within the run at which a fault of a source begins or ends, in order."""
    return _changes(config.source_faults, config.prices.source_names, config.epochs)


def closed_form(config: ExperimentConfig) -> list[Regime]:
    """Return what :func:`~streamlet_lab.theory.round_robin_finality_lag` says of a run.

    It speaks where its conditions hold: messages arrive in time, the only faults are crashes and
    silent leaders, and the same leaders are silent for a whole round at least. Without enough nodes
    to vote nothing is ever final.
    """
    faults = [fault for fault in config.node_faults if fault.affected(config.node_ids)]
    late = config.epoch_length < 2 * config.network.delta
    if late or any(fault.kind not in ("crash", "silent_leader") for fault in faults):
        return []
    regimes = []
    for start, stop in pairwise([0, *fault_changes(config), config.epochs]):
        if stop - start < config.nodes:
            continue
        active = [fault for fault in faults if fault.active(start)]
        silent, crashed = (
            {
                config.node_ids.index(name)
                for fault in active
                if fault.kind in kinds
                for name in fault.affected(config.node_ids)
            }
            for kinds in (("crash", "silent_leader"), ("crash",))
        )
        enough = config.nodes - len(crashed) >= config.votes_needed
        lag = round_robin_finality_lag(config.nodes, silent) if enough else None
        regimes.append(Regime(start, stop, lag))
    return regimes


def _end_s(result: Result) -> float:
    return to_seconds(result.config.epochs * result.config.epoch_length)


def _changes(faults: Iterable[Fault], names: tuple[str, ...], epochs: int) -> list[int]:
    own = [fault for fault in faults if fault.affected(names)]
    changes = {epoch for fault in own for epoch in (fault.start, fault.stop)}
    return sorted(epoch for epoch in changes if epoch is not None and 0 < epoch < epochs)
