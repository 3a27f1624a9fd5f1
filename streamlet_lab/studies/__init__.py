"""Studies: what liars and stale references do to the price, and what that does to the market.

:mod:`~streamlet_lab.studies.game` is a game without a network, which shows what each
aggregator is worth; :mod:`~streamlet_lab.studies.oracle` measures whole runs.
:mod:`~streamlet_lab.studies.ages` asks paths alone what an old reference costs, and
:mod:`~streamlet_lab.studies.stale` whole runs; :mod:`~streamlet_lab.studies.bands` compares
bands on the same orders, and :mod:`~streamlet_lab.studies.references` references that need no
agreement with the consensus.
"""

from streamlet_lab.studies.ages import AGES, compare_ages, outside_by_age
from streamlet_lab.studies.bands import BANDS, band_numbers, compare_bands
from streamlet_lab.studies.game import (
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
from streamlet_lab.studies.references import (
    REFERENCES,
    beside_consensus,
    compare_references,
    reference_numbers,
)
from streamlet_lab.studies.stale import (
    CAUSES,
    daily_volatility,
    run_at_pace,
    staleness,
    staleness_numbers,
)

__all__ = [
    "AGES",
    "AGGREGATORS",
    "BANDS",
    "CAUSES",
    "POLICIES",
    "REFERENCES",
    "SOURCES",
    "band_numbers",
    "beside_consensus",
    "compare_ages",
    "compare_bands",
    "compare_references",
    "daily_volatility",
    "denied_trades",
    "displacement",
    "final_prices",
    "lying_leader",
    "oracle_numbers",
    "outside_by_age",
    "push",
    "reference_numbers",
    "run_at_pace",
    "staleness",
    "staleness_numbers",
    "summarize_displacement",
]
