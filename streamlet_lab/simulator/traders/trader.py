"""A trader: it sees the market now and then, acts, and keeps account of what comes of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import ClassVar, Final, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    Accepted,
    Cancelled,
    Clipped,
    Event,
    Expired,
    Order,
    OrderType,
    Reduced,
    Replaced,
    Side,
    TimeInForce,
    Traded,
)
from streamlet_lab.simulator.traders import parameters
from streamlet_lab.simulator.traders.view import (
    Action,
    Cancel,
    Intent,
    MarketView,
    OpenOrder,
    Replace,
    Submit,
)
from streamlet_lab.units import CENT, MICROSECONDS_PER_SECOND, MONEY, from_ticks

_LOT: Final = 10
_LARGEST_LOTS: Final = 20

# Just below the lowest price that is too long for an order.
_LARGEST_PRICE: Final = Decimal("999999999999.99")


@dataclass(frozen=True, slots=True)
class Seat:
    """What the market gives a trader: a name, a symbol, and randomness of its own.

    Parameters
    ----------
    name : str
        Its kind and its number among all of the kind: ``"momentum_3"``.
    symbol : str
        What it trades.
    random : random.Random
        A stream that nobody else draws from.
    rate : float
        Mean number of acts per second of protocol time.
    tick : Decimal
        The grid of its prices, in dollars.

    Raises
    ------
    InvalidInput
        If the rate is not a number from 0.000001 to 1,000,000.
    """

    name: str
    symbol: str
    random: Random
    rate: float = 1.0
    tick: Decimal = CENT

    def __post_init__(self) -> None:
        parameters.rate("rate", self.rate)


class Trader(ABC):
    """Base of all kinds of traders: a kind says what it does when its time comes, in `act`.

    A kind's parameters are keyword-only arguments of its ``__init__``, each with a default, after
    the seat. It draws from `random` and from nowhere else; then a seed says all that it does. If
    it also draws the same number of times in every act, the instants at which it acts do not
    depend on what it sees, and neither do those in another market with the same seed.

    Parameters
    ----------
    seat : Seat

    Attributes
    ----------
    intent : {"honest", "far", "manipulating"}
        What the kind means by its orders, unless it says otherwise for one of them.
    name, symbol : str
    random : random.Random
    rate : float
        Mean number of acts per second of protocol time.
    tick : Decimal
        The grid of its prices, in dollars.
    position : int
        Shares bought less shares sold.
    orders : dict of str to OpenOrder
        Its orders that are not over, by their ids.

    Examples
    --------
    >>> class Patient(Trader):
    ...     def act(self, view):
    ...         if not self.orders:
    ...             yield self.buy(100, 0.99 * view.true_price)
    >>> patient = Patient(Seat("patient_0", "AAPL", Random(1)))
    >>> (action,) = patient.decide(MarketView(time=0, symbol="AAPL", true_price=152.45))
    >>> action.order.order_id, action.order.price, action.intent
    ('patient_0/AAPL/0', Decimal('150.93'), 'honest')
    """

    intent: ClassVar[Intent] = "honest"

    def __init__(self, seat: Seat) -> None:
        self.name = seat.name
        self.symbol = seat.symbol
        self.random = seat.random
        self.rate = seat.rate
        self.tick = seat.tick
        self.position = 0
        self.orders: dict[str, OpenOrder] = {}
        self._prefix = f"{seat.name}/{seat.symbol}/"
        self._made = 0

    @abstractmethod
    def act(self, view: MarketView) -> Iterable[Action] | None:
        """Return, or yield, what the trader does now; None is nothing.

        All of it is decided on what the view shows. It is then done in the order given.
        """

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self.name.rpartition("_")[0]

    def wait(self) -> int:
        """Draw the time until the next act, in microseconds, at least 1: a Poisson process."""
        return max(round(self.random.expovariate(self.rate) * MICROSECONDS_PER_SECOND), 1)

    def decide(self, view: MarketView) -> tuple[Action, ...]:
        """Have the trader act, and return what it does.

        Raises
        ------
        InvalidInput
            If what `act` returns are no actions, or one of them concerns an order of somebody else;
            or if it made an order and returned nothing, which is a forgotten ``yield``.
        """
        made = self._made
        actions = self.act(view)
        if actions is None and self._made > made:
            raise InvalidInput(f"{self.name}.act", None, "the orders that it made, by `yield`")
        # An action is a tuple itself.
        if isinstance(actions, Action) or not isinstance(actions, Iterable | None):
            raise InvalidInput(f"{self.name}.act", actions, "a list of actions, or None")
        decided = () if actions is None else tuple(actions)
        for action in decided:
            self._check(action)
        return decided

    # What it can do.

    def buy(
        self,
        quantity: int,
        price: float | Decimal | None = None,
        *,
        time_in_force: TimeInForce | str = TimeInForce.DAY,
        expires: int | None = None,
        post_only: bool = False,
        intent: Intent | None = None,
    ) -> Submit:
        """Make an order to buy.

        Parameters
        ----------
        quantity : int
            Shares.
        price : float or Decimal or None
            In dollars; it is put on the grid as in `on_grid`. None makes a market order.
        time_in_force, expires, post_only
            See :class:`~streamlet_lab.matching.Order`. A market order never rests.
        intent : {"honest", "far", "manipulating"}, optional
            The kind's own unless given.

        Raises
        ------
        InvalidInput
            If an argument is not valid, or arguments do not go together.
        """
        return self._submit(Side.BUY, quantity, price, time_in_force, expires, post_only, intent)

    def sell(
        self,
        quantity: int,
        price: float | Decimal | None = None,
        *,
        time_in_force: TimeInForce | str = TimeInForce.DAY,
        expires: int | None = None,
        post_only: bool = False,
        intent: Intent | None = None,
    ) -> Submit:
        """Make an order to sell; see `buy`."""
        return self._submit(Side.SELL, quantity, price, time_in_force, expires, post_only, intent)

    def cancel(self, order_id: str) -> Cancel:
        """Take an order of its own out of the book."""
        return Cancel(order_id)

    def replace(
        self, order_id: str, price: float | Decimal | None = None, quantity: int | None = None
    ) -> Replace:
        """Give an order of its own another price or another open quantity; None leaves it."""
        return Replace(order_id, None if price is None else self.on_grid(price), quantity)

    def on_grid(self, price: float | Decimal) -> Decimal:
        """Return the nearest price that an order may have, half even; a tick at least.

        Raises
        ------
        InvalidInput
            If the price is not a finite number.

        Examples
        --------
        >>> from streamlet_lab.simulator.traders import ZeroIntelligence
        >>> trader = ZeroIntelligence(Seat("zero_intelligence_0", "AAPL", Random(1)))
        >>> trader.on_grid(152.445), trader.on_grid(-3.0)
        (Decimal('152.44'), Decimal('0.01'))
        """
        if isinstance(price, bool) or not isinstance(price, int | float | Decimal):
            raise InvalidInput("price", price, "a price in dollars, such as 152.45")
        # A float is taken as it prints.
        amount = price if isinstance(price, Decimal) else Decimal(str(price))
        if not amount.is_finite():
            raise InvalidInput("price", price, "a finite price in dollars, such as 152.45")
        largest = MONEY.divide(_LARGEST_PRICE, self.tick).quantize(Decimal(1), ROUND_DOWN, MONEY)
        ticks = min(max(MONEY.divide(amount, self.tick), Decimal(1)), largest)
        return from_ticks(int(ticks.quantize(Decimal(1), context=MONEY)), self.tick)

    def draw_quantity(self, size: int | None = None) -> int:
        """Return the size if there is one; otherwise draw 10 to 200 shares, a multiple of 10."""
        return _LOT * self.random.randint(1, _LARGEST_LOTS) if size is None else size

    # What comes of it.

    def told(self, event: Event) -> None:
        """Keep `position` and `orders` true.

        The market tells each event of the engine once to every trader whose orders it concerns, in
        the order of the events. Events of the orders of others change nothing.
        """
        match event:
            case Accepted(order=order):
                if order.order_id.startswith(self._prefix):
                    opened = OpenOrder(order.side, order.price, order.quantity)
                    self.orders[order.order_id] = opened
            case Traded(trade=trade, buy_remaining=buy_remaining, sell_remaining=sell_remaining):
                # Both orders may be its own.
                if trade.buy_order_id in self.orders:
                    self.position += trade.quantity
                    self._keep(trade.buy_order_id, buy_remaining)
                if trade.sell_order_id in self.orders:
                    self.position -= trade.quantity
                    self._keep(trade.sell_order_id, sell_remaining)
            case Reduced():
                self._keep(event.order_id, event.remaining)
            case Replaced() | Clipped():
                self._keep(event.order_id, event.quantity, event.price)
            case Cancelled() | Expired():
                self.orders.pop(event.order_id, None)
            case _:
                pass

    def _keep(self, order_id: str, quantity: int, price: Decimal | None = None) -> None:
        order = self.orders.get(order_id)
        if order is None:
            return
        if quantity:
            price = order.price if price is None else price
            self.orders[order_id] = OpenOrder(order.side, price, quantity)
        else:
            del self.orders[order_id]

    def _submit(
        self,
        side: Side,
        quantity: int,
        price: float | Decimal | None,
        time_in_force: TimeInForce | str,
        expires: int | None,
        post_only: bool,
        intent: Intent | None,
    ) -> Submit:
        intent = self.intent if intent is None else intent
        if intent not in get_args(Intent):
            raise InvalidInput("intent", intent, f"one of {', '.join(get_args(Intent))}")
        order = Order(
            f"{self._prefix}{self._made}",
            self.symbol,
            side,
            OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity,
            None if price is None else self.on_grid(price),
            self.name,
            time_in_force,  # type: ignore[arg-type]  # the order reads its name, or refuses it
            expires,
            post_only,
        )
        self._made += 1
        return Submit(order, intent)

    def _check(self, action: object) -> None:
        if not isinstance(action, Action):
            expected = "what self.buy, self.sell, self.cancel or self.replace return"
            raise InvalidInput(f"{self.name}.act", action, expected)
        order_id = action.order.order_id if isinstance(action, Submit) else action.order_id
        if not (isinstance(order_id, str) and order_id.startswith(self._prefix)):
            expected = f"an order of its own, whose id begins with {self._prefix!r}"
            raise InvalidInput(f"{self.name}.act", order_id, expected)
