"""What a node reports: messages for everyone, and what has happened in its view or judgement."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from streamlet_lab.consensus.application import Verdict
from streamlet_lab.consensus.messages import Block, Message


class Notarized(NamedTuple):
    """A block ends a notarized chain: it and all its ancestors have a quorum of votes."""

    block: Block


class Finalized(NamedTuple):
    """A block is added to the finalized chain."""

    block: Block


class Conflicting(NamedTuple):
    """The rule would finalize a block that contradicts the finalized chain."""

    block: Block


class Refused(NamedTuple):
    """The application finds the block of an epoch's leader unacceptable."""

    block: Block
    verdict: Verdict


#: What happens in a block tree.
TreeEvent = Notarized | Finalized | Conflicting

#: What a node reports; a message is to be sent to everyone.
Event = Message | TreeEvent | Refused

#: Most messages change nothing: no events, and no new list either.
NOTHING: Final[Sequence[TreeEvent]] = ()
