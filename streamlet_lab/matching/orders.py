"""What traders send, and what comes of it: orders and trades, checked when they are made."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self, TypeAlias, TypeVar

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import (
    CENT,
    MONEY,
    from_ticks,
    to_decimal,
    to_flag,
    to_name,
    to_text,
    to_whole,
)
from streamlet_lab.values import unchecked

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


class TimeInForce(StrEnum):
    """How long an order lives.

    ``day`` until the trading day ends, ``gtc`` until it is cancelled, ``gtt`` until an instant
    that it names, ``ioc`` (immediate or cancel) takes what there is and ends, ``fok`` (fill or
    kill) trades whole or not at all.
    """

    DAY = "day"
    GOOD_TILL_CANCEL = "gtc"
    GOOD_TILL_TIME = "gtt"
    IMMEDIATE_OR_CANCEL = "ioc"
    FILL_OR_KILL = "fok"

    @property
    def rests(self) -> bool:
        """Whether what does not trade at once waits in the book."""
        return self not in (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)


class SelfTrade(StrEnum):
    """What a trader's two orders lose instead of trading with each other.

    ``none``: nothing, they trade. ``cancel_newest``: the arriving order goes. ``cancel_oldest``:
    the resting one goes. ``cancel_both``: both go. ``decrement``: both lose the quantity that
    would have traded, so the smaller one goes.
    """

    NONE = "none"
    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"
    DECREMENT = "decrement"


#: Times in force as numbers; those from ``IOC`` on never rest.
DAY: Final = 0
GTC: Final = 1
GTT: Final = 2
IOC: Final = 3
FOK: Final = 4
TIMES_IN_FORCE: Final = tuple(TimeInForce)

#: An order as the core takes it: id, side (1 buys, -1 sells), ticks (None: a market order),
#: quantity, trader, time in force, whether it is post-only, and when a ``GTT`` order ends.
Fields: TypeAlias = tuple[str, int, int | None, int, str, int, bool, int | None]

_EXPIRES: Final = "a whole number of microseconds, at least 1"
_ENUMERATIONS: Final = {"side": Side, "order_type": OrderType, "time_in_force": TimeInForce}


@dataclass(frozen=True, slots=True)
class Order:
    """An order, valid by construction; :meth:`limit` and :meth:`market` are the short ways.

    A field that is not valid raises `InvalidInput`, as do fields that do not go together. Whether
    its price and quantity lie on the grids of what it trades is the engine's to say.

    Parameters
    ----------
    order_id : str
        The trader's name for the order; an engine accepts each id once.
    order_type : OrderType
        A limit order needs a price, a market order has none.
    quantity : int
        Shares, from 1 to ``MAX_QUANTITY``.
    price : Decimal or None
        The worst price at which the order may trade, in dollars.
    trader : str
        Who sent it; empty where nobody asks. Self-trade prevention compares it.
    time_in_force : TimeInForce
        A market order never rests: it is ``ioc`` unless it is ``fok``.
    expires : int or None
        The instant at which a ``gtt`` order ends, in microseconds; None for all others.
    post_only : bool
        Whether the order is refused if it would trade on arrival.

    Attributes
    ----------
    in_cents : Fields or None
        The order as the core of an engine takes it whose ticks are cents; None where the price is
        not in whole cents.
    """

    order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: int
    price: Decimal | None = None
    trader: str = ""
    time_in_force: TimeInForce = TimeInForce.DAY
    expires: int | None = None
    post_only: bool = False
    in_cents: Fields | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        to_text(self.order_id, "order_id", 1)
        to_text(self.symbol, "symbol", 1)
        to_text(self.trader, "trader")
        if type(self.quantity) is not int or not 0 < self.quantity <= MAX_QUANTITY:
            object.__setattr__(self, "quantity", read_quantity(self.quantity))
        for name, kind in _ENUMERATIONS.items():
            value = getattr(self, name)
            if type(value) is not kind:
                object.__setattr__(self, name, read_member(kind, value, name))
        self._read_price()
        rests, expires = self.time_in_force.rests, self.expires
        if type(self.post_only) is not bool:
            object.__setattr__(self, "post_only", to_flag(self.post_only, "post_only"))
        if self.post_only and not rests:
            raise InvalidInput("post_only", True, "False, because this order never rests")
        if self.time_in_force is TimeInForce.GOOD_TILL_TIME:
            object.__setattr__(self, "expires", to_whole(expires, 1, "expires", expected=_EXPIRES))
        elif expires is not None:
            raise InvalidInput("expires", expires, "None, because time_in_force is not 'gtt'")
        object.__setattr__(self, "in_cents", self._fields())

    def _read_price(self) -> None:
        needs_one = self.order_type is OrderType.LIMIT
        if needs_one != (self.price is not None):
            one = "a price" if needs_one else "no price"
            expected = f"{one}, because this is a {self.order_type} order"
            raise InvalidInput("price", self.price, expected)
        if needs_one:
            object.__setattr__(self, "price", read_price(self.price))
        elif self.time_in_force is TimeInForce.DAY:
            object.__setattr__(self, "time_in_force", TimeInForce.IMMEDIATE_OR_CANCEL)
        elif self.time_in_force.rests:
            expected = "'ioc' or 'fok', because this is a market order"
            raise InvalidInput("time_in_force", str(self.time_in_force), expected)

    def _fields(self) -> Fields | None:
        ticks = None
        if self.price is not None:
            if self.price.as_tuple().exponent != -2:
                return None
            ticks = int(self.price.scaleb(2, MONEY))
        return fields_at(self, ticks)

    @classmethod
    def limit(
        cls,
        order_id: str,
        symbol: str,
        side: Side | str,
        quantity: int,
        price: Decimal | float | str,
        trader: str = "",
        **conditions: Any,
    ) -> Self:
        """Make an order that trades at its price or better, and rests where it cannot.

        Its conditions are ``time_in_force``, ``expires`` and ``post_only``.
        """
        fields: Any = (order_id, symbol, side, OrderType.LIMIT, quantity, price, trader)
        return cls(*fields, **conditions)

    @classmethod
    def market(
        cls,
        order_id: str,
        symbol: str,
        side: Side | str,
        quantity: int,
        trader: str = "",
        **conditions: Any,
    ) -> Self:
        """Make an order that takes what the book offers and never rests."""
        fields: Any = (order_id, symbol, side, OrderType.MARKET, quantity, None, trader)
        return cls(*fields, **conditions)


class Trade(NamedTuple):
    """One execution, at the price of the order that was resting.

    The id is its position on the engine's tape; time is in microseconds, the price in dollars, the
    quantity in shares. The aggressor is the side of the order that arrived last.
    """

    trade_id: int
    time: int
    symbol: str
    price: Decimal
    quantity: int
    buy_order_id: str
    sell_order_id: str
    aggressor: Side


def fields_at(order: Order, ticks: int | None) -> Fields:
    """Convert an order for the core, at its price in ticks."""
    return (
        order.order_id,
        1 if order.side is Side.BUY else -1,
        ticks,
        order.quantity,
        order.trader,
        TIMES_IN_FORCE.index(order.time_in_force),
        order.post_only,
        order.expires,
    )


_of_fields: Final = unchecked(Order)


def unchecked_order(symbol: str, fields: Fields) -> Order:
    """Make an order of what was checked before, at a price in cents."""
    order_id, side, cents, quantity, trader, time_in_force, post_only, expires = fields
    return _of_fields(
        order_id,
        symbol,
        Side.BUY if side > 0 else Side.SELL,
        OrderType.MARKET if cents is None else OrderType.LIMIT,
        quantity,
        None if cents is None else from_ticks(cents),
        trader,
        TIMES_IN_FORCE[time_in_force],
        expires,
        post_only,
        fields,
    )


def read_price(price: object) -> Decimal:
    """Read a price above zero in dollars; one on the cent grid is written in cents.

    >>> read_price("149.4"), read_price(149.405)
    (Decimal('149.40'), Decimal('149.405'))
    """
    amount = to_decimal(price)
    if amount <= 0:
        raise InvalidInput("price", price, "a price above zero")
    cents = amount.quantize(CENT, context=MONEY)
    return cents if cents == amount else amount.normalize(MONEY)


def read_quantity(value: object) -> int:
    """Read how many shares an order is for."""
    expected = f"a whole number of shares, 1 to {MAX_QUANTITY:,}"
    return to_whole(value, 1, "quantity", MAX_QUANTITY, expected)


def read_member(kind: type[_Member], value: object, name: str) -> _Member:
    """Return a member of an enumeration by its value."""
    return kind(to_name(value, [member.value for member in kind], name))


def shares_lost(policy: SelfTrade, arriving: int, resting: int) -> tuple[int, int]:
    """Return how many shares the arriving and the resting order lose of those that are left.

    >>> shares_lost(SelfTrade.DECREMENT, 70, 100), shares_lost(SelfTrade.CANCEL_OLDEST, 70, 100)
    ((70, 70), (0, 100))
    """
    if policy is SelfTrade.DECREMENT:
        overlap = min(arriving, resting)
        return overlap, overlap
    goes_new = policy in (SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH)
    goes_old = policy in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH)
    return (arriving if goes_new else 0), (resting if goes_old else 0)
