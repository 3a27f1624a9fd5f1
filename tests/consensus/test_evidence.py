"""Forensics: who broke a provable rule is found and convicted, and nobody else ever is."""

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streamlet_lab.consensus import Vote
from streamlet_lab.consensus.evidence import (
    Evidence,
    Offence,
    find_offences,
    guaranteed_culprits,
    is_proven,
)
from streamlet_lab.consensus.quorums import max_faulty, quorum
from streamlet_lab.errors import InvalidInput
from streamlet_lab.texts import parse_json

from .committee import Committee
from .tampering import tampered

COMMITTEE = Committee()
PUBLIC_KEYS = {name: COMMITTEE.keyring.public_key(name) for name in COMMITTEE.names}


def signed(voter, epoch, height, block_hash=b"", chain_id="test"):
    vote = Vote(chain_id, epoch, height, block_hash, voter, b"")
    return replace(vote, signature=COMMITTEE.keyring.sign(voter, vote.signed))


@st.composite
def honest_histories(draw):
    """Votes of all nodes: each at most once an epoch, on chains that never get shorter."""
    history = []
    for voter in COMMITTEE.names:
        epochs = sorted(draw(st.sets(st.integers(0, 12), max_size=5)))
        heights = sorted(draw(st.lists(st.integers(1, 6), min_size=5, max_size=5)))
        hashes = draw(st.lists(st.sampled_from([b"A", b"B", b"C"]), min_size=5, max_size=5))
        history += [signed(voter, *v) for v in zip(epochs, heights, hashes, strict=False)]
    return history


OFFENCES = st.sampled_from(
    [
        (Offence.TWO_VOTES, (7, 3, b"X"), (7, 3, b"Y")),
        (Offence.TWO_VOTES, (7, 3, b"X"), (7, 2, b"X")),
        (Offence.TWO_VOTES, (7, 3, b"X"), (7, 4, b"Y")),
        (Offence.SHORTER_CHAIN, (6, 3, b"X"), (7, 2, b"Y")),
        (Offence.SHORTER_CHAIN, (0, 9, b"X"), (12, 1, b"Y")),
    ]
)


@settings(max_examples=50)
@given(honest_histories(), st.randoms())
def test_honest_voters_never_look_guilty(history, random):
    repeated = [*history, *history]
    random.shuffle(repeated)
    assert find_offences(repeated) == {}


@settings(max_examples=50)
@given(honest_histories(), OFFENCES, st.sampled_from(COMMITTEE.names), st.randoms())
def test_an_offence_is_found_and_proven_in_any_order(history, planted, culprit, random):
    _, *numbers = planted
    everything = [*history, *(signed(culprit, *number) for number in numbers)]
    found = find_offences(everything)
    assert found.keys() == {culprit}
    assert found[culprit].culprit == culprit
    assert is_proven(found[culprit], PUBLIC_KEYS)
    random.shuffle(everything)
    assert find_offences(everything) == found


@given(OFFENCES)
def test_an_offence_alone_is_named_as_what_it_is(planted):
    offence, *numbers = planted
    evidence = find_offences(signed("node_2", *number) for number in numbers)["node_2"]
    assert evidence.offence is offence
    assert {evidence.first, evidence.second} == {signed("node_2", *number) for number in numbers}


def test_the_earliest_offence_is_reported():
    history = [(1, 1), (2, 4), (3, 4), (5, 2), (6, 1), (7, 1)]
    evidence = find_offences(signed("node_0", *numbers) for numbers in history)["node_0"]
    assert evidence == Evidence(
        Offence.SHORTER_CHAIN, signed("node_0", 3, 4), signed("node_0", 5, 2)
    )


def test_a_vote_signed_in_two_ways_is_one_vote_and_leaves_no_choice():
    # Ed25519 lets the holder of a key make more than one valid signature over a message.
    one, other = signed("node_0", 1, 2), signed("node_0", 2, 1)
    again = replace(one, signature=b"another")
    assert find_offences([one, again]) == {}
    assert find_offences([one, again, other]) == find_offences([again, one, other])


