"""Each property notices what it is for, and nothing else."""

from decimal import Decimal

import pytest

from streamlet_lab.checks import (
    CheckResult,
    Consistency,
    Status,
    UniqueNotarization,
    ValidPrices,
    VoteDiscipline,
)
from streamlet_lab.consensus import Block, BlockTree, Proposal, Vote, make_genesis
from streamlet_lab.prices import (
    ORIGIN,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    PriceValidation,
    Voter,
    encode_claims,
)

GENESIS = make_genesis("test")
PREVIOUS = PreviousConsensus(Decimal(150), -1)
VOTER = Voter("AAPL", PriceValidation())


def chain(*epochs, parent=GENESIS, payload=b""):
    """Blocks on each other, of the lab's epochs."""
    blocks = []
    for epoch in epochs:
        parent = Block("test", epoch, parent.height + 1, parent.hash, payload)
        blocks.append(parent)
    return blocks


def view(*chains):
    """The tree of a node that sees these chains notarized."""
    tree = BlockTree(GENESIS, quorum=3)
    for block in (block for blocks in chains for block in blocks):
        tree.add_block(block)
        for voter in "abc":
            tree.add_vote(Vote("test", block.epoch, block.height, block.hash, voter, b""))
    return tree


# A12 in the lab's epochs: 2-5-6-7 against 1-3-8-9-10, as the paper counts.
X, Y = chain(1, 4, 5, 6), chain(0, 2, 7, 8, 9)


@pytest.fixture
def consistency():
    return Consistency({"X", "Y"})


def report_final(check, time, node, tree):
    for block in tree.finalized[1:]:
        check.finalized(time, node, block)


def test_a12_two_views_that_contradict_each_other(consistency):
    assert consistency.result().status is Status.NOT_APPLICABLE
    report_final(consistency, 1_500_000, "X", view(X))
    assert consistency.result().status is Status.HOLDS
    report_final(consistency, 2_000_000, "Y", view(Y))
    result = consistency.result()
    assert result.status is Status.VIOLATED
    assert result.evidence == (
        f"at 2.000000 s: Y has block {Y[0].hash.hex()[:8]} of epoch 0 at height 1, "
        f"X has {X[0].hash.hex()[:8]} of epoch 1"
    )
    report_final(consistency, 3_000_000, "Y", view(Y))
    assert consistency.result() == result, "the first violation stays"


def test_a12_in_one_view(consistency):
    tree = view(X, Y)
    report_final(consistency, 0, "X", tree)
    for block in tree.conflicts:
        consistency.conflicted(3_000_000, "X", block)
    result = consistency.result()
    assert result.status is Status.VIOLATED
    assert result.evidence == (
        "at 3.000000 s: X sees epoch 8 finalized against its own final chain"
    )


def test_views_of_different_length_agree(consistency):
    blocks = chain(0, 1, 2, 3, 4)
    report_final(consistency, 0, "X", view(blocks))
    report_final(consistency, 0, "Y", view(blocks[:4]))
    assert consistency.result() == CheckResult(
        "consistency",
        "no two honest nodes finalize different blocks at one height (Theorem 3)",
        Status.HOLDS,
        "7 cases examined",
    )


@pytest.mark.parametrize(
    "check",
    [Consistency({"X"}), UniqueNotarization({"X"}), ValidPrices({"X"}, [VOTER], [PREVIOUS])],
    ids=lambda check: check.name,
)
def test_faulty_nodes_promise_nothing(check):
    for block in (*chain(3, payload=b"one"), *chain(3, payload=b"other")):
        for told in (check.notarized, check.finalized, check.conflicted):
            told(0, "Y", block)
    assert check.result().status is Status.NOT_APPLICABLE


def test_two_notarized_blocks_of_one_epoch():
    check = UniqueNotarization({"X", "Y"})
    one, same_epoch = chain(3, payload=b"one")[0], chain(3, payload=b"other")[0]
    check.notarized(0, "X", one)
    check.notarized(1, "Y", one)
    check.notarized(1, "Y", chain(4)[0])
    assert check.result().status is Status.HOLDS
    check.notarized(2, "Y", same_epoch)
    result = check.result()
    assert result.status is Status.VIOLATED
    assert result.evidence.startswith(f"at 0.000002 s: Y has block {same_epoch.hash.hex()[:8]}")


