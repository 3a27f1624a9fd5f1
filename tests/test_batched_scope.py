"""What the batched engine ignores, it says: every setting and kind is refused, or one of these."""

from dataclasses import fields

import pytest

import streamlet_lab as sl
from streamlet_lab.batched import MEASURES, explain, measure_runs
from streamlet_lab.config import MarketConfig, NetworkConfig, PricesConfig, TraderConfig
from streamlet_lab.kinds import kinds_of_others
from streamlet_lab.matching import bands
from streamlet_lab.measures import SUMMARY_NUMBERS, to_measure
from streamlet_lab.prices import Source, aggregators, outlier_rules, path_models, source_fault_kinds
from streamlet_lab.prices.voter import VoterPolicy
from streamlet_lab.simulator import fault_kinds, reference_kinds, trader_kinds
from streamlet_lab.simulator.delays import delay_kinds

BAD = [{"start": "3s", "stop": "4s"}]

#: What it does, each under the test that compares it with the full engine.
RULES = {  # test_batched.py
    "epochs": 7,
    "nodes": 7,
    "seed": 3,
    "faults": {"node_3": "crash@2"},
    "model": "synchronous",
    "leaders": ["node_1", "node_0"],
    "epoch_length": "1200ms",
    "market_time_per_epoch": "1min",
    "quorum": 2,
    "echo": False,
    "prices.min_sources": 3,
    "prices.aggregator": "median",
    "prices.voter_policy": "bounds",
    "prices.max_deviation_percent": 2,
    "prices.deviation_rule": "strict",
    "prices.min_price": 140,
    "prices.max_price": 160,
    "prices.min_volume": 1_000,
    "prices.max_volume": 1_500,
    "market.band": "keep_resting",
    "market.band_percent": 1,
    "market.fair_percent": 1,
    "market.reference_node": "node_2",
    "market.without_reference": "allow",
    "market.traders": [{"kind": "fat_finger", "count": 4, "rate": 0.5}],
}
LAWS = {  # test_batched_draws.py
    "network.delta": "80ms",
    "network.delays": "uniform",
    "network.shortest_delay": "10ms",
    "network.median_delay": "80ms",
    "network.delay_spread": 1.1,
    "network.regions": ["asia", "europe"],
    "network.region_delays": {"here": {"here": "30ms"}},
    "network.link_delays": {"node_0>node_1": "90ms"},
    "network.slow_nodes": {"node_2": 3},
    "prices.base_price": 200,
    "prices.jumps": [{"at": "1300ms", "percent": 8}],
    "prices.volatility": 3,
    "prices.trend": 5,
    "prices.path_model": "merton",
    "prices.path_parameters": {"omega": 1.0},
    "prices.nights": 0.9,
    "prices.intraday": 0,
    "prices.correlation": 0.9,
    "prices.sources": [{"name": "a", "noise_bp": 50}, "b"],
    "prices.assets": {"AAPL": {"volatility": 4}},
}
#: What changes none of its measures, in a full run either.
NO_MATTER = {
    "signatures": "none",
    "remember_verifications": False,
    "trace": True,
    "record": "summary",
    "network.samples": ["5ms"],
    "network.when_lost": "forever",
    "network.retransmit_after": "1s",
    "network.slowdown": 3.0,
    "network.held": 0.5,
    "network.held_together": True,
    "network.catch_up": True,
    "prices.splits": "keep",
    "prices.reanchor_after": 2,
    "prices.reanchor_sources": 3,
    "prices.tolerance_percent": 0,
    "market.band_parameters": {"resting": "keep"},
    "market.self_trade": "cancel_oldest",
    "market.samples_per_epoch": 9,
    "market.depth_levels": 2,
}
REFUSED = {
    "feed": "aapl-2012",
    "symbols": ["AAPL", "MSFT"],
    "network.loss": 0.1,
    "network.gst": "2s",
    "network.bad_periods": BAD,
    "network.partitions": [{**BAD[0], "groups": "node_0|node_1"}],
    "network.sign_time": "1us",
    "network.verify_time": "1us",
    "network.clock_skew": {"node_1": "1us"},
    "prices.outlier_rule": "tail",
    "market.reference": "delayed",
}
KNOWN = {**RULES, **LAWS, **NO_MATTER}


def config(name, value):
    return sl.Experiment(**section(name, value)).config


def section(name, value):
    head, _, rest = name.partition(".")
    return {head: {rest: value}} if rest else {head: value}


def test_each_setting_is_here():
    sections = {"network": NetworkConfig, "prices": PricesConfig, "market": MarketConfig}
    names = {name for name in sl.ExperimentConfig.model_fields if name not in sections}
    for head, part in sections.items():
        names |= {f"{head}.{name}" for name in part.model_fields}

    assert {*KNOWN} | {*REFUSED} == names


