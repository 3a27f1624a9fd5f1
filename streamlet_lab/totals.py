"""The numbers of a run, counted in the columns of its frames: of the whole run, or part by part.

A run that is recorded as a summary has its columns made of some epochs at a time, counted, and
dropped, so that its memory hardly grows with the epochs: of each are left two latencies and ten
true prices, and of each order the age of its reference, and a place in the log.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from streamlet_lab.columns import COLUMNS
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.frames import Record, SymbolLog, make_columns
from streamlet_lab.liquidity import interruptions
from streamlet_lab.metrics import Counted, counts, displacement_bp, median, with_rates
from streamlet_lab.simulator import STRETCH, Market, Monitor, Recorder, Simulation, StockSimulation
from streamlet_lab.units import to_seconds

if TYPE_CHECKING:
    import pandas as pd

_END: Final = 2**62  # after every epoch
# Traders of these never send an order's id again, once it was accepted.
_OWN_TRADERS: Final = "streamlet_lab.simulator.traders."


def not_recorded(what: str) -> InvalidInput:
    """Return the error that a summary has no frame, proof or the like."""
    return InvalidInput("record", "summary", f"'all', for what {what!r} is made of: run it so")


#: Of the measures of the market, those that the summary has.
IN_SUMMARY: Final = (
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


class NoFrames(Mapping[str, "pd.DataFrame"]):
    """The frames of a run that was recorded as a summary: none, and it says why."""

    def __getitem__(self, name: str) -> "pd.DataFrame":
        raise not_recorded(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


class Totals:
    """What a summary is made of.

    Attributes
    ----------
    counts : Counter of str
        Rows, messages and the counts of :func:`streamlet_lab.metrics.counts`, by name.
    farthest_bp : float or None
        How far the worst final price is from the true one, basis points.
    first_refusal : str
        Why the first refused block was.
    bands : dict of str to list
        Columns of the frame ``bands``, where a market changed its state.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.farthest_bp: float | None = None
        self.first_refusal = ""
        self.bands: dict[str, list[Any]] = {"symbol": [], "state": [], "time_s": []}
        self._series: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        self._states: dict[str, str] = {}

    @classmethod
    def of(cls, columns: Counted) -> "Totals":
        """Return the numbers of a whole run."""
        totals, with_market = cls(), has_prices(columns)
        totals.add_epochs(columns, with_market)
        if with_market:
            totals.add_market(columns)
        return totals

    def series(self, name: str) -> npt.NDArray[np.float64]:
        """Return ``latency_s``, ``latency_epochs`` of each epoch, or ``reference_age_s``."""
        return np.array(self._series[name])

    def add_epochs(self, columns: Counted, with_market: bool) -> None:
        """Count what happened in some epochs, and what their blocks said."""
        epochs, blocks, messages = (columns[name] for name in ("epochs", "blocks", "messages"))
        self.counts.update(
            epochs=len(epochs["epoch"]),
            proposed_blocks=len(blocks["epoch"]),
            finalized_blocks=int(_are_known(epochs["finalized_s"]).sum()),
            messages=int(np.sum(messages["sent"]) + np.sum(messages["echoed"])),
        )
        for name in ("latency_s", "latency_epochs"):
            self._series[name].extend(np.asarray(epochs[name], dtype="float64"))
        if with_market:
            self._add_prices(columns["prices"], blocks)

    def _add_prices(self, prices: Mapping[str, Any], blocks: Mapping[str, Any]) -> None:
        is_priced = np.asarray(prices["claim"]) == "price_consensus"
        is_final, epochs = _are_known(prices["finalized_s"]), np.asarray(prices["epoch"])
        refused = np.asarray(blocks["reason"])[np.asarray(blocks["refusals"]) > 0]
        self.counts.update(
            prices=epochs.size,
            finalized_prices=int((is_final & is_priced).sum()),
            epochs_without_price=len({*epochs[~is_priced]}),
            refused_blocks=refused.size,
        )
        self.first_refusal = self.first_refusal or next(iter(refused), "")
        displaced = np.abs(np.asarray(displacement_bp(prices))[is_final])
        if (known := displaced[_are_known(displaced)]).size:
            self.farthest_bp = max(float(known.max()), self.farthest_bp or 0.0)

    def add_market(self, columns: Counted) -> None:
        """Count what became of some orders."""
        self.counts.update(counts(columns))
        self._series["reference_age_s"].extend(np.asarray(columns["orders"]["reference_age_s"]))
        for row in zip(*(columns["bands"][name] for name in self.bands), strict=True):
            symbol, state, _ = row
            if state != self._states.get(symbol, "open"):
                for column, value in zip(self.bands.values(), row, strict=True):
                    column.append(value)
            self._states[symbol] = state


