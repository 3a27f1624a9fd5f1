"""How long messages are on their way: every kind of delay, and everything that disturbs it."""

import itertools
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.config import REGION_DELAYS, NetworkConfig
from streamlet_lab.consensus import Vote
from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator import delays as module
from streamlet_lab.simulator.delays import LOST, LognormalDelays, delay_kind, delay_kinds
from streamlet_lab.simulator.links import clock_offsets, make_links
from streamlet_lab.streams import stream
from streamlet_lab.units import to_microseconds

from .bare import final, simulation

MESSAGE = Vote("test", 0, 1, b"block", "node_0", b"")
DELTA = 500_000
NODES = 4
LINKS = [pair for pair in itertools.product(range(NODES), range(NODES + 1)) if pair[0] != pair[1]]


def make(seed=0, nodes=NODES, **settings):
    return make_links(NetworkConfig(**settings), nodes, seed)


def draws(links, count=200, time=0):
    """Delays of ``count`` copies on each link in turn, all sent at one time."""
    return [links.delay(MESSAGE, *link, time) for _ in range(count) for link in LINKS]


def constant(microseconds, **settings):
    """Links with one delay, on which whatever else is set shows."""
    return make(delays="constant", median_delay=f"{microseconds}us", **settings)


@pytest.fixture
def own_kinds(monkeypatch):
    """A registry that a test may change."""
    monkeypatch.setattr(module.DELAYS, "_kinds", dict(module.DELAYS._kinds))


# --- Kinds


def test_the_default_draws_what_the_lab_has_always_drawn():
    """Saved results and golden outputs depend on these bytes."""
    delay = LognormalDelays(stream(5, "network"), 50_000, 0.7, DELTA, 25_000)
    assert draws(make(seed=5)) == [delay(MESSAGE, *link, 0) for _ in range(200) for link in LINKS]
    assert make().shortest == 25_000 < min(draws(make(seed=5)))


def test_uniform_delays_lie_around_the_median():
    drawn = draws(make(delays="uniform", shortest_delay="10ms", median_delay="30ms"), count=1_000)
    assert 10_000 <= min(drawn) < 10_100
    assert 49_900 < max(drawn) <= 50_000
    assert statistics.fmean(drawn) == pytest.approx(30_000, rel=0.01)
    # The standard deviation of a uniform distribution is its width over √12.
    assert statistics.pstdev(drawn) == pytest.approx(40_000 / 12**0.5, rel=0.01)


def test_samples_are_drawn_equally_often():
    drawn = draws(make(delays="sample", samples=["2ms", "3ms", "700ms"]), count=1_000)
    for value in (2_000, 3_000, DELTA):
        assert drawn.count(value) / len(drawn) == pytest.approx(1 / 3, abs=0.015)


def test_delays_between_regions_are_those_of_the_table_and_a_tenth():
    links = make(delays="regions", delay_spread=0)
    regions = [*REGION_DELAYS, next(iter(REGION_DELAYS))]
    for sender, receiver in LINKS:
        # With four nodes and five regions the observer shares the first region with node 0.
        home = regions[receiver] if receiver < NODES else regions[0]
        expected = to_microseconds(REGION_DELAYS[regions[sender]][home])
        assert links.delay(MESSAGE, sender, receiver, 0) == expected + expected // 10


def test_the_table_of_regions_can_be_given_as_it_is():
    assert NetworkConfig(region_delays=REGION_DELAYS).region_table == NetworkConfig().region_table


def test_nodes_are_placed_in_regions_in_turn_and_a_table_need_not_be_symmetric():
    table = {"a": {"a": "1ms", "b": "20ms"}, "b": {"a": "40ms", "b": "2ms"}}
    links = make(delays="regions", region_delays=table, regions=["b", "a"], delay_spread=0)
    assert [links.delay(MESSAGE, *link, 0) for link in [(0, 1), (1, 0), (0, 2), (1, 3)]] == [
        44_000,
        22_000,
        2_200,
        1_100,
    ]
    assert links.delay(MESSAGE, 1, NODES, 0) == 22_000
    assert links.shortest == 1_000


@pytest.mark.usefixtures("own_kinds")
def test_a_kind_of_ones_own_is_used_by_name_or_as_it_is():
    def by_distance(stream, network, nodes):
        offset = stream.randrange(10)
        return lambda message, sender, receiver, time: offset + 1_000 * abs(sender - receiver)

    delay_kind("by_distance")(by_distance)
    assert "by_distance" in delay_kinds()
    offset = stream(3, "network").randrange(10)
    for kind in ("by_distance", by_distance):
        links = make(seed=3, delays=kind)
        assert links.delay(MESSAGE, 0, 2, 0) == offset + 2_000
        assert links.shortest == 1


