"""What a market was worth: every measure of it, defined once, with its denominator.

Everything follows from the frames of a result, so that a loaded one gives the same figures.
Summary, charts, studies and commands all count with what stands here.

**Fair.** A price is fair that is at most ``fair_percent`` from the true one at that instant,
whatever the band says.

**Stopped.** An order is stopped where the band, the want of a good reference, a call auction or a
halt refuses it, ends its execution, or takes it out of the book. That happens to an order once: at
its entry, at a trade (its own entry or replacement would have traded at a price that the band
forbids, or in an auction that it cannot wait for), or later, when it is swept out of the book.

**False.** An order is judged by its own price, that is the limit as its trader last named it, never
by what rests in the book nor by the edge to which a band moved it (who then changes the size alone
takes that price for its own); and at two instants, when it came and when it was stopped. A *fair
order stopped* was fair at both, which is a false rejection. One that was fair when it came, and is
swept when its price is so no longer, is swept justly.

==================  ======================  =======================
limit orders        fair when stopped       not fair when stopped
==================  ======================  =======================
fair when it came   fair_orders_stopped     stopped_turned_unfair
not fair then       stopped_turned_fair     unfair_orders_stopped
==================  ======================  =======================

Market orders name no price. They are in no cell, and have a count of their own; these five counts
add up to ``orders_stopped``. An order that was refused, and is sent once more under its id, is
another order.

What the log calls by another reason is not seen: a fill-or-kill order that finds too few shares
within the band ends as ``fill_or_kill``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from streamlet_lab.errors import InvalidInput
from streamlet_lab.intervals import Share
from streamlet_lab.liquidity import delay, interruptions, midpoints, quoted_spreads
from streamlet_lab.matching import RejectReason
from streamlet_lab.units import MONEY, is_within, to_hundredths

if TYPE_CHECKING:
    import pandas as pd

#: Where orders are stopped: the column ``stopped`` of the frame ``rejections``.
AT_ENTRY: Final = "at_entry"
AT_TRADE: Final = "at_trade"
SWEPT: Final = "swept"

#: Why orders are stopped. Reasons of cancellations are the same texts.
STOP_REASONS: Final = (
    RejectReason.OUTSIDE_BAND,
    RejectReason.NO_CONSENSUS,
    RejectReason.STALE_REFERENCE,
    RejectReason.IN_AUCTION,
    RejectReason.HALTED,
)

#: What is said of an order that was stopped, in words: the column ``verdict`` of ``rejections``.
VERDICTS: Final[dict[str, str]] = {
    "false": "fair order stopped",
    "turned_fair": "stopped when it had become fair",
    "turned_unfair": "stopped when no longer fair",
    "justified": "unfair order stopped",
    "market": "market order stopped",
}
FALSE, TURNED_FAIR, TURNED_UNFAIR, JUSTIFIED, MARKET = VERDICTS

#: What is measured, in this order: the columns of ``result.market_quality``.
MEASURES: Final[dict[str, str]] = {
    "orders": "orders that were sent",
    "trades": "trades",
    "fair_orders": "limit orders whose own price was fair when they came",
    "fair_orders_stopped": "fair orders stopped, for whatever reason, while their price was fair",
    "fair_stopped_rate": "fair orders stopped, of fair orders: the headline",
    "fair_stopped_at_entry": "fair orders stopped as they came",
    "fair_stopped_at_trade": "fair orders stopped at a trade that the band refused",
    "fair_swept": "fair orders taken out of the book later; entry, trade and this are all stopped",
    "fair_stopped_outside_band": "fair orders stopped because of a price outside the band",
    "fair_stopped_no_consensus": "fair orders stopped that came before there was any reference",
    "fair_stopped_stale_reference": "fair orders stopped that came while the reference was too old",
    "fair_stopped_in_auction": "fair orders stopped that could not wait for the end of an auction",
    "fair_stopped_halted": "fair orders stopped that came in an operator's halt; the fifth reason",
    "fair_stopped_blocked": (
        "fair orders stopped at a trade because the price of what rested in the book was not fair"
    ),
    "stopped_turned_fair": "limit orders that were not fair when they came, stopped when they were",
    "stopped_turned_unfair": "limit orders that were fair when they came, stopped when no longer",
    "unfair_orders_stopped": "limit orders that were fair neither when they came nor when stopped",
    "market_orders": "orders that name no price",
    "market_orders_stopped": "market orders that were stopped",
    "orders_stopped": "all orders stopped: four kinds of limit orders, and market orders",
    "stopped_at_entry": "all orders stopped as they came",
    "stopped_at_trade": "all orders stopped at a trade that the band refused",
    "swept": "all orders taken out of the book later; entry, trade and this are all stopped",
    "without_reference": "all orders stopped that came before there was any reference",
    "repriced_orders": "orders that the band ever moved to its edge",
    "fair_orders_repriced": "fair orders that the band ever moved to its edge",
    "unfair_trades": "trades at a price that was not fair",
    "unfair_trade_rate": "trades at a price that was not fair, of trades",
    "stopped_volume": "shares refused to, or taken away from, the orders stopped",
    "fair_stopped_volume": "shares refused to, or taken away from, the fair orders stopped",
    "unfair_trade_volume": "shares traded at a price that was not fair",
    "mean_spread_bp": (
        "quoted spread in basis points of the midpoint, mean over the time in which both sides "
        "quote and orders are matched"
    ),
    "two_sided_share": (
        "share of the sampled instants at which both sides quote and orders are matched"
    ),
    "halts": "how often a market was halted by its operator, or paused by a stale reference",
    "auctions": "how many call auctions began",
    "halted_s": "seconds during which a market was halted, paused or in a call auction",
    "halted_share": "share of the watched time that a market was halted, paused or in an auction",
    "discovery_delay_s": (
        "how many seconds old the true price is that the midpoint is nearest to; least squares"
    ),
    "reference_delay_s": "the same of the reference, from the instant at which it was quoted",
    "mean_reference_age_s": (
        "seconds for which the market has known its reference when an order comes, mean"
    ),
    "median_reference_age_s": (
        "seconds for which the market has known its reference when an order comes, median"
    ),
}

#: Further shares of what is measured: the cases, and of what they are a share. What has a minus is
#: taken away: the band's own refusals are those at entry that have no other reason.
SHARES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "refused_share": (("stopped_at_entry", "stopped_at_trade"), ("orders",)),
    "fair_refused_share": (("fair_stopped_at_entry",), ("fair_orders",)),
    "fair_outside_share": (
        (
            "fair_stopped_at_entry",
            "-fair_stopped_no_consensus",
            "-fair_stopped_stale_reference",
            "-fair_stopped_in_auction",
            "-fair_stopped_halted",
        ),
        ("fair_orders", "-fair_stopped_no_consensus"),
    ),
    "swept_share": (("swept",), ("orders",)),
    "blocked_share": (("fair_stopped_blocked",), ("fair_orders",)),
    "repriced_share": (("fair_orders_repriced",), ("fair_orders",)),
    # What a displaced price does.
    "denied": (("fair_stopped_outside_band",), ("fair_orders",)),
}

#: Of the measures that depend on what is called fair, those that :func:`sensitivity` compares.
OF_FAIRNESS: Final = (
    "fair_orders",
    "fair_orders_stopped",
    "fair_stopped_rate",
    "stopped_turned_fair",
    "stopped_turned_unfair",
    "unfair_orders_stopped",
    "unfair_trades",
    "unfair_trade_rate",
)

# An order can name a price as fine as 10^-12 dollars; true prices are micro-dollars.
_FINEST: Final = 12
_FINEST_PER_MICRO: Final = 10**6


Frames = Mapping[str, "pd.DataFrame"]
#: What is only counted: frames, or dictionaries of their columns.
Counted = Mapping[str, Any]


def is_fair(price: Decimal, true_price: int, hundredths: int) -> bool:
    """Whether a price is at most so many hundredths of a percent from the true one, micro-dollars.

    >>> is_fair(Decimal("105.00"), 100_000_000, 500), is_fair(Decimal("105.01"), 100_000_000, 500)
    (True, False)
    """
    finest = int(price.scaleb(_FINEST, MONEY))
    return is_within(finest, true_price * _FINEST_PER_MICRO, hundredths)


def are_fair(
    prices: Sequence[Decimal | None], true_prices: Sequence[int], hundredths: int
) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say of many prices at once what :func:`is_fair` says of one; where there is none, it is fair.

    >>> are_fair([Decimal("105.01"), None], [100_000_000] * 2, 500)
    array([False,  True])
    """
    exact: Any = np.array(true_prices, dtype=object) * _FINEST_PER_MICRO
    finest: Any = np.array(
        [
            true if price is None else int(price.scaleb(_FINEST, MONEY))
            for price, true in zip(prices, exact, strict=True)
        ],
        dtype=object,
    )
    fair: Any = is_within(finest, exact, hundredths)
    return np.asarray(fair, dtype=np.bool_)


