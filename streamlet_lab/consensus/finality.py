"""What makes a block final, as parameters of the rule: `BlockTree._final_below` applies it."""

from dataclasses import dataclass
from typing import Annotated, Final

from streamlet_lab.values import Flag, Whole, check_ranges


@dataclass(frozen=True, slots=True)
class FinalityRule:
    """Adjacent blocks with consecutive epochs make all but the last few of a chain final.

    A notarized chain must end in so many ``consecutive`` ones; the last ``chopped`` are not final
    yet. ``uncontested``: no other block may have been seen notarized at any of their heights.
    """

    consecutive: Annotated[int, Whole(1, 100)]
    chopped: Annotated[int, Whole(0, 99)]
    uncontested: Flag = False

    def __post_init__(self) -> None:
        check_ranges(self)


#: Sections 3 and appendix A: of three, the second and its prefix.
THREE_IN_A_ROW: Final = FinalityRule(3, 1)
#: Section 4, the synchronous model with an honest majority: of six without a rival, the first.
SIX_UNCONTESTED: Final = FinalityRule(6, 5, uncontested=True)
