"""What the charts show, as frames and numbers: no drawing here."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pandas as pd

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.fault import Fault
from streamlet_lab.result import Result
from streamlet_lab.theory import round_robin_finality_lag


def reference_prices(result: Result) -> pd.DataFrame:
    """Return the reference of the market, each row in force from ``time_s`` to the next one's.

    Blocks that become final at the same instant move the reference once, to the highest one.

    Returns
    -------
    DataFrame
        Columns ``time_s`` and ``price`` (dollars).
    """
    finality, blocks = result.finality, result.blocks
    reader = result.config.market.reference_node
    seen = finality[(finality["node"] == reader) & finality["finalized_s"].notna()]
    priced = blocks.loc[blocks["claim"] == "price_consensus", ["block_hash", "consensus_price"]]
    steps = (
        seen.merge(priced, on="block_hash")
        .sort_values(["finalized_s", "height"])
        .drop_duplicates("finalized_s", keep="last")
    )
    return pd.DataFrame({"time_s": steps["finalized_s"], "price": steps["consensus_price"]})


def within_band(result: Result) -> "pd.Series[bool]":
    """Return for every epoch whether the underlying price starts it inside the market's band."""
    starts = result.epochs[["start_s", "true_price"]]
    held = pd.merge_asof(starts, reference_prices(result), left_on="start_s", right_on="time_s")
    deviation = (held["true_price"] / held["price"] - 1).abs() * 100
    return deviation <= float(result.config.market.band_percent)


def agreed_prices(result: Result) -> pd.DataFrame:
    """Return every epoch, with the prices of notarized blocks only.

    Returns
    -------
    DataFrame
        Columns ``time_s``, ``consensus_price``, ``vwap`` (dollars), ``difference_bp`` (consensus
        minus VWAP in basis points of the VWAP) and ``one_cent_bp`` (their rounding, likewise).
    """
    epochs = result.epochs
    agreed = epochs["notarized_s"].notna()
    vwap = epochs["vwap"].where(agreed)
    cents = (epochs["consensus_cents"] - epochs["vwap_cents"]).astype("float64")
    one_cent = 100 / vwap
    return pd.DataFrame(
        {
            "time_s": epochs["start_s"],
            "consensus_price": epochs["consensus_price"].where(agreed),
            "vwap": vwap,
            "difference_bp": cents * one_cent,
            "one_cent_bp": one_cent,
        }
    )


def judged_orders(result: Result) -> pd.DataFrame:
    """Return each time that a price was held against a reference, and what came of it.

    An order that rests and is cancelled later is there twice: accepted, then cancelled. Market
    orders have no price of their own and appear only where an execution price was refused.

    Returns
    -------
    DataFrame
        Columns ``time_s``, ``action`` (accepted, rejected or cancelled), ``intent`` and
        ``deviation_percent``: signed, in percent of the reference at that instant.
    """
    orders, refused = result.orders, result.rejections
    accepted = orders[orders["status"] != "rejected"].assign(action="accepted")
    columns = ["time_s", "action", "intent", "price", "reference_price"]
    judged = pd.concat([accepted[columns], refused[columns]]).dropna(
        subset=["price", "reference_price"]
    )
    deviation = (judged["price"] / judged["reference_price"] - 1) * 100
    return judged[["time_s", "action", "intent"]].assign(deviation_percent=deviation)


def refusal_counts(result: Result) -> pd.DataFrame:
    """Return how many orders were refused for each reason.

    Returns
    -------
    DataFrame
        Indexed by ``action`` and ``reason``, most frequent first; columns ``honest`` and ``far``.
    """
    counts = result.rejections.groupby(["action", "reason", "intent"]).size().unstack(fill_value=0)
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
    """Return the epochs within the run at which a fault begins or ends, in order."""
    changes = {epoch for fault in _faults(config) for epoch in (fault.start, fault.stop)}
    return sorted(epoch for epoch in changes if epoch is not None and 0 < epoch < config.epochs)


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


def _faults(config: ExperimentConfig) -> list[Fault]:
    """Return the faults that any node has."""
    return [fault for fault in config.faults if fault.affected(config.node_ids)]


def _affected(config: ExperimentConfig, faults: list[Fault]) -> set[int]:
    """Return the places in the round robin of the nodes that have any of the faults."""
    names = {name for fault in faults for name in fault.affected(config.node_ids)}
    return {index for index, name in enumerate(config.node_ids) if name in names}
