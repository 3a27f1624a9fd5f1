"""What a person types: the validated configuration of an experiment.

A configuration is data. It can be saved as TOML or JSON, loaded, compared and run again; a mistake
in it is reported before anything runs, with the field, the value and what would be valid.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

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
from streamlet_lab.theory import FaultModel, max_faulty, quorum
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
_Delay = Annotated[Duration, Field(gt=0)]
Amount = Annotated[Decimal, BeforeValidator(to_decimal), PlainSerializer(str, return_type=str)]

# A year of 252 trading days, and what is left of the calendar from 2024 to 9999, with room for what
# is drawn ahead of a run.
_LONGEST_EPOCH = 252 * TRADING_DAY
_LONGEST_MARKET_TIME = 7_500 * 365 * 86_400_000_000

# More than thirty years: every time that a message can be delayed to stays far below the delay that
# means that it never arrives.
_LATEST = 10**15
_LINK = re.compile(r"(\w+)>(\w+)", re.ASCII)
_QUORUMS = {"byzantine": "⌈2n/3⌉", "crash": "⌊n/2⌋ + 1", "synchronous": "⌈n/2⌉"}

# What pydantic puts into a location beside what a person wrote.
_LABELS = ("function-", "constrained-", "literal[", "tuple[")

#: The name of the non-voting node that the market reads by default.
OBSERVER = "observer"

#: Before the name of a function where delays that are one were saved.
CALLABLE: Final = "callable:"

#: Measured durations of Ed25519, to be given as ``network={**ED25519_TIMES}``: with the
#: ``cryptography`` package on one core, signing took 32 to 47 µs and verifying 110 to 140 µs.
ED25519_TIMES: Final[Mapping[str, str]] = {"sign_time": "40us", "verify_time": "125us"}


def _both_ways(milliseconds: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Complete a table to all pairs, in microseconds; two nodes of one region are 1 ms apart."""
    names = list(dict.fromkeys(chain.from_iterable(milliseconds)))
    table = {a: dict.fromkeys(names, 1_000) for a in names}
    for (a, b), delay in milliseconds.items():
        table[a][b] = table[b][a] = 1_000 * delay
    return table


#: One-way delays between five regions of the world, in microseconds; 1 ms within a region. Source:
#: Microsoft, "Azure network round-trip latency statistics", 95th percentiles of the 30 days to
#: 2026-07-30, https://learn.microsoft.com/en-us/azure/networking/azure-network-latency. Half of the
#: slower direction, rounded up to 1 ms, between East US, West Europe, Japan East, Australia East
#: and Brazil South.
REGION_DELAYS: Final[Mapping[str, Mapping[str, int]]] = _both_ways(
    {
        ("north_america", "europe"): 46,
        ("north_america", "asia"): 83,
        ("north_america", "australia"): 104,
        ("north_america", "south_america"): 61,
        ("europe", "asia"): 121,
        ("europe", "australia"): 141,
        ("europe", "south_america"): 96,
        ("asia", "australia"): 53,
        ("asia", "south_america"): 138,
        ("australia", "south_america"): 149,
    }
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Section):
    """A stretch of simulated time.

    Attributes
    ----------
    start, stop : duration
        From the start on and before the stop.
    """

    start: Duration = 0
    stop: Annotated[Duration, Field(le=_LATEST)]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.stop <= self.start:
            start = format_duration(self.start)
            raise InvalidInput(
                "stop", format_duration(self.stop), f"a time after the start, {start}"
            )
        return self


def alternating(good: object, bad: object, until: object) -> list[Interval]:
    """Return bad periods that take turns with good ones, beginning with a good one.

    Parameters
    ----------
    good, bad, until : duration
        Length of each good and each bad period, and when the last bad one is over at the latest.

    Raises
    ------
    InvalidInput
        If one of them is no duration, or is zero.

    Examples
    --------
    >>> [(period.start, period.stop) for period in alternating("4s", "1s", until="12s")]
    [(4000000, 5000000), (9000000, 10000000)]
    """
    lengths = {"good": good, "bad": bad, "until": until}
    times = {name: to_microseconds(value, name) for name, value in lengths.items()}
    for name, time in times.items():
        if not time:
            raise InvalidInput(name, lengths[name], "a duration above zero")
    cycle = times["good"] + times["bad"]
    return [
        Interval.model_validate(
            {"start": f"{start}us", "stop": f"{min(start + times['bad'], times['until'])}us"}
        )
        for start in range(times["good"], times["until"], cycle)
    ]