def test_a_kind_of_ones_own_may_hold_messages_as_long_as_the_paper_allows_and_no_longer():
    def adversary(stream, network, nodes):
        return lambda message, sender, receiver, time: LOST if receiver else -5

    links = make(delays=adversary, gst="3s", slowdown=1)
    assert links.delay(MESSAGE, 0, 1, 1_000_000) == 2_000_000
    assert links.delay(MESSAGE, 0, 1, 2_900_000) == DELTA
    assert links.delay(MESSAGE, 0, 1, 3_000_000) == DELTA
    assert links.delay(MESSAGE, 1, 0, 0) == 1


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ("normal", "one of constant, .*lognormal, regions, sample, uniform, or a function; "),
        ("normal", "; a kind of your own must be registered before"),
        ("callable:mine", "the function mine itself, which a file can name but not contain$"),
        (lambda message, sender, receiver, time: 1, "a function of a stream, the network and"),
    ],
)
def test_what_is_no_kind_of_delays_is_named(delays, expected):
    with pytest.raises(InvalidInput, match=f"network.delays: .*{expected}"):
        make(delays=delays)


def test_a_delay_is_a_whole_number():
    links = make(delays=lambda stream, network, nodes: lambda *copy: 0.5)
    with pytest.raises(InvalidInput, match=r"network\.delays: 0\.5 .* whole microseconds"):
        links.delay(MESSAGE, 0, 1, 0)


# --- Single links and nodes


def test_a_link_can_be_slower_in_one_direction():
    links = constant(9_000, link_delays={"node_0>node_1": "90ms", "node_1>observer": "1ms"})
    assert links.delay(MESSAGE, 0, 1, 0) == 90_000
    assert links.delay(MESSAGE, 1, 0, 0) == 9_000
    assert links.delay(MESSAGE, 1, NODES, 0) == 1_000
    assert links.shortest == 1_000
    assert constant(9, link_delays={"node_0>node_1": "9s"}).delay(MESSAGE, 0, 1, 0) == DELTA


def test_a_slow_node_sends_and_receives_late_and_never_beyond_delta():
    links = constant(90_000, slow_nodes={"node_0": 3, "node_1": 2, "observer": 1.5})
    delays = {link: links.delay(MESSAGE, *link, 0) for link in LINKS}
    assert delays[0, 2] == delays[2, 0] == 270_000
    assert delays[1, 2] == delays[3, 1] == 180_000
    assert delays[0, 1] == DELTA
    assert delays[2, 3] == 90_000
    assert delays[2, NODES] == 135_000


# --- Bad times and partitions


def test_delays_are_longer_in_bad_periods_until_these_end_and_not_between_them():
    bad = [{"start": "10s", "stop": "12s"}, {"start": "14s", "stop": "16s"}]
    links = constant(50_000, gst="2s", bad_periods=bad, slowdown=20)
    seconds = {time: links.delay(MESSAGE, 0, 1, int(time * 1e6)) for time in (0, 1.5, 1.9, 2)}
    # Twenty times 50 ms, but no longer than until the end of the period or for Δ.
    assert seconds == {0: 1_000_000, 1.5: DELTA, 1.9: DELTA, 2: 50_000}
    for good in (9.999999, 12, 13.999999, 16):
        assert links.delay(MESSAGE, 0, 1, int(good * 1e6)) == 50_000
    assert links.delay(MESSAGE, 0, 1, 10_000_000) == 1_000_000
    assert links.delay(MESSAGE, 0, 1, 14_800_000) == 1_000_000
    assert links.delay(MESSAGE, 0, 1, 15_300_000) == 700_000


HALVES = "node_0,node_1|node_2,node_3"


def test_a_partition_holds_what_crosses_it_until_it_heals():
    cut = {"start": "30us", "stop": "71us", "groups": HALVES}
    links = constant(1, partitions=[cut])
    for sender, receiver in LINKS:
        across = receiver < NODES and (sender < 2) != (receiver < 2)
        for time in (30, 50, 69, 70):
            arrival = time + links.delay(MESSAGE, sender, receiver, time)
            assert arrival == (71 if across else time + 1)
        for time in (0, 29, 71):
            assert links.delay(MESSAGE, sender, receiver, time) == 1


