"""The matching room: orders meet in a book, inside a band around a price that others agreed on.

An :class:`Order` is valid once it exists. A :class:`ConsensusMatchingEngine` takes it, holds its
price against the :class:`ConsensusBand` around the latest :class:`Reference`, and matches it in
price-time priority with what rests in the book. Everything that happens comes out as
an :data:`Event` with a time and one sequence number; what changed hands is also a :class:`Trade`.

The room knows nothing of blocks, feeds or networks. The reference comes in as a plain value, from
whatever object offers :meth:`ReferenceSource.reference`, or pushed at an instant of simulated
time. Prices are integer ticks inside and ``Decimal`` dollars outside.

>>> from decimal import Decimal
>>> engine = ConsensusMatchingEngine("AAPL")
>>> _ = engine.set_reference(Reference(Decimal("152.45"), time=0))
>>> engine.process_order(Order.limit("s-1", "AAPL", "sell", 100, "182.94"))
[]
>>> print(engine.events[-1].message)
Trade rejected: Price $182.94 deviates 20.00% from consensus $152.45
"""

from streamlet_lab.matching.band import (
    NEVER,
    Band,
    BandWatch,
    Decision,
    RestingPolicy,
    band,
    bands,
    make_band,
)
from streamlet_lab.matching.depth import BookView, Depth, PriceLevel, RestingOrder
from streamlet_lab.matching.engine import ConsensusMatchingEngine, replay
from streamlet_lab.matching.events import (
    Accepted,
    BandMoved,
    Cancelled,
    CancelReason,
    Clipped,
    Command,
    Event,
    Expired,
    MarketState,
    Reduced,
    ReferenceMoved,
    Rejected,
    RejectReason,
    Replaced,
    StateChanged,
    Traded,
    Uncrossed,
)
from streamlet_lab.matching.history import depth_over_time
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import (
    MAX_QUANTITY,
    Order,
    OrderType,
    Side,
    TimeInForce,
    Trade,
)
from streamlet_lab.matching.record import EngineState, RestingState
from streamlet_lab.matching.reference import (
    FinalizedPrice,
    FinalizedPrices,
    Reference,
    ReferenceSource,
)
from streamlet_lab.matching.rules import (
    ConsensusBand,
    EntryPolicy,
    LuldBand,
    StalePolicy,
    VolatilityAuctionBand,
)
from streamlet_lab.matching.selftrade import SelfTrade
from streamlet_lab.matching.settings import EngineSettings, WithoutReference
from streamlet_lab.matching.views import EventLog, TradeTape

__all__ = [
    "MAX_QUANTITY",
    "NEVER",
    "Accepted",
    "Band",
    "BandMoved",
    "BandWatch",
    "BookView",
    "CancelReason",
    "Cancelled",
    "Clipped",
    "Command",
    "ConsensusBand",
    "ConsensusMatchingEngine",
    "Decision",
    "Depth",
    "EngineSettings",
    "EngineState",
    "EntryPolicy",
    "Event",
    "EventLog",
    "Expired",
    "FinalizedPrice",
    "FinalizedPrices",
    "Instrument",
    "LuldBand",
    "MarketState",
    "Order",
    "OrderType",
    "PriceLevel",
    "Reduced",
    "Reference",
    "ReferenceMoved",
    "ReferenceSource",
    "RejectReason",
    "Rejected",
    "Replaced",
    "RestingOrder",
    "RestingPolicy",
    "RestingState",
    "SelfTrade",
    "Side",
    "StalePolicy",
    "StateChanged",
    "TimeInForce",
    "Trade",
    "TradeTape",
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
