"""The checks by their former place."""

from collections.abc import Collection

from streamlet_lab.checks.check import Check, CheckResult, Status
from streamlet_lab.checks.safety import Consistency, UniqueNotarization, ValidPrices
from streamlet_lab.prices import PreviousConsensus, Voter

__all__ = ["Check", "CheckResult", "Consistency", "Status", "UniqueNotarization", "ValidPrices"]


def make_checks(
    honest: Collection[str], voter: Voter, genesis: PreviousConsensus
) -> tuple[Check, ...]:
    """Return all checks of a run with prices."""
    return (
        Consistency(honest),
        UniqueNotarization(honest),
        ValidPrices(honest, voter, genesis),
    )
