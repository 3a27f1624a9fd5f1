"""Leaders that lie about the price."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from streamlet_lab.consensus import Application, Block, Verdict
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import PriceConsensus, decode_payload
from streamlet_lab.simulator.faults import NodeFault, fault_kind
from streamlet_lab.units import CENT, round_price, to_decimal


@fault_kind("lying_leader")
class LyingLeader(NodeFault):
    """The node proposes a price of its own invention when it leads, and votes for it.

    Parameters
    ----------
    price : number
        The price that it claims, US dollars.
    """

    needs_prices = True

    def __init__(
        self, start: int, stop: int | None, price: object = "9999.00", **parameters: Any
    ) -> None:
        super().__init__(start, stop, **parameters)
        amount = to_decimal(price, "faults.parameters.price")
        if amount < CENT:
            raise InvalidInput("faults.parameters.price", str(price), "a price from 0.01 on")
        self.price = round_price(amount)

    def wrap(self, application: Application) -> Application:
        """Replace the price in the payloads that the node makes."""
        return _LyingApplication(application, self)


class _LyingApplication:
    def __init__(self, honest: Application, fault: LyingLeader) -> None:
        self._honest = honest
        self._fault = fault

    def make_payload(
        self, epoch: int, ancestors: Iterator[Block], observation: object
    ) -> tuple[bytes, bytes]:
        payload, attachment = self._honest.make_payload(epoch, ancestors, observation)
        claim = decode_payload(payload)
        if not self._fault.active(epoch) or not isinstance(claim, PriceConsensus):
            return payload, attachment
        price = self._fault.price
        lie = replace(claim, consensus_price=price, volume_weighted_price=price)
        return lie.to_payload(), attachment

    def judge(self, block: Block, ancestors: Iterator[Block], observation: object) -> Verdict:
        if self._fault.active(block.epoch):
            return Verdict(accepted=True)
        return self._honest.judge(block, ancestors, observation)
