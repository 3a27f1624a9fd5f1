"""What shows a violation: the smallest part of a run that does, and whom the votes convict."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, pairwise, takewhile
from typing import NamedTuple

from streamlet_lab.checks.check import Check, Status, short
from streamlet_lab.checks.promises import honest_nodes
from streamlet_lab.checks.safety import Consistency
from streamlet_lab.columns import ViolationRow
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import Block, BlockTree, Evidence, find_offences
from streamlet_lab.simulator import Recorder, Simulation
from streamlet_lab.units import to_seconds


class Excerpt(NamedTuple):
    """The blocks that show a violation, and what happened to them, in the order of time.

    For `consistency` these are two chains, each from after the last common block to the block that
    made it final; the last common block is the first row, unless it is genesis, which has none.
    Where nothing is violated, it is empty.
    """

    rows: tuple[ViolationRow, ...] = ()
    lines: tuple[str, ...] = ()


def find_excerpt(checks: Iterable[Check], recorder: Recorder, simulation: Simulation) -> Excerpt:
    """Return the smallest excerpt that shows the first check's violation that there is."""
    violated = next((c for c in checks if c.result().status is Status.VIOLATED), None)
    if violated is None:
        return Excerpt()
    shown = None
    if isinstance(violated, Consistency):
        shown = _smallest_conflict(violated.honest, recorder, simulation)
    blocks, nodes, until = shown or _witnesses(violated, recorder)
    return Excerpt(
        tuple(_rows(blocks, violated.honest, recorder, simulation)),
        (*_lines(blocks, nodes, until, recorder), violated.violation),
    )


def find_culprits(config: ExperimentConfig, simulation: Simulation) -> dict[str, Evidence]:
    """Return evidence from the votes that honest nodes hold, by culprit, in alphabetical order."""
    if not config.faulty_nodes:
        return {}
    honest = honest_nodes(config)
    # Nodes share the votes that they have received: each is looked at once.
    held = {
        id(vote): vote
        for name, node in simulation.nodes.items()
        if name in honest
        for votes in node.tree.ballots.values()
        for vote in votes.values()
    }
    return find_offences(held.values())


# --- Which blocks it takes


# Blocks, the nodes whose views are told of, and until when.
_Shown = tuple[list[Block], set[str], int]


class _Final(NamedTuple):
    """A node finalizes a block, or would have to, because of the tip of a notarized chain."""

    time: int
    node: str
    block: Block
    tip: Block


def _smallest_conflict(
    honest: Collection[str], recorder: Recorder, simulation: Simulation
) -> _Shown | None:
    """Return two conflicting chains of the fewest blocks, who finalized them, and when at last."""
    trees = {name: node.tree for name, node in simulation.nodes.items()}
    conflicts = [*_conflicts(_finalizations(honest, recorder, trees), trees)]
    if not conflicts:  # of nodes that break the rule of finality
        return None
    fork, one, other = min(
        conflicts, key=lambda found: found[1].tip.height + found[2].tip.height - 2 * found[0].height
    )
    blocks = [fork] if fork.height else []
    for final in (one, other):
        chain = trees[final.node].chain(final.tip.hash)
        blocks += [*takewhile(lambda block: block.height > fork.height, chain)][::-1]
    return blocks, {one.node, other.node}, max(one.time, other.time)


def _finalizations(
    honest: Collection[str], recorder: Recorder, trees: dict[str, BlockTree]
) -> Iterator[_Final]:
    final = {
        (time, node, block.hash)
        for time, node, block in (*recorder.finalizations, *recorder.conflicts)
    }
    for time, node, tip in recorder.notarizations:
        block = _final_below(tip, trees[node]) if node in honest else None
        if block is not None and (time, node, block.hash) in final:
            yield _Final(time, node, block, tip)


def _final_below(tip: Block, tree: BlockTree) -> Block | None:
    """Return the newest block that the epochs at the end of a notarized chain make final."""
    chain = [*islice(tree.chain(tip.hash), tree.rule.consecutive)]
    if len(chain) < tree.rule.consecutive or any(
        block.epoch != parent.epoch + 1 for block, parent in pairwise(chain)
    ):
        return None
    return chain[tree.rule.chopped]


def _conflicts(
    finals: Iterable[_Final], trees: dict[str, BlockTree]
) -> Iterator[tuple[Block, _Final, _Final]]:
    """Yield forks with finalizations that conflict from there on, the smallest pair among them.

    From each finalized block, those with the lowest tips first, walk down to where another has
    been: the first to come to a block from below, and the first from another child of it, are the
    best pair that parts there. Every block is walked over once.
    """
    reached: set[bytes] = set()
    first_from_below: dict[bytes, _Final] = {}
    for final in sorted(finals, key=lambda final: final.tip.height):
        for block, parent in pairwise(trees[final.node].chain(final.block.hash)):
            if block.hash in reached:
                break
            reached.add(block.hash)
            rival = first_from_below.setdefault(parent.hash, final)
            if rival is not final:
                yield parent, rival, final


def _witnesses(check: Check, recorder: Recorder) -> _Shown:
    """Return the blocks of the violation that were proposed, and who first saw them notarized."""
    hashes = dict.fromkeys(
        witness.hash if isinstance(witness, Block) else witness.block_hash
        for witness in check.witnesses
    )
    first: dict[bytes, str] = {}
    for _, node, block in recorder.notarizations:
        if node in check.honest:
            first.setdefault(block.hash, node)
    blocks = [recorder.blocks[name] for name in hashes if name in recorder.blocks]
    nodes = {first[block.hash] for block in blocks if block.hash in first}
    return blocks, nodes, check.violated_at


# --- What there is to say about them


def _rows(
    blocks: Iterable[Block], honest: Collection[str], recorder: Recorder, simulation: Simulation
) -> Iterator[ViolationRow]:
    # Both in one pass over the record: a fork may be as long as the run.
    voters: defaultdict[bytes, list[str]] = defaultdict(list)
    finalizers: defaultdict[bytes, list[str]] = defaultdict(list)
    for _, vote in recorder.votes:
        voters[vote.block_hash].append(vote.voter)
    for _, node, final in recorder.finalizations:
        if node in honest:
            finalizers[final.hash].append(node)
    for block in blocks:
        yield ViolationRow(
            block.hash.hex(),
            block.parent.hex(),
            block.epoch,
            block.height,
            simulation.leader_of(block.epoch),
            " ".join(voters[block.hash]),
            " ".join(finalizers[block.hash]),
        )


def _lines(
    blocks: Iterable[Block], nodes: Collection[str], until: int, recorder: Recorder
) -> list[str]:
    """Say who proposed the blocks, voted for them, and, of some nodes, saw them how."""
    shown = {block.hash: block for block in blocks}
    events = [(time, node, "proposes", block.hash) for time, node, block in recorder.proposals]
    events += [(time, vote.voter, "votes for", vote.block_hash) for time, vote in recorder.votes]
    for does, records in (
        ("sees notarized", recorder.notarizations),
        ("finalizes", recorder.finalizations),
        ("would have to finalize", recorder.conflicts),
    ):
        events += [(time, node, does, block.hash) for time, node, block in records if node in nodes]
    events = [event for event in events if event[3] in shown and event[0] <= until]
    return [
        f"at {to_seconds(time):.6f} s {node} {does} block {short(shown[block_hash])} of epoch "
        f"{shown[block_hash].epoch} at height {shown[block_hash].height}"
        for time, node, does, block_hash in sorted(events, key=lambda event: event[0])
    ]
