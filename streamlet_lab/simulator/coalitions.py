"""Byzantine coalitions: nodes that share one fault, one plan and their keys.

Keeping their victims apart is left to the network. f is the number of Byzantine nodes.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from streamlet_lab.consensus import Block, BlockTree, Message, Proposal, Vote
from streamlet_lab.simulator.adversaries import in_halves
from streamlet_lab.simulator.faults import NodeFault, Send, fault_kind
from streamlet_lab.values import Whole


class Coalition(NodeFault):
    """Nodes that do nothing but what their plan says; each holds the keys of all."""

    def proposes(self, epoch: int) -> bool:
        return False

    votes = echoes = proposes


class _Divided(Coalition):
    """A coalition looks into its victims' views and leads halves of them along different chains.

    When one of it leads, each half that it serves gets a block on its own longest chain, with the
    votes of the whole coalition. An honest leader gets these votes shown to its own half alone.
    """

    @property
    def parts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Two halves of the honest nodes."""
        return in_halves(self.victims)

    @property
    def served(self) -> Sequence[tuple[str, ...]]:
        """The halves that get votes now."""
        return self.parts

    def view(self, part: tuple[str, ...]) -> BlockTree:
        """Return the view of the first voter of a part; the node's own, if there is none."""
        return self.trees[next((name for name in part if name in self.victims), self.name)]

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        if not self.leads(epoch):
            return
        for number, part in enumerate(self.served, start=1):
            view, to = self.view(part), (*part, *self.accomplices)
            known = (b for b in view.chain(view.longest[0].hash) if b.hash in self.node.tree)
            block = self.conflicting_block(self.node.make_block(next(known)), number)
            yield Send(self.proposal(block), to)
            for name in self.accomplices:
                yield Send(self.vote(block, name), to)

    def on_message(self, message: Message) -> Iterable[Send]:
        if (
            isinstance(message, Proposal)
            and message.epoch == self.node.epoch
            and self.node.tree.knows(message.block)
        ):
            for part in self.served:
                if message.proposer in part:
                    yield Send(self.vote(message.block), part)


@fault_kind("split")
class Split(_Divided):
    """A coalition leads each half of the honest nodes along a chain of its own.

    At f ≥ n/3, while the network keeps the halves apart, both finalize chains of their own: safety
    is broken, and two votes in one epoch convict the coalition. At f < n/3 two halves cannot both
    have a quorum, and all it can do is delay.
    """


@fault_kind("amnesia")
@dataclass(eq=False)
class Amnesia(_Divided):
    """A coalition helps one half of the honest nodes to something final, and then the other half.

    It never votes twice in one epoch: it votes on the second half's chain as if it had never voted
    on the first's. At f ≥ n/3, while the network keeps the halves apart, they finalize conflicting
    chains, and all that convicts the coalition are later votes on a shorter chain. At f < n/3 all
    it can do is delay.

    Parameters
    ----------
    blocks : int
        How many new blocks must be final in the first half before the coalition changes sides.
    """

    blocks: Annotated[int, Whole(1)] = 1

    _final_before = None
    _forgotten = False

    @property
    def served(self) -> Sequence[tuple[str, ...]]:
        return [self.parts[self._forgotten]]

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        final = len(self.view(self.parts[0]).finalized)
        if self._final_before is None:
            self._final_before = final
        self._forgotten = self._forgotten or final - self._final_before >= self.blocks
        return super().on_epoch(epoch)


@fault_kind("echo_attack")
class EchoAttack(Coalition):
    """A coalition has a block notarized in one honest node's view alone, and falls silent.

    A leader of the coalition shows its block to just enough honest nodes; all but one of its votes
    reach everyone, the last one a single node. Without echo, and with f Byzantine nodes of 3f + 1,
    that node waits for ever for blocks on a chain that nobody else extends, the others lack its
    vote, and nothing is final any more: the attack of Cohen and Malkhi.
    """

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        if not self.leads(epoch):
            return
        block = self.node.make_block(self.node.tree.longest[0])
        *open_voters, last = self.accomplices
        needed = max(1, self.node.tree.quorum - len(self.accomplices))
        yield Send(self.proposal(block), self.victims[:needed])
        for name in open_voters:
            yield Send(self.vote(block, name))
        yield Send(self.vote(block, last), self.victims[:1])


