"""The door of the engine: from dollars and shares to ticks, or a refusal with its reason."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.commands import fields_of
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.events import Command, RejectReason
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import Order, read_price, require_quantity

_INVALID: Final = {
    "price": RejectReason.INVALID_PRICE,
    "quantity": RejectReason.INVALID_QUANTITY,
}


class Door:
    """Lets a command in at the core's present instant if what it says lies on the grids.

    Parameters
    ----------
    core : MatchingCore
    instrument : Instrument
    """

    __slots__ = ("_core", "_instrument")

    def __init__(self, core: MatchingCore, instrument: Instrument) -> None:
        self._core = core
        self._instrument = instrument

    def read(self, fields: Mapping[str, Any]) -> Order | None:
        """Make an order of its fields; None where they make none, and that is refused."""
        try:
            return Order(**fields)
        except (InvalidInput, TypeError) as error:
            order_id = fields.get("order_id")
            field = error.field if isinstance(error, InvalidInput) else ""
            self._core.reject(
                _INVALID.get(field, RejectReason.INVALID_ORDER),
                Command.ORDER,
                order_id if isinstance(order_id, str) else "",
                detail=str(error),
            )
            return None

    def submit(self, order: Order) -> None:
        """Match an order, or refuse what is not for this market."""
        core = self._core
        if order.symbol != self._instrument.symbol:
            self._refuse(order, RejectReason.WRONG_SYMBOL)
        elif order.quantity % self._instrument.lot:
            self._refuse(order, RejectReason.OFF_LOT, self._off_lot(order.quantity))
        else:
            try:
                fields = fields_of(order, self._instrument)
            except InvalidInput as error:
                self._refuse(order, RejectReason.OFF_TICK, str(error))
            else:
                if order.order_id not in core.log.accepted:
                    core.log.orders[order.order_id] = order
                core.enter(fields, core.now)

    def reduce(self, order_id: str, quantity: int) -> None:
        """Take shares off a resting order, or refuse what is no number of shares."""
        if self._is_quantity(Command.REDUCE, order_id, quantity):
            self._core.reduce(order_id, quantity, self._core.now)

    def replace(
        self, order_id: str, price: Decimal | float | str | None, quantity: int | None
    ) -> None:
        """Give a resting order another price or size, or refuse what is neither."""
        if quantity is not None and not self._is_quantity(Command.REPLACE, order_id, quantity):
            return
        core, ticks = self._core, None
        if price is not None:
            try:
                amount = read_price(price)
            except InvalidInput as error:
                reason = RejectReason.INVALID_PRICE
                core.reject(reason, Command.REPLACE, order_id, detail=str(error))
                return
            try:
                ticks = self._instrument.ticks(amount)
            except InvalidInput as error:
                reason = RejectReason.OFF_TICK
                core.reject(reason, Command.REPLACE, order_id, amount, detail=str(error))
                return
        core.replace(order_id, ticks, quantity, core.now)

    def _refuse(self, order: Order, reason: RejectReason, detail: str = "") -> None:
        command, order_id = Command.ORDER, order.order_id
        self._core.reject(reason, command, order_id, order.price, order, detail)

    def _is_quantity(self, command: Command, order_id: str, quantity: int) -> bool:
        """Whether a quantity is one; otherwise the command is rejected."""
        try:
            require_quantity(quantity)
        except InvalidInput as error:
            reason = RejectReason.INVALID_QUANTITY
            self._core.reject(reason, command, order_id, detail=str(error))
            return False
        if quantity % self._instrument.lot:
            detail = self._off_lot(quantity)
            self._core.reject(RejectReason.OFF_LOT, command, order_id, detail=detail)
            return False
        return True

    def _off_lot(self, quantity: int) -> str:
        expected = f"a multiple of the lot size {self._instrument.lot}"
        return str(InvalidInput("quantity", quantity, expected))
