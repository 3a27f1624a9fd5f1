"""The register of kinds of traders, and how a configuration becomes traders."""

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

from streamlet_lab.config import TraderConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.simulator.traders.trader import Trader, TraderContext
from streamlet_lab.simulator.traders.view import Intent
from streamlet_lab.streams import stream

_FIELD = "market.traders"
_KIND = "a subclass of Trader with a method act(view)"


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


trader_kind = _KINDS.register
trader_kinds = _KINDS.names
own_trader_kinds = _KINDS.own
close_register = _KINDS.close


def make_traders(
    configs: Iterable[TraderConfig], symbols: Sequence[str], seed: int
) -> list[Trader]:
    """Return the traders of a configuration, for all symbols.

    One after the other as configured, and each for one symbol after the other. They are numbered
    within their kind: ``momentum_0``, ``momentum_1``. A kind that is no name but a class or a
    function goes by its name in lower case. Each trader of each symbol has a random stream of its
    own, so that it does the same whatever others, or other symbols, there are beside it.

    Raises
    ------
    InvalidInput
        If there is no such kind, or its parameters are not valid.

    Examples
    --------
    >>> config = TraderConfig(kind="momentum", count=2, rate=0.5, parameters={"lookback": 3})
    >>> [(one.name, one.symbol) for one in make_traders([config], ["AAPL", "IBM"], seed=0)]
    [('momentum_0', 'AAPL'), ('momentum_0', 'IBM'), ('momentum_1', 'AAPL'), ('momentum_1', 'IBM')]
    >>> make_traders([TraderConfig(kind="momentum", parameters={"lookback": 0})], ["AAPL"], seed=0)
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: market.traders.momentum.lookback: 0 is not valid; expected \
a whole number from 1 to 100,000
    """
    traders: list[Trader] = []
    made = Counter[str]()
    for config in configs:
        kind, name = _find(config.kind)
        place = f"{_FIELD}.{name}"
        for index in range(made[name], made[name] + config.count):
            for symbol in symbols:
                own = stream(seed, f"trader/{name}_{index}/{symbol}")
                context = TraderContext(f"{name}_{index}", symbol, own, config.rate)
                trader = _KINDS.make(kind, config.parameters, place, context)
                if not isinstance(trader, Trader):
                    raise InvalidInput(place, trader, "a trader, which is what a kind makes")
                traders.append(trader)
        made[name] += config.count
    return traders


def _find(kind: object) -> tuple[Callable[..., Any], str]:
    if not callable(kind):
        return _KINDS[kind], str(kind)
    if isinstance(kind, type):
        _check_kind(kind, _FIELD)
    return kind, getattr(kind, "__name__", type(kind).__name__).lower()
