"""Another value than the default for every control of the bench, and what it changes."""

from streamlet_lab.config import ED25519_TIMES


def _trader(kind, rate):
    """One more kind of traders, behind two others."""
    place = "market.traders.2"
    return {f"{place}.kind": kind, f"{place}.count": 1, f"{place}.rate": rate}


#: What must be so that a control has an effect.
NEEDS = {
    "fault": {"faulty": 1},
    "placed": {"faulty": 2, "nodes": 7},
    "fault_epochs": {"faulty": 1},
    "slowdown": {"gst_s": 10},
    "held": {"gst_s": 10},
    "when_lost": {"loss": 0.1},
    "catch_up": {"loss": 0.1, "when_lost": "forever"},
    "one_way": {"partition_s": [3, 9]},
    "lie": {"lying": 1},
    "lying_epochs": {"lying": 1},
    "stale_epochs": {"stale": "halt"},
    "jump_s": {"jump_percent": 8},
}

#: By control: the value, and all that it changes in the document of the experiment.
CHANGES = {
    "epochs": (30, {"epochs": 30}),
    "nodes": (7, {"nodes": 7}),
    "fault": ("silent_leader", {"faults.0.kind": "silent_leader"}),
    "faulty": (
        2,
        {
            "faults.0.kind": "crash",
            "faults.0.nodes.0": "node_2",
            "faults.0.nodes.1": "node_3",
            "faults.0.start": 0,
        },
    ),
    "median_delay_ms": (90.5, {"network.median_delay": "90500us"}),
    "market_time": ("1min", {"market_time_per_epoch": "1min"}),
    "seed": (5, {"seed": 5}),
    "model": ("crash", {"model": "crash"}),
    "leaders": ("hashed", {"leaders": "hashed"}),
    "quorum": ("2f+1", {"quorum": "2f+1"}),
    "epoch_deltas": (3.5, {"epoch_length": "1750ms"}),
    "echo": (False, {"echo": False}),
    "signatures": ("ed25519", {"signatures": "ed25519"}),
    "placed": ("apart", {"faults.0.nodes.0": "node_2"}),
    "fault_epochs": ([4, 9], {"faults.0.start": 4, "faults.0.stop": 9}),
    "delays": ("uniform", {"network.delays": "uniform"}),
    "delay_spread": (1.2, {"network.delay_spread": 1.2}),
    "delta_ms": (800, {"network.delta": "800ms", "epoch_length": "1600ms"}),
    "gst_s": (10, {"network.gst": "10s"}),
    "bad_s": (
        [20, 30],
        {"network.bad_periods.0.start": "20s", "network.bad_periods.0.stop": "30s"},
    ),
    "slowdown": (50, {"network.slowdown": 50.0}),
    "held": (0.4, {"network.held": 0.4}),
    "loss": (0.25, {"network.loss": 0.25}),
    "when_lost": ("forever", {"network.when_lost": "forever"}),
    "catch_up": (True, {"network.catch_up": True}),
    "partition_s": (
        [3, 9],
        {
            "network.partitions.0.start": "3s",
            "network.partitions.0.stop": "9s",
            "network.partitions.0.groups.0.0": "node_0",
            "network.partitions.0.groups.0.1": "node_1",
            "network.partitions.0.groups.1.0": "node_2",
            "network.partitions.0.groups.1.1": "node_3",
            "network.partitions.0.one_way": False,
        },
    ),
    "one_way": (True, {"network.partitions.0.one_way": True}),
    "slow_link_ms": (300, {"network.link_delays.node_0>node_1": "300ms"}),
    "slow_node": (3, {"network.slow_nodes.node_0": 3.0}),
    "clock_skew_ms": (40, {"network.clock_skew": "40ms"}),
    "processing": (True, {f"network.{name}": time for name, time in ED25519_TIMES.items()}),
    "feed": ("msft", {"feed": "msft", "symbols.0": "MSFT"}),
    "path_model": ("merton", {"prices.path_model": "merton"}),
    "volatility": (2.5, {"prices.volatility": 2.5}),
    "nights": (0, {"prices.nights": 0.0}),
    "intraday": (0.5, {"prices.intraday": 0.5}),
    "jump_percent": (
        -7.5,
        {"prices.jumps.0.at": "30s", "prices.jumps.0.percent": "-7.5"},
    ),
    "jump_s": (20.5, {"prices.jumps.0.at": "20500ms"}),
    "sources": (
        7,
        {
            **{f"prices.sources.{place}": f"market_data_{place + 1}" for place in range(2, 6)},
            "prices.sources.6": "external_feed",
        },
    ),
    "min_sources": (3, {"prices.min_sources": 3}),
    "lying": (
        1,
        {"faults.0.kind": "adaptive", "faults.0.nodes.0": "external_feed", "faults.0.start": 0},
    ),
    "lie": ("volume_inflating", {"faults.0.kind": "volume_inflating"}),
    "lying_epochs": ([4, 9], {"faults.0.start": 4, "faults.0.stop": 9}),
    "aggregator": ("trimmed_mean", {"prices.aggregator": "trimmed_mean"}),
    "voter_policy": ("evidence", {"prices.voter_policy": "evidence"}),
    "deviation_rule": ("re-anchor", {"prices.deviation_rule": "re-anchor"}),
    "outlier_rule": ("tail", {"prices.outlier_rule": "tail"}),
    "band": ("clip", {"market.band": "clip"}),
    "band_percent": (2.35, {"market.band_percent": "2.35"}),
    "reference": (
        "twap",
        {
            "market.reference.kind": "twap",
            "market.reference.parameters.window": "1170min",
            "market.reference.parameters.every": "39min",
            "market.reference.parameters.check": "39min",
        },
    ),
    "stale": (
        "widen",
        {
            "market.band_parameters.stale": "widen",
            # Three epochs of a trading day.
            "market.band_parameters.stale_after": "1170min",
        },
    ),
    "stale_epochs": (2, {"market.band_parameters.stale_after": "780min"}),
    "without_reference": ("allow", {"market.without_reference": "allow"}),
    "noise_trader": (10, {"market.traders.0.rate": 0.5}),
    "informed": (1.5, _trader("informed", 1.5)),
    "market_maker": (2, _trader("market_maker", 2.0)),
    "momentum": (2.5, _trader("momentum", 2.5)),
    "fat_finger": (0.4, {"market.traders.1.rate": 0.4}),
    "manipulator": (3, _trader("manipulator", 3.0)),
}
