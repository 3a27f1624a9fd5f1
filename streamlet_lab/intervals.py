"""Estimates from independent runs, each with its confidence interval."""

from typing import Self


class Share(float):
    """A share that remembers its numerator and denominator: a number like any other.

    Runs differ in how many cases they have. Who has part and whole of each run can pool them;
    who has only the quotients cannot.

    Parameters
    ----------
    part : float
        Of the whole: from 0 to ``whole``.
    whole : float
        Above 0.

    Examples
    --------
    >>> share = Share(1, 4)
    >>> share, share.part, share.whole
    (0.25, 1, 4)
    >>> Share.of(0, 0) is None
    True
    """

    part: float
    whole: float

    def __new__(cls, part: float, whole: float) -> Self:
        share = super().__new__(cls, part / whole)
        share.part, share.whole = part, whole
        return share

    def __reduce__(self) -> tuple[type[Self], tuple[float, float]]:  # copies and pickles
        return type(self), (self.part, self.whole)

    @classmethod
    def of(cls, part: float, whole: float) -> Self | None:
        """Return the share, or None where there is nothing to be a share of."""
        return cls(part, whole) if whole else None
