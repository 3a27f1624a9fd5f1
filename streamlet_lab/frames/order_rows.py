"""Orders, trades, rejections and bands of all symbols; the first two are many: columns."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from sys import intern

from streamlet_lab.columns import BandRow, RejectionRow
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.symbol_log import Fate, SymbolLog
from streamlet_lab.frames.tables import Columns, Rows, by_time, dollars, seconds
from streamlet_lab.matching import MarketState, Reduced, Reference
from streamlet_lab.metrics import AT_TRADE, MARKET, are_fair, is_fair, verdict
from streamlet_lab.simulator import Arrival
from streamlet_lab.units import MICROSECONDS_PER_SECOND, MONEY, to_seconds


def _logs(record: Record) -> list[SymbolLog]:
    """Read the logs of all symbols, once for all their frames."""
    if not record.logs:
        record.logs.extend(SymbolLog(symbol).read(record) for symbol in record.engines)
    return record.logs


def order_columns(record: Record) -> Columns:
    """Return every order, with what became of it."""
    fates = sorted(
        chain.from_iterable(each.fates for each in _logs(record)), key=attrgetter("arrival.time")
    )
    arrivals = [fate.arrival for fate in fates]
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
        "side": [intern(str(order.side)) for order in orders],
        "type": [intern(str(order.order_type)) for order in orders],
        "time_in_force": [intern(str(order.time_in_force)) for order in orders],
        "expires_s": [
            None if order.expires is None else to_seconds(order.expires) for order in orders
        ],
        "quantity": [order.quantity for order in orders],
        "price": [None if price is None else float(price) for price in prices],
        "price_cents": _in_cents(prices),
        "true_price": [price / 1e6 for price in truth],
        "fair": are_fair(prices, truth, record.config.market.fair_hundredths),
        **_references(record, fates),
        "status": [fate.status for fate in fates],
        "reason": [fate.reason for fate in fates],
        "filled": [fate.filled for fate in fates],
        "clipped": [fate.repriced for fate in fates],
    }


def _references(record: Record, fates: Sequence[Fate]) -> Columns:
    """Return what is known of the reference that each order met."""
    met = [(fate.moment.reference, fate.arrival) for fate in fates]
    epochs, known = record.reference_epochs, {}
    for reference, arrival in met:
        if reference is not None and id(reference) not in known:
            quoted = seconds(record.quoted[arrival.symbol].get(reference))
            known[id(reference)] = epochs.get(reference.block_hash), quoted
    said = [known.get(id(reference), (None, None)) for reference, _ in met]
    return {
        "reference_price": [fate.moment.reference_price for fate in fates],
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
    for event, fate, limit, action, quantity, where in log.stops:
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
            intent=fate.arrival.intent,
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
            verdict=_verdict(fate.arrival, limit, true_price, hundredths) if where else "",
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
