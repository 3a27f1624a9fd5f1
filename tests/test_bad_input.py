"""One clear message that names field, value and what is valid, and nothing half-written."""

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.config import NetworkConfig, make_config
from streamlet_lab.prices import decode_claims, decode_quotes

NAN = float("nan")
NODES = "a node from node_0 to node_3"
KINDS = "withhold_votes"
SOURCES = "market_data_1, market_data_2, external_feed"
SECONDS = "seconds as a number, or a text with a unit such as '250ms'"
MICROSECONDS = "a duration of whole microseconds"
NAMED = "a registered name, or a function"
PLAIN = "a text, a finite number, true, false, or a list or a table of these"
REANCHOR = "from min_sources, 2, to the number of sources, 3"
FINITE = "a finite decimal number such as 152.45"


def _prices(**settings: Any) -> dict[str, Any]:
    return {"prices": settings}


def _network(**settings: Any) -> dict[str, Any]:
    return {"network": settings}


def _cut(groups: object) -> dict[str, Any]:
    return _network(partitions=[{"stop": "1s", "groups": groups}])


def _market(**settings: Any) -> dict[str, Any]:
    return {"market": settings}


def _fault(**fields: Any) -> dict[str, Any]:
    return {"faults": [{"kind": "crash", **fields}]}


def _lie(price: object) -> dict[str, Any]:
    return _fault(kind="lying_leader", count=1, parameters={"price": price})


def _script(*steps: str) -> dict[str, Any]:
    return _fault(kind="script", count=1, parameters={"steps": [*steps]})


def _model(**parameters: Any) -> dict[str, Any]:
    return _prices(path_model="gbm", path_parameters=parameters)


def _source(**settings: Any) -> dict[str, Any]:
    return _prices(sources=["market_data_1", {"name": "external_feed", **settings}])


def _asset(symbol: str, **settings: Any) -> dict[str, Any]:
    return {"symbols": TWO, "prices": {"assets": {symbol: settings}}}


def _momentum(**fields: Any) -> dict[str, Any]:
    return _market(traders=[{"kind": "momentum", **fields}])


def _reference(kind: str, **parameters: Any) -> dict[str, Any]:
    return _market(reference={"kind": kind, "parameters": parameters})


def _band(**parameters: Any) -> dict[str, Any]:
    return _market(band_parameters=parameters)


TWO, SELF = ["AAPL", "MSFT"], "node_0>node_0"
FRAME = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=70), "price": 9.5, "volume": 7})
HISTORIES = {"symbols": ["AAPL", "GOOG"], "feed": "history"}
RATE = "a number from 1e-06 to 1e+06"
HUNDREDTHS = "hundredths of a percent"

