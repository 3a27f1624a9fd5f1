"""What a property of a run is: a monitor with a verdict."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from streamlet_lab.consensus import Block, Vote
from streamlet_lab.simulator import Monitor
from streamlet_lab.units import to_seconds


class Status(StrEnum):
    """What became of a property in a run."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A property, what became of it, and the evidence in words."""

    name: str
    statement: str
    status: Status
    evidence: str


class Check(Monitor):
    """A property of a run.

    Parameters
    ----------
    honest : collection of str
        Whom to watch: only honest nodes, and the observer, promise anything.
    unpromised : str
        Why the property may fail in this run; empty where the paper promises it. It is watched in
        any case.
    inapplicable : str
        Why the property is not even claimed of this run; empty if it is.
    """

    name: ClassVar[str]
    statement: ClassVar[str]
    #: Why there was nothing to look at, if there was nothing.
    without_a_case: ClassVar[str] = "no case occurred"

    def __init__(
        self, honest: Collection[str], *, unpromised: str = "", inapplicable: str = ""
    ) -> None:
        self.violation = ""  # the first one, in words
        self.violated_at = 0  # microseconds
        self.witnesses: tuple[Block | Vote, ...] = ()  # what shows it
        self.examined = 0  # how many cases were looked at
        self.honest = frozenset(honest)
        self._unpromised = unpromised
        self._inapplicable = inapplicable

    def forget(self, epoch: int, height: int) -> None:
        """Drop what is kept about earlier epochs and lower heights: nothing more comes of them."""

    def result(self) -> CheckResult:
        """Return the verdict so far."""
        if self._inapplicable:
            status, evidence = Status.NOT_APPLICABLE, self._inapplicable
        elif self.violation:
            status, evidence = Status.VIOLATED, self.violation
        elif self.examined:
            cases = "case" if self.examined == 1 else "cases"
            status, evidence = Status.HOLDS, f"{self.examined} {cases} examined"
        else:
            status, evidence = Status.NOT_APPLICABLE, self.without_a_case
        if self._unpromised and status is not Status.NOT_APPLICABLE:
            evidence = f"{evidence}; not promised: {self._unpromised}"
        return CheckResult(self.name, self.statement, status, evidence)

    def _violate(self, time: int, description: str, *witnesses: Block | Vote) -> None:
        if not self.violation:
            self.violation = f"at {to_seconds(time):.6f} s: {description}"
            self.violated_at = time
            self.witnesses = witnesses


def drop_before(what: dict[int, Any], first: int) -> None:
    """Drop what lies before an epoch or a height."""
    for place in [place for place in what if place < first]:
        del what[place]


def short(subject: Block | Vote) -> str:
    """Return the beginning of the hash of a block, or of the block that a vote is for."""
    block_hash = subject.hash if isinstance(subject, Block) else subject.block_hash
    return block_hash.hex()[:8]