def _read_groups(value: object) -> object:
    if isinstance(value, str):
        return tuple(tuple(name.strip() for name in part.split(",")) for part in value.split("|"))
    return value


class Partition(Interval):
    """Nodes that do not hear each other for a while; what they send arrives after it.

    Attributes
    ----------
    groups : tuple of tuple of str
        Names of nodes; also as text, ``"node_0,node_1|node_2,node_3"``. A node in no group, such as
        the observer, hears everyone and is heard by everyone.
    one_way : bool
        Whether only what the first group sends to the others is held.
    """

    groups: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_read_groups)]
    one_way: bool = False

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        names = list(chain.from_iterable(self.groups))
        if len(self.groups) < 2 or not all(self.groups) or len(set(names)) < len(names):
            expected = "two or more groups of nodes, none empty, with no node twice"
            raise InvalidInput("groups", self.groups, expected)
        return self


def _read_delays(value: object) -> object:
    if not isinstance(value, str) and not callable(value):
        raise InvalidInput("delays", value, "the name of a kind of delays, or a function")
    return value


def _write_delays(value: str | Callable[..., Any]) -> str:
    return value if isinstance(value, str) else CALLABLE + getattr(value, "__name__", "unnamed")


def _read_skew(value: object) -> object:
    if isinstance(value, Mapping):
        return {node: to_microseconds(skew, str(node)) for node, skew in value.items()}
    return to_microseconds(value)


def _write_skew(value: int | dict[str, int]) -> str | dict[str, str]:
    if isinstance(value, int):
        return format_duration(value)
    return {node: format_duration(skew) for node, skew in value.items()}