MISTAKES: list[tuple[dict[str, Any], str, object, str]] = [
    ({"nodes": 0}, "nodes", 0, "a whole number from 1 to 1,000"),
    ({"nodes": 1001}, "nodes", 1001, "a whole number from 1 to 1,000"),
    ({"epochs": 1.5}, "epochs", 1.5, "a whole number from 1"),
    ({"epochs": True}, "epochs", True, "a whole number from 1"),
    ({"seed": -1}, "seed", -1, "a whole number from 0"),
    ({"quorum": 0}, "quorum", 0, "a whole number of at least 1"),
    ({"quorum": 5}, "quorum", 5, "at most the number of nodes, 4"),
    ({"signatures": "rsa"}, "signatures", "rsa", "'ed25519' or 'none'"),
    # Feeds
    ({"feed": "tsla"}, "feed", "tsla", "'simulated' or a real history: aapl, msft, ibm, goog"),
    (
        {"feed": "aapl-1999"},
        "feed",
        "aapl-1999",
        "a year of AAPL's history, aapl-2000 to aapl-2013",
    ),
    ({"feed": "appl-2012"}, "feed", "appl-2012", "(did you mean 'aapl'?)"),
    ({"feed": 2012}, "feed", 2012, "a path of a .csv file, or a DataFrame of time, price, volume"),
    ({"feed": "aapl-2012", "epochs": 251}, "epochs", 251, "at most 250"),
    (
        {"feed": "aapl-2012", "epochs": 126, "market_time_per_epoch": "13h"},
        "epochs",
        126,
        "most 125",
    ),
    # Durations
    ({"epoch_length": 0}, "epoch_length", 0, "a duration longer than zero, such as '5min'"),
    ({"epoch_length": "soon"}, "epoch_length", "soon", SECONDS),
    ({"epoch_length": True}, "epoch_length", True, SECONDS),
    ({"market_time_per_epoch": "1ns"}, "market_time_per_epoch", "1ns", MICROSECONDS),
    (_network(delta="soon"), "network.delta", "soon", SECONDS),
    (_network(median_delay="-1ms"), "network.median_delay", "-1ms", MICROSECONDS),
    (_network(shortest_delay="60ms"), "network.shortest_delay", "60ms", "the median delay, 50ms"),
    (_network(delay_spread=NAN), "network.delay_spread", NAN, "a number from 0 to 5"),
    (_network(delay_spread=-1), "network.delay_spread", -1, "a number from 0 to 5"),
    (_network(loss=False), "network.loss", False, "a number from 0 to 1"),
    (_network(slow_nodes={"node_1": 0.5}), "network.slow_nodes.node_1", 0.5, "a number from 1"),
    # The network
    (_network(delays=3), "network.delays", 3, NAMED),
    (_network(delays="sample"), "network.samples", (), "one delay or more"),
    (_network(delays="normal"), "network.delays", "normal", "one of constant, lognormal, regions"),
    (_network(region_delays={"a": {"b": 1}}), "region_delays.a", ["b"], "a delay to each of a"),
    (_network(regions=["moon"]), "network.regions", "moon", "one of north_america, europe"),
    (_network(link_delays={SELF: 1}), "network.link_delays", SELF, "two nodes such as"),
    (_network(link_delays={"node_0>x": 1}), "network.link_delays", "x", f"'observer' or {NODES}"),
    (_network(slow_nodes={"node_4": 2}), "network.slow_nodes", "node_4", f"'observer' or {NODES}"),
    (
        _network(bad_periods=[{"start": 1, "stop": 1}]),
        "bad_periods.0.stop",
        "1s",
        "after the start",
    ),
    (_cut("node_0"), "network.partitions.0.groups", "node_0", "two or more groups"),
    (_cut([["node_0"], []]), "network.partitions.0.groups", "node_0|", "none empty"),
    (_cut("node_0|"), "network.partitions", "", NODES),
    (_network(clock_skew={"node_1": "soon"}), "network.clock_skew.node_1", "soon", SECONDS),
    (_network(clock_skew={"node_4": 1}), "network.clock_skew", "node_4", NODES),
    # Settings that do not exist
    ({"node": 4}, "setting", "node", "epochs, nodes, seed, feed"),
    (_network(delay=1), "network", "delay", "median_delay, delay_spread"),
    (_prices(band_percent=1), "prices", "band_percent", "base_price, volatility"),
    (_market(sources=[]), "market", "sources", "traders, band"),
    ({"market": 20}, "market", 20, "a table"),
    # Prices
    (_prices(base_price="49.99"), "prices.base_price", "49.99", "a price from 50 to 500"),
    (_prices(base_price="1e400"), "prices.base_price", "1e400", "at most 12 digits"),
    (_prices(base_price="99.0000001"), "base_price", "99.0000001", "micro-dollars"),
    (_prices(volatility=-1), "prices.volatility", -1, "a number from 0 to 20"),
    (_prices(nights=1), "prices.nights", 1, "a number from 0 and below 1"),
    (_prices(intraday=0.91), "prices.intraday", 0.91, "a number from 0 to 0.9"),
    (_prices(correlation=1.1), "prices.correlation", 1.1, "a number from 0 to 1"),
    (_prices(splits="forget"), "prices.splits", "forget", "'adjust' or 'keep'"),
    (_prices(aggregator="mode"), "prices.aggregator", "mode", "median, pyth"),
    (_prices(outlier_rule="odd"), "prices.outlier_rule", "odd", "one of tail"),
    (_prices(path_model="walk"), "prices.path_model", "walk", "gbm, gjr_garch"),
    (_prices(path_model=["gbm"]), "prices.path_model", ["gbm"], NAMED),
    (_model(drift=1), "prices.path_parameters.drift", 1, "the parameters volatility"),
    (_model(volatility=-1), "prices.path_parameters.volatility", -1, "a number from 0"),
    (_model(volatility=NAN), "prices.path_parameters.volatility", NAN, PLAIN),
    (_prices(path_parameters=3), "prices.path_parameters", 3, "a table"),
    (_prices(reanchor_after=0), "prices.reanchor_after", 0, "a whole number of at least 1"),
    (_prices(reanchor_sources=1), "prices.reanchor_sources", 1, REANCHOR),
    (_prices(min_price=0), "prices.min_price", "0", "more than 0"),
    (_prices(min_price=600), "prices.min_price", "600", "below max_price 500"),
    (_prices(max_price=40), "prices.max_price", "40", "more than min_price 50"),
    (_prices(min_volume=-1), "prices.min_volume", "-1", "more than 0 shares"),
    (_prices(max_volume=99), "prices.max_volume", "99", "from min_volume 100 to"),
    (_prices(max_deviation_percent="0.001"), "max_deviation_percent", "0.001", HUNDREDTHS),
    (_prices(tolerance_percent=-1), "prices.tolerance_percent", "-1", "zero or more"),
    # Sources
    (_prices(min_sources=0), "prices.min_sources", 0, "a whole number of at least 1"),
    (_prices(min_sources=4), "prices.sources", 3, "at least min_sources, 4"),
    (_prices(sources=0), "prices.sources", 0, "a whole number from 1 to 99"),
    (_prices(sources=1), "prices.sources", 1, "at least min_sources, 2"),
    (_prices(sources=["a", "b", "a"]), "prices.sources", ("a", "b", "a"), "each name once"),
    (_prices(sources="external_feed"), "prices.sources", "external_feed", "or a list of sources"),
    (_prices(sources=[3]), "prices.sources", 3, "the name of a source, or a table"),
    (_prices(sources=[{"lag": 1}]), "prices.sources", {"lag": 1}, "a table with a name in it"),
    (_prices(sources=["node_1"]), "prices.sources.name", "node_1", "a name that no node has"),
    (_prices(sources=["Bourse"]), "prices.sources.name", "Bourse", "lowercase letters"),
    (_source(noise=1), "prices.sources.noise", 1, "parameters name, noise_bp, bias_bp, lag"),
    (_source(noise_bp=-1), "prices.sources.noise_bp", -1, "a number from 0 to"),
    (_source(lag="soon"), "prices.sources.lag", "soon", SECONDS),
    (_source(outage=1), "prices.sources.outage", 1, "from 0 and below 1"),
    # Symbols and their settings
    ({"symbols": ["AAPL", "AAPL"]}, "symbols", ["AAPL", "AAPL"], "each symbol once"),
    ({"symbols": []}, "symbols", [], "a list of 1 to 20 symbols"),
    ({"symbols": ["aapl"]}, "symbols", "aapl", "capital letters"),
    ({"symbols": TWO, "feed": "msft"}, "symbols", tuple(TWO), "MSFT alone: the feed 'msft'"),
    ({"symbols": TWO, "feed": FRAME}, "symbols", tuple(TWO), "one symbol: a frame"),
    ({"symbols": ["TSLA"], "feed": "history"}, "symbol", "TSLA", "one of AAPL, MSFT, IBM, GOOG"),
    (
        {"symbols": ["GOOG"], "feed": "history-2001"},
        "feed",
        "history-2001",
        "a year of GOOG's history",
    ),
    (HISTORIES, "symbols", ("AAPL", "GOOG"), "epoch 0 is AAPL 2000-03-01, GOOG 2004-08-19"),
    ({"feed": "frame:00"}, "feed", "frame:00", "the DataFrame or CSV file itself"),
    ({"feed": FRAME[["time", "price"]]}, "feed.columns", ["time", "price"], "column 'volume'"),
    ({"feed": FRAME.assign(price=0)}, "feed.price in row 0", 0, "a price from 0.01"),
    ({"feed": FRAME.iloc[::-1]}, "feed.time in row 1", "2024-03-09 00:00:00", "after"),
    ({"feed": FRAME, "epochs": 71}, "epochs", 71, "at most 70"),
    (_asset("IBM"), "prices.assets", "IBM", "one of AAPL, MSFT"),
    (_asset("MSFT", colour=1), "prices.assets.MSFT", "colour", "base_price, volatility, trend"),
    (_asset("MSFT", volatility=-1), "prices.assets.MSFT.volatility", -1, "a number from 0 to 20"),
    (_asset("MSFT", base_price=49), "prices.assets.MSFT.base_price", "49", "a price from 50"),
    (_asset("MSFT", min_price=151), "prices.assets.MSFT.base_price", "150.00", "from 151 to 500"),
    (_asset("MSFT", path_model="x"), "prices.assets.MSFT.path_model", "x", "gbm, gjr_garch"),
    (_asset("MSFT", path_parameters={"x": 1}), "prices.assets.MSFT.path_parameters.x", 1, "omega"),
    (_asset("MSFT", reanchor_sources=4), "prices.assets.MSFT.reanchor_sources", 4, REANCHOR),
    (_prices(assets={"AAPL": 3}), "prices.assets.AAPL", 3, "a table"),
    # Market
    (_market(traders=-1), "market.traders", -1, "from 0 to 10,000"),
    (_market(traders="momentm"), "market.traders", "momentm", "did you mean 'momentum'?"),
    (_market(traders=[3]), "market.traders", 3, "the kind of a trader"),
    (_market(traders=[{"count": 2}]), "market.traders.0", {"count": 2}, "a value for 'kind' too"),
    (_market(traders=["nobody"]), "market.traders", "nobody", "one of fat_finger, "),
    (_momentum(rate=0), "market.traders.0.rate", 0, RATE),
    (_momentum(rate=1e-7), "market.traders.0.rate", 1e-7, RATE),
    (_momentum(rate=NAN), "market.traders.0.rate", NAN, RATE),
    (_momentum(count=0), "market.traders.0.count", 0, "a whole number from 1 to 10,000"),
    (
        _momentum(parameters={"lookbak": 3}),
        "market.traders.momentum.lookbak",
        3,
        "one of the param",
    ),
    (_momentum(parameters={"lookback": 0}), "market.traders.momentum.lookback", 0, "whole number"),
    (_momentum(parameters={"lookback": NAN}), "market.traders.0.parameters.lookback", NAN, PLAIN),
    (_market(reference=3), "market.reference", 3, "the kind of a reference"),
    (_market(reference="oracle"), "market.reference.kind", "oracle", "one of consensus, "),
    (_market(reference={"kind": "twap", "delay": 3}), "market.reference", "delay", "kind, param"),
    (_reference("consensus", delay="1h"), "reference.parameters.delay", "1h", "no parameters"),
    (_reference("delayed", dealy="1h"), "reference.parameters.dealy", "1h", "delay, every, first"),
    (_reference("delayed", delay="soon"), "reference.parameters.delay", "soon", "a unit"),
    (_reference("delayed", every=0), "market.reference.parameters.every", 0, "longer than zero"),
    (_reference("heartbeat", deviation_percent="0.001"), "deviation_percent", "0.001", HUNDREDTHS),
    (_reference("twap", window="150s"), "reference.parameters.window", "150s", "multiple of check"),
    (_market(fair_percent="0.001"), "market.fair_percent", "0.001", HUNDREDTHS),
    (_market(samples_per_epoch=0), "market.samples_per_epoch", 0, "a whole number from 1"),
    (_market(self_trade="x"), "market.self_trade", "x", "'cancel_newest'"),
    (_market(band=5), "market.band", 5, NAMED),
    (_market(band_percent="0.001"), "market.band_percent", "0.001", HUNDREDTHS),
    (_market(band="nonesuch"), "market.band", "nonesuch", "one of clip, consensus"),
    (_band(stale_fater="3min"), "market.band_parameters.stale_fater", "3min", "stale, stale_after"),
    (_band(stale="hope"), "market.band_parameters.stale", "hope", "'keep'"),
    (_band(stale="halt", stale_after="-3min"), "band_parameters.stale_after", "-3min", ""),
    (_band(percent=3), "market.band_parameters.percent", 3, "the percentage is given beside"),
    (_market(without_reference="hope"), "market.without_reference", "hope", "'reject'"),
    (_market(reference_node="node_4"), "market.reference_node", "node_4", f"'observer' or {NODES}"),
    # Faults, short form
    ({"faults": {"node_3": "explode"}}, "faults", "explode", KINDS),
    ({"faults": {"node_4": "crash"}}, "faults", "node_4", NODES),
    ({"faults": {"node_3": "crash@soon"}}, "faults", "crash@soon", "'crash@4'"),
    ({"faults": {"node_3": "silent_leader@4-x"}}, "faults", "silent_leader@4-x", "@4-8"),
    ({"faults": {"node_3": "silent_leader@4-4"}}, "stop", 4, "a whole number of at least 5"),
    ({"faults": {"node_3": 4}}, "faults", 4, ""),
    # Faults of sources
    ({"faults": {"external_feed": "crash"}}, "faults", "crash", "expected one of adaptive, "),
    (_fault(nodes=["external_feed", "node_1"]), "faults", "external_feed", "of sources are adapt"),
    ({"faults": {"node_3": "biased"}}, "faults", "node_3", "'biased' is a fault of sources: mark"),
    ({"faults": {"reuters": "biased@4-8"}}, "faults", "reuters", SOURCES),
    (_script("node_1 votes 0 at 1s"), "step", "node_1 votes 0 at 1s", "said by node_3"),
    (_script("node_3 votes 0 to x at 1s"), "step", "node_3 votes 0 to x at 1s", "to node_0, "),
    (_fault(kind="stale", count=4), "faults", 4, "a count of at most 3 sources"),
    (_fault(kind="stale", count=1, parameters={"x": 1}), "faults.parameters.x", 1, "epochs, since"),
    # Faults, long form
    (_fault(), "nodes", (), "names of nodes, or a count"),
    (_fault(nodes=["node_1"], count=1), "nodes", ("node_1",), "no names beside a count"),
    (_fault(nodes=["node_9"]), "faults", "node_9", NODES),
    (_fault(count=5), "faults", 5, "a count of at most 4 nodes"),
    (_fault(count=-1), "faults.0.count", -1, "a whole number of at least 0"),
    (_fault(count=1, start=3, stop=3), "faults.0.stop", 3, "a whole number of at least 4"),
    (_fault(count=1, parameters={"x": 1}), "faults.parameters.x", 1, "parameters reaches"),
    (_fault(count=1, colour="red"), "faults.0.colour", "red", "parameters"),
    (_lie("NaN"), "faults.parameters.price", "NaN", FINITE),
    (_lie(None), "faults.0.parameters.price", None, "a text, a finite number"),
    ({"faults": ["crash"]}, "faults", "crash", "such as 'node_3=crash@4'"),
    ({"faults": {"node_3": "crahs"}}, "faults", "crahs", "(did you mean 'crash'?)"),
    ({"faults": {"nod_3": "crash"}}, "faults", "nod_3", "(did you mean 'node_3'?)"),
    # In the units and the words in which it was given
    (_network(gst="4000000h"), "network.gst", "4000000h", "a duration up to 1000000000s"),
    ({"market_time_per_epoch": "9999h"}, "market_time_per_epoch", "9999h", "up to 98280min"),
    (_market(band_percent=101), "market.band_percent", 101, "more than 0 and at most 100"),
    (
        _prices(reanchor_sources=0),
        "reanchor_sources",
        0,
        "from min_sources to the number of source",
    ),
    # Names that are nearly right
    ({"ephocs": 5}, "setting", "ephocs", "(did you mean 'epochs'?)"),
    ({"delta": "1s"}, "setting", "delta", "; 'delta' is a setting of 'network'"),
    (_network(delat="1s"), "network", "delat", "(did you mean 'delta'?)"),
    (_network(regions=["erope"]), "network.regions", "erope", "(did you mean 'europe'?)"),
    (_network(when_lost="resend"), "network.when_lost", "resend", "'retransmit' or 'forever'"),
    (_prices(aggregator="medain"), "prices.aggregator", "medain", "(did you mean 'median'?)"),
    (_prices(splits="ajust"), "prices.splits", "ajust", "(did you mean 'adjust'?)"),
    (_market(reference_node="obsever"), "reference_node", "obsever", "(did you mean 'observer'?)"),
    (_band(stale="halts"), "band_parameters.stale", "halts", "(did you mean 'halt'?)"),
    # What else than one thing, or many
    (
        _network(partitions={"stop": 1}),
        "network.partitions",
        {"stop": 1},
        "a list, such as [{'stop'",
    ),
    (_network(bad_periods=[{}]), "network.bad_periods.0", {}, "a value for 'stop' too"),
    (_network(region_delays={}), "network.region_delays", {}, "one or more"),
    ({"prices": None}, "prices", None, "a table of the settings base_price, volatility"),
    ({"faults": "node_3=crash,node_2"}, "faults", "node_3=crash,node_2", "NODE=KIND"),
    ({"faults": None}, "faults", None, "'node_3=crash@4', {'node_3': 'crash@4'}, a Fault"),
    ({"faults": ["node_3=crash", 4]}, "faults", 4, "or a list of these"),
]


