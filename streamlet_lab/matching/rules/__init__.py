"""The lab's own bands; importing this registers them under their names."""

from streamlet_lab.matching.rules.consensus_band import ConsensusBand as ConsensusBand
from streamlet_lab.matching.rules.consensus_band import StalePolicy as StalePolicy
from streamlet_lab.matching.rules.luld import LuldBand as LuldBand
from streamlet_lab.matching.rules.volatility_auction import (
    VolatilityAuctionBand as VolatilityAuctionBand,
)
from streamlet_lab.matching.watch import REGISTER

REGISTER.close()
