"""The matching engine: commands in, typed events out, one deterministic writer."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.band import ConsensusBand
from streamlet_lab.matching.book import OrderBook, RestingOrder
from streamlet_lab.matching.events import (
    Accepted,
    Cancelled,
    CancelReason,
    Event,
    Rejected,
    RejectReason,
    Traded,
)
from streamlet_lab.matching.orders import (
    Order,
    OrderType,
    Side,
    Trade,
    price_to_ticks,
    require_text,
)
from streamlet_lab.matching.reference import (
    FinalizedPrices,
    LastFinalizedPrice,
    Reference,
    ReferenceSource,
)
from streamlet_lab.units import format_price, to_seconds

WithoutReference = Literal["reject", "allow"]

_FIVE_PERCENT: Final = ConsensusBand()
_LOG = logging.getLogger("streamlet_lab.matching")


class ConsensusMatchingEngine:
    """Matches the orders of one symbol inside a band around the finalized consensus price.

    A limit price outside the band is rejected at entry. Every execution price is checked again
    just before it trades; what is left of an order that meets a price outside is cancelled. When
    the reference moves, resting orders that are now outside are cancelled. A market order that
    finds nobody is accepted, and what is left of it is cancelled with ``no_liquidity``.

    The reference comes from a network that is asked at each command, or is pushed with
    :meth:`set_reference` at the instant at which it changes. Where both happen, the network's
    answer counts again from the next command on.

    Simulated time is an integer number of microseconds and never runs backwards. A command that
    names no time happens at the time of the latest event or reference.

    Parameters
    ----------
    symbol : str
        The only symbol whose orders are accepted.
    consensus_network : ReferenceSource, FinalizedPrices or None
        What is asked for the reference; None where it is only pushed.
    band : ConsensusBand
        How far a price may be from the reference.
    without_reference : {"reject", "allow"}
        Before the first reference, orders are rejected with ``no_consensus``, or trade unchecked.

    Attributes
    ----------
    book : OrderBook
        The resting orders.

    Raises
    ------
    InvalidInput
        If the symbol is empty, the network offers no reference, or ``without_reference`` is not a
        known policy.
    """

    def __init__(
        self,
        symbol: str,
        consensus_network: ReferenceSource | FinalizedPrices | None = None,
        *,
        band: ConsensusBand = _FIVE_PERCENT,
        without_reference: WithoutReference = "reject",
    ) -> None:
        if without_reference not in get_args(WithoutReference):
            raise InvalidInput("without_reference", without_reference, "'reject' or 'allow'")
        require_text(symbol, "symbol")
        offered = getattr(consensus_network, "symbol", symbol)
        if offered != symbol:
            raise InvalidInput("symbol", symbol, f"{offered}, which the network agrees on")
        self.symbol = symbol
        self.band = band
        self.book = OrderBook()
        self._reference: Reference | None = None
        self._source = self._connect(consensus_network)
        self._rejects_without_reference = without_reference == "reject"
        self._limits: tuple[int, int] | None = None  # of the band, in ticks
        self._now = 0
        self._accepted_ids: set[str] = set()
        self._events: list[Event] = []
        self._trades: list[Trade] = []

    @property
    def reference(self) -> Reference | None:
        """The reference that the latest command was held against, None before the first."""
        return self._reference

    @property
    def events(self) -> Sequence[Event]:
        """Every event so far; the position of an event is its sequence number."""
        return self._events

    @property
    def trades(self) -> Sequence[Trade]:
        """Every trade so far; the position of a trade is its id."""
        return self._trades

    def process_order(self, order: Order, time: int | None = None) -> list[Trade]:
        """Submit an order and return its trades; see :meth:`submit`."""
        first = len(self._trades)
        self.submit(order, time)
        return self._trades[first:]

    def submit(self, order: Order, time: int | None = None) -> list[Event]:
        """Match an order.

        Parameters
        ----------
        order : Order
            The order. An id that was accepted before is refused, whatever became of it.
        time : int or None
            The instant in microseconds.

        Returns
        -------
        list of Event
            Cancellations by a reference that moved since the last command, then ``Accepted`` or
            ``Rejected``, then the trades, then ``Cancelled`` if a remainder could not rest.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        first = len(self._events)
        self._advance(time)
        if _LOG.isEnabledFor(logging.INFO):
            _LOG.info("%s", self._describe(order))
        reason = self._find_objection(order)
        if reason is None:
            self._accepted_ids.add(order.order_id)
            self._events.append(Accepted(len(self._events), self._now, order))
            self._execute(order)
        else:
            self._reject(order.order_id, reason, order)
        return self._events[first:]

    def cancel(self, order_id: str, time: int | None = None) -> list[Event]:
        """Take a resting order out of the book.

        Returns
        -------
        list of Event
            Cancellations by a reference that moved since the last command, then ``Cancelled``, or
            ``Rejected`` with ``unknown_id`` where no such order rests, or rests any more.

        Raises
        ------
        InvalidInput
            If the time runs backwards.
        """
        first = len(self._events)
        self._advance(time)
        resting = self.book.find(order_id)
        if resting is None:
            self._reject(order_id, RejectReason.UNKNOWN_ID)
        else:
            self._withdraw(resting, CancelReason.REQUESTED)
        return self._events[first:]

    def set_reference(self, reference: Reference, time: int | None = None) -> list[Event]:
        """Move the band, and cancel the resting orders that are now outside.

        Parameters
        ----------
        reference : Reference
            The price that has just become final.
        time : int or None
            The instant in microseconds.

        Returns
        -------
        list of Event
            The cancellations: bids before asks, on each side first those beyond its best end, from
            the outermost price inwards, at one price by arrival.

        Raises
        ------
        InvalidInput
            If the time runs backwards, or is earlier than the reference.
        """
        first = len(self._events)
        self._move_clock(time)
        self._adopt(reference, time)
        return self._events[first:]

    def get_latest_consensus_price(self) -> Decimal | None:
        """Return the latest finalized consensus price in dollars, None before the first."""
        reference = self._latest_reference()
        return None if reference is None else reference.price

    def validate_trade_price(self, price: Decimal | float | str) -> bool:
        """Whether a price may trade at this instant.

        Raises
        ------
        InvalidInput
            If it is not a price on the cent grid.
        """
        ticks = price_to_ticks(price)
        reference = self._latest_reference()
        if reference is None:
            return not self._rejects_without_reference
        return self.band.allows(ticks, reference.ticks)

    def _connect(self, network: ReferenceSource | FinalizedPrices | None) -> ReferenceSource | None:
        if network is None or isinstance(network, ReferenceSource):
            return network
        if isinstance(network, FinalizedPrices):
            return LastFinalizedPrice(network, lambda: self._now)
        raise InvalidInput(
            "consensus_network",
            network,
            "an object with reference() or get_finalized_consensus_prices()",
        )

    def _latest_reference(self) -> Reference | None:
        asked = None if self._source is None else self._source.reference()
        return asked or self._reference

    def _advance(self, time: int | None) -> None:
        """Move to the instant of a command and see whether the reference has moved."""
        self._move_clock(time)
        if self._source is not None:
            reference = self._source.reference()
            if reference is not None and reference != self._reference:
                self._adopt(reference, time)

    def _move_clock(self, time: int | None) -> None:
        if time is None:
            return
        if isinstance(time, bool) or not isinstance(time, int) or time < self._now:
            raise InvalidInput("time", time, f"whole microseconds, not before {self._now}")
        self._now = time

    def _adopt(self, reference: Reference, time: int | None) -> None:
        if time is not None and reference.time > time:
            raise InvalidInput("reference.time", reference.time, f"an instant not after {time}")
        self._now = max(self._now, reference.time)
        self._reference = reference
        self._limits = low, high = self.band.limits(reference.ticks)
        for resting in self.book.outside(low, high):
            self._withdraw(resting, CancelReason.OUTSIDE_BAND, resting.order.price)

    def _withdraw(
        self, resting: RestingOrder, reason: CancelReason, price: Decimal | None = None
    ) -> None:
        quantity = resting.remaining
        self.book.reduce(resting, quantity)
        self._record_cancel(resting.order, quantity, reason, price)

    def _find_objection(self, order: Order) -> RejectReason | None:
        if order.symbol != self.symbol:
            return RejectReason.WRONG_SYMBOL
        if order.order_id in self._accepted_ids:
            return RejectReason.DUPLICATE_ID
        if self._reference is None and self._rejects_without_reference:
            return RejectReason.NO_CONSENSUS
        if order.ticks is not None and not self._in_band(order.ticks):
            return RejectReason.OUTSIDE_BAND
        return None

    def _in_band(self, ticks: int) -> bool:
        return self._limits is None or self._limits[0] <= ticks <= self._limits[1]

    def _execute(self, order: Order) -> None:
        remaining = order.quantity
        opposite = self.book.opposite(order.side)
        while remaining:
            resting = opposite.front()
            if resting is None or not order.accepts(resting.ticks):
                break
            if not self._in_band(resting.ticks):
                # Resting would cross the book, trading would break the rule: the rest must go.
                price = resting.order.price
                self._record_cancel(order, remaining, CancelReason.OUTSIDE_BAND, price)
                return
            quantity = min(remaining, resting.remaining)
            remaining -= quantity
            self.book.reduce(resting, quantity)
            self._record_trade(order, remaining, resting, quantity)
        if remaining and order.order_type is OrderType.MARKET:
            self._record_cancel(order, remaining, CancelReason.NO_LIQUIDITY)
        elif remaining:
            self.book.add(order, remaining)

    def _record_trade(
        self, order: Order, remaining: int, resting: RestingOrder, quantity: int
    ) -> None:
        price = resting.order.price
        assert price is not None
        arrived, waited = (order.order_id, remaining), (resting.order.order_id, resting.remaining)
        buy, sell = (arrived, waited) if order.side is Side.BUY else (waited, arrived)
        trade = Trade(
            trade_id=len(self._trades),
            time=self._now,
            symbol=self.symbol,
            price=price,
            quantity=quantity,
            buy_order_id=buy[0],
            sell_order_id=sell[0],
            aggressor=order.side,
        )
        self._trades.append(trade)
        self._events.append(Traded(len(self._events), trade, buy[1], sell[1]))

    def _record_cancel(
        self, order: Order, quantity: int, reason: CancelReason, price: Decimal | None = None
    ) -> None:
        event = Cancelled(
            sequence=len(self._events),
            time=self._now,
            order_id=order.order_id,
            price=price,
            reference=None if price is None else self._reference,
            reason=reason,
            order=order,
            quantity=quantity,
        )
        self._events.append(event)
        if _LOG.isEnabledFor(logging.INFO):
            _log_refusal(event)

    def _reject(self, order_id: str, reason: RejectReason, order: Order | None = None) -> None:
        event = Rejected(
            sequence=len(self._events),
            time=self._now,
            order_id=order_id,
            price=None if order is None else order.price,
            # Another symbol's price means nothing beside this one's reference.
            reference=None if reason is RejectReason.WRONG_SYMBOL else self._reference,
            reason=reason,
            order=order,
        )
        self._events.append(event)
        if _LOG.isEnabledFor(logging.INFO):
            _log_refusal(event)

    def _describe(self, order: Order) -> str:
        price = "market" if order.price is None else format_price(order.price)
        reference = "none yet" if self._reference is None else format_price(self._reference.price)
        return f"Processing order at {price} (consensus: {reference})"


def _log_refusal(event: Rejected | Cancelled) -> None:
    age = event.reference_age
    known = "" if age is None else f", reference final for {to_seconds(age):.6f} s"
    _LOG.info("%s [%s%s]", event.message, event.reason, known, extra={"event": event})
