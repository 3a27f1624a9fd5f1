"""The price at which a call auction clears: pure, in integer ticks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from streamlet_lab.matching.book import Resting
from streamlet_lab.matching.selftrade import SelfTrade, shares_lost


class Clearing(NamedTuple):
    """The one price of an auction's trades, and the shares that trade.

    The surplus are shares left over that could have traded at the price: buyers' if positive,
    sellers' if negative.
    """

    ticks: int
    quantity: int
    surplus: int


class Outcome(NamedTuple):
    """What the end of a call auction brings; None where nothing trades.

    The shares that are lost are those that self-trade prevention takes off orders before.
    """

    found: Clearing | None
    lost: Mapping[Resting, int]


class _Stretch(NamedTuple):
    """Neighbouring prices at which the same shares are bid for and offered."""

    low: int
    high: int
    quantity: int
    surplus: int


def clearing(
    bids: Iterable[tuple[int, int]],
    asks: Iterable[tuple[int, int]],
    reference_ticks: Fraction | None,
) -> Clearing | None:
    """Find the price at which most shares trade.

    A rule decides where those before it leave more than one price:

    1. the most shares trade;
    2. the fewest are left over;
    3. pressure: where only buyers are left over, the highest such price, where only sellers, the
       lowest; where it is buyers below and sellers above, the two prices in the middle remain;
    4. the price nearest to the reference; of two that are equally near, the even number of ticks.
       Without a reference, the middle of what remains takes its place.

    These are the rules of Deutsche Börse's T7 market model for Xetra, section 11.1.1 (release
    10.0). Where pressure decides, the price is some order's limit. Where it does not, limits are
    not enough: there too the fourth rule can take the reference itself. Xetra however compares
    limits alone until then; here every tick is compared from the first rule on, so that a price
    between two limits counts if it leaves fewer shares over or is nearer to the reference.

    Parameters
    ----------
    bids, asks : iterable of (ticks, quantity)
        The limits of the orders on each side, in any order, and their shares (at least one).
    reference_ticks : Fraction or None
        The reference price, which need not lie on the grid.

    Examples
    --------
    >>> clearing([(105, 300), (101, 100)], [(100, 200), (103, 50)], None)
    Clearing(ticks=105, quantity=250, surplus=50)
    >>> clearing([(105, 100)], [(100, 100)], Fraction(203, 2))
    Clearing(ticks=102, quantity=100, surplus=0)
    >>> clearing([(99, 100)], [(100, 100)], None) is None
    True
    """
    stretches = _stretches(bids, asks)
    most = max((stretch.quantity for stretch in stretches), default=0)
    if not most:
        return None
    stretches = [stretch for stretch in stretches if stretch.quantity == most]
    least = min(abs(stretch.surplus) for stretch in stretches)
    stretches = [stretch for stretch in stretches if abs(stretch.surplus) == least]
    # The surplus falls as the price rises, so that one stretch is left, or buyers' and sellers'.
    first, last = stretches[0], stretches[-1]
    low = first.high if first.surplus > 0 else first.low
    high = last.low if last.surplus < 0 else last.high
    nearest = round(Fraction(low + high, 2) if reference_ticks is None else reference_ticks)
    ticks = min(max(nearest, low), high)
    return Clearing(ticks, most, (first if ticks <= first.high else last).surplus)


def call_auction(
    bids: Sequence[Resting],
    asks: Sequence[Resting],
    reference_ticks: Fraction | None,
    self_trade: SelfTrade,
) -> Outcome:
    """Find the price of an auction among those shares that will trade with somebody else.

    Shares that would meet their own trader at the price found are taken off as self-trade
    prevention says, and the price is found anew without them, until there are none: what never
    trades makes no price for others. The orders, given in priority, are left as they are.
    """
    left = {resting: resting.remaining for resting in (*bids, *asks)}
    while True:
        bids, asks = ([one for one in side if left[one]] for side in (bids, asks))
        bought, sold = ([(one.level.ticks, left[one]) for one in side] for side in (bids, asks))
        found = clearing(bought, sold, reference_ticks)
        if found is None or self_trade is SelfTrade.NONE:
            break
        kept = _kept_apart(bids, asks, left, found.ticks, self_trade)
        if kept == left:
            break
        left = kept
    lost = {one: one.remaining - shares for one, shares in left.items() if shares < one.remaining}
    return Outcome(found, lost)


def _kept_apart(
    bids: Sequence[Resting],
    asks: Sequence[Resting],
    left: Mapping[Resting, int],
    ticks: int,
    self_trade: SelfTrade,
) -> dict[Resting, int]:
    """Match at a price, and return what is left of all orders without their self-trades."""
    kept, waiting = dict(left), dict(left)  # without the losses; without what traded, too
    buys = iter([one for one in bids if one.level.ticks >= ticks])
    sells = iter([one for one in asks if one.level.ticks <= ticks])
    buy, sell = next(buys, None), next(sells, None)
    while buy is not None and sell is not None:
        younger, older = (buy, sell) if buy.priority > sell.priority else (sell, buy)
        meets = min(waiting[buy], waiting[sell])
        if younger.trader and younger.trader == older.trader:
            lost = shares_lost(self_trade, waiting[younger], waiting[older])
            for one, shares in zip((younger, older), lost, strict=True):
                kept[one] -= shares
                waiting[one] -= shares
        else:
            waiting[buy] -= meets
            waiting[sell] -= meets
        if not waiting[buy]:
            buy = next(buys, None)
        if not waiting[sell]:
            sell = next(sells, None)
    return kept


def _stretches(bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> list[_Stretch]:
    """Cut the prices, in rising order, wherever demand or supply changes."""
    leaving: Counter[int] = Counter()  # a buyer is gone at the first price above the limit
    for ticks, quantity in bids:
        leaving[ticks + 1] += quantity
    joining: Counter[int] = Counter()
    for ticks, quantity in asks:
        joining[ticks] += quantity
    demand, supply = leaving.total(), 0
    stretches = []
    # Outside of all cuts nobody sells, or nobody buys.
    for low, above in pairwise(sorted(leaving.keys() | joining.keys())):
        demand -= leaving[low]
        supply += joining[low]
        stretches.append(_Stretch(low, above - 1, min(demand, supply), demand - supply))
    return stretches
