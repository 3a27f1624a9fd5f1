"""Runs that the chart tests look at, each made once."""

from dataclasses import replace
from functools import cache

from streamlet_lab import Experiment, Fault, Result

CASES = {
    "default": {"epochs": 60, "seed": 1},
    "crash in the middle": {"epochs": 60, "seed": 1, "faults": {"node_3": "crash@20"}},
    "silent leader": {"epochs": 60, "faults": {"node_3": "silent_leader"}},
    "nothing final": {"epochs": 60, "faults": [Fault("crash", count=2)]},
    "too many crashed": {"epochs": 60, "faults": [Fault("crash", count=2, start=10)]},
    "one lying leader": {"epochs": 60, "faults": [Fault("lying_leader", count=1)]},
    "liars in the majority": {"epochs": 60, "faults": [Fault("lying_leader", count=3)]},
    "no orders": {"epochs": 20, "market": {"traders": 0}},
    "reference of a node": {"epochs": 20, "market": {"reference_node": "node_2"}},
    "volatile": {"epochs": 40, "prices": {"volatility": 3}},
    "keep resting": {"epochs": 40, "market": {"band": "keep_resting"}},
    "market maker": {
        "epochs": 30,
        "market": {
            "traders": [
                "market_maker",
                {"kind": "noise_trader", "count": 100, "rate": 0.2},
                {"kind": "fat_finger", "count": 3},
            ]
        },
    },
    "one epoch": {"epochs": 1},
    "one node": {"epochs": 20, "nodes": 1},
    "16 nodes": {"epochs": 40, "nodes": 16, "faults": [Fault("crash", count=5)]},
    "short epochs": {"epochs": 20, "epoch_length": "200ms", "market_time_per_epoch": "1min"},
    "slow epochs": {"epochs": 20, "epoch_length": "2s"},
    "two symbols": {"epochs": 40, "symbols": ["AAPL", "MSFT"]},
    "biased source": {
        "epochs": 40,
        "prices": {"sources": 5},
        "faults": {"external_feed": "biased@10-30"},
    },
    "liars among many sources": {
        "epochs": 40,
        "prices": {"sources": 13},
        "faults": [Fault("spiking", count=3)],
        "market_time_per_epoch": "1min",
    },
    "history": {"epochs": 60, "feed": "aapl-2012"},
    "colluding source": {"epochs": 60, "faults": {"external_feed": "colluding"}},
    "900 epochs": {"epochs": 900, "faults": [Fault("silent_leader", count=1)]},
}


@cache
def in_states() -> Result:
    """A run whose bands frame has every state of a market, and edges that are missing."""
    result = run("market maker")
    bands, missing = result.bands.copy(), float("nan")
    bands.loc[4, "state"] = "limit"
    bands.loc[5:7, "state"] = "auction"
    bands.loc[12:13, "state"] = "paused"
    bands.loc[15, "state"] = "halted"
    bands.loc[17, "state"] = "auction"
    bands.loc[9, "low"] = missing
    bands.loc[20:21, ["low", "high"]] = missing
    bands.loc[23, "high"] = missing
    return replace(result, frames={**result.frames, "bands": bands})


@cache
def run(case: str) -> Result:
    """The result of a case; without signatures, which no chart shows."""
    return Experiment(signatures="none", **CASES[case]).run()