class NetworkConfig(_Section):
    """How messages travel between nodes.

    Outside bad times every message arrives within Δ, whatever is set here: a longer delay is
    clipped. A message sent in bad times arrives within Δ or when they end, if that is later. Only
    loss for good breaks this promise, which is the paper's (section 2) with :attr:`gst_in_force`.

    Attributes
    ----------
    delta : duration
        Δ, the bound on the delay of every message.
    delays : str or callable
        How the delay of a message on a link is drawn: ``"lognormal"``; ``"constant"``, the median;
        ``"uniform"``, from the shortest to as far above the median; ``"sample"``, any of the
        samples; ``"regions"``, by where the two nodes are; a kind registered with
        :func:`~streamlet_lab.simulator.links.delay_kind`; or a function like those, which a saved
        configuration names but does not contain.
    shortest_delay : duration, optional
        No message on no link is faster, since distance costs time; half the median by default.
    median_delay : duration
        Median delay of one link; what exceeds the shortest delay is lognormal.
    delay_spread : float
        Standard deviation of the logarithm of that rest; 0 makes every delay the median.
    samples : tuple of duration
        Measured delays, for ``"sample"``.
    regions : tuple of str
        Where the nodes are, in turn, for ``"regions"``; all regions of the table by default. The
        observer is in the first.
    region_delays : mapping of str to mapping of str to duration, optional
        One-way delay from each region to each; :data:`REGION_DELAYS` by default. A lognormal rest
        with a median of a tenth of it and the logarithm's standard deviation ``delay_spread`` is
        added.
    link_delays : mapping of str to duration
        Constant delays of single links in one direction, such as ``{"node_0>node_1": "90ms"}``.
    slow_nodes : mapping of str to float
        Factors, at least 1, by node; for all that it sends or receives.
    loss : float
        Probability that a copy is lost.
    when_lost : {"retransmit", "forever"}
        Whether a lost copy is sent again, which delays it, or never arrives, which is outside the
        paper's model.
    retransmit_after : duration
        Mean wait before the first retransmission; it doubles with each further one.
    gst : duration
        Global stabilization time: the end of a bad period from the beginning of the run on.
    bad_periods : tuple of Interval
        Further bad periods.
    slowdown : float
        What multiplies the delay of what is sent in a bad period.
    held : float
        Share of all messages and receivers for which the network is an adversary in bad periods:
        no copy of the message, echoes included, arrives there before some instant of the period.
    held_together : bool
        Whether all proposals of an epoch, and all its votes, share one fate at a receiver: so a
        whole notarization is hidden from some, rather than single votes.
    partitions : tuple of Partition
    sign_time, verify_time : duration
        Simulated time that making or verifying a signature takes; see :data:`ED25519_TIMES`.
    clock_skew : duration or mapping of str to duration
        Each node's clock is late by a random part of this, or by exactly its own value, which is 0
        for a node that is not named.
    catch_up : bool
        Whether leaders send the notarized chain that they extend along with their proposal, as in
        the paper's appendix A, so that nodes can catch up on what they missed.
    """

    delta: Annotated[Duration, Field(gt=0, le=_LATEST)] = 500_000
    delays: Annotated[
        str | Callable[..., Any],
        BeforeValidator(_read_delays),
        PlainSerializer(_write_delays, return_type=str),
    ] = "lognormal"
    shortest_delay: _Delay | None = None
    median_delay: _Delay = 50_000
    delay_spread: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)] = 0.7
    samples: tuple[_Delay, ...] = ()
    regions: tuple[str, ...] = ()
    region_delays: Annotated[dict[str, dict[str, _Delay]], Field(min_length=1)] | None = None
    link_delays: dict[str, _Delay] = {}
    slow_nodes: dict[str, Annotated[float, Field(ge=1, le=1e6, allow_inf_nan=False)]] = {}
    loss: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    when_lost: Literal["retransmit", "forever"] = "retransmit"
    retransmit_after: _Delay = 200_000
    gst: Annotated[Duration, Field(le=_LATEST)] = 0
    bad_periods: tuple[Interval, ...] = ()
    slowdown: Annotated[float, Field(ge=1, le=1e9, allow_inf_nan=False)] = 20.0
    held: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    held_together: bool = False
    partitions: tuple[Partition, ...] = ()
    sign_time: Duration = 0
    verify_time: Duration = 0
    clock_skew: Annotated[
        int | dict[str, int], BeforeValidator(_read_skew), PlainSerializer(_write_skew)
    ] = 0
    catch_up: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fastest > self.median_delay:
            median = format_duration(self.median_delay)
            raise InvalidInput(
                "shortest_delay",
                format_duration(self.fastest),
                f"at most the median delay, {median}",
            )
        if self.delays == "sample" and not self.samples:
            raise InvalidInput("samples", self.samples, "one delay or more to draw from")
        for link in self.link_delays:
            parts = _LINK.fullmatch(link)
            if parts is None or parts[1] == parts[2]:
                raise InvalidInput("link_delays", link, "two nodes such as 'node_0>node_1'")
        self._check_regions()
        return self

    def _check_regions(self) -> None:
        table = self.region_table
        for name, row in table.items():
            if set(row) != set(table):
                raise InvalidInput(
                    f"region_delays.{name}", list(row), f"a delay to each of {', '.join(table)}"
                )
        for name in self.regions:
            if name not in table:
                raise InvalidInput("regions", name, f"one of {', '.join(table)}")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            # A function's own text is where it lies in memory.
            yield name, _write_delays(value) if name == "delays" else value

    @property
    def fastest(self) -> int:
        """The shortest delay in force, in microseconds."""
        return self.median_delay // 2 if self.shortest_delay is None else self.shortest_delay

    @property
    def region_table(self) -> Mapping[str, Mapping[str, int]]:
        """The delays between regions in force, in microseconds."""
        return REGION_DELAYS if self.region_delays is None else self.region_delays

    @property
    def bad_times(self) -> tuple[tuple[int, int], ...]:
        """Start and stop of all bad periods, the one before ``gst`` included, in microseconds."""
        before = ((0, self.gst),) if self.gst else ()
        return before + tuple((period.start, period.stop) for period in self.bad_periods)

    @property
    def gst_in_force(self) -> int:
        """When the last bad period or partition ends, in microseconds: the paper's GST."""
        ends = (stop for _, stop in self.bad_times)
        return max(chain(ends, (partition.stop for partition in self.partitions)), default=0)

    def largest_skew(self, node_ids: Iterable[str]) -> int:
        """By how much one node's clock can be behind another's, in microseconds."""
        if isinstance(self.clock_skew, int):
            return self.clock_skew
        offsets = [self.clock_skew.get(node, 0) for node in node_ids]
        return max(offsets) - min(offsets)


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
    path_model : str
        The law of the simulated path's daily returns: ``"gjr_garch"``, ``"gbm"``, ``"merton"``,
        ``"regime"`` or any other of :func:`~streamlet_lab.prices.path_models`, one's own included.
    sources : tuple of str
        Who quotes.
    aggregator : str
        How leaders and voters make the consensus price of the valid quotes: ``"mean"``,
        ``"median"`` or any other of :func:`~streamlet_lab.prices.aggregators`, one's own included.
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
    path_model: str = "gjr_garch"
    sources: tuple[str, ...] = SOURCES
    aggregator: str = "mean"
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