@pytest.mark.parametrize("name", KNOWN)
def test_it_plays_what_it_knows(name):
    assert explain(config(name, KNOWN[name])) is None


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_what_it_does_not_know(name):
    assert name.rpartition(".")[2] in explain(config(name, REFUSED[name]))


@pytest.mark.parametrize("name", NO_MATTER)
def test_what_it_ignores_changes_nothing(name):
    # Of the summary alone what is recorded is no matter: all else needs frames.
    known = SUMMARY_NUMBERS if name == "record" else MEASURES
    measure = to_measure([each for each in MEASURES if each in known])
    changed = {"epochs": 6, **section(name, NO_MATTER[name])}

    assert measure(sl.Experiment(**changed).run()) == measure(sl.Experiment(epochs=6).run())


KINDS = {
    "faults": (
        (*fault_kinds(), *source_fault_kinds()),
        {"crash", "silent_leader", "withhold_votes", "biased"},
    ),
    "network.delays": (delay_kinds(), {"lognormal", "constant", "uniform", "regions"}),
    "prices.path_model": (path_models(), {"gjr_garch", "gjr_garch_mle", "gbm", "merton"}),
    "prices.aggregator": (aggregators(), {"mean", "median", "trimmed_mean", "vwap"}),
    "prices.outlier_rule": (outlier_rules(), set()),
    "prices.voter_policy": (VoterPolicy.__args__, {"observe", "bounds"}),
    "prices.deviation_rule": (("widen", "strict", "re-anchor"), {"widen", "strict"}),
    "market.traders": (trader_kinds(), {"noise_trader", "fat_finger"}),
    "market.band": (bands(), {"consensus", "keep_resting"}),
    "market.reference": (reference_kinds(), {"consensus"}),
}


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        (setting, kind)
        for setting, (kinds, _) in KINDS.items()
        for kind in kinds
        if not any(kind == name for _, name in kinds_of_others())
    ],
)
def test_each_kind_is_known_or_refused_by_name(setting, kind):
    given = section(setting, kind)
    if setting == "faults":
        who = "external_feed" if kind in source_fault_kinds() else "node_3"
        given = {"faults": [{"kind": kind, "nodes": [who]}]}
    if kind == "sample":
        given["network"]["samples"] = ["5ms", "6ms"]
    why = explain(sl.ExperimentConfig(**given))

    assert why is None if kind in KINDS[setting][1] else f"{setting}: {kind!r}" in why


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"faults": {"node_3": "crash@2-4"}}, "'crash' of a node that comes back"),
        ({"epoch_length": "900ms"}, "epoch_length: 900ms is shorter than 2Δ, 1s"),
        (
            {"faults": {"external_feed": {"kind": "biased", "parameters": {"bp": "1e-12"}}}},
            "'biased' by more decimal places than four",
        ),
        ({"network": {"delay_spread": 1e-4}}, "delay_spread: delays so much alike"),
        ({"network": {"delays": "constant", "median_delay": "1h"}}, "median_delay: 3,600,000,000"),
        ({"market": {"band_parameters": {"at_entry": "clip"}}}, "at_entry: 'clip'"),
        ({"prices": {"max_deviation_percent": 0.5}}, "max_deviation_percent"),
        ({"prices": {"jumps": [{"at": "1301ms", "percent": 8}]}}, "jumps: it knows tenths"),
        ({"nodes": 201}, "nodes: 201 is more than 200"),
        ({"epochs": 100_000, "epoch_length": "20min"}, "seconds of a run: 120,000,000 is more"),
        ({"prices": {"max_price": 200_000}}, "prices.max_price: it knows at most $100,000"),
        ({"market": {"traders": [{"kind": "fat_finger", "rate": 1e6}]}}, "orders of a run"),
        ({"network": {"delays": lambda stream, network, nodes: len}}, "delays: '<lambda>'"),
    ],
)
def test_it_says_what_is_beyond_it(settings, why):
    assert why in explain(sl.ExperimentConfig(**settings))


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (
            {"faults": {"node_3": {"kind": "silent_leader", "parameters": {"x": 1}}}},
            "faults.parameters.x",
        ),
        ({"market": {"band_parameters": {"resting": "x"}}}, "market.band_parameters.resting"),
        ({"market": {"reference": {"kind": "consensus", "parameters": {"x": 1}}}}, "reference"),
    ],
)
def test_it_refuses_what_no_engine_plays(settings, field):
    with pytest.raises(sl.InvalidInput, match=field):
        measure_runs(sl.ExperimentConfig(**settings), [1], ["orders"])


def test_a_source_has_no_setting_that_is_not_compared():
    compared = {"noise_bp", "bias_bp", "lag", "outage", "outage_epochs", "volume_share"}
    assert {field.name for field in fields(Source)} == compared | {"name", "confidence_bp"}
    assert {*TraderConfig.model_fields} == {"kind", "count", "rate", "parameters"}
