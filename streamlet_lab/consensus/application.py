"""What the protocol agrees on is the business of an application: two pure functions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from streamlet_lab.consensus.messages import Block


class Verdict(NamedTuple):
    """Whether a voter finds a block acceptable, and why not."""

    accepted: bool
    reason: str = ""


_ACCEPTED: Final = Verdict(accepted=True)


class Application(Protocol):
    """Makes payloads and judges those of others.

    Both functions are pure: what a node saw of the outside world in an epoch is handed in as its
    ``observation``. ``ancestors`` walks from the parent down to genesis.
    """

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        """Return payload and attachment for a block of this epoch."""
        ...

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        """Say whether an honest node may vote for a block."""
        ...


@dataclass(frozen=True, slots=True)
class OpaqueApplication:
    """Payloads that mean nothing: the bare protocol."""

    genesis_payload: bytes = b""

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        """Return a text that names the epoch."""
        return f"payload of epoch {epoch}".encode(), b""

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        """Accept everything."""
        return _ACCEPTED

    def vary(self, payload: bytes, number: int) -> bytes:
        """Return another payload."""
        return payload + b"#%d" % number
