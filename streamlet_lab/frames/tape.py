"""One symbol's events, read once: what became of its orders, its trades, where its band was.

What counts is what the events say, in their order; nothing is asked of the engine.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from streamlet_lab.columns import BandRow, OrderRow, RejectionRow, TradeRow
from streamlet_lab.frames.tables import cents, dollars, epoch_at, seconds
from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    Cancelled,
    CancelReason,
    Command,
    Event,
    MarketState,
    OpenOrder,
    OrderTracker,
    Reduced,
    Reference,
    ReferenceMoved,
    Rejected,
    Replaced,
    StateChanged,
    Traded,
)
from streamlet_lab.metrics import (
    AT_ENTRY,
    AT_TRADE,
    MARKET,
    STOP_REASONS,
    SWEPT,
    is_fair,
    verdict,
)
from streamlet_lab.simulator import Arrival
from streamlet_lab.units import to_seconds, to_ticks


class Moment(NamedTuple):
    """What holds from an instant on, microseconds, until the next moment."""

    time: int
    state: MarketState = MarketState.OPEN
    consensus: Reference | None = None  # the latest finalized price that the market knows
    band_reference: Reference | None = None  # what the band goes by, where it has said so
    low: float | None = None  # the band, in dollars
    high: float | None = None

    @property
    def reference(self) -> Reference | None:
        """What prices are held against: that of the band, else the consensus."""
        return self.band_reference or self.consensus

    def price_and_age(self, now: int) -> tuple[float | None, float | None]:
        """Return the reference's price in dollars, and its age in seconds at an instant."""
        reference = self.reference
        if reference is None:
            return None, None
        return float(reference.price), to_seconds(now - reference.time)


class _Answered(NamedTuple):
    """An order that came, what held then, and what has become of it since."""

    arrival: Arrival
    moment: Moment
    order: OpenOrder


