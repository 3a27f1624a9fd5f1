"""A trader whose orders are listed beforehand: somebody's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import read_parameters
from streamlet_lab.simulator.traders.trader import (
    Action,
    Intent,
    MarketView,
    Shares,
    Trader,
    trader_kind,
)
from streamlet_lab.units import to_ticks
from streamlet_lab.values import Amount, Span

# Longer than any run.
_NEVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order that is sent at an instant; the market order has no price.

    The instant is protocol time, microseconds; a script has seconds, or a text with a unit.
    """

    at: Annotated[int, Span()]
    side: Literal["buy", "sell"]
    quantity: Shares
    price: Amount | None = None
    intent: Intent = "honest"

    def __post_init__(self) -> None:
        if self.price is not None and to_ticks(self.price) < 1:
            raise InvalidInput("price", str(self.price), "a price of at least a cent")


@trader_kind("scripted")
@dataclass(eq=False, repr=False, kw_only=True)
class Scripted(Trader):
    """Sends the orders of a list, each at its instant, whatever the market is like.

    It draws nothing and looks at nothing, so that nobody else's orders, ids and draws change.

    Parameters
    ----------
    script : list of mappings
        The orders, in any order: ``{"at": "12.3s", "side": "buy", "quantity": 100, "price":
        "160.00"}``. The time is protocol time since the beginning; without a price it is a market
        order; ``"intent"`` may be given too. Of several symbols the orders go to each one's market.
    """

    script: Sequence[Any] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.script, list | tuple):
            raise InvalidInput("script", self.script, "a list of orders")
        listed = [self._read(number, order) for number, order in enumerate(self.script)]
        self._left: list[ListedOrder] = sorted(listed, key=lambda order: order.at)
        self._passed = 0

    def wait(self) -> int:
        """Return the time until the next order on the list; for ever after the last one."""
        return self._left[0].at - self._passed if self._left else _NEVER

    def act(self, view: MarketView) -> tuple[Action]:
        order = self._left.pop(0)
        self._passed = order.at
        send = self.buy if order.side == "buy" else self.sell
        return (send(order.quantity, order.price, intent=order.intent),)

    def _read(self, number: int, order: object) -> ListedOrder:
        try:
            return read_order(order)
        except InvalidInput as error:
            place = f"script.{number}" + (f".{error.field}" if error.field else "")
            raise InvalidInput(place, error.value, error.expected) from None


def read_order(order: Any) -> ListedOrder:
    """Read an order of a script; a complaint names what is wrong of it, if that has a name."""
    return ListedOrder(**read_parameters(ListedOrder, order))
