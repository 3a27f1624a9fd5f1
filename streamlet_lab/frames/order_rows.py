"""A symbol's log, read once: what became of its orders, its trades, where its band was.

What counts is what the log says, in its order; nothing is asked of the engine. Orders and trades
are many: they are read from the rows of the log, and become columns. An event is made of what else
happened only.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple, Self

from streamlet_lab.columns import BandRow, RejectionRow
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.tables import Columns, Rows, by_time, dollars, seconds
from streamlet_lab.matching import (
    BandMoved,
    Cancelled,
    CancelReason,
    Command,
    Event,
    Expired,
    MarketState,
    Reduced,
    Reference,
    ReferenceMoved,
    Rejected,
    Replaced,
    StateChanged,
)
from streamlet_lab.matching.events import Repriced
from streamlet_lab.matching.log import ACCEPTED, TRADED
from streamlet_lab.metrics import (
    AT_ENTRY,
    AT_TRADE,
    MARKET,
    STOP_REASONS,
    SWEPT,
    are_fair,
    is_fair,
    verdict,
)
from streamlet_lab.simulator import Arrival
from streamlet_lab.units import MICROSECONDS_PER_SECOND, MONEY, to_seconds


class Moment(NamedTuple):
    """What holds from an event on."""

    state: MarketState = MarketState.OPEN
    consensus: Reference | None = None  # the latest finalized price that the market knows
    band_reference: Reference | None = None  # what the band goes by, where it has said so
    low: float | None = None  # the band, in dollars
    high: float | None = None
    reference: Reference | None = None  # what prices are held against: the band's, else consensus
    reference_price: float | None = None  # in dollars

    def age_at(self, time: int) -> float | None:
        """Return how long the reference has been known, in seconds."""
        return None if self.reference is None else to_seconds(time - self.reference.time)

    def after(self, event: Event) -> "Moment":
        """Return what holds after an event."""
        match event:
            case ReferenceMoved():
                return self._of(event.reference, self.band_reference, self.low, self.high)
            case BandMoved(low=low, high=high, reference=reference):
                return self._of(self.consensus, reference, dollars(low), dollars(high))
            case StateChanged(state=state):
                return self._replace(state=state)
        return self

    def _of(
        self,
        consensus: Reference | None,
        band_reference: Reference | None,
        low: float | None,
        high: float | None,
    ) -> "Moment":
        reference = band_reference or consensus
        price = None if reference is None else float(reference.price)
        return Moment(self.state, consensus, band_reference, low, high, reference, price)


@dataclass(slots=True)
class _Answer:
    """An order that came, what held then, and what has become of it since."""

    arrival: Arrival
    moment: Moment
    limit: Decimal | None  # as its trader last named it
    left: int  # shares
    status: str = "resting"
    reason: str = ""
    filled: int = 0
    clipped: bool = False

    def end(self, status: str, quantity: int) -> None:
        """Take shares off it, after the last of which it has this status."""
        self.left -= quantity
        if not self.left:
            self.status = status


class _Trade(NamedTuple):
    """A row of the log, and what held then."""

    time: int
    symbol: str
    number: int
    ticks: int  # cents
    quantity: int
    side: int  # of the aggressor
    arrived: str
    waited: str
    moment: Moment
    true_price: int


class _Stop(NamedTuple):
    """An order lost shares, or a replacement, against its trader's wish."""

    event: Rejected | Cancelled | Reduced
    answer: _Answer
    limit: Decimal | None
    action: str
    quantity: int
    where: str


