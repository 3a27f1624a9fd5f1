"""What an engine answers: typed events, in one sequence.

Each command is answered by exactly one of ``Accepted`` and ``Rejected``, or, for a cancel that
succeeds, by ``Cancelled``. An accepted order ends once: by the ``Traded`` after which nothing of
it remains, or by ``Cancelled``.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeAlias, assert_never

from streamlet_lab.matching.orders import Order, Trade
from streamlet_lab.matching.reference import Reference
from streamlet_lab.units import deviation_percent, format_price, round_price


class RejectReason(StrEnum):
    """Why a command was refused; a refused command changes nothing."""

    WRONG_SYMBOL = "wrong_symbol"
    DUPLICATE_ID = "duplicate_id"
    NO_CONSENSUS = "no_consensus"
    OUTSIDE_BAND = "outside_band"
    UNKNOWN_ID = "unknown_id"


class CancelReason(StrEnum):
    """Why what was left of an accepted order was taken away."""

    REQUESTED = "requested"
    OUTSIDE_BAND = "outside_band"
    NO_LIQUIDITY = "no_liquidity"


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
        The order that was rejected or cancelled, or whose cancellation was refused.
    price : Decimal or None
        The price that was judged, in dollars; None where none was.
    reference : Reference or None
        The reference at that instant; None before the first.
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
        return (
            f"Price {format_price(self.price)} deviates {round_price(deviation)}% "
            f"from consensus {format_price(self.reference.price)}"
        )


@dataclass(frozen=True, slots=True)
class Rejected(_Refusal):
    """A command was refused and nothing changed.

    Parameters
    ----------
    reason : RejectReason
        Why.
    order : Order or None
        The refused order; None where a cancel was refused.
    """

    reason: RejectReason
    order: Order | None

    @property
    def message(self) -> str:
        """The reason in words, as the description's demos print it."""
        match self.reason:
            case RejectReason.OUTSIDE_BAND:
                return f"Trade rejected: {self._deviation_in_words()}"
            case RejectReason.NO_CONSENSUS:
                return "Trade rejected: No consensus price has been finalized yet"
            case RejectReason.DUPLICATE_ID:
                return f"Trade rejected: Order id {self.order_id} was used before"
            case RejectReason.WRONG_SYMBOL:
                return f"Trade rejected: Order {self.order_id} is for a symbol not traded here"
            case RejectReason.UNKNOWN_ID:
                return f"Cancel rejected: No order {self.order_id} is in the book"
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
        match self.reason:
            case CancelReason.OUTSIDE_BAND:
                return f"Order cancelled: {self._deviation_in_words()}"
            case CancelReason.NO_LIQUIDITY:
                return f"Order cancelled: Nobody to trade {self.quantity} shares with"
            case CancelReason.REQUESTED:
                return f"Order cancelled: {self.quantity} shares of {self.order_id}, as requested"
            case _:
                assert_never(self.reason)


Event: TypeAlias = Accepted | Rejected | Traded | Cancelled
