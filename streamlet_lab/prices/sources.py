"""What a source of quotes is like when it is honest: how noisy, how late, how often silent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Annotated, Any, Final

from streamlet_lab.errors import InvalidInput
from streamlet_lab.kinds import read_parameters
from streamlet_lab.units import format_duration, to_microseconds, to_whole
from streamlet_lab.values import Number, Whole, check_ranges

#: The finest part of a dollar that a quote may have.
MICRO_DOLLAR: Final = Decimal("0.000001")

#: Spread of a source's part of the volume: the standard deviation of its logarithm.
VOLUME_SPREAD: Final = 0.5

_MOST: Final = 99
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# Sources share their names' space with the nodes of a simulation.
_NODE_NAME: Final = re.compile(r"node_[0-9]+|observer", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who quotes a price and a volume once in an epoch.

    Parameters
    ----------
    name : str
        Lowercase letters, digits and underscores, such as ``"market_data_1"``; no node's name.
    noise_bp : float
        Standard deviation of its price around the true one, basis points. Honest venues disagree
        by about 1 bp (IBM minute VWAPs over three venues: median 1 bp).
    bias_bp : float
        How much too high its price is on average, basis points.
    lag : int
        Microseconds of market time by which its price, though not its timestamp, is old; rounded up
        to the grid of a simulated path, a tenth of an epoch.
    outage : float
        Share of the epochs in which it says nothing.
    outage_epochs : float
        Mean length of an outage, epochs. An outage ends with every epoch with the same probability,
        and so does the time between two: a Markov chain of two states. At 1, the default, no
        outage lasts for two epochs, so that the share is one half at most.
    volume_share : float
        Of the market's volume, relative to the shares of the other sources.
    confidence_bp : float, optional
        Half the width of the interval that it states around its price, basis points; its noise
        unless given.

    Examples
    --------
    >>> Source("slow_venue", noise_bp=2, lag=1_000_000).stated_confidence_bp
    2.0
    """

    name: str
    noise_bp: Annotated[float, Number(0, 1_000)] = 1.0
    bias_bp: Annotated[float, Number(-5_000, 5_000)] = 0.0
    lag: Annotated[int, Whole()] = 0
    outage: Annotated[float, Number(0, 1, below=True)] = 0.0
    outage_epochs: Annotated[float, Number(1, 1e6)] = 1.0
    volume_share: Annotated[float, Number(1e-6, 1e6)] = 1.0
    confidence_bp: Annotated[float, Number(0, 10_000)] | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            expected = "lowercase letters, digits and underscores, such as 'market_data_1'"
            raise InvalidInput("name", self.name, expected)
        if _NODE_NAME.fullmatch(self.name):
            raise InvalidInput("name", self.name, "a name that no node has")
        check_ranges(self)
        # Rounded, so that nine epochs suffice for a share of 0.9.
        shortest = round(self.outage / (1 - self.outage), 9)
        if self.outage_epochs < shortest:
            expected = f"at least {shortest:g} epochs for an outage of {self.outage:g}"
            raise InvalidInput("outage_epochs", self.outage_epochs, expected)

    @property
    def stated_confidence_bp(self) -> float:
        """Half the width of the interval that it states around its price, basis points."""
        return self.noise_bp if self.confidence_bp is None else self.confidence_bp


def standard_sources(count: int) -> tuple[Source, ...]:
    """Return so many honest sources, all alike; three have the description's names.

    >>> [source.name for source in standard_sources(3)]
    ['market_data_1', 'market_data_2', 'external_feed']
    """
    count = to_whole(count, 1, "sources", _MOST)
    names = [*(f"market_data_{number}" for number in range(1, count)), "external_feed"]
    return tuple(map(Source, names))


def read_sources(value: object) -> tuple[Source, ...]:
    """Return the sources that a setting means: a number of ordinary ones, or a list.

    The list is of sources, their names, or tables of their settings, whose ``lag`` is in seconds or
    a text such as ``"1min"``.

    >>> [source.lag for source in read_sources(["on_time", {"name": "late", "lag": "2s"}])]
    [0, 2000000]
    """
    if not isinstance(value, list | tuple):
        expected = "a whole number from 1 to 99, or a list of sources"
        return standard_sources(to_whole(value, 1, "sources", _MOST, expected))
    return tuple(map(_read_source, value))


def _read_source(value: object) -> Source:
    if isinstance(value, Source):
        return value
    if isinstance(value, str):
        return Source(value)
    if not isinstance(value, Mapping) or "name" not in value:
        raise InvalidInput("sources", value, "the name of a source, or a table with a name in it")
    settings = dict(value)
    if "lag" in settings:
        settings["lag"] = to_microseconds(settings["lag"], "lag")
    return Source(**read_parameters(Source, settings))


def write_sources(sources: tuple[Source, ...]) -> list[Any]:
    """Return what :func:`read_sources` reads, of names and tables that JSON and TOML can hold.

    >>> write_sources((Source("on_time"), Source("late", lag=2_000_000)))
    ['on_time', {'name': 'late', 'lag': '2s'}]
    """
    return [_write_source(source) for source in sources]


def _write_source(source: Source) -> str | dict[str, Any]:
    changed = {
        item.name: getattr(source, item.name)
        for item in fields(source)
        if getattr(source, item.name) != item.default
    }
    if "lag" in changed:
        changed["lag"] = format_duration(source.lag)
    return changed if len(changed) > 1 else source.name
