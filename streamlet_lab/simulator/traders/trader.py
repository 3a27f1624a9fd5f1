"""Traders: what they see of a market and do there, and how a configuration makes them."""

import inspect
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, get_args

from streamlet_lab.config import TraderConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    MAX_QUANTITY,
    Accepted,
    Event,
    MarketState,
    OpenOrder,
    Order,
    OrderTracker,
    OrderType,
    Side,
    Traded,
)
from streamlet_lab.matching.orders import DAY, IOC, read_quantity, unchecked_order
from streamlet_lab.registers import TRADERS, TraderContext
from streamlet_lab.streams import stream
from streamlet_lab.units import (
    CENT,
    MICROSECONDS_PER_SECOND,
    MONEY,
    from_ticks,
    to_name,
    to_python,
    to_text,
)
from streamlet_lab.values import Number, Whole

#: What kinds take: percentages, which are shares of one inside, and shares of an order.
Percent: TypeAlias = Annotated[float, Number(0, 100)]
Shares: TypeAlias = Annotated[int, Whole(1, MAX_QUANTITY)]

#: What a trader meant: an honest price, one that is far away by mistake, or to profit from a lie.
Intent = Literal["honest", "far", "manipulating"]
_INTENTS: Final = get_args(Intent)

# What every trader has by these names, which are no kind's to give to its parameters.
_TAKEN: Final = frozenset({"name", "symbol", "random", "rate", "kind", "position", "orders"})

# Noise traders draw from streams of their former name, so that a seed keeps its numbers.
_STREAMS: Final = {"noise_trader": "zero_intelligence"}

_Price: TypeAlias = float | Decimal | None

trader_kind, trader_kinds = TRADERS.doors("a kind of traders, a subclass of `Trader`")
own_trader_kinds = TRADERS.own

# In all other states orders are collected or refused.
_CONTINUOUS: Final = frozenset({"open", "limit"})

_LOT: Final = 10
_LARGEST_LOTS: Final = 20

# Just below the lowest price that is too long for an order, in cents.
_LARGEST_PRICE: Final = Decimal(99_999_999_999_999)


class MarketView(NamedTuple):
    """The market of one symbol at one instant; prices are in dollars, None where there is none.

    The time is protocol time in microseconds. The true price is where the underlying path is; what
    a trader makes of it is up to its kind. The last price is that of the latest trade, the
    reference the price that the market goes by, and low and high are the edges of the band.
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
    """Give an order of one's own another price or another open quantity; None leaves it."""

    order_id: str
    price: Decimal | None
    quantity: int | None


Action: TypeAlias = Submit | Cancel | Replace


