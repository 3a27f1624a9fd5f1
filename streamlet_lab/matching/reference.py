"""Where the market's reference price comes in: a plain value, pushed or asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.orders import read_price
from streamlet_lab.units import to_ticks


@dataclass(frozen=True, slots=True)
class Reference:
    """A finalized consensus price, and since when the market knows it.

    Parameters
    ----------
    price : Decimal
        Dollars, on the cent grid.
    time : int
        Simulated time in microseconds at which the price became final where the market looks.
    block_hash : str
        The block that finalized it; empty where there is none.

    Raises
    ------
    InvalidInput
        If the price or the time is not valid.
    """

    price: Decimal
    time: int
    block_hash: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.time, bool) or not isinstance(self.time, int) or self.time < 0:
            raise InvalidInput("time", self.time, "whole microseconds, zero or more")
        price = read_price(self.price)
        to_ticks(price)  # consensus prices are rounded to the cent
        object.__setattr__(self, "price", price)


@runtime_checkable
class ReferenceSource(Protocol):
    """Something that knows the latest finalized price at this instant of simulated time."""

    def reference(self) -> Reference | None:
        """Return the latest reference, None before the first."""
        ...


class FinalizedPrice(Protocol):
    """What the market reads of a finalized price consensus."""

    @property
    def consensus_price(self) -> Decimal:
        """The agreed price in dollars."""
        ...

    @property
    def block_hash(self) -> str:
        """The block that carries it."""
        ...


@runtime_checkable
class FinalizedPrices(Protocol):
    """The description's network: a list of finalized prices, the latest at the end."""

    def get_finalized_consensus_prices(self) -> Sequence[FinalizedPrice]:
        """Return every finalized price, in the order of the chain."""
        ...


class LastFinalizedPrice:
    """Read the end of a network's list of finalized prices as a reference.

    The list does not say when a price became final. It counts as known from the instant at which
    it was first seen here.

    Parameters
    ----------
    network : FinalizedPrices
        The network that is asked.
    now : callable
        Returns the present instant of simulated time in microseconds.
    """

    def __init__(self, network: FinalizedPrices, now: Callable[[], int]) -> None:
        self._network = network
        self._now = now
        self._seen: tuple[Decimal, str] | None = None
        self._reference: Reference | None = None

    def reference(self) -> Reference | None:
        """Return the last finalized price, None before the first."""
        prices = self._network.get_finalized_consensus_prices()
        if prices:
            last = (prices[-1].consensus_price, prices[-1].block_hash)
            if last != self._seen:
                self._seen = last
                self._reference = Reference(last[0], self._now(), last[1])
        return self._reference
