"""What traders send, and what comes of it: orders and trades, checked when they are made."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, Self, TypeVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import from_ticks, to_decimal, to_ticks

#: Larger orders are typing errors; sums of a whole run still fit 64 bits.
MAX_QUANTITY: Final = 1_000_000_000

_Member = TypeVar("_Member", bound=StrEnum)


class Side(StrEnum):
    """Which side of the market an order is on."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """Whether an order names its worst price or takes what the book offers."""

    LIMIT = "limit"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Order:
    """An order, valid by construction; :meth:`limit` and :meth:`market` are the short ways.

    Parameters
    ----------
    order_id : str
        The trader's name for the order; an engine accepts each id once.
    symbol : str
        What is traded, such as ``"AAPL"``.
    side : Side
        Buy or sell.
    order_type : OrderType
        A limit order needs a price, a market order has none.
    quantity : int
        Shares, from 1 to ``MAX_QUANTITY``.
    price : Decimal or None
        The worst price at which the order may trade, in dollars, on the cent grid.
    trader : str
        Who sent it; empty where nobody asks.

    Attributes
    ----------
    ticks : int or None
        The price in ticks, converted once.

    Raises
    ------
    InvalidInput
        If a field is not valid, or price and type do not go together.
    """

    order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: int
    price: Decimal | None = None
    trader: str = ""
    ticks: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_text(self.order_id, "order_id")
        require_text(self.symbol, "symbol")
        _require_quantity(self.quantity)
        if type(self.side) is not Side:
            object.__setattr__(self, "side", _read_member(Side, self.side, "side"))
        if type(self.order_type) is not OrderType:
            order_type = _read_member(OrderType, self.order_type, "order_type")
            object.__setattr__(self, "order_type", order_type)
        ticks = None if self.price is None else price_to_ticks(self.price)
        if self.order_type is OrderType.LIMIT and ticks is None:
            raise InvalidInput("price", None, "a price, because this is a limit order")
        if self.order_type is OrderType.MARKET and ticks is not None:
            raise InvalidInput("price", self.price, "no price, because this is a market order")
        object.__setattr__(self, "price", None if ticks is None else from_ticks(ticks))
        object.__setattr__(self, "ticks", ticks)

    @classmethod
    def limit(
        cls,
        order_id: str,
        symbol: str,
        side: Side | str,
        quantity: int,
        price: Decimal | float | str,
        trader: str = "",
    ) -> Self:
        """Make an order that trades at its price or better, and rests where it cannot."""
        side = _read_member(Side, side, "side")
        return cls(order_id, symbol, side, OrderType.LIMIT, quantity, to_decimal(price), trader)

    @classmethod
    def market(
        cls, order_id: str, symbol: str, side: Side | str, quantity: int, trader: str = ""
    ) -> Self:
        """Make an order that takes what the book offers and never rests."""
        side = _read_member(Side, side, "side")
        return cls(order_id, symbol, side, OrderType.MARKET, quantity, None, trader)

    def accepts(self, ticks: int) -> bool:
        """Whether the order may trade at a price, as far as its own limit goes."""
        if self.ticks is None:
            return True
        return ticks <= self.ticks if self.side is Side.BUY else ticks >= self.ticks


class Trade(NamedTuple):
    """One execution, at the price of the order that was resting.

    Parameters
    ----------
    trade_id : int
        Position on the engine's tape, from 0.
    time : int
        Simulated time in microseconds.
    symbol : str
        What changed hands.
    price : Decimal
        Dollars a share.
    quantity : int
        Shares.
    buy_order_id, sell_order_id : str
        The two orders.
    aggressor : Side
        The side of the order that arrived last.
    """

    trade_id: int
    time: int
    symbol: str
    price: Decimal
    quantity: int
    buy_order_id: str
    sell_order_id: str
    aggressor: Side


def price_to_ticks(price: object) -> int:
    """Convert a price in dollars to ticks; a price is positive and lies on the cent grid.

    Raises
    ------
    InvalidInput
        If it does not.
    """
    ticks = to_ticks(to_decimal(price))
    if ticks <= 0:
        raise InvalidInput("price", price, "a price of at least $0.01")
    return ticks


def require_text(value: object, name: str) -> None:
    """Refuse what is not a text, or is empty.

    Raises
    ------
    InvalidInput
        Naming the field.
    """
    if not isinstance(value, str) or not value:
        raise InvalidInput(name, value, "a text that is not empty")


def _read_member(kind: type[_Member], value: str, name: str) -> _Member:
    try:
        return kind(value)
    except ValueError as error:
        raise InvalidInput(
            name, value, " or ".join(repr(str(member)) for member in kind)
        ) from error


def _require_quantity(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_QUANTITY:
        raise InvalidInput("quantity", value, f"a whole number of shares, 1 to {MAX_QUANTITY:,}")