def test_votes_on_two_chains_are_no_offence():
    history = [signed("node_0", 1, 5, b"A"), signed("node_0", 1, 1, b"B", chain_id="other")]
    assert find_offences(history) == {}
    assert not is_proven(Evidence(Offence.TWO_VOTES, *history), PUBLIC_KEYS)


TWO_VOTES = Evidence(
    Offence.TWO_VOTES, signed("node_0", 4, 2, b"A" * 32), signed("node_0", 4, 2, b"B" * 32)
)
SHORTER = Evidence(
    Offence.SHORTER_CHAIN, signed("node_0", 4, 2, b"A" * 32), signed("node_0", 5, 1, b"B" * 32)
)

WRONG_CLAIMS = {
    "offence of the other kind": Evidence(Offence.TWO_VOTES, SHORTER.first, SHORTER.second),
    "the wrong way round": Evidence(Offence.SHORTER_CHAIN, SHORTER.second, SHORTER.first),
    "honest votes backwards": Evidence(
        Offence.SHORTER_CHAIN, signed("node_0", 5, 3), signed("node_0", 4, 2)
    ),
    "one vote twice": Evidence(Offence.TWO_VOTES, TWO_VOTES.first, TWO_VOTES.first),
    "equal heights": Evidence(Offence.SHORTER_CHAIN, TWO_VOTES.first, signed("node_0", 5, 2)),
    "two voters": Evidence(Offence.TWO_VOTES, TWO_VOTES.first, signed("node_1", 4, 2)),
    "no signature": replace(TWO_VOTES, second=replace(TWO_VOTES.second, signature=b"")),
    "a signature of the other vote": replace(
        TWO_VOTES, second=replace(TWO_VOTES.second, signature=TWO_VOTES.first.signature)
    ),
    "a stranger": Evidence(
        Offence.TWO_VOTES, signed("stranger", 4, 2, b"A"), signed("stranger", 4, 2, b"B")
    ),
}


@pytest.mark.parametrize("evidence", [TWO_VOTES, SHORTER])
def test_true_evidence_is_proven(evidence):
    assert is_proven(evidence, PUBLIC_KEYS)


@pytest.mark.parametrize("claim", WRONG_CLAIMS)
def test_what_does_not_follow_is_not_proven(claim):
    assert not is_proven(WRONG_CLAIMS[claim], PUBLIC_KEYS)


def test_evidence_needs_the_culprits_own_key():
    swapped = {**PUBLIC_KEYS, "node_0": PUBLIC_KEYS["node_1"]}
    assert not is_proven(TWO_VOTES, swapped)


@given(OFFENCES)
def test_evidence_survives_json(planted):
    _, *numbers = planted
    (evidence,) = find_offences(signed("node_1", *number) for number in numbers).values()
    again = Evidence.from_document(parse_json(json.dumps(evidence.to_document())))
    assert again == evidence
    assert is_proven(again, PUBLIC_KEYS)


@given(st.sampled_from([TWO_VOTES, SHORTER]), st.data())
def test_every_tampered_field_is_refused(evidence, data):
    document = tampered(evidence.to_document(), data)
    try:
        changed = Evidence.from_document(document)
    except InvalidInput:
        return
    assert json.dumps(changed.to_document()) == json.dumps(document)  # there is no other form
    # Which of two votes of one epoch stands first says nothing.
    assume({changed.first, changed.second} != {evidence.first, evidence.second})
    assert not is_proven(changed, PUBLIC_KEYS)


def test_an_error_names_the_place_and_what_belongs_there():
    document = TWO_VOTES.to_document()
    document["second"]["epoch"] = True
    with pytest.raises(InvalidInput, match=r"evidence\.second\.epoch: True .* a whole number"):
        Evidence.from_document(document)


def test_more_than_the_tolerated_number_is_guaranteed_to_be_caught():
    for nodes in range(1, 30):
        assert guaranteed_culprits(nodes, quorum(nodes)) > max_faulty(nodes)
    assert guaranteed_culprits(5, 2) == 0