def verdict(came_fair: bool, fair: bool) -> str:
    """Return which of the :data:`VERDICTS` is said of a limit order that was stopped.

    It goes by whether its own price was fair when it came, and when it was stopped.
    """
    if came_fair:
        return FALSE if fair else TURNED_UNFAIR
    return TURNED_FAIR if fair else JUSTIFIED


def market_quality(frames: Frames, symbols: tuple[str, ...], epoch_s: float) -> "pd.DataFrame":
    """Return the quality of each symbol's market: a row for each, with the :data:`MEASURES`."""
    import pandas as pd

    rows = [
        market_numbers({name: _of(frames[name], symbol) for name in _USED}, epoch_s)
        for symbol in symbols
    ]
    return pd.DataFrame(rows, index=pd.Index(symbols, name="symbol"), columns=list(MEASURES))


_USED: Final = ("orders", "trades", "rejections", "bands", "book")


def _of(frame: "pd.DataFrame", symbol: str) -> "pd.DataFrame":
    return frame[frame["symbol"] == symbol]


def market_numbers(frames: Frames, epoch_s: float) -> dict[str, Any]:
    """Return the :data:`MEASURES` of all symbols' markets together; None for what there is not.

    ``epoch_s`` is the length of an epoch in seconds.
    """
    samples = frames["book"]
    # A sample stands for the time since the one before it; at the instant 0 nothing has passed.
    book = samples[samples["time_s"] > 0]
    spreads = quoted_spreads(book)
    # The last sample is of the instant at which the run ends.
    ends = samples.groupby("symbol", sort=False)["time_s"].max().to_dict()
    numbers = {
        **activity(frames),
        **interruptions(frames["bands"], ends),
        "mean_spread_bp": _mean(spreads),
        "two_sided_share": Share.of(len(spreads), len(book)),
        "discovery_delay_s": delay(samples.assign(seen=midpoints(book)), epoch_s),
        "reference_delay_s": delay(samples.assign(seen=samples["reference_price"]), epoch_s),
        "mean_reference_age_s": _mean(frames["orders"]["reference_age_s"]),
    }
    return {name: numbers[name] for name in MEASURES}


