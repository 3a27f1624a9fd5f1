"""Byzantine nodes that send what no honest node would: forgeries, and anything at all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from streamlet_lab.config import OBSERVER
from streamlet_lab.consensus import Block, Certificate, Message, Proposal, Vote
from streamlet_lab.simulator.faults import NodeFault, Send, fault_kind
from streamlet_lab.values import Number


@fault_kind("forge")
@dataclass(eq=False)
class Forger(NodeFault):
    """The node answers every sound message of an honest node with corrupted variants of it.

    When it leads it adds a block of garbage and an orphan to its own proposal. All of it is dropped
    where it arrives, or stands alone: it costs messages and verifications, and at any f it changes
    nothing about the blocks of others. The forger may lose its own, where the garbage overtakes it,
    and its votes with a wrong height convict it.
    """

    _received: list[Message] = field(init=False, default_factory=list)

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        if self.leads(epoch):
            block = self.node.make_block(self.node.tree.longest[0])
            yield Send(self.proposal(replace(block, payload=self.random.randbytes(32))))
            yield Send(self.proposal(replace(block, parent=self.random.randbytes(32))))

    def on_message(self, message: Message) -> Iterable[Send]:
        # Forgeries of forgeries would never end.
        if not self._is_sound(message):
            return
        self._received.append(message)
        yield Send(self.random.choice(self._received))
        if isinstance(message, Vote):
            yield from map(Send, self._votes_like(message))
        else:
            yield from map(Send, self._proposals_like(message))

    def _is_sound(self, message: Message) -> bool:
        tree = self.node.tree
        if isinstance(message, Proposal):
            author, fits = message.proposer, message.block.hash in tree
        else:
            author, fits = message.voter, message.block_hash in tree
            if fits:
                fits = message.signed == next(tree.chain(message.block_hash)).ballot
        verify = self.keyring.verify
        return fits and author in self.victims and verify(author, message.signature, message.signed)

    def _votes_like(self, vote: Vote) -> Iterator[Vote]:
        yield replace(vote, signature=self._flipped(vote.signature))
        yield replace(vote, signature=vote.signature + b"more")
        yield replace(vote, voter=self.random.choice(self.others))
        yield replace(vote, voter="stranger")
        yield replace(vote, chain_id=vote.chain_id + "'")
        yield self._false_vote(vote, vote.epoch + 1, vote.height)
        yield self._false_vote(vote, vote.epoch, vote.height + 1)

    def _proposals_like(self, proposal: Proposal) -> Iterator[Proposal]:
        block = proposal.block
        tampered = self.conflicting_block(block)
        yield replace(proposal, signature=self._flipped(proposal.signature))
        yield replace(proposal, block=tampered, signature=self._flipped(proposal.signature))
        yield replace(self.proposal(tampered), proposer=proposal.proposer)
        yield self.proposal(tampered)
        yield self.proposal(replace(block, chain_id=block.chain_id + "'"))

    def _false_vote(self, vote: Vote, epoch: int, height: int) -> Vote:
        """Return a vote of this node's own for a block of another epoch or height."""
        own = replace(vote, epoch=epoch, height=height, voter=self.name)
        return replace(own, signature=self.keyring.sign(self.name, own.signed))

    def _flipped(self, signature: bytes) -> bytes:
        bit = 1 << self.random.randrange(8 * len(signature))
        return (int.from_bytes(signature, "big") ^ bit).to_bytes(len(signature), "big")


#: What is wrong with a forged certificate.
_FLAWS: Final = ("stolen", "strange", "misplaced", "repeated", "too few", "proposer")


