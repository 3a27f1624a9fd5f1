"""The matching room: orders meet in a book, inside a band around a price that others agreed on.

An :class:`Order` is valid once it exists. A :class:`ConsensusMatchingEngine` takes it, holds its
price against the :class:`ConsensusBand` around the latest :class:`Reference`, and matches it in
price-time priority with what rests in the book. Everything that happens comes out as
an :data:`Event` with a time and one sequence number; what changed hands is also a :class:`Trade`.

The room knows nothing of blocks, feeds or networks: the reference comes in as a plain value, at an
instant of simulated time. Prices are integer ticks inside and ``Decimal`` dollars outside.

>>> from decimal import Decimal
>>> engine = ConsensusMatchingEngine("AAPL")
>>> _ = engine.set_reference(Reference(Decimal("152.45"), time=0))
>>> engine.process_order(Order.limit("s-1", "AAPL", "sell", 100, "182.94"))
[]
>>> print(engine.events[-1].message)
Trade rejected: Price $182.94 deviates 20.00% from consensus $152.45
"""

from streamlet_lab.matching.depth import Depth as Depth
from streamlet_lab.matching.depth import PriceLevel as PriceLevel
from streamlet_lab.matching.depth import depth_over_time as depth_over_time
from streamlet_lab.matching.engine import ConsensusMatchingEngine as ConsensusMatchingEngine
from streamlet_lab.matching.engine_settings import EngineSettings as EngineSettings
from streamlet_lab.matching.engine_settings import WithoutReference as WithoutReference
from streamlet_lab.matching.events import Accepted as Accepted
from streamlet_lab.matching.events import BandMoved as BandMoved
from streamlet_lab.matching.events import Cancelled as Cancelled
from streamlet_lab.matching.events import CancelReason as CancelReason
from streamlet_lab.matching.events import Command as Command
from streamlet_lab.matching.events import Event as Event
from streamlet_lab.matching.events import Expired as Expired
from streamlet_lab.matching.events import MarketState as MarketState
from streamlet_lab.matching.events import Reduced as Reduced
from streamlet_lab.matching.events import ReferenceMoved as ReferenceMoved
from streamlet_lab.matching.events import Rejected as Rejected
from streamlet_lab.matching.events import RejectReason as RejectReason
from streamlet_lab.matching.events import Replaced as Replaced
from streamlet_lab.matching.events import Repriced as Repriced
from streamlet_lab.matching.events import StateChanged as StateChanged
from streamlet_lab.matching.events import Traded as Traded
from streamlet_lab.matching.events import Uncrossed as Uncrossed
from streamlet_lab.matching.instrument import Instrument as Instrument
from streamlet_lab.matching.orders import MAX_QUANTITY as MAX_QUANTITY
from streamlet_lab.matching.orders import Order as Order
from streamlet_lab.matching.orders import OrderType as OrderType
from streamlet_lab.matching.orders import SelfTrade as SelfTrade
from streamlet_lab.matching.orders import Side as Side
from streamlet_lab.matching.orders import TimeInForce as TimeInForce
from streamlet_lab.matching.orders import Trade as Trade
from streamlet_lab.matching.rebuild import replay as replay
from streamlet_lab.matching.reference import Reference as Reference
from streamlet_lab.matching.rules import ConsensusBand as ConsensusBand
from streamlet_lab.matching.rules import LuldBand as LuldBand
from streamlet_lab.matching.rules import StalePolicy as StalePolicy
from streamlet_lab.matching.rules import VolatilityAuctionBand as VolatilityAuctionBand
from streamlet_lab.matching.tracker import OpenOrder as OpenOrder
from streamlet_lab.matching.tracker import OrderTracker as OrderTracker
from streamlet_lab.matching.watch import NEVER as NEVER
from streamlet_lab.matching.watch import Band as Band
from streamlet_lab.matching.watch import BandWatch as BandWatch
from streamlet_lab.matching.watch import Decision as Decision
from streamlet_lab.matching.watch import band as band
from streamlet_lab.matching.watch import band_parameters as band_parameters
from streamlet_lab.matching.watch import bands as bands
from streamlet_lab.matching.watch import make_band as make_band
from streamlet_lab.matching.watch import read_percent as read_percent
