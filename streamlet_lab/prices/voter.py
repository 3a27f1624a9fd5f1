"""What a voter has against a leader's claim about an epoch's price."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from streamlet_lab.prices.aggregation import Aggregator, mean
from streamlet_lab.prices.payload import Claim, GenesisPrice, NoPrice, PriceConsensus
from streamlet_lab.prices.rounds import OutlierRule, PriceRound
from streamlet_lab.prices.validation import PreviousConsensus, PriceValidation
from streamlet_lab.units import MONEY, is_within, to_hundredths, to_micros
from streamlet_lab.values import check_ranges

# What rounding to cents may have taken from a price.
_ROUNDED_OFF: Final = Decimal("0.005")

#: What a voter checks: the rules alone, its own quotes too, or the sources' signed quotes.
VoterPolicy = Literal["bounds", "observe", "evidence"]


@dataclass(frozen=True, slots=True)
class Voter:
    """How a voter judges a leader's claim before it votes.

    Parameters
    ----------
    policy : {"observe", "bounds", "evidence"}
        ``bounds`` checks the rules alone; ``observe`` also compares the claim with what the voter's
        own quotes give; ``evidence`` asks for exactly what the signed quotes in the block give.
    tolerance_percent : Decimal
        With ``observe``, how far a claimed price may lie from the voter's own, inclusive.
    aggregator, outlier
        What makes the price of the voter's own quotes, and of a leader's; see `PriceRound`.

    Notes
    -----
    With ``observe``, a source that tells the leader one thing and the voter another looks like a
    leader that lies. Where the aggregator tolerates liars among the sources, the voter therefore
    compares only the consensus price, which these can move no further than honest sources disagree,
    and lets the number of sources differ by as many. The tolerance must be wider than honest
    sources disagree, and silent sources count among the liars. Where the aggregator tolerates none
    (mean, VWAP), all figures must agree, and such a source can have every honest leader's price
    refused: ``evidence`` is the cure.

    With ``evidence``, a leader chooses whom it leaves out, down to the fewest quotes that make a
    price. One that conspires with f lying sources leaves out honest ones until the liars are too
    many for the aggregator, unless ``min_sources`` is so large that it tolerates f among as many.
    """

    symbol: str
    rules: PriceValidation
    policy: VoterPolicy = "observe"
    tolerance_percent: Decimal = Decimal("0.5")
    aggregator: Aggregator = mean
    outlier: OutlierRule | None = None

    _tolerance: int = field(init=False, repr=False, compare=False)  # hundredths of a percent

    def __post_init__(self) -> None:
        check_ranges(self)
        tolerance = to_hundredths(self.tolerance_percent, "tolerance_percent")
        object.__setattr__(self, "_tolerance", tolerance)

    def round(
        self, epoch: int, previous: PreviousConsensus | None, timestamp: datetime
    ) -> PriceRound:
        """Return what an honest node measures an epoch's quotes by."""
        return PriceRound(
            self.rules, self.symbol, epoch, previous, timestamp, self.aggregator, self.outlier
        )

    def objection(
        self,
        claim: Claim,
        own: PriceConsensus | NoPrice,
        previous: PreviousConsensus | None,
        *,
        believes_no_price: bool = False,
    ) -> str | None:
        """Say why a claim is unacceptable; None if it is acceptable.

        With ``observe`` a leader that claims to have no price is believed by voters who have none
        either: a block without a price widens the corridor of the next one. With ``bounds`` every
        such leader is believed, and with ``evidence`` it has only to leave out quotes.

        ``own`` is what the voter's own quotes of that epoch give; with ``evidence``, the signed
        ones in the block. With ``believes_no_price``, a leader that has none is believed by all.
        """
        if isinstance(claim, GenesisPrice):
            return "a genesis payload in a later block"
        if claim.symbol != self.symbol:
            return f"symbol {claim.symbol} instead of {self.symbol}"
        if claim.timestamp != own.timestamp:
            return "timestamp of another epoch"
        if self.policy == "evidence":
            return _difference(claim, own)
        if isinstance(claim, NoPrice):
            doubts = self.policy == "observe" and not believes_no_price
            if doubts and isinstance(own, PriceConsensus):
                return f"no price where this node observes {own.consensus_price}"
            return None
        needed = self.rules.sources_needed(previous)
        if claim.price_count < needed:
            return f"{claim.price_count} sources, {needed} needed"
        count = Decimal(claim.price_count)
        if claim.total_volume < MONEY.multiply(self.rules.min_volume, count):
            return f"volume {claim.total_volume} below the threshold of {claim.price_count} sources"
        if claim.total_volume > MONEY.multiply(self.rules.max_volume, count):
            return f"volume {claim.total_volume} above the limit of {claim.price_count} sources"
        corridor = self.rules.corridor(previous)
        for name, price in (
            ("consensus price", claim.consensus_price),
            ("VWAP", claim.volume_weighted_price),
        ):
            if objection := self._objection_to_price(price, previous, *corridor):
                return f"{name} {price} {objection}"
        if self.policy == "observe":
            return self._objection_from_own_quotes(claim, own)
        return None

    def _objection_to_price(
        self, price: Decimal, previous: PreviousConsensus | None, low: Decimal, high: Decimal
    ) -> str | None:
        rules = self.rules
        # Quotes at the very edge may be finer than claims: what was rounded to a claim must pass.
        least, most = MONEY.subtract(price, _ROUNDED_OFF), MONEY.add(price, _ROUNDED_OFF)
        if most < rules.min_price or least > rules.max_price:
            return f"outside {rules.min_price} to {rules.max_price}"
        if low <= price <= high or low <= least <= high or low <= most <= high:
            return None
        assert previous is not None  # else any price may follow
        return f"too far from the previous consensus {previous.price}"

    def _objection_from_own_quotes(
        self, claim: PriceConsensus, own: PriceConsensus | NoPrice
    ) -> str | None:
        if isinstance(own, NoPrice):
            return f"a price where this node sees none: {own.reason}"
        prices = claim.consensus_price, own.consensus_price
        if objection := self._too_far("consensus price", *prices):
            return objection
        liars = self.aggregator.breakdown(max(claim.price_count, own.price_count))
        if abs(claim.price_count - own.price_count) > liars:
            return f"{claim.price_count} sources where this node observes {own.price_count}"
        if liars:
            return None
        return self._too_far("volume", claim.total_volume, own.total_volume) or self._too_far(
            "VWAP", claim.volume_weighted_price, own.volume_weighted_price
        )

    def _too_far(self, name: str, claimed: Decimal, seen: Decimal) -> str | None:
        # Mostly both saw the same.
        if claimed == seen or is_within(to_micros(claimed), to_micros(seen), self._tolerance):
            return None
        return f"{name} {claimed} too far from {seen}, which this node observes"


def _difference(claim: PriceConsensus | NoPrice, own: PriceConsensus | NoPrice) -> str | None:
    """Say in what a claim differs from what the signed quotes give; None if in nothing."""
    if claim == own:
        return None
    if isinstance(own, NoPrice):
        said = f"reason {claim.reason!r}" if isinstance(claim, NoPrice) else "a price"
        return f"{said} where the signed quotes give none: {own.reason}"
    if not isinstance(claim, PriceConsensus):
        return f"no price where the signed quotes give {own.consensus_price}"
    for name in ("price_count", "consensus_price", "volume_weighted_price", "total_volume"):
        claimed, given = getattr(claim, name), getattr(own, name)
        if claimed != given:
            return f"{name} {claimed} where the signed quotes give {given}"
    return None
