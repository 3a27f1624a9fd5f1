"""What makes one engine behave unlike another."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, get_args

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.orders import SelfTrade, read_member
from streamlet_lab.matching.rules import ConsensusBand
from streamlet_lab.matching.watch import Band
from streamlet_lab.units import to_instance, to_name, to_whole

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
    self_trade : SelfTrade or str
        What happens where an order would trade with another one of the same trader.
    pace : Fraction or int
        Microseconds of the engine's time per microsecond of market time, in which the band's
        durations are meant; above zero.
    """

    instrument: Instrument
    band: Band = FIVE_PERCENT
    without_reference: WithoutReference = "reject"
    self_trade: SelfTrade = SelfTrade.NONE
    pace: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        to_instance(self.instrument, Instrument, "instrument")
        if isinstance(self.band, type) or not isinstance(self.band, Band):
            expected = "a band, which is an object with a method watch(); make_band() makes one"
            raise InvalidInput("band", self.band, expected)
        pace, expected = self.pace, "a whole number or a Fraction, above zero"
        if not isinstance(pace, Fraction):
            pace = Fraction(to_whole(pace, 1, "pace", None, expected))
        if pace <= 0:
            raise InvalidInput("pace", pace, expected)
        object.__setattr__(self, "pace", pace)
        to_name(self.without_reference, get_args(WithoutReference), "without_reference")
        policy = read_member(SelfTrade, self.self_trade, "self_trade")
        object.__setattr__(self, "self_trade", policy)
