"""No single source can halt the chain, nor make an honest leader look like a liar for long."""

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise, product

import pytest

from streamlet_lab.consensus import Block
from streamlet_lab.prices import (
    SOURCE_FAULTS,
    NoPrice,
    PriceConsensus,
    QuoteReason,
    SourceFault,
    aggregators,
    decode_claims,
    decode_quotes,
    find_aggregator,
    source_fault_kind,
)
from streamlet_lab.simulator import priced
from streamlet_lab.simulator.price_application import Observation

from .stocks import claims, follow, network, price_in, reasons_to_refuse, run

POLICIES = ("bounds", "observe", "evidence")
LIAR = "external_feed"
EPOCHS = 8


def lying(
    kind, sources=4, *, nodes=4, symbols=("AAPL",), epochs=EPOCHS, feed="simulated", **prices
):
    """A run with one faulty source."""
    fault = {**({"kind": kind} if isinstance(kind, str) else kind), "nodes": [LIAR]}
    settings = {"nodes": nodes, "symbols": symbols, "feed": feed, "signatures": "none"}
    lab, _ = run(epochs, faults=[fault], prices={"sources": sources, **prices}, **settings)
    return lab


def with_parameters(kind, **parameters):
    return {"kind": kind, "parameters": parameters}


def says_different_things(kind):
    return kind in ("dropping", "equivocating")


def believed(lab):
    """The final blocks of a run without prices that leaders gave up on."""
    return [
        block
        for block in lab.observer.tree.finalized[1:]
        for claim in decode_claims(block.payload)[:1]
        if isinstance(claim, NoPrice) and claim.reason.startswith("no 3 blocks in a row")
    ]


def assert_goes_on(lab, epochs):
    """Blocks become final all the time: leaders give up the price after n + 2 epochs at most."""
    turns = len(lab.node_ids) + 2
    final = [block.epoch for block in lab.observer.tree.finalized]
    assert max(later - earlier - 1 for earlier, later in pairwise(final)) <= turns
    # And then there are three blocks in a row, of which the last is not yet final.
    assert final[-1] >= epochs - 1 - turns - 2


# The chain goes on, whatever one source says


@pytest.mark.parametrize("sources", [3, 4])
@pytest.mark.parametrize("kind", SOURCE_FAULTS.own())
def test_one_faulty_source_stops_neither_the_chain_nor_a_robust_price(kind, sources):
    for name, policy in product(aggregators(), POLICIES):
        tolerates_it = find_aggregator(name).breakdown(sources) > 0
        lab = lying(kind, sources, aggregator=name, voter_policy=policy)
        if policy == "observe" and says_different_things(kind) and not tolerates_it:
            continue  # the chain goes on, and only the price waits: the next test, in longer runs
        assert_goes_on(lab, EPOCHS)
        assert len(claims(lab)) == EPOCHS - 1, (name, policy)
        assert reasons_to_refuse(lab) == set(), (name, policy)
        assert believed(lab) == [], (name, policy)
        if tolerates_it:
            assert None not in claims(lab).values(), (name, policy)


EXPOSING = ["dropping", "equivocating", with_parameters("equivocating", bp=900)]


@pytest.mark.parametrize("sources", [3, 4, 7])
@pytest.mark.parametrize("kind", EXPOSING, ids=str)
def test_with_an_aggregator_that_tolerates_no_liar_only_the_price_waits(kind, sources):
    """The known exception, for who observes; its cures: a robust aggregator, or evidence."""
    exposed = [name for name in aggregators() if not find_aggregator(name).breakdown(sources)]
    assert {"mean", "vwap", "volume_weighted_median"} <= {*exposed}
    for name in exposed:
        lab = lying(kind, sources, epochs=16, aggregator=name, voter_policy="observe")
        assert_goes_on(lab, 16)
        assert all("observe" in reason for reason in reasons_to_refuse(lab)), name
        waiting = [epoch for epoch, claim in claims(lab).items() if claim is None]
        assert waiting == [block.epoch for block in believed(lab)], name
        if kind != "equivocating":  # a hundred basis points do not always part the voters
            assert len(waiting) >= 4, name
        cured = lying(kind, sources, aggregator=name, voter_policy="evidence")
        assert len(claims(cured)) == EPOCHS - 1, name
        assert None not in claims(cured).values(), name
    cured = lying(kind, sources, aggregator="median", voter_policy="observe")
    assert len(claims(cured)) == EPOCHS - 1
    assert None not in claims(cured).values()