class SymbolLog:
    """What one symbol's log says, in the order of its events."""

    def __init__(self, symbol: str) -> None:
        self.answers: list[_Answer] = []  # each arrival has exactly one
        self.trades: list[_Trade] = []
        self.stops: list[_Stop] = []
        self.moves: list[tuple[int, Moment]] = []
        self.symbol = symbol
        self.position = 0  # in the log: it is read up to here
        self._record: Record
        self._arrivals: deque[Arrival] = deque()  # without an answer so far
        self._truth: dict[int, int] = {}
        self._traded = 0
        self._accepted: dict[str, _Answer] = {}
        self._incoming = ""  # the order that came or was replaced last, while it may be matching
        self._moment = Moment()

    def read(self, record: Record) -> Self:
        """Read what the log says beyond what was read before; the arrivals are those since then."""
        self._record = record
        arrivals = [arrival for arrival in record.arrivals if arrival.symbol == self.symbol]
        self._arrivals.extend(arrivals)
        self._truth.update({arrival.time: arrival.true_price for arrival in arrivals})
        log = record.engines[self.symbol].core.log
        for sequence in range(self.position, len(log.rows)):
            row = log.rows[sequence]
            if type(row) is not tuple:
                self._moment = self._moment.after(row)
                self._read(row)
            elif row[0] == ACCEPTED:
                self._incoming = order_id = row[2][0]
                self._accepted[order_id] = self._answer()
            elif row[0] == TRADED:
                self._trade(row)
            else:
                self._read(log.event(sequence))
        self.position = len(log.rows)
        return self

    def part(self) -> Self:
        """Return this as it is, without the orders that may still change; and forget the rest."""
        part = copy(self)
        part.answers = [answer for answer in self.answers if answer.status != "resting"]
        self.answers = [answer for answer in self.answers if answer.status == "resting"]
        self._accepted = {one.arrival.order.order_id: one for one in self.answers}
        self.trades, self.stops, self.moves, self._truth = [], [], [], {}
        return part

    def true_price(self, time: int) -> int:
        """Return the true price at an instant, in micro-dollars."""
        # Most of what happens is an order's doing, and came with the true price.
        known = self._truth.get(time)
        return self._record.true_price(self.symbol, time) if known is None else known

    def _answer(self) -> _Answer:
        arrival = self._arrivals.popleft()
        answer = _Answer(arrival, self._moment, arrival.order.price, arrival.order.quantity)
        self.answers.append(answer)
        return answer

    def _trade(self, row: Any) -> None:
        time = row[1]
        ticks, quantity, side, arrived, waited, *left = row[-7:]
        for order_id, rest in zip((arrived, waited), left, strict=True):
            answer = self._accepted[order_id]
            answer.filled += quantity
            answer.left = rest
            if not rest:
                answer.status = "filled"
        # Tuples are made here of what is known, in the order of their fields.
        what = (time, self.symbol, self._traded, ticks, quantity, side, arrived, waited)
        self._traded += 1
        self.trades.append(_Trade(*what, self._moment, self.true_price(time)))

    def _read(self, event: Event) -> None:
        match event:
            case Rejected(command=Command.ORDER):
                answer = self._answer()
                answer.status, answer.reason = "rejected", event.reason.value
                self._stop(event, answer, "rejected", answer.left, AT_ENTRY)
            case Rejected(command=Command.REPLACE):
                found = self._accepted.get(event.order_id)
                if found is not None and found.status == "resting":
                    self._stop(event, found, "not replaced", 0)
            case Rejected():
                pass
            case Cancelled(reason=reason):
                answer = self._accepted[event.order_id]
                answer.reason = reason.value
                answer.end("cancelled", event.quantity)
                if reason is not CancelReason.REQUESTED:
                    # What could not wait for an auction was ended by the one that it began.
                    at_trade = event.order_id == self._incoming or (
                        reason is CancelReason.IN_AUCTION
                    )
                    where = AT_TRADE if at_trade else SWEPT
                    self._stop(event, answer, "cancelled", event.quantity, where)
            case Reduced(reason=reason):
                answer = self._accepted[event.order_id]
                answer.left = event.remaining
                if reason is not CancelReason.REQUESTED:
                    self._stop(event, answer, "reduced", event.quantity)
            case Replaced():
                self._incoming = event.order_id
                answer = self._accepted[event.order_id]
                answer.limit, answer.left = event.price, event.quantity
            case Repriced():
                self._accepted[event.order_id].clipped = True
            case Expired():
                self._accepted[event.order_id].end("expired", event.quantity)
            case BandMoved() | StateChanged():
                self._incoming = ""  # what is cancelled from here on has rested in the book
                self.moves.append((event.time, self._moment))

    def _stop(
        self, event: Any, answer: _Answer, action: str, quantity: int, where: str = ""
    ) -> None:
        """Write down that an order lost shares, or a replacement; and whether it was stopped so."""
        where = where if event.reason in STOP_REASONS else ""
        self.stops.append(_Stop(event, answer, answer.limit, action, quantity, where))


