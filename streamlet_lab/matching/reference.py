"""Where the market's reference price comes in: a plain value, pushed or asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, cast

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
        Microseconds at which it became final where the market looks, or was published there.
    block_hash : str
        The block that finalized it; empty where there is none.
    kind : {"consensus", "oracle", "trades", "auction"}
        What nodes agreed on, an oracle beside them, the market's own trades, or its last auction.

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


def ask(network: object, now: Callable[[], int]) -> Callable[[], Reference | None]:
    """Return what asks a network for its latest finalized price, None before the first.

    A network's own ``reference()`` says since when the price is final. The description's list of
    finalized prices does not: its last one is known from the instant of the engine's clock at which
    it was first seen.
    """
    own = getattr(network, "reference", None)
    if callable(own):
        return cast(Callable[[], Reference | None], own)
    prices = getattr(network, "get_finalized_consensus_prices", None)
    if not callable(prices):
        expected = "an object with reference() or get_finalized_consensus_prices()"
        raise InvalidInput("consensus_network", network, expected)
    seen: tuple[object, object] | None = None
    reference: Reference | None = None

    def latest() -> Reference | None:
        nonlocal seen, reference
        for last in prices()[-1:]:
            price, block_hash = last.consensus_price, last.block_hash
            if (price, block_hash) != seen:
                seen = price, block_hash
                reference = Reference(price, now(), block_hash)
        return reference

    return latest
