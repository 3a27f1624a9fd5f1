"""Tidy frames of a run: one row one observation, every column with its type, unit and meaning.

:data:`COLUMNS` is the one place that says which columns there are, in which order. Prices come as
float dollars for looking and as integers for exactness; times are seconds of protocol time.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from streamlet_lab.consensus import Block
from streamlet_lab.matching import Accepted, Cancelled, Reference, Rejected, Traded
from streamlet_lab.prices import MalformedPayload, NoPrice, PriceConsensus, decode_payload
from streamlet_lab.simulator import (
    Market,
    Recorder,
    StockMarketConsensusNetwork,
    StreamletSimulation,
)
from streamlet_lab.units import to_micros, to_seconds, to_ticks


class Column(NamedTuple):
    """What a column holds. The type ``Int64`` is an integer that may be missing."""

    dtype: str
    meaning: str


_EPOCH: Final = Column("int64", "epoch, from 0")
_TIME: Final = Column("float64", "seconds of protocol time")
_HASH: Final = Column("str", "hash of the block, hexadecimal; empty if there is none")
_NODE: Final = Column("str", "name of the node")
_ORDER: Final = Column("str", "id of the order")
_TRUE: Final = Column("float64", "underlying price at that instant, dollars")
_REFERENCE: Final = Column("float64", "reference price at that instant, dollars; NaN before one")

COLUMNS: Final[dict[str, dict[str, Column]]] = {
    "epochs": {
        "epoch": _EPOCH,
        "start_s": Column("float64", "when the epoch began, seconds of protocol time"),
        "timestamp": Column("str", "market time of the quotes, ISO 8601, UTC"),
        "leader": _NODE,
        "block_hash": _HASH,
        "claim": Column("str", "price_consensus, no_price, malformed, or empty without a block"),
        "reason": Column("str", "why there is no price, or why voters refused the block"),
        "true_price": Column("float64", "underlying price at the epoch's start, dollars"),
        "consensus_price": Column("float64", "simple average in the block, dollars"),
        "consensus_cents": Column("Int64", "the same, cents"),
        "vwap": Column("float64", "volume-weighted average in the block, dollars"),
        "vwap_cents": Column("Int64", "the same, cents"),
        "total_volume": Column("Int64", "volume in the block, shares"),
        "price_count": Column("Int64", "number of valid sources in the block"),
        "votes": Column("int64", "votes for the block that the observer has seen"),
        "notarized_s": Column("float64", "when the observer saw it notarized, seconds"),
        "finalized_s": Column("float64", "when the observer saw it finalized, seconds"),
        "latency_s": Column("float64", "from the epoch's start to finality, seconds"),
        "latency_epochs": Column("Int64", "epochs from its own to the one that finalized it"),
    },
    "blocks": {
        "block_hash": _HASH,
        "parent_hash": Column("str", "hash of the parent, hexadecimal"),
        "epoch": _EPOCH,
        "height": Column("int64", "blocks below it; genesis has 0"),
        "proposer": _NODE,
        "proposed_s": _TIME,
        "claim": Column("str", "price_consensus, no_price or malformed"),
        "consensus_price": Column("float64", "dollars"),
        "votes": Column("int64", "votes that the observer has seen"),
        "refusals": Column("int64", "voters that found it unacceptable"),
        "reason": Column("str", "the first refusal's reason"),
        "notarized": Column("bool", "ends a notarized chain in the observer's view"),
        "finalized": Column("bool", "is in the observer's finalized chain"),
    },
    "finality": {
        "node": _NODE,
        "epoch": _EPOCH,
        "height": Column("int64", "blocks below it; genesis has 0"),
        "block_hash": _HASH,
        "notarized_s": Column("float64", "when this node saw it notarized, seconds"),
        "finalized_s": Column("float64", "when this node saw it finalized, seconds; NaN if not"),
        "latency_s": Column("float64", "from the epoch's start to finality, seconds"),
    },
    "quotes": {
        "epoch": _EPOCH,
        "source": Column("str", "who quotes"),
        "price": Column("float64", "dollars"),
        "price_micros": Column("int64", "the same, micro-dollars"),
        "volume": Column("int64", "shares"),
        "true_price": _TRUE,
        "previous_price": Column("float64", "consensus that the deviation rule compares with"),
        "valid": Column("bool", "whether the leader counted it"),
        "reason": Column("str", "valid, the rule that it broke, or no_leader"),
    },
    "orders": {
        "order_id": _ORDER,
        "time_s": _TIME,
        "epoch": _EPOCH,
        "trader": Column("str", "who sent it"),
        "intent": Column("str", "honest, or far: a price far from the true one"),
        "side": Column("str", "buy or sell"),
        "type": Column("str", "limit or market"),
        "quantity": Column("int64", "shares"),
        "price": Column("float64", "limit, dollars; NaN for a market order"),
        "price_cents": Column("Int64", "the same, cents"),
        "true_price": _TRUE,
        "reference_price": _REFERENCE,
        "status": Column("str", "rejected, cancelled, filled, or resting at the end"),
        "reason": Column("str", "why it was rejected or cancelled"),
        "filled": Column("int64", "shares traded"),
    },
    "trades": {
        "trade_id": Column("int64", "position on the tape, from 0"),
        "time_s": _TIME,
        "epoch": _EPOCH,
        "price": Column("float64", "dollars"),
        "price_cents": Column("int64", "the same, cents"),
        "quantity": Column("int64", "shares"),
        "buy_order_id": _ORDER,
        "sell_order_id": _ORDER,
        "aggressor": Column("str", "side of the order that came last"),
        "true_price": _TRUE,
    },
    "rejections": {
        "time_s": _TIME,
        "epoch": _EPOCH,
        "order_id": _ORDER,
        "intent": Column("str", "honest, or far: a price far from the true one"),
        "action": Column("str", "rejected at entry, or cancelled later"),
        "reason": Column("str", "reason code"),
        "price": Column("float64", "the price that was judged, dollars; NaN if none was"),
        "reference_price": _REFERENCE,
        "deviation_percent": Column("float64", "distance from the reference, percent of it"),
        "reference_age_s": Column("float64", "since the reference became final, seconds"),
        "true_price": _TRUE,
    },
    "messages": {
        "epoch": Column("int64", "epoch of the block that the message is about"),
        "kind": Column("str", "proposal or vote"),
        "sent": Column("int64", "copies that authors sent to other voting nodes"),
        "echoed": Column("int64", "copies that nodes passed on to other voting nodes"),
        "received": Column("int64", "first arrivals at voting nodes"),
    },
}

PROTOCOL_COLUMNS: Final[dict[str, Column]] = {
    "epoch": _EPOCH,
    "leader": _NODE,
    "block_hash": _HASH,
    "height": Column("Int64", "blocks below it; genesis has 0"),
    "parent_epoch": Column("Int64", "epoch of the block that it extends; -1 is genesis"),
    "voters": Column("str", "who voted for it, in the order of the votes"),
    "notarized_s": Column("float64", "when the observer saw it notarized, seconds"),
    "finalized_s": Column("float64", "when the observer saw it finalized, seconds"),
}


def build_frames(
    network: StockMarketConsensusNetwork, market: Market, recorder: Recorder
) -> dict[str, pd.DataFrame]:
    """Return every frame of a finished run, by name."""
    rows: dict[str, Iterable[tuple[Any, ...]]] = {
        "epochs": _epochs(network, recorder),
        "blocks": _blocks(network, recorder),
        "finality": _finality(network, recorder),
        "quotes": _quotes(network),
        "orders": _orders(network, market),
        "trades": _trades(network, market),
        "rejections": _rejections(network, market),
        "messages": _messages(network),
    }
    return {name: _frame(columns, rows[name]) for name, columns in COLUMNS.items()}


def protocol_frame(simulation: StreamletSimulation, recorder: Recorder) -> pd.DataFrame:
    """Return what happened in each epoch of the protocol, whatever the blocks carry.

    Columns: see ``PROTOCOL_COLUMNS``. Votes are those that were sent, in the order of sending;
    notarization and finalization are the observer's view.
    """
    observer = simulation.observer
    proposals = {record.block.epoch: record for record in recorder.proposals}
    notarized = _times(recorder.notarizations, observer.node_id)
    finalized = _times(recorder.finalizations, observer.node_id)
    voters: dict[bytes, list[str]] = {}
    for vote in recorder.votes:
        voters.setdefault(vote.block_hash, []).append(vote.node)
    rows = []
    for epoch, leader in enumerate(recorder.leaders):
        proposal = proposals.get(epoch)
        block = proposal.block if proposal else None
        block_hash = block.hash if block else b""
        parent = observer.tree[block.parent].epoch if block else None
        rows.append(
            (
                epoch,
                leader,
                block_hash.hex(),
                block.height if block else None,
                parent,
                " ".join(voters.get(block_hash, ())),
                _seconds(notarized.get(block_hash)),
                _seconds(finalized.get(block_hash)),
            )
        )
    return _frame(PROTOCOL_COLUMNS, rows)


def _frame(columns: dict[str, Column], rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame(
        {
            column: _array(data, columns[column].dtype)
            for column, data in zip(columns, values, strict=True)
        }
    )


def _array(data: Sequence[Any], dtype: str) -> Any:
    match dtype:
        case "str":
            return pd.array(data, dtype="str")
        case "Int64":
            missing = [value is None for value in data]
            numbers = [0 if value is None else value for value in data]
            return pd.arrays.IntegerArray(
                np.array(numbers, dtype=np.int64), np.array(missing, dtype=np.bool_)
            )
        case _:
            return np.array(data, dtype=dtype)


def _epochs(network: StockMarketConsensusNetwork, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    proposals = {record.block.epoch: record.block for record in reversed(recorder.proposals)}
    refusals = _first_refusals(recorder)
    notarized = _times(recorder.notarizations, network.observer.node_id)
    finalized = _times(recorder.finalizations, network.observer.node_id)
    length = network.epoch_length
    for epoch, leader in enumerate(recorder.leaders):
        block = proposals.get(epoch)
        claim = _read(block)
        block_hash = block.hash if block else b""
        final = finalized.get(block_hash)
        yield (
            epoch,
            to_seconds(epoch * length),
            network.application.timestamp(epoch).isoformat(),
            leader,
            block_hash.hex(),
            claim.kind,
            claim.reason or refusals.get(block_hash, ""),
            network.true_price(epoch * length) / 1e6,
            *claim.price_columns,
            network.observer.tree.vote_count(block_hash),
            _seconds(notarized.get(block_hash)),
            _seconds(final),
            None if final is None else to_seconds(final - epoch * length),
            None if final is None else final // length - epoch,
        )


def _blocks(network: StockMarketConsensusNetwork, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    tree = network.observer.tree
    refusals = _first_refusals(recorder)
    refused: dict[bytes, int] = {}
    for refusal in recorder.refusals:
        refused[refusal.block.hash] = refused.get(refusal.block.hash, 0) + 1
    final = {block.hash for block in tree.finalized}
    for time, node, block in recorder.proposals:
        claim = _read(block)
        yield (
            block.hash.hex(),
            block.parent.hex(),
            block.epoch,
            block.height,
            node,
            to_seconds(time),
            claim.kind,
            claim.price_columns[0],
            tree.vote_count(block.hash),
            refused.get(block.hash, 0),
            refusals.get(block.hash, ""),
            tree.is_notarized(block.hash),
            block.hash in final,
        )


def _finality(
    network: StockMarketConsensusNetwork, recorder: Recorder
) -> Iterator[tuple[Any, ...]]:
    finalized = {(node, block.hash): time for time, node, block in recorder.finalizations}
    for time, node, block in recorder.notarizations:
        final = finalized.get((node, block.hash))
        start = block.epoch * network.epoch_length
        yield (
            node,
            block.epoch,
            block.height,
            block.hash.hex(),
            to_seconds(time),
            _seconds(final),
            None if final is None else to_seconds(final - start),
        )


def _quotes(network: StockMarketConsensusNetwork) -> Iterator[tuple[Any, ...]]:
    for epoch in range(network.next_epoch):
        evaluation = network.application.evaluations.get(epoch)
        previous = evaluation.previous if evaluation else None
        true_price = network.true_price(epoch * network.epoch_length) / 1e6
        reasons = [check.reason for check in evaluation.checks] if evaluation else []
        for index, quote in enumerate(network.feed.quotes(epoch)):
            reason = str(reasons[index]) if reasons else "no_leader"
            yield (
                epoch,
                quote.source,
                float(quote.price),
                to_micros(quote.price),
                int(quote.volume),
                true_price,
                float(previous.price) if previous else None,
                reason == "valid",
                reason,
            )


def _orders(network: StockMarketConsensusNetwork, market: Market) -> Iterator[tuple[Any, ...]]:
    ends = _ends(market)
    for time, submission, reference in market.arrivals:
        order = submission.order
        status, reason, filled = ends[order.order_id]
        yield (
            order.order_id,
            to_seconds(time),
            time // network.epoch_length,
            order.trader,
            submission.intent,
            str(order.side),
            str(order.order_type),
            order.quantity,
            _dollars(order.price),
            order.ticks,
            submission.true_price / 1e6,
            _price(reference),
            status,
            reason,
            filled,
        )


def _ends(market: Market) -> dict[str, tuple[str, str, int]]:
    """Return status, reason and filled shares of every order at the end of the run."""
    filled: dict[str, int] = {}
    ends: dict[str, tuple[str, str]] = {}
    for event in market.engine.events:
        match event:
            case Accepted():
                filled[event.order_id] = 0
                ends[event.order_id] = ("resting", "")
            case Rejected():
                filled[event.order_id] = 0
                ends[event.order_id] = ("rejected", str(event.reason))
            case Cancelled():
                ends[event.order_id] = ("cancelled", str(event.reason))
            case Traded(_, trade, buy_remaining, sell_remaining):
                for order_id, remaining in (
                    (trade.buy_order_id, buy_remaining),
                    (trade.sell_order_id, sell_remaining),
                ):
                    filled[order_id] += trade.quantity
                    if not remaining:
                        ends[order_id] = ("filled", "")
    return {order_id: (*end, filled[order_id]) for order_id, end in ends.items()}


def _trades(network: StockMarketConsensusNetwork, market: Market) -> Iterator[tuple[Any, ...]]:
    for trade in market.engine.trades:
        yield (
            trade.trade_id,
            to_seconds(trade.time),
            trade.time // network.epoch_length,
            float(trade.price),
            to_ticks(trade.price),
            trade.quantity,
            trade.buy_order_id,
            trade.sell_order_id,
            str(trade.aggressor),
            network.true_price(trade.time) / 1e6,
        )


def _rejections(network: StockMarketConsensusNetwork, market: Market) -> Iterator[tuple[Any, ...]]:
    intents = {arrival.submission.order.order_id: arrival for arrival in market.arrivals}
    for event in market.engine.events:
        if not isinstance(event, Rejected | Cancelled):
            continue
        age = event.reference_age
        yield (
            to_seconds(event.time),
            event.time // network.epoch_length,
            event.order_id,
            intents[event.order_id].submission.intent,
            "rejected" if isinstance(event, Rejected) else "cancelled",
            str(event.reason),
            _dollars(event.price),
            _price(event.reference),
            _dollars(event.deviation_percent),
            _seconds(age),
            network.true_price(event.time) / 1e6,
        )


def _messages(network: StockMarketConsensusNetwork) -> Iterator[tuple[Any, ...]]:
    carrier = network.network
    sent, echoed, received = carrier.sent, carrier.echoed, carrier.received
    for key in sorted(sent):
        yield key[0], key[1].lower(), sent[key], echoed[key], received[key]


class _Reading(NamedTuple):
    """What a block says, as far as columns go."""

    kind: str
    reason: str = ""
    # consensus price in dollars and cents, VWAP in dollars and cents, volume, number of sources
    price_columns: tuple[Any, ...] = (None,) * 6


def _read(block: Block | None) -> _Reading:
    if block is None:
        return _Reading("", "no proposal")
    try:
        claim = decode_payload(block.payload)
    except MalformedPayload as error:
        return _Reading("malformed", str(error))
    if isinstance(claim, NoPrice):
        return _Reading("no_price", claim.reason)
    if not isinstance(claim, PriceConsensus):
        return _Reading("malformed", "a genesis payload in a later block")
    columns = (
        float(claim.consensus_price),
        to_ticks(claim.consensus_price),
        float(claim.volume_weighted_price),
        to_ticks(claim.volume_weighted_price),
        int(claim.total_volume),
        claim.price_count,
    )
    return _Reading("price_consensus", price_columns=columns)


def _times(records: Iterable[tuple[int, str, Block]], node: str) -> dict[bytes, int]:
    return {block.hash: time for time, name, block in records if name == node}


def _first_refusals(recorder: Recorder) -> dict[bytes, str]:
    return {record.block.hash: record.reason for record in reversed(recorder.refusals)}


def _seconds(time: int | None) -> float | None:
    return None if time is None else to_seconds(time)


def _dollars(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _price(reference: Reference | None) -> float | None:
    return None if reference is None else float(reference.price)
