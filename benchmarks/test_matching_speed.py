"""What the matching core does in a second, beside its own door and other engines.

``pip install -e ".[bench]"`` installs the peers; one that is missing is skipped. Run with ``-s``
to see the figures.
"""

import gc
import statistics
from functools import cache

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .engines import (
    Bourse,
    Contender,
    DictBook,
    Lab,
    LabEngine,
    LightMatchingEngine,
    OrderMatching,
    Peer,
)
from .flow import Flow, make_flow
from .timing import seconds, sized

#: The class, how many rounds its speed allows, how often ours runs before and after it in each,
#: and the ratio to be reached: our speed over theirs.
PEERS: list[tuple[type[Peer], int, int, float]] = [
    (DictBook, 9, 1, 0.5),
    (Bourse, 9, 1, 0.45),
    (LightMatchingEngine, 9, 1, 2.0),
    (OrderMatching, 1, 5, 100.0),
]

#: What `ConsensusMatchingEngine.submit` and `cancel` may cost over the core, of orders made before.
DOOR = 1.5


@cache
def flow() -> Flow:
    """Return the 100,000 commands, the same for every engine."""
    return make_flow(*sized((54_009, 34_050, 11_941), (1_000, 500, 200)))


def timed(kind: type[Contender]) -> float:
    """Return how long an engine takes for the flow; it must trade what the flow trades."""
    contender = kind(flow())
    gc.collect()
    gc.freeze()  # what was made for the timing is not the engine's garbage to look through
    taken = seconds(contender.run)
    gc.unfreeze()
    assert contender.traded() == flow().traded
    return taken


@pytest.mark.parametrize(
    ("peer", "rounds", "around", "bar"), PEERS, ids=[peer.package for peer, *_ in PEERS]
)
def test_speed_beside(
    benchmark: BenchmarkFixture, peer: type[Peer], rounds: int, around: int, bar: float
) -> None:
    timed(Lab)  # to warm up, and whether or not there is anyone beside
    pytest.importorskip(peer.package, reason=f"{peer.package} is not installed: extra 'bench'")
    ours, theirs, ratios = [], [], []
    for _ in range(sized(rounds, 1)):
        before = [timed(Lab) for _ in range(around)]
        them = timed(peer)
        after = [timed(Lab) for _ in range(around)]
        ratios.append(them / statistics.median(before + after))
        ours += before + after
        theirs.append(them)
    # Ours before and after theirs, and the middle round, against what else the machine does.
    ratio = statistics.median(ratios)
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(lambda: timed(Lab), rounds=1)
    counts, events = flow().counts(), len(flow().events)
    print(
        f"\n{events} commands {counts}, {flow().trades} trades: "
        f"{events / min(ours):,.0f}/s, {peer.__name__} {events / min(theirs):,.0f}/s; "
        f"ratio {ratio:.2f} (bar {bar})"
    )


def test_cost_of_the_engine_over_its_core(benchmark: BenchmarkFixture) -> None:
    timed(Lab)
    ratios = []
    for _ in range(sized(9, 1)):
        before, ours, after = timed(Lab), timed(LabEngine), timed(Lab)
        ratios.append(2 * ours / (before + after))
    ratio = statistics.median(ratios)
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(lambda: timed(LabEngine), rounds=1)
    print(f"\nengine / core = {ratio:.2f} (bar {DOOR})")