def test_b7_a_partition_into_halves_that_heals():
    cut = {"start": "30us", "stop": "71us", "groups": HALVES}
    links = constant(1, partitions=[cut])
    run = simulation(4, delay=links.delay, shortest=links.shortest, epoch_length=10)
    run.run(12)
    for node in run.nodes.values():
        assert final(node) == [1, 2, 3, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("groups", "one_way", "cut"),
    [
        ("node_0|node_1|node_2", True, {(0, 1), (0, 2)}),  # only what the first group sends
        ("node_0|node_1", False, {(0, 1), (1, 0)}),  # nobody who is in no group
    ],
)
def test_a_partition_cuts_its_groups_from_each_other(groups, one_way, cut):
    links = constant(1, partitions=[{"stop": "1s", "groups": groups, "one_way": one_way}])
    assert {link for link in LINKS if links.delay(MESSAGE, *link, 0) == 1_000_000} == cut
    assert {links.delay(MESSAGE, *link, 0) for link in {*LINKS} - cut} == {1}


# --- Loss


@pytest.mark.parametrize("loss", [0.1, 0.5])
def test_a_lost_copy_is_sent_again_after_a_wait_that_doubles(loss):
    links = constant(1_000, loss=loss, retransmit_after="10ms")
    drawn = draws(links, count=1_000)
    assert drawn.count(1_000) / len(drawn) == pytest.approx(1 - loss, abs=0.01)
    # One wait is uniform from 5 to 15 ms, two are at least 15 ms and at most 45 ms.
    once = [value - 1_000 for value in drawn if 1_000 < value < 16_000]
    assert min(once) >= 5_000
    assert statistics.fmean(once) == pytest.approx(10_000, rel=0.05)
    twice = [value for value in drawn if value > 31_000]
    assert len(twice) / len(drawn) >= loss**2 / 4
    assert max(drawn) <= DELTA


def test_with_retransmission_everything_arrives_even_if_every_try_is_lost():
    assert set(draws(constant(1_000, loss=1))) == {DELTA}
    assert set(draws(constant(1_000, loss=1, gst="3s", slowdown=1))) == {3_000_000}


def test_loss_for_good_has_its_probability():
    drawn = draws(constant(1_000, loss=0.2, when_lost="forever"), count=1_000)
    assert set(drawn) == {1_000, LOST}
    assert drawn.count(LOST) / len(drawn) == pytest.approx(0.2, abs=0.01)


def test_a_message_that_is_held_back_from_a_node_is_so_whoever_passes_it_on():
    links = constant(1_000, seed=7, gst="3s", slowdown=1, held=0.5)
    votes = [Vote("test", 0, 1, bytes([number]), "node_0", b"") for number in range(200)]
    arrivals = {
        (number, receiver): {
            time + links.delay(vote, sender, receiver, time)
            for sender, time in ((0, 0), (1, 0), (2, 0))
            if sender != receiver
        }
        for number, vote in enumerate(votes)
        for receiver in range(4)
    }
    assert all(len(times) == 1 for times in arrivals.values())
    held = [time for (time,) in arrivals.values() if time > 1_000]
    assert len(held) / len(arrivals) == pytest.approx(0.5, abs=0.05)
    assert max(held) < 3_000_000
    assert statistics.fmean(held) == pytest.approx(1_500_000, rel=0.1)
    # What is sent later arrives no later than the same instant, or at once.
    vote = votes[0]
    (release,) = arrivals[0, 3]
    assert 2_000 + links.delay(vote, 1, 3, 2_000) == max(release, 3_000)


def test_what_is_held_together_is_held_until_the_same_instant():
    links = constant(1_000, seed=7, gst="3s", slowdown=1, held=0.5, held_together=True)
    votes = [Vote("test", epoch % 20, 1, bytes([epoch]), "node_0", b"") for epoch in range(60)]
    arrivals = {
        (epoch, receiver): {
            links.delay(vote, 0, receiver, 0) for vote in votes if vote.epoch == epoch
        }
        for epoch in range(20)
        for receiver in (1, 2, 3)
    }
    assert all(len(times) == 1 for times in arrivals.values())
    assert 15 < sum(time > 1_000 for (time,) in arrivals.values()) < 45


# --- Whatever is set

times = st.integers(0, 6_000_000)


def text(microseconds):
    return f"{microseconds}us"


@st.composite
def periods(draw):
    start, stop = sorted(draw(st.lists(times, min_size=2, max_size=2, unique=True)))
    return {"start": text(start), "stop": text(stop)}


@st.composite
def partitions(draw):
    groups = draw(st.sampled_from([HALVES, "node_0|node_1|node_2", "node_3|node_0,node_1"]))
    return {**draw(periods()), "groups": groups, "one_way": draw(st.booleans())}


