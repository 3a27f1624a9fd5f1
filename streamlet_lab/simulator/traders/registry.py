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
        name = config.name
        for index in range(made[name], made[name] + config.count):
            for symbol in symbols:
                own = stream(seed, f"trader/{name}_{index}/{symbol}")
                context = TraderContext(f"{name}_{index}", symbol, own, config.rate)
                traders.append(config.make(context))
        made[name] += config.count
    return traders
