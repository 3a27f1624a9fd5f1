"""Execution reports: what becomes of its orders, told to each trader that wants to know."""

from streamlet_lab.matching import ConsensusMatchingEngine
from streamlet_lab.matching.log import order_ids
from streamlet_lab.simulator.traders.trader import Trader


class ExecutionReports:
    """Tells the traders of one engine of the events that concern their orders.

    Most kinds never ask, and no event is made for them. One that does is told of all that was, and
    then of each event once, in their order.
    """

    def __init__(self, engine: ConsensusMatchingEngine) -> None:
        # By name and symbol, with which the ids of their orders begin.
        self.traders: dict[str, Trader] = {}
        self._events, self._rows = engine.events, engine.core.log.rows
        self._told = 0  # so many rows of the log

    def subscribe(self, trader: Trader) -> None:
        """Tell a trader of its orders from now on, and first of what others were told already."""
        if not self.traders:
            self._told = len(self._rows)
        own = {f"{trader.name}/{trader.symbol}": trader}
        for sequence in range(self._told):
            self._report(sequence, own)
        self.traders |= own

    def send(self) -> None:
        """Tell of what has happened since the last time."""
        # Whoever is told may look at another one, who subscribes by that.
        while self.traders and self._told < len(self._rows):
            self._told += 1
            self._report(self._told - 1, self.traders)

    def _report(self, sequence: int, traders: dict[str, Trader]) -> None:
        owners = [_owner(order_id, traders) for order_id in order_ids(self._rows[sequence])]
        # Both orders of a trade may be of one trader.
        concerned = dict.fromkeys(each for each in owners if each is not None)
        if concerned:
            event = self._events[sequence]
            for trader in concerned:
                trader.on_event(event)


def _owner(order_id: str, traders: dict[str, Trader]) -> Trader | None:
    """Return the trader with whose name and symbol the id of an order begins, if there is one."""
    start = order_id
    while start:
        start = start.rpartition("/")[0]
        if start in traders:
            return traders[start]
    return None