@fault_kind("forge_certificate")
class CertificateForger(NodeFault):
    """The leader proposes a second block, on a chain that only a forged certificate notarizes.

    The chain leaves the notarized one below its tip, and has a block, truly signed, for each later
    epoch that the node or an accomplice has led, with votes that are all false in one way. Or else
    the chain is the notarized one, and all that is false is who signed its last proposal.

    Whoever counts a vote that it has not verified takes two chains for notarized. A right node
    believes nothing in a certificate: at any f this costs messages and verifications, and perhaps
    the block that the forger proposed first, where the second overtakes it.
    """

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        if not self.leads(epoch):
            return
        *true, tip = [*self.node.tree.chain(self.node.tree.longest[0].hash)][::-1]
        if not true:
            return  # there is nothing yet that a chain could leave aside
        flaw = self.random.choice(_FLAWS)
        if flaw == "proposer":
            yield self._show(tip, self._sign_falsely(tip))
            return
        fork = self.random.choice(true[-len(self.validators) :])
        aside = self.node.tree.votes([*true, tip][fork.height + 1].hash)
        certificate = None
        for before in range(fork.epoch + 1, epoch):
            leader = self.leader_of(before)
            if leader in self.accomplices:
                fork = replace(self._block_on(fork), epoch=before)
                votes = tuple(self._forge_votes(flaw, fork, aside))
                certificate = Certificate(self.proposal(fork, leader), votes, certificate)
        yield self._show(fork, certificate)

    def _show(self, parent: Block, certificate: Certificate | None) -> Send:
        proposal = self.proposal(self._block_on(parent))
        return Send(replace(proposal, certificate=certificate))

    def _block_on(self, parent: Block) -> Block:
        """Return a block of now on one that this node's view may not have."""
        block = self.conflicting_block(self.node.make_block(self.node.tree.longest[0]))
        return replace(block, height=parent.height + 1, parent=parent.hash)

    def _sign_falsely(self, block: Block) -> Certificate:
        """Return what notarizes a block, under a proposal that its leader has not signed."""
        proposal = replace(self.proposal(block), proposer=self.leader_of(block.epoch))
        if self.leads(block.epoch):
            proposal = replace(proposal, signature=proposal.signature[::-1])
        return Certificate(proposal, tuple(self.node.tree.votes(block.hash)), None)

    def _forge_votes(self, flaw: str, block: Block, aside: Sequence[Vote]) -> Iterable[Vote]:
        quorum = self.node.tree.quorum
        match flaw:
            case "stolen":
                return self._steal_votes(block, {vote.voter: vote.signature for vote in aside})
            case "strange":
                return [replace(self.vote(block), voter=f"stranger_{n}") for n in range(quorum)]
            case "misplaced":
                return aside
            case "repeated":
                return [self.vote(block)] * quorum
        return [self.vote(block, name) for name in self.accomplices[: quorum - 1]]

    def _steal_votes(self, block: Block, signed: Mapping[str, bytes]) -> Iterator[Vote]:
        own = self.vote(block)
        for name in self.random.sample(self.validators, self.node.tree.quorum):
            if name in self.accomplices:
                yield self.vote(block, name)
            else:
                yield replace(own, voter=name, signature=signed.get(name, own.signature))


#: Most messages of its own invention that a random Byzantine node sends in an epoch.
_MOST_PER_EPOCH: Final = 8


@fault_kind("random")
@dataclass(eq=False)
class RandomByzantine(NodeFault):
    """The node does anything with the keys that it holds, drawn at random.

    At the beginning of an epoch and at each message it may propose on any block that it knows, in
    an epoch near this one that it or an accomplice leads, vote for any such block in any
    accomplice's name, or send an old message again. Whatever it sends, what its node sends too, may
    reach anyone, up to three epochs late, or not at all.

    At f < n/3 it breaks nothing: that is what it is for.

    Parameters
    ----------
    rate : number
        Probability of each liberty that it may take, from 0 to 1.
    """

    rate: Annotated[float, Number(0, 1)] = 0.5

    _blocks: list[Block] = field(init=False, default_factory=list)
    _messages: list[Message] = field(init=False, default_factory=list)
    _budget = 0

    def echoes(self, epoch: int) -> bool:
        return not self._happens()

    def on_send(self, message: Message) -> Iterable[Send]:
        yield self._somehow(message) if self._happens() else Send(message)

    def on_epoch(self, epoch: int) -> Iterable[Send]:
        self._budget = _MOST_PER_EPOCH
        if not self._blocks:
            self._blocks = self.node.tree.blocks()
        return self._act()

    def on_message(self, message: Message) -> Iterable[Send]:
        self._messages.append(message)
        if isinstance(message, Proposal) and message.block.hash in self.node.tree:
            self._blocks.append(message.block)
        return self._act()

    def _act(self) -> Iterator[Send]:
        if self._budget and self._happens():
            self._budget -= 1
            act = self.random.choice((self._propose, self._vote, self._repeat))
            for message in act():
                yield self._somehow(message)

    def _propose(self) -> Iterator[Message]:
        now, leader_of = self.node.epoch, self.leader_of
        epoch = self.random.randint(max(0, now - 2), now + 2)
        leader = leader_of(epoch)
        if leader in self.accomplices:
            parent = self.random.choice(self._blocks)
            block = replace(self.node.make_block(parent), epoch=epoch)
            block = self.conflicting_block(block, self.random.randint(1, 3))
            if epoch > parent.epoch:  # otherwise no tree takes it in
                self._blocks.append(block)
            yield self.proposal(block, leader)

    def _vote(self) -> Iterator[Message]:
        block = self.random.choice(self._blocks[-8:])
        yield self.vote(block, self.random.choice(self.accomplices))

    def _repeat(self) -> Iterator[Message]:
        if self._messages:
            yield self.random.choice(self._messages)

    def _somehow(self, message: Message) -> Send:
        """Send it to anyone, at any time."""
        to = delay = None
        if self._happens():
            everyone = (*self.others, OBSERVER)
            to = tuple(self.random.sample(everyone, self.random.randint(0, len(everyone))))
        if self._happens():
            delay = self.random.randint(1, 3 * self.epoch_length)
        return Send(message, to, delay)

    def _happens(self) -> bool:
        return self.random.random() < self.rate