def _read_leaders(value: object) -> object:
    named = isinstance(value, list | tuple) and value and all(isinstance(n, str) for n in value)
    if not named and value not in ("round_robin", "hashed"):
        raise InvalidInput("leaders", value, "'round_robin', 'hashed' or a list of names of nodes")
    return value


Leaders = Annotated[
    Literal["round_robin", "hashed"] | tuple[str, ...], BeforeValidator(_read_leaders)
]


def _read_quorum(value: object) -> object:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if not is_count and value != "2f+1":
        raise InvalidInput("quorum", value, "a whole number of at least 1, or '2f+1'")
    return value


Quorum = Annotated[int | Literal["2f+1"], BeforeValidator(_read_quorum)]


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
    model : {"byzantine", "crash", "synchronous"}
        What the paper's promises are taken from: section 3, appendix A or section 4.
    leaders : {"round_robin", "hashed"} or tuple of str
        Who leads: the nodes in turn, as in the description; at random by a hash of the epoch, as in
        the paper; or the names of nodes, one an epoch, again from the first when they end.
    epoch_length : duration
        Protocol time of an epoch; the paper's 2Δ unless given.
    market_time_per_epoch : duration
        How much the market moves on in an epoch; 6.5 hours is one trading day.
    quorum : int or "2f+1", optional
        Votes that notarize; what the model needs (⌈2n/3⌉ for Byzantine nodes) unless given. The
        rule 2f + 1 with f = ⌊(n − 1)/3⌋ is unsafe except for n = 3f + 1; the description, which has
        f = 1 for every n, means 3.
    echo : bool
        Whether nodes pass on every message that is new to them.
    signatures : {"ed25519", "none"}
    remember_verifications : bool
        False makes every receiver verify every signature itself.
    trace : bool
        Whether the first arrival of every message at every node is recorded.
    network, prices, market
        The sections above.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000_000)] = 60
    nodes: Annotated[int, Field(ge=1, le=1_000)] = 4
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    feed: str = "simulated"
    faults: tuple[Fault, ...] = ()
    model: FaultModel = "byzantine"
    leaders: Leaders = "round_robin"
    epoch_length: Annotated[Duration, Field(gt=0)] = 1_000_000
    market_time_per_epoch: Annotated[Duration, Field(gt=0)] = TRADING_DAY
    quorum: Quorum | None = None
    echo: bool = True
    signatures: SignatureScheme = "ed25519"
    remember_verifications: bool = True
    trace: bool = False
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
        if "epoch_length" not in self.model_fields_set:
            object.__setattr__(self, "epoch_length", 2 * self.network.delta)
        self._check_market_time()
        if isinstance(self.quorum, int) and self.quorum > self.nodes:
            raise InvalidInput("quorum", self.quorum, f"at most the number of nodes, {self.nodes}")
        for fault in self.faults:
            self._check_names("faults", fault.nodes)
            if fault.count is not None and fault.count > self.nodes:
                raise InvalidInput("faults", fault.count, f"a count of at most {self.nodes} nodes")
        if not isinstance(self.leaders, str):
            self._check_names("leaders", self.leaders)
        self._check_network_names()
        self._check_names("market.reference_node", [self.market.reference_node], observer=True)
        return self

    def _check_market_time(self) -> None:
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

    def _check_network_names(self) -> None:
        network = self.network
        for partition in network.partitions:
            self._check_names("network.partitions", chain.from_iterable(partition.groups))
        if isinstance(network.clock_skew, Mapping):
            self._check_names("network.clock_skew", network.clock_skew)
        self._check_names("network.slow_nodes", network.slow_nodes, observer=True)
        for link in network.link_delays:
            self._check_names("network.link_delays", link.split(">"), observer=True)

    def _check_names(self, field: str, names: Iterable[str], *, observer: bool = False) -> None:
        known = {*self.node_ids, OBSERVER} if observer else {*self.node_ids}
        nodes = f"a node from node_0 to node_{self.nodes - 1}"
        for name in names:
            if name not in known:
                expected = f"'{OBSERVER}' or {nodes}" if observer else nodes
                raise InvalidInput(field, name, expected)

    @property
    def node_ids(self) -> tuple[str, ...]:
        """Names of the voting nodes, in the order of the round robin."""
        return tuple(f"node_{index}" for index in range(self.nodes))

    @property
    def votes_needed(self) -> int:
        """The quorum in force."""
        if self.quorum == "2f+1":
            return 2 * max_faulty(self.nodes) + 1
        return quorum(self.nodes, self.model) if self.quorum is None else self.quorum

    @property
    def tolerated(self) -> int:
        """How many faulty nodes the model tolerates."""
        return max_faulty(self.nodes, self.model)

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
        network, faulty, votes = self.network, len(self.faulty_nodes), self.votes_needed
        if faulty > self.tolerated:
            reasons.append(f"{faulty} of {self.nodes} nodes faulty, {self.tolerated} tolerated")
        if votes < (safe := quorum(self.nodes, self.model)):
            written = "2f+1, unsafe here: " if self.quorum == "2f+1" else ""
            reasons.append(f"quorum {written}{votes} below {_QUORUMS[self.model]} = {safe}")
        if votes > self.nodes - self.tolerated:
            reasons.append(f"quorum {votes} needs the votes of faulty nodes")
        if self.epoch_length < 2 * network.delta + sum(self._allowances.values()):
            reasons.append(" + ".join(["epoch shorter than 2Δ", *self._allowances]))
        if not self.echo:
            reasons.append("messages are not echoed")
        if network.loss and network.when_lost == "forever":
            protocol = "with" if network.catch_up else "without"
            reasons.append(f"{network.loss:.3g} of all copies lost for good, {protocol} catch-up")
        beyond = {fault.kind for fault in self.faults if fault.kind != "crash"}
        if self.model == "crash" and beyond:
            reasons.append(f"faults that are no crashes: {', '.join(sorted(beyond))}")
        if self.model == "synchronous" and network.gst_in_force:
            end = format_duration(network.gst_in_force)
            reasons.append(f"bad times until {end}: the synchronous model has none")
        return tuple(reasons)

    @property
    def _allowances(self) -> dict[str, int]:
        """What an epoch needs beside 2Δ, by its name with its figure; only what is not 0.

        In the worst case a node verifies the proposal and all votes of an epoch one by one, and the
        leader's and its own signature are made in between.
        """
        network = self.network
        parts = {
            "clock skew": network.largest_skew(self.node_ids),
            "processing": (self.nodes + 1) * network.verify_time + 2 * network.sign_time,
        }
        return {f"{format_duration(time)} {name}": time for name, time in parts.items() if time}

    @property
    def not_rerunnable(self) -> tuple[str, ...]:
        """Reasons why a saved configuration cannot be run again from its file; empty if it can."""
        delays = _write_delays(self.network.delays)
        if delays.startswith(CALLABLE):
            return (f"network.delays is the function {delays.removeprefix(CALLABLE)}",)
        return ()

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
    location = [str(part) for part in first["loc"] if not str(part).startswith(_LABELS)]
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
        inner = get_args(model)  # of a tuple of sections
        model = inner[0] if inner else model.model_fields[section].annotation
    return list(model.model_fields)