@pytest.mark.parametrize(("settings", "field", "value", "expected"), MISTAKES)
def test_a_mistake_is_named_before_anything_runs(
    settings: dict[str, Any], field: str, value: object, expected: str
) -> None:
    with pytest.raises(sl.InvalidInput) as caught:
        make_config(**settings)
    message = str(caught.value)

    assert field in message
    assert repr(value) in message
    assert expected in message
    assert "\n" not in message


def test_no_market_is_built_to_find_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("StockSimulation", "Market"):
        monkeypatch.setattr(f"streamlet_lab.experiment.{name}", None)
    sl.Experiment(epochs=9)
    wrong = _momentum(parameters={"lookback": 0})
    for check in (lambda: sl.Experiment(**wrong), lambda: sl.sweep(wrong, {"epochs": [9]})):
        with pytest.raises(sl.InvalidInput, match=r"^market\.traders\.momentum\.lookback: 0 "):
            check()


def test_the_error_says_what_it_says_in_parts() -> None:
    with pytest.raises(sl.InvalidInput) as caught:
        sl.Experiment(prices={"base_price": "NaN"})

    assert isinstance(caught.value, ValueError)
    assert caught.value.field == "prices.base_price"
    assert caught.value.value == "NaN"
    assert str(caught.value) == (
        f"prices.base_price: 'NaN' is not valid; expected {caught.value.expected}"
    )


