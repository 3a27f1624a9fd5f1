"""The page on formats is enough to verify: its own verifier, without the lab, judges as the lab."""

import ast
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab.consensus.evidence import is_proven
from streamlet_lab.consensus.proof import FinalityProof, make_proof
from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import Ed25519Keyring

from . import test_evidence, test_proof
from .committee import Committee
from .tampering import tampered

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
CODE = "".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
VECTORS = json.loads(re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)[0])
STRANGER = {}
exec(compile(CODE, "formats.md", "exec"), STRANGER)
KEYS = test_proof.KEYS.to_document()
IMPORTS = {"cryptography", "hashlib", "json", "re"}


def accepts(document, keys=KEYS, verify="verify_proof"):
    try:
        STRANGER[verify](document, keys)
    except ValueError:
        return False
    return True


def test_the_pages_verifier_knows_nothing_of_the_lab():
    nodes = [*ast.walk(ast.parse(CODE))]
    modules = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} == IMPORTS


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_it_accepts_every_proof_that_the_lab_makes(size):
    committee = Committee(size)
    tree, _ = test_proof.view_of([0, 1, 3, 4, 5], committee=committee, voters=committee.names)
    keys = STRANGER["read"](test_proof.keys_of(committee).to_json())
    for block in tree.finalized[1:]:
        proof = STRANGER["read"](make_proof(tree, block).to_json())
        expected = block.epoch, block.height, block.payload
        assert STRANGER["verify_proof"](proof, keys) == expected


@pytest.mark.parametrize("claimed", test_proof.WRONG_CLAIMS)
def test_it_rejects_what_does_not_follow(claimed):
    proof, _ = test_proof.WRONG_CLAIMS[claimed]
    assert not accepts(json.loads(json.dumps(FinalityProof.to_document(proof))))


def test_it_rejects_a_payload_in_whose_place_another_was_put():
    document = test_proof.PROOFS[2].to_document()
    lie = {"payload_hash": hashlib.sha256(b"a lie").hexdigest()}
    headers = [document["headers"][0] | lie, *document["headers"][1:]]
    assert accepts(document)
    assert not accepts(document | {"payload": "a lie", "headers": headers})


@settings(max_examples=150)
@given(st.sampled_from(test_proof.PROOFS), st.data())
def test_it_rejects_every_tampered_field_of_a_proof(proof, data):
    assert accepts(proof.to_document())
    assert not accepts(tampered(proof.to_document(), data))


@settings(max_examples=100)
@given(st.data())
def test_of_tampered_keys_it_takes_only_those_that_the_lab_takes(data):
    proof, keys = test_proof.VALID, tampered(KEYS, data)
    try:
        sl.verify_proof(proof, sl.PublicKeys.from_document(keys))
    except (InvalidInput, test_proof.ProofRejected):
        assert not accepts(proof.to_document(), keys)
    else:
        assert accepts(proof.to_document(), keys)


def test_it_takes_no_keys_with_which_contradicting_blocks_could_be_proven():
    keys = {**KEYS["keys"], "node_3": KEYS["keys"]["node_0"]}
    assert not accepts(test_proof.VALID.to_document(), KEYS | {"keys": keys})
    committee = Committee(5)
    unsafe = test_proof.keys_of(committee, quorum=3).to_document()
    chain = test_proof.chain_of(1, 2, 3)
    proof = test_proof.claim(*chain, committee=committee, voters=committee.names[:3])
    assert not accepts(proof.to_document(), unsafe)


def test_it_takes_a_text_in_hexadecimal_digits_for_a_second_form():
    digits = {"hex": test_proof.VALID.payload.hex()}
    assert not accepts({**test_proof.VALID.to_document(), "payload": digits})


@pytest.mark.parametrize("text", ['{"format": 1, "format": 1}', "[", '{"a": {"b": 1, "b": 2}}'])
def test_it_reads_no_text_that_says_two_things(text):
    with pytest.raises(ValueError):  # noqa: PT011
        STRANGER["read"](text)


@settings(max_examples=100)
@given(test_evidence.OFFENCES, st.data())
def test_it_convicts_by_the_evidence_that_convicts_in_the_lab(offence, data):
    kind, *votes = offence
    evidence = sl.Evidence(kind, *[test_evidence.signed("node_2", *vote) for vote in votes])
    document = json.loads(evidence.to_json())
    assert STRANGER["verify_evidence"](document, KEYS) == "node_2"
    elsewhere = [test_evidence.signed("node_2", *vote, chain_id="other") for vote in votes]
    document_elsewhere = json.loads(sl.Evidence(kind, *elsewhere).to_json())
    assert not accepts(document_elsewhere, verify="verify_evidence")
    changed = tampered(document, data)
    try:
        convicts = is_proven(sl.Evidence.from_document(changed), test_evidence.PUBLIC_KEYS)
    except InvalidInput:
        convicts = False
    assert accepts(changed, verify="verify_evidence") == convicts


def test_its_values_are_those_of_the_run_and_of_its_own_functions():
    result = sl.Experiment(epochs=4, prices={"voter_policy": "evidence"}).run()
    genesis, block = result.ledger.tree.notarized[:2]
    vote = next(v for v in result.ledger.tree.votes(block.hash) if v.voter == "node_0")
    source = VECTORS["quote"]["source"]
    assert {
        "chain_id": block.chain_id,
        "genesis_payload": genesis.payload.decode(),
        "genesis_hash": genesis.hash.hex(),
        "payload": block.payload.decode(),
        "header": {
            "epoch": 0,
            "height": 1,
            "parent": genesis.hash.hex(),
            "payload_hash": hashlib.sha256(block.payload).hexdigest(),
            "attachment_hash": hashlib.sha256(block.attachment).hexdigest(),
        },
        "block_hash": STRANGER["block_hash"](block.chain_id, VECTORS["header"]),
        "vote_bytes": STRANGER["vote_bytes"](block.chain_id, 0, 1, block.hash.hex()).hex(),
        "node_0": result.keys.keys["node_0"].hex(),
        "signature": vote.signature.hex(),
        "quote": json.loads(block.attachment)[0],
        "source_key": Ed25519Keyring([source], 0).public_key(source).hex(),
    } == VECTORS
    assert VECTORS["block_hash"] == block.hash.hex()
    payload_hash, nothing = (hashlib.sha256(each).hexdigest() for each in (genesis.payload, b""))
    header = {"epoch": -1, "height": 0, "parent": ""}
    header |= {"payload_hash": payload_hash, "attachment_hash": nothing}
    assert STRANGER["block_hash"](block.chain_id, header) == VECTORS["genesis_hash"]


def test_its_quote_is_signed_by_its_source():
    quote, check = VECTORS["quote"], STRANGER["check_signature"]
    check(VECTORS["source_key"], quote["signature"], STRANGER["quote_bytes"](quote))
    later = STRANGER["quote_bytes"]({**quote, "epoch": 1})
    with pytest.raises(ValueError, match="not valid"):
        check(VECTORS["source_key"], quote["signature"], later)
