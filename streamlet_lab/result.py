"""What a run leaves behind: configuration, frames, checks, evidence; saved and loaded whole."""

import html
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pandas as pd

from streamlet_lab.archive import read_archive, write_archive
from streamlet_lab.checks import CheckResult, Status
from streamlet_lab.columns import COLUMNS
from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.consensus import Evidence, FinalityProof, PublicKeys, guaranteed_culprits
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.ledger import Ledger
from streamlet_lab.metrics import (
    activity,
    in_words,
    judged_by,
    market_numbers,
    market_quality,
    sensitivity,
)
from streamlet_lab.units import to_seconds

if TYPE_CHECKING:
    from streamlet_lab.charts import Plots

_FORMAT: Final = "streamlet-lab result 5"

# Of the measures of the market, those that the summary has.
_IN_SUMMARY: Final = (
    "orders",
    "trades",
    "unfair_trades",
    "unfair_trade_rate",
    "fair_orders",
    "fair_orders_stopped",
    "fair_stopped_rate",
    "orders_stopped",
    "stopped_at_entry",
    "stopped_at_trade",
    "swept",
    "without_reference",
    "repriced_orders",
    "fair_orders_repriced",
    "halts",
    "auctions",
    "halted_s",
    "halted_share",
    "median_reference_age_s",
)


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What every finished run has, whatever its blocks carry.

    Parameters
    ----------
    config : ExperimentConfig
        What was run; enough to run it again.
    frames : dict of str to DataFrame
        By name; see :mod:`streamlet_lab.columns` for every column's meaning.
    checks : dict of str to CheckResult
        What became of each property.
    evidence : dict of str to Evidence
        Who is provably guilty, from the votes that honest nodes hold, and by which two votes.
    excerpt : tuple of str
        The smallest part of the trace that shows the first violation, in words; empty without one.
    signatures, verifications : int
        Ed25519 operations that the run carried out.
    ledger : Ledger
        What the observer saw notarized, for finality proofs.
    """

    config: ExperimentConfig
    frames: dict[str, pd.DataFrame]
    checks: dict[str, CheckResult]
    evidence: dict[str, Evidence]
    excerpt: tuple[str, ...]
    signatures: int
    verifications: int
    ledger: Ledger

    @property
    def epochs(self) -> pd.DataFrame:
        """One row for each epoch: what its leader proposed and what became of it."""
        return self.frames["epochs"]

    @property
    def blocks(self) -> pd.DataFrame:
        """One row for each proposed block."""
        return self.frames["blocks"]

    @property
    def finality(self) -> pd.DataFrame:
        """One row for each node and block that it saw notarized."""
        return self.frames["finality"]

    @property
    def messages(self) -> pd.DataFrame:
        """One row for each epoch and kind of message."""
        return self.frames["messages"]

    @property
    def trace(self) -> pd.DataFrame:
        """One row for each first arrival of a message at a node; empty unless traced."""
        return self.frames["trace"]

    @property
    def violation(self) -> pd.DataFrame:
        """One row for each block of the smallest excerpt that shows the first violation."""
        return self.frames["violation"]

    @property
    def forensics(self) -> pd.DataFrame:
        """One row for each node that is provably guilty; see :attr:`evidence` for the votes."""
        return self.frames["forensics"]

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
        """All that others need to verify this run's proofs and evidence.

        Raises
        ------
        InvalidInput
            If signatures were switched off.
        """
        if self.ledger.keys is None:
            raise InvalidInput("signatures", "none", "'ed25519': without signatures no keys")
        return self.ledger.keys

    def proof(self, block: str | int) -> FinalityProof:
        """Return the proof that a block, and what it carries, is final.

        Proofs come from the observer's ledger: of what only other nodes finalized there is none.

        Parameters
        ----------
        block : str or int
            Its hash as the frames have it, or the epoch of a block that the observer finalized.

        Raises
        ------
        InvalidInput
            If there is no such finalized block, or signatures were switched off.
        """
        return self.ledger.proof(block)

    @property
    def summary(self) -> dict[str, Any]:
        """The run on one screen; counts, and times in seconds."""
        epochs, messages = self.epochs, self.messages
        return {
            "epochs": len(epochs),
            "nodes": self.config.nodes,
            "faulty_nodes": len(self.config.faulty_nodes),
            "quorum": self.config.votes_needed,
            "signatures": self.config.signatures,
            "outside_model": list(self.outside_model),
            "safe": self.safe,
            "convicted_nodes": len(self.evidence),
            "proposed_blocks": len(self.blocks),
            "finalized_blocks": int(epochs["finalized_s"].notna().sum()),
            "median_latency_s": _rounded(epochs["latency_s"].median()),
            "mean_latency_s": _rounded(epochs["latency_s"].mean()),
            "mean_latency_epochs": _rounded(epochs["latency_epochs"].mean()),
            "messages": int((messages["sent"] + messages["echoed"]).sum()),
        }

    def __repr__(self) -> str:
        return "\n".join(f"{label:<22} {value}" for label, value in self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{label}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for label, value in self._lines()
        )
        return f"<table>{rows}</table>"

    def _lines(self) -> list[tuple[str, str]]:
        return [*self._protocol_lines(), *self._check_lines()]

    def _protocol_lines(self) -> list[tuple[str, str]]:
        summary = self.summary
        median = summary["median_latency_s"]
        return [
            (
                "Nodes",
                (
                    f"{summary['nodes']}, {summary['faulty_nodes']} faulty, "
                    f"quorum {summary['quorum']}, signatures {summary['signatures']}"
                ),
            ),
            ("Finalized", f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks"),
            ("Finality latency", "nothing final" if median is None else f"median {median} s"),
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


@dataclass(frozen=True, eq=False, repr=False)
class ProtocolRun(Run):
    """A finished run of the bare protocol, without prices or a market.

    It has what every :class:`Run` has: ``config``, ``checks``, ``evidence``, ``excerpt``,
    ``signatures``, ``verifications``, ``ledger`` and ``frames``, each frame also under its own
    name, such as ``run.blocks``. Columns: :data:`streamlet_lab.columns.PROTOCOL_COLUMNS`.
    """

    @property
    def plot(self) -> "Plots":
        """The charts of this run: ``run.plot.block_tree()`` and so on."""
        from streamlet_lab.charts import Plots

        return Plots(self)

    def _lines(self) -> list[tuple[str, str]]:
        return [("Epochs", str(len(self.epochs))), *super()._lines()]


@dataclass(frozen=True, eq=False, repr=False)
class Result(Run):
    """A finished run of the whole system.

    It has what every :class:`Run` has: ``config``, ``checks``, ``evidence``, ``excerpt``,
    ``signatures``, ``verifications``, ``ledger`` and ``frames``, each frame also under its own
    name, such as ``result.orders``. Columns: :data:`streamlet_lab.columns.COLUMNS`.
    """

    @property
    def symbol(self) -> str:
        """The symbol, or the first of those, whose price was agreed on."""
        return self.config.symbols[0]

    @property
    def prices(self) -> pd.DataFrame:
        """One row for each epoch and symbol: what the epoch's block says of it."""
        return self.frames["prices"]

    @property
    def quotes(self) -> pd.DataFrame:
        """One row for each source, symbol and epoch."""
        return self.frames["quotes"]

    @property
    def orders(self) -> pd.DataFrame:
        """One row for each order."""
        return self.frames["orders"]

    @property
    def trades(self) -> pd.DataFrame:
        """One row for each trade."""
        return self.frames["trades"]

    @property
    def rejections(self) -> pd.DataFrame:
        """One row for each time that the market refused an order or took shares of it away."""
        return self.frames["rejections"]

    @property
    def bands(self) -> pd.DataFrame:
        """One row for each move of a band, and each change of a market's state."""
        return self.frames["bands"]

    @property
    def book(self) -> pd.DataFrame:
        """One row for each sampled instant and symbol: the best prices, the band, the truth."""
        return self.frames["book"]

    @property
    def depth(self) -> pd.DataFrame:
        """One row for each sampled instant, symbol, side and price of the book."""
        return self.frames["depth"]

    @property
    def market_quality(self) -> pd.DataFrame:
        """One row for each symbol: fair orders stopped, unfair trades, spread, delays, ages.

        See :data:`streamlet_lab.metrics.MEASURES` for the meaning of each column.
        """
        return market_quality(self.frames, self.config.symbols, self._epoch_s)

    @property
    def market_numbers(self) -> dict[str, Any]:
        """The same of all symbols together; None for what cannot be measured."""
        return market_numbers(self.frames, self._epoch_s)

    def market_numbers_at(self, fair_percent: Any) -> dict[str, Any]:
        """Return the same where another ``fair_percent`` says which prices are fair.

        The market itself never asks what is fair, so that this needs no other run.

        Raises
        ------
        InvalidInput
            If it is no percentage in hundredths.
        """
        return market_numbers(judged_by(self.frames, fair_percent), self._epoch_s)

    def sensitivity(self, fair_percents: Iterable[Any] = (1, 2, 5)) -> pd.DataFrame:
        """Return how much depends on what is called fair: a row for each ``fair_percent``.

        Columns: :data:`streamlet_lab.metrics.OF_FAIRNESS`.

        Raises
        ------
        InvalidInput
            If one of them is no percentage in hundredths.
        """
        return sensitivity(self.frames, fair_percents)

    @property
    def _epoch_s(self) -> float:
        return to_seconds(self.config.epoch_length)

    @property
    def plot(self) -> "Plots":
        """The charts of this result: ``result.plot.prices()`` and so on."""
        from streamlet_lab.charts import Plots

        return Plots(self)

    @property
    def largest_displacement_bp(self) -> float | None:
        """How far the worst final price is from the true one of its epoch, in basis points.

        None where no price is final.
        """
        final = self.prices[self.prices["finalized_s"].notna()]
        displacement = (final["consensus_price"] / final["true_price"] - 1) * 10_000
        largest = displacement.abs().max()
        return None if pd.isna(largest) else float(largest)

    @property
    def summary(self) -> dict[str, Any]:
        """The run on one screen; counts, and times in seconds."""
        is_priced = self.prices["claim"] == "price_consensus"
        final = self.prices["finalized_s"].notna()
        numbers = activity(self.frames)
        return {
            "symbol": ", ".join(self.config.symbols),
            "feed": str(self.config.feed),
            **super().summary,
            "sources": len(self.config.prices.sources),
            "faulty_sources": len(self.config.faulty_sources),
            "tolerated_sources": self.config.prices.tolerated_sources,
            "finalized_prices": int((final & is_priced).sum()),
            "epochs_without_price": int((~is_priced).groupby(self.prices["epoch"]).any().sum()),
            "refused_blocks": int((self.blocks["refusals"] > 0).sum()),
            "largest_displacement_bp": _rounded(self.largest_displacement_bp),
            **{name: numbers[name] for name in _IN_SUMMARY},
            "halted_s": _rounded(numbers["halted_s"]),
            "median_reference_age_s": _rounded(numbers["median_reference_age_s"]),
        }

    def save(self, path: str | Path) -> None:
        """Write the result to one file, a zip of JSON and CSV that other tools can open.

        Raises
        ------
        InvalidInput
            If the path does not end in ``.zip``.
        """
        members = {
            f"{name}.csv": frame.to_csv(index=False, lineterminator="\n").encode()
            for name, frame in self.frames.items()
        }
        members["ledger.json"] = (json.dumps(self.ledger.to_document()) + "\n").encode()
        manifest = {
            "format": _FORMAT,
            "config": self.config.to_document(),
            "checks": [asdict(check) for check in self.checks.values()],
            "evidence": [evidence.to_document() for evidence in self.evidence.values()],
            "excerpt": list(self.excerpt),
            "signatures": self.signatures,
            "verifications": self.verifications,
        }
        write_archive(Path(path), manifest, members)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved result.

        Raises
        ------
        DataError
            If the file is missing, is not a saved result, or was changed since it was written.
        """
        path = Path(path)
        manifest, members = read_archive(path, _FORMAT)
        try:
            checks = [
                CheckResult(**{**check, "status": Status(check["status"])})
                for check in manifest["checks"]
            ]
            evidence = map(Evidence.from_document, manifest["evidence"])
            return cls(
                config=make_config(**manifest["config"]),
                frames={name: _read_frame(name, members[f"{name}.csv"]) for name in COLUMNS},
                checks={check.name: check for check in checks},
                evidence={each.culprit: each for each in evidence},
                excerpt=tuple(manifest["excerpt"]),
                signatures=manifest["signatures"],
                verifications=manifest["verifications"],
                ledger=Ledger.from_document(json.loads(members["ledger.json"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path}: not a saved result, or damaged ({error})") from error

    def _refusals_in_words(self) -> list[tuple[str, str]]:
        refused = self.blocks[self.blocks["refusals"] > 0]
        if refused.empty:
            return []
        return [("Refused by voters", f"{len(refused)} blocks, first: {refused['reason'].iloc[0]}")]

    def _sources_in_words(self) -> str:
        prices = self.config.prices
        tolerated = "?" if prices.tolerated_sources is None else prices.tolerated_sources
        return (
            f"{len(prices.sources)}, {len(self.config.faulty_sources)} faulty, "
            f"{prices.aggregator_name} tolerates {tolerated}, voters: {prices.voter_policy}"
        )

    def _lines(self) -> list[tuple[str, str]]:
        summary = self.summary
        return [
            ("Feed", f"{summary['feed']} ({summary['symbol']}), {summary['epochs']} epochs"),
            *self._protocol_lines(),
            ("Sources", self._sources_in_words()),
            *self._refusals_in_words(),
            ("Epochs without price", str(summary["epochs_without_price"])),
            ("Farthest from true", _or_nothing(summary["largest_displacement_bp"], "bp")),
            *in_words(summary),
            *self._check_lines(),
        ]


def _or_nothing(value: float | None, unit: str) -> str:
    return "nothing final" if value is None else f"{value:.1f} {unit}"


def _rounded(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), 3)


def _read_frame(name: str, content: bytes) -> pd.DataFrame:
    columns = COLUMNS[name]
    texts = [column for column, what in columns.items() if what.dtype == "str"]
    numbers = {column: [""] for column in columns if column not in texts}
    return pd.read_csv(
        io.BytesIO(content),
        dtype={column: what.dtype for column, what in columns.items()},
        na_values=numbers,
        keep_default_na=False,
    )[list(columns)]
