"""How messages travel between nodes."""

import inspect
import re
from collections.abc import Iterable, Mapping
from itertools import chain
from random import Random
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, FailFast, Field, PlainSerializer, model_validator

from streamlet_lab.errors import InvalidInput
from streamlet_lab.fixed import fixed
from streamlet_lab.registers import DELAYS
from streamlet_lab.texts import MOST_NAMES
from streamlet_lab.units import format_duration, to_microseconds, to_name
from streamlet_lab.values import Duration, Flag, Named, Number, Section, Span

_Delay = Annotated[int, Span(1)]

# More than thirty years: every time that a message can be delayed to stays far below the delay that
# means that it never arrives.
_LATEST = 10**15
_LINK = re.compile(r"(\w+)>(\w+)", re.ASCII)

#: Measured durations of Ed25519, to be given as ``network={**ED25519_TIMES}``: with the
#: ``cryptography`` package on one core, signing took 32 to 47 µs and verifying 110 to 140 µs.
ED25519_TIMES: Final[Mapping[str, str]] = fixed({"sign_time": "40us", "verify_time": "125us"})


def _both_ways(milliseconds: Mapping[tuple[str, str], int]) -> dict[str, dict[str, str]]:
    """Complete a table to all pairs; two nodes of one region are 1 ms apart."""
    names = list(dict.fromkeys(chain.from_iterable(milliseconds)))
    table = {a: dict.fromkeys(names, "1ms") for a in names}
    for (a, b), delay in milliseconds.items():
        table[a][b] = table[b][a] = f"{delay}ms"
    fixed_table: dict[str, dict[str, str]] = fixed(table)
    return fixed_table