def with_faults(faults, epochs=40, **settings):
    lab, _ = run(epochs, signatures="none", seed=1, faults=faults, **settings)
    return lab


def test_by_default_one_equivocating_source_takes_the_prices_and_not_the_chain():
    lab, _ = network(epochs=40, seed=1, faults={LIAR: "equivocating"}, prices={"volatility": 1})
    lab.run(40)
    final = claims(lab)
    assert_goes_on(lab, 40)
    assert [*final.values()] == [None] * len(final)
    # Six epochs are lost, then there are three blocks in a row, and four more are lost, and so on.
    assert [*final] == [6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28, 29, 34, 35]
    (first, *_) = believed(lab)
    (claim,) = decode_claims(first.payload)
    expected = "no 3 blocks in a row in 6 epochs: nodes may hear the sources differently"
    assert claim.reason == expected
    assert claim.timestamp == lab.timestamp(first.epoch)


def test_of_several_symbols_all_wait():
    lab = with_faults({LIAR: "dropping"}, 16, symbols=["AAPL", "MSFT"])
    assert_goes_on(lab, 16)
    for block in believed(lab):
        first, second = decode_claims(block.payload)
        assert (first.symbol, second.symbol) == ("AAPL", "MSFT")
        assert (first.reason, first.timestamp) == (second.reason, second.timestamp)


def assert_is_never_long_without_a_final_block(lab, nodes):
    final = [-1, *claims(lab)]
    assert max(later - earlier for earlier, later in pairwise(final)) <= nodes + 3
    assert final[-1] >= 40 - 2 * (nodes + 3)


@pytest.mark.parametrize(
    ("nodes", "crashed"), [(4, ["node_3"]), (7, ["node_3", "node_4"]), (7, ["node_1", "node_4"])]
)
def test_nor_does_it_with_as_many_crashed_nodes_as_are_tolerated(nodes, crashed):
    faults = {**dict.fromkeys(crashed, "crash"), LIAR: "dropping"}
    assert_is_never_long_without_a_final_block(with_faults(faults, nodes=nodes), nodes)


@pytest.mark.parametrize(
    ("nodes", "crashed"),
    [
        (4, ["node_1"]),
        (4, ["node_3"]),
        (7, ["node_1", "node_2"]),
        (7, ["node_5", "node_6"]),
        (7, ["node_0", "node_3"]),
    ],
)
def test_crashed_leaders_that_are_tolerated_make_nobody_give_up_a_price(nodes, crashed):
    """As many prices as where nobody ever gives one up."""
    faults = dict.fromkeys(crashed, "crash")
    lab = with_faults(faults, nodes=nodes)
    without_the_rule = with_faults(faults, nodes=nodes, prices={"voter_policy": "bounds"})
    assert claims(lab) == claims(without_the_rule)
    assert believed(lab) == []
    assert len(claims(lab)) >= 24


@pytest.mark.parametrize("policy", ["bounds", "evidence"])
@pytest.mark.parametrize("kind", ["dropping", "equivocating"])
def test_who_does_not_observe_never_gives_up_a_price(kind, policy):
    """Not even after more lost epochs than the faulty leaders explain."""
    faults = {"node_0": "crash@6-9", "node_1": "crash@6-9", "node_2": "crash@6-9", LIAR: kind}
    lab = with_faults(faults, 24, prices={"voter_policy": policy})
    final = claims(lab)
    assert {6, 7, 8}.isdisjoint(final)
    assert len(final) >= 18
    assert None not in final.values()


@source_fault_kind("dropping_now_and_then")
class DroppingNowAndThen(SourceFault):
    """Reaches half of the receivers in some epochs, by a pattern, and all in the others."""

    equivocates = True

    def __init__(self, start, stop, pattern="10"):
        super().__init__(start, stop)
        self.pattern = pattern

    def quote(self, honest, scene, receiver):
        lies = self.pattern[scene.epoch % len(self.pattern)] == "1"
        return None if lies and sum(receiver.encode()) % 2 else honest


