"""Finality proofs: a final block is proven from public keys alone, and nothing else ever is."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.consensus import Block, BlockTree, make_genesis
from streamlet_lab.consensus.proof import (
    FinalityProof,
    Header,
    ProofRejected,
    PublicKeys,
    VerifiedBlock,
    make_proof,
    verify_proof,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.texts import MOST_BYTES, parse_json

from .committee import GENESIS, Committee, extend
from .tampering import tampered

COMMITTEE = Committee()


def keys_of(committee, **changes):
    keys = {name: committee.keyring.public_key(name) for name in committee.names}
    return replace(PublicKeys("test", GENESIS.hash, committee.quorum, keys), **changes)


def view_of(*chains, committee=COMMITTEE, voters=None):
    """A view of notarized chains and their blocks by epoch; a chain is its epochs.

    A chain whose first epoch is there already goes on from that block.
    """
    tree, blocks = BlockTree(GENESIS, committee.quorum), {}
    for epochs in chains:
        parent = GENESIS
        for epoch in epochs:
            if epoch not in blocks:
                blocks[epoch] = block = extend(parent, epoch, f"price of epoch {epoch}".encode())
                tree.add_block(block)
                for vote in committee.votes(block, voters):
                    tree.add_vote(vote)
            parent = blocks[epoch]
    return tree, blocks


def chain_of(*epochs, parent=GENESIS, payload=b"payload"):
    """Blocks of these epochs on a parent; each payload is another."""
    blocks = [parent]
    for number, epoch in enumerate(epochs):
        blocks.append(extend(blocks[-1], epoch, payload + bytes([65 + number]) * (number > 0)))
    return blocks[1:]


def claim(*blocks, leave_out=0, committee=COMMITTEE, voters=None):
    """What looks like a proof, of blocks for which the voters sign everything.

    The triple are the last three blocks, or genesis and the only two. The first ``leave_out``
    headers are missing.
    """
    triple = ([], *blocks)[-3:] if len(blocks) == 2 else blocks[-3:]
    votes = [block and committee.votes(block, voters) for block in triple]
    headers = [
        Header(b.epoch, b.height, b.parent, sha256(b.payload).digest(), sha256(b"").digest())
        for b in blocks[leave_out:]
    ]
    return FinalityProof(
        "test",
        blocks[leave_out].payload,
        tuple(headers),
        tuple(tuple((vote.voter, vote.signature) for vote in group) for group in votes),
    )


def verified(block):
    return VerifiedBlock(block.epoch, block.height, block.hash, block.payload)


def epochs_of(proof):
    return [header.epoch for header in proof.headers]


KEYS = keys_of(COMMITTEE)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 10])
def test_every_final_block_is_proven_for_every_size_of_committee(size):
    committee = Committee(size)
    tree, _ = view_of([0, 1, 3, 4, 5, 7, 9], committee=committee, voters=committee.names)
    assert len(tree.finalized) == 5
    for block in tree.finalized[1:]:
        assert verify_proof(make_proof(tree, block), keys_of(committee)) == verified(block)


@pytest.mark.parametrize(
    ("chain", "epoch", "headers"),
    [
        ([0, 1], 0, [0, 1]),  # genesis is the first of the triple, the block the second
        ([0, 1, 2], 1, [1, 2]),  # the second, the first has no header
        ([1, 2, 3], 1, [1, 2, 3]),  # the first
        ([1, 3, 5, 6, 7], 3, [3, 5, 6, 7]),  # before the triple
        ([1, 2, 3, 4, 5], 1, [1, 2, 3]),  # the lowest of several triples
        ([1, 2, 4, 5, 6], 1, [1, 2, 4, 5, 6]),  # two consecutive epochs are not enough
    ],
)
def test_a_proof_reaches_from_the_block_to_the_third_of_the_lowest_triple(chain, epoch, headers):
    tree, blocks = view_of(chain)
    proof = make_proof(tree, blocks[epoch])
    assert epochs_of(proof) == headers
    assert verify_proof(proof, KEYS) == verified(blocks[epoch])


def test_the_third_block_need_not_be_on_the_chain_that_became_final():
    tree, blocks = view_of([1, 2, 3], [1, 2, 5, 6, 7])
    assert tree.finalized[-1] == blocks[6]
    assert epochs_of(make_proof(tree, blocks[2])) == [2, 3]
    assert epochs_of(make_proof(tree, blocks[5])) == [5, 6, 7]


def test_genesis_has_no_votes_and_every_other_block_a_quorum_of_the_first_names():
    tree, blocks = view_of([0, 1, 2], voters=COMMITTEE.names[::-1])
    on_genesis, later = make_proof(tree, blocks[0]), make_proof(tree, blocks[1])
    quorum = ["node_0", "node_1", "node_2"]
    assert [[voter for voter, _ in votes] for votes in on_genesis.votes] == [[], quorum, quorum]
    assert [[voter for voter, _ in votes] for votes in later.votes] == [quorum] * 3


def test_an_equivocating_minority_proves_nothing_and_spoils_nothing():
    tree, blocks = view_of([1, 2, 3])
    fork = chain_of(1, 2, 3, payload=b"a lie")
    for block in fork:
        tree.add_block(block)
        tree.add_vote(COMMITTEE.vote(block, "node_3"))
    assert verify_proof(make_proof(tree, blocks[1]), KEYS) == verified(blocks[1])
    with pytest.raises(InvalidInput):
        make_proof(tree, fork[1])
    honest_votes = make_proof(tree, blocks[1]).votes
    with pytest.raises(ProofRejected, match="'node_0' did not sign the vote for the first block"):
        verify_proof(replace(claim(*fork), votes=honest_votes), KEYS)


@pytest.mark.parametrize(
    ("chain", "epoch"), [([1, 2], 1), ([1, 2, 3], 3), ([0], 0), ([1, 3, 5], 3), ([1, 2, 4, 5], 2)]
)
def test_a_block_that_is_not_final_has_no_proof(chain, epoch):
    tree, blocks = view_of(chain)
    with pytest.raises(InvalidInput, match="three consecutive epochs"):
        make_proof(tree, blocks[epoch])


def test_neither_has_an_orphan_nor_an_unknown_block_nor_genesis():
    tree, blocks = view_of([1, 2, 3], [1, 5])
    for block in (blocks[5], extend(GENESIS, 1, b"unknown"), extend(blocks[3], 9)):
        with pytest.raises(InvalidInput, match="three consecutive epochs"):
            make_proof(tree, block)
    with pytest.raises(InvalidInput, match="after genesis"):
        make_proof(tree, GENESIS)


OTHER_GENESIS = make_genesis("test", b"another")
SKIPPED = Block("test", 4, 5, chain_of(1, 2, 3)[-1].hash, b"at height 5 on height 3")
VALID = claim(*chain_of(1, 2, 3))
QUORUM = VALID.votes[1]

# Every node of the committee signs each of these blocks: what is wrong is the claim itself.
WRONG_CLAIMS = {
    "third not consecutive": (claim(*chain_of(1, 2, 4)), "epochs 2 and 4 are not consecutive"),
    "first not consecutive": (claim(*chain_of(1, 3, 4)), "epochs 1 and 3 are not consecutive"),
    "first without a header not consecutive": (
        claim(*chain_of(1, 3, 4), leave_out=1),
        "did not sign the vote for the first block",
    ),
    "genesis not consecutive": (claim(*chain_of(1, 2)), "genesis and epoch 1 are not consecutive"),
    "votes for genesis": (
        replace(claim(*chain_of(0, 1)), votes=(QUORUM, *claim(*chain_of(0, 1)).votes[1:])),
        "for which nobody votes",
    ),
    "another genesis": (
        claim(*chain_of(0, 1, parent=OTHER_GENESIS)),
        "does not stand on the genesis",
    ),
    "epochs fall": (claim(*chain_of(7, 4, 5, 6)), "epoch of height 2 is not later"),
    "epochs stand still": (claim(*chain_of(4, 4, 5, 6)), "epoch of height 2 is not later"),
    "a height is skipped": (
        claim(*chain_of(1, 2, 3), SKIPPED, *chain_of(5, 6, parent=SKIPPED)),
        "height 5 does not follow its parent",
    ),
    "a block is left out": (
        claim(*chain_of(1, 2, 3, 4, 5)[::2]),
        "height 3 does not follow its parent",
    ),
    "one header": (replace(VALID, headers=VALID.headers[:1]), "1 headers cannot reach"),
    "no header": (replace(VALID, headers=()), "0 headers cannot reach"),
    "another payload": (replace(VALID, payload=b"a lie"), "the payload is not the one"),
    "one voter twice": (
        replace(VALID, votes=(VALID.votes[0], (QUORUM[0], QUORUM[0], QUORUM[1]), VALID.votes[2])),
        "voters for the second block are not in order, each once",
    ),
    "voters out of order": (
        replace(VALID, votes=(*VALID.votes[:2], VALID.votes[2][::-1])),
        "voters for the third block are not in order, each once",
    ),
    "a stranger": (
        claim(*chain_of(1, 2, 3), voters=["node_0", "node_1", "stranger"]),
        "'stranger'",
    ),
    "a vote too few": (
        claim(*chain_of(1, 2, 3), voters=["node_0", "node_1"]),
        "2 votes for the first block, where exactly 3",
    ),
    "a vote too many": (
        claim(*chain_of(1, 2, 3), voters=COMMITTEE.names),
        "4 votes for the first block, where exactly 3",
    ),
    "the votes of another block": (
        replace(VALID, votes=(VALID.votes[0], VALID.votes[2], VALID.votes[2])),
        "'node_0' did not sign the vote for the second block",
    ),
    "no signatures": (
        replace(VALID, votes=(*VALID.votes[:2], tuple((voter, b"") for voter, _ in QUORUM))),
        "'node_0' did not sign the vote for the third block",
    ),
}


@pytest.mark.parametrize("claimed", WRONG_CLAIMS)
def test_what_does_not_follow_is_rejected_with_the_reason(claimed):
    proof, reason = WRONG_CLAIMS[claimed]
    with pytest.raises(ProofRejected, match=reason):
        verify_proof(proof, KEYS)


def test_keys_of_another_chain():
    with pytest.raises(ProofRejected, match="chain 'test', the keys are those of 'other'"):
        verify_proof(VALID, replace(KEYS, chain_id="other"))
    with pytest.raises(ProofRejected, match="does not follow its parent"):
        verify_proof(replace(VALID, chain_id="other"), replace(KEYS, chain_id="other"))


def test_an_unsafe_quorum_is_refused_unless_asked_for():
    committee = Committee(5)
    unsafe = keys_of(committee, quorum=3)
    proof = claim(*chain_of(1, 2, 3), committee=committee, voters=committee.names[:3])
    with pytest.raises(ProofRejected, match="3 of 5 nodes, is unsafe: finality needs 4"):
        verify_proof(proof, unsafe)
    assert verify_proof(proof, unsafe, allow_unsafe_quorum=True).epoch == 1


def test_keys_of_which_one_counts_twice():
    with pytest.raises(InvalidInput, match="a key of its own for every node"):
        replace(KEYS, keys={**KEYS.keys, "node_3": KEYS.keys["node_0"]})


PAYLOADS = st.one_of(st.binary(max_size=20), st.text(max_size=20).map(str.encode))


@given(PAYLOADS)
def test_a_proof_survives_json_whatever_its_payload(payload):
    proof = claim(*chain_of(1, 2, 3, payload=payload))
    again = FinalityProof.from_document(parse_json(proof.to_json()))
    assert again == proof
    assert PublicKeys.from_document(parse_json(KEYS.to_json())) == KEYS
    assert verify_proof(again, KEYS).payload == payload


def test_a_proof_over_ten_thousand_headers_is_within_the_limits_of_texts():
    proof = claim(*chain_of(1, 2, 3))
    longest = replace(proof, headers=proof.headers[:1] * 10_000)

    assert FinalityProof.from_document(parse_json(longest.to_json())) == longest
    assert len(longest.to_json()) < MOST_BYTES


def test_a_price_can_be_read_in_the_document():
    assert claim(*chain_of(1, 2, 3, payload=b'{"price": 1}')).to_document()["payload"] == (
        '{"price": 1}'
    )
    assert claim(*chain_of(1, 2, 3, payload=b"\xff")).to_document()["payload"] == {"hex": "ff"}


def test_a_text_in_hexadecimal_digits_is_a_second_form_and_refused():
    document = {**VALID.to_document(), "payload": {"hex": VALID.payload.hex()}}
    with pytest.raises(InvalidInput, match=r"proof\.payload.* the text itself"):
        FinalityProof.from_document(document)


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("format", "streamlet-lab keys 2", r"keys\.format"),
        ("chain_id", 4, r"keys\.chain_id"),
        ("genesis", GENESIS.hash.hex().upper(), r"keys\.genesis"),
        ("genesis", GENESIS.hash.hex()[2:], r"keys\.genesis"),
        ("quorum", True, r"keys\.quorum"),
        ("quorum", 3.0, r"keys\.quorum"),
        ("quorum", 0, r"keys\.quorum"),
        ("quorum", 5, "quorum"),
        ("keys", [], r"keys\.keys"),
        ("keys", {}, "quorum"),
        ("keys", {"node_0": "00"}, r"keys\.keys\.node_0"),
        ("more", None, r"keys\.more.* one of chain_id, genesis, quorum, keys"),
    ],
)
def test_other_keys_documents_are_refused(field, value, place):
    with pytest.raises(InvalidInput, match=place):
        PublicKeys.from_document({**KEYS.to_document(), field: value})


def test_headers_have_the_sizes_and_ranges_of_real_ones():
    for field, value in [("height", 0), ("epoch", -1), ("epoch", 2**63), ("parent", "00")]:
        document = VALID.to_document()
        document["headers"][0][field] = value
        with pytest.raises(InvalidInput, match=rf"proof\.headers\.0\.{field}"):
            FinalityProof.from_document(document)


# One about a first block, one about a second on genesis, one with bytes for a payload.
PROOFS = (VALID, claim(*chain_of(0, 1)), claim(*chain_of(1, 3, 4, 5, payload=b"\xff\xfe")))


@settings(max_examples=300)
@given(st.sampled_from(PROOFS), st.data())
def test_every_tampered_field_is_refused(proof, data):
    document = tampered(proof.to_document(), data)
    try:
        read = FinalityProof.from_document(document)
    except InvalidInput:
        return
    assert json.dumps(read.to_document()) == json.dumps(document)  # there is no other form
    with pytest.raises(ProofRejected):
        verify_proof(read, KEYS)
