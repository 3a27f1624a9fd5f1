"""What each band does to one and the same order flow."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from types import MappingProxyType
from typing import Any, Final

from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress
from streamlet_lab.studies.arguments import check_result, check_settings, read_names
from streamlet_lab.sweep import Sweep, sweep

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
        See :func:`~streamlet_lab.sweep.sweep`.

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
    """Return the quality of a run's market, and how many of all orders its band turned away.

    Returns
    -------
    dict
        ``refused_share``: orders that the band refused, or whose shares it took away, at the
        instant at which they came, of all orders; ``blocked_share``: those of them whose own price
        was fair, or that named none, while what rested in the book would have traded with them at a
        price that was not: no false rejections, and yet orders that could not trade;
        ``swept_share``: orders that it took out of the book later; ``clipped_share``: fair limit
        orders whose price it moved to its edge, of all of these; and ``result.market_numbers``.
        None for what there is nothing to measure of.

    Raises
    ------
    InvalidInput
        If it is no result of an experiment.
    """
    check_result(result)
    orders, rejections = result.orders, result.rejections
    turned_away = rejections[rejections["verdict"] != ""]
    came = orders.drop_duplicates("order_id").set_index("order_id")["time_s"]
    at_once = turned_away["time_s"] == turned_away["order_id"].map(came)
    is_fair = turned_away["order_id"].isin(orders.loc[orders["fair"], "order_id"])
    blocked = at_once & is_fair & (turned_away["verdict"] == "justified")
    count, quality = len(orders), result.market_numbers
    fair = quality["fair_orders"]

    def share(ids: Any) -> float | None:
        return ids.nunique() / count if count else None

    return {
        "refused_share": share(turned_away.loc[at_once, "order_id"]),
        "blocked_share": share(turned_away.loc[blocked, "order_id"]),
        "swept_share": share(turned_away.loc[~at_once, "order_id"]),
        "clipped_share": quality["clipped_orders"] / fair if fair else None,
        **quality,
    }
