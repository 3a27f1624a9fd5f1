"""What the charts show, as frames and numbers: no drawing here."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pandas as pd

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.result import Result
from streamlet_lab.theory import round_robin_finality_lag
from streamlet_lab.units import to_seconds


def chosen_symbol(result: Result, symbol: str | None) -> str:
    """Return what is to be shown: the first symbol unless another is named.

    Raises
    ------
    InvalidInput
        If the run has no such symbol.
    """
    symbols = result.config.symbols
    if symbol is None:
        return symbols[0]
    if symbol not in symbols:
        raise InvalidInput("symbol", symbol, f"one of {', '.join(symbols)}")
    return symbol


def epoch_prices(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return what the block of every epoch says of one symbol, the first unless another is named.

    Returns
    -------
    DataFrame
        One row for each epoch: the columns of ``result.prices``, and ``start_s`` and
        ``notarized_s`` of the epoch.
    """
    prices = _of_symbol(result.prices, chosen_symbol(result, symbol))
    times = result.epochs[["epoch", "start_s", "notarized_s"]]
    return prices.merge(times, on="epoch", validate="one_to_one")


def quote_deviations(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return how far every quote of one symbol is from the true price.

    Returns
    -------
    DataFrame
        Columns ``time_s`` (the epoch's start), ``source``, ``deviation_bp`` (above the true price,
        basis points of it), ``valid`` and ``reason``.
    """
    quotes = _of_symbol(result.quotes, chosen_symbol(result, symbol))
    deviation = (quotes["price"] / quotes["true_price"] - 1) * 10_000
    times = quotes["epoch"] * to_seconds(result.config.epoch_length)
    columns = quotes[["source", "valid", "reason"]].assign(time_s=times, deviation_bp=deviation)
    return columns[["time_s", "source", "deviation_bp", "valid", "reason"]]


def reference_prices(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return the reference of the market, each row in force from ``time_s`` to the next one's.

    Blocks that become final at the same instant move the reference once, to the highest one. Where
    the market reads a node that finalized other blocks than the observer, only the prices of the
    first symbol are known of those.

    Returns
    -------
    DataFrame
        Columns ``time_s`` and ``price`` (dollars).
    """
    chosen, finality = chosen_symbol(result, symbol), result.finality
    # What the blocks say of the first symbol; what the blocks in the observer's chain say of all.
    claims = result.blocks if chosen == result.symbol else _of_symbol(result.prices, chosen)
    reader = result.config.market.reference_node
    seen = finality[(finality["node"] == reader) & finality["finalized_s"].notna()]
    priced = claims.loc[claims["claim"] == "price_consensus", ["block_hash", "consensus_price"]]
    steps = (
        seen.merge(priced, on="block_hash")
        .sort_values(["finalized_s", "height"])
        .drop_duplicates("finalized_s", keep="last")
    )
    return pd.DataFrame({"time_s": steps["finalized_s"], "price": steps["consensus_price"]})


def within_band(result: Result, symbol: str | None = None) -> "pd.Series[bool]":
    """Return for every epoch whether the underlying price starts it inside the market's band."""
    starts = epoch_prices(result, symbol)[["start_s", "true_price"]]
    references = reference_prices(result, symbol)
    held = pd.merge_asof(starts, references, left_on="start_s", right_on="time_s")
    deviation = (held["true_price"] / held["price"] - 1).abs() * 100
    return deviation <= float(result.config.market.band_percent)


def agreed_prices(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return every epoch, with the prices of notarized blocks only.

    Returns
    -------
    DataFrame
        Columns ``time_s``, ``consensus_price``, ``vwap`` (dollars), ``deviation_bp`` (consensus
        above the true price, basis points of it), ``difference_bp`` (consensus minus VWAP in basis
        points of the VWAP) and ``one_cent_bp`` (their rounding, likewise).
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


def judged_orders(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return each time that a price was held against a reference, and what came of it.

    An order that rests and is cancelled later is there twice: accepted, then cancelled. Market
    orders have no price of their own and appear only where an execution price was refused.

    Returns
    -------
    DataFrame
        Columns ``time_s``, ``action`` (accepted, rejected or cancelled), ``intent`` and
        ``deviation_percent``: signed, in percent of the reference at that instant.
    """
    chosen = chosen_symbol(result, symbol)
    orders, refused = _of_symbol(result.orders, chosen), _of_symbol(result.rejections, chosen)
    accepted = orders[orders["status"] != "rejected"].assign(action="accepted")
    columns = ["time_s", "action", "intent", "price", "reference_price"]
    judged = pd.concat([accepted[columns], refused[columns]]).dropna(
        subset=["price", "reference_price"]
    )
    deviation = (judged["price"] / judged["reference_price"] - 1) * 100
    return judged[["time_s", "action", "intent"]].assign(deviation_percent=deviation)


def refusal_counts(result: Result, symbol: str | None = None) -> pd.DataFrame:
    """Return how many orders were refused for each reason.

    Returns
    -------
    DataFrame
        Indexed by ``action`` and ``reason``, most frequent first; columns ``honest`` and ``far``.
    """
    refused = _of_symbol(result.rejections, chosen_symbol(result, symbol))
    counts = refused.groupby(["action", "reason", "intent"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["honest", "far"], fill_value=0)
    return counts.loc[counts.sum(axis="columns").sort_values(ascending=False, kind="stable").index]


def latency_range(result: Result) -> pd.DataFrame:
    """Return the fastest and the slowest node's finalization latency by epoch.

    Returns
    -------
    DataFrame
        Indexed by ``epoch``; columns ``min`` and ``max``, seconds.
    """
    final = result.finality.dropna(subset=["latency_s"])
    return final.groupby("epoch")["latency_s"].agg(["min", "max"])


@dataclass(frozen=True, slots=True)
class Regime:
    """Epochs during which the same leaders are silent, with what the closed form says of them.

    Parameters
    ----------
    start, stop : int
        First epoch, and the first one after.
    lag : Fraction or None
        Mean number of epochs to finality; None where nothing is ever final.
    """

    start: int
    stop: int
    lag: Fraction | None


def fault_changes(config: ExperimentConfig) -> list[int]:
    """Return the epochs within the run at which a fault of a node begins or ends, in order."""
    return _changes(_faults(config), config.epochs)


def source_fault_changes(config: ExperimentConfig) -> list[int]:
    """Return the epochs within the run at which a fault of a source begins or ends, in order."""
    names = config.prices.source_names
    faults = [fault for fault in config.source_faults if fault.affected(names)]
    return _changes(faults, config.epochs)


def closed_form(config: ExperimentConfig) -> list[Regime]:
    """Return what :func:`~streamlet_lab.theory.round_robin_finality_lag` says of a run.

    It speaks where its conditions hold: messages arrive in time, the only faults are crashes and
    silent leaders, and the same leaders are silent for a whole round at least. Without enough nodes
    to vote nothing is ever final.
    """
    faults = _faults(config)
    late = config.epoch_length < 2 * config.network.delta
    if late or any(fault.kind not in ("crash", "silent_leader") for fault in faults):
        return []
    regimes = []
    for start, stop in pairwise([0, *fault_changes(config), config.epochs]):
        silent = _affected(config, [fault for fault in faults if fault.active(start)])
        crashed = _affected(
            config, [fault for fault in faults if fault.kind == "crash" and fault.active(start)]
        )
        if stop - start >= config.nodes:
            enough = config.nodes - len(crashed) >= config.votes_needed
            lag = round_robin_finality_lag(config.nodes, silent) if enough else None
            regimes.append(Regime(start, stop, lag))
    return regimes


def _of_symbol(frame: pd.DataFrame, symbol: str) -> pd.DataFrame:
    return frame[frame["symbol"] == symbol]


def _changes(faults: list[Fault], epochs: int) -> list[int]:
    changes = {epoch for fault in faults for epoch in (fault.start, fault.stop)}
    return sorted(epoch for epoch in changes if epoch is not None and 0 < epoch < epochs)


def _faults(config: ExperimentConfig) -> list[Fault]:
    """Return the faults that any node has."""
    return [fault for fault in config.node_faults if fault.affected(config.node_ids)]


def _affected(config: ExperimentConfig, faults: list[Fault]) -> set[int]:
    """Return the places in the round robin of the nodes that have any of the faults."""
    names = {name for fault in faults for name in fault.affected(config.node_ids)}
    return {index for index, name in enumerate(config.node_ids) if name in names}
