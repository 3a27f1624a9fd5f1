"""What makes one engine behave unlike another."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.band import Band, ConsensusBand
from streamlet_lab.matching.core import MatchingCore
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.selftrade import SelfTrade

WithoutReference = Literal["reject", "allow"]

FIVE_PERCENT: Final = ConsensusBand()


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The settings of an engine: with its events they rebuild it.

    Parameters
    ----------
    instrument : Instrument
        What is traded.
    band : Band
        Which prices may enter, trade and rest.
    without_reference : {"reject", "allow"}
        Before the first reference, orders are rejected with ``no_consensus``, or trade unchecked.
    self_trade : SelfTrade
        What happens where an order would trade with another one of the same trader.

    Raises
    ------
    InvalidInput
        If a policy is not known.
    """

    instrument: Instrument
    band: Band = FIVE_PERCENT
    without_reference: WithoutReference = "reject"
    self_trade: SelfTrade = SelfTrade.NONE

    def __post_init__(self) -> None:
        if self.without_reference not in get_args(WithoutReference):
            raise InvalidInput("without_reference", self.without_reference, "'reject' or 'allow'")
        try:
            object.__setattr__(self, "self_trade", SelfTrade(self.self_trade))
        except ValueError as error:
            expected = " or ".join(repr(str(policy)) for policy in SelfTrade)
            raise InvalidInput("self_trade", self.self_trade, expected) from error

    def core(self) -> MatchingCore:
        """Make the core of an engine that has seen nothing yet."""
        needs_reference = self.without_reference == "reject"
        day = self.instrument.day
        return MatchingCore(self.band.watch(), self.self_trade, needs_reference, day)