#: How many of its newest votes and blocks a hoarder thinks of.
_RECENT: Final = 16


@fault_kind("hoard")
@dataclass(eq=False)
class Hoarder(Coalition):
    """A coalition keeps blocks and votes to itself, and shows them to some when it hurts.

    It votes for every proposal, whatever that extends, and keeps about half of its votes: a block
    with too few others is then notarized when the coalition says so, and leaders that do not see
    that propose beside it. A kept vote is shown once a rival of its block's height is notarized as
    well, or at random. When one of the coalition leads, it extends a block of the height that some
    victim takes for the greatest, at times an older one, and shows that to some victims: mostly to
    just enough of them, at the very end of the epoch. So chains of one length grow side by side.

    At f < n/3 all that it can do is delay. It is what the rules of section 3 are needed against:
    nodes that finalize any earlier, or vote for shorter chains, it leads to conflicting chains.
    """

    _kept: deque[Vote] = field(init=False, default_factory=lambda: deque(maxlen=_RECENT))

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        yield from self._show_kept([*self._kept], 0.1)
        if not (self.leads(epoch) and self.victims):
            return
        parent = self.random.choice(self._parents())
        block = self.node.make_block(parent)
        left = (epoch + 1) * self.epoch_length - self.now() - 1
        to, delay = self._some(self.node.tree.quorum - len(self.accomplices)), left
        if self._happens(0.3):
            to, delay = self._some(), self._sometime(left)
        for vote in self.node.tree.votes(parent.hash):
            yield Send(vote, to, max(1, delay))
        yield Send(self.proposal(block), to, max(1, delay))
        yield Send(self.proposal(block), self.accomplices, 1)
        yield from self._vote_for(block, 0.9)

    def on_message(self, message: Message) -> Iterable[Send]:
        tree = self.node.tree
        if isinstance(message, Proposal):
            if message.block.hash in tree:
                yield from self._vote_for(message.block, 0.5)
        elif tree.is_notarized(message.block_hash):
            rivals = [
                vote
                for vote in self._kept
                if vote.height == message.height and vote.block_hash != message.block_hash
            ]
            yield from self._show_kept(rivals, 0.5)

    def _parents(self) -> Sequence[Block]:
        """Blocks that a victim might be led to vote on."""
        tree = self.node.tree
        recent = tree.notarized[-_RECENT:]
        if self._happens(0.1):
            return recent[-4:]
        height = self.trees[self.random.choice(self.victims)].longest[0].height
        return [block for block in recent if block.height == height] or tree.longest

    def _vote_for(self, block: Block, kept: float) -> Iterator[Send]:
        """Vote, among accomplices at once, and before others now or later."""
        vote = self.vote(block)
        yield Send(vote, self.accomplices, 1)
        if self._happens(kept):
            self._kept.append(vote)
        else:
            yield self._show(vote)

    def _show_kept(self, votes: Iterable[Vote], share: float) -> Iterator[Send]:
        for vote in votes:
            if self._happens(share):
                self._kept.remove(vote)
                yield self._show(vote)

    def _show(self, vote: Vote) -> Send:
        return Send(vote, self._some(), self._sometime(self.epoch_length))

    def _some(self, count: int | None = None) -> tuple[str, ...]:
        """Return so many of the victims, or as many as come."""
        most = len(self.victims)
        least = min(1, most)
        drawn = self.random.randint(least, most) if count is None else min(max(count, least), most)
        return tuple(self.random.sample(self.victims, drawn))

    def _sometime(self, latest: int) -> int:
        return self.random.randint(1, max(1, latest))

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance
