"""What nodes agree on: each epoch's prices, made from the sources' quotes and judged by them."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, tee
from typing import Final, NamedTuple

from streamlet_lab.consensus import GENESIS_EPOCH, Block, Verdict
from streamlet_lab.keys import Keyring
from streamlet_lab.prices import (
    Claim,
    Evaluation,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    SignedQuote,
    StockPrice,
    Voter,
    admissible_quotes,
    decode_claims,
    decode_quotes,
    encode_claims,
    encode_quotes,
    objection_to_quotes,
    unchecked_previous,
)
from streamlet_lab.units import CENT

_LOG = logging.getLogger("streamlet_lab.prices")

# Blocks of consecutive epochs that finalize the middle one.
_IN_A_ROW: Final = 3

#: The reference of each symbol, in order.
References = tuple[PreviousConsensus, ...]


def read_claims(block: Block) -> tuple[Claim, ...]:
    """Return what a block says, one claim a symbol; nothing for bytes that cannot be read.

    Only a dishonest quorum lets such bytes into a chain.
    """
    try:
        return decode_claims(block.payload)
    except MalformedPayload:
        return ()


def priced(block: Block) -> list[PriceConsensus]:
    """Return the consensus prices in a block, with the block's hash."""
    return [
        claim.in_block(block.hash)
        for claim in read_claims(block)
        if isinstance(claim, PriceConsensus)
    ]


def references_after(block: Block, symbols: Sequence[str], before: References) -> References:
    """Return the references of the deviation rule behind a block, given those in front of it.

    Whatever is missing or strange changes nothing; only a dishonest quorum lets it into a chain.
    """
    claims = {claim.symbol: claim for claim in reversed(read_claims(block))}
    after = []
    for symbol, previous in zip(symbols, before, strict=True):
        match claims.get(symbol):
            case PriceConsensus(consensus_price=price):
                previous = unchecked_previous(price, block.epoch, 0)
            case NoPrice():
                previous = previous.after_no_price()
        after.append(previous)
    return tuple(after)


class Observation(NamedTuple):
    """What a node sees of the sources in an epoch: for each symbol, in order, what each says.

    The same with the sources' signatures is there if voters ask for evidence.
    """

    quotes: tuple[tuple[StockPrice, ...], ...]
    signed: tuple[SignedQuote, ...] = ()


