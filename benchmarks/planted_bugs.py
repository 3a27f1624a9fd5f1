"""How often the search for violations finds bugs that are planted into the protocol.

``python -m benchmarks.planted_bugs --runs 2000`` prints, for each bug, in how many runs of the
search a property is violated, and the same for the right protocol; there it also counts the honest
nodes that the votes convict. Nothing is made small.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final
from unittest import mock

from streamlet_lab.checks import Status
from streamlet_lab.consensus import Block, BlockTree, FinalityRule, StreamletNode
from streamlet_lab.experiment import run_protocol
from streamlet_lab.fuzz import random_config
from streamlet_lab.streams import stream


def _rule(consecutive: int, chopped: int) -> AbstractContextManager[Any]:
    rule = FinalityRule(consecutive, chopped)
    return mock.patch("streamlet_lab.simulator.simulation.THREE_IN_A_ROW", rule)


def _without_longest_chain() -> AbstractContextManager[Any]:
    def fits(node: StreamletNode, block: Block) -> bool:
        return block.hash in node.tree and node.tree.is_notarized(block.parent)

    return mock.patch.object(StreamletNode, "_extends_longest", fits)


def _adjacent() -> AbstractContextManager[Any]:
    def final_below(tree: BlockTree, tip: Any) -> Any:
        parent = tree._entries[tip.block.parent]
        return parent if parent.block.parent else None

    return mock.patch.object(BlockTree, "_final_below", final_below)


#: Each bug by what it does, in the paper's numbers with the smallest conflict that it allows, as
#: something to enter that plants it.
BUGS: Final[dict[str, Callable[[], AbstractContextManager[Any]]]] = {
    # 2-3 against 1-4-5
    "two in a row, the first is final": lambda: _rule(2, 1),
    # 1 against 2-3
    "two in a row, the second is final": lambda: _rule(2, 0),
    # 1-2 against 1-3-4-5
    "three in a row, the third is final": lambda: _rule(3, 0),
    # 1-3 against 2-4
    "three that are not consecutive": _adjacent,
    # 1-2 against 3-4-5; that an honest node votes for a shorter chain shows long before
    "no longest-chain rule": _without_longest_chain,
}


def search(runs: int, seed: int) -> Iterator[tuple[int, set[str], set[str]]]:
    """Yield the number of each run, what is violated in it, and which honest nodes are convicted.

    Parameters
    ----------
    runs, seed : int
        As of :func:`~streamlet_lab.fuzz.fuzz`: the runs are the same.
    """
    for number in range(runs):
        config = random_config(stream(seed, f"fuzz/{number}"))
        run = run_protocol(config)
        violated = {name for name, one in run.checks.items() if one.status is Status.VIOLATED}
        yield number, violated, run.evidence.keys() - config.faulty_nodes


def main() -> None:
    """Print a line for the right protocol, and one for each bug."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["none", *BUGS], help="one bug, or none")
    arguments = parser.parse_args()
    plants = {"none": nullcontext, **BUGS}
    for bug in [arguments.only] if arguments.only else plants:
        with plants[bug]():
            found = [*search(arguments.runs, arguments.seed)]
        any_of = [number for number, names, _ in found if names]
        conflicts = [number for number, names, _ in found if "consistency" in names]
        innocent = {(number, *guilty) for number, _, guilty in found if guilty}
        print(
            f"{bug}: {len(any_of)} of {arguments.runs} runs, first {any_of[:1]}; "
            f"conflicting finality in {len(conflicts)}, first {conflicts[:1]}"
            + (f"; honest nodes convicted in {len(innocent)}" if bug == "none" else ""),
            flush=True,
        )


if __name__ == "__main__":
    main()
