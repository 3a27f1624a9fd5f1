"""Each property notices what it is for, and nothing else."""

from decimal import Decimal

import pytest

from streamlet_lab.checks import CheckResult, Status, make_checks
from streamlet_lab.checks.properties import Consistency, UniqueNotarization, ValidPrices
from streamlet_lab.consensus import Block, BlockTree, Vote, make_genesis
from streamlet_lab.prices import (
    ORIGIN,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    PriceValidation,
    Voter,
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
    report_final(consistency, 1_500_000, "X", view(X))
    assert consistency.result().status is Status.HOLDS
    report_final(consistency, 2_000_000, "Y", view(Y))
    result = consistency.result()
    assert result.status is Status.VIOLATED
    assert result.evidence == (
        f"at 2.000000 s: Y has block {Y[0].hash.hex()[:8]} of epoch 0 at height 1, "
        f"X has {X[0].hash.hex()[:8]} of epoch 1"
    )


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
    report_final(consistency, 0, "X", view(X))
    report_final(consistency, 0, "Y", view(X[:3]))
    assert consistency.result() == CheckResult(
        "consistency",
        "no two honest nodes finalize different blocks at one height (Theorem 3)",
        Status.HOLDS,
        "3 cases examined",
    )


@pytest.mark.parametrize("check", make_checks({"X"}, VOTER, PREVIOUS), ids=lambda c: c.name)
def test_faulty_nodes_promise_nothing(check):
    for block in (*chain(3, payload=b"one"), *chain(3, payload=b"other")):
        for told in (check.notarized, check.finalized, check.conflicted):
            told(0, "Y", block)
    assert check.result().status is Status.NOT_APPLICABLE


def test_what_never_occurs_is_not_applicable(consistency):
    result = consistency.result()
    assert (result.status, result.evidence) == (Status.NOT_APPLICABLE, "no case occurred")


def test_the_first_violation_stays(consistency):
    report_final(consistency, 0, "X", view(X))
    report_final(consistency, 1, "Y", view(Y))
    first = consistency.result()
    report_final(consistency, 2, "Y", view(Y))
    assert consistency.result() == first


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


def price_chain(*prices):
    """Blocks of the epochs from 0 on; None is a block without a price."""
    parent, blocks = GENESIS, []
    for epoch, price in enumerate(prices):
        if price is None:
            claim = NoPrice("AAPL", "none", ORIGIN)
        else:
            amount = Decimal(price)
            claim = PriceConsensus("AAPL", amount, amount, Decimal(4500), 3, ORIGIN)
        (parent,) = chain(epoch, parent=parent, payload=claim.to_payload())
        blocks.append(parent)
    return blocks


@pytest.mark.parametrize(
    ("prices", "violation"),
    [
        (("150.00", "165.00", "148.50"), ""),
        ((None, "180.00"), ""),
        (("135.00",), ""),
        (("150.00", "165.01"), "epoch 1: consensus price 165.01 too far from the previous"),
        (("134.99",), "epoch 0: consensus price 134.99 too far from the previous consensus 150"),
        ((None, "180.01"), "epoch 1: consensus price 180.01 too far"),
        (("150.00", "9999.00"), "epoch 1: consensus price 9999.00 outside 50 to 500"),
    ],
)
def test_finalized_prices_are_held_against_the_rules_and_the_chain(prices, violation):
    check = ValidPrices({"X"}, VOTER, PREVIOUS)
    for block in price_chain(*prices):
        check.finalized(0, "X", block)
    assert violation in check.violation
    assert bool(check.violation) is bool(violation)
    assert check.examined == len(prices)


def test_a_finalized_payload_that_is_no_claim_is_a_violation():
    check = ValidPrices({"X"}, VOTER, PREVIOUS)
    check.finalized(0, "X", chain(0, payload=b"opaque")[0])
    assert check.violation == "at 0.000000 s: epoch 0: malformed payload: not JSON"


def test_each_height_is_judged_once():
    check = ValidPrices({"X", "Y"}, VOTER, PREVIOUS)
    for node in ("X", "Y", "X"):
        for block in price_chain("150.00", "151.00"):
            check.finalized(0, node, block)
    assert check.examined == 2


def test_all_checks_of_a_run_with_prices():
    checks = make_checks({"X"}, VOTER, PREVIOUS)
    assert [check.result().name for check in checks] == [
        "consistency",
        "unique_notarization",
        "valid_prices",
    ]
    assert {check.result().status for check in checks} == {Status.NOT_APPLICABLE}
