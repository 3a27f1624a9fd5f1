"""Traders: small classes, each on a random stream of its own, that meet the same market.

A trader is shown a :class:`MarketView` at the instants of a Poisson process and answers with
actions. Kinds are registered under names with :func:`trader_kind`; :func:`make_traders` turns a
configuration into traders.
"""

from streamlet_lab.registers import TRADERS
from streamlet_lab.registers import TraderContext as TraderContext

# These register their kinds.
from streamlet_lab.simulator.traders import market_maker, scripted, simple_traders  # noqa: F401
from streamlet_lab.simulator.traders.reports import ExecutionReports as ExecutionReports
from streamlet_lab.simulator.traders.trader import Action as Action
from streamlet_lab.simulator.traders.trader import Cancel as Cancel
from streamlet_lab.simulator.traders.trader import MarketView as MarketView
from streamlet_lab.simulator.traders.trader import Replace as Replace
from streamlet_lab.simulator.traders.trader import Submit as Submit
from streamlet_lab.simulator.traders.trader import Trader as Trader
from streamlet_lab.simulator.traders.trader import make_traders as make_traders
from streamlet_lab.simulator.traders.trader import own_trader_kinds as own_trader_kinds
from streamlet_lab.simulator.traders.trader import trader_kind as trader_kind
from streamlet_lab.simulator.traders.trader import trader_kinds as trader_kinds

TRADERS.close()
