"""What is due to consensus, and what to mere age: the same band around other references.

An oracle that everybody trusts publishes the true price, as old on average as the consensus is in
the same runs. What the consensus costs more than that is the cost of agreeing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Unpack

import numpy as np
import pandas as pd

from streamlet_lab.errors import InvalidInput
from streamlet_lab.grid import Sweep
from streamlet_lab.metrics import market_numbers
from streamlet_lab.prices import STEPS_PER_EPOCH, TRADING_DAY
from streamlet_lab.progress import told
from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress
from streamlet_lab.studies.common import Options, check_result, compare, known, read_names
from streamlet_lab.studies.stale import age_days
from streamlet_lab.units import MICROSECONDS_PER_SECOND, format_duration, to_microseconds, to_name

#: What the consensus is compared with, unless fewer are named.
REFERENCES: Final = ("delayed", "delayed_always", "heartbeat", "twap")

_SETTING: Final = "market.reference"
_CONSENSUS: Final = "consensus"

# Epochs until references of all kinds are there, and as old as they will be: before, a difference
# would be that of who comes first.
_WARM_UP: Final = 10


def compare_references(
    references: str | Iterable[str] = REFERENCES,
    *,
    settings: Mapping[str, Any] = MappingProxyType({}),
    epochs: int = 60,
    **options: Unpack[Options],
) -> Sweep:
    """Run the same orders against the consensus, and against references that need no agreement.

    Measured are the :func:`reference_numbers`, over ``market.reference``, the consensus first.

    The consensus runs first, and the mean age of its price in all of these runs is what the others
    are given:

    ``"delayed"``: the true price with that mean age, renewed as rarely and at about the same times
    as the consensus usually is, so that its age rises and falls with it; ``"delayed_always"``: the
    true price with just that age, renewed at each step of the path; ``"heartbeat"``: published at a
    move of 0.5 % or after an hour of the market, however old that is; ``"twap"``: the time-weighted
    average over a window in which the price has that mean age.

    The default traders never look at the book or the reference: what they send is the same
    whatever the reference.

    Parameters
    ----------
    references : str or iterable of str
        Some of :data:`REFERENCES`.
    settings : mapping
        Of all runs; those of a section with a dot, ``{"market.band_percent": 3}``. Ages are those
        of simulated paths.
    epochs : int
        The first ten are not measured.
    **options
        As of :func:`~streamlet_lab.studies.compare_bands`, with 30 repeats by default, but for
        ``store`` and ``until``: these are two sweeps, of which the second depends on the first.
    """
    for name in ("store", "until"):
        if (given := options.get(name)) is not None:
            raise InvalidInput(name, given, "None, since these are two sweeps")
    names = read_names("references", references)
    for name in names:
        to_name(name, REFERENCES, "references")
    with told(options.pop("progress", None)) as report:
        return _compare(names, settings, epochs, report, options)


def _compare(
    names: Sequence[str],
    settings: Mapping[str, Any],
    epochs: int,
    report: Progress | None,
    options: Options,
) -> Sweep:
    repeats = options.setdefault("repeats", 30)
    planned = (1 + len(names)) * repeats

    def run(values: Mapping[str, object], before: int) -> Sweep:
        if report is not None:
            options["progress"] = lambda done, _: report(before + done, planned)
        base = {"epochs": epochs}
        return compare({_SETTING: values}, base, settings, reference_numbers, **options)

    first = run({_CONSENSUS: _CONSENSUS}, 0)
    if first.interrupted or first.frame.empty:
        return Sweep(first.frame, first.settings, planned, first.failures)
    epoch = to_microseconds(settings.get("market_time_per_epoch", TRADING_DAY / 1e6))
    matched = _matched(first.frame, epoch // STEPS_PER_EPOCH)
    others = run({name: matched[name] for name in names}, repeats)
    frame, failures = (
        pd.concat(both, ignore_index=True)
        for both in ([first.frame, others.frame], [first.failures, others.failures])
    )
    return Sweep(frame, first.settings, planned, failures)


def _matched(consensus: pd.DataFrame, step: int) -> dict[str, dict[str, Any]]:
    """Return references of the mean age that the consensus has in these runs of a sweep.

    A step of the path takes so many microseconds of market time.
    """
    age = TRADING_DAY * consensus["mean_age_days"].mean()
    period, phase = TRADING_DAY * consensus[["period_days", "phase_days"]].median()
    if math.isnan(age) or math.isnan(period):
        expected = f"epochs or settings in which prices become final after {_WARM_UP} epochs"
        raise InvalidInput("epochs", None, expected)
    # Quoted at a step of the path, so that within a period the age is that of its first step, of
    # its second, and so on to the last.
    rise = (period - step) / 2
    # Seen are prices 1, 2, … and so many steps old. Of an odd number the one in the middle is as
    # old as all are on average.
    looks = 2 * max(round(age / step), 1) - 1
    return {
        "delayed": _oracle("delayed", delay=max(age - rise, 0), every=period, first=phase),
        "delayed_always": _oracle("delayed", delay=age, every=step),
        "heartbeat": _oracle("heartbeat"),
        "twap": _oracle("twap", window=looks * step, every=step, check=step),
    }


def _oracle(kind: str, **durations: float) -> dict[str, Any]:
    parameters = {name: format_duration(round(value)) for name, value in durations.items()}
    return {"kind": kind, "parameters": parameters}


def reference_numbers(result: Result) -> dict[str, float | None]:
    """Return what a reference is like, and what becomes of the orders from the tenth epoch on.

    Returns
    -------
    dict
        ``mean_age_days``: trading days between the true prices that the reference and an order go
        by, mean over all orders; ``period_days``: from one true price that references of orders go
        by to the next, median; ``phase_days``: from the last multiple of that to one of these
        prices, median; ``distance_percent``: how far the reference is from the true price when an
        order comes, root of the mean square; and what ``result.market_numbers`` has: of the orders
        and trades of these epochs alone, of the book and its halts in the whole run. None for what
        there is nothing to measure of.
    """
    check_result(result)
    frames, config = result.frames, result.config
    epoch_s = config.epoch_length / MICROSECONDS_PER_SECOND
    orders, trades = (
        frames[name][frames[name]["time_s"] >= _WARM_UP * epoch_s] for name in ("orders", "trades")
    )
    rejections = frames["rejections"].merge(orders[["symbol", "order_id"]].drop_duplicates())
    counted = {**frames, "orders": orders, "trades": trades, "rejections": rejections}
    priced = orders[orders["reference_quoted_s"].notna()]
    distance = priced["reference_price"] / priced["true_price"] - 1
    quoted = np.rint(MICROSECONDS_PER_SECOND * priced["reference_quoted_s"].unique())
    period = float(np.median(np.diff(quoted))) if len(quoted) > 1 else math.nan
    phase = float(np.median(quoted % period)) if len(quoted) > 1 else math.nan
    days = config.market_time_per_epoch / TRADING_DAY / config.epoch_length
    return {
        "mean_age_days": known(age_days(priced, config).mean()),
        "period_days": known(period * days),
        "phase_days": known(phase * days),
        "distance_percent": known(100 * np.sqrt((distance**2).mean())),
        **market_numbers(counted, epoch_s),
    }


def beside_consensus(compared: Sweep, *measures: str) -> pd.DataFrame:
    """Return the means of each reference, and by how much the consensus is above it.

    Of what :func:`compare_references` returned. There is a row for each measure and reference:
    ``measure``, ``reference``, ``mean``; and of the consensus less that reference, run by run with
    the same seed, ``difference`` with its 95 % interval ``low`` to ``high`` over ``n`` runs;
    missing for the consensus itself.
    """
    means = compared.means(*measures).rename(columns={_SETTING: "reference"})
    differences = [
        compared.difference(measure, _SETTING, reference, _CONSENSUS).assign(reference=reference)
        for measure in measures
        for reference in means["reference"].unique()
        if reference != _CONSENSUS
    ]
    table = pd.concat(differences).rename(columns={"mean": "difference"})
    return means[["measure", "reference", "mean"]].merge(
        table, on=["measure", "reference"], how="left"
    )
