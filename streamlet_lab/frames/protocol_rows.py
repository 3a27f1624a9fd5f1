"""What the protocol did, and what its blocks and the sources of prices said."""

from collections.abc import Iterator
from operator import itemgetter

from streamlet_lab.columns import (
    BlockRow,
    EpochRow,
    FinalityRow,
    MessageRow,
    OffenceRow,
    PriceRow,
    QuoteRow,
    Said,
)
from streamlet_lab.consensus import Block, Message, Proposal, Vote
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.tables import Columns, dollars, epoch_at, seconds
from streamlet_lab.prices import (
    Claim,
    MalformedPayload,
    NoPrice,
    PriceConsensus,
    StockPrice,
    decode_claims,
    decode_quotes,
)
from streamlet_lab.units import MICROSECONDS_PER_SECOND, to_micros, to_seconds, to_ticks


def epoch_rows(record: Record) -> Iterator[EpochRow]:
    """Yield what happened in each epoch.

    Votes are those that were sent, in the order of sending; notarization and finalization are the
    observer's view. Only blocks that carry prices say something.
    """
    recorder, length = record.recorder, record.epoch_length
    path = next(iter(record.paths.values()), None)
    voters: dict[bytes, list[str]] = {}
    for vote in recorder.votes.columns[1]:
        voters.setdefault(vote.block_hash, []).append(vote.voter)
    for epoch in record.epochs:
        block = record.proposals.get(epoch)
        block_hash = block.hash if block else b""
        parent = recorder.blocks.get(block.parent, record.tree.notarized[0]) if block else None
        final = record.finalized.get(block_hash)
        market_time = epoch * record.config.market_time_per_epoch
        yield EpochRow(
            epoch=epoch,
            start_s=to_seconds(epoch * length),
            timestamp=path.timestamp(market_time).isoformat() if path else "",
            leader=recorder.leaders[epoch],
            block_hash=block_hash.hex(),
            height=block.height if block else None,
            parent_epoch=parent.epoch if parent else None,
            said=next(iter(_read_epoch(record, epoch)), Said("", "")),
            voters=" ".join(voters.get(block_hash, ())),
            votes=len(record.tree.votes(block_hash)),
            notarized_s=seconds(record.notarized.get(block_hash)),
            finalized_s=seconds(final),
            latency_s=None if final is None else to_seconds(final - epoch * length),
            latency_epochs=None if final is None else epoch_at(final, length) - epoch,
        )


def block_rows(record: Record) -> Iterator[BlockRow]:
    """Yield every proposed block."""
    final = {block.hash for block in record.tree.finalized}
    for time, node, block in record.recorder.proposals:
        if block.epoch >= record.stop:
            continue
        reasons = record.refusals.get(block.hash, [])
        said = _said_by(record, block)[0] if record.paths else None
        yield BlockRow(
            block_hash=block.hash.hex(),
            parent_hash=block.parent.hex(),
            epoch=block.epoch,
            height=block.height,
            proposer=node,
            proposed_s=to_seconds(time),
            claim=said.claim if said else "",
            consensus_price=said.consensus_price if said else None,
            votes=len(record.tree.votes(block.hash)),
            refusals=len(reasons),
            reason=reasons[0] if reasons else "",
            notarized=record.tree.is_notarized(block.hash),
            finalized=block.hash in final,
        )


def finality_rows(record: Record) -> Iterator[FinalityRow]:
    """Yield what each node saw notarized, and when it became final for it."""
    recorder = record.recorder
    finalized = {(node, block.hash): time for time, node, block in recorder.finalizations}
    for time, node, block in recorder.notarizations:
        final = finalized.get((node, block.hash))
        start = block.epoch * record.epoch_length
        yield FinalityRow(
            node=node,
            epoch=block.epoch,
            height=block.height,
            block_hash=block.hash.hex(),
            notarized_s=to_seconds(time),
            finalized_s=seconds(final),
            latency_s=None if final is None else to_seconds(final - start),
        )


def message_rows(record: Record) -> Iterator[MessageRow]:
    """Yield how many copies of messages there were, by epoch and kind."""
    for (epoch, kind), counts in sorted(record.copies.items()):
        if epoch < record.stop:
            yield MessageRow(epoch, kind.lower(), *counts)


def trace_columns(record: Record) -> Columns:
    """Return each first arrival of a message at a node: of each message there are many."""
    received, senders, receivers, sent, messages = record.recorder.deliveries.columns
    said = {id(each): each for each in messages}
    about = {name: _what_is_sent(message) for name, message in said.items()}
    rows = [about[id(each)] for each in messages]
    names = ("epoch", "kind", "author", "block_hash")
    return {
        **{name: [*map(itemgetter(place), rows)] for place, name in enumerate(names)},
        "sender": senders,
        "receiver": receivers,
        "sent_s": [time / MICROSECONDS_PER_SECOND for time in sent],
        "received_s": [time / MICROSECONDS_PER_SECOND for time in received],
    }


def _what_is_sent(message: Message) -> tuple[int, str, str, str]:
    """Return epoch, kind and author of a message, and the hash of the block that it is about."""
    match message:
        case Vote(epoch=epoch, block_hash=block_hash, voter=author):
            return epoch, "vote", author, block_hash.hex()
        case Proposal(block, author):
            return block.epoch, "proposal", author, block.hash.hex()


def offence_rows(record: Record) -> Iterator[OffenceRow]:
    """Yield who is provably guilty."""
    for evidence, proven in record.offences:
        first, second = evidence.first, evidence.second
        yield OffenceRow(
            culprit=evidence.culprit,
            offence=str(evidence.offence),
            first_epoch=first.epoch,
            first_height=first.height,
            second_epoch=second.epoch,
            second_height=second.height,
            proven=proven,
        )


def price_rows(record: Record) -> Iterator[PriceRow]:
    """Yield what each epoch's block says of each symbol."""
    for epoch in record.epochs:
        block = record.proposals.get(epoch)
        block_hash = block.hash if block else b""
        final = seconds(record.finalized.get(block_hash))
        for symbol, said in zip(record.paths, _read_epoch(record, epoch), strict=True):
            yield PriceRow(epoch, symbol, block_hash.hex(), said, final)


def _read_epoch(record: Record, epoch: int) -> list[Said]:
    """Return what the epoch's block says of each symbol, beside the true price."""
    if not record.paths:
        return []
    block = record.proposals.get(epoch)
    readings = _said_by(record, block) if block else [Said("", "no proposal")]
    # What cannot be read is one reading, of all symbols.
    readings = readings + readings[-1:] * (len(record.paths) - len(readings))
    refused = record.refusals.get(block.hash, [""])[0] if block else ""
    start = epoch * record.epoch_length
    return [
        said._replace(
            reason=said.reason or refused, true_price=record.true_price(symbol, start) / 1e6
        )
        for symbol, said in zip(record.paths, readings, strict=False)
    ]


def _said_by(record: Record, block: Block) -> list[Said]:
    """Return what a block says of each symbol; one reading for what cannot be read."""
    readings = record.readings.get(block.hash)
    if readings is None:
        try:
            readings = [*map(_reading, decode_claims(block.payload))]
        except MalformedPayload as error:
            readings = [Said("malformed", str(error))]
        record.readings[block.hash] = readings
    return readings


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
    for epoch in record.epochs:
        carried = _carried(record.proposals.get(epoch))
        evaluations = record.evaluations.get(epoch)
        for index, symbol in enumerate(record.paths):
            heard = record.quotes[epoch][index]
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
