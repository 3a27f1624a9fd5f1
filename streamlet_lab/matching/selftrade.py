"""What happens instead, where an order would trade with another one of the same trader."""

from enum import StrEnum


class SelfTrade(StrEnum):
    """What a trader's two orders lose instead of trading with each other.

    ``none``: nothing, they trade. ``cancel_newest``: the arriving order goes. ``cancel_oldest``:
    the resting one goes. ``cancel_both``: both go. ``decrement``: both lose the quantity that
    would have traded, so the smaller one goes.
    """

    NONE = "none"
    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"
    DECREMENT = "decrement"


def shares_lost(policy: SelfTrade, arriving: int, resting: int) -> tuple[int, int]:
    """Return how many shares the arriving and the resting order lose of those that are left.

    >>> shares_lost(SelfTrade.DECREMENT, 70, 100), shares_lost(SelfTrade.CANCEL_OLDEST, 70, 100)
    ((70, 70), (0, 100))
    """
    if policy is SelfTrade.DECREMENT:
        overlap = min(arriving, resting)
        return overlap, overlap
    goes_new = policy in (SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH)
    goes_old = policy in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH)
    return (arriving if goes_new else 0), (resting if goes_old else 0)