class Tape:
    """What one symbol's events say, as rows of frames in the order of the events.

    Parameters
    ----------
    symbol : str
    events : iterable of Event
        The log of its engine, from the beginning.
    arrivals : sequence of Arrival
        The orders that it answers there, in the same order.
    true_price : callable
        Returns the true price in micro-dollars at an instant.
    epoch_length : int
        Microseconds.
    fair_hundredths : int
        How far a fair price is from the true one at most, in hundredths of a percent.
    epochs : mapping of str to int
        The epochs of the blocks that references come from, by their hashes.
    quoted : mapping of Reference to int
        Of which instant a reference from outside is the true price, microseconds.
    """

    def __init__(
        self,
        symbol: str,
        events: Iterable[Event],
        arrivals: Sequence[Arrival],
        *,
        true_price: Callable[[int], int],
        epoch_length: int,
        fair_hundredths: int,
        epochs: Mapping[str, int],
        quoted: Mapping[Reference, int],
    ) -> None:
        self.moments = [Moment(0)]  # at least that of the instant 0
        self.trades: list[TradeRow] = []
        self.rejections: list[RejectionRow] = []
        self.bands: list[BandRow] = []
        self._symbol = symbol
        self._arrivals = arrivals
        self._true_price = true_price
        self._length = epoch_length
        self._fair = fair_hundredths
        self._epochs = epochs
        self._quoted = quoted
        self._answered: list[_Answered] = []  # each arrival has exactly one answer
        self._accepted: dict[str, _Answered] = {}
        self._tracker = OrderTracker()
        self._incoming = ""  # the order that came or was replaced last, while it may be matching
        for event in events:
            self._read(event)

    def orders(self) -> Iterator[OrderRow]:
        """Yield every order, with what became of it."""
        answers = zip(self._arrivals, self._answered, strict=True)
        for arrival, (_, moment, became) in answers:
            time, order, true_price = arrival.time, arrival.order, arrival.true_price
            reference = moment.reference
            price, age = moment.price_and_age(time)
            time_s, epoch, symbol = self.place(time)
            yield OrderRow(
                order_id=order.order_id,
                time_s=time_s,
                epoch=epoch,
                symbol=symbol,
                trader=order.trader,
                kind=arrival.kind,
                intent=arrival.intent,
                side=order.side.value,
                type=order.order_type.value,
                time_in_force=order.time_in_force.value,
                expires_s=seconds(order.expires),
                quantity=order.quantity,
                price=dollars(order.price),
                price_cents=None if order.price is None else cents(order.price),
                true_price=true_price / 1e6,
                fair=self._is_fair(order.price, true_price),
                reference_price=price,
                reference_epoch=self._epochs.get(reference.block_hash) if reference else None,
                reference_quoted_s=seconds(self._quoted.get(reference)) if reference else None,
                reference_age_s=age,
                status=became.status,
                reason=became.reason,
                filled=became.filled,
                clipped=became.repriced,
            )

    def place(self, time: int) -> tuple[float, int, str]:
        """Return an instant in seconds, its epoch and the symbol, as all frames begin."""
        # At the instant 0 nothing has happened; it is of the first epoch, like all that follows.
        return to_seconds(time), max(epoch_at(time, self._length), 0), self._symbol

    def _read(self, event: Event) -> None:
        changed = self._tracker.follow(event)
        match event:
            case Accepted():
                self._accepted[event.order_id] = self._answer(*changed)
                self._incoming = event.order_id
            case Rejected(command=Command.ORDER):
                arrival = self._arrivals[len(self._answered)]
                order, price = arrival.order, arrival.order.price
                status, reason = "rejected", event.reason.value
                answer = self._answer(OpenOrder(order, price, price, 0, 0, status, reason))
                self._turn_away(event, answer, "rejected", order.quantity, AT_ENTRY)
            case Rejected(command=Command.REPLACE) if event.order_id in self._tracker.open:
                self._turn_away(event, self._accepted[event.order_id], "not replaced", 0)
            case Cancelled() if event.reason is not CancelReason.REQUESTED:
                # What could not wait for an auction was ended by the one that it began.
                at_trade = event.order_id == self._incoming or (
                    event.reason is CancelReason.IN_AUCTION
                )
                where = AT_TRADE if at_trade else SWEPT
                answer = self._accepted[event.order_id]
                self._turn_away(event, answer, "cancelled", event.quantity, where)
            case Reduced(reason=reason) if reason is not CancelReason.REQUESTED:
                answer = self._accepted[event.order_id]
                self._turn_away(event, answer, "reduced", event.quantity)
            case Replaced():
                self._incoming = event.order_id
            case Traded():
                self._trade(event)
            case ReferenceMoved():
                moment = self.moments[-1]._replace(time=event.time, consensus=event.reference)
                self.moments.append(moment)
            case BandMoved(_, time, low, high, reference):
                limits = {"low": dollars(low), "high": dollars(high)}
                self._move(time, band_reference=reference, **limits)
            case StateChanged(_, time, state):
                self._move(time, state=state)

    def _answer(self, order: OpenOrder) -> _Answered:
        answer = _Answered(self._arrivals[len(self._answered)], self.moments[-1], order)
        self._answered.append(answer)
        return answer

    def _trade(self, event: Traded) -> None:
        trade = event.trade
        moment, true_price = self.moments[-1], self._true_price(trade.time)
        time_s, epoch, symbol = self.place(trade.time)
        reference_price, age = moment.price_and_age(trade.time)
        self.trades.append(
            TradeRow(
                trade_id=trade.trade_id,
                time_s=time_s,
                epoch=epoch,
                symbol=symbol,
                price=float(trade.price),
                price_cents=to_ticks(trade.price),
                quantity=trade.quantity,
                buy_order_id=trade.buy_order_id,
                sell_order_id=trade.sell_order_id,
                aggressor=trade.aggressor.value,
                # In a call phase nothing trades until its auction, which is its end.
                auction=moment.state is MarketState.AUCTION,
                reference_price=reference_price,
                reference_age_s=age,
                true_price=true_price / 1e6,
                fair=self._is_fair(trade.price, true_price),
            )
        )

    def _turn_away(
        self,
        event: Rejected | Cancelled | Reduced,
        answer: _Answered,
        action: str,
        quantity: int,
        where: str = "",
    ) -> None:
        """Write down that an order lost shares, or a replacement; and whether it was stopped so."""
        true_price = self._true_price(event.time)
        # What only takes shares away judges no price.
        judged = None if isinstance(event, Reduced) else event
        price, reference = (judged.price, judged.reference) if judged else (None, None)
        if event.reason not in STOP_REASONS:
            where = ""
        time_s, epoch, symbol = self.place(event.time)
        self.rejections.append(
            RejectionRow(
                time_s=time_s,
                epoch=epoch,
                symbol=symbol,
                order_id=event.order_id,
                intent=answer.arrival.intent,
                action=action,
                stopped=where,
                reason=event.reason.value,
                quantity=quantity,
                own_price=dollars(answer.order.limit),
                price=dollars(price),
                reference_price=dollars(reference.price) if reference else None,
                deviation_percent=dollars(judged.deviation_percent) if judged else None,
                reference_age_s=seconds(judged.reference_age) if judged else None,
                true_price=true_price / 1e6,
                verdict=self._verdict(answer, true_price) if where else "",
                blocked=where == AT_TRADE and not self._is_fair(price, true_price),
            )
        )

    def _verdict(self, answer: _Answered, true_price: int) -> str:
        """Say of an order that is stopped whether it was fair, when it came and now."""
        arrival, limit = answer.arrival, answer.order.limit
        if limit is None:
            return MARKET
        came_fair = self._is_fair(arrival.order.price, arrival.true_price)
        return verdict(came_fair, self._is_fair(limit, true_price))

    def _is_fair(self, price: Decimal | None, true_price: int) -> bool:
        """Whether a price is fair; where there is none, it is."""
        return price is None or is_fair(price, true_price, self._fair)

    def _move(self, time: int, **changes: Any) -> None:
        self._incoming = ""  # what is cancelled from here on has rested in the book
        moment = self.moments[-1]._replace(time=time, **changes)
        self.moments.append(moment)
        price, _ = moment.price_and_age(time)
        kind = "" if moment.reference is None else moment.reference.kind
        time_s, epoch, symbol = self.place(time)
        state = moment.state.value
        row = BandRow(time_s, epoch, symbol, state, price, kind, moment.low, moment.high)
        self.bands.append(row)