def activity(frames: Frames) -> dict[str, Any]:
    """Return those of the :data:`MEASURES` that follow from orders, trades and rejections."""
    return with_rates(counts(frames), frames["orders"]["reference_age_s"])


def with_rates(numbers: Mapping[str, int], ages: Any) -> dict[str, Any]:
    """Return :func:`counts` with the shares that follow, and the median of the orders' ages."""
    return {
        **numbers,
        "fair_stopped_rate": Share.of(numbers["fair_orders_stopped"], numbers["fair_orders"]),
        "unfair_trade_rate": Share.of(numbers["unfair_trades"], numbers["trades"]),
        "median_reference_age_s": median(ages),
    }


def median(values: Any) -> float | None:
    """Return the median of those that are known, None if none is."""
    numbers = np.asarray(values, dtype="float64")
    known = numbers[~np.isnan(numbers)]
    return float(np.median(known)) if known.size else None


def counts(frames: Counted) -> dict[str, int]:
    """Return the counts among them: those of parts of a run add up to those of the run."""
    orders, trades, rejections = frames["orders"], frames["trades"], frames["rejections"]
    # Column by column: part of a frame would be a copy of all its columns.
    place, why, shares, verdict_of, blocked = (
        np.asarray(rejections[name])
        for name in ("stopped", "reason", "quantity", "verdict", "blocked")
    )
    stopped, false = verdict_of != "", verdict_of == FALSE
    verdicts, places, reasons = (Counter(each[stopped]) for each in (verdict_of, place, why))
    false_places, false_reasons = Counter(place[false]), Counter(why[false])
    is_limit = np.asarray(orders["type"]) == "limit"
    fair, clipped = is_limit & np.asarray(orders["fair"]), np.asarray(orders["clipped"])
    unfair = ~np.asarray(trades["fair"])
    return {
        "orders": is_limit.size,
        "trades": unfair.size,
        "fair_orders": int(fair.sum()),
        "fair_orders_stopped": int(false.sum()),
        "fair_stopped_at_entry": false_places[AT_ENTRY],
        "fair_stopped_at_trade": false_places[AT_TRADE],
        "fair_swept": false_places[SWEPT],
        **{f"fair_stopped_{reason}": false_reasons[reason] for reason in STOP_REASONS},
        "fair_stopped_blocked": int(blocked[false].sum()),
        "stopped_turned_fair": verdicts[TURNED_FAIR],
        "stopped_turned_unfair": verdicts[TURNED_UNFAIR],
        "unfair_orders_stopped": verdicts[JUSTIFIED],
        "market_orders": int((~is_limit).sum()),
        "market_orders_stopped": verdicts[MARKET],
        "orders_stopped": int(stopped.sum()),
        "stopped_at_entry": places[AT_ENTRY],
        "stopped_at_trade": places[AT_TRADE],
        "swept": places[SWEPT],
        "without_reference": reasons[RejectReason.NO_CONSENSUS],
        "repriced_orders": int(clipped.sum()),
        "fair_orders_repriced": int(clipped[fair].sum()),
        "unfair_trades": int(unfair.sum()),
        "stopped_volume": int(shares[stopped].sum()),
        "fair_stopped_volume": int(shares[false].sum()),
        "unfair_trade_volume": int(np.asarray(trades["quantity"])[unfair].sum()),
    }


