"""Tidy frames of a run: one row one observation, in the columns of :mod:`streamlet_lab.columns`."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from streamlet_lab.checks import Excerpt
from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS, Column
from streamlet_lab.consensus import Block, BlockTree, Evidence, Proposal, Vote
from streamlet_lab.matching import Accepted, Cancelled, Reference, Rejected, Traded
from streamlet_lab.prices import (
    Claim,
    MalformedPayload,
    NoPrice,
    PriceConsensus,
    StockPrice,
    decode_claims,
    decode_quotes,
)
from streamlet_lab.simulator import (
    Market,
    Recorder,
    StockMarketConsensusNetwork,
    StreamletSimulation,
)
from streamlet_lab.units import to_micros, to_seconds, to_ticks

Rows = Iterable[tuple[Any, ...]]

#: Each piece of evidence, and whether public keys prove it.
Offences = Sequence[tuple[Evidence, bool]]


def build_frames(
    network: StockMarketConsensusNetwork,
    market: Market,
    recorder: Recorder,
    excerpt: Excerpt | None,
    offences: Offences,
) -> dict[str, pd.DataFrame]:
    """Return every frame of a finished run, by name."""
    rows: dict[str, Rows] = {
        **_shared_rows(network, recorder, excerpt, offences),
        "epochs": _epochs(network, recorder),
        "prices": _prices(network, recorder),
        "blocks": _blocks(network, recorder),
        "quotes": _quotes(network, recorder),
        "orders": _orders(network, market),
        "trades": _trades(network, market),
        "rejections": _rejections(network, market),
    }
    return {name: _frame(columns, rows[name]) for name, columns in COLUMNS.items()}


def build_protocol_frames(
    simulation: StreamletSimulation,
    recorder: Recorder,
    excerpt: Excerpt | None,
    offences: Offences,
) -> dict[str, pd.DataFrame]:
    """Return every frame of a finished run of the bare protocol, by name."""
    rows: dict[str, Rows] = {
        **_shared_rows(simulation, recorder, excerpt, offences),
        "epochs": _protocol_epochs(simulation, recorder),
        "blocks": _protocol_blocks(simulation, recorder),
    }
    return {name: _frame(columns, rows[name]) for name, columns in PROTOCOL_COLUMNS.items()}


def _shared_rows(
    simulation: StreamletSimulation,
    recorder: Recorder,
    excerpt: Excerpt | None,
    offences: Offences,
) -> dict[str, Rows]:
    return {
        "finality": _finality(simulation, recorder),
        "messages": _messages(simulation),
        "trace": _trace(recorder),
        "violation": () if excerpt is None else excerpt.rows,
        "forensics": _offences(offences),
    }


def _protocol_epochs(simulation: StreamletSimulation, recorder: Recorder) -> Rows:
    """Yield what happened in each epoch.

    Votes are those that were sent, in the order of sending; notarization and finalization are the
    observer's view.
    """
    observer, length = simulation.observer, simulation.epoch_length
    proposals = _main_proposals(recorder, observer.tree)
    notarized = _times(recorder.notarizations, observer.node_id)
    finalized = _times(recorder.finalizations, observer.node_id)
    voters: dict[bytes, list[str]] = {}
    for vote in recorder.votes:
        voters.setdefault(vote.block_hash, []).append(vote.node)
    for epoch, leader in enumerate(recorder.leaders):
        block = proposals.get(epoch)
        block_hash = block.hash if block else b""
        parent = recorder.blocks.get(block.parent, simulation.genesis) if block else None
        final = finalized.get(block_hash)
        yield (
            epoch,
            leader,
            block_hash.hex(),
            block.height if block else None,
            parent.epoch if parent else None,
            " ".join(voters.get(block_hash, ())),
            _seconds(notarized.get(block_hash)),
            _seconds(final),
            None if final is None else to_seconds(final - epoch * length),
            None if final is None else _epoch_at(final, length) - epoch,
        )


def _protocol_blocks(simulation: StreamletSimulation, recorder: Recorder) -> Rows:
    tree = simulation.observer.tree
    final = {block.hash for block in tree.finalized}
    for time, node, block in recorder.proposals:
        yield (
            block.hash.hex(),
            block.parent.hex(),
            block.epoch,
            block.height,
            node,
            to_seconds(time),
            tree.vote_count(block.hash),
            tree.is_notarized(block.hash),
            block.hash in final,
        )


def _trace(recorder: Recorder) -> Rows:
    for received, sender, receiver, sent, message in recorder.deliveries:
        match message:
            case Vote(epoch=epoch, block_hash=block_hash, voter=author):
                kind = "vote"
            case Proposal(block, author):
                kind, epoch, block_hash = "proposal", block.epoch, block.hash
        yield (
            epoch,
            kind,
            author,
            block_hash.hex(),
            sender,
            receiver,
            to_seconds(sent),
            to_seconds(received),
        )


def _offences(offences: Offences) -> Rows:
    for evidence, proven in offences:
        first, second = evidence.first, evidence.second
        yield (
            evidence.culprit,
            str(evidence.offence),
            first.epoch,
            first.height,
            second.epoch,
            second.height,
            proven,
        )


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
    proposals = _main_proposals(recorder, network.observer.tree)
    refusals = _first_refusals(recorder)
    notarized = _times(recorder.notarizations, network.observer.node_id)
    finalized = _times(recorder.finalizations, network.observer.node_id)
    length = network.epoch_length
    for epoch, leader in enumerate(recorder.leaders):
        block = proposals.get(epoch)
        claim = _read(block)[0]
        block_hash = block.hash if block else b""
        final = finalized.get(block_hash)
        yield (
            epoch,
            to_seconds(epoch * length),
            network.timestamp(epoch).isoformat(),
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
            None if final is None else _epoch_at(final, length) - epoch,
        )


def _prices(network: StockMarketConsensusNetwork, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    proposals = _main_proposals(recorder, network.observer.tree)
    refusals = _first_refusals(recorder)
    finalized = _times(recorder.finalizations, network.observer.node_id)
    for epoch in range(network.next_epoch):
        block = proposals.get(epoch)
        block_hash = block.hash if block else b""
        claims = _read(block)
        for index, symbol in enumerate(network.symbols):
            # What cannot be read is one reading, of all symbols.
            claim = claims[min(index, len(claims) - 1)]
            yield (
                epoch,
                symbol,
                block_hash.hex(),
                claim.kind,
                claim.reason or refusals.get(block_hash, ""),
                network.true_price(epoch * network.epoch_length, symbol) / 1e6,
                *claim.price_columns,
                _seconds(finalized.get(block_hash)),
            )


def _blocks(network: StockMarketConsensusNetwork, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    tree = network.observer.tree
    refusals = _first_refusals(recorder)
    refused: dict[bytes, int] = {}
    for refusal in recorder.refusals:
        refused[refusal.block.hash] = refused.get(refusal.block.hash, 0) + 1
    final = {block.hash for block in tree.finalized}
    for time, node, block in recorder.proposals:
        claim = _read(block)[0]
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


def _finality(network: StreamletSimulation, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
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


def _quotes(network: StockMarketConsensusNetwork, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    proposals = _main_proposals(recorder, network.observer.tree)
    evaluations = network.application.evaluations
    for epoch, index in product(range(network.next_epoch), range(len(network.symbols))):
        symbol = network.symbols[index]
        evaluation = evaluations[epoch][index] if epoch in evaluations else None
        previous = evaluation.previous if evaluation else None
        true_price = network.true_price(epoch * network.epoch_length, symbol) / 1e6
        quotes = [(quote, str(reason)) for quote, reason in evaluation.checks] if evaluation else []
        # What the leader heard and does not say: it was silent, or voters could not read it.
        unsaid = "left_out" if evaluation else "no_leader"
        said = {quote for quote, _ in quotes}
        quotes += [(q, unsaid) for q in network.heard[epoch].quotes[index] if q not in said]
        carried = _carried(proposals.get(epoch))
        for quote, heard_as in quotes:
            # A leader that lies counts quotes and then does not carry them.
            reason = heard_as if carried is None or quote in carried else unsaid
            yield (
                epoch,
                symbol,
                quote.source,
                float(quote.price),
                to_micros(quote.price),
                int(quote.volume),
                _dollars(quote.confidence),
                true_price,
                float(previous.price) if previous else None,
                reason == "valid",
                reason,
            )


def _carried(block: Block | None) -> set[StockPrice] | None:
    """Return the quotes that a block carries; None without any that can be read."""
    if block is None or not block.attachment:
        return None
    try:
        return {signed.quote for signed in decode_quotes(block.attachment)}
    except MalformedPayload:
        return None


def _orders(network: StockMarketConsensusNetwork, market: Market) -> Iterator[tuple[Any, ...]]:
    ends = _ends(market)
    for time, submission, reference in market.arrivals:
        order = submission.order
        status, reason, filled = ends[order.order_id]
        yield (
            order.order_id,
            to_seconds(time),
            _epoch_at(time, network.epoch_length),
            order.symbol,
            order.trader,
            submission.intent,
            str(order.side),
            str(order.order_type),
            order.quantity,
            _dollars(order.price),
            None if order.price is None else to_ticks(order.price),
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
    for event in chain.from_iterable(engine.events for engine in market.engines.values()):
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
    tape = [(trade, symbol) for symbol, engine in market.engines.items() for trade in engine.trades]
    for trade, symbol in sorted(tape, key=lambda entry: entry[0].time):
        yield (
            trade.trade_id,
            to_seconds(trade.time),
            _epoch_at(trade.time, network.epoch_length),
            symbol,
            float(trade.price),
            to_ticks(trade.price),
            trade.quantity,
            trade.buy_order_id,
            trade.sell_order_id,
            str(trade.aggressor),
            network.true_price(trade.time, symbol) / 1e6,
        )


def _rejections(network: StockMarketConsensusNetwork, market: Market) -> Iterator[tuple[Any, ...]]:
    intents = {arrival.submission.order.order_id: arrival for arrival in market.arrivals}
    events = [
        (event, symbol)
        for symbol, engine in market.engines.items()
        for event in engine.events
        if isinstance(event, Rejected | Cancelled)
    ]
    for event, symbol in sorted(events, key=lambda entry: entry[0].time):
        age = event.reference_age
        yield (
            to_seconds(event.time),
            _epoch_at(event.time, network.epoch_length),
            symbol,
            event.order_id,
            intents[event.order_id].submission.intent,
            "rejected" if isinstance(event, Rejected) else "cancelled",
            str(event.reason),
            _dollars(event.price),
            _price(event.reference),
            _dollars(event.deviation_percent),
            _seconds(age),
            network.true_price(event.time, symbol) / 1e6,
        )


def _messages(network: StreamletSimulation) -> Iterator[tuple[Any, ...]]:
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


def _read(block: Block | None) -> list[_Reading]:
    """Return what a block says of each symbol; one reading for what cannot be read."""
    if block is None:
        return [_Reading("", "no proposal")]
    try:
        return list(map(_reading, decode_claims(block.payload)))
    except MalformedPayload as error:
        return [_Reading("malformed", str(error))]


def _reading(claim: Claim) -> _Reading:
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


def _main_proposals(recorder: Recorder, tree: BlockTree) -> dict[int, Block]:
    """Return the block of each epoch: of several the final, the notarized or the first one."""
    proposals: dict[int, Block] = {}
    for _, _, block in recorder.proposals:
        proposals.setdefault(block.epoch, block)
    for block in (*tree.notarized[1:], *tree.finalized[1:]):
        proposals[block.epoch] = block
    return proposals


def _first_refusals(recorder: Recorder) -> dict[bytes, str]:
    return {record.block.hash: record.reason for record in reversed(recorder.refusals)}


def _epoch_at(time: int, length: int) -> int:
    """Return the epoch of an instant: where one ends and the next begins, the one that ends.

    At one instant everything else comes before the start of an epoch.
    """
    return (time - 1) // length


def _seconds(time: int | None) -> float | None:
    return None if time is None else to_seconds(time)


def _dollars(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _price(reference: Reference | None) -> float | None:
    return None if reference is None else float(reference.price)