def _logs(record: Record) -> list[SymbolLog]:
    """Read the logs of all symbols, once for all their frames."""
    if not record.logs:
        record.logs.extend(SymbolLog(symbol).read(record) for symbol in record.engines)
    return record.logs


def order_columns(record: Record) -> Columns:
    """Return every order, with what became of it."""
    answers = sorted(
        chain.from_iterable(each.answers for each in _logs(record)),
        key=attrgetter("arrival.time"),
    )
    arrivals = [answer.arrival for answer in answers]
    orders = [arrival.order for arrival in arrivals]
    truth = [arrival.true_price for arrival in arrivals]
    prices = [order.price for order in orders]
    return {
        "order_id": [order.order_id for order in orders],
        **record.places([arrival.time for arrival in arrivals]),
        "symbol": [arrival.symbol for arrival in arrivals],
        "trader": [order.trader for order in orders],
        "kind": [arrival.kind for arrival in arrivals],
        "intent": [arrival.intent for arrival in arrivals],
        "side": [str(order.side) for order in orders],
        "type": [str(order.order_type) for order in orders],
        "time_in_force": [str(order.time_in_force) for order in orders],
        "expires_s": [
            None if order.expires is None else to_seconds(order.expires) for order in orders
        ],
        "quantity": [order.quantity for order in orders],
        "price": [None if price is None else float(price) for price in prices],
        "price_cents": _in_cents(prices),
        "true_price": [price / 1e6 for price in truth],
        "fair": are_fair(prices, truth, record.config.market.fair_hundredths),
        **_references(record, answers),
        "status": [answer.status for answer in answers],
        "reason": [answer.reason for answer in answers],
        "filled": [answer.filled for answer in answers],
        "clipped": [answer.clipped for answer in answers],
    }


def _references(record: Record, answers: Sequence[_Answer]) -> Columns:
    """Return what is known of the reference that each order met."""
    met = [(answer.moment.reference, answer.arrival) for answer in answers]
    epochs, known = record.reference_epochs, {}
    for reference, arrival in met:
        if reference is not None and id(reference) not in known:
            quoted = seconds(record.quoted[arrival.symbol].get(reference))
            known[id(reference)] = epochs.get(reference.block_hash), quoted
    said = [known.get(id(reference), (None, None)) for reference, _ in met]
    return {
        "reference_price": [answer.moment.reference_price for answer in answers],
        "reference_epoch": [epoch for epoch, _ in said],
        "reference_quoted_s": [quoted for _, quoted in said],
        "reference_age_s": _ages(
            [reference for reference, _ in met], [arrival.time for _, arrival in met]
        ),
    }


def _ages(references: Sequence[Reference | None], times: Sequence[int]) -> list[float | None]:
    """Return how long each reference was known at its instant, in seconds."""
    return [
        None if each is None else (time - each.time) / MICROSECONDS_PER_SECOND
        for each, time in zip(references, times, strict=True)
    ]


def _in_cents(prices: Sequence[Decimal | None]) -> list[int | None]:
    """Return prices in cents; None for what does not lie on their grid."""
    scaled = [None if price is None else price.scaleb(2, MONEY) for price in prices]
    return [None if each is None or int(each) != each else int(each) for each in scaled]


