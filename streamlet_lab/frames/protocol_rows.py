"""What the protocol did: epochs, blocks, finality, messages, evidence."""

from collections.abc import Iterator

from streamlet_lab.columns import (
    BlockRow,
    EpochRow,
    FinalityRow,
    MessageRow,
    OffenceRow,
    Said,
    TraceRow,
)
from streamlet_lab.consensus import Proposal, Vote
from streamlet_lab.frames.price_rows import read_epoch, said_by
from streamlet_lab.frames.record import Record
from streamlet_lab.frames.tables import epoch_at, seconds
from streamlet_lab.units import to_seconds


def epoch_rows(record: Record) -> Iterator[EpochRow]:
    """Yield what happened in each epoch.

    Votes are those that were sent, in the order of sending; notarization and finalization are the
    observer's view. Only blocks that carry prices say something.
    """
    recorder, length = record.recorder, record.epoch_length
    path = next(iter(record.paths.values()), None)
    voters: dict[bytes, list[str]] = {}
    for _, vote in recorder.votes:
        voters.setdefault(vote.block_hash, []).append(vote.voter)
    for epoch, leader in enumerate(recorder.leaders):
        block = record.proposals.get(epoch)
        block_hash = block.hash if block else b""
        parent = recorder.blocks.get(block.parent, record.tree.notarized[0]) if block else None
        final = record.finalized.get(block_hash)
        market_time = epoch * record.config.market_time_per_epoch
        yield EpochRow(
            epoch=epoch,
            start_s=to_seconds(epoch * length),
            timestamp=path.timestamp(market_time).isoformat() if path else "",
            leader=leader,
            block_hash=block_hash.hex(),
            height=block.height if block else None,
            parent_epoch=parent.epoch if parent else None,
            said=next(iter(read_epoch(record, epoch)), Said("", "")),
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
        reasons = record.refusals.get(block.hash, [])
        said = said_by(block)[0] if record.paths else None
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
    sent, echoed, received = record.copies
    for epoch, kind in sorted(sent):
        key = epoch, kind
        yield MessageRow(epoch, kind.lower(), sent[key], echoed[key], received[key])


def trace_rows(record: Record) -> Iterator[TraceRow]:
    """Yield each first arrival of a message at a node."""
    for received, sender, receiver, sent, message in record.recorder.deliveries:
        match message:
            case Vote(epoch=epoch, block_hash=block_hash, voter=author):
                kind = "vote"
            case Proposal(block, author):
                kind, epoch, block_hash = "proposal", block.epoch, block.hash
        yield TraceRow(
            epoch=epoch,
            kind=kind,
            author=author,
            block_hash=block_hash.hex(),
            sender=sender,
            receiver=receiver,
            sent_s=to_seconds(sent),
            received_s=to_seconds(received),
        )


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