@TRADERS.base
@dataclass(eq=False, repr=False)
class Trader(ABC):
    """Base of all kinds of traders: a kind says what it does when its time comes, in `act`.

    A kind's parameters are keyword-only arguments of its ``__init__``, or fields of a keyword-only
    dataclass, each with a default, after the context. It draws from `random` and from nowhere else;
    then a seed says all that it does. If it also draws the same number of times in every act, the
    instants at which it acts do not depend on what it sees, and neither do those in another market
    with the same seed.

    Attributes
    ----------
    intent : {"honest", "far", "manipulating"}
        What the kind means by its orders, unless it says otherwise for one of them.
    name, symbol, kind : str
        A name is that of the kind and a number.
    random : random.Random
    rate : float
        Mean number of acts per second of protocol time.

    A market tells it of its orders from its first look at `position` or `orders` on, and then of
    what was before; or from the beginning, if its kind has an `on_event` of its own.

    Examples
    --------
    >>> from random import Random
    >>> class Patient(Trader):
    ...     def act(self, view):
    ...         if not self.orders:
    ...             yield self.buy(100, 0.99 * view.true_price)
    >>> patient = Patient(TraderContext("patient_0", "AAPL", Random(1)))
    >>> (action,) = patient.decide(MarketView(time=0, symbol="AAPL", true_price=152.45))
    >>> action.order.order_id, action.order.price, action.intent
    ('patient_0/AAPL/0', Decimal('150.93'), 'honest')
    """

    context: TraderContext
    intent: ClassVar[Intent] = "honest"

    def __init_subclass__(cls) -> None:
        to_name(cls.intent, _INTENTS, f"{cls.__name__}.intent")
        # Fields of a dataclass, which is made of the class later; parameters otherwise.
        made = vars(cls).get("__init__", cls.__post_init__)
        names = {*inspect.get_annotations(cls), *inspect.signature(made).parameters}
        for name in sorted(names & _TAKEN):
            expected = f"another name: {name!r} is every trader's own"
            raise InvalidInput(f"{cls.__name__}.{name}", name, expected)

    def __post_init__(self) -> None:
        self.name, self.symbol, self.random, self.rate = self.context
        to_text(self.name, "name", 1)
        to_text(self.symbol, "symbol", 1)
        self.kind = self.name.rpartition("_")[0]
        self._position = 0
        self._tracker = OrderTracker()
        self._listens = getattr(self.on_event, "__func__", None) is not Trader.on_event
        self._reports: Callable[[Trader], None] | None = None
        self._prefix = f"{self.name}/{self.symbol}/"
        self._made = 0

    @abstractmethod
    def act(self, view: MarketView) -> Iterable[Action] | None:
        """Return, or yield, what the trader does now; None is nothing.

        All of it is decided on what the view shows. It is then done in the order given.
        """

    @property
    def position(self) -> int:
        """Shares bought less shares sold."""
        if not self._listens:
            self.listen()
        return self._position

    @position.setter
    def position(self, shares: int) -> None:
        if not self._listens:
            self.listen()
        self._position = shares

    @property
    def orders(self) -> dict[str, OpenOrder]:
        """Its orders that are not over, by their ids, as the engine's events leave them."""
        if not self._listens:
            self.listen()
        return self._tracker.open

    @orders.setter
    def orders(self, value: object) -> None:
        expected = "another name: 'orders' is every trader's own"
        raise InvalidInput(f"{type(self).__name__}.orders", value, expected)

    def attach(self, reports: Callable[["Trader"], None]) -> None:
        """Have a market tell it of its orders, once it looks; it then calls what is given here."""
        self._reports = reports
        if self._listens:
            reports(self)

    def listen(self) -> None:
        """Be told of each event from now on, and of all before, as by its first look."""
        self._listens = True
        if self._reports is not None:
            self._reports(self)

    def wait(self) -> int:
        """Draw the time until the next act, in microseconds, at least 1: a Poisson process."""
        return max(round(self.random.expovariate(self.rate) * MICROSECONDS_PER_SECOND), 1)

    def decide(self, view: MarketView) -> tuple[Action, ...]:
        """Have the trader act, and return what it does.

        Raises
        ------
        InvalidInput
            If these are no actions, or one of them concerns an order of somebody else; or if it
            made an order and returned nothing, which is a forgotten ``yield``.
        """
        made = self._made
        actions = self.act(view)
        if actions is None and self._made > made:
            raise InvalidInput(f"{self.name}.act", None, "the orders that it made, by `yield`")
        if actions is None:
            return ()
        try:
            each = iter(actions)
        except TypeError:
            each = None
        # An action is a tuple itself.
        if each is None or isinstance(actions, Action):
            raise InvalidInput(f"{self.name}.act", actions, "a list of actions, or None")
        decided = tuple(each)
        for action in decided:
            # An order of its own, which most actions are, needs no further look.
            if type(action) is not Submit or not action.order.order_id.startswith(self._prefix):
                self._check(action)
        return decided

    def buy(self, quantity: int, price: _Price = None, **options: Any) -> Submit:
        """Make an order to buy.

        Parameters
        ----------
        quantity : int
            Shares.
        price : float or Decimal or None
            In dollars; it is put on the grid as in `on_grid`. None makes a market order.
        **options
            ``intent``, which is the kind's own unless given; and ``time_in_force``, ``expires`` and
            ``post_only`` of an :class:`~streamlet_lab.matching.Order`.
        """
        return self._submit(Side.BUY, quantity, price, **options)

    def sell(self, quantity: int, price: _Price = None, **options: Any) -> Submit:
        """Make an order to sell; see `buy`."""
        return self._submit(Side.SELL, quantity, price, **options)

    def cancel(self, order_id: str) -> Cancel:
        """Take an order of its own out of the book."""
        return Cancel(to_text(order_id, "order_id"))

    def replace(self, order_id: str, price: _Price = None, quantity: int | None = None) -> Replace:
        """Give an order of its own another price or another open quantity; None leaves it."""
        to_text(order_id, "order_id")
        shares = None if quantity is None else read_quantity(quantity)
        return Replace(order_id, None if price is None else self.on_grid(price), shares)

    def on_grid(self, price: float | Decimal) -> Decimal:
        """Return the nearest price in cents, half even; a cent at least."""
        return from_ticks(self._in_cents(price))

    def _in_cents(self, price: float | Decimal) -> int:
        given = price if type(price) is float else to_python(price)
        amount = Decimal("nan")
        if isinstance(given, float):
            amount = Decimal(repr(given))  # as it prints
        elif isinstance(given, int | Decimal) and not isinstance(given, bool):
            amount = Decimal(given)
        if not amount.is_finite():
            raise InvalidInput("price", price, "a finite price in dollars, such as 152.45")
        cents = min(max(MONEY.divide(amount, CENT), Decimal(1)), _LARGEST_PRICE)
        return int(cents.quantize(Decimal(1), context=MONEY))

    def draw_quantity(self, size: int | None = None) -> int:
        """Return the size if there is one; otherwise draw 10 to 200 shares, a multiple of 10."""
        if size is None:
            # As `randint` draws, whose own calls are three for each order.
            lots = _LARGEST_LOTS
            while lots >= _LARGEST_LOTS:
                lots = self.random.getrandbits(_LARGEST_LOTS.bit_length())
            return _LOT * (1 + lots)
        return read_quantity(size)

    def on_event(self, event: Event) -> None:
        """Update `position` and `orders` by an event.

        The market tells each event of the engine once to every trader whose orders it concerns, in
        the order of the events. Events of the orders of others change nothing.
        """
        match event:
            case Accepted() if not event.order_id.startswith(self._prefix):
                return
            case Traded(trade=trade):
                # Both orders may be its own.
                if trade.buy_order_id in self._tracker.open:
                    self._position += trade.quantity
                if trade.sell_order_id in self._tracker.open:
                    self._position -= trade.quantity
        self._tracker.follow(event)

    def _submit(
        self, side: Side, quantity: int, price: _Price, *, intent: Any = None, **conditions: Any
    ) -> Submit:
        meant = intent or self.intent
        if meant not in _INTENTS:
            to_name(meant, _INTENTS, "intent")
        cents = None if price is None else self._in_cents(price)
        order_id, symbol = f"{self._prefix}{self._made}", self.symbol
        if conditions:
            kind = OrderType.MARKET if cents is None else OrderType.LIMIT
            amount = None if cents is None else from_ticks(cents)
            order = Order(order_id, symbol, side, kind, quantity, amount, self.name, **conditions)
        else:
            # All else is the trader's own, and as an order has it.
            if type(quantity) is not int or not 0 < quantity <= MAX_QUANTITY:
                quantity = read_quantity(quantity)
            sign, waits = 1 if side is Side.BUY else -1, IOC if cents is None else DAY
            what = (sign, cents, quantity, self.name, waits, False, None)
            order = unchecked_order(symbol, (order_id, *what))
        self._made += 1
        return Submit(order, meant)

    def _check(self, action: object) -> None:
        if not isinstance(action, Action):
            expected = "what self.buy, self.sell, self.cancel or self.replace return"
            raise InvalidInput(f"{self.name}.act", action, expected)
        order_id = action.order.order_id if isinstance(action, Submit) else action.order_id
        if not (isinstance(order_id, str) and order_id.startswith(self._prefix)):
            expected = f"an order of its own, whose id begins with {self._prefix!r}"
            raise InvalidInput(f"{self.name}.act", order_id, expected)


def make_traders(
    configs: Iterable[TraderConfig], symbols: Sequence[str], seed: int
) -> list[Trader]:
    """Return the traders of a configuration, each for one symbol after the other.

    They are numbered within their kind: ``momentum_0``, ``momentum_1``. A kind that is no name but
    a class or a function goes by its name in lower case. Each trader of each symbol has a random
    stream of its own, so that it does the same whatever others, or other symbols, there are.
    """
    traders: list[Trader] = []
    made = Counter[str]()
    for config in configs:
        name = config.name
        for index in range(made[name], made[name] + config.count):
            for symbol in symbols:
                own = stream(seed, f"trader/{_STREAMS.get(name, name)}_{index}/{symbol}")
                context = TraderContext(f"{name}_{index}", symbol, own, config.rate)
                traders.append(config.make(context))
        made[name] += config.count
    return traders
