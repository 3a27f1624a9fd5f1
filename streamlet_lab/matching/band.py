"""The band around the reference price outside of which nothing trades."""

from dataclasses import dataclass, field
from decimal import Decimal

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import is_within, to_hundredths


@dataclass(frozen=True, slots=True)
class ConsensusBand:
    """The description's rule: a trade may deviate from the consensus by 5 % and no more.

    The edge itself passes. Comparisons are made in integers, by cross-multiplication.

    Parameters
    ----------
    percent : Decimal or int
        The largest deviation, in percent of the reference, with at most two decimal places.

    Raises
    ------
    InvalidInput
        If the percentage is not above 0 and at most 100, or is finer than a hundredth.
    """

    percent: Decimal | int = 5
    hundredths: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        hundredths = to_hundredths(self.percent, "percent")
        if not 0 < hundredths <= 10_000:
            raise InvalidInput("percent", self.percent, "more than 0 and at most 100")
        object.__setattr__(self, "hundredths", hundredths)

    def allows(self, price_ticks: int, reference_ticks: int) -> bool:
        """Whether a price lies inside the band around a reference, both in ticks."""
        return is_within(price_ticks, reference_ticks, self.hundredths)

    def limits(self, reference_ticks: int) -> tuple[int, int]:
        """Return the lowest and the highest price that the band allows, in ticks.

        The same rule as :meth:`allows`, solved for the price.
        """
        reach = self.hundredths * reference_ticks // 10_000
        return reference_ticks - reach, reference_ticks + reach
