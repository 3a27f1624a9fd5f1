"""The matching room: orders meet in a book, inside a band around a price that others agreed on.

An :class:`Order` is valid once it exists. A :class:`ConsensusMatchingEngine` takes it, holds its
price against the :class:`ConsensusBand` around the latest :class:`Reference`, and matches it in
price-time priority with what rests in the :class:`OrderBook`. Everything that happens comes out as
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

from streamlet_lab.matching.band import ConsensusBand
from streamlet_lab.matching.book import BookSide, Depth, OrderBook, PriceLevel, RestingOrder
from streamlet_lab.matching.engine import ConsensusMatchingEngine, WithoutReference
from streamlet_lab.matching.events import (
    Accepted,
    Cancelled,
    CancelReason,
    Event,
    Rejected,
    RejectReason,
    Traded,
)
from streamlet_lab.matching.orders import MAX_QUANTITY, Order, OrderType, Side, Trade
from streamlet_lab.matching.reference import (
    FinalizedPrice,
    FinalizedPrices,
    Reference,
    ReferenceSource,
)

__all__ = [
    "MAX_QUANTITY",
    "Accepted",
    "BookSide",
    "CancelReason",
    "Cancelled",
    "ConsensusBand",
    "ConsensusMatchingEngine",
    "Depth",
    "Event",
    "FinalizedPrice",
    "FinalizedPrices",
    "Order",
    "OrderBook",
    "OrderType",
    "PriceLevel",
    "Reference",
    "ReferenceSource",
    "RejectReason",
    "Rejected",
    "RestingOrder",
    "Side",
    "Trade",
    "Traded",
    "WithoutReference",
]
