"""A Streamlet node as a state machine: no clock, no network, no randomness.

``start_epoch`` and ``receive`` return the messages that the node wants everyone to have; whoever
drives it carries them. A node counts its own messages at once, so it is never sent what it said.
"""

from collections import Counter
from collections.abc import Callable, Collection
from enum import StrEnum

from streamlet_lab.consensus.application import Application, Verdict
from streamlet_lab.consensus.blocktree import BlockTree
from streamlet_lab.consensus.messages import (
    Block,
    Message,
    Proposal,
    Vote,
    proposal_bytes,
    vote_bytes,
)
from streamlet_lab.keys import Keyring

LeaderRule = Callable[[int], str]


def round_robin(validators: Collection[str]) -> LeaderRule:
    """Return the description's rule: the validators lead in turn, from epoch 0 on."""
    order = tuple(validators)
    return lambda epoch: order[epoch % len(order)]


class Dropped(StrEnum):
    """Why a node ignored a message. None of these is an error: they are normal input."""

    DUPLICATE = "duplicate"
    OTHER_CHAIN = "other_chain"
    NOT_A_VALIDATOR = "not_a_validator"
    NOT_THE_LEADER = "not_the_leader"
    BAD_SIGNATURE = "bad_signature"


class StreamletNode:
    """One participant of Streamlet (partially synchronous Byzantine variant, section 3).

    Parameters
    ----------
    node_id : str
        Its own name. A node that is not among the validators only watches.
    validators : collection of str
        The names of all voters, in the order of the leader rule.
    genesis : Block
        Where every chain starts.
    quorum : int
        Votes that notarize a block.
    keyring : Keyring
        Signs for this node, verifies everyone.
    application : Application
        Makes and judges payloads.
    leader_of : callable, optional
        Epoch → name of the leader; round robin by default.

    Attributes
    ----------
    tree : BlockTree
        The node's own view.
    epoch : int
        The epoch that it is in; −1 before the first.
    proposes, votes : bool
        Its duties. An honest validator has both; a fault may take them away.
    refusals : list of (Block, Verdict)
        Proposals of the leader that the application judged unacceptable.
    dropped : Counter of Dropped
        How many messages it ignored, by reason.
    """

    def __init__(
        self,
        node_id: str,
        validators: Collection[str],
        genesis: Block,
        quorum: int,
        keyring: Keyring,
        application: Application,
        leader_of: LeaderRule | None = None,
    ) -> None:
        self.node_id = node_id
        self.tree = BlockTree(genesis, quorum)
        self.epoch = genesis.epoch
        self.proposes = self.votes = node_id in validators
        self.refusals: list[tuple[Block, Verdict]] = []
        self.dropped: Counter[Dropped] = Counter()
        self._validators = frozenset(validators)
        self._chain_id = genesis.chain_id
        self._leader_of = leader_of or round_robin(validators)
        self._keyring = keyring
        self._application = application
        self._observation: object = None
        # The first proposal of an epoch's leader is the only one that may get this node's vote. It
        # stays here until its epoch is over, so that it can be voted for once it fits; one that
        # comes before its epoch waits for it.
        self._first_proposals: dict[int, Block] = {}
        self._undecided = False

    def start_epoch(self, epoch: int, observation: object = None) -> list[Message]:
        """Enter an epoch: propose if this node leads it.

        Parameters
        ----------
        epoch : int
            Later than any before.
        observation : object
            What this node saw of the outside world; handed on to the application.
        """
        self._first_proposals = {e: b for e, b in self._first_proposals.items() if e >= epoch}
        self.epoch = epoch
        self._observation = observation
        self._undecided = True
        messages: list[Message] = []
        if self.proposes and self._leader_of(epoch) == self.node_id:
            proposal = self._propose()
            messages.append(proposal)
            self._take_in(proposal.block)
        return messages + self._vote_if_it_fits()

    def receive(self, message: Message) -> list[Message]:
        """Take in a message from anyone, in any order, and vote if that has become possible."""
        match message:
            case Vote():
                return self._receive_vote(message)
            case Proposal():
                return self._receive_proposal(message)

    def _propose(self) -> Proposal:
        parent = self.tree.longest[0]
        payload, attachment = self._application.make_payload(
            self.epoch, self.tree.chain(parent.hash), self._observation
        )
        block = Block(
            self._chain_id, self.epoch, parent.height + 1, parent.hash, payload, attachment
        )
        signature = self._keyring.sign(self.node_id, proposal_bytes(block))
        return Proposal(block, self.node_id, signature)

    def _receive_proposal(self, proposal: Proposal) -> list[Message]:
        block = proposal.block
        if (reason := self._reason_to_drop_proposal(proposal)) is not None:
            self.dropped[reason] += 1
            return []
        notarized = len(self.tree.notarized)
        self._take_in(block)
        if block.epoch == self.epoch or len(self.tree.notarized) > notarized:
            return self._vote_if_it_fits()
        return []

    def _receive_vote(self, vote: Vote) -> list[Message]:
        if (reason := self._reason_to_drop_vote(vote)) is not None:
            self.dropped[reason] += 1
            return []
        notarized = len(self.tree.notarized)
        self.tree.add_vote(vote)
        # A proposal that did not fit is looked at again whenever something is notarized: a vote
        # decided only when the proposal arrives breaks the liveness lemmas.
        if len(self.tree.notarized) > notarized:
            return self._vote_if_it_fits()
        return []

    def _reason_to_drop_proposal(self, proposal: Proposal) -> Dropped | None:
        block = proposal.block
        if block.chain_id != self._chain_id:
            return Dropped.OTHER_CHAIN
        if block.epoch < 0 or proposal.proposer != self._leader_of(block.epoch):
            return Dropped.NOT_THE_LEADER
        if self.tree.knows(block.hash):
            return Dropped.DUPLICATE
        if not self._keyring.verify(proposal.proposer, proposal.signature, proposal.signed):
            return Dropped.BAD_SIGNATURE
        return None

    def _reason_to_drop_vote(self, vote: Vote) -> Dropped | None:
        if vote.chain_id != self._chain_id:
            return Dropped.OTHER_CHAIN
        if vote.voter not in self._validators:
            return Dropped.NOT_A_VALIDATOR
        if self.tree.has_vote(vote):
            return Dropped.DUPLICATE
        if not self._keyring.verify(vote.voter, vote.signature, vote.signed):
            return Dropped.BAD_SIGNATURE
        return None

    def _take_in(self, block: Block) -> None:
        self.tree.add_block(block)
        if block.epoch >= self.epoch:
            self._first_proposals.setdefault(block.epoch, block)

    def _vote_if_it_fits(self) -> list[Message]:
        """Vote for the first proposal of this epoch if it extends a longest notarized chain."""
        block = self._first_proposals.get(self.epoch)
        if block is None or not (self._undecided and self.votes and self._fits(block)):
            return []
        self._undecided = False
        verdict = self._application.judge(block, self.tree.chain(block.parent), self._observation)
        if not verdict.accepted:
            self.refusals.append((block, verdict))
            return []
        vote = self._vote_for(block)
        self.tree.add_vote(vote)
        return [vote]

    def _fits(self, block: Block) -> bool:
        return (
            block.height == self.tree.longest[0].height + 1
            and block.hash in self.tree
            and self.tree.is_notarized(block.parent)
        )

    def _vote_for(self, block: Block) -> Vote:
        signed = vote_bytes(self._chain_id, block.epoch, block.height, block.hash)
        signature = self._keyring.sign(self.node_id, signed)
        return Vote(self._chain_id, block.epoch, block.height, block.hash, self.node_id, signature)
