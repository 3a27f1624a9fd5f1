"""Who trades, against which reference, and in which band."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import SelfTrade, read_percent
from streamlet_lab.registers import REFERENCES, TRADERS, TraderContext
from streamlet_lab.units import to_hundredths, to_whole
from streamlet_lab.values import Amount, Named, Number, Parameters, Section, Whole, kind_name

#: The name of the non-voting node that the market reads by default.
OBSERVER = "observer"

_MOST_TRADERS: Final = 10_000


class TraderConfig(Section):
    """Some traders of one kind.

    Attributes
    ----------
    kind : str or class
        One of :func:`~streamlet_lab.simulator.trader_kinds`, or a class of traders.
    count : int
        How many of them trade each symbol.
    rate : float
        How often each of them acts, per second of protocol time (Poisson); 10⁻⁶ to 10⁶.
    parameters : mapping
        What the kind takes, such as ``{"spread_percent": 1}`` for ``"noise_trader"``.
    """

    kind: Named
    count: Annotated[int, Whole(1, _MOST_TRADERS)] = 1
    rate: Annotated[float, Number(1e-6, 1e6)] = 1.0
    parameters: Parameters = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The kind's name; of a class or a function its own, in lower case."""
        return kind_name(self.kind).lower()

    def make(self, context: TraderContext) -> Any:
        """Return a trader of the kind."""
        return TRADERS.make(self.kind, self.parameters, f"market.traders.{self.name}", context)


class ReferenceConfig(Section):
    """Where the reference of the market comes from.

    Attributes
    ----------
    kind : str or callable
        One of :func:`~streamlet_lab.simulator.reference_kinds`, or what yields publications.
    parameters : mapping
        What the kind takes, such as ``{"delay": "15min"}``. Durations are market time.
    """

    kind: Named = "consensus"
    parameters: Parameters = Field(default_factory=dict)

    def make(self, price: Callable[[int], int]) -> Iterator[Any]:
        """Return what the kind publishes of a true price, each in micro-dollars by market time."""
        made = REFERENCES.make(self.kind, self.parameters, "market.reference.parameters", price)
        if not isinstance(made, Iterator):
            expected = "an iterator of publications, as what yields them is"
            raise InvalidInput("market.reference", made, expected)
        return made

    def check(self, price: Callable[[int], int]) -> None:
        """Refuse what comes to light when it first publishes: there a generator begins to run."""
        try:
            next(self.make(price), None)
        except InvalidInput as error:
            place = "" if error.field.startswith("market.") else "market.reference: "
            if error.field in self.parameters:  # else it is of what is published
                place = "market.reference.parameters."
            raise InvalidInput(place + error.field, error.value, error.expected) from None


def _read_kind(value: object, config: type[Section], what: str) -> object:
    """Let a name, a class or a function mean that kind with its own defaults."""
    if isinstance(value, config | Mapping):
        return value
    if isinstance(value, str) or callable(value):
        return config.model_validate({"kind": value})
    raise InvalidInput("value", value, f"the kind of a {what}, or a table with a kind in it")


def _read_reference(value: object) -> object:
    return _read_kind(value, ReferenceConfig, "reference")


def _noise_traders(count: int) -> TraderConfig:
    return TraderConfig(kind="noise_trader", count=count, rate=0.2)


def _read_traders(value: object) -> object:
    """Let a number mean ordinary traders, and a name or a class one trader of that kind.

    A single kind need not be in a list.
    """
    if isinstance(value, str | Mapping | TraderConfig) or callable(value):
        value = [value]
    if not isinstance(value, list | tuple):
        expected = f"a whole number from 0 to {_MOST_TRADERS:,}, or a list of kinds and tables"
        count = to_whole(value, 0, "traders", _MOST_TRADERS, expected)
        return (_noise_traders(count),) if count else ()
    return tuple(_read_kind(each, TraderConfig, "trader") for each in value)


def _check_percent(value: object) -> object:
    read_percent(value, "value")
    return value


Percent = Annotated[Amount, BeforeValidator(_check_percent)]


Traders = Annotated[tuple[TraderConfig, ...], BeforeValidator(_read_traders)]


class MarketConfig(Section):
    """Who trades, against which reference, and in which band.

    Attributes
    ----------
    traders : tuple of TraderConfig
        Who trades. Also a number of noise traders that each send an order in five
        seconds of protocol time; or kinds and tables:
        ``["market_maker", {"kind": "informed", "count": 3, "rate": 0.5}]``. 0 leaves the market
        empty.
    band : str or callable
        Which prices may enter, trade and rest: one of :func:`~streamlet_lab.matching.bands`, or a
        function that makes a band of a percentage and parameters.
    band_percent : amount
        Largest deviation of a trade from what the band goes by, in percent; in hundredths.
    band_parameters : mapping
        What else the band takes. Its durations are market time: ``{"pause": "5min"}``.
    without_reference : {"reject", "allow"}
        What happens to orders before the first reference.
    self_trade : str
        What happens where a trader would trade with itself; see
        :class:`~streamlet_lab.matching.SelfTrade`.
    fair_percent : amount
        A price is fair that is at most so far from the true one, in percent; in hundredths. It
        decides which orders stopped and which trades count as fair, and nothing in the market.
    samples_per_epoch : int
        How often the frames ``book`` and ``depth`` show the book.
    depth_levels : int
        How many prices of each side ``depth`` shows.
    reference : ReferenceConfig
        Where the reference of the band comes from: ``"consensus"``, the price that became final
        last; or an oracle that publishes the true price without any agreement, to compare with:
        ``"delayed"``, ``"heartbeat"`` or ``"twap"``. A kind, or a table with its parameters:
        ``{"kind": "heartbeat", "parameters": {"deviation_percent": 1}}``.
    reference_node : str
        Whose finalized chain the market reads if its reference is the consensus: the non-voting
        observer, or one of the nodes.
    """

    traders: Traders = (_noise_traders(20), TraderConfig(kind="fat_finger", rate=0.12))
    band: Named = "consensus"
    band_percent: Percent = Decimal(5)
    band_parameters: Parameters = Field(default_factory=dict)
    without_reference: Literal["reject", "allow"] = "reject"
    self_trade: SelfTrade = SelfTrade.NONE
    fair_percent: Percent = Decimal(5)
    samples_per_epoch: Annotated[int, Whole(1, 1_000)] = 4
    depth_levels: Annotated[int, Whole(1, 1_000)] = 10
    reference: Annotated[ReferenceConfig, BeforeValidator(_read_reference)] = ReferenceConfig()
    reference_node: str = OBSERVER

    @property
    def fair_hundredths(self) -> int:
        """How far a fair price is from the true one at most, in hundredths of a percent."""
        return to_hundredths(self.fair_percent, "fair_percent")
