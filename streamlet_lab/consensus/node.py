"""A Streamlet node as a state machine: no clock, no network, no randomness.

``start_epoch`` and ``receive`` return the messages that the node wants everyone to have; whoever
drives it carries them. A node counts its own messages at once, so it is never sent what it said.
"""

from collections import Counter
from collections.abc import Collection
from enum import StrEnum

from streamlet_lab.consensus.application import Application, Verdict
from streamlet_lab.consensus.blocktree import BlockTree
from streamlet_lab.consensus.finality import THREE_IN_A_ROW, FinalityRule
from streamlet_lab.consensus.leaders import LeaderRule, round_robin
from streamlet_lab.consensus.messages import (
    Block,
    Certificate,
    Message,
    Proposal,
    Vote,
    proposal_bytes,
    vote_bytes,
)
from streamlet_lab.keys import Keyring


class Dropped(StrEnum):
    """Why a node ignored a message. None of these is an error: they are normal input."""

    DUPLICATE = "duplicate"
    OTHER_CHAIN = "other_chain"
    NOT_A_VALIDATOR = "not_a_validator"
    NOT_THE_LEADER = "not_the_leader"
    BAD_SIGNATURE = "bad_signature"


class StreamletNode:
    """One participant of Streamlet.

    The defaults are the rules for Byzantine nodes in partial synchrony (section 3); other quorums,
    finality rules and certificates make it a node of the paper's other models.

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
    finality : FinalityRule
        When a notarized chain is final.
    certify : bool
        Whether its proposals carry the notarized chain that they extend (appendix A), so that
        whoever has lost messages catches up. Certificates are taken in from everyone.

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
        finality: FinalityRule = THREE_IN_A_ROW,
        *,
        certify: bool = False,
    ) -> None:
        self.node_id = node_id
        self.tree = BlockTree(genesis, quorum, finality)
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
        self._certify = certify
        self._proposals: dict[bytes, Proposal] = {}
        self._certificates: dict[bytes, Certificate] = {}
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
            self._take_in(proposal)
        return messages + self._vote_if_it_fits()

    def receive(self, message: Message) -> list[Message]:
        """Take in a message from anyone, in any order, and vote if that has become possible."""
        before = len(self.tree.notarized)
        self.learn(message)
        # A proposal that did not fit is looked at again whenever something is notarized: a vote
        # decided only when the proposal arrives breaks the liveness lemmas.
        if len(self.tree.notarized) > before or (
            type(message) is Proposal and message.block.epoch == self.epoch
        ):
            return self._vote_if_it_fits()
        return []

    def learn(self, message: Message) -> None:
        """Take in a message without acting on it."""
        if isinstance(message, Vote):
            reason = self._reason_to_drop_vote(message)
            if reason is None:
                self.tree.add_vote(message)
        else:
            if message.certificate is not None:
                self._catch_up(message.certificate)
            reason = self._reason_to_drop_proposal(message)
            if reason is None:
                self._take_in(message)
        if reason is not None:
            self.dropped[reason] += 1

    def make_block(self, parent: Block) -> Block:
        """Return the block that this node would propose now on a parent that it knows."""
        payload, attachment = self._application.make_payload(
            self.epoch, self.tree.chain(parent.hash), self._observation
        )
        return Block(
            self._chain_id, self.epoch, parent.height + 1, parent.hash, payload, attachment
        )

    def _propose(self) -> Proposal:
        parent = self.tree.longest[0]
        block = self.make_block(parent)
        signature = self._keyring.sign(self.node_id, proposal_bytes(block))
        certificate = self._certificate(parent) if self._certify else None
        return Proposal(block, self.node_id, signature, certificate)

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

    def _take_in(self, proposal: Proposal) -> None:
        block = proposal.block
        self.tree.add_block(block)
        if self._certify:
            self._proposals.setdefault(block.hash, proposal)
        if block.epoch >= self.epoch:
            self._first_proposals.setdefault(block.epoch, block)

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

    def _catch_up(self, certificate: Certificate) -> None:
        """Take in what is new in a certificate, oldest first, as if each message had arrived."""
        unknown: list[Certificate] = []
        link: Certificate | None = certificate
        while link is not None and not self.tree.is_notarized(link.proposal.block.hash):
            unknown.append(link)
            link = link.parent
        for link in reversed(unknown):
            for vote in link.votes:
                if self._reason_to_drop_vote(vote) is None:
                    self.tree.add_vote(vote)
            if not self.tree.has_quorum(link.proposal.block):
                return  # whoever made it lies: what stands on it cannot be notarized either
            if self._reason_to_drop_proposal(link.proposal) is None:
                self._take_in(link.proposal)

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
