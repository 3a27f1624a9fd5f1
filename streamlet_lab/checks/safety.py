"""Safety: what must never happen, whatever the network does."""

from collections.abc import Callable, Collection, Sequence
from itertools import islice
from operator import attrgetter

from streamlet_lab.checks.check import Check, drop_before, short
from streamlet_lab.consensus import Block, Message, Proposal, Vote
from streamlet_lab.prices import (
    ORIGIN,
    Claim,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PreviousConsensus,
    Voter,
    decode_claims,
)
from streamlet_lab.simulator import references_after


class _OneBlock(Check):
    """Of all that honest nodes see there is one block at most in each place."""

    _place: Callable[[Block], int]

    def __init__(self, honest: Collection[str], **reasons: str) -> None:
        super().__init__(honest, **reasons)
        self._first: dict[int, tuple[Block, str]] = {}
        self._agreed: Block | None = None  # the latest one that is the first of its place

    def _compare(self, time: int, node: str, block: Block) -> None:
        """Compare a block with the first one that anyone saw in its place."""
        if node not in self.honest:
            return
        self.examined += 1
        if block is self._agreed:  # all others see it too
            return
        first, first_node = self._first.setdefault(self._place(block), (block, node))
        if first.hash == block.hash:
            self._agreed = block
        else:
            self._violate(
                time,
                f"{node} has block {short(block)} of epoch {block.epoch} at height {block.height}, "
                f"{first_node} has {short(first)} of epoch {first.epoch}",
                first,
                block,
            )

    def forget(self, epoch: int, height: int) -> None:
        drop_before(self._first, min(epoch, height))


class Consistency(_OneBlock):
    """Theorem 3: two finalized chains never contradict each other, not even for an instant."""

    name = "consistency"
    statement = "no two honest nodes finalize different blocks at one height (Theorem 3)"

    _place = attrgetter("height")
    finalized = _OneBlock._compare

    def conflicted(self, time: int, node: str, block: Block) -> None:
        if node in self.honest:
            self.examined += 1
            description = f"{node} sees epoch {block.epoch} finalized against its own final chain"
            self._violate(time, description, block)


class UniqueNotarization(_OneBlock):
    """Lemma 1: with fewer than n/3 Byzantine nodes an epoch has at most one notarized block."""

    name = "unique_notarization"
    statement = "at most one block is notarized in each epoch (Lemma 1)"

    _place = attrgetter("epoch")
    notarized = _OneBlock._compare


class VoteDiscipline(Check):
    """What the safety proof uses of honest voters, and what forensics convicts the others by."""

    name = "vote_discipline"
    statement = (
        "every honest node votes at most once in an epoch, only for a block of that epoch's "
        "leader, and never for a shorter chain than before (section 3)"
    )

    def __init__(self, honest: Collection[str]) -> None:
        super().__init__(honest)
        self._proposed: dict[bytes, int] = {}  # what votes for proposed blocks sign: their epochs
        # By voter and epoch.
        self._votes: dict[str, dict[int, Vote]] = {name: {} for name in self.honest}
        self._latest: dict[str, Vote] = {}

    def sent(self, time: int, node: str, message: Message) -> None:
        if isinstance(message, Proposal):
            self._proposed[message.block.ballot] = message.block.epoch
        elif (votes := self._votes.get(message.voter)) is not None:
            first = votes.get(message.epoch)
            if first is None:
                votes[message.epoch] = message
                self._judge(time, message)
            elif first.signed != message.signed:
                self.examined += 1
                two = f"{short(first)} and {short(message)}, both of epoch {message.epoch}"
                self._violate(time, f"{message.voter} votes for {two}", first, message)

    def forget(self, epoch: int, height: int) -> None:
        self._proposed = {vote: about for vote, about in self._proposed.items() if about >= epoch}
        for votes in self._votes.values():
            drop_before(votes, epoch)

    def _judge(self, time: int, vote: Vote) -> None:
        """Compare a vote with its block, and with the vote before it."""
        voter = vote.voter
        before = self._latest.get(voter, vote)
        self.examined += 1
        self._latest[voter] = vote
        if vote.signed not in self._proposed:
            description = f"{voter} votes for {short(vote)}, which is not a block that the leader"
            self._violate(time, f"{description} of epoch {vote.epoch} proposed", vote)
        if before.epoch > vote.epoch or before.height > vote.height:
            description = (
                f"{voter} votes in epoch {vote.epoch} at height {vote.height}, "
                f"after a vote in epoch {before.epoch} at height {before.height}"
            )
            self._violate(time, description, before, vote)


class ValidPrices(Check):
    """Every finalized payload obeys the rules, measured against the finalized chain itself."""

    name = "valid_prices"
    statement = "every finalized payload passes the validation rules"

    def __init__(
        self,
        honest: Collection[str],
        voters: Sequence[Voter],
        previous: Sequence[PreviousConsensus],
        **reasons: str,
    ) -> None:
        super().__init__(honest, **reasons)
        self._voters = tuple(Voter(voter.symbol, voter.rules, "bounds") for voter in voters)
        self._genesis = tuple(previous)
        # The references after each block that was judged.
        self._references: dict[bytes, tuple[PreviousConsensus, ...]] = {}

    def finalized(self, time: int, node: str, block: Block) -> None:
        if node not in self.honest or block.hash in self._references:
            return
        self.examined += 1
        # A chain is finalized from its beginning on: only genesis was not judged.
        references = self._references.get(block.parent, self._genesis)
        self._references[block.hash] = references
        try:
            claims = decode_claims(block.payload)
        except MalformedPayload as error:
            self._violate(time, f"epoch {block.epoch}: malformed payload: {error}", block)
            return
        if len(claims) != len(self._voters):
            found = f"{len(claims)} symbols instead of {len(self._voters)}"
            self._violate(time, f"epoch {block.epoch}: {found}", block)
            return
        for voter, claim, previous in zip(self._voters, claims, references, strict=True):
            self._judge(time, block, voter, claim, previous)
        symbols = [voter.symbol for voter in self._voters]
        self._references[block.hash] = references_after(block, symbols, references)

    def forget(self, epoch: int, height: int) -> None:
        # One chain is final, and was judged from its beginning on: each block raises the height.
        dropped = self.examined - len(self._references)
        for name in [*islice(self._references, max(height - 1 - dropped, 0))]:
            del self._references[name]

    def _judge(
        self, time: int, block: Block, voter: Voter, claim: Claim, previous: PreviousConsensus
    ) -> None:
        # Whether the time stamp is right is a matter of the epoch's quotes, not of the rules.
        timestamp = ORIGIN if isinstance(claim, GenesisPrice) else claim.timestamp
        own = NoPrice(voter.symbol, "", timestamp)
        objection = voter.objection(claim, own, previous)
        if objection is not None:
            of = f"{voter.symbol}: " if len(self._voters) > 1 else ""
            self._violate(time, f"epoch {block.epoch}: {of}{objection}", block)
