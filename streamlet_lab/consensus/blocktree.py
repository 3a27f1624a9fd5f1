"""One node's view: blocks, votes, the longest notarized chains and the finalized chain.

Everything is kept up to date as blocks and votes arrive, in any order; nothing is recomputed from
genesis. The cost of a block or a vote does not depend on the length of the chain, nor on how long a
fork is that contradicts it: spread over the blocks, each is walked over once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from streamlet_lab.consensus.finality import THREE_IN_A_ROW, FinalityRule
from streamlet_lab.consensus.messages import Block, Vote
from streamlet_lab.consensus.node_events import (
    NOTHING,
    Conflicting,
    Finalized,
    Notarized,
    TreeEvent,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fixed import FixedList
from streamlet_lab.units import to_instance, to_whole

# One call less than the constructor: each node makes two events in an epoch.
_event: Final[Any] = tuple.__new__


@dataclass(eq=False, slots=True)
class _Entry:
    """What the tree knows about one block whose whole ancestry it has.

    It names parent and children by their hashes: linked entries are a chain too deep to copy.
    """

    block: Block
    children: list[bytes] = field(default_factory=list)
    has_quorum: bool = False
    notarized: bool = False  # it has a quorum, and so have all its ancestors
    # False: it contradicts the final chain, as do all that stand on it. None: nobody asked yet.
    is_final: bool | None = None


class BlockTree:
    """Block tree with notarization and finalization (Streamlet, section 3).

    Genesis is notarized and final from the start; a quorum of votes of distinct nodes notarizes any
    other block, and the rule says when a notarized chain is final.

    Attributes
    ----------
    longest : list of Block
        The tips of the longest notarized chains, in the order in which they became so.
    notarized : list of Block
        Blocks at the end of a notarized chain, in the order in which this view saw it.
    finalized : list of Block
        The finalized chain from genesis on: a block's index is its height until one is forgotten.
    ballots : dict of bytes to dict of str to Vote
        All votes that have arrived, by what they sign and by voter.
    conflicts : list of Block
        What the rule would finalize against ``finalized``: nothing unless more than f are faulty.
    """

    def __init__(self, genesis: Block, quorum: int, rule: FinalityRule = THREE_IN_A_ROW) -> None:
        self.quorum = to_whole(quorum, 1, "quorum")
        self.rule = to_instance(rule, FinalityRule, "rule")
        root = _Entry(to_instance(genesis, Block, "genesis"))
        root.has_quorum = root.notarized = root.is_final = True
        self._entries = {genesis.hash: root}
        self._orphans: dict[bytes, dict[bytes, Block]] = {}
        self.ballots: dict[bytes, dict[str, Vote]] = defaultdict(dict)
        # Which blocks have a quorum, by the height that was voted for; known or not.
        self._voted_at: dict[int, set[bytes]] = {0: {genesis.hash}}
        # Shown as they are, and changed here alone.
        self.longest = FixedList([genesis])
        self.notarized = FixedList([genesis])
        self.finalized = FixedList([genesis])
        self.conflicts: FixedList[Block] = FixedList()

    def __contains__(self, block_hash: bytes) -> bool:
        """Whether the block and all its ancestors are here."""
        return block_hash in self._entries

    def knows(self, block: Block) -> bool:
        """Whether the block has arrived, with its ancestors or still without."""
        return block.hash in self._entries or block.hash in self._orphans.get(block.parent, ())

    def blocks(self) -> list[Block]:
        """Return all blocks whose ancestry is known, in order of arrival; genesis first."""
        return [entry.block for entry in self._entries.values()]

    def votes(self, block_hash: bytes) -> list[Vote]:
        """Return the votes for a block whose ancestry is known, in order of arrival."""
        entry = self._entries.get(block_hash)
        return [] if entry is None else list(self.ballots.get(entry.block.ballot, {}).values())

    def is_notarized(self, block_hash: bytes) -> bool:
        """Whether the block ends a notarized chain: it and all its ancestors have a quorum."""
        entry = self._entries.get(block_hash)
        return entry is not None and entry.notarized

    def chain(self, block_hash: bytes) -> Iterator[Block]:
        """Walk from a block down to genesis, the block itself first."""
        entry: _Entry | None = self._entries[block_hash]
        while entry is not None:
            yield entry.block
            entry = self._entries.get(entry.block.parent)

    def add_block(self, block: Block) -> Sequence[TreeEvent]:
        """Take in a block; without its parent it waits, and is attached when the parent comes.

        A block that breaks a rule of chains (epochs strictly increase, heights count) is dropped
        as soon as that can be seen. Returns what follows, in order.
        """
        block = block if type(block) is Block else to_instance(block, Block, "block")
        if block.hash in self._entries or block.hash in self._orphans.get(block.parent, ()):
            return NOTHING
        if block.parent not in self._entries:
            self._orphans.setdefault(block.parent, {})[block.hash] = block
            return NOTHING
        events: list[TreeEvent] = []
        arrived = [block]
        while arrived:
            block = arrived.pop()
            parent = self._entries[block.parent]
            if block.height == parent.block.height + 1 and block.epoch > parent.block.epoch:
                entry = self._entries[block.hash] = _Entry(block)
                parent.children.append(block.hash)
                if len(self.ballots.get(block.ballot, ())) >= self.quorum:
                    events += self._notarize(entry)
                if block.hash in self._orphans:
                    arrived.extend(self._orphans.pop(block.hash).values())
        return events

    def add_vote(self, vote: Vote) -> Sequence[TreeEvent]:
        """Count a verified vote, also before its block; return what follows, as `add_block`.

        A vote that signs another epoch or height than the block's is not a vote for that block, and
        takes nothing away from a true one of the same voter.
        """
        vote = vote if type(vote) is Vote else to_instance(vote, Vote, "vote")
        votes = self.ballots[vote.signed]
        votes.setdefault(vote.voter, vote)
        if len(votes) == self.quorum:
            if self.rule.uncontested:  # else nobody asks
                self._voted_at.setdefault(vote.height, set()).add(vote.block_hash)
            entry = self._entries.get(vote.block_hash)
            if entry and not entry.has_quorum and entry.block.ballot == vote.signed:
                return self._notarize(entry)
        return NOTHING

    def forget(self, epoch: int) -> None:
        """Drop blocks of earlier epochs, on which nothing more can stand, and their votes."""
        if self.rule.uncontested:
            raise InvalidInput("rule", self.rule, "one that asks for no other quorums")
        for block in [block for block in self.blocks() if 0 <= block.epoch < epoch]:
            del self._entries[block.hash]
            self.ballots.pop(block.ballot, None)
        for shown in (self.notarized, self.finalized):
            list.__setitem__(shown, slice(1, None), [b for b in shown[1:] if b.epoch >= epoch])

    def _notarize(self, entry: _Entry) -> Sequence[TreeEvent]:
        """Note a block's quorum; mark the chain that it notarizes, and those that waited for it."""
        entry.has_quorum = True
        if not self._entries[entry.block.parent].notarized:
            return NOTHING
        events: list[TreeEvent] = []
        ready = [entry]
        while ready:
            entry = ready.pop()
            entry.notarized = True
            block = entry.block
            list.append(self.notarized, block)
            events.append(_event(Notarized, (block,)))
            if block.height > self.longest[0].height:
                self.longest = FixedList([block])
            elif block.height == self.longest[0].height:
                list.append(self.longest, block)
            if (newest := self._final_below(entry)) is not None:
                events += self._finalize(newest)
            if entry.children:
                children = map(self._entries.__getitem__, entry.children)
                ready.extend(child for child in children if child.has_quorum)
        return events

    def _final_below(self, tip: _Entry) -> _Entry | None:
        """Return the newest block that the rule makes final under a newly notarized tip, if any."""
        rule, newest, entry, block = self.rule, tip, tip, tip.block
        for depth in range(1, rule.consecutive):
            parent = self._entries.get(block.parent)
            if parent is None or parent.block.epoch + 1 != block.epoch:
                return None
            entry, block = parent, parent.block
            if depth == rule.chopped:
                newest = entry
        if rule.uncontested:
            heights = range(block.height, tip.block.height + 1)
            if any(len(self._voted_at[height]) > 1 for height in heights):
                return None
        return newest

    def _finalize(self, newest: _Entry) -> list[TreeEvent]:
        """Finalize a block and its whole prefix, unless it contradicts what is final.

        Both answers hold for ever, since the final chain only grows. So the way down ends at the
        first block that has one, and all blocks on it get one too: no block is walked over twice.
        """
        open_blocks: list[_Entry] = []
        entry = newest
        while entry.is_final is None:
            open_blocks.append(entry)
            entry = self._entries[entry.block.parent]  # genesis is final
        agrees = entry.is_final and (not open_blocks or entry.block is self.finalized[-1])
        events: list[TreeEvent] = []
        for entry in reversed(open_blocks):
            entry.is_final = agrees
            if agrees:
                list.append(self.finalized, entry.block)
                events.append(_event(Finalized, (entry.block,)))
        if not agrees:
            list.append(self.conflicts, newest.block)
            return [Conflicting(newest.block)]
        return events
