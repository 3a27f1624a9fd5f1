"""Keys of the nodes: Ed25519, the ideal that it stands for, and what an adversary holds of them."""

from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streamlet_lab.units import to_flag, to_name, to_whole

SignatureScheme = Literal["ed25519", "none"]


class Keyring(Protocol):
    """Signs for nodes and verifies what others say that they signed."""

    def sign(self, node: str, message: bytes) -> bytes:
        """Sign a message with the key of a node."""

    def verify(self, node: str, signature: bytes, message: bytes) -> bool:
        """Whether the signature is the node's, over exactly this message."""


class _KeyPair:
    """A key and its public half; the library does not copy them, so they are made again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.private = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self.private.public_key()

    def __reduce__(self) -> tuple[type["_KeyPair"], tuple[bytes]]:
        return _KeyPair, (self._secret,)


class Ed25519Keyring:
    """One Ed25519 key pair for each node, derived from the seed: it protects a simulation only.

    A verification is a pure function of key, signature and message, so that one process that plays
    every node may ``remember`` it; else every receiver does the work, for studies of what it costs.

    Attributes
    ----------
    signatures, verifications : int
        How many Ed25519 operations were carried out.
    """

    def __init__(self, nodes: Iterable[str], seed: int, *, remember: bool = True) -> None:
        seed, remember = to_whole(seed, 0, "seed"), to_flag(remember, "remember")
        self._keys = {node: _KeyPair(_derive_key(node, seed)) for node in nodes}
        self._remembered: dict[tuple[str, bytes, bytes], bool] | None = {} if remember else None
        self.signatures = 0
        self.verifications = 0

    def public_key(self, node: str) -> bytes:
        """Return the raw 32 bytes of a node's public key."""
        return self._keys[node].public.public_bytes_raw()

    def sign(self, node: str, message: bytes) -> bytes:
        self.signatures += 1
        return self._keys[node].private.sign(message)

    def verify(self, node: str, signature: bytes, message: bytes) -> bool:
        if self._remembered is None:
            return self._verify(node, signature, message)
        question = (node, signature, message)
        answer = self._remembered.get(question)
        if answer is None:
            answer = self._remembered[question] = self._verify(node, signature, message)
        return answer

    def forget(self, node: str, signature: bytes, message: bytes) -> None:
        """Drop a remembered answer that nobody will ask for."""
        if self._remembered is not None:
            self._remembered.pop((node, signature, message), None)

    def _verify(self, node: str, signature: bytes, message: bytes) -> bool:
        key = self._keys.get(node)
        if key is None:
            return False
        self.verifications += 1
        try:
            key.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class IdealSignatures:
    """Signatures that cost nothing and cannot be forged: a book of who signed what.

    The ideal that Ed25519 stands for, for large sweeps: a signature is valid if its signer did sign
    that message, so that no adversary gains anything from the switch. Stamps follow from the seed;
    nobody can know them before they are set.
    """

    signatures = 0
    verifications = 0

    def __init__(self, seed: int = 0) -> None:
        content = str(to_whole(seed, 0, "seed")).encode()
        self._secret = blake2b(content, digest_size=16, person=b"ideal-signature").digest()
        self._book: dict[tuple[str, bytes], bytes] = {}

    def sign(self, node: str, message: bytes) -> bytes:
        """Enter the message into the book, and return a stamp that nobody has seen before."""
        # Not empty, nor the signer's choice: else a forgery could equal a vote that is yet to come.
        named = node.encode() + b"/" + message
        stamp = blake2b(named, digest_size=8, key=self._secret).digest()
        self._book[node, message] = stamp
        return stamp

    def verify(self, node: str, signature: bytes, message: bytes) -> bool:
        return self._book.get((node, message)) == signature

    def forget(self, node: str, signature: bytes, message: bytes) -> None:
        """Drop an entry that nobody will ask for."""
        self._book.pop((node, message), None)


class HeldKeys:
    """What an adversary holds: a keyring that verifies everyone, and signs for some nodes only."""

    def __init__(self, keyring: Keyring, holders: Collection[str]) -> None:
        self._keyring = keyring
        self._holders = tuple(holders)

    def sign(self, node: str, message: bytes) -> bytes:
        to_name(node, self._holders, "by")
        return self._keyring.sign(node, message)

    def verify(self, node: str, signature: bytes, message: bytes) -> bool:
        return self._keyring.verify(node, signature, message)


def make_keyring(
    scheme: SignatureScheme, nodes: Iterable[str], seed: int, *, remember: bool = True
) -> Ed25519Keyring | IdealSignatures:
    """Return the keyring of a signature scheme."""
    if scheme == "none":
        return IdealSignatures(seed)
    return Ed25519Keyring(nodes, seed, remember=remember)


def _derive_key(node: str, seed: int) -> bytes:
    return blake2b(f"{seed}/{node}".encode(), digest_size=32, person=b"streamlet-key").digest()
