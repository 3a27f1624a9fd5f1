"""What a run leaves behind: configuration, frames, checks, summary; saved and loaded whole."""

import hashlib
import html
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pandas as pd

from streamlet_lab.checks import CheckResult, Status
from streamlet_lab.columns import COLUMNS
from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from streamlet_lab.charts import Plots

_FORMAT: Final = "streamlet-lab result 1"
# Zip files carry a time for each member; a fixed one keeps the same result the same bytes. So does
# storing them plain: compressors differ between machines.
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class ProtocolRun:
    """A finished run of the bare protocol, without prices or a market.

    Parameters
    ----------
    config : ExperimentConfig
    epochs : DataFrame
        One row for each epoch; see :data:`streamlet_lab.columns.PROTOCOL_COLUMNS`.
    """

    config: ExperimentConfig
    epochs: pd.DataFrame

    def plot(self) -> "Figure":
        """Draw the chain: every block at its epoch and height."""
        from streamlet_lab.charts import plot_protocol

        return plot_protocol(self.epochs)

    def __repr__(self) -> str:
        final = int(self.epochs["finalized_s"].notna().sum())
        proposed = int((self.epochs["block_hash"] != "").sum())
        return (
            f"{self.config.nodes} nodes, quorum {self.config.votes_needed}: {final} of {proposed} "
            f"proposed blocks final after {len(self.epochs)} epochs"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A finished run.

    Parameters
    ----------
    config : ExperimentConfig
        What was run; enough to run it again.
    symbol : str
    frames : dict of str to DataFrame
        By name; see :data:`streamlet_lab.columns.COLUMNS` for every column's meaning.
    checks : dict of str to CheckResult
        What became of each property.
    signatures, verifications : int
        Ed25519 operations that the run carried out.
    """

    config: ExperimentConfig
    symbol: str
    frames: dict[str, pd.DataFrame]
    checks: dict[str, CheckResult]
    signatures: int
    verifications: int

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
    def quotes(self) -> pd.DataFrame:
        """One row for each source and epoch."""
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
        """One row for each rejected or cancelled order."""
        return self.frames["rejections"]

    @property
    def messages(self) -> pd.DataFrame:
        """One row for each epoch and kind of message."""
        return self.frames["messages"]

    @property
    def plot(self) -> "Plots":
        """The charts of this result: ``result.plot.prices()`` and so on."""
        from streamlet_lab.charts import Plots

        return Plots(self)

    @property
    def outside_model(self) -> tuple[str, ...]:
        """Why the paper promises nothing for this run; empty if it does."""
        return self.config.outside_model

    @property
    def safe(self) -> bool:
        """Whether no property was violated."""
        return all(check.status is not Status.VIOLATED for check in self.checks.values())

    @property
    def summary(self) -> dict[str, Any]:
        """The run on one screen; counts, and times in seconds."""
        epochs, orders, rejections = self.epochs, self.orders, self.rejections
        final = epochs["finalized_s"].notna()
        honest = orders["intent"] == "honest"
        by_band = rejections["reason"] == "outside_band"
        return {
            "symbol": self.symbol,
            "feed": self.config.feed,
            "epochs": len(epochs),
            "nodes": self.config.nodes,
            "faulty_nodes": len(self.config.faulty_nodes),
            "quorum": self.config.votes_needed,
            "signatures": self.config.signatures,
            "outside_model": list(self.outside_model),
            "safe": self.safe,
            "proposed_blocks": len(self.blocks),
            "finalized_blocks": int(final.sum()),
            "finalized_prices": int((final & (epochs["claim"] == "price_consensus")).sum()),
            "epochs_without_price": int((epochs["claim"] != "price_consensus").sum()),
            "median_latency_s": _rounded(epochs["latency_s"].median()),
            "mean_latency_s": _rounded(epochs["latency_s"].mean()),
            "orders": len(orders),
            "trades": len(self.trades),
            "rejected_orders": int((orders["status"] == "rejected").sum()),
            "outside_band": int(by_band.sum()),
            "honest_orders": int(honest.sum()),
            "honest_outside_band": int((by_band & (rejections["intent"] == "honest")).sum()),
            "median_reference_age_s": _rounded(rejections["reference_age_s"].median()),
        }

    def save(self, path: str | Path) -> None:
        """Write the result to one file, a zip of JSON and CSV that other tools can open.

        Raises
        ------
        InvalidInput
            If the path does not end in ``.zip``.
        """
        path = Path(path)
        if path.suffix != ".zip":
            raise InvalidInput("path", str(path), "a file name ending in .zip")
        members = {
            f"{name}.csv": frame.to_csv(index=False, lineterminator="\n").encode()
            for name, frame in self.frames.items()
        }
        manifest: dict[str, Any] = {
            "format": _FORMAT,
            "config": self.config.to_document(),
            "symbol": self.symbol,
            "checks": [asdict(check) for check in self.checks.values()],
            "signatures": self.signatures,
            "verifications": self.verifications,
            "sha256": {name: _digest(content) for name, content in members.items()},
        }
        manifest["sha256"]["result.json"] = _digest_without_digests(manifest)
        members["result.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in sorted(members.items()):
                archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content)
        write_atomically(path, buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved result.

        Raises
        ------
        DataError
            If the file is missing, is not a saved result, or was changed since it was written.
        """
        path = Path(path)
        try:
            with zipfile.ZipFile(path) as archive:
                if any(info.compress_type for info in archive.infolist()):
                    raise DataError(f"{path}: not a saved result: its members are compressed")
                members = {name: archive.read(name) for name in archive.namelist()}
            manifest = json.loads(members["result.json"])
            if manifest["format"] != _FORMAT:
                raise DataError(f"{path}: written as {manifest['format']!r}, not as {_FORMAT!r}")
            if _digest_without_digests(manifest) != manifest["sha256"]["result.json"]:
                raise DataError(f"{path}: result.json was changed after it was saved")
            for name in COLUMNS:
                if _digest(members[f"{name}.csv"]) != manifest["sha256"][f"{name}.csv"]:
                    raise DataError(f"{path}: {name}.csv was changed after it was saved")
            checks = [
                CheckResult(**{**check, "status": Status(check["status"])})
                for check in manifest["checks"]
            ]
            return cls(
                config=make_config(**manifest["config"]),
                symbol=manifest["symbol"],
                frames={name: _read_frame(name, members[f"{name}.csv"]) for name in COLUMNS},
                checks={check.name: check for check in checks},
                signatures=manifest["signatures"],
                verifications=manifest["verifications"],
            )
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        except (
            zipfile.BadZipFile,
            EOFError,
            RuntimeError,  # what zipfile says to encryption, and json to a thousand brackets
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            raise DataError(f"{path}: not a saved result, or damaged ({error})") from error

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
        summary = self.summary
        lines = [
            ("Feed", f"{summary['feed']} ({summary['symbol']}), {summary['epochs']} epochs"),
            (
                "Nodes",
                (
                    f"{summary['nodes']}, {summary['faulty_nodes']} faulty, "
                    f"quorum {summary['quorum']}, signatures {summary['signatures']}"
                ),
            ),
            ("Finalized", f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks"),
            (
                "Finality latency",
                "nothing final"
                if summary["median_latency_s"] is None
                else f"median {summary['median_latency_s']} s",
            ),
            ("Epochs without price", str(summary["epochs_without_price"])),
            ("Orders", f"{summary['orders']}, {summary['trades']} trades"),
            (
                "Outside the band",
                (
                    f"{summary['outside_band']}, of these honest {summary['honest_outside_band']} "
                    f"of {summary['honest_orders']} orders"
                ),
            ),
        ]
        lines += [
            (check.name.replace("_", " ").capitalize(), f"{check.status}: {check.evidence}")
            for check in self.checks.values()
        ]
        lines += [("Outside the model", reason) for reason in self.outside_model]
        return lines


def _rounded(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 3)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_without_digests(manifest: dict[str, Any]) -> str:
    facts = {name: value for name, value in manifest.items() if name != "sha256"}
    return _digest(json.dumps(facts).encode())


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
