"""What the protocol's charts are tested with, by hand: forks, messages, two final chains."""

from dataclasses import replace
from functools import cache

import pandas as pd

from streamlet_lab import run_protocol
from streamlet_lab.config import make_config

STATUS = {"final": (True, True), "notarized": (True, False), "open": (False, False)}


def tree(*rows):
    """Blocks, each ``(name, parent, epoch, status, proposer)``; what begins with no row, genesis.

    Votes are the block's epoch plus one, so that each number is there once.
    """
    heights, blocks = {}, []
    for name, parent, epoch, status, proposer in rows:
        heights[name] = heights.get(parent, 0) + 1
        fate = STATUS[status]
        blocks.append((name, parent, epoch, heights[name], proposer, epoch + 1, *fate))
    columns = ["block_hash", "parent_hash", "epoch", "height", "proposer", "votes"]
    return pd.DataFrame(blocks, columns=[*columns, "notarized", "finalized"])


#: The paper's figure 1 and more: epoch 3 has a fork, epoch 6 two blocks, epoch 4 none.
FORKED = tree(
    ("a", "g", 0, "final", "node_0"),
    ("b", "a", 1, "final", "node_1"),
    ("x", "a", 2, "notarized", "node_2"),
    ("c", "b", 3, "final", "node_3"),
    ("y", "x", 5, "open", "node_1"),
    ("d", "c", 6, "notarized", "node_3"),
    ("z", "c", 6, "open", "node_3"),
)

TRACE = pd.DataFrame(
    [
        (0, "proposal", "node_0", "a", "node_0", "node_1", 0.0, 0.05),
        (0, "proposal", "node_0", "a", "node_0", "node_2", 0.0, 0.06),
        (0, "vote", "node_1", "a", "node_1", "node_0", 0.05, 0.1),
        (0, "vote", "node_1", "a", "node_0", "node_2", 0.1, 0.2),
        (1, "proposal", "node_1", "b", "node_1", "node_0", 1.0, 1.04),
        (1, "proposal", "node_1", "b", "node_0", "node_2", 1.04, 1.1),
        (2, "vote", "node_2", "x", "node_2", "node_0", 2.0, 3.5),
    ],
    columns=["epoch", "kind", "author", "block_hash", "sender", "receiver", "sent_s", "received_s"],
)
FINALITY = pd.DataFrame(
    {
        "node": ["node_0", "node_2", "node_0", "observer"],
        "block_hash": ["a", "a", "b", "b"],
        "notarized_s": [0.1, 0.2, 1.04, 1.05],
        "finalized_s": [1.04, None, None, 1.05],
    }
)

#: Two chains that are both final: node_3 voted on both, and node_2, in different epochs.
VIOLATION = pd.DataFrame(
    [
        ("a", "g", 2, "node_2", "node_0 node_1 node_2 node_3", "node_0 node_1 node_2"),
        ("b", "a", 3, "node_3", "node_0 node_1 node_3", "node_0 node_1"),
        ("c", "b", 4, "node_0", "node_0 node_1 node_2", ""),
        ("e", "a", 3, "node_3", "node_2 node_3 node_4", "node_2"),
        ("f", "e", 7, "node_3", "node_2 node_3 node_4", ""),
    ],
    columns=["block_hash", "parent_hash", "epoch", "proposer", "voters", "finalized_by"],
)


@cache
def _any_run():
    return run_protocol(epochs=2, signatures="none")


def protocol_run(*, epochs=7, nodes=4, epoch_length=1.0, faults=None, **frames):
    """A run of four nodes and seven epochs with these frames; node_3 is faulty."""
    config = make_config(
        nodes=nodes,
        epochs=epochs,
        epoch_length=epoch_length,
        faults={"node_3": "crash@5"} if faults is None else faults,
    )
    leaders = pd.DataFrame({"leader": [f"node_{epoch % nodes}" for epoch in range(epochs)]})
    made = {
        "epochs": leaders,
        "blocks": FORKED,
        "finality": FINALITY,
        "messages": _any_run().messages,
        "trace": TRACE,
        "violation": VIOLATION,
    }
    return replace(_any_run(), config=config, frames={**_any_run().frames, **made, **frames})
