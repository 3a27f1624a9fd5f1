"""Studies: what liars and stale references do to the price, and what that does to the market.

`game` is a game without a network, which shows what each aggregator is worth, `ages` asks paths
alone what an old reference costs; `oracle`, `stale`, `bands` and `reference_costs` measure runs.
"""

from streamlet_lab.studies.ages import AGES as AGES
from streamlet_lab.studies.ages import compare_ages as compare_ages
from streamlet_lab.studies.ages import outside_by_age as outside_by_age
from streamlet_lab.studies.bands import BANDS as BANDS
from streamlet_lab.studies.bands import band_numbers as band_numbers
from streamlet_lab.studies.bands import compare_bands as compare_bands
from streamlet_lab.studies.bands import gains as gains
from streamlet_lab.studies.game import AGGREGATORS as AGGREGATORS
from streamlet_lab.studies.game import SOURCES as SOURCES
from streamlet_lab.studies.game import displacement as displacement
from streamlet_lab.studies.game import push as push
from streamlet_lab.studies.game import summarize_displacement as summarize_displacement
from streamlet_lab.studies.oracle import POLICIES as POLICIES
from streamlet_lab.studies.oracle import denied_trades as denied_trades
from streamlet_lab.studies.oracle import final_prices as final_prices
from streamlet_lab.studies.oracle import lying_leader as lying_leader
from streamlet_lab.studies.oracle import oracle_numbers as oracle_numbers
from streamlet_lab.studies.reference_costs import REFERENCES as REFERENCES
from streamlet_lab.studies.reference_costs import beside_consensus as beside_consensus
from streamlet_lab.studies.reference_costs import compare_references as compare_references
from streamlet_lab.studies.reference_costs import reference_numbers as reference_numbers
from streamlet_lab.studies.stale import daily_volatility as daily_volatility
from streamlet_lab.studies.stale import staleness as staleness
from streamlet_lab.studies.stale import staleness_numbers as staleness_numbers
