"""The register of kinds of traders, and how a configuration becomes traders."""

import inspect
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, get_args

from streamlet_lab.config import TraderConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import Kinds
from streamlet_lab.simulator.traders.trader import Intent, Trader, TraderContext
from streamlet_lab.streams import stream

_FIELD: Final = "market.traders"
_KIND: Final = "a subclass of Trader with a method act(view)"


def _check_kind(kind: Any, field: str = "kind") -> None:
    if not (isinstance(kind, type) and issubclass(kind, Trader)) or inspect.isabstract(kind):
        raise InvalidInput(field, kind, _KIND)
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
    """Return the traders of a configuration, each for one symbol after the other.

    They are numbered within their kind: ``momentum_0``, ``momentum_1``. A kind that is no name but
    a class or a function goes by its name in lower case. Each trader of each symbol has a random
    stream of its own, so that it does the same whatever others, or other symbols, there are.

    Raises
    ------
    InvalidInput
        If there is no such kind, or its parameters are not valid.
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


def _find(kind: Any) -> tuple[Any, str]:
    if not callable(kind):
        return _KINDS[kind], str(kind)
    if isinstance(kind, type):
        _check_kind(kind, _FIELD)
    return kind, getattr(kind, "__name__", type(kind).__name__).lower()
