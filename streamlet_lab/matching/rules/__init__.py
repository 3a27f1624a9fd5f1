"""The lab's own bands; importing this registers them under their names."""

from streamlet_lab.matching.rules.consensus import ConsensusBand, EntryPolicy, StalePolicy
from streamlet_lab.matching.rules.luld import LuldBand
from streamlet_lab.matching.rules.ranges import VolatilityAuctionBand
from streamlet_lab.matching.watch import REGISTER

REGISTER.close()

__all__ = ["ConsensusBand", "EntryPolicy", "LuldBand", "StalePolicy", "VolatilityAuctionBand"]
