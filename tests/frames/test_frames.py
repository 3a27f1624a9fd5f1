"""Every frame says what its columns promise, and the frames agree with each other.

What can be recomputed is recomputed here from other frames, in exact arithmetic.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Experiment
from streamlet_lab.columns import COLUMNS
from streamlet_lab.config import OBSERVER
from streamlet_lab.facade import StockMarketConsensusNetwork
from streamlet_lab.prices import SourceFault, decode_quotes, source_fault_kind

BUSY = [{"kind": "noise_trader", "count": 20, "rate": 2.4}, {"kind": "fat_finger", "rate": 12}]

SCENARIOS = {
    "plain": {"epochs": 40},
    "busy": {"epochs": 20, "market": {"traders": BUSY}},
    "seven": {"epochs": 30, "nodes": 7, "faults": {"node_5": "crash@4", "node_6": "crash@9"}},
    "silent": {"epochs": 30, "faults": {"node_1": "silent_leader@5-20"}},
    "withheld": {"epochs": 30, "faults": {"node_2": "withhold_votes"}},
    "lying": {"epochs": 30, "faults": [{"kind": "lying_leader", "nodes": ["node_3"], "start": 2}]},
    "wild": {"epochs": 60, "prices": {"volatility": 8}, "market": {"without_reference": "allow"}},
    "stuck": {"epochs": 30, "prices": {"min_volume": 10**6}},
    "history": {"epochs": 60, "feed": "aapl-2008", "market_time_per_epoch": "13h"},
    "minutes": {"epochs": 30, "market_time_per_epoch": "1min", "network": {"delay_spread": 2}},
    "node": {
        "epochs": 30,
        "faults": {"node_3": "crash@12"},
        "market": {"reference_node": "node_3"},
    },
    "broken": {"epochs": 12, "faults": {"node_2": "crash@3", "node_3": "crash@3"}},
    "one": {"epochs": 1, "nodes": 1},
    "quiet": {"epochs": 5, "market": {"traders": 0}},
}


@pytest.fixture(scope="module", params=SCENARIOS)
def result(request):
    return Experiment(seed=3, **SCENARIOS[request.param]).run()


def _micros(seconds):
    return round(seconds * 1_000_000)


def _missing(value):
    return bool(pd.isna(value))


def _rows(frame):
    return list(frame.itertuples(index=False))


def _length(result):
    return result.config.epoch_length


def _references(result):
    """Time and price of each final price that the market sees, in the order of the chain."""
    node = result.config.market.reference_node
    prices = dict(zip(result.blocks.block_hash, result.blocks.consensus_price, strict=True))
    own = result.finality[result.finality.node == node].sort_values("height")
    return [
        (_micros(row.finalized_s), Fraction(str(prices[row.block_hash])))
        for row in _rows(own)
        if not _missing(row.finalized_s) and not _missing(prices[row.block_hash])
    ]


# --- Shape


def test_each_frame_has_exactly_its_columns(result):
    assert list(result.frames) == list(COLUMNS)
    assert all(column.meaning for columns in COLUMNS.values() for column in columns.values())
    for name, columns in COLUMNS.items():
        frame = result.frames[name]
        pd.testing.assert_frame_equal(getattr(result, name), frame)
        assert list(frame.columns) == list(columns)
        for column, what in columns.items():
            assert frame[column].dtype == what.dtype, f"{name}.{column}"
        assert list(frame.index) == list(range(len(frame)))


# --- epochs


def test_there_is_one_row_for_each_epoch(result):
    config, epochs = result.config, result.epochs
    numbers = list(range(config.epochs))
    assert list(epochs.epoch) == numbers
    assert list(epochs.leader) == [f"node_{epoch % config.nodes}" for epoch in numbers]
    assert [*map(_micros, epochs.start_s)] == [epoch * _length(result) for epoch in numbers]


def test_dollars_and_cents_agree(result):
    for frame, dollars, cents in (
        (result.epochs, "consensus_price", "consensus_cents"),
        (result.epochs, "vwap", "vwap_cents"),
        (result.orders, "price", "price_cents"),
        (result.trades, "price", "price_cents"),
    ):
        for in_dollars, in_cents in zip(frame[dollars], frame[cents], strict=True):
            assert _missing(in_dollars) == _missing(in_cents)
            if not _missing(in_cents):
                assert in_dollars == int(in_cents) / 100
    for row in _rows(result.quotes):
        assert row.price == row.price_micros / 1_000_000


def test_a_claim_has_a_price_or_a_reason(result):
    for row in _rows(result.epochs):
        priced = row.claim == "price_consensus"
        figures = (row.consensus_price, row.vwap, row.total_volume, row.price_count)
        assert all(_missing(figure) != priced for figure in figures)
        assert (row.claim == "") == (row.block_hash == "")
        if not priced:
            assert row.reason
        if row.claim == "":
            assert row.reason == "no proposal"
            assert row.votes == 0


def _is_given_up(result, epoch):
    """Whether the n + 2 epochs before this one have no three notarized blocks in a row."""
    turns = result.config.nodes + 2
    notarized = {row.epoch for row in _rows(result.epochs) if not _missing(row.notarized_s)}
    rows = [{first, first + 1, first + 2} for first in range(epoch - turns, epoch - 2)]
    return epoch >= turns and not any(row <= notarized for row in rows)


def test_claims_are_the_average_and_the_vwap_of_the_valid_quotes(result):
    """Where the leader does not lie."""
    liars = {
        node
        for fault in result.config.faults
        if fault.kind == "lying_leader"
        for node in fault.affected(result.config.node_ids)
    }
    for row in _rows(result.epochs):
        quotes = result.quotes[(result.quotes.epoch == row.epoch) & result.quotes.valid]
        if row.leader in liars or row.claim == "":
            continue
        enough = len(quotes) >= result.config.prices.min_sources
        assert (row.claim == "price_consensus") == (enough and not _is_given_up(result, row.epoch))
        if row.claim != "price_consensus":
            continue
        prices = [int(micros) for micros in quotes.price_micros]
        volumes = [int(volume) for volume in quotes.volume]
        turnover = sum(price * volume for price, volume in zip(prices, volumes, strict=True))
        assert row.consensus_cents == round(Fraction(sum(prices), 10_000 * len(prices)))
        assert row.vwap_cents == round(Fraction(turnover, 10_000 * sum(volumes)))
        assert row.total_volume == sum(volumes)
        assert row.price_count == len(prices)


def test_latencies_are_differences_of_times(result):
    length = _length(result)
    for row in _rows(result.epochs):
        assert _missing(row.latency_s) == _missing(row.finalized_s)
        assert _missing(row.latency_epochs) == _missing(row.finalized_s)
        if not _missing(row.finalized_s):
            latency = _micros(row.finalized_s) - row.epoch * length
            assert _micros(row.latency_s) == latency > 0
            assert row.latency_epochs == latency // length
            assert row.start_s < row.notarized_s <= row.finalized_s
    for row in _rows(result.finality):
        assert _missing(row.latency_s) == _missing(row.finalized_s)
        if not _missing(row.finalized_s):
            assert _micros(row.latency_s) == _micros(row.finalized_s) - row.epoch * length
            assert row.notarized_s <= row.finalized_s


def test_epochs_are_what_the_observer_saw(result):
    seen = {row.block_hash: row for row in _rows(result.finality[result.finality.node == OBSERVER])}
    for row in _rows(result.epochs):
        view = seen.get(row.block_hash)
        assert (view is None) == _missing(row.notarized_s)
        if view is not None:
            assert row.notarized_s == view.notarized_s
            assert row.finalized_s == view.finalized_s or _missing(row.finalized_s)
            assert row.votes >= result.config.votes_needed


def test_final_prices_are_the_networks(result):
    """The same network without a market finalizes the same prices."""
    network = StockMarketConsensusNetwork(result.config)
    network.run(result.config.epochs)
    final = result.epochs[
        result.epochs.finalized_s.notna() & (result.epochs.claim == "price_consensus")
    ]

    assert list(zip(final.block_hash, final.consensus_cents, final.vwap_cents, strict=True)) == [
        (
            consensus.block_hash,
            int(consensus.consensus_price * 100),
            int(consensus.volume_weighted_price * 100),
        )
        for consensus in network.get_finalized_consensus_prices()
    ]
    assert list(final.timestamp) == [
        consensus.timestamp.isoformat() for consensus in network.get_finalized_consensus_prices()
    ]


# --- blocks and finality


def test_blocks_form_a_tree(result):
    network = StockMarketConsensusNetwork(result.config)
    blocks = {row.block_hash: row for row in _rows(result.blocks)}
    assert len(blocks) == len(result.blocks)
    for row in blocks.values():
        assert row.proposer == result.epochs.leader[row.epoch]
        assert row.proposed_s >= result.epochs.start_s[row.epoch]
        parent = blocks.get(row.parent_hash)
        if parent is None:
            assert row.parent_hash == network.genesis.hash.hex()
            assert row.height == 1
        else:
            assert row.height == parent.height + 1
            assert row.epoch > parent.epoch
        if row.notarized:
            assert row.votes >= result.config.votes_needed
            assert parent is None or parent.notarized
        if row.finalized:
            assert row.notarized
            assert parent is None or parent.finalized
        assert row.votes <= result.config.nodes
        assert (row.refusals > 0) == (row.reason != "")


def test_every_view_of_finality_is_of_one_chain(result):
    blocks = {row.block_hash: row for row in _rows(result.blocks)}
    by_node = result.finality.groupby("node")
    assert set(by_node.groups) <= {*result.config.node_ids, OBSERVER}
    for _, view in by_node:
        assert view.block_hash.is_unique
        final = sorted(view[view.finalized_s.notna()].height)
        assert final == list(range(1, len(final) + 1))
        times = view[view.finalized_s.notna()].sort_values("height").finalized_s
        assert times.is_monotonic_increasing
    for row in _rows(result.finality):
        assert (row.epoch, row.height) == (
            blocks[row.block_hash].epoch,
            blocks[row.block_hash].height,
        )


# --- quotes


def test_each_source_quotes_once_an_epoch(result):
    sources = list(result.config.prices.source_names)

    assert list(result.quotes.source) == sources * result.config.epochs
    assert list(result.quotes.epoch) == [
        epoch for epoch in range(result.config.epochs) for _ in sources
    ]


def test_quotes_are_judged_by_the_rules(result):
    network = StockMarketConsensusNetwork(result.config)
    rules = network.application.voters[0].rules
    for row in _rows(result.quotes):
        assert row.valid == (row.reason == "valid")
        price = Fraction(row.price_micros, 10**6)
        if row.reason == "no_leader":
            assert not result.epochs.block_hash[row.epoch]
            continue
        keeps_to_rules = (
            rules.min_price <= price <= rules.max_price and row.volume >= rules.min_volume
        )
        assert keeps_to_rules == (row.reason in ("valid", "outside_deviation"))
        if row.valid:
            assert not _missing(row.previous_price)


EVIDENCE = {"sources": 4, "voter_policy": "evidence"}


def test_quotes_that_a_leader_does_not_carry_are_left_out():
    """Under evidence it can do nothing else; what it leaves out is what the frame says."""
    noisy = [{"name": f"source_{number}", "noise_bp": 20} for number in range(4)]
    experiment = Experiment(
        epochs=12,
        faults={"node_1": "price_manipulator"},
        prices={**EVIDENCE, "sources": noisy},
        market={"traders": 0},
    )
    network = StockMarketConsensusNetwork(experiment.config)
    network.run(12)
    carried = {
        block.epoch: {signed.quote.source for signed in decode_quotes(block.attachment)}
        for block in network.observer.tree.notarized[1:]
    }
    quotes = experiment.run().quotes
    left_out = quotes[quotes.reason == "left_out"]

    assert set(left_out.epoch) == {1, 5, 9}
    assert not left_out.valid.any()
    for epoch, said in quotes.groupby("epoch"):
        assert set(said.source) == {*experiment.config.prices.source_names}
        assert set(said[said.reason != "left_out"].source) == carried[epoch]
    assert left_out.previous_price.notna().all()


def test_quotes_that_voters_could_not_believe_are_left_out_by_an_honest_leader():
    @source_fault_kind("quoting_another_share")
    class QuotingAnotherShare(SourceFault):
        def quote(self, honest, scene, receiver):
            return honest and replace(honest, symbol="MSFT")

    faults = {"external_feed": "quoting_another_share@2"}
    for policy, reason in (("evidence", "left_out"), ("observe", "wrong_symbol")):
        prices = {**EVIDENCE, "voter_policy": policy}
        quotes = (
            Experiment(epochs=4, faults=faults, prices=prices, market={"traders": 0}).run().quotes
        )
        assert list(quotes[~quotes.valid].source) == ["external_feed"] * 2
        assert list(quotes[~quotes.valid].epoch) == [2, 3]
        assert set(quotes[~quotes.valid].reason) == {reason}
        assert len(quotes) == 4 * 4


@pytest.mark.parametrize("kind", ["crash", "silent_leader"])
def test_what_nobody_proposed_anything_about_had_no_leader(kind):
    quotes = (
        Experiment(epochs=8, faults={"node_1": kind}, prices=EVIDENCE, market={"traders": 0})
        .run()
        .quotes
    )
    unheard = quotes[quotes.reason == "no_leader"]

    assert list(unheard.epoch) == [1] * 4 + [5] * 4
    assert unheard.previous_price.isna().all()
    assert set(quotes.reason) == {"valid", "no_leader"}


def test_the_previous_price_is_of_the_nearest_priced_ancestor(result):
    network = StockMarketConsensusNetwork(result.config)
    genesis = float(json.loads(network.genesis.payload)["price"])
    blocks = {row.block_hash: row for row in _rows(result.blocks)}
    for row in _rows(result.blocks):
        ancestor = blocks.get(row.parent_hash)
        while ancestor is not None and ancestor.claim != "price_consensus":
            ancestor = blocks.get(ancestor.parent_hash)
        previous = genesis if ancestor is None else ancestor.consensus_price
        quotes = result.quotes[result.quotes.epoch == row.epoch]
        assert set(quotes.previous_price) == {previous}


# --- prices


def test_the_prices_of_one_symbol_are_those_of_the_epochs(result):
    shared = [column for column in COLUMNS["prices"] if column in COLUMNS["epochs"]]

    assert set(COLUMNS["prices"]) - set(shared) == {"symbol"}
    assert set(result.prices.symbol) == {result.symbol}
    pd.testing.assert_frame_equal(result.prices[shared], result.epochs[shared])


# --- orders, trades, rejections


def test_the_age_of_the_reference_is_since_it_became_final(result):
    references = _references(result)
    for row in _rows(result.rejections):
        if _missing(row.reference_age_s):
            continue
        time = _micros(row.time_s)
        since = max(when for when, _ in references if when <= time)
        assert _micros(row.reference_age_s) == time - since


def test_true_prices_are_the_paths(result):
    network = StockMarketConsensusNetwork(result.config)
    for frame in (result.orders, result.trades, result.rejections):
        for row in _rows(frame):
            assert row.true_price == network.true_price(_micros(row.time_s)) / 1e6
    for frame in (result.epochs, result.quotes):
        for row in _rows(frame):
            assert row.true_price == network.true_price(row.epoch * _length(result)) / 1e6


# --- messages


def test_messages_are_counted_per_epoch_and_kind(result):
    messages = result.messages
    others = result.config.nodes - 1

    assert not messages.duplicated(["epoch", "kind"]).any()
    assert set(messages.kind) <= {"proposal", "vote"}
    for row in _rows(messages):
        authors = 1 if row.kind == "proposal" else result.config.nodes
        assert row.sent <= authors * others
        assert row.received <= authors * others
        assert row.echoed == row.received * others
    proposals = messages[messages.kind == "proposal"]
    assert list(proposals.epoch) == [row.epoch for row in _rows(result.blocks)]


# --- What the scenarios are there for


def _run(name):
    return Experiment(seed=3, **SCENARIOS[name]).run()


def test_a_crashed_leader_leaves_its_epochs_empty():
    result = _run("broken")
    epochs = result.epochs

    assert list(epochs[epochs.claim == ""].epoch) == [3, 6, 7, 10, 11]
    assert epochs.finalized_s.notna().sum() == 2
    assert set(result.quotes[result.quotes.epoch == 3].reason) == {"no_leader"}


def test_the_instant_between_two_epochs_belongs_to_the_earlier_one():
    network = {"delays": "constant", "median_delay": "500ms", "delta": "500ms"}
    epochs = Experiment(epochs=5, epoch_length="1s", network=network).run().epochs
    assert epochs["finalized_s"].tolist()[:3] == [2, 3, 4]
    assert epochs["latency_epochs"].tolist()[:3] == [1, 1, 1]


def test_a_lying_leaders_blocks_are_refused_and_not_final():
    blocks = _run("lying").blocks
    lies = blocks[(blocks.proposer == "node_3") & (blocks.epoch >= 2)]

    assert len(lies) == 7
    assert (lies.consensus_price == 9999).all()
    assert (lies.refusals == 3).all()
    assert lies.reason.str.startswith("consensus price 9999.00 outside").all()
    assert not lies.notarized.any()
    assert not lies.finalized.any()


def test_without_valid_quotes_blocks_say_why_and_are_final_all_the_same():
    result = _run("stuck")

    assert set(result.epochs.claim) == {"no_price"}
    assert set(result.epochs.reason) == {"0 of 3 sources valid, 2 needed"}
    assert set(result.quotes.reason) == {"below_min_volume"}
    assert result.epochs.finalized_s.notna().sum() == 29
    assert set(result.orders.reason) == {"no_consensus"}


def test_threads_that_read_a_frame_first_share_it():
    result = Experiment(epochs=4, signatures="none").run()
    with ThreadPoolExecutor(8) as threads:
        frames = [*threads.map(lambda name: result.frames[name], ["orders"] * 24)]
    first, *others = (frame["quantity"].to_numpy() for frame in frames)
    assert all(np.shares_memory(first, other) for other in others)
