"""The smallest part of a run that shows how a property was violated."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import NamedTuple

from streamlet_lab.checks.check import Check, Status, short
from streamlet_lab.checks.safety import Consistency
from streamlet_lab.consensus import GENESIS_EPOCH, Block, FinalityRule
from streamlet_lab.simulator import Recorder, Simulation
from streamlet_lab.units import to_seconds


class ExcerptRow(NamedTuple):
    """A block of an excerpt; hashes are hexadecimal, names have spaces between them.

    Parameters
    ----------
    block_hash, parent_hash : str
    epoch, height : int
    proposer : str
    voters : str
        In the order of their votes.
    finalized_by : str
        Honest nodes, in the order in which they finalized it.
    """

    block_hash: str
    parent_hash: str
    epoch: int
    height: int
    proposer: str
    voters: str
    finalized_by: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What shows a violation, and nothing else.

    Parameters
    ----------
    check : str
        The name of the violated property.
    rows : tuple of ExcerptRow
        The blocks that it takes. For `consistency` two chains, each from after the last common
        block to the block that made it final; the last common block is the first row, unless it is
        genesis, which has none.
    lines : tuple of str
        What happened to these blocks, in the order of time.
    """

    check: str
    rows: tuple[ExcerptRow, ...]
    lines: tuple[str, ...]


def find_excerpt(
    checks: Iterable[Check], recorder: Recorder, simulation: Simulation
) -> Excerpt | None:
    """Return the smallest excerpt that shows a violation.

    Parameters
    ----------
    checks : iterable of Check
        Those of the run; the first that is violated counts, consistency before all others.
    recorder : Recorder
        What happened in the run.
    simulation : Simulation

    Returns
    -------
    Excerpt or None
        None if nothing is violated.
    """
    violated = next((c for c in checks if c.result().status is Status.VIOLATED), None)
    if violated is None:
        return None
    if isinstance(violated, Consistency):
        pair = _smallest_pair(_finalizations(violated, recorder), simulation)
        blocks, nodes = pair.blocks(simulation), {pair.one.node, pair.other.node}
        until = max(pair.one.time, pair.other.time)
    else:
        blocks = _witnessed(violated, recorder)
        nodes = _first_to_see(blocks, violated.honest, recorder)
        until = violated.violated_at
    rows = _rows(blocks, violated.honest, recorder, simulation)
    lines = (*_lines(blocks, nodes, until, recorder), violated.violation)
    return Excerpt(violated.name, rows, lines)


# --- Which blocks it takes


class _Final(NamedTuple):
    """A node finalizes a block, because of the tip of a notarized chain."""

    time: int
    node: str
    block: Block
    tip: Block


class _Pair(NamedTuple):
    """Two finalizations that conflict, and the last block that their chains have in common."""

    fork: Block
    one: _Final
    other: _Final

    @property
    def size(self) -> int:
        """How many blocks the excerpt has."""
        behind = self.one.tip.height + self.other.tip.height - 2 * self.fork.height
        return behind + (self.fork.height > 0)

    def blocks(self, simulation: Simulation) -> list[Block]:
        """Return the last common block, unless it is genesis, and the two chains behind it."""
        blocks = [self.fork] if self.fork.height else []
        for final in (self.one, self.other):
            chain = simulation.nodes[final.node].tree.chain(final.tip.hash)
            behind = list(takewhile(lambda block: block.height > self.fork.height, chain))
            blocks += reversed(behind)
        return blocks


def _finalizations(consistency: Consistency, recorder: Recorder) -> list[_Final]:
    """Return what honest nodes finalize or would have to, each block with the tip that does it."""
    rule, honest = consistency.finality, consistency.honest
    known = {record.block.hash: record.block for record in recorder.notarizations}
    final = {
        (time, node, block.hash)
        for time, node, block in (*recorder.finalizations, *recorder.conflicts)
    }
    found = []
    for time, node, tip in recorder.notarizations:
        block = _finalized_by(tip, known, rule) if node in honest else None
        if block is not None and (time, node, block.hash) in final:
            found.append(_Final(time, node, block, tip))
    return found


