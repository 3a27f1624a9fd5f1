"""What the protocol costs, as ratios to work of known size that is timed in the same run."""

import heapq
import statistics
import tracemalloc

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from streamlet_lab.checks import protocol_checks
from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.consensus import Message, Vote
from streamlet_lab.experiment import run_protocol
from streamlet_lab.simulator import (
    EventQueue,
    Network,
    Priority,
    Simulation,
    create_streamlet_network,
    make_links,
)

from .timing import calls, seconds, signatures_alone, sized

ROUNDS = sized(15, 1)
SHORTER = sized(1, 6)  # so many times


@pytest.mark.parametrize(("nodes", "epochs", "bar"), [(4, 200, 1.15), (16, 40, 1.3), (64, 6, 2.5)])
def test_run_against_its_signatures(
    benchmark: BenchmarkFixture, nodes: int, epochs: int, bar: float
) -> None:
    config = make_config(nodes=nodes, epochs=epochs // SHORTER)
    whole, pure = [], []
    for _ in range(ROUNDS):
        took, simulation = timed_run(config)
        keyring = simulation.keyring
        counts = keyring.signatures, keyring.verifications
        whole.append(took)
        pure.append(seconds(lambda: signatures_alone(*counts)))  # noqa: B023
    ratio = statistics.median(whole) / statistics.median(pure)
    benchmark.extra_info["ratio"] = ratio
    benchmark.pedantic(timed_run, (config,), rounds=1)
    print(
        f"\nbare protocol, {nodes} nodes, {epochs} epochs: {counts[0]} signatures, "
        f"{counts[1]} verifications; run / signatures alone = {ratio:.2f} (bar {bar})"
    )


@pytest.mark.parametrize(("nodes", "epochs", "bar"), [(4, 400, 20), (16, 60, 10), (64, 6, 8)])
def test_first_arrival_against_a_bare_heap(
    benchmark: BenchmarkFixture, nodes: int, epochs: int, bar: int
) -> None:
    """A first arrival with all that the nodes make of it, and the network's part of it alone."""
    config = make_config(nodes=nodes, epochs=epochs // SHORTER, signatures="none")
    whole, part, heap = [], [], []
    for _ in range(ROUNDS):
        took, simulation = timed_run(config)
        # The observer, which is not counted, receives each message too.
        received = sum(first for _, _, first in simulation.network.copies.values())
        whole.append(took / (received + received / (nodes - 1)))
        carried, depth = carry_alone(config)
        part.append(carried)
        heap.append(push_and_pop(depth))
    arrival, network, bare = map(statistics.median, (whole, part, heap))
    benchmark.extra_info["ratio"] = arrival / bare
    benchmark.pedantic(timed_run, (config,), rounds=1)
    print(
        f"\n{nodes} nodes, queue depth {depth}, signatures off: first arrival / heap push and pop "
        f"= {arrival / bare:.1f} (bar {bar}), of that the network {network / bare:.1f}; "
        f"{1e6 * arrival:.2f}, {1e6 * network:.2f} and {1e6 * bare:.2f} µs"
    )


@pytest.mark.parametrize(("nodes", "epochs"), [(4, 200), (16, 40), (64, 6)])
def test_calls_in_an_epoch(benchmark: BenchmarkFixture, nodes: int, epochs: int) -> None:
    """With checks and recorder: what is called for each node, and for each copy of a message."""
    config = make_config(nodes=nodes, epochs=epochs // SHORTER, signatures="none")
    count = calls(lambda: run_protocol(config)) / config.epochs
    benchmark.extra_info["calls"] = count
    benchmark.pedantic(run_protocol, (config,), rounds=1)
    bar = " (bar 400)" if nodes == 4 else ""
    print(f"\nbare protocol, {nodes} nodes: {count:,.0f} calls in an epoch{bar}")


@pytest.mark.parametrize("signatures", ["ed25519", "none"])
def test_checks_against_the_run_that_they_watch(
    benchmark: BenchmarkFixture, signatures: str
) -> None:
    config = make_config(nodes=4, epochs=400 // SHORTER, signatures=signatures)
    with_checks, without = [], []
    for _ in range(ROUNDS):
        without.append(timed_run(config)[0])
        with_checks.append(timed_run(config, checked=True)[0])
    share = min(with_checks) / min(without) - 1
    benchmark.extra_info["share"] = share
    benchmark.pedantic(timed_run, (config,), {"checked": True}, rounds=1)
    print(f"\nall checks, bare protocol, signatures {signatures}: {100 * share:.1f} % (bar 10 %)")


def test_memory_of_a_hundred_nodes(benchmark: BenchmarkFixture) -> None:
    config = make_config(nodes=100, epochs=sized(100, 3), signatures="none")
    tracemalloc.start()
    benchmark.pedantic(timed_run, (config,), {"checked": True}, rounds=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    benchmark.extra_info["MiB"] = peak / 2**20
    print(f"\n100 nodes, 100 epochs, echo on: {peak / 2**20:.0f} MiB at most (bar 1,024)")


def timed_run(config: ExperimentConfig, *, checked: bool = False) -> tuple[float, Simulation]:
    simulation = create_streamlet_network(config)
    if checked:
        simulation.monitors.extend(protocol_checks(config, simulation))
    return seconds(lambda: simulation.run(config.epochs)), simulation


def carry_alone(config: ExperimentConfig) -> tuple[float, int]:
    """Seconds for a first arrival if nobody does anything with it, and the queue's mean depth."""
    depths, nodes = [], config.nodes
    queue, links = EventQueue(), make_links(config.network, nodes, config.seed)

    def receive(time: int, participant: int, message: Message) -> None:
        depths.append(len(queue))

    network = Network(queue, links, nodes, receive)

    def broadcast_all(time: int, epoch: int) -> None:
        for voter in range(nodes):
            signature = epoch.to_bytes(8)
            vote = Vote("bench", epoch, 1, b"block", f"node_{voter}", signature)
            network.broadcast(time, voter, vote)

    def run() -> None:
        for epoch in range(config.epochs):
            start = epoch * config.epoch_length
            queue.schedule(start, Priority.EPOCH, broadcast_all, epoch)
            queue.run_until(start + config.epoch_length, Priority.REFERENCE)

    took = seconds(run)
    return took / len(depths), sum(depths) // len(depths)


def push_and_pop(depth: int, count: int = 20_000) -> float:
    """Seconds for one push and one pop of a heap of events that many deep."""
    events = [(number, 0, number, None, None) for number in range(depth)]

    def run() -> None:
        for number in range(count):
            heapq.heappush(events, (number + depth, 0, number, None, None))
            heapq.heappop(events)

    return seconds(run) / count
