"""Traders: small classes, each on a random stream of its own, that meet the same market.

A trader is shown a :class:`MarketView` at the instants of a Poisson process and answers with
actions. Kinds are registered under names with :func:`trader_kind`; :func:`make_traders` turns a
configuration into traders.
"""

from streamlet_lab.simulator.traders.kinds import (
    close_register,
    make_traders,
    own_trader_kinds,
    trader_kind,
    trader_kinds,
)
from streamlet_lab.simulator.traders.trader import Trader, TraderContext
from streamlet_lab.simulator.traders.view import (
    Action,
    Cancel,
    Intent,
    MarketView,
    Replace,
    Submit,
)

# isort: split
from streamlet_lab.simulator.traders.fat_finger import FatFinger
from streamlet_lab.simulator.traders.informed import Informed
from streamlet_lab.simulator.traders.manipulator import Manipulator
from streamlet_lab.simulator.traders.market_maker import MarketMaker
from streamlet_lab.simulator.traders.momentum import Momentum
from streamlet_lab.simulator.traders.zero_intelligence import ZeroIntelligence

close_register()

__all__ = [
    "Action",
    "Cancel",
    "FatFinger",
    "Informed",
    "Intent",
    "Manipulator",
    "MarketMaker",
    "MarketView",
    "Momentum",
    "Replace",
    "Submit",
    "Trader",
    "TraderContext",
    "ZeroIntelligence",
    "make_traders",
    "own_trader_kinds",
    "trader_kind",
    "trader_kinds",
]
