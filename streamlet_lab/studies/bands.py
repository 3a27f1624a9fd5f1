"""What each band does to one and the same order flow."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from types import MappingProxyType
from typing import Any, Final

from streamlet_lab.grid import Sweep, sweep
from streamlet_lab.intervals import Share
from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress
from streamlet_lab.studies.arguments import check_result, check_settings, read_names

#: The bands of the comparison unless others are named.
BANDS: Final = (
    "consensus",
    "trade_only",
    "keep_resting",
    "clip",
    "luld",
    "volatility_auction",
)


def compare_bands(
    bands: str | Iterable[str] = BANDS,
    *,
    settings: Mapping[str, Any] = MappingProxyType({}),
    epochs: int = 200,
    repeats: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Sweep:
    """Run the same orders against each band.

    The default traders never look at the book: what they send is the same whatever the band does.

    Parameters
    ----------
    bands : str or iterable of str
        Names of :func:`~streamlet_lab.matching.bands`.
    settings : mapping
        Of all runs; those of a section with a dot, ``{"market.band_percent": 3}``. The times of
        ``"luld"`` are minutes of market time: compare it with
        ``{"market_time_per_epoch": "1min"}``, since an epoch is a day otherwise.
    epochs, repeats, seed, progress, executor
        See :func:`~streamlet_lab.sweep`.

    Returns
    -------
    Sweep
        Over ``market.band``, of what :func:`band_numbers` measures.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong, before anything runs.
    """
    check_settings(settings, "market.band")
    return sweep(
        {"signatures": "none", "epochs": epochs, **settings},
        {"market.band": read_names("bands", bands)},
        repeats=repeats,
        seed=seed,
        measure=band_numbers,
        progress=progress,
        executor=executor,
    )


def band_numbers(result: Result) -> dict[str, float | None]:
    """Return the quality of a run's market, and shares of its orders that its band was hard on.

    Returns
    -------
    dict
        ``refused_share``: orders stopped at their entry or at a trade, of all orders;
        ``swept_share``: orders taken out of the book later, of all orders; ``blocked_share``: fair
        orders stopped because the price of what rested in the book was not fair, of fair orders;
        ``repriced_share``: fair orders whose price the band moved to its edge, of fair orders; and
        ``result.market_numbers``. None for what there is nothing to measure of.

    Raises
    ------
    InvalidInput
        If it is no result of an experiment.
    """
    check_result(result)
    numbers = result.market_numbers
    orders, fair = numbers["orders"], numbers["fair_orders"]
    return {
        "refused_share": Share.of(
            numbers["stopped_at_entry"] + numbers["stopped_at_trade"], orders
        ),
        "swept_share": Share.of(numbers["swept"], orders),
        "blocked_share": Share.of(numbers["fair_stopped_blocked"], fair),
        "repriced_share": Share.of(numbers["fair_orders_repriced"], fair),
        **numbers,
    }
