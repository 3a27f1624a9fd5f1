"""What a trader sees of the market at an instant, and what it can do about it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

from streamlet_lab.matching import MarketState, Order

#: What a trader meant: an honest price, one that is far away by mistake, or to profit from a lie.
Intent = Literal["honest", "far", "manipulating"]

# In all other states orders are collected or refused.
_CONTINUOUS: Final = frozenset({"open", "limit"})


@dataclass(frozen=True, slots=True)
class MarketView:
    """The market of one symbol at one instant; prices are in dollars, None where there is none.

    Parameters
    ----------
    time : int
        Microseconds of protocol time.
    symbol : str
    true_price : float
        Where the underlying path is. What a trader makes of it is up to its kind.
    best_bid, best_ask : float or None
        The best prices of the book.
    last_price : float or None
        Of the latest trade.
    reference : float or None
        The finalized price that the market goes by.
    state : MarketState
    low, high : float or None
        The edges of the band.
    """

    time: int
    symbol: str
    true_price: float
    best_bid: float | None = None
    best_ask: float | None = None
    last_price: float | None = None
    reference: float | None = None
    state: MarketState = MarketState.OPEN
    low: float | None = None
    high: float | None = None

    @property
    def is_continuous(self) -> bool:
        """Whether orders are matched as they come: neither collected for an auction nor refused."""
        return self.state in _CONTINUOUS


class Submit(NamedTuple):
    """Send an order, with what the trader means by it; the market does not know."""

    order: Order
    intent: Intent


class Cancel(NamedTuple):
    """Take an order of one's own out of the book."""

    order_id: str


class Replace(NamedTuple):
    """Give an order of one's own another price in dollars or another open quantity.

    None leaves what there is.
    """

    order_id: str
    price: Decimal | None
    quantity: int | None


Action: TypeAlias = Submit | Cancel | Replace
