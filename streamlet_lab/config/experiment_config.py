"""The configuration of an experiment: data that can be saved, loaded, compared and run again."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import BeforeValidator, model_validator

from streamlet_lab.config.frame_feed import Feed
from streamlet_lab.config.market_config import OBSERVER, MarketConfig
from streamlet_lab.config.network_config import NetworkConfig
from streamlet_lab.config.prices_config import PricesConfig
from streamlet_lab.consensus.quorums import FaultModel, max_faulty, quorum
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault, read_faults
from streamlet_lab.files import write_atomically
from streamlet_lab.keys import SignatureScheme
from streamlet_lab.prices import (
    FRAME,
    SIMULATED,
    TRADING_DAY,
    FrameFeed,
    feed_symbol,
    source_fault_kinds,
)
from streamlet_lab.texts import MOST_SETTINGS, nearest, parse_json, parse_toml, to_path
from streamlet_lab.units import format_duration, to_name, to_whole
from streamlet_lab.values import Flag, Section, Span, Whole, functions_in, kind_name

# A year of 252 trading days, and what is left of the calendar from 2024 to 9999, with room for what
# is drawn ahead of a run.
_LONGEST_EPOCH = 252 * TRADING_DAY
_LONGEST_MARKET_TIME = 7_500 * 365 * 86_400_000_000

_SYMBOL = re.compile(r"[A-Z][A-Z0-9.-]{0,11}", re.ASCII)
_MOST_SYMBOLS = 20

_QUORUMS = {"byzantine": "⌈2n/3⌉", "crash": "⌊n/2⌋ + 1", "synchronous": "⌈n/2⌉"}


def _read_leaders(value: object) -> object:
    named = isinstance(value, list | tuple) and value and all(isinstance(n, str) for n in value)
    if not named and not (isinstance(value, str) and value in ("round_robin", "hashed")):
        expected = "'round_robin', 'hashed' or a list of names of nodes"
        raise InvalidInput("leaders", value, expected + nearest(value, ["round_robin", "hashed"]))
    return value


Leaders = Annotated[
    Literal["round_robin", "hashed"] | tuple[str, ...], BeforeValidator(_read_leaders)
]


def _read_quorum(value: object) -> object:
    if isinstance(value, str) and value == "2f+1":
        return value
    return to_whole(value, 1, "quorum", None, "a whole number of at least 1, or '2f+1'")


Quorum = Annotated[int | Literal["2f+1"], BeforeValidator(_read_quorum)]


def _read_symbols(value: object) -> object:
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= _MOST_SYMBOLS:
        raise InvalidInput("symbols", value, f"a list of 1 to {_MOST_SYMBOLS} symbols")
    for symbol in value:
        if not (isinstance(symbol, str) and _SYMBOL.fullmatch(symbol)):
            expected = "at most 12 capital letters, digits, points and hyphens, such as 'BRK-B'"
            raise InvalidInput("symbols", symbol, expected)
    if len(set(value)) < len(value):
        raise InvalidInput("symbols", value, "each symbol once")
    return value


Symbols = Annotated[tuple[str, ...], BeforeValidator(_read_symbols)]


class ExperimentConfig(Section):
    """Everything that determines a run.

    Attributes
    ----------
    epochs : int
        Length of the run.
    nodes : int
        How many vote: ``node_0`` and so on.
    seed : int
        What all randomness begins with: the same seed gives the same run.
    feed : str
        ``"simulated"``; ``"history"`` or ``"history-2012"``, the real one of each symbol;
        ``"aapl-2012"``, one that names its symbol; ``"lobster"``, from files of that format; the
        path of a CSV file; or a DataFrame. These two have columns ``time``, ``price`` and
        ``volume``, or ``Date``, ``Close`` and ``Volume``. A row of daily prices is one trading day,
        6.5 hours of market time.
    symbols : tuple of str
        What prices the nodes agree on; one block carries them all. The feed's own, or ``"AAPL"``,
        unless given. A single one need not be in a list.
    faults : tuple of Fault
        Of nodes, or of sources. Also a mapping of each to a short form,
        ``{"node_3": "crash@4", "external_feed": "biased"}``, or the text that the command line
        takes, ``"node_3=crash@4,external_feed=biased"``.
    model : {"byzantine", "crash", "synchronous"}
        What the paper's promises are taken from: section 3, appendix A or section 4.
    leaders : {"round_robin", "hashed"} or tuple of str
        Who leads: the nodes in turn, as in the description; at random by a hash of the epoch, as in
        the paper; or the names of nodes, one an epoch, again from the first when they end.
    epoch_length : duration
        Protocol time of an epoch; the paper's 2Δ unless given.
    market_time_per_epoch : duration
        How much the market moves on in an epoch; ``"6.5h"`` is one trading day, and so one row of
        daily prices.
    quorum : int or "2f+1", optional
        Votes that notarize; what the model needs (⌈2n/3⌉ for Byzantine nodes) unless given. The
        rule 2f + 1 with f = ⌊(n − 1)/3⌋ is unsafe except for n = 3f + 1; the description, which has
        f = 1 for every n, means 3.
    echo : bool
        Whether nodes pass on every message that is new to them.
    signatures : {"ed25519", "none"}
        How messages are signed. Without signatures a run is faster and its prices are the same: no
        fault can forge a vote or a quote without them either.
    remember_verifications : bool
        False makes every receiver verify every signature itself.
    trace : bool
        Whether the first arrival of every message at every node is recorded.
    record : {"all", "summary"}
        What stays of a run: with ``"summary"`` no frames, but ``result.summary`` and the checks, as
        they are with ``"all"``. Then memory hardly grows with the epochs, unless a fault of a node
        does worse than to fall silent or late, or a node is down for a while.
    """

    epochs: Annotated[int, Whole(1, 10_000_000)] = 60
    nodes: Annotated[int, Whole(1, 1_000)] = 4
    seed: Annotated[int, Whole(0, 2**63 - 1)] = 0
    feed: Feed = "simulated"
    symbols: Symbols = ("AAPL",)
    faults: Annotated[tuple[Fault, ...], BeforeValidator(read_faults)] = ()
    model: FaultModel = "byzantine"
    leaders: Leaders = "round_robin"
    epoch_length: Annotated[int, Span(1)] = 1_000_000
    market_time_per_epoch: Annotated[int, Span(1, _LONGEST_EPOCH)] = TRADING_DAY
    quorum: Quorum | None = None
    echo: Flag = True
    signatures: SignatureScheme = "ed25519"
    remember_verifications: Flag = True
    trace: Flag = False
    record: Literal["all", "summary"] = "all"
    network: NetworkConfig = NetworkConfig()
    prices: PricesConfig = PricesConfig()
    market: MarketConfig = MarketConfig()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "epoch_length" not in self.model_fields_set:
            object.__setattr__(self, "epoch_length", 2 * self.network.delta)
        if self.trace and self.record == "summary":
            raise InvalidInput("record", self.record, "'all' with a trace, which is a frame")
        self._check_symbols()
        self._check_market_time()
        if isinstance(self.quorum, int) and self.quorum > self.nodes:
            raise InvalidInput("quorum", self.quorum, f"at most the number of nodes, {self.nodes}")
        for fault in self.faults:
            self._check_fault(fault)
        object.__setattr__(self, "faults", tuple(map(self._by_name, self.faults)))
        self._check_names()
        return self

    def _check_symbols(self) -> None:
        own = str(self.feed).startswith(FRAME)
        named = None if own else feed_symbol(str(self.feed))
        if "symbols" not in self.model_fields_set and named is not None:
            object.__setattr__(self, "symbols", (named,))
        symbols = self.symbols
        if named is not None and symbols != (named,):
            raise InvalidInput("symbols", symbols, f"{named} alone: the feed {self.feed!r} is its")
        if own and len(symbols) > 1:
            raise InvalidInput("symbols", symbols, "one symbol: a frame is the feed of one")
        for symbol in self.prices.assets:
            to_name(symbol, symbols, "prices.assets")
        if self.feed == SIMULATED:
            for symbol in symbols:
                self.prices.check_start(symbol)

    def _check_market_time(self) -> None:
        step = self.market_time_per_epoch
        if self.epochs * step > _LONGEST_MARKET_TIME:
            expected = f"so little that {self.epochs} epochs end before the year 9999"
            raise InvalidInput("market_time_per_epoch", format_duration(step), expected)

    def _check_fault(self, fault: Fault) -> None:
        sources = self.prices.source_names
        if self._is_of_sources(fault):
            what, known = "sources", sources
            expected = f"a source, as {fault.kind!r} is a fault of sources: {', '.join(sources)}"
        else:
            what, known = "nodes", self.node_ids
            expected = self._any_node
        for name in fault.nodes:
            if name not in known:
                if name in sources:
                    expected += f"; the faults of sources are {', '.join(source_fault_kinds())}"
                raise InvalidInput("faults", name, expected + nearest(name, known))
        if fault.count is not None and fault.count > len(known):
            raise InvalidInput("faults", fault.count, f"a count of at most {len(known)} {what}")

    def _by_name(self, fault: Fault) -> Fault:
        """Name the sources of a fault that counts them: so a file says whose fault it is."""
        if fault.count and self._is_of_sources(fault):
            return replace(fault, nodes=fault.affected(self.prices.source_names), count=None)
        return fault

    def _check_names(self) -> None:
        """Refuse names of nodes that there are not, in any setting that has names."""
        network, market = self.network, self.market
        groups = chain.from_iterable(partition.groups for partition in network.partitions)
        skewed = network.clock_skew if isinstance(network.clock_skew, Mapping) else ()
        links = (link.split(">") for link in network.link_delays)
        named: list[tuple[str, Iterable[str], bool]] = [
            ("leaders", () if isinstance(self.leaders, str) else self.leaders, False),
            ("network.partitions", chain.from_iterable(groups), False),
            ("network.clock_skew", skewed, False),
            ("network.slow_nodes", network.slow_nodes, True),
            ("network.link_delays", chain.from_iterable(links), True),
            ("market.reference_node", [market.reference_node], True),
        ]
        known = {*self.node_ids}
        for field, names, may_be_observer in named:
            for name in names:
                if name not in known and not (may_be_observer and name == OBSERVER):
                    either = f"'{OBSERVER}' or " if may_be_observer else ""
                    hint = nearest(name, [*self.node_ids, OBSERVER])
                    raise InvalidInput(field, name, either + self._any_node + hint)

    @property
    def _any_node(self) -> str:
        return f"a node from node_0 to node_{self.nodes - 1}"

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
    def node_faults(self) -> tuple[Fault, ...]:
        """The faults of nodes."""
        return tuple(fault for fault in self.faults if not self._is_of_sources(fault))

    @property
    def source_faults(self) -> tuple[Fault, ...]:
        """The faults of sources."""
        return tuple(fault for fault in self.faults if self._is_of_sources(fault))

    def _is_of_sources(self, fault: Fault) -> bool:
        # A saved configuration may have a kind that is not registered here: its names tell.
        names = self.prices.source_names
        named = bool(fault.nodes) and all(name in names for name in fault.nodes)
        return named or fault.kind in source_fault_kinds()

    @property
    def faulty_nodes(self) -> frozenset[str]:
        """All nodes that have a fault at some time of the run."""
        return self._affected(self.node_faults, self.node_ids)

    @property
    def faulty_sources(self) -> frozenset[str]:
        """All sources that have a fault at some time of the run."""
        return self._affected(self.source_faults, self.prices.source_names)

    def _affected(self, faults: Iterable[Fault], names: tuple[str, ...]) -> frozenset[str]:
        return frozenset(
            name for fault in faults if fault.start < self.epochs for name in fault.affected(names)
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
        beyond = {fault.kind for fault in self.node_faults if fault.kind != "crash"}
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
        functions = functions_in(self)
        reasons = [f"{place} is the function {kind_name(each)}" for place, each in functions]
        if isinstance(self.feed, str) and self.feed.startswith(FRAME):
            reasons.append(f"feed is the digest of a frame, {self.feed}")
        return tuple(reasons)

    def to_document(self) -> dict[str, Any]:
        """Return the configuration as plain data, which has of a frame only the digest."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        if self.record == "all":  # as files have it from before there was a choice
            del document["record"]
        if not self.prices.jumps:  # likewise
            del document["prices"]["jumps"]
        return document

    def save(self, path: str | Path) -> None:
        """Write the configuration to a ``.toml`` or ``.json`` file, if it can be read again.

        The prices of a feed that is a frame are in it.
        """
        path, document = to_path(path), self.to_document()
        if isinstance(self.feed, FrameFeed):
            document["feed"] = self.feed.to_csv().decode()
        again = f"{path}: could not be read again"
        match path.suffix:
            case ".toml":
                text = tomli_w.dumps(document, multiline_strings=True)
                parse_toml(text, again)
            case ".json":
                text = json.dumps(document, indent=2) + "\n"
                parse_json(text, again, most=MOST_SETTINGS)
            case _:
                raise InvalidInput("path", str(path), "a file name ending in .toml or .json")
        write_atomically(path, text.encode())


def check_config(config: object) -> ExperimentConfig:
    """Return a configuration, or refuse what is none."""
    if not isinstance(config, ExperimentConfig):
        expected = "an ExperimentConfig, such as Experiment(nodes=4).config"
        raise InvalidInput("config", config, expected)
    return config
