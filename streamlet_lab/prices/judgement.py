"""From quotes to a claim about an epoch's price, and a voter's objections to a leader's claim."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from streamlet_lab.prices.aggregation import aggregate
from streamlet_lab.prices.aggregators import Aggregator, mean
from streamlet_lab.prices.payload import Claim, GenesisPrice, NoPrice, PriceConsensus
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.prices.validation import (
    PreviousConsensus,
    PriceValidation,
    QuoteCheck,
    check_quotes,
)
from streamlet_lab.units import MONEY, is_within, to_hundredths, to_micros

#: What a voter checks: the rules alone, or also its own quotes.
VoterPolicy = Literal["bounds", "observe"]


class Evaluation(NamedTuple):
    """What an honest node makes of an epoch's quotes."""

    checks: tuple[QuoteCheck, ...]
    claim: PriceConsensus | NoPrice
    previous: PreviousConsensus | None


def evaluate(
    quotes: Sequence[StockPrice],
    rules: PriceValidation,
    symbol: str,
    epoch: int,
    previous: PreviousConsensus | None,
    timestamp: datetime,
    aggregator: Aggregator = mean,
) -> Evaluation:
    """Validate an epoch's quotes and aggregate the valid ones.

    Returns
    -------
    Evaluation
        With a :class:`NoPrice` claim, and its reason, if too few quotes are valid.
    """
    checks = check_quotes(quotes, rules, symbol, epoch, previous)
    valid = [check.quote for check in checks if check.valid]
    if len(valid) < rules.min_sources:
        reason = f"{len(valid)} of {len(checks)} sources valid, {rules.min_sources} needed"
        return Evaluation(checks, NoPrice(symbol, reason, timestamp), previous)
    total = aggregate(valid, aggregator)
    return Evaluation(checks, PriceConsensus(symbol, *total, timestamp), previous)


@dataclass(frozen=True, slots=True)
class Voter:
    """How a voter judges a leader's claim before it votes.

    Parameters
    ----------
    symbol : str
    rules : PriceValidation
    policy : {"observe", "bounds"}
        ``bounds`` checks the rules alone; ``observe`` also compares the claimed prices with what
        the voter's own quotes give.
    tolerance_percent : Decimal
        With ``observe``, how far a claimed price may lie from the voter's own, inclusive.
    aggregator : Aggregator
        What makes the consensus price of the voter's own quotes, and of a leader's.
    """

    symbol: str
    rules: PriceValidation
    policy: VoterPolicy = "observe"
    tolerance_percent: Decimal = Decimal("0.5")
    aggregator: Aggregator = mean

    _tolerance: int = field(init=False, repr=False, compare=False)  # hundredths of a percent

    def __post_init__(self) -> None:
        tolerance = to_hundredths(self.tolerance_percent, "tolerance_percent")
        object.__setattr__(self, "_tolerance", tolerance)

    def objection(
        self,
        claim: Claim,
        own: PriceConsensus | NoPrice,
        epoch: int,
        previous: PreviousConsensus | None,
    ) -> str | None:
        """Say why a claim is unacceptable; None if it is acceptable.

        A leader that claims to have no price is believed: it can delay the price by the epoch that
        it leads, as silence could, and cannot move it.

        Parameters
        ----------
        claim : PriceConsensus, NoPrice or GenesisPrice
            What the leader says about the epoch.
        own : PriceConsensus or NoPrice
            What the voter's own quotes of that epoch give.
        epoch : int
        previous : PreviousConsensus, optional
            The nearest priced ancestor of the proposed block.
        """
        if isinstance(claim, GenesisPrice):
            return "a genesis payload in a later block"
        if claim.symbol != self.symbol:
            return f"symbol {claim.symbol} instead of {self.symbol}"
        if claim.timestamp != own.timestamp:
            return "timestamp of another epoch"
        if isinstance(claim, NoPrice):
            return None
        if claim.price_count < self.rules.min_sources:
            return f"{claim.price_count} sources, {self.rules.min_sources} needed"
        if claim.total_volume < MONEY.multiply(self.rules.min_volume, Decimal(claim.price_count)):
            return f"volume {claim.total_volume} below the threshold of {claim.price_count} sources"
        for name, price in (
            ("consensus price", claim.consensus_price),
            ("VWAP", claim.volume_weighted_price),
        ):
            if objection := self._objection_to_price(price, epoch, previous):
                return f"{name} {price} {objection}"
        if self.policy == "observe":
            return self._objection_from_own_quotes(claim, own)
        return None

    def _objection_to_price(
        self, price: Decimal, epoch: int, previous: PreviousConsensus | None
    ) -> str | None:
        rules = self.rules
        if not rules.min_price <= price <= rules.max_price:
            return f"outside {rules.min_price} to {rules.max_price}"
        if previous is not None and not rules.within_deviation(price, previous, epoch):
            return f"too far from the previous consensus {previous.price}"
        return None

    def _objection_from_own_quotes(
        self, claim: PriceConsensus, own: PriceConsensus | NoPrice
    ) -> str | None:
        if isinstance(own, NoPrice):
            return f"a price where this node sees none: {own.reason}"
        if claim.price_count != own.price_count:
            return f"{claim.price_count} sources where this node observes {own.price_count}"
        if not is_within(
            to_micros(claim.total_volume), to_micros(own.total_volume), self._tolerance
        ):
            return f"volume {claim.total_volume} too far from {own.total_volume}"
        for name, price, seen in (
            ("consensus price", claim.consensus_price, own.consensus_price),
            ("VWAP", claim.volume_weighted_price, own.volume_weighted_price),
        ):
            if not is_within(to_micros(price), to_micros(seen), self._tolerance):
                return f"{name} {price} too far from {seen}, which this node observes"
        return None
