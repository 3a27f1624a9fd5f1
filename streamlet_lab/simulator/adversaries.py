"""Byzantine strategies of single nodes: what they say twice, late, or to too few.

Below a third of the nodes neither these nor any others can make two honest nodes disagree, whatever
the network does (Theorem 3). What each can do is said with it; f is the number of Byzantine nodes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from streamlet_lab.config import OBSERVER
from streamlet_lab.consensus import Block, Message, Proposal, Vote
from streamlet_lab.simulator.faults import NodeFault, Send, fault_kind
from streamlet_lab.values import Span

_Delay = Annotated[int, Span(1)]


def in_halves(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return two halves; the observer goes with the first, which is never the larger one."""
    middle = len(names) // 2
    return (*names[:middle], OBSERVER), names[middle:]


@fault_kind("equivocate")
class Equivocation(NodeFault):
    """The leader shows one half of the others one block, and the other half a conflicting one.

    Its votes go the same way, so that no half sees it vote twice before the other half's echo
    arrives. Composed with ``withhold_votes`` it votes for neither.

    At f < n/3 at most one of the two is notarized (Lemma 1), at times none: it can waste the
    epochs that it leads. Beyond, together with a partition, both can be.
    """

    _shown: Block | None = None

    def on_send(self, message: Message) -> Iterable[Send]:
        if isinstance(message, Proposal):
            self._shown = message.block
        elif self._shown is None or message.block_hash != self._shown.hash:
            yield Send(message)
            return
        first, second = in_halves(self.others)
        yield Send(message, first)
        other = self.conflicting_block(self._shown)
        if isinstance(message, Proposal):
            yield Send(replace(self.proposal(other), certificate=message.certificate), second)
        else:
            yield Send(self.vote(other), second)


@fault_kind("double_vote")
class DoubleVote(NodeFault):
    """The node votes for every proposal of a leader that it receives, whatever it extends.

    At f < n/3 that is harmless alone: a block still needs the votes of more than half of the honest
    nodes, and they vote once. It makes an equivocating accomplice dangerous beyond.
    """

    def on_message(self, message: Message) -> Iterable[Send]:
        if isinstance(message, Proposal) and self.node.tree.knows(message.block):
            vote = self.vote(message.block)
            if vote.voter not in self.node.tree.ballots.get(vote.signed, ()):
                yield Send(vote)


@dataclass(eq=False)
class _Late(NodeFault):
    """Messages of one type arrive late: after a given delay, or when the last honest one might.

    Parameters
    ----------
    delay : duration, optional
        How long each of them is on its way, as seconds or a text with a unit.
    """

    late_type: ClassVar[type[Message]]
    halves_of_epoch: ClassVar[int]

    delay: _Delay | None = None

    def on_send(self, message: Message) -> Iterable[Send]:
        if not isinstance(message, self.late_type):
            yield Send(message)
            return
        length = self.epoch_length
        deadline = message.epoch * length + length * self.halves_of_epoch // 2
        yield Send(message, None, self.delay or max(1, deadline - self.now()))


@fault_kind("late_vote")
class LateVotes(_Late):
    """The node's votes arrive late at everyone.

    Without a delay of its own, a vote arrives at the very end of its epoch: an honest vote does, if
    proposal and vote both take Δ, in epochs of 2Δ. That is still before the next leader proposes,
    and harmless. One that arrives later, where it is needed for the quorum, costs the next leader
    its block: it does not know yet what it should extend.
    """

    late_type = Vote
    halves_of_epoch = 2


@fault_kind("late_proposal")
class LateProposals(_Late):
    """The node's proposals arrive late at everyone.

    Without a delay of its own, a proposal arrives half an epoch after it was made, which is Δ in
    epochs of 2Δ, as an honest one may. That is harmless. One that arrives later is notarized, if at
    all, after the next leader has proposed on its parent: one of the two blocks is lost.
    """

    late_type = Proposal
    halves_of_epoch = 1


@fault_kind("late_reveal")
@dataclass(eq=False)
class LateReveal(NodeFault):
    """The leader shows its block to just enough nodes, at the very end of its epoch.

    They vote for it, their votes and the coalition's own arrive when the next leader has already
    proposed on the parent, and the others, for whom the leader's block is too short by then, refuse
    it. One Byzantine node of four thus has an honest leader's block lost in full synchrony, in each
    epoch before which it leads, if an honest proposal takes about as long as an honest vote. Safety
    is not in danger.

    Parameters
    ----------
    margin : duration
        How long before the end of the epoch the block arrives, as seconds or a text with a unit.
    """

    margin: _Delay = 1

    def proposes(self, epoch: int) -> bool:
        return False

    def votes(self, epoch: int) -> bool:
        return not self.leads(epoch)

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        if not self.leads(epoch):
            return
        block = self.node.make_block(self.node.tree.longest[0])
        left = (epoch + 1) * self.epoch_length - self.now()
        needed = max(0, self.node.tree.quorum - len(self.accomplices))
        yield Send(self.proposal(block), self.victims[:needed], max(1, left - self.margin))
        for name in self.accomplices:
            yield Send(self.vote(block, name), None, max(1, left + 1))
