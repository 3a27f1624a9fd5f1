"""What an engine answers: typed events, in one sequence.

Each command has exactly one answer: ``Accepted`` or ``Rejected`` for an order, and otherwise
``Cancelled``, ``Reduced`` or ``Replaced``, or ``Rejected``. An accepted order ends once: by the
``Traded`` after which nothing of it remains, by ``Cancelled`` or by ``Expired``.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeAlias, assert_never

from streamlet_lab.matching.orders import Order, Trade
from streamlet_lab.matching.reference import Reference
from streamlet_lab.units import deviation_percent, format_price, round_price


class Command(StrEnum):
    """What a trader may ask for."""

    ORDER = "order"
    CANCEL = "cancel"
    REDUCE = "reduce"
    REPLACE = "replace"


class MarketState(StrEnum):
    """What becomes of orders.

    ``open``: they are matched. ``limit``: they are too, but the best price stands at the edge of
    the band, and if it stays there an auction follows. ``halted``: they may only be cancelled or
    reduced, until the operator resumes. ``paused``: the same, until there is a newer reference.
    ``auction``: they are collected, and matched at one price when the state ends; only meanwhile
    may the best bid be at or above the best ask.
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
    """The order passed every check at entry; its trades follow.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    order : Order
        The order as it came.
    """

    sequence: int
    time: int
    order: Order

    @property
    def order_id(self) -> str:
        """The id of the accepted order."""
        return self.order.order_id


class Traded(NamedTuple):
    """Two orders traded.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    trade : Trade
        What was traded.
    buy_remaining, sell_remaining : int
        Shares that are left of the two orders; an order ends where nothing is left.
    """

    sequence: int
    trade: Trade
    buy_remaining: int
    sell_remaining: int

    @property
    def time(self) -> int:
        """Simulated time in microseconds."""
        return self.trade.time


class Reduced(NamedTuple):
    """Some shares were taken off a resting or arriving order; it keeps its priority.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    order_id : str
    reason : CancelReason
        ``requested`` or ``self_trade``.
    quantity : int
        Shares that were taken off.
    remaining : int
        Shares that are left, at least 1.
    """

    sequence: int
    time: int
    order_id: str
    reason: CancelReason
    quantity: int
    remaining: int


class Replaced(NamedTuple):
    """A resting order got another price or size; where it may trade now, its trades follow.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    order_id : str
    price : Decimal
        The price from now on, in dollars.
    quantity : int
        Shares that are open from now on, before its trades.
    keeps_priority : bool
        Whether it stays in its place; otherwise it queues again, behind all others.
    """

    sequence: int
    time: int
    order_id: str
    price: Decimal
    quantity: int
    keeps_priority: bool


class Expired(NamedTuple):
    """The time of a resting order was over.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    order_id : str
    quantity : int
        Shares that were left.
    """

    sequence: int
    time: int
    order_id: str
    quantity: int


class ReferenceMoved(NamedTuple):
    """The market learned of a newer consensus reference; what the band makes of it follows.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    reference : Reference
        The reference from now on.
    """

    sequence: int
    time: int
    reference: Reference


class BandMoved(NamedTuple):
    """The band lies elsewhere from now on; what it does to resting orders follows.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    low, high : Decimal or None
        The lowest and the highest price at which trades may happen, in dollars; None where there
        is no such edge.
    reference : Reference or None
        What the band goes by; None where it goes by none.
    """

    sequence: int
    time: int
    low: Decimal | None
    high: Decimal | None
    reference: Reference | None


class Clipped(NamedTuple):
    """The band moved an order to its edge, where it queues behind all others.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    order_id : str
    price : Decimal
        The price from now on, in dollars.
    quantity : int
        Shares that are left of it.
    """

    sequence: int
    time: int
    order_id: str
    price: Decimal
    quantity: int


class Uncrossed(NamedTuple):
    """A call auction ended: what it takes off orders and its trades follow, all at one price.

    Shares that would have traded with their own trader do not count for the price. Self-trade
    prevention takes them off first.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    price : Decimal or None
        Dollars; None where no bid met an ask.
    quantity : int
        Shares that can trade at the price.
    surplus : int
        Shares that cannot though their limit allows it: above 0 of buyers, below 0 of sellers.
    """

    sequence: int
    time: int
    price: Decimal | None
    quantity: int
    surplus: int