def test_a_run_must_end_before_the_calendar_does() -> None:
    """1,000 epochs of nine years end beyond the year 9999, which no timestamp can name."""
    with pytest.raises(sl.InvalidInput, match=r"epochs|market_time_per_epoch"):
        sl.Experiment(epochs=1_000, market_time_per_epoch="80000h")


@pytest.mark.parametrize("nodes", [0, "many"])
def test_the_descriptions_network_needs_nodes(nodes: Any) -> None:
    with pytest.raises(sl.InvalidInput, match=r"^nodes: "):
        sl.create_aapl_consensus_network(nodes)


@pytest.mark.parametrize("epochs", [0, -1])
def test_the_descriptions_network_runs_forwards(epochs: int) -> None:
    with pytest.raises(sl.InvalidInput, match=rf"^epochs: {epochs} .* at least 1"):
        sl.create_aapl_consensus_network(4).run_price_consensus_simulation(epochs)


@pytest.mark.parametrize("path", ["r", "r.zip.gz"])
def test_a_result_is_saved_as_zip(tmp_path: Path, path: str) -> None:
    result = sl.Experiment(epochs=1, market={"traders": 0}).run()
    with pytest.raises(sl.InvalidInput, match=r"path: .* a file name ending in \.zip"):
        result.save(tmp_path / "new" / path)

    assert list(tmp_path.iterdir()) == []


