"""The register of kinds of traders, and how a configuration becomes traders."""

from collections import Counter
from collections.abc import Iterable, Sequence

from streamlet_lab.config import TraderConfig
from streamlet_lab.registers import TRADERS, TraderContext
from streamlet_lab.simulator.traders.trader import Trader
from streamlet_lab.streams import stream

trader_kind = TRADERS.register
trader_kinds = TRADERS.names
own_trader_kinds = TRADERS.own
close_register = TRADERS.close


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
                own = stream(seed, f"trader/{name}_{index}/{symbol}")
                context = TraderContext(f"{name}_{index}", symbol, own, config.rate)
                traders.append(config.make(context))
        made[name] += config.count
    return traders
