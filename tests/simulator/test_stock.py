"""Nodes that agree on prices: honest ones, lying ones, and epochs without any."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.checks import Status, market_checks
from streamlet_lab.consensus import Block
from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import IdealSignatures
from streamlet_lab.prices import (
    GenesisPrice,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    PriceValidation,
    Voter,
    decode_payload,
    encode_claims,
)
from streamlet_lab.prices.quotes import ORIGIN
from streamlet_lab.simulator.price_application import Observation, PriceApplication, read_claims

from .stocks import claims, follow, liar, network, price_in, run


def rounded(price):
    return price.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)


# What the nodes agree on


def test_every_block_carries_the_averages_of_its_epochs_quotes():
    lab, _ = run(12)
    finalized = claims(lab)
    assert [*finalized] == [*range(11)]
    for epoch, claim in finalized.items():
        quotes = lab.feed.quotes(epoch)
        volume = sum(quote.volume for quote in quotes)
        turnover = sum(quote.price * quote.volume for quote in quotes)
        assert claim.consensus_price == rounded(sum(quote.price for quote in quotes) / 3)
        assert claim.volume_weighted_price == rounded(turnover / volume)
        assert (claim.total_volume, claim.price_count) == (volume, 3)
        assert claim.timestamp == quotes[0].timestamp


def test_genesis_carries_the_reference_price_and_the_chain_its_name():
    lab, _ = network(seed=7, prices={"base_price": 200})
    assert decode_payload(lab.genesis.payload).price == Decimal(200)
    others = [network(**s)[0] for s in ({"seed": 8}, {"seed": 7, "feed": "aapl-2012"})]
    assert len({other.genesis.chain_id for other in [lab, *others]}) == 3


def test_real_history_starts_from_the_close_before_it():
    lab, _ = run(8, feed="aapl-2012")
    assert decode_payload(lab.genesis.payload).price == Decimal("405.00")  # 2011-12-30
    assert [claim.timestamp.date().isoformat() for claim in claims(lab).values()][:3] == [
        "2012-01-03",
        "2012-01-04",
        "2012-01-05",
    ]
    for epoch, claim in claims(lab).items():
        true = Decimal(lab.true_price(epoch * lab.epoch_length)) / 1_000_000
        assert abs(claim.consensus_price / true - 1) < Decimal("0.001")


def test_a_run_beyond_the_end_of_a_history_is_refused_before_it_starts():
    with pytest.raises(InvalidInput, match="at most 250: the feed 'aapl-2012' lasts for 97500min"):
        network(epochs=251, feed="aapl-2012")


# Signatures

# With equal delays everyone votes; otherwise a node that hears of a quorum before the proposal
# need not.
EQUAL_DELAYS = {"delay_spread": 0}


@pytest.mark.parametrize("nodes", [4, 7])
def test_every_message_is_signed_once_and_verified_once_or_by_every_receiver(nodes):
    settings = {"nodes": nodes, "network": EQUAL_DELAYS}
    lab, remembering = run(6, **settings)
    assert lab.keyring.signatures == lab.keyring.verifications == 6 * (nodes + 1)
    lab, recorder = run(6, remember_verifications=False, **settings)
    # n − 1 nodes and the observer receive each of the n + 1 messages of an epoch.
    assert lab.keyring.verifications == 6 * (nodes + 1) * nodes
    assert vars(recorder) == vars(remembering)


def test_signatures_do_not_change_what_happens():
    lab, recorder = run(12, signatures="none", faults={"node_2": "crash@5"})
    _, signed = run(12, faults={"node_2": "crash@5"})
    assert lab.keyring.signatures == 0
    said, signed_said = (
        {**vars(one), "votes": [(time, vote.voter, vote.signed) for time, vote in one.votes]}
        for one in (recorder, signed)
    )
    assert said == signed_said


# Lying leaders


def lies(recorder, node="node_1"):
    """The blocks that a liar proposed."""
    return [proposal.block for proposal in recorder.proposals if proposal.node == node]


def voters(recorder, block):
    return {vote.voter for _, vote in recorder.votes if vote.block_hash == block.hash}


def watch(lab):
    """Checks of the nodes without a fault."""
    checks = market_checks(lab.config, lab)
    lab.monitors.extend(checks)
    return checks


@pytest.mark.parametrize("policy", ["observe", "bounds"])
def test_a_leader_that_claims_9999_dollars_gets_no_honest_vote(policy):
    lab, recorder = network(faults={"node_1": "lying_leader"}, prices={"voter_policy": policy})
    checks = watch(lab)
    lab.run(16)
    assert [block.epoch for block in lies(recorder)] == [1, 5, 9, 13]
    for block in lies(recorder):
        claim = price_in(block)
        assert claim.consensus_price == claim.volume_weighted_price == Decimal("9999.00")
        assert voters(recorder, block) == {"node_1"}
        refused = [(r.node, r.reason) for r in recorder.refusals if r.block == block]
        reason = "consensus price 9999.00 outside 50 to 500"
        assert sorted(refused) == [(node, reason) for node in ("node_0", "node_2", "node_3")]
    assert {1, 5, 9, 13}.isdisjoint(block.epoch for block in lab.observer.tree.notarized)
    assert [*claims(lab)] == [0, 2, 3, 4, 6, 7, 8, 10, 11]
    assert Status.VIOLATED not in {check.result().status for check in checks}


def test_a_lie_inside_the_bounds_is_seen_by_those_who_look_at_their_own_quotes():
    lie = "155.00"
    for policy in ("observe", "bounds"):
        lab, recorder = network(faults=[liar(lie)], prices={"voter_policy": policy})
        follow(lab, lambda epoch: 150)
        lab.run(8)
        first = lies(recorder)[0]
        assert price_in(first).consensus_price == Decimal(lie)
        if policy == "observe":
            assert voters(recorder, first) == {"node_1"}
            assert {r.reason.partition(" too far")[0] for r in recorder.refusals} == {
                f"consensus price {lie}"
            }
            assert all("which this node observes" in r.reason for r in recorder.refusals)
            assert [*claims(lab)] == [0, 2, 3]
        else:
            assert voters(recorder, first) == {"node_0", "node_1", "node_2", "node_3"}
            assert recorder.refusals == []
            assert claims(lab)[1].consensus_price == Decimal(lie)


def test_the_first_leader_is_bounded_by_the_genesis_price():
    lab, recorder = network(faults=[liar("166.00", "node_0")], prices={"voter_policy": "bounds"})
    lab.run(4)
    assert {r.reason for r in recorder.refusals} == {
        "consensus price 166.00 too far from the previous consensus 150.00"
    }
    allowed, _ = network(faults=[liar("165.00", "node_0")], prices={"voter_policy": "bounds"})
    allowed.run(4)
    assert claims(allowed)[0].consensus_price == Decimal("165.00")


def test_liars_vote_for_each_other_and_from_a_third_on_may_win():
    lab, recorder = network(faults=[liar("9999", f"node_{index}") for index in (1, 2, 3)])
    *_, valid_prices = watch(lab)
    lab.run(8)
    assert voters(recorder, lies(recorder)[0]) == {"node_1", "node_2", "node_3"}
    assert claims(lab)[1].consensus_price == Decimal("9999.00")
    result = valid_prices.result()
    assert result.status is Status.VIOLATED
    assert "epoch 1: consensus price 9999.00 outside 50 to 500" in result.evidence


# No price


def test_when_no_quote_is_valid_the_blocks_say_so_and_finality_goes_on():
    lab, recorder = run(8, prices={"min_volume": 10**10})
    assert claims(lab) == dict.fromkeys(range(7))
    assert recorder.refusals == []
    for block in lab.observer.tree.finalized[1:]:
        claim = decode_payload(block.payload)
        assert isinstance(claim, NoPrice)
        assert claim.reason == "0 of 3 sources valid, 2 needed"
        assert claim.timestamp == lab.feed.quotes(block.epoch)[0].timestamp
    assert lab.get_finalized_consensus_prices() == []


@pytest.mark.parametrize(("rule", "lost"), [("widen", [5]), ("strict", [*range(5, 39)])])
def test_a_jump_beyond_10_percent_costs_one_epoch_or_all_under_the_strict_rule(rule, lost):
    lab, recorder = network(prices={"deviation_rule": rule})
    follow(lab, lambda epoch: 150 if epoch < 5 else 172.5)
    lab.run(40)
    prices = claims(lab)
    assert [*prices] == [*range(39)]
    assert [epoch for epoch, claim in prices.items() if claim is None] == lost
    assert abs(prices[4].consensus_price - 150) < 1
    assert prices[6] is None or abs(prices[6].consensus_price - Decimal("172.5")) < 1
    assert recorder.refusals == []


# Judging


@pytest.fixture(params=["bounds"])
def lab(request):
    """A network that has not begun, with quotes of 150 dollars."""
    lab, _ = network(prices={"voter_policy": request.param})
    follow(lab, lambda epoch: 150)
    return lab


def judge(lab, block, *ancestors):
    heard = Observation((lab.feed.quotes(block.epoch),))
    return lab.application.judge(block, iter([*ancestors, lab.genesis]), heard)


def block_of(lab, claim, epoch, parent, attachment=b""):
    payload = claim if isinstance(claim, bytes) else claim.to_payload()
    return Block(lab.genesis.chain_id, epoch, parent.height + 1, parent.hash, payload, attachment)


def claim_of(lab, epoch, price):
    quotes = lab.feed.quotes(epoch)
    volume = sum(quote.volume for quote in quotes)
    return PriceConsensus("AAPL", Decimal(price), Decimal(price), volume, 3, quotes[0].timestamp)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed payload: not JSON"),
        (b"{}", "malformed payload: no 'type'"),
        (b"[1]", "malformed payload: not a JSON object"),
        (b"\xff", "malformed payload: not JSON"),
    ],
)
def test_a_malformed_payload_is_refused_and_stops_nobody(lab, payload, reason):
    assert judge(lab, block_of(lab, payload, 2, lab.genesis)) == (False, reason)


@pytest.mark.parametrize("lab", ["bounds", "observe"], indirect=True)
def test_an_attachment_is_refused(lab):
    claim = claim_of(lab, 2, "150.00")
    assert judge(lab, block_of(lab, claim, 2, lab.genesis)) == (True, "")
    verdict = judge(lab, block_of(lab, claim, 2, lab.genesis, b"and more"))
    assert verdict == (False, "an attachment that nobody asked for")


def test_the_deviation_is_measured_on_the_chain_that_is_extended(lab):
    high = block_of(lab, claim_of(lab, 0, "160.00"), 0, lab.genesis)
    low = block_of(lab, claim_of(lab, 0, "140.00"), 0, lab.genesis)
    for parent, accepted in ((high, True), (low, False)):
        claim = claim_of(lab, 1, "170.00")
        assert judge(lab, block_of(lab, claim, 1, parent), parent).accepted == accepted


@pytest.mark.parametrize("lab", ["observe"], indirect=True)
def test_a_voters_own_quotes_are_valid_or_not_on_the_chain_that_is_extended(lab):
    high = block_of(lab, claim_of(lab, 0, "170.00"), 0, lab.genesis)
    even = block_of(lab, claim_of(lab, 0, "150.00"), 0, lab.genesis)
    for parent, reason in (
        (high, "a price where this node sees none: 0 of 3 sources valid, 2 needed"),
        (even, ""),
        (high, "a price where this node sees none: 0 of 3 sources valid, 2 needed"),
    ):
        price = "153.50" if parent is high else "150.00"
        block = block_of(lab, claim_of(lab, 1, price), 1, parent)
        assert judge(lab, block, parent).reason == reason


def test_the_reference_is_the_nearest_ancestor_with_a_price(lab):
    timestamp = lab.feed.quotes(1)[0].timestamp
    low = block_of(lab, claim_of(lab, 0, "140.00"), 0, lab.genesis)
    without = block_of(lab, NoPrice("AAPL", "none", timestamp), 1, low)
    for price, accepted in (("168.00", True), ("168.01", False)):
        # One block without a price: 20 % instead of 10 %, however many epochs have none.
        block = block_of(lab, claim_of(lab, 9, price), 9, without)
        assert judge(lab, block, without, low).accepted == accepted


@pytest.mark.parametrize(
    ("settings", "epoch", "reason"),
    [
        ({}, 1, "no price where this node observes"),
        ({"aggregator": "median"}, 1, ""),
        ({"aggregator": "trimmed_mean"}, 1, "no price where this node observes"),
        ({"aggregator": "trimmed_mean", "sources": 4}, 1, ""),
        ({"voter_policy": "bounds"}, 1, ""),
        # As long as three honest leaders have not had the time to make three blocks in a row.
        ({}, 5, "no price where this node observes"),
        ({}, 6, ""),
    ],
)
def test_no_price_is_not_believed_where_it_would_only_widen_the_corridor(settings, epoch, reason):
    lab, _ = network(prices=settings)
    follow(lab, lambda epoch: 150)
    timestamp = lab.timestamp(epoch)
    block = block_of(lab, NoPrice("AAPL", "none", timestamp), epoch, lab.genesis)
    said = judge(lab, block).reason
    assert said.startswith(reason)
    assert bool(said) == bool(reason)
    later = block_of(lab, NoPrice("AAPL", "none", lab.timestamp(99)), epoch, lab.genesis)
    assert judge(lab, later).reason == "timestamp of another epoch"


@settings(max_examples=60)
@given(data=st.data())
def test_what_is_remembered_of_chains_changes_no_reference(data):
    """On a random tree, whose chains are asked for in any order, more than once."""
    symbols = data.draw(st.sampled_from([("AAPL",), ("AAPL", "MSFT"), ("MSFT", "AAPL")]))
    geneses = [GenesisPrice(symbol, Decimal("150.00")) for symbol in symbols]
    voters = [Voter(symbol, PriceValidation()) for symbol in symbols]
    application = PriceApplication(voters, lambda _: ORIGIN, (), IdealSignatures(0), 6, geneses)
    blocks = [Block("chain", -1, 0, bytes(32), application.genesis_payload)]
    parents = {}
    for epoch in range(data.draw(st.integers(4, 12))):
        parent = data.draw(st.sampled_from(blocks[-3:]))
        kinds = st.sampled_from(["price", "none", "foreign", "genesis"])
        payload = encode_claims([_any_claim(symbol, data.draw(kinds), epoch) for symbol in symbols])
        if data.draw(st.booleans()):
            payload = data.draw(st.sampled_from([payload, b"{}"]))
        block = Block("chain", epoch, parent.height + 1, parent.hash, payload)
        parents[block.hash] = parent
        blocks.append(block)

    def chain(block):
        while block is not None:
            yield block
            block = parents.get(block.hash)

    order = data.draw(st.permutations(blocks))
    for block in [*order, *order]:
        expected = tuple(_nearest(chain(block), symbol) for symbol in symbols)
        assert application.references(chain(block)) == expected


def _any_claim(symbol, kind, epoch):
    price = Decimal(f"{100 + epoch}.00")
    match kind:
        case "none":
            return NoPrice(symbol, "none", ORIGIN)
        case "genesis":
            return GenesisPrice(symbol, price)
        case "foreign":
            symbol = f"{symbol}X"
    return PriceConsensus(symbol, price, price, Decimal(1), 3, ORIGIN)


def _nearest(ancestors, symbol):
    """The last price of a symbol on a chain, looked for as simply as can be."""
    no_prices = 0
    for block in ancestors:
        for claim in read_claims(block):
            if claim.symbol == symbol and isinstance(claim, PriceConsensus):
                return PreviousConsensus(claim.consensus_price, block.epoch, no_prices)
            no_prices += claim.symbol == symbol and isinstance(claim, NoPrice)
    return PreviousConsensus(Decimal("150.00"), -1, no_prices)


def test_the_application_walks_no_chain_twice():
    lab, _ = run(12, signatures="none", prices={"min_volume": 10**10})
    tree = lab.observer.tree
    newest = tree.longest[0]
    expected = tuple(_nearest(tree.chain(newest.hash), symbol) for symbol in lab.symbols)
    walked = []

    def watched():
        for block in tree.chain(newest.hash):
            walked.append(block)
            yield block

    assert lab.application.references(watched()) == expected
    assert len(walked) <= 2 < newest.height
    walked.clear()
    assert lab.application.references(watched()) == expected
    assert walked == [newest]


# Adversaries


def test_garbage_may_have_a_twin():
    faults = [{"kind": kind, "nodes": ["node_6"]} for kind in ("forge", "equivocate")]
    lab, _ = network(nodes=7, faults=faults)
    checks = watch(lab)
    lab.run(20)
    assert Status.VIOLATED not in {check.result().status for check in checks}


def test_where_there_is_no_price_a_leader_can_equivocate_too():
    _, recorder = run(8, faults={"node_1": "equivocate"}, prices={"min_volume": 10**10})
    twins = [block for _, _, block in recorder.proposals if block.epoch == 1]
    assert len(twins) == 2
    assert all(isinstance(decode_payload(block.payload), NoPrice) for block in twins)
