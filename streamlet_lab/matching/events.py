"""What an engine answers: typed events, in one sequence.

Each command has exactly one answer: ``Accepted`` or ``Rejected`` for an order, and otherwise
``Cancelled``, ``Reduced`` or ``Replaced``, or ``Rejected``. An accepted order ends once: by the
``Traded`` after which nothing of it remains, by ``Cancelled`` or by ``Expired``.

Of every event, ``sequence`` is its position in the engine's log, from 0, and ``time`` its instant
in microseconds of simulated time. Prices are in dollars, quantities in shares.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from streamlet_lab.matching.orders import Order, Trade
from streamlet_lab.matching.reference import Reference
from streamlet_lab.units import deviation_percent, format_deviation, format_price


class Command(StrEnum):
    """What a trader may ask for."""

    ORDER = "order"
    CANCEL = "cancel"
    REDUCE = "reduce"
    REPLACE = "replace"


class MarketState(StrEnum):
    """Whether orders are matched, collected or refused.

    ``open``: they are matched. ``limit``: they are too, but the best price stands at the edge of
    the band, and if it stays there an auction follows. ``halted``: they may only be cancelled or
    reduced, until the operator resumes. ``paused``: the same, until there is a newer reference.
    ``auction``: they are collected, and matched at one price when the state ends; only meanwhile
    may the best bid be at or above the best ask. A trading pause of LULD is such an auction.
    """

    OPEN = "open"
    LIMIT = "limit"
    HALTED = "halted"
    PAUSED = "paused"
    AUCTION = "auction"


class RejectReason(StrEnum):
    """Why a command was refused; a refused command changes nothing."""

    WRONG_SYMBOL = "wrong_symbol"
    INVALID_PRICE = "invalid_price"
    INVALID_QUANTITY = "invalid_quantity"
    INVALID_ORDER = "invalid_order"
    OFF_TICK = "off_tick"
    OFF_LOT = "off_lot"
    HALTED = "halted"
    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_ID = "unknown_id"
    NO_CONSENSUS = "no_consensus"
    OUTSIDE_BAND = "outside_band"
    TOO_LATE = "too_late"
    WOULD_TRADE = "would_trade"
    STALE_REFERENCE = "stale_reference"
    IN_AUCTION = "in_auction"


class CancelReason(StrEnum):
    """Why shares of an accepted order were taken away, all that were left or some."""

    REQUESTED = "requested"
    OUTSIDE_BAND = "outside_band"
    NO_LIQUIDITY = "no_liquidity"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"
    SELF_TRADE = "self_trade"
    IN_AUCTION = "in_auction"


class Accepted(NamedTuple):
    """The order, here as it came, passed every check at entry; its trades follow."""

    sequence: int
    time: int
    order: Order

    @property
    def order_id(self) -> str:
        """The id of the accepted order."""
        return self.order.order_id


class Traded(NamedTuple):
    """Two orders traded; an order of which nothing remains has ended."""

    sequence: int
    trade: Trade
    buy_remaining: int
    sell_remaining: int

    @property
    def time(self) -> int:
        """The instant of the trade."""
        return self.trade.time


class Reduced(NamedTuple):
    """Some shares were taken off an order, ``requested`` or for ``self_trade``.

    It keeps its priority; at least one share remains.
    """

    sequence: int
    time: int
    order_id: str
    reason: CancelReason
    quantity: int
    remaining: int


class Replaced(NamedTuple):
    """A resting order got another price or size; where it may trade now, its trades follow.

    The quantity is what is open from now on, before these trades. An order that does not keep its
    priority queues again, behind all others.
    """

    sequence: int
    time: int
    order_id: str
    price: Decimal
    quantity: int
    keeps_priority: bool


class Expired(NamedTuple):
    """The time of a resting order was over; the quantity is what was left of it."""

    sequence: int
    time: int
    order_id: str
    quantity: int


class ReferenceMoved(NamedTuple):
    """The market learned of a newer consensus reference; what the band makes of it follows."""

    sequence: int
    time: int
    reference: Reference


class BandMoved(NamedTuple):
    """The band lies elsewhere from now on; what it does to resting orders follows.

    Trades may happen from ``low`` to ``high``; None where there is no such edge. The reference is
    what the band goes by; None where it goes by none.
    """

    sequence: int
    time: int
    low: Decimal | None
    high: Decimal | None
    reference: Reference | None


class Repriced(NamedTuple):
    """The band moved what is left of an order to its edge, behind all others there."""

    sequence: int
    time: int
    order_id: str
    price: Decimal
    quantity: int


class Uncrossed(NamedTuple):
    """A call auction ended: what it takes off orders and its trades follow, all at one price.

    The price is None where no bid met an ask. The quantity can trade there; the surplus cannot,
    though its limits allow it: above 0 of buyers, below 0 of sellers. Shares that would have traded
    with their own trader do not count; self-trade prevention takes them off first.
    """

    sequence: int
    time: int
    price: Decimal | None
    quantity: int
    surplus: int


class StateChanged(NamedTuple):
    """The market is in another state from now on."""

    sequence: int
    time: int
    state: MarketState


_REJECTIONS: Final = {
    RejectReason.NO_CONSENSUS: "No consensus price has been finalized yet",
    RejectReason.DUPLICATE_ID: "Order id {} was used before",
    RejectReason.WRONG_SYMBOL: "Order {} is for a symbol not traded here",
    RejectReason.UNKNOWN_ID: "No order {} is in the book",
    RejectReason.HALTED: "The market is halted",
    RejectReason.TOO_LATE: "Order {} would have expired before it came",
    RejectReason.WOULD_TRADE: "Order {} would trade, and is post-only",
    RejectReason.STALE_REFERENCE: "The market is paused: its reference is too old",
    RejectReason.IN_AUCTION: "Order {} cannot wait for the end of the call auction",
}

_CANCELLATIONS: Final = {
    CancelReason.NO_LIQUIDITY: "Nobody to trade {} shares with",
    CancelReason.REQUESTED: "{} shares of {}, as requested",
    CancelReason.IMMEDIATE_OR_CANCEL: "{} shares of {} could not trade at once",
    CancelReason.FILL_OR_KILL: "{} shares of {} could not trade whole at once",
    CancelReason.SELF_TRADE: "{} shares of {} would have met their own trader",
    CancelReason.IN_AUCTION: "{} shares of {} cannot wait for the end of the call auction",
}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What a rejection and a cancellation have in common: a price, held against a reference.

    ``outside`` is the first price outside of the band, where that was the reason.
    """

    sequence: int
    time: int
    order_id: str
    price: Decimal | None
    reference: Reference | None
    outside: Decimal | None = field(default=None, kw_only=True, repr=False)

    @property
    def deviation_percent(self) -> Decimal | None:
        """How far the price is from the reference, in percent of the reference."""
        if self.price is None or self.reference is None:
            return None
        return deviation_percent(self.price, self.reference.price)

    @property
    def reference_age(self) -> int | None:
        """How long the reference had been known, in microseconds."""
        return None if self.reference is None else self.time - self.reference.time

    def _deviation_in_words(self) -> str:
        price, reference = self.price, self.reference
        if price is None or reference is None:
            return "The band lets nothing in before its first reference"
        source = "consensus" if reference.kind == "consensus" else "reference"
        deviates = f"deviates {format_deviation(price, reference.price, self.outside)}"
        return (
            f"Price {format_price(price)} {deviates} from {source} {format_price(reference.price)}"
        )


