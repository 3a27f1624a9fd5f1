"""Where the market's reference price comes in: a plain value, pushed or asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol, runtime_checkable

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.orders import read_price
from streamlet_lab.units import to_ticks

#: What an engine is given: what nodes agreed on, or what an oracle beside them publishes.
GIVEN: Final = ("consensus", "oracle")

#: Where a reference may come from: given, or a band's own.
KINDS: Final = (*GIVEN, "trades", "auction")


@dataclass(frozen=True, slots=True)
class Reference:
    """A price that bands go by, mostly the finalized consensus, and since when it is known.

    Parameters
    ----------
    price : Decimal
        Dollars; what an engine is given lies on the cent grid.
    time : int
        Simulated time in microseconds at which the price became final where the market looks, or
        was published there.
    block_hash : str
        The block that finalized it; empty where there is none.
    kind : {"consensus", "oracle", "trades", "auction"}
        Where it comes from: what nodes agreed on, an oracle beside them, the market's own trades,
        or its last auction.

    Raises
    ------
    InvalidInput
        If the price, the time or the kind is not valid.
    """

    price: Decimal
    time: int
    block_hash: str = ""
    kind: str = "consensus"

    def __post_init__(self) -> None:
        if isinstance(self.time, bool) or not isinstance(self.time, int) or self.time < 0:
            raise InvalidInput("time", self.time, "whole microseconds, zero or more")
        if self.kind not in KINDS:
            raise InvalidInput("kind", self.kind, " or ".join(map(repr, KINDS)))
        price = read_price(self.price)
        if self.kind in GIVEN:
            to_ticks(price)  # it is rounded to the cent
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