def judged_by(frames: Frames, fair_percent: object) -> dict[str, "pd.DataFrame"]:
    """Return a result's frames as they are where another ``fair_percent`` says what is fair."""
    import pandas as pd

    hundredths = to_hundredths(fair_percent, "fair_percent")
    orders, trades, rejections = (frames[name] for name in ("orders", "trades", "rejections"))
    orders = orders.assign(fair=_are_fair(orders["price"], orders["true_price"], hundredths))
    trades = trades.assign(fair=_are_fair(trades["price"], trades["true_price"], hundredths))
    true_prices = rejections["true_price"]
    now = _are_fair(rejections["own_price"], true_prices, hundredths)
    # One that was refused came at that very instant; of the others one was accepted under each id.
    accepted = orders[orders["status"] != "rejected"]
    came = accepted.set_index(["symbol", "order_id"])["fair"].to_dict()
    keys = zip(rejections["symbol"], rejections["order_id"], strict=True)
    judged = [
        known if known in ("", MARKET) else verdict(fair if at_entry else came[key], fair)
        for known, at_entry, key, fair in zip(
            rejections["verdict"], rejections["stopped"] == AT_ENTRY, keys, now, strict=True
        )
    ]
    blocked = (rejections["stopped"] == AT_TRADE) & ~_are_fair(
        rejections["price"], true_prices, hundredths
    )
    rejections = rejections.assign(verdict=pd.array(judged, dtype="str"), blocked=blocked)
    return {**frames, "orders": orders, "trades": trades, "rejections": rejections}


def _are_fair(
    prices: "pd.Series[float]", true_prices: "pd.Series[float]", hundredths: int
) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say for each price whether it is fair; an order without a price counts as fair.

    The shortest decimal of a float is the price that it was made of.
    """
    return are_fair(
        [None if np.isnan(price) else Decimal(repr(price)) for price in prices.tolist()],
        [round(true_price * 1e6) for true_price in true_prices.tolist()],
        hundredths,
    )


def sensitivity(frames: Frames, fair_percents: Iterable[Any]) -> "pd.DataFrame":
    """Return the measures :data:`OF_FAIRNESS` for each percentage, which is the index."""
    import pandas as pd

    if not isinstance(fair_percents, Iterable):
        raise InvalidInput("fair_percents", fair_percents, "percentages, such as [1, 2, 5]")
    percents = list(fair_percents)
    rows = [activity(judged_by(frames, percent)) for percent in percents]
    return pd.DataFrame(
        rows, index=pd.Index(percents, name="fair_percent"), columns=list(OF_FAIRNESS)
    )


def share_of(name: str, numbers: Mapping[str, Any]) -> Share | None:
    """Return one of the :data:`SHARES` of what :func:`market_numbers` has."""
    cases, whole = (
        sum(-numbers[each[1:]] if each.startswith("-") else numbers[each] for each in names)
        for names in SHARES[name]
    )
    return Share.of(cases, whole)


def displacement_bp(prices: Any) -> Any:
    """Return how far each consensus price is above the true one of its epoch, basis points."""
    return 1e4 * (prices["consensus_price"] / prices["true_price"] - 1)


def _mean(values: "pd.Series[float]") -> float | None:
    return None if values.isna().all() else float(values.mean())
