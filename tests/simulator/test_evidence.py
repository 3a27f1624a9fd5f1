"""With the policy `evidence` a leader chooses among what the sources signed, and nothing else."""

from dataclasses import replace
from decimal import Decimal

import pytest

from streamlet_lab.consensus import Block
from streamlet_lab.keys import make_keyring
from streamlet_lab.prices import (
    StockPrice,
    aggregators,
    decode_claims,
    decode_quotes,
    encode_quotes,
    sign_quote,
)
from streamlet_lab.simulator import NodeFault, fault_kind
from streamlet_lab.simulator.price_application import Observation

from .stocks import claims, follow, liar, network, price_in, reasons_to_refuse, run

CENT = Decimal("0.01")


POLICIES = ("bounds", "observe", "evidence")


def with_policy(policy="evidence", **prices):
    return {"signatures": "none", "prices": {"voter_policy": policy, **prices}}


def manipulator(direction="up", node="node_1"):
    return {"kind": "price_manipulator", "nodes": [node], "parameters": {"direction": direction}}


def led_by_node_1(lab):
    return [b for b in lab.observer.tree.finalized[1:] if lab.leader_of(b.epoch) == "node_1"]


# Honest leaders


@pytest.mark.parametrize("aggregator", aggregators())
def test_an_honest_run_finalizes_the_same_prices_as_with_observe(aggregator):
    runs = [run(10, **with_policy(policy, aggregator=aggregator))[0] for policy in POLICIES]
    payloads = [[block.payload for block in lab.observer.tree.finalized] for lab in runs]
    assert payloads[0] == payloads[1] == payloads[2]
    assert len(payloads[0]) == 10
    assert all(reasons_to_refuse(lab) == set() for lab in runs)


@pytest.mark.parametrize(
    ("signatures", "symbols"), [("ed25519", ["AAPL"]), ("none", ["AAPL", "MSFT", "IBM"])]
)
def test_every_block_carries_what_every_source_signed(signatures, symbols):
    lab, _ = run(
        6, symbols=symbols, signatures=signatures, prices={"voter_policy": "evidence", "sources": 4}
    )
    blocks = lab.observer.tree.finalized[1:]
    assert len(blocks) == 5
    for block in blocks:
        signed = decode_quotes(block.attachment)
        honest = [quote for feed in lab.feeds.values() for quote in feed.quotes(block.epoch)]
        assert [one.quote for one in signed] == honest
        assert {one.epoch for one in signed} == {block.epoch}
        assert [claim.symbol for claim in decode_claims(block.payload)] == symbols
    assert reasons_to_refuse(lab) == set()


@pytest.mark.parametrize("policy", ["bounds", "observe"])
def test_who_does_not_ask_for_evidence_gets_none(policy):
    lab, _ = run(4, **with_policy(policy))
    assert {block.attachment for block in lab.observer.tree.blocks()} == {b""}


def test_when_no_quote_is_valid_the_evidence_says_so_and_finality_goes_on():
    lab, _ = run(8, **with_policy(min_volume=10**10))
    assert claims(lab) == dict.fromkeys(range(7))
    assert reasons_to_refuse(lab) == set()
    assert all(decode_quotes(b.attachment) for b in lab.observer.tree.finalized[1:])


# Lying leaders


@pytest.mark.parametrize(("sources", "direction"), [(3, "up"), (5, "down"), (7, "up")])
@pytest.mark.parametrize("aggregator", aggregators())
def test_a_lying_leader_moves_the_price_by_no_more_than_the_spread_of_honest_quotes(
    aggregator, sources, direction
):
    settings = with_policy(aggregator=aggregator, sources=sources)
    lab, _ = run(13, faults=[manipulator(direction)], **settings)
    sign, gains = (1 if direction == "up" else -1), []
    for block in led_by_node_1(lab):
        claim, quotes = price_in(block), lab.feed.quotes(block.epoch)
        prices = [quote.price for quote in quotes]
        honest = lab.application.voters[0].aggregator(quotes)
        assert min(prices) <= claim.consensus_price <= max(prices)
        gains.append(sign * (claim.consensus_price - honest))
        assert 0 <= gains[-1] <= max(prices) - min(prices)
    assert len(gains) == 3
    assert sum(gains) > 0 or sources == 3  # of so few, the honest price may be an extreme one
    assert reasons_to_refuse(lab) == set()


