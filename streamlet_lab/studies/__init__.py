"""Studies: what liars do to the price, and what that does to the market.

:mod:`~streamlet_lab.studies.displacement` is a game without a network, which shows what each
aggregator is worth; :mod:`~streamlet_lab.studies.oracle` measures whole runs.
"""

from streamlet_lab.studies.displacement import (
    AGGREGATORS,
    SOURCES,
    displacement,
    push,
    summarize_displacement,
)
from streamlet_lab.studies.oracle import (
    POLICIES,
    denied_trades,
    final_prices,
    lying_leader,
    oracle_numbers,
)

__all__ = [
    "AGGREGATORS",
    "POLICIES",
    "SOURCES",
    "denied_trades",
    "displacement",
    "final_prices",
    "lying_leader",
    "oracle_numbers",
    "push",
    "summarize_displacement",
]
