"""What a person types: the validated configuration of an experiment.

A configuration is data. It can be saved as TOML or JSON, loaded, compared and run again; a mistake
in it is reported before anything runs, with the field, the value and what would be valid.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.files import write_atomically
from streamlet_lab.keys import SignatureScheme
from streamlet_lab.prices import SOURCES, TRADING_DAY, PriceValidation, VoterPolicy
from streamlet_lab.theory import max_faulty, quorum
from streamlet_lab.units import (
    format_duration,
    to_decimal,
    to_hundredths,
    to_micros,
    to_microseconds,
)

Duration = Annotated[
    int, BeforeValidator(to_microseconds), PlainSerializer(format_duration, return_type=str)
]
Amount = Annotated[Decimal, BeforeValidator(to_decimal), PlainSerializer(str, return_type=str)]

# A year of 252 trading days, and what is left of the calendar from 2024 to 9999, with room for what
# is drawn ahead of a run.
_LONGEST_EPOCH = 252 * TRADING_DAY
_LONGEST_MARKET_TIME = 7_500 * 365 * 86_400_000_000

#: The name of the non-voting node that the market reads by default.
OBSERVER = "observer"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkConfig(_Section):
    """How messages travel between nodes.

    Attributes
    ----------
    delta : duration
        Δ, the bound on the delay of every message.
    shortest_delay : duration, optional
        No message on no link is faster, since distance costs time; half the median by default.
    median_delay : duration
        Median delay of one link; what exceeds the shortest delay is lognormal.
    delay_spread : float
        Standard deviation of the logarithm of that rest; 0 makes every delay the median.
    """

    delta: Annotated[Duration, Field(gt=0)] = 500_000
    shortest_delay: Annotated[Duration, Field(gt=0)] | None = None
    median_delay: Annotated[Duration, Field(gt=0)] = 50_000
    delay_spread: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)] = 0.7

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fastest > self.median_delay:
            median = format_duration(self.median_delay)
            raise InvalidInput(
                "shortest_delay",
                format_duration(self.fastest),
                f"at most the median delay, {median}",
            )
        return self

    @property
    def fastest(self) -> int:
        """The shortest delay in force, in microseconds."""
        return self.median_delay // 2 if self.shortest_delay is None else self.shortest_delay


class PricesConfig(_Section):
    """What is quoted, and which rules a price must pass.

    Attributes
    ----------
    base_price : amount
        Where a simulated path begins, US dollars.
    volatility : float
        Multiplies the simulated path's returns; 1 is AAPL's own.
    trend : float
        Drift of the logarithm of the simulated price, per year.
    sources : tuple of str
        Who quotes.
    min_price, max_price : amount, optional
        Bounds; the feed's own by default ($50 to $500 for the simulated AAPL).
    min_volume, max_deviation_percent, min_sources
        See :class:`~streamlet_lab.prices.PriceValidation`.
    deviation_rule : {"widen", "strict"}
        Whether the deviation rule gains 10 percentage points with each epoch without a price, or is
        the description's literal rule, which can lock the price out for ever.
    voter_policy, tolerance_percent
        See :class:`~streamlet_lab.prices.Voter`.
    """

    base_price: Annotated[Amount, Field(ge=50, le=500)] = Decimal("150.00")
    volatility: Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)] = 1.0
    trend: Annotated[float, Field(ge=-50, le=50, allow_inf_nan=False)] = 0.0
    sources: tuple[str, ...] = SOURCES
    min_price: Amount | None = None
    max_price: Amount | None = None
    min_volume: Amount = Decimal(100)
    max_deviation_percent: Amount = Decimal(10)
    min_sources: int = 2
    deviation_rule: Literal["widen", "strict"] = "widen"
    voter_policy: VoterPolicy = "observe"
    tolerance_percent: Amount = Decimal("0.5")

    @model_validator(mode="after")
    def _check(self) -> Self:
        to_micros(self.base_price, "base_price")
        for source in self.sources:
            if source not in SOURCES:
                raise InvalidInput("sources", source, f"some of {', '.join(SOURCES)}")
        if len(set(self.sources)) != len(self.sources) or len(self.sources) < self.min_sources:
            raise InvalidInput(
                "sources", self.sources, f"at least {self.min_sources} different sources"
            )
        return self

    def rules(self, bounds: tuple[Decimal, Decimal]) -> PriceValidation:
        """Return the validation rules, given the feed's own bounds."""
        low, high = bounds
        return PriceValidation(
            min_price=low if self.min_price is None else self.min_price,
            max_price=high if self.max_price is None else self.max_price,
            min_volume=self.min_volume,
            max_deviation_percent=self.max_deviation_percent,
            widening_percent=Decimal(10 if self.deviation_rule == "widen" else 0),
            min_sources=self.min_sources,
        )


