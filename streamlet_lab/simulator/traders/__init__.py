"""Traders: small classes, each on a random stream of its own, that meet the same market.

A trader is shown a :class:`MarketView` at the instants of a Poisson process and answers with
actions. Kinds are registered under names with :func:`trader_kind`; :func:`make_traders` turns a
configuration into traders.
"""

from streamlet_lab.registers import TraderContext as TraderContext
from streamlet_lab.simulator.traders.registry import close_register
from streamlet_lab.simulator.traders.registry import make_traders as make_traders
from streamlet_lab.simulator.traders.registry import own_trader_kinds as own_trader_kinds
from streamlet_lab.simulator.traders.registry import trader_kind as trader_kind
from streamlet_lab.simulator.traders.registry import trader_kinds as trader_kinds
from streamlet_lab.simulator.traders.trader import Trader as Trader
from streamlet_lab.simulator.traders.view import Action as Action
from streamlet_lab.simulator.traders.view import Cancel as Cancel
from streamlet_lab.simulator.traders.view import Intent as Intent
from streamlet_lab.simulator.traders.view import MarketView as MarketView
from streamlet_lab.simulator.traders.view import Replace as Replace
from streamlet_lab.simulator.traders.view import Submit as Submit

# isort: split
from streamlet_lab.simulator.traders.fat_finger import FatFinger as FatFinger
from streamlet_lab.simulator.traders.informed import Informed as Informed
from streamlet_lab.simulator.traders.manipulator import Manipulator as Manipulator
from streamlet_lab.simulator.traders.market_maker import MarketMaker as MarketMaker
from streamlet_lab.simulator.traders.momentum import Momentum as Momentum
from streamlet_lab.simulator.traders.zero_intelligence import ZeroIntelligence as ZeroIntelligence

close_register()
