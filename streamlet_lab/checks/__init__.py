"""Properties that are watched in every run, at every instant.

:mod:`~streamlet_lab.checks.safety` and :mod:`~streamlet_lab.checks.liveness` have the properties,
:mod:`~streamlet_lab.checks.promises` says which of them a configuration can count on,
:mod:`~streamlet_lab.checks.selection` puts together those of a run, and
:mod:`~streamlet_lab.checks.excerpt` cuts out of a run what shows a violation.
"""

from streamlet_lab.checks.check import Check, CheckResult, Status
from streamlet_lab.checks.excerpt import Excerpt, ExcerptRow, find_excerpt
from streamlet_lab.checks.forensics import find_culprits
from streamlet_lab.checks.liveness import Lemma5, SynchronousLiveness, Theorem6
from streamlet_lab.checks.promises import honest_nodes, why_invalid, why_not_live, why_unsafe
from streamlet_lab.checks.safety import (
    Consistency,
    UniqueNotarization,
    ValidPrices,
    VoteDiscipline,
)
from streamlet_lab.checks.selection import market_checks, protocol_checks

__all__ = [
    "Check",
    "CheckResult",
    "Consistency",
    "Excerpt",
    "ExcerptRow",
    "Lemma5",
    "Status",
    "SynchronousLiveness",
    "Theorem6",
    "UniqueNotarization",
    "ValidPrices",
    "VoteDiscipline",
    "find_culprits",
    "find_excerpt",
    "honest_nodes",
    "market_checks",
    "protocol_checks",
    "why_invalid",
    "why_not_live",
    "why_unsafe",
]