def claim(symbol, price):
    """What a block says of a symbol; None is no price."""
    if price is None:
        return NoPrice(symbol, "none", ORIGIN)
    return PriceConsensus(symbol, Decimal(price), Decimal(price), Decimal(4500), 3, ORIGIN)


def price_chain(prices):
    """Blocks on each other with a price by its epoch; None is a block without one."""
    parent = GENESIS
    for epoch, price in prices.items():
        (parent,) = chain(epoch, parent=parent, payload=claim("AAPL", price).to_payload())
        yield parent


@pytest.mark.parametrize(
    ("prices", "violation"),
    [
        ({0: "150.00", 1: "165.00", 2: "148.50"}, ""),
        ({0: "150.00", 1: "165.01"}, "epoch 1: consensus price 165.01 too far from the previous"),
        ({0: "134.99"}, "epoch 0: consensus price 134.99 too far from the previous consensus 150"),
        ({0: "150.00", 1: "9999.00"}, "epoch 1: consensus price 9999.00 outside 50 to 500"),
        # Only blocks without a price widen what is valid, not epochs in which nobody says anything.
        ({5: "165.01"}, "165.01 too far from the previous consensus 150"),
        ({1: None, 5: "180.00"}, ""),
        ({1: None, 5: "180.01"}, "180.01 too far from the previous consensus 150"),
        ({1: None, 2: None, 5: "195.00"}, ""),
        ({1: None, 2: None, 5: "195.01"}, "195.01 too far from the previous consensus 150"),
    ],
)
def test_finalized_prices_are_held_against_the_rules_and_the_chain(prices, violation):
    check = ValidPrices({"X"}, [VOTER], [PREVIOUS])
    for block in price_chain(prices):
        check.finalized(0, "X", block)
    assert violation in check.violation
    assert bool(check.violation) is bool(violation)
    assert check.examined == len(prices)


BOTH = [VOTER, Voter("MSFT", PriceValidation())]


def batch(*prices):
    """A block of the first epoch with a price for each symbol; None is no price."""
    claims = [claim(symbol, price) for symbol, price in zip(("AAPL", "MSFT"), prices, strict=False)]
    return chain(0, payload=encode_claims(claims))[0]


@pytest.mark.parametrize(
    ("prices", "msft", "violation"),
    [
        (("150.00", "160.00"), 150, ""),
        ((None, "160.00"), 150, ""),
        (("150.00", "165.01"), 150, "MSFT: consensus price 165.01 too far from the previous"),
        (("165.01", "150.00"), 150, "AAPL: consensus price 165.01 too far from the previous"),
        (("150.00",), 150, "1 symbols instead of 2"),
        (("150.00", "300.00"), 300, ""),
        (("150.00", "150.00"), 300, "MSFT: consensus price 150.00 too far from the previous"),
    ],
)
def test_each_symbol_is_held_against_its_own_rules_and_previous_price(prices, msft, violation):
    check = ValidPrices({"X"}, BOTH, [PREVIOUS, PreviousConsensus(Decimal(msft), -1)])
    check.finalized(0, "X", batch(*prices))
    assert violation in check.violation
    assert check.violation.startswith("at 0.000000 s: epoch 0: ") is bool(violation)


def test_what_a_block_does_not_price_keeps_its_previous_price():
    """180.01 is within 10 % of 164; 20 % away from 150 are allowed in the second epoch."""
    check = ValidPrices({"X"}, BOTH, [PREVIOUS, PREVIOUS])
    first = batch("164.00", None)
    check.finalized(0, "X", first)
    claims = [claim("AAPL", "180.00"), claim("MSFT", "180.01")]
    check.finalized(0, "X", *chain(1, parent=first, payload=encode_claims(claims)))
    assert "epoch 1: MSFT: consensus price 180.01 too far from the previous consensus 150" in (
        check.violation
    )


