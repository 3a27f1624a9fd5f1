"""Bytes that are hashed and signed: golden, each for one value and one purpose only."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streamlet_lab.consensus import (
    GENESIS_EPOCH,
    Block,
    BlockTree,
    Proposal,
    Vote,
    find_offences,
    make_genesis,
    make_proof,
    proposal_bytes,
    sign_proposal,
    sign_vote,
    vote_bytes,
)
from streamlet_lab.consensus.evidence import is_signed
from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import IdealSignatures

from .committee import GENESIS, Committee

BLOCK = Block("AAPL/simulated/7", 3, 2, bytes(range(32)), b'{"price": "152.45"}', b"evidence")
BLOCK_HASH = bytes.fromhex("15d2b2d0cb947d813d8152d035d62148b32d92d59452c0cbedaeec0d3eddf0ad")
CHAIN_ID = b"\x00\x00\x00\x10AAPL/simulated/7"
SIGNED_PROPOSAL = b"streamlet-lab/proposal/1" + CHAIN_ID + BLOCK_HASH
SIGNED_VOTE = (
    b"streamlet-lab/vote/1"
    + CHAIN_ID
    + b"\x00\x00\x00\x00\x00\x00\x00\x03"
    + b"\x00\x00\x00\x00\x00\x00\x00\x02"
    + BLOCK_HASH
)

integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=8)
blocks = st.builds(
    Block,
    chain_id=texts,
    epoch=integers,
    height=integers,
    parent=st.binary(max_size=8),
    payload=st.binary(max_size=8),
    attachment=st.binary(max_size=8),
)
votes = st.tuples(texts, integers, integers, st.binary(max_size=8))


def test_golden_hashes():
    assert BLOCK.hash == BLOCK_HASH
    assert make_genesis("AAPL/simulated/7").hash == bytes.fromhex(
        "35a5e35a270d117d70c6355ca0278e8ca7ade6cb45b76e584ed50712bf4cd74c"
    )


def test_golden_signed_bytes():
    assert proposal_bytes(BLOCK) == SIGNED_PROPOSAL
    assert vote_bytes("AAPL/simulated/7", 3, 2, BLOCK_HASH) == SIGNED_VOTE


def test_messages_carry_the_bytes_that_are_signed():
    assert Proposal(BLOCK, "node_3", b"").signed == SIGNED_PROPOSAL
    assert Vote("AAPL/simulated/7", 3, 2, BLOCK_HASH, "node_1", b"").signed == SIGNED_VOTE
    assert Proposal(BLOCK, "node_3", b"").epoch == 3


def test_what_is_signed_is_what_the_constructors_make():
    keyring = IdealSignatures()
    for made in (sign_proposal(BLOCK, "node_3", keyring), sign_vote(BLOCK, "node_3", keyring)):
        again = replace(made)
        assert all(getattr(made, name) == getattr(again, name) for name in type(made).__slots__)
        assert keyring.verify("node_3", made.signature, made.signed)
    assert BLOCK.ballot == SIGNED_VOTE


@pytest.mark.parametrize(
    ("call", "field", "kind"),
    [
        (lambda other: sign_vote(other, "node_3", IdealSignatures()), "block", "Block"),
        (lambda other: sign_proposal(other, "node_3", IdealSignatures()), "block", "Block"),
        (lambda other: Proposal(other, "node_3", b""), "block", "Block"),
        (lambda other: BlockTree(GENESIS, 3).add_block(other), "block", "Block"),
        (lambda other: BlockTree(GENESIS, 3).add_vote(other), "vote", "Vote"),
        (lambda other: Committee().node().receive(other), "message", "Proposal"),
        (lambda other: Committee().node().make_block(other), "parent", "Block"),
        (lambda other: make_proof(BlockTree(GENESIS, 3), other), "block", "Block"),
        (lambda other: make_proof(other, BLOCK), "tree", "BlockTree"),
        (lambda other: find_offences([other]), "votes", "Vote"),
        (lambda other: is_signed(other, {}), "vote", "Vote"),
    ],
)
def test_what_is_no_message_is_refused_by_name(call, field, kind):
    with pytest.raises(InvalidInput, match=f"^{field}: .* of the type {kind}$"):
        call("5f" * 32)


def test_genesis_comes_before_epoch_0_at_height_0():
    genesis = make_genesis("a chain", b"payload")
    assert genesis == Block("a chain", -1, 0, b"", b"payload")
    assert genesis.epoch == GENESIS_EPOCH


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("chain_id", texts),
        ("epoch", integers),
        ("height", integers),
        ("parent", st.binary(max_size=8)),
        ("payload", st.binary(max_size=8)),
        ("attachment", st.binary(max_size=8)),
    ],
)
@given(block=blocks, data=st.data())
def test_a_change_of_any_field_changes_the_hash(field, values, block, data):
    value = data.draw(values)
    assume(value != getattr(block, field))
    changed = replace(block, **{field: value})
    assert changed.hash != block.hash
    assert proposal_bytes(changed) != proposal_bytes(block)


@given(blocks, blocks)
def test_blocks_are_equal_exactly_if_their_hashes_are(one, other):
    assert (one == other) == (one.hash == other.hash)
    assert one.hash == replace(one).hash


def test_bytes_that_move_from_one_field_to_the_next_change_the_hash():
    assert replace(BLOCK, payload=BLOCK.payload + b"e", attachment=b"vidence").hash != BLOCK.hash
    assert replace(BLOCK, payload=BLOCK.attachment, attachment=BLOCK.payload).hash != BLOCK.hash
    assert vote_bytes("ab", 0, 0, b"c") != vote_bytes("a", 0, 0, b"bc")


@given(votes, votes)
def test_no_two_votes_sign_the_same_bytes(one, other):
    assert (one == other) == (vote_bytes(*one) == vote_bytes(*other))


@given(blocks, votes)
def test_no_signature_serves_two_purposes(block, vote):
    # The prefix is the domain: it ends before the first length, which begins with a zero byte.
    domains = {signed.split(b"\x00", 1)[0] for signed in (proposal_bytes(block), vote_bytes(*vote))}
    assert domains == {b"streamlet-lab/proposal/1", b"streamlet-lab/vote/1"}
