"""The clock: an event queue, a network, faults and traders drive the three rooms below.

:mod:`~streamlet_lab.simulator.queue` orders events, :mod:`~streamlet_lab.simulator.network` carries
messages over the links of :mod:`~streamlet_lab.simulator.links`,
:mod:`~streamlet_lab.simulator.faults` says what goes wrong,
:mod:`~streamlet_lab.simulator.protocol` runs Streamlet nodes,
:mod:`~streamlet_lab.simulator.price_application` is what they agree on,
:mod:`~streamlet_lab.simulator.stock` binds it to sources and paths, and
:mod:`~streamlet_lab.simulator.market` trades against what they finalize.
"""

from streamlet_lab.simulator import (  # noqa: F401  (their kinds of fault register themselves)
    adversaries,
    coalitions,
    forgers,
    liars,
    script,
)
from streamlet_lab.simulator.delays import (
    LOST,
    Delay,
    LognormalDelays,
    constant_delay,
    delay_kind,
    delay_kinds,
)
from streamlet_lab.simulator.faults import (
    NodeFault,
    Seat,
    Send,
    close_register,
    fault_kind,
    fault_kinds,
    make_fault,
    make_faults,
    offered_fault_kinds,
    own_fault_kinds,
)
from streamlet_lab.simulator.links import Links, make_links
from streamlet_lab.simulator.market import Arrival, Market
from streamlet_lab.simulator.monitors import Listeners, Monitor, Progress, ProgressReport
from streamlet_lab.simulator.network import Network, Reception
from streamlet_lab.simulator.price_application import (
    PriceApplication,
    priced,
    read_claims,
    references_after,
)
from streamlet_lab.simulator.protocol import Simulation, create_streamlet_network
from streamlet_lab.simulator.queue import EventQueue, Priority
from streamlet_lab.simulator.recorder import Recorder
from streamlet_lab.simulator.references import Publication, reference_kind, reference_kinds
from streamlet_lab.simulator.stock import StockSimulation
from streamlet_lab.simulator.traders import (
    MarketView,
    Trader,
    make_traders,
    own_trader_kinds,
    trader_kind,
    trader_kinds,
)

close_register()

__all__ = [
    "LOST",
    "Arrival",
    "Delay",
    "EventQueue",
    "Links",
    "Listeners",
    "LognormalDelays",
    "Market",
    "MarketView",
    "Monitor",
    "Network",
    "NodeFault",
    "PriceApplication",
    "Priority",
    "Progress",
    "ProgressReport",
    "Publication",
    "Reception",
    "Recorder",
    "Seat",
    "Send",
    "Simulation",
    "StockSimulation",
    "Trader",
    "constant_delay",
    "create_streamlet_network",
    "delay_kind",
    "delay_kinds",
    "fault_kind",
    "fault_kinds",
    "make_fault",
    "make_faults",
    "make_links",
    "make_traders",
    "offered_fault_kinds",
    "own_fault_kinds",
    "own_trader_kinds",
    "priced",
    "read_claims",
    "reference_kind",
    "reference_kinds",
    "references_after",
    "trader_kind",
    "trader_kinds",
]