def test_with_ten_sources_it_tries_all_sets_and_with_more_those_that_lie_side_by_side():
    for sources in (10, 11):
        settings = with_policy(sources=sources, min_sources=2)
        lab, _ = run(3, faults=[manipulator()], **settings)
        (block,) = led_by_node_1(lab)
        highest = sorted(quote.price for quote in lab.feed.quotes(1))[-2:]
        assert len(decode_quotes(block.attachment)) == 2
        assert abs(price_in(block).consensus_price - sum(highest) / 2) <= CENT / 2


def test_of_several_symbols_each_is_moved_within_its_spread():
    symbols = ["AAPL", "MSFT"]
    lab, _ = run(9, symbols=symbols, faults=[manipulator()], **with_policy(sources=5))
    led = led_by_node_1(lab)
    assert len(led) == 2
    for block in led:
        for symbol, claim in zip(symbols, decode_claims(block.payload), strict=True):
            quotes = lab.feeds[symbol].quotes(block.epoch)
            prices = [quote.price for quote in quotes]
            assert sum(prices) / 5 - CENT / 2 <= claim.consensus_price <= max(prices)
    assert reasons_to_refuse(lab) == set()


def test_an_invented_price_is_refused_by_all_who_look_at_the_evidence():
    lab, recorder = run(12, faults=[liar("155.00")], **with_policy())
    assert [*claims(lab)] == [0, 2, 3, 4, 6, 7]
    assert {refusal.block.epoch for refusal in recorder.refusals} == {1, 5, 9}
    assert len(recorder.refusals) == 9
    assert all(
        reason.startswith("consensus_price 155.00 where the signed quotes give ")
        for reason in reasons_to_refuse(lab)
    )


@pytest.mark.parametrize(
    ("sources", "min_sources", "displaced"),
    [(4, 2, True), (4, 3, False), (4, None, False), (7, None, False)],
)
def test_a_leader_that_conspires_with_a_source_needs_honest_ones_beside_it(
    sources, min_sources, displaced
):
    """It leaves out honest quotes until the lying one weighs half, unless more are asked for.

    As are by default, if there are enough sources for a majority of honest ones to be left.
    """
    fewest = {} if min_sources is None else {"min_sources": min_sources}
    lab, _ = network(
        faults=[manipulator(), {"kind": "biased", "count": 1, "parameters": {"bp": 900}}],
        **with_policy(aggregator="median", sources=sources, **fewest),
    )
    follow(lab, lambda epoch: 150)
    lab.run(7)
    for block in led_by_node_1(lab):
        distance = price_in(block).consensus_price - 150
        assert (6 < distance < 7) if displaced else abs(distance) < Decimal("0.1")
    assert len(led_by_node_1(lab)) == 2
    assert reasons_to_refuse(lab) == set()


def test_as_many_conspiring_sources_as_are_tolerated_need_honest_ones_too():
    lab, _ = network(
        faults=[manipulator(), {"kind": "biased", "count": 2, "parameters": {"bp": 900}}],
        **with_policy(aggregator="median", sources=7),
    )
    follow(lab, lambda epoch: 150)
    lab.run(7)
    led = led_by_node_1(lab)
    assert len(led) == 2
    assert all(abs(price_in(block).consensus_price - 150) < Decimal("0.1") for block in led)


# What a voter refuses


@pytest.fixture
def lab():
    """A network that has not begun, with quotes of about 150 dollars."""
    lab, _ = network(prices={"voter_policy": "evidence"})
    follow(lab, lambda epoch: 150)
    return lab


