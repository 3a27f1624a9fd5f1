"""What became of the prices: what blocks say of each symbol, and what sources quoted."""

from collections.abc import Iterator

from streamlet_lab.columns import PriceRow, QuoteRow, Said
from streamlet_lab.consensus import Block
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.tables import dollars, seconds
from streamlet_lab.prices import (
    Claim,
    MalformedPayload,
    NoPrice,
    PriceConsensus,
    StockPrice,
    decode_claims,
    decode_quotes,
)
from streamlet_lab.units import to_micros, to_ticks


def price_rows(record: Record) -> Iterator[PriceRow]:
    """Yield what each epoch's block says of each symbol."""
    for epoch in range(len(record.recorder.leaders)):
        block = record.proposals.get(epoch)
        block_hash = block.hash if block else b""
        final = seconds(record.finalized.get(block_hash))
        for symbol, said in zip(record.paths, read_epoch(record, epoch), strict=True):
            yield PriceRow(epoch, symbol, block_hash.hex(), said, final)


def read_epoch(record: Record, epoch: int) -> list[Said]:
    """Return what the epoch's block says of each symbol, beside the true price."""
    if not record.paths:
        return []
    block = record.proposals.get(epoch)
    readings = said_by(block) if block else [Said("", "no proposal")]
    # What cannot be read is one reading, of all symbols.
    readings += readings[-1:] * (len(record.paths) - len(readings))
    refused = record.refusals.get(block.hash, [""])[0] if block else ""
    start = epoch * record.epoch_length
    return [
        said._replace(
            reason=said.reason or refused, true_price=record.true_price(symbol, start) / 1e6
        )
        for symbol, said in zip(record.paths, readings, strict=False)
    ]


def said_by(block: Block) -> list[Said]:
    """Return what a block says of each symbol; one reading for what cannot be read."""
    try:
        return [*map(_reading, decode_claims(block.payload))]
    except MalformedPayload as error:
        return [Said("malformed", str(error))]


def _reading(claim: Claim) -> Said:
    if isinstance(claim, NoPrice):
        return Said("no_price", claim.reason)
    if not isinstance(claim, PriceConsensus):
        return Said("malformed", "a genesis payload in a later block")
    return Said(
        "price_consensus",
        "",
        consensus_price=float(claim.consensus_price),
        consensus_cents=to_ticks(claim.consensus_price),
        vwap=float(claim.volume_weighted_price),
        vwap_cents=to_ticks(claim.volume_weighted_price),
        total_volume=int(claim.total_volume),
        price_count=claim.price_count,
    )


def quote_rows(record: Record) -> Iterator[QuoteRow]:
    """Yield what each source said of each symbol in each epoch, and whether it counted."""
    for epoch in range(len(record.recorder.leaders)):
        carried = _carried(record.proposals.get(epoch))
        evaluations = record.evaluations.get(epoch)
        for index, symbol in enumerate(record.paths):
            heard = record.heard[epoch][index]
            evaluation = evaluations[index] if evaluations else None
            checks = evaluation.checks if evaluation else ()
            quotes = [(quote, str(reason)) for quote, reason in checks]
            # What the leader heard and does not say: it was silent, or voters could not read it.
            unsaid = "left_out" if evaluation else "no_leader"
            said = {quote for quote, _ in quotes}
            quotes += [(quote, unsaid) for quote in heard if quote not in said]
            previous = evaluation.previous if evaluation else None
            true_price = record.true_price(symbol, epoch * record.epoch_length) / 1e6
            for quote, heard_as in quotes:
                # A leader that lies counts quotes and then does not carry them.
                reason = heard_as if carried is None or quote in carried else unsaid
                yield QuoteRow(
                    epoch=epoch,
                    symbol=symbol,
                    source=quote.source,
                    price=float(quote.price),
                    price_micros=to_micros(quote.price),
                    volume=int(quote.volume),
                    confidence=dollars(quote.confidence),
                    true_price=true_price,
                    previous_price=float(previous.price) if previous else None,
                    valid=reason == "valid",
                    reason=reason,
                )


def _carried(block: Block | None) -> set[StockPrice] | None:
    """Return the quotes that a block carries; None without any that can be read."""
    if block is None or not block.attachment:
        return None
    try:
        return {signed.quote for signed in decode_quotes(block.attachment)}
    except MalformedPayload:
        return None
