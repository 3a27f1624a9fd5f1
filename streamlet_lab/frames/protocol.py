"""What the protocol did: epochs and blocks without prices, finality, messages, evidence."""

from collections.abc import Iterator, Sequence
from typing import Any

from streamlet_lab.checks import Excerpt
from streamlet_lab.consensus import Evidence, Proposal, Vote
from streamlet_lab.frames.tables import Rows, epoch_at, main_proposals, seconds, times_at
from streamlet_lab.simulator import Recorder, Simulation
from streamlet_lab.units import to_seconds

#: Each piece of evidence, and whether public keys prove it.
Offences = Sequence[tuple[Evidence, bool]]


def shared_rows(
    simulation: Simulation,
    recorder: Recorder,
    excerpt: Excerpt | None,
    offences: Offences,
) -> dict[str, Rows]:
    """Return the rows of what runs of both kinds have, by the names of the frames."""
    return {
        "finality": _finality(simulation, recorder),
        "messages": _messages(simulation),
        "trace": _trace(recorder),
        "violation": () if excerpt is None else excerpt.rows,
        "forensics": _offences(offences),
    }


def protocol_epoch_rows(simulation: Simulation, recorder: Recorder) -> Rows:
    """Yield what happened in each epoch.

    Votes are those that were sent, in the order of sending; notarization and finalization are the
    observer's view.
    """
    observer, length = simulation.observer, simulation.epoch_length
    proposals = main_proposals(recorder, observer.tree)
    notarized = times_at(recorder.notarizations, observer.node_id)
    finalized = times_at(recorder.finalizations, observer.node_id)
    voters: dict[bytes, list[str]] = {}
    for _, vote in recorder.votes:
        voters.setdefault(vote.block_hash, []).append(vote.voter)
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
            seconds(notarized.get(block_hash)),
            seconds(final),
            None if final is None else to_seconds(final - epoch * length),
            None if final is None else epoch_at(final, length) - epoch,
        )


def protocol_block_rows(simulation: Simulation, recorder: Recorder) -> Rows:
    """Yield every proposed block."""
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


def _finality(network: Simulation, recorder: Recorder) -> Iterator[tuple[Any, ...]]:
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
            seconds(final),
            None if final is None else to_seconds(final - start),
        )


def _messages(network: Simulation) -> Iterator[tuple[Any, ...]]:
    carrier = network.network
    sent, echoed, received = carrier.sent, carrier.echoed, carrier.received
    for key in sorted(sent):
        yield key[0], key[1].lower(), sent[key], echoed[key], received[key]


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