class PriceApplication:
    """What the nodes agree on: the prices of each epoch, made from the sources' quotes.

    Making and judging a payload are pure; what was evaluated once for the same epoch, references
    and quotes is remembered, as a verification is.

    Parameters
    ----------
    voters : sequence of Voter
        For each symbol, in order, its rules and how voters judge; all of one policy and aggregator.
    timestamp : callable
        Epoch → market time at which it is quoted.
    sources : sequence of str
        Who may quote.
    keyring : Keyring
        Verifies the sources' signatures.
    turns : int
        In so many epochs three honest leaders follow each other.
    genesis : sequence of GenesisPrice
        What the chain starts from, in the order of the voters.

    Notes
    -----
    With ``observe``, a source that tells nodes different things can have honest leaders refused.
    Where the last ``turns`` epochs of a chain have no three blocks in a row, leaders therefore
    claim no price, which every voter believes, until there are three. ``docs/explain/prices.md``
    says why, and where else a voter that observes a price believes a leader that has none.

    Attributes
    ----------
    evaluations : dict of int to tuple of Evaluation
        By epoch, for each symbol, the first evaluation of its quotes: the leader's, if it had one.
    """

    def __init__(
        self,
        voters: Sequence[Voter],
        timestamp: Callable[[int], datetime],
        sources: Sequence[str],
        keyring: Keyring,
        turns: int,
        genesis: Sequence[GenesisPrice],
    ) -> None:
        self.voters = tuple(voters)
        self.symbols = tuple(voter.symbol for voter in voters)
        self.timestamp = timestamp
        self.genesis_payload = encode_claims(genesis)
        self.evaluations: dict[int, tuple[Evaluation, ...]] = {}
        policy, aggregator = voters[0].policy, voters[0].aggregator
        self._asks_for_evidence = policy == "evidence"
        self._observes = policy == "observe"
        self._tolerates_liars = self._observes and aggregator.breakdown(len(sources)) > 0
        self._known = self.symbols, tuple(sources), keyring
        self._turns = turns
        # The references behind blocks, by their hashes, and those behind genesis.
        self._references: dict[bytes, References] = {}
        self._opening = tuple(PreviousConsensus(each.price, GENESIS_EPOCH) for each in genesis)
        # The latest answers, each after what was asked.
        self._stood: tuple[int, bytes, tuple[References, bool]] | None = None
        self._evaluated: tuple[object, object, tuple[Evaluation, ...]] | None = None
        self._judged: tuple[bytes, object, Verdict] | None = None

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        """Return the payload that follows from the quotes, and the signed quotes if asked for."""
        assert isinstance(observation, Observation)
        quotes, attachment = observation.quotes, b""
        if self._asks_for_evidence:
            evidence = admissible_quotes(observation.signed, epoch, *self._known)
            quotes, attachment = self._by_symbol(evidence), encode_quotes(evidence)
        evaluations, gave_up = self._evaluate(epoch, ancestors, quotes)
        claims: list[Claim] = [evaluation.claim for evaluation in evaluations]
        if gave_up:
            lost = f"no {_IN_A_ROW} blocks in a row in {self._turns} epochs"
            reason = f"{lost}: nodes may hear the sources differently"
            claims = [NoPrice(symbol, reason, self.timestamp(epoch)) for symbol in self.symbols]
        return encode_claims(claims), attachment

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        """Check a leader's claims: by the rules, and by the quotes that the policy goes by."""
        assert isinstance(observation, Observation)
        last = self._judged
        if last is not None and last[0] == block.hash and last[1] is observation:
            return last[2]
        objection = self._objection(block, ancestors, observation)
        verdict = Verdict(objection is None, objection or "")
        self._judged = (block.hash, observation, verdict)
        return verdict

    def _objection(
        self, block: Block, ancestors: Iterator[Block], observation: Observation
    ) -> str | None:
        quotes = observation.quotes
        try:
            claims = decode_claims(block.payload)
            signed = decode_quotes(block.attachment) if self._asks_for_evidence else ()
        except MalformedPayload as error:
            return f"malformed payload: {error}"
        if self._asks_for_evidence:
            if objection := objection_to_quotes(signed, block.epoch, *self._known):
                return objection
            quotes = self._by_symbol(signed)
        elif block.attachment:
            return "an attachment that nobody asked for"
        if len(claims) != len(self.voters):
            return f"{len(claims)} symbols instead of {len(self.voters)}"
        own, gave_up = self._evaluate(block.epoch, ancestors, quotes)
        for voter, claim, evaluation in zip(self.voters, claims, own, strict=True):
            objection = voter.objection(
                claim,
                evaluation.claim,
                evaluation.previous,
                believes_no_price=gave_up or self._tolerates_liars,
            )
            if objection is not None:
                return objection if len(claims) == 1 else f"{voter.symbol}: {objection}"
        return None

    def vary(self, payload: bytes, number: int) -> bytes:
        """Return the claim of a price some cents higher; voters tolerate more than that.

        Where there is no price, the reason is another, which voters believe as well.
        """
        try:
            first, *others = decode_claims(payload)
        except MalformedPayload:
            return payload + b"#%d" % number
        match first:
            case PriceConsensus(consensus_price=price):
                first = replace(first, consensus_price=price + number * CENT)
            case NoPrice(reason=reason):
                first = replace(first, reason=f"{reason} ({number})")
        return encode_claims([first, *others])

    def references(self, ancestors: Iterable[Block]) -> References:
        """Return what the deviation rule compares with: each symbol's nearest priced ancestor.

        Blocks come from the newest to genesis; none below one that was asked for before is read.
        """
        unread: list[Block] = []
        for block in ancestors:
            if block.height == 0 or block.hash in self._references:
                break
            unread.append(block)
        references = self._references.get(block.hash, self._opening)
        for block in reversed(unread):
            references = references_after(block, self.symbols, references)
            self._references[block.hash] = references
        return references

    def forget(self, needed: Collection[bytes]) -> None:
        """Drop the references behind blocks that no chain goes through any more."""
        self._references = {name: of for name, of in self._references.items() if name in needed}

    def _standing(self, epoch: int, ancestors: Iterator[Block]) -> tuple[References, bool]:
        """Return the references on a chain, and whether leaders claim no price on it any more."""
        parent, last = next(ancestors), self._stood
        if last is not None and last[0] == epoch and last[1] == parent.hash:
            return last[2]
        ancestors, newest = tee(chain([parent], ancestors))
        standing = self.references(ancestors), self._gave_up(epoch, newest)
        self._stood = (epoch, parent.hash, standing)
        return standing

    def _gave_up(self, epoch: int, ancestors: Iterable[Block]) -> bool:
        """Whether voters may hear the sources so differently that leaders claim no price."""
        first = epoch - self._turns
        if not self._observes or first < 0:
            return False
        epochs: list[int] = []
        for block in ancestors:
            if block.epoch < first:
                break
            epochs.append(block.epoch)
            if len(epochs) >= _IN_A_ROW and epochs[-_IN_A_ROW] - block.epoch < _IN_A_ROW:
                return False
        return True

    def _by_symbol(self, signed: Sequence[SignedQuote]) -> tuple[tuple[StockPrice, ...], ...]:
        return tuple(
            tuple(quote for quote, _, _ in signed if quote.symbol == symbol)
            for symbol in self.symbols
        )

    def _evaluate(
        self, epoch: int, ancestors: Iterator[Block], quotes: tuple[tuple[StockPrice, ...], ...]
    ) -> tuple[tuple[Evaluation, ...], bool]:
        """Return what an honest node makes of each symbol's quotes, and whether it gave up."""
        previous, gave_up = self._standing(epoch, ancestors)
        last, question = self._evaluated, (epoch, previous)
        if last is not None and last[0] == question and last[1] is quotes:
            return last[2], gave_up
        timestamp = self.timestamp(epoch)
        evaluations = tuple(
            voter.round(epoch, before, timestamp).evaluate(said)
            for voter, said, before in zip(self.voters, quotes, previous, strict=True)
        )
        if _LOG.isEnabledFor(logging.INFO):
            for evaluation in evaluations:
                for quote, reason in evaluation.checks:
                    _LOG.info("Epoch %d: %s of %s: %s", epoch, quote.price, quote.source, reason)
        self.evaluations.setdefault(epoch, evaluations)
        self._evaluated = (question, quotes, evaluations)
        return evaluations, gave_up
