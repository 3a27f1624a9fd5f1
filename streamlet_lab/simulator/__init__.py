"""The simulator: an event queue, a network, faults and traders drive the three rooms below.

:mod:`~streamlet_lab.simulator.queue` orders events, :mod:`~streamlet_lab.simulator.network` carries
messages over the links of :mod:`~streamlet_lab.simulator.links`,
:mod:`~streamlet_lab.simulator.faults` says what goes wrong,
:mod:`~streamlet_lab.simulator.simulation` runs Streamlet nodes,
:mod:`~streamlet_lab.simulator.price_application` is what they agree on,
:mod:`~streamlet_lab.simulator.stock` binds it to sources and paths, and
:mod:`~streamlet_lab.simulator.market` trades against what they finalize.
"""

# These register their kinds.
from streamlet_lab.registers import NODE_FAULTS
from streamlet_lab.simulator import adversaries, coalitions, forgers, liars, script  # noqa: F401
from streamlet_lab.simulator.delays import delay_kind as delay_kind
from streamlet_lab.simulator.delays import delay_kinds as delay_kinds
from streamlet_lab.simulator.faults import NodeFault as NodeFault
from streamlet_lab.simulator.faults import Send as Send
from streamlet_lab.simulator.faults import fault_kind as fault_kind
from streamlet_lab.simulator.faults import fault_kinds as fault_kinds
from streamlet_lab.simulator.faults import make_fault as make_fault
from streamlet_lab.simulator.faults import offered_fault_kinds as offered_fault_kinds
from streamlet_lab.simulator.faults import own_fault_kinds as own_fault_kinds
from streamlet_lab.simulator.forgetting import STRETCH as STRETCH
from streamlet_lab.simulator.forgetting import Forgetter as Forgetter
from streamlet_lab.simulator.links import Links as Links
from streamlet_lab.simulator.links import make_links as make_links
from streamlet_lab.simulator.market import Arrival as Arrival
from streamlet_lab.simulator.market import Market as Market
from streamlet_lab.simulator.market import make_engine as make_engine
from streamlet_lab.simulator.monitors import Listeners as Listeners
from streamlet_lab.simulator.monitors import Monitor as Monitor
from streamlet_lab.simulator.monitors import Progress as Progress
from streamlet_lab.simulator.monitors import ProgressReport as ProgressReport
from streamlet_lab.simulator.network import Network as Network
from streamlet_lab.simulator.price_application import PriceApplication as PriceApplication
from streamlet_lab.simulator.price_application import priced as priced
from streamlet_lab.simulator.price_application import read_claims as read_claims
from streamlet_lab.simulator.price_application import references_after as references_after
from streamlet_lab.simulator.queue import EventQueue as EventQueue
from streamlet_lab.simulator.queue import Priority as Priority
from streamlet_lab.simulator.recorder import Recorder as Recorder
from streamlet_lab.simulator.references import Publication as Publication
from streamlet_lab.simulator.references import reference_kind as reference_kind
from streamlet_lab.simulator.references import reference_kinds as reference_kinds
from streamlet_lab.simulator.simulation import Simulation as Simulation
from streamlet_lab.simulator.simulation import create_streamlet_network as create_streamlet_network
from streamlet_lab.simulator.stock import StockSimulation as StockSimulation
from streamlet_lab.simulator.traders import MarketView as MarketView
from streamlet_lab.simulator.traders import Trader as Trader
from streamlet_lab.simulator.traders import make_traders as make_traders
from streamlet_lab.simulator.traders import own_trader_kinds as own_trader_kinds
from streamlet_lab.simulator.traders import trader_kind as trader_kind
from streamlet_lab.simulator.traders import trader_kinds as trader_kinds

NODE_FAULTS.close()
