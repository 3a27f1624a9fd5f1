"""Properties that are watched in every run, at every instant.

:mod:`~streamlet_lab.checks.safety` and :mod:`~streamlet_lab.checks.liveness` have the properties,
:mod:`~streamlet_lab.checks.promises` puts together those of a run and says which of them it can
count on, and :mod:`~streamlet_lab.checks.excerpt` cuts out of a run what shows a violation.
"""

from streamlet_lab.checks.check import Check as Check
from streamlet_lab.checks.check import CheckResult as CheckResult
from streamlet_lab.checks.check import Status as Status
from streamlet_lab.checks.excerpt import Excerpt as Excerpt
from streamlet_lab.checks.excerpt import find_culprits as find_culprits
from streamlet_lab.checks.excerpt import find_excerpt as find_excerpt
from streamlet_lab.checks.liveness import Lemma5 as Lemma5
from streamlet_lab.checks.liveness import SynchronousLiveness as SynchronousLiveness
from streamlet_lab.checks.liveness import Theorem6 as Theorem6
from streamlet_lab.checks.promises import CHECKS as CHECKS
from streamlet_lab.checks.promises import market_checks as market_checks
from streamlet_lab.checks.promises import protocol_checks as protocol_checks
from streamlet_lab.checks.safety import Consistency as Consistency
from streamlet_lab.checks.safety import UniqueNotarization as UniqueNotarization
from streamlet_lab.checks.safety import ValidPrices as ValidPrices
from streamlet_lab.checks.safety import VoteDiscipline as VoteDiscipline