def test_each_of_two_conflicting_blocks_is_judged_by_its_own_chain():
    check = ValidPrices({"X", "Y"}, [VOTER], [PREVIOUS])
    for block in price_chain({0: "150.00", 1: "151.00"}):
        check.finalized(0, "X", block)
    for block in price_chain({0: "140.00", 1: "154.01"}):
        check.finalized(0, "Y", block)
    assert check.examined == 4
    assert "epoch 1: consensus price 154.01 too far from the previous consensus 140" in (
        check.violation
    )


def test_what_is_not_promised_is_watched_and_said():
    check = Consistency({"X", "Y"}, unpromised="too many lie")
    assert check.result().evidence == "no case occurred"
    report_final(check, 0, "X", view(X))
    assert check.result().evidence == "3 cases examined; not promised: too many lie"
    report_final(check, 0, "Y", view(Y))
    result = check.result()
    assert result.status is Status.VIOLATED
    assert result.evidence.endswith("of epoch 1; not promised: too many lie")


def test_what_is_not_claimed_is_not_applicable_whatever_happens():
    check = UniqueNotarization({"X"}, inapplicable="another model")
    for payload in (b"one", b"other"):
        check.notarized(0, "X", chain(3, payload=payload)[0])
    result = check.result()
    assert (result.status, result.evidence) == (Status.NOT_APPLICABLE, "another model")


# Vote discipline


def vote(block, voter="X", **changes):
    subject = {"epoch": block.epoch, "height": block.height, "block_hash": block.hash, **changes}
    return Vote("test", voter=voter, signature=b"", **subject)


def disciplined(*messages):
    """The check after these messages; all blocks of X and Y were proposed before."""
    check = VoteDiscipline({"X", "Y"})
    for block in (*X, *Y):
        check.sent(0, "leader", Proposal(block, "leader", b""))
    for message in messages:
        check.sent(1_000_000, "anyone", message)
    return check


def test_votes_for_longer_and_longer_chains_are_disciplined_whoever_sends_them_again():
    votes = [vote(block) for block in X]
    check = disciplined(*votes, *votes, vote(X[0]), vote(Y[0], "Y"))
    assert check.result().status is Status.HOLDS
    assert check.examined == len(votes) + 1


def test_votes_at_one_height_twice_are_disciplined():
    assert disciplined(vote(Y[0]), vote(X[0])).violation == ""


TWINS = chain(4, parent=X[0], payload=b"one") + chain(4, parent=X[0], payload=b"other")


@pytest.mark.parametrize(
    ("votes", "violation"),
    [
        ([vote(block) for block in TWINS], "X votes for {0} and {1}, both of epoch 4"),
        ([vote(X[1]), vote(X[1], height=7)], "X votes for {0} and {1}, both of epoch 4"),
        (
            [vote(X[2]), vote(Y[2]), vote(chain(8)[0])],
            "X votes in epoch 8 at height 1, after a vote in epoch 7 at height 3",
        ),
        (
            [vote(X[0]), vote(Y[0])],
            "X votes in epoch 0 at height 1, after a vote in epoch 1 at height 1",
        ),
        (
            [vote(chain(3)[0])],
            "X votes for {0}, which is not a block that the leader of epoch 3 proposed",
        ),
        (
            [vote(X[2], epoch=6)],
            "X votes for {0}, which is not a block that the leader of epoch 6 proposed",
        ),
        (
            [vote(X[2], height=2)],
            "X votes for {0}, which is not a block that the leader of epoch 5 proposed",
        ),
    ],
)
def test_undisciplined_votes(votes, violation):
    proposed = (*TWINS, *chain(8))
    check = disciplined(*(Proposal(block, "leader", b"") for block in proposed), *votes)
    hashes = [each.block_hash.hex()[:8] for each in votes]
    assert check.violation == "at 1.000000 s: " + violation.format(*hashes)
    assert set(check.witnesses) <= {*votes}


def test_the_votes_of_others_promise_nothing():
    assert disciplined(*(vote(block, "Z") for block in TWINS)).examined == 0