class MarketConfig(_Section):
    """Who trades, and against which reference.

    Attributes
    ----------
    traders : int
        Number of traders; 0 leaves the market empty.
    orders_per_epoch : float
        Mean number of orders of all traders together in an epoch (Poisson arrivals).
    market_order_share : float
        Share of market orders among honest ones.
    far_share : float
        Share of orders with a price 6 to 30 % away from the true one.
    price_spread_percent : float
        Standard deviation of honest limit prices around the true price.
    band_percent : amount
        Largest deviation of a trade from the reference, in percent; in hundredths.
    without_reference : {"reject", "allow"}
        What happens to orders before the first finalization.
    reference_node : str
        Whose finalized chain the market reads: the non-voting observer, or one of the nodes.
    """

    traders: Annotated[int, Field(ge=0, le=10_000)] = 20
    orders_per_epoch: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 4.0
    market_order_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    far_share: Annotated[float, Field(ge=0, le=1)] = 0.03
    price_spread_percent: Annotated[float, Field(ge=0, le=20)] = 0.5
    band_percent: Annotated[Amount, Field(gt=0, le=100)] = Decimal(5)
    without_reference: Literal["reject", "allow"] = "reject"
    reference_node: str = OBSERVER

    @model_validator(mode="after")
    def _check(self) -> Self:
        to_hundredths(self.band_percent, "band_percent")
        return self


class ExperimentConfig(_Section):
    """Everything that determines a run.

    Attributes
    ----------
    epochs : int
        Length of the run.
    nodes : int
        Number of voting nodes, ``node_0`` … .
    seed : int
        Of all randomness.
    feed : str
        ``"simulated"``, or a real history such as ``"aapl-2012"``.
    faults : tuple of Fault
        Also a mapping of node to short form: ``{"node_3": "crash@4"}``.
    epoch_length : duration
        Protocol time of an epoch; the paper's is 2Δ.
    market_time_per_epoch : duration
        How much the market moves on in an epoch; 6.5 hours is one trading day.
    quorum : int, optional
        Votes that notarize; ⌈2n/3⌉ unless given.
    echo : bool
        Whether nodes pass on every message that is new to them.
    signatures : {"ed25519", "none"}
    remember_verifications : bool
        False makes every receiver verify every signature itself.
    network, prices, market
        The sections above.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000_000)] = 60
    nodes: Annotated[int, Field(ge=1, le=1_000)] = 4
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    feed: str = "simulated"
    faults: tuple[Fault, ...] = ()
    epoch_length: Annotated[Duration, Field(gt=0)] = 1_000_000
    market_time_per_epoch: Annotated[Duration, Field(gt=0)] = TRADING_DAY
    quorum: Annotated[int, Field(ge=1)] | None = None
    echo: bool = True
    signatures: SignatureScheme = "ed25519"
    remember_verifications: bool = True
    network: NetworkConfig = NetworkConfig()
    prices: PricesConfig = PricesConfig()
    market: MarketConfig = MarketConfig()

    @model_validator(mode="before")
    @classmethod
    def _read_short_faults(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and isinstance(values.get("faults"), Mapping):
            faults = tuple(Fault.parse(node, kind) for node, kind in values["faults"].items())
            return {**values, "faults": faults}
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.market_time_per_epoch > _LONGEST_EPOCH:
            raise InvalidInput(
                "market_time_per_epoch",
                format_duration(self.market_time_per_epoch),
                f"at most a year of trading days, {format_duration(_LONGEST_EPOCH)}",
            )
        if self.epochs * self.market_time_per_epoch > _LONGEST_MARKET_TIME:
            raise InvalidInput(
                "market_time_per_epoch",
                format_duration(self.market_time_per_epoch),
                f"so little that {self.epochs} epochs end before the year 9999",
            )
        if self.quorum is not None and self.quorum > self.nodes:
            raise InvalidInput("quorum", self.quorum, f"at most the number of nodes, {self.nodes}")
        for fault in self.faults:
            for node in fault.nodes:
                if node not in self.node_ids:
                    raise InvalidInput("faults", node, f"a node from {self._node_range}")
            if fault.count is not None and fault.count > self.nodes:
                raise InvalidInput("faults", fault.count, f"a count of at most {self.nodes} nodes")
        if self.market.reference_node not in (OBSERVER, *self.node_ids):
            raise InvalidInput(
                "market.reference_node",
                self.market.reference_node,
                f"'{OBSERVER}' or a node from {self._node_range}",
            )
        return self

    @property
    def node_ids(self) -> tuple[str, ...]:
        """Names of the voting nodes, in the order of the round robin."""
        return tuple(f"node_{index}" for index in range(self.nodes))

    @property
    def _node_range(self) -> str:
        return f"node_0 to node_{self.nodes - 1}"

    @property
    def votes_needed(self) -> int:
        """The quorum in force."""
        return quorum(self.nodes) if self.quorum is None else self.quorum

    @property
    def faulty_nodes(self) -> frozenset[str]:
        """All nodes that have a fault at some time of the run."""
        return frozenset(
            node
            for fault in self.faults
            if fault.start < self.epochs
            for node in fault.affected(self.node_ids)
        )

    @property
    def outside_model(self) -> tuple[str, ...]:
        """Reasons why the paper promises nothing for this configuration; empty if it does."""
        reasons = []
        faulty, tolerated = len(self.faulty_nodes), max_faulty(self.nodes)
        if faulty > tolerated:
            reasons.append(f"{faulty} of {self.nodes} nodes faulty, {tolerated} tolerated")
        if self.votes_needed < quorum(self.nodes):
            reasons.append(f"quorum {self.votes_needed} below ⌈2n/3⌉ = {quorum(self.nodes)}")
        if self.votes_needed > self.nodes - tolerated:
            reasons.append(f"quorum {self.votes_needed} needs the votes of faulty nodes")
        if self.epoch_length < 2 * self.network.delta:
            reasons.append("epoch shorter than 2Δ")
        if not self.echo:
            reasons.append("messages are not echoed")
        return tuple(reasons)

    def to_document(self) -> dict[str, Any]:
        """Return the configuration as plain data, as it is saved."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return document

    def save(self, path: str | Path) -> None:
        """Write the configuration to a ``.toml`` or ``.json`` file."""
        path = Path(path)
        match path.suffix:
            case ".toml":
                text = tomli_w.dumps(self.to_document())
            case ".json":
                text = json.dumps(self.to_document(), indent=2) + "\n"
            case _:
                raise InvalidInput("path", str(path), "a file name ending in .toml or .json")
        write_atomically(path, text.encode())


