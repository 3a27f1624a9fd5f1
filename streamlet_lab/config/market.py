"""Who trades, and against which reference."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from streamlet_lab.config.values import Amount, Section
from streamlet_lab.units import to_hundredths

#: The name of the non-voting node that the market reads by default.
OBSERVER = "observer"


class MarketConfig(Section):
    """Who trades, and against which reference.

    Attributes
    ----------
    traders : int
        Number of traders; 0 leaves the market empty.
    orders_per_epoch : float
        Mean number of orders of all traders together in an epoch (Poisson arrivals).
    market_order_share : float
        Share of market orders among honest ones.
    far_share : float
        Share of orders with a price 6 to 30 % away from the true one.
    price_spread_percent : float
        Standard deviation of honest limit prices around the true price.
    band_percent : amount
        Largest deviation of a trade from the reference, in percent; in hundredths.
    without_reference : {"reject", "allow"}
        What happens to orders before the first finalization.
    reference_node : str
        Whose finalized chain the market reads: the non-voting observer, or one of the nodes.
    """

    traders: Annotated[int, Field(ge=0, le=10_000)] = 20
    orders_per_epoch: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 4.0
    market_order_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    far_share: Annotated[float, Field(ge=0, le=1)] = 0.03
    price_spread_percent: Annotated[float, Field(ge=0, le=20)] = 0.5
    band_percent: Annotated[Amount, Field(gt=0, le=100)] = Decimal(5)
    without_reference: Literal["reject", "allow"] = "reject"
    reference_node: str = OBSERVER

    @model_validator(mode="after")
    def _check(self) -> Self:
        to_hundredths(self.band_percent, "band_percent")
        return self
