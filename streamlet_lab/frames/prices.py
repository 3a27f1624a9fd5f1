"""What became of the prices: epochs, prices, blocks and quotes."""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from streamlet_lab.consensus import Block
from streamlet_lab.frames.tables import (
    dollars,
    epoch_at,
    first_refusals,
    main_proposals,
    seconds,
    times_at,
)
from streamlet_lab.prices import (
    Claim,
    MalformedPayload,
    NoPrice,
    PriceConsensus,
    StockPrice,
    decode_claims,
    decode_quotes,
)
from streamlet_lab.simulator import Recorder, StockSimulation
from streamlet_lab.units import to_micros, to_seconds, to_ticks


def epoch_rows(network: StockSimulation, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    """Yield what happened in each epoch, with what its block says of the first symbol."""
    proposals = main_proposals(recorder, network.observer.tree)
    refusals = first_refusals(recorder)
    notarized = times_at(recorder.notarizations, network.observer.node_id)
    finalized = times_at(recorder.finalizations, network.observer.node_id)
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
            seconds(notarized.get(block_hash)),
            seconds(final),
            None if final is None else to_seconds(final - epoch * length),
            None if final is None else epoch_at(final, length) - epoch,
        )


def price_rows(network: StockSimulation, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    """Yield what each epoch's block says of each symbol."""
    proposals = main_proposals(recorder, network.observer.tree)
    refusals = first_refusals(recorder)
    finalized = times_at(recorder.finalizations, network.observer.node_id)
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
                seconds(finalized.get(block_hash)),
            )


def block_rows(network: StockSimulation, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    """Yield every proposed block."""
    tree = network.observer.tree
    refusals = first_refusals(recorder)
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


def quote_rows(network: StockSimulation, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
    """Yield what each source said of each symbol in each epoch, and whether it counted."""
    proposals = main_proposals(recorder, network.observer.tree)
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
                dollars(quote.confidence),
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