def test_a_missing_result_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.zip"
    with pytest.raises(sl.DataError) as caught:
        sl.Result.load(path)

    assert str(caught.value) == f"{path}: cannot be read (No such file or directory)"


@pytest.mark.parametrize("make", [sl.ExperimentConfig, NetworkConfig])
def test_a_configuration_complains_in_our_words_wherever_it_is_made(make: Any) -> None:
    with pytest.raises(sl.InvalidInput, match=r"^setting: 'ephocs' is not valid; expected one of "):
        make(ephocs=5)


@pytest.mark.parametrize(("section", "name"), [("config", "epochs"), ("config.network", "loss")])
def test_a_configuration_that_would_be_changed_says_how_to_make_another(
    section: str, name: str
) -> None:
    with pytest.raises(
        sl.InvalidInput, match=rf"^{name}: 1 .* another configuration: .*Experiment"
    ):
        setattr(attrgetter(section)(sl.Experiment()), name, 1)


@pytest.mark.parametrize("make", [sl.StockMarketConsensusNetwork, sl.Experiment.from_config])
def test_what_is_no_configuration_and_what_its_feed_is_too_short_for_is_refused(make: Any) -> None:
    with pytest.raises(sl.InvalidInput, match=r"^config: .* an ExperimentConfig"):
        make({"nodes": 4})
    with pytest.raises(sl.InvalidInput, match=r"^epochs: 251 .* at most 250: the feed"):
        make(sl.ExperimentConfig(feed="aapl-2012", epochs=251))


