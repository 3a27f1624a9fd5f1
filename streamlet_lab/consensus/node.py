"""A Streamlet node as a state machine: no clock, no network, no randomness.

``start_epoch`` and ``receive`` return what happens, in order: messages that whoever drives the node
is to carry to everyone else, and the other events of :mod:`~streamlet_lab.consensus.node_events`.
A node counts its own messages at once. It is also for the driver to echo, in the node's name, every
message that is new to it (section 3): only so does what one honest node knows reach all others.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from streamlet_lab.consensus.application import Application
from streamlet_lab.consensus.blocktree import BlockTree
from streamlet_lab.consensus.finality import THREE_IN_A_ROW, FinalityRule
from streamlet_lab.consensus.leaders import LeaderRule, read_names, round_robin
from streamlet_lab.consensus.messages import (
    Block,
    Certificate,
    Message,
    Proposal,
    Vote,
    sign_proposal,
    sign_vote,
)
from streamlet_lab.consensus.node_events import NOTHING, Event, Refused, TreeEvent
from streamlet_lab.keys import Keyring
from streamlet_lab.units import to_instance, to_text, to_whole

#: A node takes in nothing about an epoch further ahead of its own than that. An honest node signs
#: in its own epoch: one ahead of another's at most while epochs are longer than clocks differ.
EPOCHS_AHEAD: Final = 8


class Dropped(StrEnum):
    """Why a node ignored a message. None of these is an error: they are normal input."""

    DUPLICATE = "duplicate"
    OTHER_CHAIN = "other_chain"
    NOT_A_VALIDATOR = "not_a_validator"
    NOT_THE_LEADER = "not_the_leader"
    BAD_SIGNATURE = "bad_signature"
    TOO_EARLY = "too_early"


# A vote in a certificate counts if nothing is wrong with it: taken in now, or known already.
_GENUINE: Final = (None, Dropped.DUPLICATE)


class StreamletNode:
    """One participant of Streamlet.

    The defaults are the rules for Byzantine nodes in partial synchrony (section 3); other quorums,
    finality rules and certificates make it a node of the paper's other models.

    What nobody is known to have signed changes nothing but `dropped`, and what can be seen without
    a signature is looked at first. A message without a certificate costs one verification, one with
    a certificate that is of no use at most a quorum and two more.

    What a validator signed is kept, also a second block or vote of one epoch, and a block without
    its parent: the others may hold the block notarized with it, and no message comes twice. So that
    nobody can have more and more kept ahead of time, the node takes in nothing of an epoch more
    than :data:`EPOCHS_AHEAD` after its own. Whoever drives it holds that back and hands it over
    once the node has come near enough: some others may be there already, and count on it.

    A node that is not among the validators only watches. These lead in turn unless another rule is
    given; the keyring signs for this node, and verifies everyone.

    Attributes
    ----------
    epoch : int
        The epoch that it is in; −1 before the first.
    proposes, votes : bool
        Its duties. An honest validator has both; a fault may take them away.
    certifies : bool
        Whether its proposals carry the notarized chain that they extend (appendix A), so that
        whoever has lost messages catches up. Certificates are taken in from everyone.
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
        finality: FinalityRule = THREE_IN_A_ROW,
    ) -> None:
        self.node_id = to_text(node_id, "node_id")
        self.tree = BlockTree(genesis, quorum, finality)
        self.epoch, self._newest = genesis.epoch, genesis.epoch + EPOCHS_AHEAD
        self._validators = frozenset(read_names(validators))
        self.proposes = self.votes = node_id in self._validators
        self.certifies = False
        self.dropped: Counter[Dropped] = Counter()
        self._chain_id = genesis.chain_id
        self._leader_of = leader_of or round_robin(validators)
        self._keyring, self._application = keyring, application
        self._observation: object = None
        self._proposals: dict[bytes, Proposal] = {}
        self._certificates: dict[bytes, Certificate] = {}
        # The first proposal of an epoch's leader is the only one that may get this node's vote. It
        # stays here until its epoch is over, to be voted for once it extends a longest chain; one
        # that comes before its epoch waits for it. There is one for each epoch ahead, at most.
        self._first_proposals: dict[int, Block] = {}
        self._has_decided = True  # about the first proposal of this epoch

    def start_epoch(self, epoch: int, observation: object = None) -> Sequence[Event]:
        """Enter a later epoch: propose if this node leads it, and vote if it can already.

        The observation is what this node sees of the outside world, for the application.
        """
        epoch = epoch if type(epoch) is int and epoch >= 0 else to_whole(epoch, 0, "epoch")
        for earlier in [*self._first_proposals]:
            if earlier < epoch:
                del self._first_proposals[earlier]
        self.epoch, self._newest = epoch, epoch + EPOCHS_AHEAD
        self._observation = observation
        self._has_decided = False
        if self.proposes and self._leader_of(epoch) == self.node_id:
            block = self.make_block(self.tree.longest[0])
            certificate = self._certificate(self.tree.longest[0]) if self.certifies else None
            proposal = sign_proposal(block, self.node_id, self._keyring, certificate)
            return [proposal, *self._take_in(proposal), *self._vote_if_possible()]
        return [*self._vote_if_possible()] if self._first_proposals else []

    def receive(self, message: Message) -> Sequence[Event]:
        """Take in a message from anyone, in any order, and vote if that has become possible."""
        if isinstance(message, Vote):
            if (reason := self._reason_to_drop_vote(message)) is not None:
                self.dropped[reason] += 1
                return NOTHING
            may_fit, events = False, self.tree.add_vote(message)
        else:
            events, may_fit = self._learn_proposal(message), message.block.epoch == self.epoch
        # A proposal that did not extend a longest chain is looked at again whenever something is
        # notarized: a vote decided only when the proposal arrives breaks the liveness lemmas.
        if events or may_fit:
            return events if self._has_decided else [*events, *self._vote_if_possible()]
        return NOTHING

    def learn(self, message: Message) -> Sequence[Event]:
        """Take in a message without acting on it."""
        votes, self.votes = self.votes, False
        try:
            return self.receive(message)
        finally:
            self.votes = votes

    def make_block(self, parent: Block) -> Block:
        """Return the block that this node would propose now on a parent that it knows."""
        chain = self.tree.chain(to_instance(parent, Block, "parent").hash)
        carried = self._application.make_payload(self.epoch, chain, self._observation)
        return Block(self._chain_id, self.epoch, parent.height + 1, parent.hash, *carried)

    def _learn_proposal(self, proposal: Proposal) -> Sequence[TreeEvent]:
        """Take in a proposal, and what its certificate adds."""
        if type(proposal) is not Proposal:
            to_instance(proposal, Proposal, "message")
        reason = self._reason_to_drop_proposal(proposal)
        events: list[TreeEvent] = []
        news = proposal.certificate and not self.tree.is_notarized(proposal.block.parent)
        # A certificate is not signed: anyone may have sent the block before, with a false one.
        if news and (reason is None or (reason is Dropped.DUPLICATE and self._is_signed(proposal))):
            events += self._catch_up(proposal)
        if reason is None:
            events += self._take_in(proposal)
        else:
            self.dropped[reason] += 1
        return events

    def _reason_to_drop_proposal(self, proposal: Proposal) -> Dropped | None:
        block = proposal.block
        if block.chain_id != self._chain_id:
            return Dropped.OTHER_CHAIN
        if block.epoch < 0 or proposal.proposer != self._leader_of(block.epoch):
            return Dropped.NOT_THE_LEADER
        if block.epoch > self._newest:
            return Dropped.TOO_EARLY
        if self.tree.knows(block):
            return Dropped.DUPLICATE
        return None if self._is_signed(proposal) else Dropped.BAD_SIGNATURE

    def _is_signed(self, proposal: Proposal) -> bool:
        return self._keyring.verify(proposal.proposer, proposal.signature, proposal.signed)

    def _reason_to_drop_vote(self, vote: Vote) -> Dropped | None:
        others = self.tree.ballots.get(vote.signed)
        if others is None:  # else they were for the same chain and epoch
            if vote.chain_id != self._chain_id:
                return Dropped.OTHER_CHAIN
            if vote.epoch > self._newest:
                return Dropped.TOO_EARLY
        elif vote.voter in others:
            return Dropped.DUPLICATE
        if vote.voter not in self._validators:
            return Dropped.NOT_A_VALIDATOR
        is_signed = self._keyring.verify(vote.voter, vote.signature, vote.signed)
        return None if is_signed else Dropped.BAD_SIGNATURE

    def _take_in(self, proposal: Proposal) -> Sequence[TreeEvent]:
        block = proposal.block
        if self.certifies:
            # Whatever chain came along with it, perhaps a false one, is not kept.
            self._proposals.setdefault(block.hash, replace(proposal, certificate=None))
        if block.epoch >= self.epoch:
            self._first_proposals.setdefault(block.epoch, block)
        return self.tree.add_block(block)

    def _certificate(self, block: Block) -> Certificate | None:
        """Return the certificate of a notarized chain; None for genesis alone."""
        open_blocks: list[Block] = []
        for ancestor in self.tree.chain(block.hash):
            if ancestor.height == 0 or ancestor.hash in self._certificates:
                break
            open_blocks.append(ancestor)
        for ancestor in reversed(open_blocks):
            votes = tuple(self.tree.votes(ancestor.hash)[: self.tree.quorum])
            parent = self._certificates.get(ancestor.parent)
            proposal = self._proposals[ancestor.hash]
            self._certificates[ancestor.hash] = Certificate(proposal, votes, parent)
        return self._certificates.get(block.hash)

    def _catch_up(self, proposal: Proposal) -> list[TreeEvent]:
        """Take in what is new in a certificate, oldest first, as if each message had arrived.

        Each link is taken in whole or not at all. The first false one ends it: whoever made it
        lies, and what stands on it cannot be notarized either.
        """
        events: list[TreeEvent] = []
        for link in self._new_links(proposal):
            if self._reason_to_drop_proposal(link.proposal) not in _GENUINE or any(
                self._reason_to_drop_vote(vote) not in _GENUINE for vote in link.votes
            ):
                break
            for vote in link.votes:
                events += self.tree.add_vote(vote)
            events += self._take_in(link.proposal)
        return events

    def _new_links(self, proposal: Proposal) -> list[Certificate]:
        """Return what a certificate has beyond this view, oldest first; none if it is no chain."""
        links: list[Certificate] = []
        child, link = proposal.block, proposal.certificate
        while not self.tree.is_notarized(child.parent):
            if link is None or not self._is_below(child, link):
                return []
            links.append(link)
            child, link = link.proposal.block, link.parent
        return links[::-1]

    def _is_below(self, child: Block, link: Certificate) -> bool:
        """Whether a link claims a quorum for the parent of a block; no signature is looked at."""
        block, votes = link.proposal.block, link.votes
        return (
            block.hash == child.parent
            and block.height + 1 == child.height
            and block.epoch < child.epoch
            and len(votes) == len({vote.voter for vote in votes}) == self.tree.quorum
            and all(vote.signed == block.ballot for vote in votes)
        )

    def _vote_if_possible(self) -> Sequence[Event]:
        """Vote for the first proposal of this epoch if it extends a longest notarized chain."""
        block = self._first_proposals.get(self.epoch)
        if block is None or self._has_decided or not self.votes or not self._extends_longest(block):
            return NOTHING
        self._has_decided = True  # only with the duty: what it did `learn`, it may yet vote for
        verdict = self._application.judge(block, self.tree.chain(block.parent), self._observation)
        if not verdict.accepted:
            return [Refused(block, verdict)]
        vote = sign_vote(block, self.node_id, self._keyring)
        return [vote, *self.tree.add_vote(vote)]

    def _extends_longest(self, block: Block) -> bool:
        """Whether a block extends one of the longest notarized chains."""
        return (
            block.height == self.tree.longest[0].height + 1
            and block.hash in self.tree
            and self.tree.is_notarized(block.parent)
        )