@pytest.mark.parametrize(
    ("nodes", "pattern"),
    [
        *product([4], ["1000", "110", "1100", "1001", "11110", "10", "100"]),
        *product([7], ["1000", "11100", "11110", "10", "110", "1001"]),
    ],
)
def test_nor_does_a_source_stop_the_chain_that_is_honest_now_and_then(nodes, pattern):
    fault = {**with_parameters("dropping_now_and_then", pattern=pattern), "nodes": [LIAR]}
    assert_is_never_long_without_a_final_block(with_faults([fault], nodes=nodes), nodes)


# The rule by itself, on ancestors made by hand


def claim_after(lab, epochs, epoch):
    """What an honest leader claims when the chain has blocks of these epochs."""
    chain = [lab.genesis]
    for each in epochs:
        parent = chain[-1]
        payload, _ = lab.application.make_payload(
            each, reversed(chain), lab.observe(each)("node_0")
        )
        chain.append(Block(lab.genesis.chain_id, each, parent.height + 1, parent.hash, payload))
    heard = lab.observe(epoch)("node_0")
    payload, _ = lab.application.make_payload(epoch, reversed(chain), heard)
    (claim,) = decode_claims(payload)
    return claim


@pytest.mark.parametrize(
    ("nodes", "epochs", "epoch", "waits"),
    [
        # Six epochs of four nodes that lead in turn have three honest leaders in a row.
        (4, [], 0, False),
        (4, [], 5, False),
        (4, [], 6, True),
        (4, [0], 6, True),
        (4, [0, 1], 6, True),
        (4, [0, 1, 2], 6, False),
        (4, [0, 1, 2], 7, True),
        (4, [3, 4, 5], 8, False),
        # Two in a row, and again two, are not three.
        (4, [0, 1, 3, 4], 6, True),
        (4, [0, 2, 4], 6, True),
        # Until there are three blocks in a row.
        (4, [6], 7, True),
        (4, [6, 7], 8, True),
        (4, [6, 7, 8], 9, False),
        (4, [6, 7, 8], 12, False),
        (4, [6, 7, 8], 13, True),
        # Of seven nodes it takes nine epochs, of three five.
        (7, [0, 1], 8, False),
        (7, [0, 1], 9, True),
        (7, [2, 3, 4], 11, False),
        (7, [2, 3, 4], 12, True),
        (3, [], 4, False),
        (3, [], 5, True),
    ],
)
def test_too_long_without_three_blocks_in_a_row_costs_the_price(nodes, epochs, epoch, waits):
    lab, _ = network(nodes=nodes, signatures="none")
    follow(lab, lambda epoch: 150)
    claim = claim_after(lab, epochs, epoch)
    if waits:
        turns = nodes + 2
        reason = f"no 3 blocks in a row in {turns} epochs: nodes may hear the sources differently"
        assert claim == NoPrice("AAPL", reason, lab.timestamp(epoch))
    else:
        assert isinstance(claim, PriceConsensus)


def test_leaders_that_are_drawn_are_given_more_time():
    """Crashes that are tolerated cost no price, although three in a row are a matter of chance."""
    settings = {"signatures": "none", "leaders": "hashed", "faults": {"node_1": "crash"}}
    for seed in range(5):
        lab, _ = run(60, seed=seed, **settings)
        assert believed(lab) == []


EXTREME = [
    with_parameters("biased", bp=-10_000),
    with_parameters("biased", bp=1_000_000),
    with_parameters("biased", bp=0, confidence_bp=10_000),
    with_parameters("biased", bp=999, confidence_bp=0),
    with_parameters("spiking", share=1, size_percent=10_000),
    with_parameters("volume_inflating", factor=0),
    with_parameters("volume_inflating", factor="0.000001"),
    with_parameters("volume_inflating", factor=1_000_000, bp=1_000_000),
    with_parameters("colluding", direction="down", volume_factor=1_000_000),
    with_parameters("equivocating", bp=10_000),
    with_parameters("equivocating", bp=999),
]