@dataclass(frozen=True, slots=True)
class Rejected(_Refusal):
    """A command was refused and nothing changed.

    Parameters
    ----------
    order_id : str
        The refused order, or the one that the refused command named.
    price : Decimal or None
        The price that was judged; None where none was.
    reference : Reference or None
        What the band went by at that instant, else the consensus; None before the first.
    order : Order or None
        The refused order; None where another command was refused, or what came was no order.
    detail : str
        What was not valid, and what would be; empty where the reason says it all.
    """

    reason: RejectReason
    order: Order | None
    command: Command = Command.ORDER
    detail: str = ""

    @property
    def message(self) -> str:
        """The reason in words, as the description's demos print it."""
        what = "Trade" if self.command is Command.ORDER else self.command.capitalize()
        words = _REJECTIONS.get(self.reason, "").format(self.order_id) or self.detail
        if self.reason is RejectReason.OUTSIDE_BAND:
            words = self._deviation_in_words()
        return f"{what} rejected: {words}"


@dataclass(frozen=True, slots=True)
class Cancelled(_Refusal):
    """What was left of an accepted order was taken away.

    Price and reference are those of the check that failed; None unless the band was the reason. The
    quantity is what was left.
    """

    reason: CancelReason
    quantity: int

    @property
    def message(self) -> str:
        """The reason in words."""
        if self.reason is CancelReason.OUTSIDE_BAND:
            return f"Order cancelled: {self._deviation_in_words()}"
        words = _CANCELLATIONS[self.reason].format(self.quantity, self.order_id)
        return f"Order cancelled: {words}"


Event: TypeAlias = (
    Accepted
    | Rejected
    | Traded
    | Cancelled
    | Reduced
    | Replaced
    | Expired
    | ReferenceMoved
    | BandMoved
    | Repriced
    | Uncrossed
    | StateChanged
)