def trade_columns(record: Record) -> Columns:
    """Return every trade."""
    trades = sorted(
        chain.from_iterable(each.trades for each in _logs(record)), key=attrgetter("time")
    )
    times, truth = [each.time for each in trades], [each.true_price for each in trades]
    prices = [Decimal(each.ticks).scaleb(-2, MONEY) for each in trades]
    sides = [(each.arrived, each.waited)[:: each.side] for each in trades]
    references = [each.moment.reference for each in trades]
    return {
        "trade_id": [each.number for each in trades],
        **record.places(times),
        "symbol": [each.symbol for each in trades],
        "price": [each.ticks / 100 for each in trades],
        "price_cents": [each.ticks for each in trades],
        "quantity": [each.quantity for each in trades],
        "buy_order_id": [buyer for buyer, _ in sides],
        "sell_order_id": [seller for _, seller in sides],
        "aggressor": ["buy" if each.side > 0 else "sell" for each in trades],
        # In a call phase nothing trades until its auction, which is its end.
        "auction": [each.moment.state is MarketState.AUCTION for each in trades],
        "reference_price": [each.moment.reference_price for each in trades],
        "reference_age_s": _ages(references, times),
        "true_price": [price / 1e6 for price in truth],
        "fair": are_fair(prices, truth, record.config.market.fair_hundredths),
    }


def rejection_rows(record: Record) -> Rows:
    """Return each time that an order lost shares, or a replacement, not at its trader's wish."""
    return by_time(_rejections(record, log) for log in _logs(record))


def _rejections(record: Record, log: SymbolLog) -> Iterator[RejectionRow]:
    hundredths = record.config.market.fair_hundredths
    for event, answer, limit, action, quantity, where in log.stops:
        true_price = log.true_price(event.time)
        time_s, epoch = record.place(event.time)
        # What only takes shares away judges no price.
        judged = None if isinstance(event, Reduced) else event
        price, reference = (judged.price, judged.reference) if judged else (None, None)
        is_blocked = price is not None and not is_fair(price, true_price, hundredths)
        yield RejectionRow(
            time_s=time_s,
            epoch=epoch,
            symbol=log.symbol,
            order_id=event.order_id,
            intent=answer.arrival.intent,
            action=action,
            stopped=where,
            reason=event.reason.value,
            quantity=quantity,
            own_price=dollars(limit),
            price=dollars(price),
            reference_price=dollars(reference.price) if reference else None,
            deviation_percent=dollars(judged.deviation_percent) if judged else None,
            reference_age_s=seconds(judged.reference_age) if judged else None,
            true_price=true_price / 1e6,
            verdict=_verdict(answer.arrival, limit, true_price, hundredths) if where else "",
            blocked=where == AT_TRADE and is_blocked,
        )


def _verdict(arrival: Arrival, limit: Decimal | None, true_price: int, hundredths: int) -> str:
    """Say of an order that is stopped whether it was fair, when it came and now."""
    if limit is None or arrival.order.price is None:
        return MARKET
    came_fair = is_fair(arrival.order.price, arrival.true_price, hundredths)
    return verdict(came_fair, is_fair(limit, true_price, hundredths))


def band_rows(record: Record) -> Rows:
    """Return each move of a band, and each change of a market's state."""
    return by_time(_moves(record, log) for log in _logs(record))


def _moves(record: Record, log: SymbolLog) -> Iterator[BandRow]:
    for time, moment in log.moves:
        time_s, epoch = record.place(time)
        yield BandRow(
            time_s=time_s,
            epoch=epoch,
            symbol=log.symbol,
            state=moment.state.value,
            reference_price=moment.reference_price,
            reference_kind=moment.reference.kind if moment.reference else "",
            low=moment.low,
            high=moment.high,
        )
