"""Leaders and voters of a run make the consensus price as the configuration says."""

import statistics
from copy import copy
from dataclasses import replace
from decimal import Decimal

import pytest

from streamlet_lab import Experiment, fault_kind
from streamlet_lab.config import load_config, make_config
from streamlet_lab.consensus import Block
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    SOURCES,
    StockPrice,
    aggregator,
    aggregators,
    decode_payload,
    find_aggregator,
)
from streamlet_lab.simulator import NodeFault
from streamlet_lab.simulator.price_application import Observation

from .stocks import CALM, claims, network, run


def with_aggregator(name):
    return {"prices": {"aggregator": name}}


def test_a_runs_frames_show_the_median_and_the_same_vwap_as_ever():
    average, middle = (
        Experiment(epochs=12, prices={**CALM, "aggregator": name}).run()
        for name in ("mean", "median")
    )
    by_epoch = middle.quotes.groupby("epoch").price
    priced = middle.epochs.dropna(subset="consensus_price").set_index("epoch")
    assert len(priced) == 12
    assert priced.consensus_price.to_dict() == by_epoch.apply(statistics.median).to_dict()
    assert middle.epochs.vwap.equals(average.epochs.vwap)
    assert not middle.epochs.consensus_price.equals(average.epochs.consensus_price)


@pytest.mark.parametrize("name", aggregators())
def test_honest_nodes_finalize_what_the_aggregator_makes_of_the_quotes(name):
    lab, _ = run(8, **with_aggregator(name))
    chosen = find_aggregator(name)
    finalized = claims(lab)
    assert [*finalized] == [*range(7)]
    for epoch, claim in finalized.items():
        assert claim.consensus_price == chosen(lab.feed.quotes(epoch))
        assert claim.volume_weighted_price == find_aggregator("vwap")(lab.feed.quotes(epoch))


def test_the_descriptions_average_is_the_default():
    assert make_config().prices.aggregator == "mean"
    assert network()[0].application.voters[0].aggregator is find_aggregator("mean")


# A leader with another aggregator than its voters'


def application(name):
    lab, _ = network(**with_aggregator(name))
    return lab.application


@pytest.mark.parametrize(
    ("outlier", "objection"),
    [
        ("154.50", "consensus price 151.50 too far from 150.00, which this node observes"),
        ("152.25", ""),  # the average is 0.5 % away, which is tolerated
        ("152.28", "consensus price 150.76 too far from 150.00, which this node observes"),
    ],
)
def test_voters_refuse_another_aggregators_price_beyond_the_tolerance(outlier, objection):
    lab, _ = network()
    quotes = tuple(
        StockPrice.create("AAPL", price, 1_000, source)
        for price, source in zip((150, 150, outlier), SOURCES, strict=True)
    )
    heard = Observation((quotes,))
    payload, attachment = application("mean").make_payload(0, iter([lab.genesis]), heard)
    block = Block(lab.genesis.chain_id, 0, 1, lab.genesis.hash, payload, attachment)
    verdict = application("median").judge(block, iter([lab.genesis]), heard)
    assert (verdict.accepted, verdict.reason) == (not objection, objection)
    assert application("mean").judge(block, iter([lab.genesis]), heard).accepted


@fault_kind("averaging_leader")
class AveragingLeader(NodeFault):
    """Makes the price by the simple average, whatever the others agreed on."""

    def wrap(self, application):
        own = copy(application)
        own.voters = tuple(
            replace(voter, aggregator=find_aggregator("mean")) for voter in application.voters
        )
        return own


def test_a_leader_with_another_aggregator_is_left_alone_with_its_price():
    """Without any tolerance the half cents between average and median are enough."""
    prices = {"aggregator": "median", "tolerance_percent": 0}
    lab, _ = run(24, faults={"node_1": "averaging_leader"}, prices=prices)
    average, middle = find_aggregator("mean"), find_aggregator("median")
    led = [*range(1, 24, 4)]
    differing = {
        epoch for epoch in led if average(lab.feed.quotes(epoch)) != middle(lab.feed.quotes(epoch))
    }
    notarized = {block.epoch for block in lab.observer.tree.notarized}
    assert differing
    assert notarized.isdisjoint(differing)
    assert {*range(24)} - differing <= notarized
    for block in lab.observer.tree.finalized[1:]:
        claim = decode_payload(block.payload)
        assert claim.consensus_price == middle(lab.feed.quotes(block.epoch))


# The setting


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_a_saved_configuration_names_the_aggregator(tmp_path, ending):
    config = make_config(**with_aggregator("trimmed_mean"))
    config.save(tmp_path / f"config.{ending}")
    assert load_config(tmp_path / f"config.{ending}") == config


@pytest.mark.parametrize("value", [7, None, ["mean"]])
def test_an_aggregator_is_a_name_or_a_function(value):
    with pytest.raises(InvalidInput, match=r"prices\.aggregator: .* a registered name, or a func"):
        make_config(**with_aggregator(value))


def test_ones_own_aggregator_runs_under_its_name():
    @aggregator("cheapest", breakdown=lambda sources: 0)
    def cheapest(quotes):
        return min(quote.price for quote in quotes)

    lab, _ = run(6, **with_aggregator("cheapest"))
    assert [claim.consensus_price for claim in claims(lab).values()] == [
        min(quote.price for quote in lab.feed.quotes(epoch)) for epoch in range(5)
    ]
    assert isinstance(claims(lab)[0].consensus_price, Decimal)
