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

from streamlet_lab.matching.depth import (
    Depth,
    PriceLevel,
    depth_over_time,
)
from streamlet_lab.matching.engine import ConsensusMatchingEngine
from streamlet_lab.matching.events import (
    Accepted,
    BandMoved,
    Cancelled,
    CancelReason,
    Command,
    Event,
    Expired,
    MarketState,
    Reduced,
    ReferenceMoved,
    Rejected,
    RejectReason,
    Replaced,
    Repriced,
    StateChanged,
    Traded,
    Uncrossed,
)
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import (
    MAX_QUANTITY,
    Order,
    OrderType,
    Side,
    TimeInForce,
    Trade,
)
from streamlet_lab.matching.rebuild import replay
from streamlet_lab.matching.reference import Reference
from streamlet_lab.matching.rules import (
    ConsensusBand,
    LuldBand,
    StalePolicy,
    VolatilityAuctionBand,
)
from streamlet_lab.matching.selftrade import SelfTrade
from streamlet_lab.matching.settings import EngineSettings, WithoutReference
from streamlet_lab.matching.tracker import OpenOrder, OrderTracker
from streamlet_lab.matching.watch import (
    NEVER,
    Band,
    BandWatch,
    Decision,
    band,
    bands,
    make_band,
)

__all__ = [
    "MAX_QUANTITY",
    "NEVER",
    "Accepted",
    "Band",
    "BandMoved",
    "BandWatch",
    "CancelReason",
    "Cancelled",
    "Command",
    "ConsensusBand",
    "ConsensusMatchingEngine",
    "Decision",
    "Depth",
    "EngineSettings",
    "Event",
    "Expired",
    "Instrument",
    "LuldBand",
    "MarketState",
    "OpenOrder",
    "Order",
    "OrderTracker",
    "OrderType",
    "PriceLevel",
    "Reduced",
    "Reference",
    "ReferenceMoved",
    "RejectReason",
    "Rejected",
    "Replaced",
    "Repriced",
    "SelfTrade",
    "Side",
    "StalePolicy",
    "StateChanged",
    "TimeInForce",
    "Trade",
    "Traded",
    "Uncrossed",
    "VolatilityAuctionBand",
    "WithoutReference",
    "band",
    "bands",
    "depth_over_time",
    "make_band",
    "replay",
]