def has_prices(columns: Counted) -> bool:
    """Whether there are blocks that carry prices."""
    return len(columns["prices"]["epoch"]) > 0


def _are_known(numbers: Any) -> npt.NDArray[np.bool_]:
    known: npt.NDArray[np.bool_] = ~np.isnan(np.asarray(numbers))
    return known


def summarize(
    config: ExperimentConfig, totals: Totals, *, safe: bool, convicted: int
) -> dict[str, Any]:
    """Return the run on one screen; counts, and times in seconds."""
    counted, latency_s = totals.counts, totals.series("latency_s")
    latency_epochs = totals.series("latency_epochs")
    protocol = {
        "epochs": counted["epochs"],
        "nodes": config.nodes,
        "faulty_nodes": len(config.faulty_nodes),
        "quorum": config.votes_needed,
        "signatures": config.signatures,
        "outside_model": list(config.outside_model),
        "safe": safe,
        "convicted_nodes": convicted,
        "proposed_blocks": counted["proposed_blocks"],
        "finalized_blocks": counted["finalized_blocks"],
        "median_latency_s": _rounded(median(latency_s)),
        "mean_latency_s": _rounded(_mean(latency_s)),
        "mean_latency_epochs": _rounded(_mean(latency_epochs)),
        "messages": counted["messages"],
    }
    if not counted["prices"]:
        return protocol
    ends = dict.fromkeys(config.symbols, to_seconds(config.epochs * config.epoch_length))
    ages = totals.series("reference_age_s")
    numbers = {**with_rates(counted, ages), **interruptions(totals.bands, ends)}
    return {
        "symbol": ", ".join(config.symbols),
        "feed": str(config.feed),
        **protocol,
        "sources": len(config.prices.sources),
        "faulty_sources": len(config.faulty_sources),
        "tolerated_sources": config.prices.tolerated_sources,
        "finalized_prices": counted["finalized_prices"],
        "epochs_without_price": counted["epochs_without_price"],
        "refused_blocks": counted["refused_blocks"],
        "largest_displacement_bp": _rounded(totals.farthest_bp),
        **{name: numbers[name] for name in IN_SUMMARY},
        "halted_s": _rounded(numbers["halted_s"]),
        "median_reference_age_s": _rounded(numbers["median_reference_age_s"]),
    }


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    known = int(_are_known(values).sum())
    return float(np.nansum(values)) / known if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def in_words(numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what became of the orders: a heading and a text for each line that has something to say.

    The numbers are those of ``result.summary`` or ``result.market_numbers``.
    """
    trades, unfair = numbers["trades"], numbers["unfair_trades"]
    at_a_price = f", {unfair:,} of these at an unfair price" if trades else ""
    lines = [("Orders", f"{numbers['orders']:,}, {trades:,} trades{at_a_price}")]
    if numbers["orders_stopped"]:
        early, at_trade = numbers["without_reference"], numbers["stopped_at_trade"]
        text = f"{numbers['orders_stopped']:,}, {numbers['stopped_at_entry']:,} at entry"
        text += f" (of these {early:,} without a reference)" if early else ""
        text += f", {at_trade:,} at a trade" if at_trade else ""
        text += f", {numbers['swept']:,} swept later" if numbers["swept"] else ""
        lines.append(("Orders stopped", text))
    if numbers["fair_orders"]:
        lines.append(("Fair orders stopped", rate_in_words(numbers)))
    if numbers["repriced_orders"]:
        fair = f"{numbers['fair_orders_repriced']:,} of these fair"
        lines.append(("Repriced", f"{numbers['repriced_orders']:,} to the band's edge, {fair}"))
    if numbers["halts"] or numbers["auctions"]:
        counts = " and ".join(
            f"{numbers[name]:,} {name if numbers[name] > 1 else name.removesuffix('s')}"
            for name in ("halts", "auctions")
            if numbers[name]
        )
        lasted = f"{numbers['halted_s']:,.1f} s ({numbers['halted_share']:.1%} of the time)"
        lines.append(("Halted", f"{counts}, {lasted}"))
    return lines


def rate_in_words(numbers: Mapping[str, Any]) -> str:
    """Say the headline: how many fair orders were stopped, of how many."""
    stopped, fair = numbers["fair_orders_stopped"], numbers["fair_orders"]
    share = f" ({numbers['fair_stopped_rate']:.1%})" if fair else ""
    return f"{stopped:,.0f} of {fair:,.0f}{share}"


class Summing(Monitor):
    """Adds up a run while it goes on, and drops what is counted."""

    def __init__(
        self,
        config: ExperimentConfig,
        simulation: Simulation,
        recorder: Recorder,
        market: Market | None,
    ) -> None:
        self.totals = Totals()
        self._given = config, simulation, recorder, market
        self._simulation, self._recorder, self._market = simulation, recorder, market
        self._first = 0
        self._logs = [SymbolLog(symbol) for symbol in market.engines] if market else []
        traders = market.traders if market else []
        self._own = {one.name for one in traders if type(one).__module__.startswith(_OWN_TRADERS)}
        for one in traders:
            if one.name not in self._own:
                one.listen()  # it may look first when what it would be told is dropped

    def epoch_started(self, time: int, epoch: int, leader: str) -> None:
        if epoch % STRETCH == 0 and self._market is not None:
            self._read_logs(self._market)
            self._count_orders(self._market)

    def forget(self, epoch: int, height: int) -> None:
        """Count what happened before an epoch, of which nothing more is heard."""
        self._count_epochs(epoch)
        self._first = epoch
        self._recorder.drop(epoch)
        self._simulation.network.forget_copies(epoch)
        if isinstance(self._simulation, StockSimulation):
            self._simulation.forget(epoch)

    def finish(self) -> Totals:
        """Count the rest of a run that has ended."""
        if self._market is not None:
            self._read_logs(self._market)
            self.totals.add_market(make_columns(self._record(_END, self._logs)))
        self._count_epochs(_END)
        return self.totals

    def _count_epochs(self, stop: int) -> None:
        columns = make_columns(self._record(stop))
        self.totals.add_epochs(columns, with_market=self._market is not None)

    def _record(self, stop: int, logs: Sequence[SymbolLog] = ()) -> Record:
        return Record.of(*self._given, first=self._first, stop=stop, logs=[*logs])

    def _read_logs(self, market: Market) -> None:
        record = self._record(_END)
        for log in self._logs:
            log.read(record)
        market.arrivals.clear()

    def _count_orders(self, market: Market) -> None:
        """Count the orders that are over, and drop them wherever they are kept."""
        parts = [log.part() for log in self._logs]
        self.totals.add_market(make_columns(self._record(_END, parts)))
        for part in parts:
            orders = (fate.arrival.order for fate in part.fates)
            over = [order.order_id for order in orders if order.trader in self._own]
            market.engines[part.symbol].core.log.forget(over)
            market.quoted[part.symbol].clear()