#: One-way delays between five regions of the world, as ``region_delays`` takes them. Source:
#: Microsoft, "Azure network round-trip latency statistics", 95th percentiles of the 30 days to
#: 2026-07-30, https://learn.microsoft.com/en-us/azure/networking/azure-network-latency. Half of the
#: slower direction, rounded up to 1 ms, between East US, West Europe, Japan East, Australia East
#: and Brazil South.
REGION_DELAYS: Final[Mapping[str, Mapping[str, str]]] = _both_ways(
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
_REGIONS: Final[Mapping[str, Mapping[str, int]]] = fixed(
    {
        name: {other: to_microseconds(delay) for other, delay in row.items()}
        for name, row in REGION_DELAYS.items()
    }
)


class Interval(Section):
    """A stretch of simulated time: from the start on and before the stop."""

    start: Duration = 0
    stop: Annotated[int, Span(0, _LATEST)]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.stop <= self.start:
            expected = f"a time after the start, {format_duration(self.start)}"
            raise InvalidInput("stop", format_duration(self.stop), expected)
        return self


def alternating(good: object, bad: object, until: object) -> list[Interval]:
    """Return bad periods that take turns with good ones, beginning with a good one.

    The last bad one is over at ``until`` at the latest.

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
    """Nodes that cannot reach each other for a while; what they send arrives after it.

    Attributes
    ----------
    groups : tuple of tuple of str
        Names of nodes; also as text, ``"node_0,node_1|node_2,node_3"``. A node in no group, such as
        the observer, reaches everyone and is reached by everyone.
    one_way : bool
        Whether only what the first group sends to the others is held.
    """

    groups: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_read_groups)]
    one_way: Flag = False

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        names = list(chain.from_iterable(self.groups))
        if len(self.groups) < 2 or not all(self.groups) or len(set(names)) < len(names):
            expected = "two or more groups of nodes, none empty, no node twice: 'node_0|node_1'"
            written = "|".join(map(",".join, self.groups))
            raise InvalidInput("groups", written, expected)
        return self


def _read_skew(value: object) -> object:
    if isinstance(value, Mapping):
        return {node: to_microseconds(skew, str(node)) for node, skew in value.items()}
    return to_microseconds(value)


def _write_skew(value: int | dict[str, int]) -> str | dict[str, str]:
    if isinstance(value, int):
        return format_duration(value)
    return {node: format_duration(skew) for node, skew in value.items()}


class NetworkConfig(Section):
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
        :func:`~streamlet_lab.simulator.delays.delay_kind`; or a function like those, which a saved
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
        When which nodes cannot reach each other, as :class:`Partition` says.
    sign_time, verify_time : duration
        Simulated time that making or verifying a signature takes; see :data:`ED25519_TIMES`.
    clock_skew : duration or mapping of str to duration
        Each node's clock is late by a random part of this, or by exactly its own value, which is 0
        for a node that is not named.
    catch_up : bool
        Whether leaders send the notarized chain that they extend along with their proposal, as in
        the paper's appendix A, so that nodes can catch up on what they missed.
    """

    delta: Annotated[int, Span(1, _LATEST)] = 500_000
    delays: Named = "lognormal"
    shortest_delay: _Delay | None = None
    median_delay: _Delay = 50_000
    delay_spread: Annotated[float, Number(0, 5)] = 0.7
    samples: Annotated[tuple[_Delay, ...], FailFast()] = ()
    regions: tuple[str, ...] = ()
    region_delays: Annotated[dict[str, dict[str, _Delay]], Field(min_length=1)] | None = None
    link_delays: dict[str, _Delay] = Field(default_factory=dict)
    slow_nodes: dict[str, Annotated[float, Number(1, 1e6)]] = Field(default_factory=dict)
    loss: Annotated[float, Number(0, 1)] = 0.0
    when_lost: Literal["retransmit", "forever"] = "retransmit"
    retransmit_after: _Delay = 200_000
    gst: Annotated[int, Span(0, _LATEST)] = 0
    bad_periods: tuple[Interval, ...] = ()
    slowdown: Annotated[float, Number(1, 1e9)] = 20.0
    held: Annotated[float, Number(0, 1)] = 0.0
    held_together: Flag = False
    partitions: tuple[Partition, ...] = ()
    sign_time: Duration = 0
    verify_time: Duration = 0
    clock_skew: Annotated[
        int | dict[str, int], BeforeValidator(_read_skew), PlainSerializer(_write_skew)
    ] = 0
    catch_up: Flag = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fastest > self.median_delay:
            expected = f"at most the median delay, {format_duration(self.median_delay)}"
            raise InvalidInput("shortest_delay", format_duration(self.fastest), expected)
        if self.delays == "sample" and not self.samples:
            raise InvalidInput("samples", self.samples, "one delay or more to draw from")
        if len(self.link_delays) > MOST_NAMES:  # else a saved run could not be read again
            expected = f"at most {MOST_NAMES:,} delays, as each two of 200 nodes have"
            raise InvalidInput("link_delays", len(self.link_delays), expected)
        for link in self.link_delays:
            parts = _LINK.fullmatch(link)
            if parts is None or parts[1] == parts[2]:
                raise InvalidInput("link_delays", link, "two nodes such as 'node_0>node_1'")
        table = self.region_table
        for name, row in table.items():
            if set(row) != set(table):
                expected = f"a delay to each of {', '.join(table)}"
                raise InvalidInput(f"region_delays.{name}", list(row), expected)
        for name in self.regions:
            to_name(name, table, "regions")
        return self

    @property
    def fastest(self) -> int:
        """The shortest delay in force, in microseconds."""
        return self.median_delay // 2 if self.shortest_delay is None else self.shortest_delay

    @property
    def region_table(self) -> Mapping[str, Mapping[str, int]]:
        """The delays between regions in force, in microseconds."""
        return _REGIONS if self.region_delays is None else self.region_delays

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

    def make_delays(self, stream: Random, nodes: int) -> Any:
        """Return the function that gives the delays of links where nothing is wrong."""
        kind = self.delays if callable(self.delays) else DELAYS[self.delays]
        try:
            inspect.signature(kind).bind(stream, self, nodes)
        except TypeError as error:
            expected = "a function of a stream, the network and the number of nodes"
            raise InvalidInput("network.delays", self.delays, expected) from error
        delay = kind(stream, self, nodes)
        if not callable(delay):
            expected = "what returns a function that gives delays"
            raise InvalidInput("network.delays", self.delays, expected)
        return delay

    def largest_skew(self, node_ids: Iterable[str]) -> int:
        """By how much one node's clock can be behind another's, in microseconds."""
        if isinstance(self.clock_skew, int):
            return self.clock_skew
        offsets = [self.clock_skew.get(node, 0) for node in node_ids]
        return max(offsets) - min(offsets)
