"""Where the market's reference price comes in: a plain value, pushed or asked for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.orders import read_price
from streamlet_lab.units import to_ticks
from streamlet_lab.values import Whole, check_ranges

#: What an engine is given: what nodes agreed on, or what an oracle beside them publishes.
GIVEN: Final = ("consensus", "oracle")

_LATEST: Final = (1 << 62) - 1  # as of all instants of an engine
_KINDS: Final = (*GIVEN, "trades", "auction")


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

    """

    price: Decimal
    time: Annotated[int, Whole(0, _LATEST, "whole microseconds, zero or more")]
    block_hash: str = ""
    kind: str = "consensus"

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.kind not in _KINDS:
            raise InvalidInput("kind", self.kind, " or ".join(map(repr, _KINDS)))
        price = read_price(self.price)
        if self.kind in GIVEN:
            to_ticks(price)  # it is rounded to the cent
        object.__setattr__(self, "price", price)


def check_network(network: object) -> None:
    """Refuse what has no call that `ask` knows."""
    calls = ("reference", "get_finalized_consensus_prices")
    if not any(callable(getattr(network, call, None)) for call in calls):
        expected = "an object with reference() or get_finalized_consensus_prices()"
        raise InvalidInput("consensus_network", network, expected)


def ask(network: Any, known: Reference | None, now: int) -> Reference | None:
    """Return a network's latest finalized price, None before the first.

    A network's own ``reference()`` says since when the price is final. The description's list of
    finalized prices does not: unless its last one is known, it is from this instant on.
    """
    if callable(getattr(network, "reference", None)):
        reference: Reference | None = network.reference()
        return reference
    for last in network.get_finalized_consensus_prices()[-1:]:
        found = Reference(last.consensus_price, now, last.block_hash)
        same = known is not None and (known.price, known.block_hash) == (
            found.price,
            found.block_hash,
        )
        return known if same else found
    return None