def _late(price: Any, *, day: int = 1) -> Any:
    raise sl.InvalidInput("day", day, "more days")
    yield


def _no_price() -> Any:
    yield


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [(_late, {"day": 1}, "day: 1 .* more days"), (_no_price, {}, "1 val")],
)
def test_a_reference_is_tried_before_anything_runs(
    kind: Any, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(sl.InvalidInput, match=rf"^market\.reference\.parameters.*{message}"):
        make_config(market={"reference": {"kind": kind, "parameters": parameters}})


#: What is no such thing at all, in calls that take one.
STRAY: dict[str, Callable[[Any], Any]] = {
    "proof": lambda stray: sl.verify_proof(stray, stray),
    "evidence": lambda stray: sl.is_proven(stray, {}),
    "shares": lambda stray: sl.share_interval([stray]),
    "rules": lambda stray: sl.PriceConsensusService(rules=stray),
    "prices": lambda stray: sl.PriceConsensusService().validate_prices([stray]),
    "symbol": lambda stray: sl.create_aapl_consensus_network(4).reference(stray),
    "breakdown": lambda stray: sl.aggregator("stray", breakdown=stray),
    "monitors": lambda stray: sl.Experiment(epochs=1).run(monitors=[stray]),
    "progress": lambda stray: sl.Experiment(epochs=1).run(progress=stray),
    "executor": lambda stray: sl.sweep({"epochs": 1}, {"nodes": [4]}, executor=stray),
    "path": lambda stray: sl.Result.load(stray),
    "text": lambda stray: sl.Scenario(stray),
    "payload": lambda stray: decode_claims(stray),
    "attachment": lambda stray: decode_quotes(stray),
}


@pytest.mark.parametrize(("field", "call"), STRAY.items())
def test_what_is_of_another_type_is_named_in_our_words(
    field: str, call: Callable[[Any], Any]
) -> None:
    with pytest.raises(sl.InvalidInput, match=f"^{field}: 7 is not valid; expected "):
        call(7)


def test_shares_are_compared_in_pairs() -> None:
    with pytest.raises(sl.InvalidInput, match=r"^second: 0 .* as many shares as of the first, 1$"):
        sl.share_difference([sl.Share(1, 2)], [])


@pytest.mark.parametrize(
    "refused",
    [
        lambda: make_config(leaders=pd.NA),
        lambda: sl.PriceConsensusService(rules=np.array([1, 2])),
        lambda: sl.load_history(np.array(["AAPL", "MSFT"])),
        lambda: delattr(make_config(), "epochs"),
    ],
)
def test_what_has_no_truth_value_and_what_takes_a_setting_away_is_refused_as_all_else(
    refused: Callable[[], object],
) -> None:
    with pytest.raises(sl.InvalidInput):
        refused()