class StateChanged(NamedTuple):
    """The market is in another state from now on.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    state : MarketState
        The state from now on.
    """

    sequence: int
    time: int
    state: MarketState


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What a rejection and a cancellation have in common: a price, held against a reference.

    Parameters
    ----------
    sequence : int
        Position in the engine's log, from 0.
    time : int
        Simulated time in microseconds.
    order_id : str
        The order that was rejected or cancelled, or that the refused command named.
    price : Decimal or None
        The price that was judged, in dollars; None where none was.
    reference : Reference or None
        What the band went by at that instant, else the consensus; None before the first.
    """

    sequence: int
    time: int
    order_id: str
    price: Decimal | None
    reference: Reference | None

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
        deviation = self.deviation_percent
        assert self.price is not None
        assert self.reference is not None
        assert deviation is not None
        source = "consensus" if self.reference.kind == "consensus" else "reference"
        return (
            f"Price {format_price(self.price)} deviates {round_price(deviation)}% "
            f"from {source} {format_price(self.reference.price)}"
        )


@dataclass(frozen=True, slots=True)
class Rejected(_Refusal):
    """A command was refused and nothing changed.

    Parameters
    ----------
    reason : RejectReason
        Why.
    order : Order or None
        The refused order; None where another command was refused, or what came was no order.
    command : Command
        What was asked for.
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
        return f"{what} rejected: {self._reason_in_words()}"

    def _reason_in_words(self) -> str:
        match self.reason:
            case RejectReason.OUTSIDE_BAND:
                return self._deviation_in_words()
            case RejectReason.NO_CONSENSUS:
                return "No consensus price has been finalized yet"
            case RejectReason.DUPLICATE_ID:
                return f"Order id {self.order_id} was used before"
            case RejectReason.WRONG_SYMBOL:
                return f"Order {self.order_id} is for a symbol not traded here"
            case RejectReason.UNKNOWN_ID:
                return f"No order {self.order_id} is in the book"
            case RejectReason.HALTED:
                return "The market is halted"
            case RejectReason.TOO_LATE:
                return f"Order {self.order_id} would have expired before it came"
            case RejectReason.WOULD_TRADE:
                return f"Order {self.order_id} would trade, and is post-only"
            case RejectReason.STALE_REFERENCE:
                return "The market is paused: its reference is too old"
            case RejectReason.IN_AUCTION:
                return f"Order {self.order_id} cannot wait for the end of the call auction"
            case (
                RejectReason.INVALID_PRICE
                | RejectReason.INVALID_QUANTITY
                | RejectReason.INVALID_ORDER
                | RejectReason.OFF_TICK
                | RejectReason.OFF_LOT
            ):
                return self.detail
            case _:
                assert_never(self.reason)


@dataclass(frozen=True, slots=True)
class Cancelled(_Refusal):
    """What was left of an accepted order was taken away.

    Price and reference are those of the check that failed; None unless the band was the reason.

    Parameters
    ----------
    reason : CancelReason
        Why.
    order : Order
        The order as it came.
    quantity : int
        Shares that were left.
    """

    reason: CancelReason
    order: Order
    quantity: int

    @property
    def message(self) -> str:
        """The reason in words."""
        return f"Order cancelled: {self._reason_in_words()}"

    def _reason_in_words(self) -> str:
        shares = f"{self.quantity} shares"
        match self.reason:
            case CancelReason.OUTSIDE_BAND:
                return self._deviation_in_words()
            case CancelReason.NO_LIQUIDITY:
                return f"Nobody to trade {shares} with"
            case CancelReason.REQUESTED:
                return f"{shares} of {self.order_id}, as requested"
            case CancelReason.IMMEDIATE_OR_CANCEL:
                return f"{shares} of {self.order_id} could not trade at once"
            case CancelReason.FILL_OR_KILL:
                return f"{shares} of {self.order_id} could not trade whole at once"
            case CancelReason.SELF_TRADE:
                return f"{shares} of {self.order_id} would have met their own trader"
            case CancelReason.IN_AUCTION:
                return f"{shares} of {self.order_id} cannot wait for the end of the call auction"
            case _:
                assert_never(self.reason)


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
    | Clipped
    | Uncrossed
    | StateChanged
)
