"""Leaders that lie about the price."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, tee
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from streamlet_lab.consensus import Application, Block, Verdict
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    Claim,
    GenesisPrice,
    NoPrice,
    PriceConsensus,
    PriceRound,
    SignedQuote,
    Voter,
    decode_claims,
    decode_quotes,
    encode_claims,
    encode_quotes,
)
from streamlet_lab.prices.attacks import Direction, last_valid
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
    def lie(
        self, claim: PriceConsensus | NoPrice, signed: Quotes, voter: Voter, known: PriceRound
    ) -> tuple[Claim, Quotes]:
        """Return what the node claims of a symbol, and the signed quotes that it shows for it."""

    def wrap(self, application: Application) -> Application:
        if not isinstance(application, PriceApplication | _LyingApplication):
            raise InvalidInput("faults", type(self).__name__, "a kind that works without prices")
        return _LyingApplication(application, self)


@fault_kind("lying_leader")
@dataclass(eq=False)
class LyingLeader(_Liar):
    """The node proposes a price of its own invention, in US dollars, and votes for everything."""

    credulous = True

    price: Annotated[Amount, Field(ge=CENT)] = Decimal(9999)

    def lie(
        self, claim: PriceConsensus | NoPrice, signed: Quotes, voter: Voter, known: PriceRound
    ) -> tuple[Claim, Quotes]:
        if isinstance(claim, NoPrice):
            return claim, signed
        price = round_price(self.price)
        return replace(claim, consensus_price=price, volume_weighted_price=price), signed


@fault_kind("price_manipulator")
@dataclass(eq=False)
class PriceManipulator(_Liar):
    """The leader claims the most extreme prices for which honest nodes still vote.

    So its blocks are notarized like any others. Consensus price and VWAP are as far from the truth
    as the rules, and with the policy ``observe`` the voters' tolerance, allow: a cent further, and
    they would be refused. Nothing stops that at any f; the rules bound what it can do. With the
    policy ``evidence`` it can only leave out quotes: of those that the sources signed it carries
    the ones whose consensus price is the most extreme, out of all sets where there are ten sources
    or fewer, else out of those that lie next to each other.
    """

    credulous = False

    direction: Direction = "up"

    def lie(
        self, claim: PriceConsensus | NoPrice, signed: Quotes, voter: Voter, known: PriceRound
    ) -> tuple[Claim, Quotes]:
        if voter.policy == "evidence":
            return self._choose(claim, signed, known)
        if isinstance(claim, NoPrice):
            return claim, signed
        low, high = known.rules.limits(None)
        outside = high + 1 if self.direction == "up" else low - 1

        def farthest(name: str) -> Decimal:
            def passes(cents: int) -> bool:
                changed: dict[str, Any] = {name: from_ticks(cents)}
                return voter.objection(replace(claim, **changed), claim, known.previous) is None

            return from_ticks(last_valid(to_ticks(getattr(claim, name)), outside, passes))

        return replace(
            claim,
            consensus_price=farthest("consensus_price"),
            volume_weighted_price=farthest("volume_weighted_price"),
        ), signed

    def _choose(
        self, claim: PriceConsensus | NoPrice, signed: Quotes, known: PriceRound
    ) -> tuple[Claim, Quotes]:
        """Return the most extreme claim that some of the signed quotes make, and those quotes."""

        def gain(chosen: tuple[Claim, Quotes]) -> Decimal:
            match chosen:
                case PriceConsensus(consensus_price=price), _:
                    return price if self.direction == "up" else -price
            return Decimal("-Infinity")

        others = (
            (known.evaluate(quote for quote, _, _ in some).claim, some) for some in _choices(signed)
        )
        return max([(claim, signed), *others], key=gain)


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
        self.references: Callable[[Iterable[Block]], References] = honest.references
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
        lies: list[Claim] = []
        shown: list[SignedQuote] = []
        for voter, claim, previous in zip(
            self.voters, decode_claims(payload), self.references(same), strict=True
        ):
            assert not isinstance(claim, GenesisPrice)
            signed = [quote for quote in evidence if quote.quote.symbol == voter.symbol]
            known = voter.round(epoch, previous, claim.timestamp)
            lie, quotes = self._fault.lie(claim, signed, voter, known)
            lies.append(lie)
            shown += quotes
        return encode_claims(lies), encode_quotes(shown) if attachment else b""

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        if self._fault.credulous and self._fault.active(block.epoch):
            return Verdict(accepted=True)
        return self._honest.judge(block, ancestors, observation)
