"""Leaders that lie about the price."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations, tee
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from streamlet_lab.consensus import Application, Block, Verdict
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    Claim,
    GenesisPrice,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    PriceRound,
    SignedQuote,
    Voter,
    decode_claims,
    decode_quotes,
    encode_claims,
    encode_quotes,
)
from streamlet_lab.simulator.faults import NodeFault, fault_kind
from streamlet_lab.simulator.price_application import PriceApplication, References
from streamlet_lab.units import CENT, from_ticks, round_price, to_ticks
from streamlet_lab.values import Amount

Quotes = Sequence[SignedQuote]

# With more sources than this, not every set of quotes is tried.
_MOST_SETS_OF: Final = 10


class _Liar(NodeFault):
    """The node replaces the prices in what it proposes."""

    needs_prices = True
    #: Whether the node votes for every price, whoever proposes it.
    credulous: ClassVar[bool]

    @abstractmethod
    def lie(self, claim: PriceConsensus, voter: Voter, previous: PreviousConsensus | None) -> Claim:
        """Return what the node claims instead of what is true."""

    def choose(
        self, signed: Quotes, known: PriceRound, voter: Voter, claim: PriceConsensus | NoPrice
    ) -> tuple[Claim, Quotes]:
        """Return what the node claims of a symbol, and the signed quotes that it shows for it."""
        if isinstance(claim, NoPrice):
            return claim, signed
        return self.lie(claim, voter, known.previous), signed

    def wrap(self, application: Application) -> Application:
        if not isinstance(application, PriceApplication | _LyingApplication):
            raise InvalidInput("faults", type(self).__name__, "a kind that works without prices")
        return _LyingApplication(application, self)


@fault_kind("lying_leader")
class LyingLeader(_Liar):
    """The node proposes a price of its own invention when it leads, and votes for everything.

    Parameters
    ----------
    price : number
        The price that it claims, US dollars.
    """

    credulous = True

    def __init__(
        self,
        start: int,
        stop: int | None,
        price: Annotated[Amount, Field(ge=CENT)] = Decimal(9999),
    ) -> None:
        super().__init__(start, stop)
        self._price = round_price(price)

    def lie(self, claim: PriceConsensus, voter: Voter, previous: PreviousConsensus | None) -> Claim:
        return replace(claim, consensus_price=self._price, volume_weighted_price=self._price)


@fault_kind("price_manipulator")
class PriceManipulator(_Liar):
    """The leader claims the most extreme prices for which honest nodes still vote.

    So its blocks are notarized like any others. Consensus price and VWAP are as far from the truth
    as the rules, and with the policy ``observe`` the voters' tolerance, allow: a cent further, and
    they would be refused. Nothing stops that at any f; the rules bound what it can do. With the
    policy ``evidence`` it can only leave out quotes: of those that the sources signed it carries
    the ones whose consensus price is the most extreme, out of all sets where there are ten sources
    or fewer, else out of those that lie next to each other.

    Parameters
    ----------
    direction : {"up", "down"}
    """

    credulous = False

    def __init__(
        self, start: int, stop: int | None, direction: Literal["up", "down"] = "up"
    ) -> None:
        super().__init__(start, stop)
        self._sign = 1 if direction == "up" else -1

    def lie(self, claim: PriceConsensus, voter: Voter, previous: PreviousConsensus | None) -> Claim:
        """Return the claim at the edge of what voters with the same quotes accept."""

        def farthest(of: str) -> Decimal:
            def passes(price: Decimal) -> bool:
                changed: dict[str, Any] = {of: price}
                return voter.objection(replace(claim, **changed), claim, previous) is None

            return _farthest(getattr(claim, of), self._sign, passes)

        return replace(
            claim,
            consensus_price=farthest("consensus_price"),
            volume_weighted_price=farthest("volume_weighted_price"),
        )

    def choose(
        self, signed: Quotes, known: PriceRound, voter: Voter, claim: PriceConsensus | NoPrice
    ) -> tuple[Claim, Quotes]:
        """Return the most extreme claim that some of the signed quotes make, and those quotes."""
        if voter.policy != "evidence":
            return super().choose(signed, known, voter, claim)
        best: tuple[Claim, Quotes] = (claim, signed)
        for chosen in _choices(signed):
            other = known.evaluate(quote for quote, _, _ in chosen).claim
            if isinstance(other, PriceConsensus) and self._is_farther(other, best[0]):
                best = other, chosen
        return best

    def _is_farther(self, claim: PriceConsensus, than: Claim) -> bool:
        return (
            not isinstance(than, PriceConsensus)
            or self._sign * (claim.consensus_price - than.consensus_price) > 0
        )


def _choices(signed: Quotes) -> Iterator[Quotes]:
    """Yield sets of quotes, each in the order of their prices."""
    ranked = sorted(signed, key=lambda one: one.quote.price)
    for size in range(1, len(ranked) + 1):
        if len(ranked) <= _MOST_SETS_OF:
            yield from combinations(ranked, size)
        else:
            yield from (ranked[i : i + size] for i in range(len(ranked) - size + 1))


class _LyingApplication:
    def __init__(self, honest: "PriceApplication | _LyingApplication", fault: _Liar) -> None:
        self.voters: tuple[Voter, ...] = honest.voters
        self.symbols: tuple[str, ...] = honest.symbols
        self.references: Callable[[Iterator[Block]], References] = honest.references
        self._honest = honest
        self._fault = fault

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        ancestors, same = tee(ancestors)
        payload, attachment = self._honest.make_payload(epoch, ancestors, observation)
        if not self._fault.active(epoch):
            return payload, attachment
        evidence = decode_quotes(attachment) if attachment else ()
        references = self.references(same)
        lies: list[Claim] = []
        chosen: list[SignedQuote] = []
        for voter, claim, previous in zip(
            self.voters, decode_claims(payload), references, strict=True
        ):
            assert not isinstance(claim, GenesisPrice)
            own = [quote for quote in evidence if quote.quote.symbol == voter.symbol]
            known = voter.round(epoch, previous, claim.timestamp)
            lie, quotes = self._fault.choose(own, known, voter, claim)
            lies.append(lie)
            chosen += quotes
        return encode_claims(lies), encode_quotes(chosen) if attachment else b""

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        if self._fault.credulous and self._fault.active(block.epoch):
            return Verdict(accepted=True)
        return self._honest.judge(block, ancestors, observation)


def _farthest(price: Decimal, sign: int, accepts: Callable[[Decimal], bool]) -> Decimal:
    """Return the last acceptable price, going up or down in cents from an acceptable one."""
    ticks, step = to_ticks(price), sign
    while accepts(from_ticks(ticks + step)):
        ticks += step
        step *= 2
    while abs(step) > 1:
        step //= 2  # a power of two, whatever its sign
        if accepts(from_ticks(ticks + step)):
            ticks += step
    return from_ticks(ticks)
