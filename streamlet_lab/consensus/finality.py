"""When a notarized chain is final: the rules of the paper's models."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FinalityRule:
    """Adjacent blocks with consecutive epochs make all but the last few of a chain final.

    Parameters
    ----------
    consecutive : int
        How many adjacent blocks with consecutive epochs a notarized chain must end in.
    chopped : int
        How many blocks at its end are not final yet.
    uncontested : bool
        Whether it also takes that no other block was seen notarized at any of their heights.
    """

    consecutive: int
    chopped: int
    uncontested: bool = False


#: Sections 3 and appendix A: of three, the second and its prefix.
THREE_IN_A_ROW: Final = FinalityRule(3, 1)
#: Section 4, the synchronous model with an honest majority: of six without a rival, the first.
SIX_UNCONTESTED: Final = FinalityRule(6, 5, uncontested=True)
