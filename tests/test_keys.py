"""Signatures: real ones, over exactly one message of exactly one node."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import Ed25519Keyring, HeldKeys, IdealSignatures, make_keyring

NODES = ("node_0", "node_1")
KEYRING = Ed25519Keyring(NODES, seed=0)


@pytest.fixture(params=[True, False], ids=["remembering", "forgetful"])
def keyring(request):
    return Ed25519Keyring(NODES, seed=0, remember=request.param)


def test_golden_key_and_signature():
    # Ed25519 signatures are deterministic (RFC 8032, section 5.1.6).
    assert KEYRING.public_key("node_0").hex() == (
        "200b6be91cefa69126c7b08ae17dbb662786f2da149dc6d9166f04e0e1346a17"
    )
    assert KEYRING.sign("node_0", b"message").hex() == (
        "80f1e91e2144eea9fdc54032a847f2a316a317029448e17693084ac98154bda2"
        "274ee4634fdbdbe2923ccfad7efc3dba6be0b9a40472463e9dc70a6c047e350c"
    )


def test_signatures_are_ed25519_under_the_public_key():
    signature = KEYRING.sign("node_0", b"message")
    public = Ed25519PublicKey.from_public_bytes(KEYRING.public_key("node_0"))
    public.verify(signature, b"message")
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"another message")


def test_keys_follow_from_seed_and_name():
    again, other_seed = Ed25519Keyring(NODES, seed=0), Ed25519Keyring(NODES, seed=1)
    more_nodes = Ed25519Keyring(("node_2", "node_1"), seed=0)
    assert again.public_key("node_1") == KEYRING.public_key("node_1")
    assert more_nodes.public_key("node_1") == KEYRING.public_key("node_1")
    different = {
        keyring.public_key(node)
        for keyring, node in [(KEYRING, "node_0"), (KEYRING, "node_1"), (other_seed, "node_0")]
    }
    assert len(different) == 3


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_signature_is_valid_for_its_message_alone(message, other):
    signature = KEYRING.sign("node_0", message)
    assert KEYRING.verify("node_0", signature, message)
    assert KEYRING.verify("node_0", signature, other) == (other == message)


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_changed_signature_is_not_valid(position, change):
    signature = bytearray(KEYRING.sign("node_0", b"message"))
    signature[position] ^= change
    assert not KEYRING.verify("node_0", bytes(signature), b"message")


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_not_valid(keyring, length):
    signature = (keyring.sign("node_0", b"message") * 2)[:length]
    assert not keyring.verify("node_0", signature, b"message")


def test_only_the_node_that_signed_is_believed(keyring):
    signature = keyring.sign("node_0", b"message")
    assert keyring.verify("node_0", signature, b"message")
    assert not keyring.verify("node_1", signature, b"message")
    assert not keyring.verify("stranger", signature, b"message")


@pytest.mark.parametrize(("remember", "verifications"), [(True, 3), (False, 9)])
def test_verifications_are_remembered_unless_told_otherwise(remember, verifications):
    keyring = Ed25519Keyring(NODES, seed=0, remember=remember)
    signature = keyring.sign("node_0", b"message")
    for _ in range(3):
        assert keyring.verify("node_0", signature, b"message")
        assert not keyring.verify("node_1", signature, b"message")
        assert not keyring.verify("node_0", signature, b"another message")
    assert (keyring.signatures, keyring.verifications) == (1, verifications)


def test_ideal_signatures_cannot_be_forged():
    keyring = IdealSignatures()
    assert not keyring.verify("node_0", b"", b"message")
    signature = keyring.sign("node_0", b"message")
    assert keyring.verify("node_0", signature, b"message")
    assert not keyring.verify("node_0", b"", b"message")
    assert not keyring.verify("node_1", signature, b"message")
    assert not keyring.verify("node_0", signature, b"another message")
    assert not keyring.verify("node_0", KEYRING.sign("node_0", b"message"), b"message")
    assert (keyring.signatures, keyring.verifications) == (0, 0)


def test_stamps_follow_from_a_seed_that_others_do_not_know():
    stamps = {IdealSignatures(seed).sign("node_0", b"message") for seed in range(5)}
    assert len(stamps) == 5
    assert make_keyring("none", NODES, 3).sign("node_0", b"message") in stamps


@pytest.mark.parametrize(
    "keyring", [Ed25519Keyring(["node_0", "node_1", "node_2"], seed=0), IdealSignatures()]
)
def test_held_keys_sign_for_their_holders_and_verify_everyone(keyring):
    held = HeldKeys(keyring, ["node_0", "node_1"])
    for node in ("node_0", "node_1"):
        assert keyring.verify(node, held.sign(node, b"message"), b"message")
    with pytest.raises(InvalidInput) as caught:
        held.sign("node_2", b"message")
    assert caught.value.value == "node_2"
    assert held.verify("node_2", keyring.sign("node_2", b"message"), b"message")
