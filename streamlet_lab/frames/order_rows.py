"""A symbol's events, read once: what became of its orders, its trades, where its band was.

What counts is what the events say, in their order; nothing is asked of the engine.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from decimal import Decimal
from itertools import compress
from operator import not_
from typing import Any, NamedTuple

from streamlet_lab.columns import BandRow, OrderRow, RejectionRow, TradeRow
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.tables import Rows, by_time, cents, dollars, seconds
from streamlet_lab.matching import (
    Accepted,
    BandMoved,
    Cancelled,
    CancelReason,
    Command,
    Event,
    MarketState,
    OpenOrder,
    Order,
    OrderTracker,
    Reduced,
    Reference,
    ReferenceMoved,
    Rejected,
    Replaced,
    StateChanged,
    Traded,
)
from streamlet_lab.metrics import AT_ENTRY, AT_TRADE, MARKET, STOP_REASONS, SWEPT, is_fair, verdict
from streamlet_lab.simulator import Arrival
from streamlet_lab.units import to_seconds, to_ticks


def market_rows(record: Record) -> tuple[Rows, Rows, Rows, Rows]:
    """Return the rows of ``orders``, ``trades``, ``rejections`` and ``bands``, of all symbols."""
    symbols = [SymbolRows(record, symbol) for symbol in record.engines]
    for each in symbols:
        each.read(record, record.engines[each.symbol].events)
    return rows_of(symbols)


def rows_of(symbols: "Sequence[SymbolRows]") -> tuple[Rows, Rows, Rows, Rows]:
    """Return the same of symbols whose events are read."""
    return (
        by_time(each.orders() for each in symbols),
        by_time(each.trades for each in symbols),
        by_time(each.rejections for each in symbols),
        by_time(each.bands for each in symbols),
    )


class Moment(NamedTuple):
    """What holds from an event on."""

    state: MarketState = MarketState.OPEN
    consensus: Reference | None = None  # the latest finalized price that the market knows
    band_reference: Reference | None = None  # what the band goes by, where it has said so
    low: float | None = None  # the band, in dollars
    high: float | None = None

    @property
    def reference(self) -> Reference | None:
        """What prices are held against: that of the band, else the consensus."""
        return self.band_reference or self.consensus

    def reference_at(self, time: int) -> dict[str, Any]:
        """Return the reference's price in dollars and its age in seconds, by their columns."""
        reference = self.reference
        return {
            "reference_price": float(reference.price) if reference else None,
            "reference_age_s": to_seconds(time - reference.time) if reference else None,
        }

    def after(self, event: Event) -> "Moment":
        """Return what holds after an event."""
        match event:
            case ReferenceMoved():
                return self._replace(consensus=event.reference)
            case BandMoved(low=low, high=high, reference=reference):
                return Moment(self.state, self.consensus, reference, dollars(low), dollars(high))
            case StateChanged(state=state):
                return self._replace(state=state)
        return self


class _Answered(NamedTuple):
    """An order that came, what held then, and what has become of it since."""

    arrival: Arrival
    moment: Moment
    order: OpenOrder


