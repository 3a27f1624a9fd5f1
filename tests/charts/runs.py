"""Runs that the chart tests look at, each made once."""

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
    "trading without a reference": {"epochs": 20, "market": {"without_reference": "allow"}},
    "reference of a node": {"epochs": 20, "market": {"reference_node": "node_2"}},
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
    "2000 epochs": {"epochs": 2000, "faults": [Fault("silent_leader", count=1)]},
}


@cache
def run(case: str) -> Result:
    """The result of a case; without signatures, which no chart shows."""
    return Experiment(signatures="none", **CASES[case]).run()
