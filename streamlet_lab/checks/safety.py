"""Safety: what must never happen, whatever the network does."""

from collections.abc import Collection, Sequence

from streamlet_lab.checks.check import Check, conflict, short
from streamlet_lab.consensus import (
    THREE_IN_A_ROW,
    Block,
    FinalityRule,
    Message,
    Proposal,
    Vote,
)
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


class Consistency(Check):
    """Theorem 3: two finalized chains never contradict each other, not even for an instant.

    Parameters
    ----------
    honest, unpromised
        See :class:`Check`.
    finality : FinalityRule
        The rule of the run, by which :func:`~streamlet_lab.checks.find_excerpt` tells which blocks
        made another one final.
    """

    name = "consistency"
    statement = "no two honest nodes finalize different blocks at one height (Theorem 3)"

    def __init__(
        self,
        honest: Collection[str],
        *,
        unpromised: str = "",
        finality: FinalityRule = THREE_IN_A_ROW,
    ) -> None:
        super().__init__(honest, unpromised=unpromised)
        self.finality = finality
        self._final: dict[int, tuple[Block, str]] = {}

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Compare with what the first node finalized at this height."""
        if node not in self.honest:
            return
        self.examined += 1
        first = self._final.get(block.height)
        if first is None:
            self._final[block.height] = block, node
        elif first[0] is not block and first[0].hash != block.hash:
            self._violate(time, conflict(block, node, *first), first[0], block)

    def conflicted(self, time: int, node: str, block: Block) -> None:
        """One node's own view contradicts itself."""
        if node in self.honest:
            self.examined += 1
            self._violate(
                time,
                f"{node} sees epoch {block.epoch} finalized against its own final chain",
                block,
            )


class UniqueNotarization(Check):
    """Lemma 1: with fewer than n/3 Byzantine nodes an epoch has at most one notarized block."""

    name = "unique_notarization"
    statement = "at most one block is notarized in each epoch (Lemma 1)"

    def __init__(
        self, honest: Collection[str], *, unpromised: str = "", inapplicable: str = ""
    ) -> None:
        super().__init__(honest, unpromised=unpromised, inapplicable=inapplicable)
        self._notarized: dict[int, tuple[Block, str]] = {}

    def notarized(self, time: int, node: str, block: Block) -> None:
        """Compare with the first block that anyone saw notarized in this epoch."""
        if node not in self.honest:
            return
        self.examined += 1
        first = self._notarized.get(block.epoch)
        if first is None:
            self._notarized[block.epoch] = block, node
        elif first[0] is not block and first[0].hash != block.hash:
            self._violate(time, conflict(block, node, *first), first[0], block)


class VoteDiscipline(Check):
    """What the safety proof uses of honest voters, and what forensics convicts the others by."""

    name = "vote_discipline"
    statement = (
        "every honest node votes at most once in an epoch, only for a block of that epoch's "
        "leader, and never for a shorter chain than before (section 3)"
    )

    def __init__(self, honest: Collection[str]) -> None:
        super().__init__(honest)
        self._proposed: dict[bytes, Block] = {}
        # By voter and epoch.
        self._votes: dict[str, dict[int, Vote]] = {name: {} for name in self.honest}
        self._latest: dict[str, Vote] = {}

    def sent(self, time: int, node: str, message: Message) -> None:
        """Judge each vote of an honest node once, whoever sends it again."""
        if isinstance(message, Proposal):
            self._proposed[message.block.hash] = message.block
        elif (votes := self._votes.get(message.voter)) is not None:
            first = votes.get(message.epoch)
            if first is None:
                votes[message.epoch] = message
                self._judge(time, message)
            elif first.subject != message.subject:
                self.examined += 1
                two = f"{short(first)} and {short(message)}"
                description = f"{message.voter} votes for {two}, both of epoch {message.epoch}"
                self._violate(time, description, first, message)

    def _judge(self, time: int, vote: Vote) -> None:
        """Compare a vote with its block, and with the vote before it."""
        voter, block = vote.voter, self._proposed.get(vote.block_hash)
        before = self._latest.get(voter, vote)
        self.examined += 1
        self._latest[voter] = vote
        if block is None or block.epoch != vote.epoch or block.height != vote.height:
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
        *,
        unpromised: str = "",
    ) -> None:
        super().__init__(honest, unpromised=unpromised)
        self._voters = tuple(Voter(voter.symbol, voter.rules, "bounds") for voter in voters)
        self._genesis = tuple(previous)
        # The references after each block that was judged.
        self._references: dict[bytes, tuple[PreviousConsensus, ...]] = {}

    def finalized(self, time: int, node: str, block: Block) -> None:
        """Judge each block once, when the first node finalizes it."""
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