class SymbolRows:
    """What one symbol's events say, as rows of frames in the order of the events."""

    def __init__(self, record: Record, symbol: str) -> None:
        self.trades: list[TradeRow] = []
        self.rejections: list[RejectionRow] = []
        self.bands: list[BandRow] = []
        self.symbol = symbol
        self._record = record
        self._fair = record.config.market.fair_hundredths
        self._arrivals: deque[Arrival] = deque()  # each has exactly one answer, in their order
        self._answered: list[_Answered] = []
        self._accepted: dict[str, _Answered] = {}
        self._tracker = OrderTracker()
        self._incoming = ""  # the order that came or was replaced last, while it may be matching
        self._moment = Moment()

    def read(self, record: Record, events: Iterable[Event]) -> None:
        """Read what has happened since the last time, and the orders that came, in a record."""
        self._record = record
        self._arrivals.extend(one for one in record.arrivals if one.symbol == self.symbol)
        for event in events:
            self._moment = self._moment.after(event)
            self._read(event)

    def part(self) -> "SymbolRows":
        """Return the rows of the orders that are over, and the others so far, and drop them."""
        part, still = copy(self), self._tracker.open
        is_open = [still.get(one.arrival.order.order_id) is one.order for one in self._answered]
        part._answered = [*compress(self._answered, map(not_, is_open))]
        self._answered = [*compress(self._answered, is_open)]
        self._accepted = {one.arrival.order.order_id: one for one in self._answered}
        self.trades, self.rejections, self.bands = [], [], []
        return part

    @property
    def over(self) -> list[Order]:
        """The orders that this has the rows of."""
        return [answer.arrival.order for answer in self._answered]

    def orders(self) -> Iterator[OrderRow]:
        """Yield every order, with what became of it."""
        epochs, quoted = self._record.reference_epochs, self._record.quoted[self.symbol]
        for arrival, moment, became in self._answered:
            order, reference = arrival.order, moment.reference
            yield OrderRow(
                order_id=order.order_id,
                **self._at(arrival.time),
                trader=order.trader,
                kind=arrival.kind,
                intent=arrival.intent,
                side=order.side.value,
                type=order.order_type.value,
                time_in_force=order.time_in_force.value,
                expires_s=seconds(order.expires),
                quantity=order.quantity,
                price=dollars(order.price),
                price_cents=cents(order.price),
                true_price=arrival.true_price / 1e6,
                fair=self._is_fair(order.price, arrival.true_price),
                **moment.reference_at(arrival.time),
                reference_epoch=epochs.get(reference.block_hash) if reference else None,
                reference_quoted_s=seconds(quoted.get(reference)) if reference else None,
                status=became.status,
                reason=became.reason,
                filled=became.filled,
                clipped=became.repriced,
            )

    def _at(self, time: int) -> dict[str, Any]:
        time_s, epoch = self._record.place(time)
        return {"time_s": time_s, "epoch": epoch, "symbol": self.symbol}

    def _read(self, event: Event) -> None:
        changed = self._tracker.follow(event)
        match event:
            case Accepted():
                self._accepted[event.order_id] = self._answer(*changed)
                self._incoming = event.order_id
            case Rejected(command=Command.ORDER):
                order, reason = self._arrivals[0].order, event.reason.value
                came = OpenOrder(order, order.price, order.price, 0, 0, "rejected", reason)
                self._turn_away(event, self._answer(came), "rejected", order.quantity, AT_ENTRY)
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
            case BandMoved() | StateChanged():
                self._move(event.time)

    def _answer(self, order: OpenOrder) -> _Answered:
        answer = _Answered(self._arrivals.popleft(), self._moment, order)
        self._answered.append(answer)
        return answer

    def _trade(self, event: Traded) -> None:
        trade, moment = event.trade, self._moment
        true_price = self._record.true_price(self.symbol, trade.time)
        row = TradeRow(
            trade_id=trade.trade_id,
            **self._at(trade.time),
            price=float(trade.price),
            price_cents=to_ticks(trade.price),
            quantity=trade.quantity,
            buy_order_id=trade.buy_order_id,
            sell_order_id=trade.sell_order_id,
            aggressor=trade.aggressor.value,
            # In a call phase nothing trades until its auction, which is its end.
            auction=moment.state is MarketState.AUCTION,
            **moment.reference_at(trade.time),
            true_price=true_price / 1e6,
            fair=self._is_fair(trade.price, true_price),
        )
        self.trades.append(row)

    def _turn_away(
        self,
        event: Rejected | Cancelled | Reduced,
        answer: _Answered,
        action: str,
        quantity: int,
        where: str = "",
    ) -> None:
        """Write down that an order lost shares, or a replacement; and whether it was stopped so."""
        true_price = self._record.true_price(self.symbol, event.time)
        # What only takes shares away judges no price.
        judged = None if isinstance(event, Reduced) else event
        price, reference = (judged.price, judged.reference) if judged else (None, None)
        if event.reason not in STOP_REASONS:
            where = ""
        row = RejectionRow(
            **self._at(event.time),
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
        self.rejections.append(row)

    def _verdict(self, answer: _Answered, true_price: int) -> str:
        """Say of an order that is stopped whether it was fair, when it came and now."""
        arrival, limit = answer.arrival, answer.order.limit
        if limit is None:
            return MARKET
        came_fair = self._is_fair(arrival.order.price, arrival.true_price)
        return verdict(came_fair, self._is_fair(limit, true_price))

    def _is_fair(self, price: Decimal | None, true_price: int) -> bool:
        """Whether a price is fair; an order without a price counts as fair."""
        return price is None or is_fair(price, true_price, self._fair)

    def _move(self, time: int) -> None:
        self._incoming = ""  # what is cancelled from here on has rested in the book
        moment = self._moment
        row = BandRow(
            **self._at(time),
            state=moment.state.value,
            reference_price=moment.reference_at(time)["reference_price"],
            reference_kind=moment.reference.kind if moment.reference else "",
            low=moment.low,
            high=moment.high,
        )
        self.bands.append(row)
