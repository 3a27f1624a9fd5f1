"""The price at which a call auction clears, and its trades: pure, in integer ticks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from streamlet_lab.matching.book import BUY, SELL, Resting
from streamlet_lab.matching.orders import SelfTrade, shares_lost

#: The younger order of a trade, the older one, the side of the younger, and the shares.
Meeting: TypeAlias = tuple[Resting, Resting, int, int]


class Clearing(NamedTuple):
    """The one price of an auction's trades, and the shares that trade.

    The surplus are shares left over that could have traded at the price: buyers' if positive,
    sellers' if negative.
    """

    ticks: int
    quantity: int
    surplus: int


class Outcome(NamedTuple):
    """What the end of a call auction brings; no price where nothing trades.

    The shares that are lost are those that self-trade prevention takes off orders before.
    """

    found: Clearing | None
    lost: dict[Resting, int]
    trades: list[Meeting]


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

    Bids and asks are limits and shares (at least one), in any order; the reference need not lie on
    the grid.

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


class _Stretch(NamedTuple):
    """Neighbouring prices at which the same shares are bid for and offered."""

    low: int
    high: int
    quantity: int
    surplus: int


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
        bought, sold = ([(one.ticks, left[one]) for one in side] for side in (bids, asks))
        found, before = clearing(bought, sold, reference_ticks), dict(left)
        trades = _cross(bids, asks, left, found.ticks, self_trade) if found else []
        if left == before:
            break
        bids, asks = ([one for one in side if left[one]] for side in (bids, asks))
    lost = {one: one.remaining - shares for one, shares in left.items() if shares < one.remaining}
    return Outcome(found, lost, trades)


def _cross(
    bids: Sequence[Resting],
    asks: Sequence[Resting],
    left: dict[Resting, int],
    ticks: int,
    self_trade: SelfTrade,
) -> list[Meeting]:
    """Match at a price; return the trades, and take off what orders lose for meeting themselves."""
    waiting = dict(left)
    trades: list[Meeting] = []
    prevents = self_trade is not SelfTrade.NONE
    buys = iter([one for one in bids if one.ticks >= ticks])
    sells = iter([one for one in asks if one.ticks <= ticks])
    buy, sell = next(buys, None), next(sells, None)
    while buy is not None and sell is not None:
        side = BUY if buy.priority > sell.priority else SELL
        younger, older = (buy, sell) if side == BUY else (sell, buy)
        if prevents and younger.trader and younger.trader == older.trader:
            lost = shares_lost(self_trade, waiting[younger], waiting[older])
            for one, shares in zip((younger, older), lost, strict=True):
                left[one] -= shares
                waiting[one] -= shares
        else:
            meets = min(waiting[buy], waiting[sell])
            trades.append((younger, older, side, meets))
            waiting[buy] -= meets
            waiting[sell] -= meets
        if not waiting[buy]:
            buy = next(buys, None)
        if not waiting[sell]:
            sell = next(sells, None)
    return trades