def _finalized_by(tip: Block, known: Mapping[bytes, Block], rule: FinalityRule) -> Block | None:
    """Return the last block that the tip of a notarized chain makes final, unless genesis."""
    chain = [tip]
    while len(chain) < rule.consecutive and chain[-1].parent in known:
        chain.append(known[chain[-1].parent])
    epochs = [block.epoch for block in chain]
    if len(chain) < rule.consecutive and chain[-1].height == 1:
        epochs.append(GENESIS_EPOCH)
    expected = list(range(tip.epoch, tip.epoch - rule.consecutive, -1))
    return chain[rule.chopped] if epochs == expected and rule.chopped < len(chain) else None


def _smallest_pair(finals: Iterable[_Final], simulation: Simulation) -> _Pair:
    """Return the two conflicting finalizations that take the fewest blocks to show.

    From each finalized block, those with the lowest tips first, walk down to where another has
    been: the first to come to a block from below, and the first from another child of it, are the
    best pair that parts there. Every block is walked over once.
    """
    reached: set[bytes] = set()
    first_from_below: dict[bytes, _Final] = {}
    pairs = []
    for final in sorted(finals, key=lambda final: final.tip.height):
        chain = simulation.nodes[final.node].tree.chain(final.block.hash)
        for block, parent in pairwise(chain):
            if block.hash in reached:
                break
            reached.add(block.hash)
            rival = first_from_below.setdefault(parent.hash, final)
            if rival is not final:
                pairs.append(_Pair(parent, rival, final))
    return min(pairs, key=lambda pair: pair.size)


def _witnessed(check: Check, recorder: Recorder) -> list[Block]:
    """Return the blocks that a check points at, or votes are for; nobody may have proposed one."""
    hashes = [
        witness.hash if isinstance(witness, Block) else witness.block_hash
        for witness in check.witnesses
    ]
    return [recorder.blocks[name] for name in dict.fromkeys(hashes) if name in recorder.blocks]


def _first_to_see(blocks: Iterable[Block], honest: Collection[str], recorder: Recorder) -> set[str]:
    """Return for each block the first honest node that saw it notarized."""
    first: dict[bytes, str] = {}
    for _, node, block in recorder.notarizations:
        if node in honest:
            first.setdefault(block.hash, node)
    return {first[block.hash] for block in blocks if block.hash in first}


# --- What there is to say about them


def _rows(
    blocks: Iterable[Block],
    honest: Collection[str],
    recorder: Recorder,
    simulation: Simulation,
) -> tuple[ExcerptRow, ...]:
    # Both in one pass over the record: a fork may be as long as the run.
    voters: defaultdict[bytes, list[str]] = defaultdict(list)
    finalizers: defaultdict[bytes, list[str]] = defaultdict(list)
    for _, vote in recorder.votes:
        voters[vote.block_hash].append(vote.voter)
    for _, node, final in recorder.finalizations:
        if node in honest:
            finalizers[final.hash].append(node)
    return tuple(
        ExcerptRow(
            block.hash.hex(),
            block.parent.hex(),
            block.epoch,
            block.height,
            simulation.leader_of(block.epoch),
            " ".join(voters[block.hash]),
            " ".join(finalizers[block.hash]),
        )
        for block in blocks
    )


def _lines(
    blocks: Iterable[Block], nodes: Collection[str], until: int, recorder: Recorder
) -> list[str]:
    """Say who proposed the blocks, voted for them, and, of some nodes, saw them how."""
    shown = {block.hash: block for block in blocks}
    events: list[tuple[int, str, str, Block]] = []
    for time, node, block in recorder.proposals:
        events.append((time, node, "proposes", block))
    for time, vote in recorder.votes:
        if vote.block_hash in shown:
            events.append((time, vote.voter, "votes for", shown[vote.block_hash]))
    views = {
        "sees notarized": recorder.notarizations,
        "finalizes": recorder.finalizations,
        "would have to finalize": recorder.conflicts,
    }
    for does, records in views.items():
        events += [(time, node, does, block) for time, node, block in records if node in nodes]
    events.sort(key=lambda event: event[0])
    return [
        f"at {to_seconds(time):.6f} s {node} {does} block {short(block)} "
        f"of epoch {block.epoch} at height {block.height}"
        for time, node, does, block in events
        if block.hash in shown and time <= until
    ]
