"""The registers of kinds that a configuration names and rooms above it define.

They are filled above, by what is imported when somebody first looks into one: so a configuration
can try its parameters before anything runs. Each says what its kinds are given.
"""

from random import Random
from typing import Any, Final, NamedTuple

from streamlet_lab.kinds import Kinds

#: Faults of nodes, given their first epoch and the first one after them or None.
NODE_FAULTS: Final = Kinds[Any](
    "fault_kind", "kind", field="faults", besides="a fault of sources", filled_above=True
)

#: Delays, given a random stream, the network's settings and the number of nodes; no parameters.
DELAYS: Final = Kinds[Any](
    "delay_kind", "kind", field="network.delays", besides="a function", filled_above=True
)

#: References beside the consensus, given the true price as a function of market time.
REFERENCES: Final = Kinds[Any](
    "reference_kind",
    "kind",
    field="market.reference.kind",
    besides="a function that yields publications",
    filled_above=True,
)

#: Traders, given a `TraderContext`.
TRADERS: Final = Kinds[Any](
    "trader_kind", "kind", field="market.traders", besides="a subclass of Trader", filled_above=True
)


class TraderContext(NamedTuple):
    """What the market gives a trader: a name, a symbol, and a stream that nobody else draws from.

    The name is its kind and its number among all of the kind: ``"momentum_3"``. The rate is the
    mean number of acts per second of protocol time.
    """

    name: str
    symbol: str
    random: Random
    rate: float = 1.0
