"""What an epoch of the protocol costs in messages."""

from streamlet_lab.theory.domains import to_count
from streamlet_lab.units import to_flag


def messages_per_epoch(nodes: int, *, echo: bool = True) -> int:
    """Messages sent in an epoch in which every node is honest.

    One proposal and n votes leave their author for n − 1 others; with echoing each of the n − 1
    receivers sends each of the n + 1 messages on to n − 1 others (section 3, "echo").
    """
    nodes, echo = to_count(nodes, "nodes", 1), to_flag(echo, "echo")
    copies = (nodes + 1) * (nodes - 1)
    return copies * nodes if echo else copies
