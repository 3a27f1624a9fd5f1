"""The register of kinds of traders, and how a configuration becomes traders."""

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.simulator.traders import parameters
from streamlet_lab.simulator.traders.trader import Seat, Trader
from streamlet_lab.simulator.traders.view import Intent
from streamlet_lab.streams import stream
from streamlet_lab.units import to_whole

_FIELD = "market.traders"
_KIND = "a subclass of Trader with a method act(view)"
_MOST = 10_000

K = TypeVar("K", bound=type[Trader])


def _check_kind(kind: object, field: str = "kind") -> None:
    is_kind = isinstance(kind, type) and issubclass(kind, Trader)
    if not is_kind or inspect.isabstract(kind):
        raise InvalidInput(field, kind, _KIND)
    assert isinstance(kind, type)
    assert issubclass(kind, Trader)
    if kind.intent not in get_args(Intent):
        expected = f"one of {', '.join(get_args(Intent))}"
        raise InvalidInput(f"{kind.__name__}.intent", kind.intent, expected)


_KINDS = Kinds[type[Trader]]("trader_kind", "kind", field=_FIELD, besides=_KIND, accept=_check_kind)


class TradersOfAKind(Protocol):
    """What :func:`make_traders` reads of a configuration.

    Attributes
    ----------
    kind : str or callable
        One of :func:`trader_kinds`, or a subclass of `Trader`, or a function that makes a trader
        from a seat and parameters.
    count : int
        How many of them.
    rate : float
        Mean number of acts of each per second of protocol time, for each symbol.
    parameters : mapping of str to object
        What the kind takes.
    """

    @property
    def kind(self) -> str | Callable[..., Any]: ...
    @property
    def count(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...


def trader_kind(name: str) -> Callable[[K], K]:
    """Register a kind of traders under a name, so that configurations can speak of it.

    Parameters
    ----------
    name : str
        Of lowercase letters, digits and underscores.

    Raises
    ------
    InvalidInput
        If it is no such name or one of the lab's own, or what it names is not a subclass of
        `Trader` that says how to act.

    Examples
    --------
    A trader who believes in the reference:

    >>> @trader_kind("believer")
    ... class Believer(Trader):
    ...     def __init__(self, seat, *, edge_percent=0.5, limit=1_000):
    ...         super().__init__(seat)
    ...         self.edge, self.limit = edge_percent / 100, limit
    ...     def act(self, view):
    ...         if view.reference and view.best_ask and self.position < self.limit:
    ...             if view.best_ask < view.reference * (1 - self.edge):
    ...                 yield self.buy(self.draw_quantity(), view.best_ask, time_in_force="ioc")
    >>> "believer" in trader_kinds()
    True
    """
    return _KINDS.register(name)


def trader_kinds() -> tuple[str, ...]:
    """Return the names of all registered kinds, in alphabetical order."""
    return _KINDS.names()


def own_trader_kinds() -> tuple[str, ...]:
    """Return the names of the lab's own kinds, whatever others have registered."""
    return _KINDS.own()


def close_register() -> None:
    """Declare the kinds that there are now the lab's own, which nobody may replace."""
    _KINDS.close()


def make_traders(
    configs: Iterable[TradersOfAKind], symbols: Sequence[str], seed: int
) -> list[Trader]:
    """Return the traders of a configuration, for all symbols.

    One after the other as configured, and each for one symbol after the other. They are numbered
    within their kind: ``momentum_0``, ``momentum_1``. A kind that is no name but a class or a
    function goes by its name in lower case. Each trader of each symbol has a random stream of its
    own, so that it does the same whatever others, or other symbols, there are beside it.

    Parameters
    ----------
    configs : iterable of TradersOfAKind
    symbols : sequence of str
    seed : int
        Of the experiment.

    Raises
    ------
    InvalidInput
        If there is no such kind, or count, rate or parameters are not valid.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> config = SimpleNamespace(kind="momentum", count=2, rate=0.5, parameters={"lookback": 3})
    >>> [(one.name, one.symbol) for one in make_traders([config], ["AAPL", "IBM"], seed=0)]
    [('momentum_0', 'AAPL'), ('momentum_0', 'IBM'), ('momentum_1', 'AAPL'), ('momentum_1', 'IBM')]
    >>> config.parameters = {"lookback": 0}
    >>> make_traders([config], ["AAPL"], seed=0)
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: market.traders.momentum.lookback: 0 is not valid; expected \
a whole number from 1 to 100,000
    """
    traders: list[Trader] = []
    made = Counter[str]()
    for config in configs:
        kind, name = _find(config.kind)
        count = to_whole(config.count, 0, f"{_FIELD}.{name}.count", _MOST)
        rate = parameters.rate(f"{_FIELD}.{name}.rate", config.rate)
        for index in range(made[name], made[name] + count):
            for symbol in symbols:
                own = stream(seed, f"trader/{name}_{index}/{symbol}")
                seat = Seat(f"{name}_{index}", symbol, own, rate)
                traders.append(_make(kind, seat, config.parameters, f"{_FIELD}.{name}"))
        made[name] += count
    return traders


def _find(kind: object) -> tuple[Callable[..., Any], str]:
    if not callable(kind):
        return _KINDS[kind], str(kind)
    if isinstance(kind, type):
        _check_kind(kind, _FIELD)
    return kind, getattr(kind, "__name__", type(kind).__name__).lower()


def _make(kind: Callable[..., Any], seat: Seat, given: Mapping[str, Any], place: str) -> Trader:
    """Make a trader with parameters given as data; complaints say where they were given."""
    trader = _KINDS.make(kind, given, place, seat)
    if not isinstance(trader, Trader):
        raise InvalidInput(place, trader, "a trader, which is what a kind makes")
    return trader
