"""What is quoted, and which rules a price must pass."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from streamlet_lab.consensus.quorums import max_faulty
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    MOST_INTRADAY,
    TYPICAL_CORRELATION,
    TYPICAL_INTRADAY,
    TYPICAL_NIGHTS,
    Aggregator,
    PriceValidation,
    Source,
    VoterPolicy,
    aggregators,
    find_aggregator,
    read_sources,
    standard_sources,
    write_sources,
)
from streamlet_lab.units import to_decimal, to_micros
from streamlet_lab.values import (
    Amount,
    Duration,
    Named,
    Number,
    Parameters,
    Section,
    Whole,
    kind_name,
)

# Where a simulated share's price stays unless its bounds are set: the description's.
_LOWEST, _HIGHEST = Decimal(50), Decimal(500)

_LARGEST_MOVE = 1_000  # percent

_SOURCES = Whole(1, expected="a whole number from min_sources to the number of sources")


def _read_move(value: object) -> object:
    percent = to_decimal(value, "value")
    if not -100 < percent <= _LARGEST_MOVE:
        raise InvalidInput("value", value, f"a number above -100, and at most {_LARGEST_MOVE:,}")
    return value


class PriceJump(Section):
    """One jump of the true price, for good.

    Attributes
    ----------
    at : duration
        When, in protocol time since the beginning of the run.
    percent : amount
        By how much, of the price there; -50 halves it.
    """

    at: Duration
    percent: Annotated[Amount, BeforeValidator(_read_move)]

    @property
    def factor(self) -> Fraction:
        """What the price is multiplied by."""
        return 1 + Fraction(self.percent) / 100


class AssetConfig(Section):
    """What may differ from symbol to symbol.

    Attributes
    ----------
    base_price : amount
        Where a simulated path begins, US dollars.
    volatility : float
        Multiplies the simulated path's returns; 1 is the model's own volatility, which is annual
        and scaled to the length of an epoch.
    trend : float
        Drift of the logarithm of the simulated price, per year.
    path_model : str or callable
        The law of the simulated path's daily returns: ``"gjr_garch"``, ``"gbm"``, ``"merton"``,
        ``"regime"`` or any other of :func:`~streamlet_lab.prices.path_models`; or a function that
        makes one.
    path_parameters : mapping
        What the law takes, such as ``{"volatility": 0.2}`` for ``"gbm"``.
    nights : float
        Share of a day's variance that passes overnight, at once, before the open; AAPL's unless
        given. A run begins at a close, so that its first night passes right after its beginning.
    intraday : float
        How much fatter than the day's the tails of short times within a session are: 0 is a
        Brownian bridge, the default has the kurtosis of five minutes that Cont (2001) reports; see
        :mod:`~streamlet_lab.prices.intraday`. With 0 for both, ``"gbm"`` is a geometric Brownian
        motion at every step, and the closed forms of :mod:`~streamlet_lab.theory` apply.
    jumps : tuple of PriceJump
        Jumps of the true price, simulated or real, beside those of the path model:
        ``[{"at": "12s", "percent": 8}]``. ``at`` is protocol time, as that of a partition. A price
        that a jump carries beyond the feed's bounds ($50 and $500, unless they are set) is
        reflected there. Nothing before a jump depends on it, and no draw after it.
    min_price, max_price : amount, optional
        Bounds of the rules; the feed's own by default. A simulated path reflects at them: at $50
        and $500 unless they are set.
    min_volume, max_volume, max_deviation_percent
        See :class:`~streamlet_lab.prices.PriceValidation`.
    deviation_rule : {"widen", "strict", "re-anchor"}
        What happens when the true price has left the corridor around the last consensus, so that no
        quote counts: the corridor gains 10 percentage points with each block on the chain that says
        so; or nothing, as the description has it, and the price is locked out for ever; or after
        ``reanchor_after`` such blocks, so many sources as ``reanchor_sources`` says that agree with
        each other make a price anywhere.
    reanchor_sources : int, optional
        More than two thirds of them by default. With three sources that is all of them, and one
        that is silent can put it off for ever; four tolerate one.
    """

    base_price: Amount = Decimal("150.00")
    volatility: Annotated[float, Number(0, 20)] = 1.0
    trend: Annotated[float, Number(-50, 50)] = 0.0
    path_model: Named = "gjr_garch"
    path_parameters: Parameters = Field(default_factory=dict)
    nights: Annotated[float, Number(0, 1, below=True)] = TYPICAL_NIGHTS
    intraday: Annotated[float, Number(0, MOST_INTRADAY)] = TYPICAL_INTRADAY
    jumps: tuple[PriceJump, ...] = ()
    min_price: Amount | None = None
    max_price: Amount | None = None
    min_volume: Amount = Decimal(100)
    max_volume: Amount = Decimal(10**10)
    max_deviation_percent: Amount = Decimal(10)
    deviation_rule: Literal["widen", "strict", "re-anchor"] = "widen"
    reanchor_after: Annotated[int, Whole(1)] = 3
    reanchor_sources: Annotated[int, _SOURCES] | None = None


def _read_aggregator(value: object) -> object:
    # One that is registered is data: its name.
    if isinstance(value, Aggregator) and value.name in aggregators():
        return value.name if find_aggregator(value.name) is value else value
    return value


def _write_assets(assets: Mapping[str, AssetConfig]) -> dict[str, Any]:
    return {
        symbol: asset.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        for symbol, asset in assets.items()
    }


class PricesConfig(AssetConfig):
    """What is quoted, and which rules a price must pass.

    Attributes
    ----------
    assets : mapping of str to AssetConfig
        By symbol, those of the settings above that differ from these.
    correlation : float
        Of the normal shocks of any two simulated symbols; that of their returns is a little lower,
        since tails are fat and volatilities are each symbol's own. A symbol's path is the same
        whatever other symbols there are.
    sources : tuple of Source
        Who quotes each symbol. Also a number of ordinary sources, or names and tables:
        ``["market_data_1", {"name": "external_feed", "noise_bp": 5, "lag": "1min"}]``.
    min_sources : int
        Fewest valid quotes that make a consensus price. The description's two unless given; with
        ``evidence`` 2f + 1 if that is more, f = ⌊(m − 1)/3⌋ of m sources: among so many, f liars
        are a minority even where a lying leader leaves out honest quotes.
    aggregator : str or callable
        How leaders and voters make the consensus price of the valid quotes: ``"mean"``,
        ``"median"`` or any other of :func:`~streamlet_lab.prices.aggregation`; or a function.
    outlier_rule : str or callable, optional
        One of :func:`~streamlet_lab.prices.outlier_rules`, or a function: which quotes do not count
        although they pass the other rules.
    splits : {"adjust", "keep"}
        Whether the prices of real history before a split are divided by its ratio.
    voter_policy, tolerance_percent
        See :class:`~streamlet_lab.prices.Voter`.
    """

    assets: Annotated[
        dict[str, AssetConfig], PlainSerializer(_write_assets, return_type=dict[str, Any])
    ] = Field(default_factory=dict)
    correlation: Annotated[float, Number(0, 1)] = TYPICAL_CORRELATION
    sources: Annotated[
        tuple[Source, ...],
        BeforeValidator(read_sources),
        PlainSerializer(write_sources, return_type=list[Any]),
    ] = standard_sources(3)
    min_sources: Annotated[int, Whole(1)] = 2
    aggregator: Annotated[Named, BeforeValidator(_read_aggregator)] = "mean"
    outlier_rule: Named | None = None
    splits: Literal["adjust", "keep"] = "adjust"
    voter_policy: VoterPolicy = "observe"
    tolerance_percent: Amount = Decimal("0.5")

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = self.source_names
        if len(set(names)) < len(names):
            raise InvalidInput("sources", names, "each name once")
        if self.voter_policy == "evidence" and "min_sources" not in self.model_fields_set:
            object.__setattr__(self, "min_sources", max(2, 2 * max_faulty(len(names)) + 1))
        if len(names) < self.min_sources:
            raise InvalidInput("sources", len(names), f"at least min_sources, {self.min_sources}")
        self._check_reanchoring("reanchor_sources", self.reanchor_sources)
        for symbol, asset in self.assets.items():
            self._check_reanchoring(f"assets.{symbol}.reanchor_sources", asset.reanchor_sources)
        return self

    def _check_reanchoring(self, field: str, sources: int | None) -> None:
        fewest, most = self.min_sources, len(self.sources)
        if sources is not None and not fewest <= sources <= most:
            expected = f"from min_sources, {fewest}, to the number of sources, {most}"
            raise InvalidInput(field, sources, expected)

    def check_start(self, symbol: str) -> None:
        """Refuse a symbol's simulated path that does not begin between where it reflects."""
        place = f"prices.assets.{symbol}" if symbol in self.assets else "prices"
        own = self.of(symbol)
        low, high = own.reflection
        if low <= 0 or (low >= high and own.min_price is not None):
            expected = f"more than 0, below max_price {high}"
            raise InvalidInput(f"{place}.min_price", str(low), expected)
        if low >= high:
            raise InvalidInput(f"{place}.max_price", str(high), f"more than min_price {low}")
        to_micros(own.base_price, field := f"{place}.base_price")
        if not low <= own.base_price <= high:
            raise InvalidInput(field, str(own.base_price), f"a price from {low} to {high}")

    @property
    def source_names(self) -> tuple[str, ...]:
        """Names of the sources, in their order."""
        return tuple(source.name for source in self.sources)

    @property
    def aggregator_name(self) -> str:
        """The aggregator's name, a function's own if it is one."""
        return kind_name(self.aggregator)

    @property
    def tolerated_sources(self) -> int | None:
        """How many lying sources the aggregator tolerates; None for one that is not known here."""
        if self.aggregator not in aggregators():
            return None
        return find_aggregator(self.aggregator).breakdown(len(self.sources))

    @property
    def reflection(self) -> tuple[Decimal, Decimal]:
        """Where a simulated path reflects."""
        low = _LOWEST if self.min_price is None else self.min_price
        high = _HIGHEST if self.max_price is None else self.max_price
        return low, high

    def of(self, symbol: str) -> "PricesConfig":
        """Return the settings of one symbol."""
        asset = self.assets.get(symbol)
        if asset is None:
            return self
        own = {name: getattr(asset, name) for name in asset.model_fields_set}
        return self.model_copy(update={name: own[name] for name in own if own[name] is not None})

    def rules(self, bounds: tuple[Decimal, Decimal]) -> PriceValidation:
        """Return the validation rules, given the feed's own bounds."""
        low, high = bounds
        reanchors = self.deviation_rule == "re-anchor"
        quorum = self.reanchor_sources
        if quorum is None:
            quorum = max(2 * len(self.sources) // 3 + 1, self.min_sources)
        return PriceValidation(
            min_price=low if self.min_price is None else self.min_price,
            max_price=high if self.max_price is None else self.max_price,
            min_volume=self.min_volume,
            max_volume=self.max_volume,
            max_deviation_percent=self.max_deviation_percent,
            widening_percent=Decimal(10 if self.deviation_rule == "widen" else 0),
            min_sources=self.min_sources,
            reanchor_after=self.reanchor_after if reanchors else None,
            reanchor_sources=quorum if reanchors else None,
        )