delays = st.integers(1, 2_000_000).map(text)
disturbances = {
    "link_delays": st.dictionaries(st.sampled_from(["node_0>node_1", "node_2>observer"]), delays),
    "slow_nodes": st.dictionaries(st.sampled_from(["node_0", "node_3"]), st.floats(1, 50)),
    "loss": st.floats(0, 1),
    "retransmit_after": delays,
    "gst": times.map(text),
    "bad_periods": st.lists(periods(), max_size=2),
    "slowdown": st.floats(1, 1e9),
    "held": st.floats(0, 1),
    "held_together": st.booleans(),
    "partitions": st.lists(partitions(), max_size=2),
}


@st.composite
def networks(draw):
    shortest, median = sorted(draw(st.tuples(*[st.integers(1, 900_000)] * 2)))
    base = {
        "delta": st.integers(1, 800_000).map(text),
        "delays": st.sampled_from(["lognormal", "constant", "uniform", "sample", "regions"]),
        "shortest_delay": st.just(text(shortest)),
        "median_delay": st.just(text(median)),
        "delay_spread": st.floats(0, 3),
        "samples": st.lists(delays, min_size=1, max_size=3),
    }
    return draw(st.fixed_dictionaries(base, optional=disturbances))


sendings = st.lists(st.tuples(st.sampled_from(LINKS), times), min_size=1, max_size=20)


@settings(max_examples=60)
@given(networks(), sendings, st.integers(0, 99))
def test_the_papers_promise_holds_whatever_is_set(given_settings, sent, seed):
    """Section 2: what is sent at t arrives by max(GST, t + Δ), outside disturbances by t + Δ."""
    network = NetworkConfig(**given_settings)
    disturbed = [*network.bad_times, *((cut.start, cut.stop) for cut in network.partitions)]
    links, again = make_links(network, NODES, seed), make_links(network, NODES, seed)
    assert links.shortest >= 1
    for link, time in sent:
        delay = links.delay(MESSAGE, *link, time)
        assert type(delay) is int
        assert links.shortest <= delay <= max(network.gst_in_force - time, network.delta)
        end = max((stop for start, stop in disturbed if start <= time < stop), default=time)
        assert delay <= max(end - time, network.delta)
        assert again.delay(MESSAGE, *link, time) == delay


@pytest.mark.parametrize(
    "disturbance",
    [
        {"loss": 0.3},
        {"loss": 0.3, "when_lost": "forever"},
        {"bad_periods": [{"stop": "1s"}]},
        {"partitions": [{"stop": "1s", "groups": HALVES}]},
        {"link_delays": {"node_0>node_1": "90ms"}},
        {"slow_nodes": {"node_0": 2.0}},
        {"clock_skew": "9ms"},
    ],
    ids=lambda disturbance: "-".join(disturbance),
)
@pytest.mark.parametrize("kind", ["lognormal", "regions"])
def test_a_disturbance_leaves_the_other_draws_as_they_were(disturbance, kind):
    calm, disturbed = make(delays=kind), make(delays=kind, **disturbance)
    draws(calm, 20, time=0), draws(disturbed, 20, time=0)
    # Two seconds later all disturbances but losses, node 0 and its link are over.
    for link in LINKS * 20:
        expected = calm.delay(MESSAGE, *link, 2_000_000)
        delay = disturbed.delay(MESSAGE, *link, 2_000_000)
        assert delay == expected or 0 in link or "loss" in disturbance
        assert delay >= expected or "link_delays" in disturbance


# --- Clocks


def test_clocks_are_late_by_a_random_part_of_the_skew():
    offsets = clock_offsets(NetworkConfig(clock_skew="1ms"), 1_000, seed=0)
    assert (len(offsets), offsets[-1]) == (1_001, 0)
    assert all(0 <= offset <= 1_000 for offset in offsets)
    assert statistics.fmean(offsets) == pytest.approx(500, rel=0.05)
    assert clock_offsets(NetworkConfig(), 4, seed=0) == (0, 0, 0, 0, 0)


def test_a_clock_can_be_late_by_an_exact_value():
    network = NetworkConfig(clock_skew={"node_1": "3ms", "node_2": "1ms"})
    assert clock_offsets(network, 4, seed=7) == (0, 3_000, 1_000, 0, 0)
    # What counts is how much later than the first one they are.
    network = NetworkConfig(clock_skew={"node_0": "4ms", "node_1": "1ms"})
    assert clock_offsets(network, 2, seed=7) == (3_000, 0, 0)