@pytest.mark.parametrize("feed", ["simulated", "aapl-2012"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", EXTREME, ids=str)
def test_nor_do_extreme_prices_and_volumes(kind, policy, feed):
    for name in ("median", "trimmed_mean", "pyth", "mad_filter"):
        lab = lying(kind, feed=feed, aggregator=name, voter_policy=policy)
        assert len(claims(lab)) == EPOCHS - 1
        assert None not in claims(lab).values()
        assert reasons_to_refuse(lab) == set()


@pytest.mark.parametrize("rule", ["widen", "strict", "re-anchor"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", SOURCE_FAULTS.own())
def test_nor_does_a_jump_of_the_market_help_it(kind, policy, rule):
    prices = {"sources": 4, "aggregator": "median", "voter_policy": policy, "deviation_rule": rule}
    lab, _ = network(signatures="none", faults={LIAR: kind}, prices=prices)
    follow(lab, lambda epoch: 150 if epoch < 4 else 172.5)
    lab.run(14)
    prices = claims(lab)
    assert [*prices] == [*range(13)]
    assert reasons_to_refuse(lab) == set()
    if rule != "strict":
        assert abs(prices[12].consensus_price - Decimal("172.5")) < 1


# What only a source of somebody's own making says


def at_the_very_edge(honest, scene):
    """The last micro-dollar in the corridor, and nearly all of the volume.

    What the VWAP is rounded to lies beyond the corridor half of the time.
    """
    edge = scene.previous.price * (11 + scene.previous.no_prices) / 10
    micros = edge.quantize(Decimal("0.000001"), rounding=ROUND_FLOOR)
    return {"price": micros, "volume": scene.rules.max_volume}


STRANGE = {
    "of_another_symbol": lambda honest, scene: {"symbol": "MSFT"},
    # As many as a quote has digits for.
    "of_too_many_shares": lambda honest, scene: {"volume": Decimal(10**12 - 1)},
    # What no objection could name: voters could not read it in a block.
    "of_a_symbol_nobody_can_print": lambda honest, scene: {"symbol": f"{honest.symbol}\n"},
    "at_the_very_edge": at_the_very_edge,
}


@source_fault_kind("strange")
class Strange(SourceFault):
    """Changes its quote in one of these ways."""

    def __init__(self, start, stop, how=""):
        super().__init__(start, stop)
        self.how = STRANGE[how]

    def quote(self, honest, scene, receiver):
        return replace(honest, **self.how(honest, scene))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("symbols", [["AAPL"], ["AAPL", "MSFT"]])
@pytest.mark.parametrize("how", STRANGE)
def test_honest_leaders_are_believed_whatever_a_source_says(how, symbols, policy):
    settings = {"symbols": symbols, "aggregator": "median", "voter_policy": policy}
    lab = lying(with_parameters("strange", how=how), epochs=12, **settings)
    blocks = lab.observer.tree.finalized[1:]
    assert len(blocks) == 11
    assert reasons_to_refuse(lab) == set()
    for symbol, feed in lab.feeds.items():
        found = {b.epoch: c for b in blocks for c in priced(b) if c.symbol == symbol}
        assert len(found) >= 10  # the market itself jumps once
        for epoch, claim in found.items():
            prices = [quote.price for quote in feed.quotes(epoch)]
            assert min(prices) <= claim.consensus_price <= max(prices)


@pytest.mark.parametrize("how", ["of_another_symbol", "of_a_symbol_nobody_can_print"])
def test_what_is_no_evidence_is_not_carried(how):
    lab = lying(with_parameters("strange", how=how), voter_policy="evidence")
    assert len(lab.observer.tree.finalized) == EPOCHS
    for block in lab.observer.tree.finalized[1:]:
        carried = [one.quote.source for one in decode_quotes(block.attachment)]
        assert carried == ["market_data_1", "market_data_2", "market_data_3"]


# Nodes hear different things


def observations(lab):
    hear = lab.observe(0)
    return {name: hear(name) for name in lab.nodes}


def proposed(lab, heard):
    payload, _ = lab.application.make_payload(0, iter([lab.genesis]), heard)
    return payload


def accepts(lab, payload, heard):
    block = Block(lab.genesis.chain_id, 0, 1, lab.genesis.hash, payload)
    return lab.application.judge(block, iter([lab.genesis]), heard).accepted


def test_nodes_that_hear_the_same_share_one_observation():
    honest, _ = network(signatures="none")
    assert len({id(one) for one in observations(honest).values()}) == 1
    biased, _ = network(signatures="none", faults={LIAR: "biased"})
    assert len({id(one) for one in observations(biased).values()}) == 1


@pytest.mark.parametrize("policy", ["observe", "evidence"])
@pytest.mark.parametrize("symbols", [["AAPL"], ["AAPL", "MSFT"]])
def test_an_equivocating_source_tells_half_of_them_another_price(symbols, policy):
    settings = {"nodes": 7, "symbols": symbols, "signatures": "none"}
    lab, _ = network(faults={LIAR: "equivocating"}, prices={"voter_policy": policy}, **settings)
    heard = observations(lab)
    assert len({id(one) for one in heard.values()}) == 2
    for index, symbol in enumerate(symbols):
        honest = {quote.source: quote for quote in lab.feeds[symbol].quotes(0)}
        lies = {name: one.quotes[index][-1].price for name, one in heard.items()}
        assert len({*lies.values()}) == 2
        assert min(lies.values()) < honest[LIAR].price < max(lies.values())
        for one in heard.values():
            assert [honest[quote.source] for quote in one.quotes[index][:-1]] == [
                *one.quotes[index][:-1]
            ]
    for one in heard.values():
        expected = [quote for quotes in one.quotes for quote in quotes]
        assert [signed.quote for signed in one.signed] == (expected if policy == "evidence" else [])


def test_a_verdict_is_remembered_for_those_alone_who_heard_the_same():
    lab, _ = network(signatures="none", faults={LIAR: "equivocating"})
    one, other = {id(heard): heard for heard in observations(lab).values()}.values()
    payloads = [proposed(lab, heard) for heard in (one, other)]
    for payload, heard in product(payloads * 2, (one, other, one, one, other)):
        assert accepts(lab, payload, heard) == ((payload is payloads[0]) == (heard is one))


def test_equal_observations_are_not_mistaken_for_each_other():
    """What is remembered goes by identity; a verdict must be the same either way."""
    lab, _ = network(signatures="none")
    heard = observations(lab)["node_0"]
    for one in (heard, Observation(heard.quotes), Observation(tuple(map(tuple, heard.quotes)))):
        assert accepts(lab, proposed(lab, heard), one)


# How far a lying leader gets


def manipulator(direction):
    return {**with_parameters("price_manipulator", direction=direction), "nodes": ["node_1"]}


def displacements(policy, aggregator, direction, faults=()):
    """How far node 1 moves its final prices from those of honest leaders, as a part of them."""
    lab, _ = run(
        13,
        signatures="none",
        faults=[manipulator(direction), *faults],
        prices={"sources": 4, "aggregator": aggregator, "voter_policy": policy},
    )
    chosen = find_aggregator(aggregator)
    return [
        price_in(block).consensus_price / chosen(lab.observations[block.epoch].quotes[0]) - 1
        for block in lab.observer.tree.finalized[1:]
        if lab.leader_of(block.epoch) == "node_1"
    ]


@pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("down", -1)])
@pytest.mark.parametrize("aggregator", ["mean", "median"])
def test_the_policy_decides_how_far_a_manipulator_gets(aggregator, direction, sign):
    moved = {policy: displacements(policy, aggregator, direction) for policy in POLICIES}
    assert {len(parts) for parts in moved.values()} == {3}
    farthest = {policy: max(sign * part for part in parts) for policy, parts in moved.items()}
    assert farthest["bounds"] > Decimal("0.05")
    assert Decimal("0.0049") < farthest["observe"] <= Decimal("0.005")
    assert 0 < farthest["evidence"] < Decimal("0.0005")


def test_an_equivocating_source_gains_a_lying_leader_no_more_than_honest_sources_differ():
    """Half a percent from what some voters observe; those differ by basis points."""
    accomplice = {"kind": "equivocating", "nodes": [LIAR], "parameters": {"bp": 500}}
    robust = ("median", "trimmed_mean", "pyth", "mad_filter")
    moved = [
        abs(part)
        for aggregator, direction in product(robust, ("up", "down"))
        for part in displacements("observe", aggregator, direction, [accomplice])
    ]
    assert len(moved) >= 8
    assert Decimal("0.0049") < max(moved) <= Decimal("0.0055")


def test_a_replayed_quote_does_not_count():
    lab = lying("replaying", epochs=24, aggregator="median")
    checks = [
        check.reason
        for epoch in range(21, 24)
        for check in lab.application.evaluations[epoch][0].checks
        if check.quote.source == LIAR
    ]
    assert checks == [QuoteReason.OUT_OF_DATE] * 3
