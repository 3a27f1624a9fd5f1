"""What a run leaves behind: configuration, frames, checks, evidence; saved and loaded whole."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from streamlet_lab.checks import CHECKS, CheckResult, Status
from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS, ROWS
from streamlet_lab.comparison import Comparison, compare, other_frames
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import Evidence, FinalityProof, PublicKeys, guaranteed_culprits
from streamlet_lab.consensus.documents import GREATEST_INTEGER, Document
from streamlet_lab.errors import DataError, InvalidInput, StreamletLabError
from streamlet_lab.files import parse_member, read_archive, write_archive
from streamlet_lab.fixed import fixed
from streamlet_lab.frames import OwnCopies, columns_of, read_frame, write_frame, write_parquet
from streamlet_lab.ledger import Ledger
from streamlet_lab.metrics import market_numbers, market_quality, sensitivity
from streamlet_lab.prices import FrameFeed
from streamlet_lab.texts import decode, html_table, printable, to_path
from streamlet_lab.totals import Totals, has_prices, in_words, not_recorded, summarize
from streamlet_lab.units import to_name, to_seconds
from streamlet_lab.values import Flag, Whole

if TYPE_CHECKING:
    import pandas as pd

    from streamlet_lab.charts import Plots

_LEDGER: Final = "ledger.json"
_FEED: Final = "feed.csv"


class _Frame:
    """A frame of a result under its own name, documented by its rows."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        self.__doc__ = ROWS[name].__doc__

    def __get__(self, result: "Result | None", owner: type) -> "pd.DataFrame":
        # Of the class itself it is asked for its documentation only.
        return self if result is None else result.frames[self._name]  # type: ignore[return-value]


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A finished run: of the whole system, or of the bare protocol.

    Attributes
    ----------
    config : ExperimentConfig
        What was run; enough to run it again.
    frames : mapping of str to DataFrame
        By name, each also under its own name, such as ``result.orders``; see
        :mod:`streamlet_lab.columns` for every column's meaning. Without a market those of prices,
        quotes, orders, trades and the book are empty.
    checks : dict of str to CheckResult
    evidence : dict of str to Evidence
        Who is provably guilty, from the votes that honest nodes hold, and by which two votes.
    excerpt : tuple of str
        The smallest part of the trace that shows the first violation, in words; empty without one.
    signatures, verifications : int
        Ed25519 operations that the run carried out.
    ledger : Ledger
        What the observer saw notarized, for finality proofs.
    totals : Totals or None
        What the summary is made of where no frames are recorded, with ``record="summary"``: frames,
        measures of the market, charts, proofs and files are refused then.
    """

    config: ExperimentConfig
    frames: Mapping[str, "pd.DataFrame"]
    checks: dict[str, CheckResult]
    evidence: dict[str, Evidence]
    excerpt: tuple[str, ...]
    signatures: int
    verifications: int
    ledger: Ledger
    totals: Totals | None = None

    def __post_init__(self) -> None:
        shown = {"frames": OwnCopies(self.frames)}
        for name in ("checks", "evidence"):
            shown[name] = fixed(getattr(self, name))
        for name, value in shown.items():
            object.__setattr__(self, name, value)

    epochs = _Frame()
    prices = _Frame()
    blocks = _Frame()
    finality = _Frame()
    quotes = _Frame()
    orders = _Frame()
    trades = _Frame()
    rejections = _Frame()
    bands = _Frame()
    book = _Frame()
    depth = _Frame()
    messages = _Frame()
    trace = _Frame()
    violation = _Frame()
    forensics = _Frame()

    @property
    def has_market(self) -> bool:
        """Whether blocks carried prices that were traded against."""
        if self.totals is not None:
            return self.totals.counts["prices"] > 0
        return has_prices(columns_of(self.frames))

    @cached_property
    def _totals(self) -> Totals:
        return Totals.of(columns_of(self.frames)) if self.totals is None else self.totals

    @property
    def symbol(self) -> str:
        """The symbol, or the first of those, whose price was agreed on."""
        return self.config.symbols[0]

    @property
    def outside_model(self) -> tuple[str, ...]:
        """Why the paper promises nothing for this run; empty if it does."""
        return self.config.outside_model

    @property
    def safe(self) -> bool:
        """Whether no property was violated."""
        return all(check.status is not Status.VIOLATED for check in self.checks.values())

    @property
    def guaranteed_culprits(self) -> int:
        """How many nodes forensics must be able to convict once final chains conflict: 2q − n."""
        return guaranteed_culprits(self.config.nodes, self.config.votes_needed)

    @property
    def keys(self) -> PublicKeys:
        """All that others need to verify this run's proofs and evidence, if it has signatures."""
        if self.ledger.keys is None:
            raise InvalidInput("signatures", "none", "'ed25519': without signatures no keys")
        return self.ledger.keys

    def proof(self, block: str | int) -> FinalityProof:
        """Return the proof that a block, and what it carries, is final.

        The block is named by its hash as the frames have it, or by its epoch. Proofs come from the
        observer's ledger: of what only other nodes finalized, or without signatures, there is none.
        """
        if self.totals is not None:
            raise not_recorded("proof")
        return self.ledger.proof(block)

    @property
    def plot(self) -> "Plots":
        """The charts of this result: ``result.plot.prices()`` and so on."""
        from streamlet_lab.charts import Plots

        return Plots(self)

    @property
    def market_quality(self) -> "pd.DataFrame":
        """One row for each symbol: fair orders stopped, unfair trades, spread, delays, ages.

        See :data:`streamlet_lab.metrics.MEASURES` for the meaning of each column.
        """
        return market_quality(self.frames, self.config.symbols, self._epoch_s)

    @property
    def market_numbers(self) -> dict[str, Any]:
        """The same of all symbols together; None for what cannot be measured."""
        return market_numbers(self.frames, self._epoch_s)

    def sensitivity(self, fair_percents: Iterable[Any] = (1, 2, 5)) -> "pd.DataFrame":
        """Return how much depends on what is called fair: a row for each ``fair_percent``.

        Columns: :data:`streamlet_lab.metrics.OF_FAIRNESS`. The market itself never asks what is
        fair, so that this needs no other run.
        """
        return sensitivity(self.frames, fair_percents)

    @property
    def _epoch_s(self) -> float:
        return to_seconds(self.config.epoch_length)

    @property
    def largest_displacement_bp(self) -> float | None:
        """How far the worst final price is from the true one of its epoch, in basis points.

        None where no price is final.
        """
        return self._totals.farthest_bp

    @property
    def summary(self) -> dict[str, Any]:
        """The run on one screen; counts, and times in seconds."""
        return summarize(self.config, self._totals, safe=self.safe, convicted=len(self.evidence))

    def compare(self, other: "Result") -> Comparison:
        """Return what differs between this result and another one, row by row.

        Blocks are paired by epoch and proposer, orders by symbol and name, and so on.
        """
        if not isinstance(other, Result):
            raise InvalidInput("other", other, "a result, such as Experiment.run() returns")
        mine, others = (
            {**other_frames(each.config, each.checks), **each.frames} for each in (self, other)
        )
        return compare(mine, others)

    def save(self, path: str | Path) -> None:
        """Write the result to one ``.zip`` file, of JSON and CSV that other tools can open.

        A feed that is a frame of one's own is in it, so that the run can be made again anywhere.
        """
        manifest = _Manifest(
            self.has_market,
            self.config,
            (*self.checks.values(),),
            (*self.evidence.values(),),
            self.excerpt,
            self.signatures,
            self.verifications,
        )
        members = {f"{name}.csv": write_frame(frame) for name, frame in self.frames.items()}
        if isinstance(self.config.feed, FrameFeed):
            members[_FEED] = self.config.feed.to_csv()
        members[_LEDGER] = (json.dumps(self.ledger.to_document()) + "\n").encode()
        write_archive(to_path(path), manifest.to_document(), members)

    def to_parquet(self, folder: str | Path) -> None:
        """Write each frame to a file of a folder, such as ``orders.parquet``.

        This needs the extra ``parquet``.
        """
        for name, frame in self.frames.items():
            write_parquet(to_path(folder) / f"{name}.parquet", frame)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved result.

        Raises
        ------
        DataError
            If the file is missing, is not a saved result, or was changed since it was written.
        """
        path = to_path(path)
        names = [*(f"{name}.csv" for name in COLUMNS), _LEDGER]
        document, members = read_archive(path, _Manifest.FORMAT, names, [_FEED])
        try:
            manifest = _Manifest.from_document(document)
            known = COLUMNS if manifest.market else PROTOCOL_COLUMNS
            result = cls(
                config=_with_feed(manifest.config, members.get(_FEED)),
                frames={
                    name: read_frame(name, members[f"{name}.csv"], known[name]) for name in known
                },
                checks={check.name: check for check in manifest.checks},
                evidence={each.culprit: each for each in manifest.evidence},
                excerpt=manifest.excerpt,
                signatures=manifest.signatures,
                verifications=manifest.verifications,
                ledger=Ledger.from_document(parse_member(_LEDGER, members[_LEDGER])),
            )
            if result.has_market is not manifest.market:
                raise InvalidInput("result.market", manifest.market, "whether there are prices")
        except StreamletLabError as error:
            raise DataError(f"{path}: not a saved result, or damaged ({error})") from error
        return result

    def __repr__(self) -> str:
        return "\n".join(printable(f"{label:<22} {value}") for label, value in self._lines())

    def _repr_html_(self) -> str:
        return html_table(self._lines())

    def _lines(self) -> list[tuple[str, str]]:
        summary = self.summary
        first, median = ("Epochs", str(summary["epochs"])), summary["median_latency_s"]
        if self.has_market:
            epochs = f"{summary['epochs']} epochs"
            first = ("Feed", f"{summary['feed']} ({summary['symbol']}), {epochs}")
        nodes = (
            f"{summary['nodes']}, {summary['faulty_nodes']} faulty, "
            f"quorum {summary['quorum']}, signatures {summary['signatures']}"
        )
        return [
            first,
            ("Nodes", nodes),
            ("Finalized", f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks"),
            ("Finality latency", "nothing final" if median is None else f"median {median} s"),
            *(self._price_lines(summary) if self.has_market else ()),
            *self._check_lines(),
        ]

    def _price_lines(self, summary: Mapping[str, Any]) -> list[tuple[str, str]]:
        prices, farthest = self.config.prices, summary["largest_displacement_bp"]
        tolerated = "?" if prices.tolerated_sources is None else prices.tolerated_sources
        sources = (
            f"{len(prices.sources)}, {len(self.config.faulty_sources)} faulty, "
            f"{prices.aggregator_name} tolerates {tolerated}, voters: {prices.voter_policy}"
        )
        lines = [("Sources", sources)]
        if refused := summary["refused_blocks"]:
            reason = self._totals.first_refusal
            lines.append(("Refused by voters", f"{refused} blocks, first: {reason}"))
        displacement = "nothing final" if farthest is None else f"{farthest:.1f} bp"
        return [
            *lines,
            ("Epochs without price", str(summary["epochs_without_price"])),
            ("Farthest from true", displacement),
            *in_words(summary),
        ]

    def _check_lines(self) -> list[tuple[str, str]]:
        lines = [
            (check.name.replace("_", " ").capitalize(), f"{check.status}: {check.evidence}")
            for check in self.checks.values()
        ]
        if self.evidence:
            lines.append(("Convicted", ", ".join(self.evidence)))
        lines += [("Outside the model", reason) for reason in self.outside_model]
        return lines + [("Cannot be run again", why) for why in self.config.not_rerunnable]


def _with_feed(config: ExperimentConfig, content: bytes | None) -> ExperimentConfig:
    """Return a configuration with the frame that its feed was, if that was saved too."""
    if content is None:
        return config
    feed = FrameFeed.from_csv(decode(content, _FEED), _FEED)
    if str(feed) != config.feed:
        raise InvalidInput("config.feed", config.feed, f"what {_FEED} has, {feed}")
    return config.model_copy(update={"feed": feed})


def _check_names(checks: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
    for check in checks:
        to_name(check.name, tuple(CHECKS), "name")
    return checks


_Count = Annotated[int, Whole(0, GREATEST_INTEGER)]


@dataclass(frozen=True, slots=True)
class _Manifest(Document):
    """What a saved result has beside its frames and its ledger."""

    FORMAT: ClassVar = "streamlet-lab result 6"

    market: Flag
    config: Annotated[ExperimentConfig, PlainSerializer(ExperimentConfig.to_document)]
    checks: Annotated[tuple[CheckResult, ...], AfterValidator(_check_names)]
    evidence: tuple[
        Annotated[
            Evidence, BeforeValidator(Evidence.from_document), PlainSerializer(Evidence.to_document)
        ],
        ...,
    ]
    excerpt: tuple[str, ...]
    signatures: _Count
    verifications: _Count