EPOCH = 2


def sources_keys(lab):
    return make_keyring(lab.config.signatures, lab.config.prices.source_names, lab.config.seed)


def heard(lab, epoch=EPOCH):
    return lab.observe(epoch)("node_0")


def honest(lab, epoch=EPOCH):
    payload, attachment = lab.application.make_payload(epoch, iter([lab.genesis]), heard(lab))
    (claim,) = decode_claims(payload)
    return claim, decode_quotes(attachment)


def judge(lab, claim, attachment, epoch=EPOCH):
    payload = claim if isinstance(claim, bytes) else claim.to_payload()
    if not isinstance(attachment, bytes):
        attachment = encode_quotes(attachment)
    block = Block(lab.genesis.chain_id, epoch, 1, lab.genesis.hash, payload, attachment)
    return lab.application.judge(block, iter([lab.genesis]), heard(lab))


def test_what_follows_from_the_quotes_is_accepted(lab):
    claim, signed = honest(lab)
    assert judge(lab, claim, signed) == (True, "")
    assert judge(lab, claim, signed[::-1]) == (True, "")
    assert judge(lab, claim, signed[:2]).reason == "price_count 3 where the signed quotes give 2"
    assert judge(lab, claim, encode_quotes(signed) + b" ").reason == (
        "malformed payload: signed quotes not in canonical form"
    )


def test_forged_quotes_are_refused(lab):
    claim, signed = honest(lab)
    first = signed[0]
    dearer = first._replace(quote=replace(first.quote, price=Decimal("160.00")))
    stranger = first._replace(quote=replace(first.quote, source="stranger"))
    for bad, reason in (
        (heard(lab, 1).signed[0], "quote of market_data_1 for AAPL: of epoch 1"),
        (dearer, "quote of market_data_1 for AAPL: not signed by it"),
        (first._replace(signature=bytes(8)), "quote of market_data_1 for AAPL: not signed by it"),
        (stranger, "quote of stranger for AAPL: not a known source"),
        (signed[1], "quote of market_data_2 for AAPL: twice"),
    ):
        assert judge(lab, claim, [bad, *signed[1:]]) == (False, reason)


@fault_kind("replays_evidence")
class ReplaysEvidence(NodeFault):
    """Proposes what it proposed before, evidence and all."""

    def wrap(self, application):
        return _Replaying(application)


class _Replaying:
    def __init__(self, honest):
        self.honest, self.voters, self.symbols = honest, honest.voters, honest.symbols
        self.judge, self.first = honest.judge, None

    def make_payload(self, epoch, ancestors, observation):
        self.first = self.first or self.honest.make_payload(epoch, ancestors, observation)
        return self.first


def test_a_leader_that_repeats_old_evidence_is_refused_and_stops_nobody():
    lab, _ = run(16, faults={"node_1": "replays_evidence"}, **with_policy())
    assert [*claims(lab)] == [0, 1, 2, 3, 4, 6, 7, 8, 10, 11]
    assert reasons_to_refuse(lab) == {"quote of market_data_1 for AAPL: of epoch 1"}


# What a voter makes of an attachment depends on nothing but the attachment


def test_nodes_that_heard_other_quotes_accept_the_same_evidence(lab):
    claim, signed = honest(lab)
    block = Block(
        lab.genesis.chain_id, EPOCH, 1, lab.genesis.hash, claim.to_payload(), encode_quotes(signed)
    )
    elsewhere = tuple(
        StockPrice.create("AAPL", 140, 1_000, quote.source, quote.timestamp)
        for quote, _, _ in signed
    )
    keys = sources_keys(lab)
    other = Observation((elsewhere,), tuple(sign_quote(q, EPOCH, keys) for q in elsewhere))
    for observation in (heard(lab), other, Observation(((),))):
        assert lab.application.judge(block, iter([lab.genesis]), observation) == (True, "")
