"""Safety, watched while it happens: each property is a monitor with a verdict.

Only honest nodes promise anything, so only they, and the observer, are watched.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from streamlet_lab.consensus import Block
from streamlet_lab.prices import (
    ORIGIN,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    Voter,
    decode_payload,
)
from streamlet_lab.simulator import Monitor
from streamlet_lab.units import to_seconds


class Status(StrEnum):
    """What became of a property in a run."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A property, what became of it, and the evidence in words."""

    name: str
    statement: str
    status: Status
    evidence: str


class Check(Monitor):
    """A property of a run.

    Parameters
    ----------
    honest : collection of str
        Whom to watch.

    Attributes
    ----------
    name, statement : str
        What the property is called, and what it says.
    violation : str
        The first violation in words; empty as long as there is none.
    examined : int
        How many cases were looked at.
    """

    name: ClassVar[str]
    statement: ClassVar[str]

    def __init__(self, honest: Collection[str]) -> None:
        self.violation = ""
        self.examined = 0
        self._honest = frozenset(honest)

    def result(self) -> CheckResult:
        """Return the verdict so far."""
        if self.violation:
            status, evidence = Status.VIOLATED, self.violation
        elif self.examined:
            status, evidence = Status.HOLDS, f"{self.examined} cases examined"
        else:
            status, evidence = Status.NOT_APPLICABLE, "no case occurred"
        return CheckResult(self.name, self.statement, status, evidence)

    def _violate(self, time: int, description: str) -> None:
        if not self.violation:
            self.violation = f"at {to_seconds(time):.6f} s: {description}"


class Consistency(Check):
    """Theorem 3: two finalized chains never contradict each other, not even for an instant."""

    name = "consistency"
    statement = "no two honest nodes finalize different blocks at one height (Theorem 3)"

    def __init__(self, honest: Collection[str]) -> None:
        super().__init__(honest)
        self._final: dict[int, tuple[Block, str]] = {}

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Compare with what the first node finalized at this height."""
        if node not in self._honest:
            return
        self.examined += 1
        first, first_node = self._final.setdefault(block.height, (block, node))
        if first.hash != block.hash:
            self._violate(time, _conflict(block, node, first, first_node))

    def conflicted(self, time: int, node: str, block: Block) -> None:
        """One node's own view contradicts itself."""
        if node in self._honest:
            self.examined += 1
            self._violate(
                time, f"{node} sees epoch {block.epoch} finalized against its own final chain"
            )


class UniqueNotarization(Check):
    """Lemma 1: with fewer than n/3 Byzantine nodes an epoch has at most one notarized block."""

    name = "unique_notarization"
    statement = "at most one block is notarized in each epoch (Lemma 1)"

    def __init__(self, honest: Collection[str]) -> None:
        super().__init__(honest)
        self._notarized: dict[int, tuple[Block, str]] = {}

    def notarized(self, time: int, node: str, block: Block) -> None:
        """Compare with the first block that anyone saw notarized in this epoch."""
        if node not in self._honest:
            return
        self.examined += 1
        first, first_node = self._notarized.setdefault(block.epoch, (block, node))
        if first.hash != block.hash:
            self._violate(time, _conflict(block, node, first, first_node))


class ValidPrices(Check):
    """Every finalized payload obeys the rules, measured against the finalized chain itself."""

    name = "valid_prices"
    statement = "every finalized payload passes the validation rules"

    def __init__(self, honest: Collection[str], voter: Voter, previous: PreviousConsensus) -> None:
        super().__init__(honest)
        self._voter = Voter(voter.symbol, voter.rules, "bounds")
        self._previous = previous
        self._height = 0

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Judge each height once, when the first node finalizes it."""
        if node not in self._honest or block.height <= self._height:
            return
        self.examined += 1
        self._height = block.height
        try:
            claim = decode_payload(block.payload)
        except MalformedPayload as error:
            self._violate(time, f"epoch {block.epoch}: malformed payload: {error}")
            return
        # Whether the time stamp is right is a matter of the epoch's quotes, not of the rules.
        timestamp = ORIGIN if isinstance(claim, GenesisPrice) else claim.timestamp
        own = NoPrice(self._voter.symbol, "", timestamp)
        objection = self._voter.objection(claim, own, block.epoch, self._previous)
        if objection is not None:
            self._violate(time, f"epoch {block.epoch}: {objection}")
        if isinstance(claim, PriceConsensus):
            self._previous = PreviousConsensus(claim.consensus_price, block.epoch)


def make_checks(
    honest: Collection[str], voter: Voter, genesis: PreviousConsensus
) -> tuple[Check, ...]:
    """Return all checks of a run with prices."""
    return (
        Consistency(honest),
        UniqueNotarization(honest),
        ValidPrices(honest, voter, genesis),
    )


def _conflict(block: Block, node: str, first: Block, first_node: str) -> str:
    return (
        f"{node} has block {block.hash.hex()[:8]} of epoch {block.epoch} at height {block.height}, "
        f"{first_node} has {first.hash.hex()[:8]} of epoch {first.epoch}"
    )