def make_config(**settings: Any) -> ExperimentConfig:
    """Validate settings.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong.
    """
    try:
        return ExperimentConfig(**settings)
    except ValidationError as error:
        raise _first_mistake(error) from error


def load_config(path: str | Path) -> ExperimentConfig:
    """Read a configuration from a ``.toml`` or ``.json`` file.

    Raises
    ------
    DataError
        If there is no such file, or it is not TOML or JSON.
    InvalidInput
        If a setting in it is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a TOML or JSON document ({error})") from error
    if not isinstance(document, dict):
        raise DataError(f"{path}: not a table of settings")
    return make_config(**document)


def _first_mistake(error: ValidationError) -> InvalidInput:
    """Turn pydantic's report into the lab's one clear message."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"] if not str(part).startswith("function-")]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        # A validator names its own field more exactly than the place that it was called from.
        if cause.field not in (*location[-1:], "duration", "price"):
            location.append(cause.field)
        return InvalidInput(".".join(location), cause.value, cause.expected)
    expected = first["msg"].removeprefix("Input should be ")
    if first["type"] == "missing":
        return InvalidInput(".".join(location[:-1]), first["input"], f"a {location[-1]} in it")
    if first["type"] == "tuple_type":
        expected = "a list"
    if first["type"] == "unexpected_keyword_argument":
        expected = f"one of {', '.join(item.name for item in fields(Fault))}"
    if first["type"] == "extra_forbidden":
        expected = f"one of the settings {', '.join(_known_settings(location[:-1]))}"
        return InvalidInput(".".join(location[:-1]) or "setting", location[-1], expected)
    return InvalidInput(".".join(location), first["input"], expected)


def _known_settings(sections: list[str]) -> list[str]:
    model: Any = ExperimentConfig
    for section in sections:
        model = model.model_fields[section].annotation
    return list(model.model_fields)
