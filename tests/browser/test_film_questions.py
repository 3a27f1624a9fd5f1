"""What the browser answers about a film is what a plain reading of the frames answers."""

import math
from random import Random
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Error, Page

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import READ, load

pytestmark = pytest.mark.browser

SETTINGS: dict[str, dict[str, Any]] = {
    "calm": {},
    "forks": {"nodes": 5, "quorum": 3, "faults": [{"kind": "split", "count": 2}]},
    "down and back": {"nodes": 7, "faults": "node_6=crash@3-9,node_1=silent_leader@5"},
    "partition": {
        "network": {
            "partitions": [{"groups": "node_0,node_1|node_2,node_3", "start": "4s", "stop": "9s"}],
            "catch_up": True,
        }
    },
    "synchronous": {"model": "synchronous", "nodes": 5},
}
ASK = """([questions]) => questions.map(([node, block, t]) => {
    const { blockState, votesSeen, stateOf, inFlight } = window.bench;
    return {
        state: blockState(film, block, node, t),
        votes: votesSeen(film, block, node, t).map((one) => one.voter),
        node: stateOf(film, node, t),
        flying: inFlight(film, t),
    };
})"""


class Naive:
    """Reads all rows of the frames for each question."""

    def __init__(self, result: sl.Result) -> None:
        self.result, self.config = result, result.config
        self.names = [*result.config.node_ids, "observer"]
        lowest = result.blocks[result.blocks["height"] == 1]
        self.hashes = [lowest["parent_hash"].iloc[0], *result.blocks["block_hash"]]
        # Those that arrive at one instant are told of in the order of the frame.
        self.trace = result.trace
        self.is_vote = result.trace["kind"] == "vote"

    def block_state(self, node: int, block: int, t: float) -> str:
        finality, trace, name = self.result.finality, self.trace, self.names[node]
        own = finality[(finality["node"] == name) & (finality["block_hash"] == self.hashes[block])]
        if block == 0 or (own["finalized_s"] <= t).any():
            return "finalized"
        if (own["notarized_s"] <= t).any():
            return "notarized"
        came = ~self.is_vote & (trace["receiver"] == name) & (trace["received_s"] <= t)
        row = self.result.blocks.iloc[block - 1]
        is_own = row["proposer"] == name and row["proposed_s"] <= t
        if is_own or (trace["block_hash"][came] == self.hashes[block]).any():
            return "proposed"
        return "unknown"

    def votes(self, node: int, block: int, t: float) -> set[int]:
        votes = self.trace[self.is_vote & (self.trace["block_hash"] == self.hashes[block])]
        name = self.names[node]
        came = votes[(votes["receiver"] == name) & (votes["received_s"] <= t)]
        own = votes[(votes["author"] == name) & (votes["sent_s"] <= t)]
        return {self.names.index(author) for author in (*came["author"], *own["author"])}

    def knows(self, node: int, t: float) -> dict[str, Any]:
        finality = self.result.finality[self.result.finality["node"] == self.names[node]]
        notarized = finality[finality["notarized_s"] <= t]
        final = finality[finality["finalized_s"] <= t].sort_values("height", ascending=False)
        tip = notarized[notarized["height"] == notarized["height"].max()]["block_hash"]
        prices = self.result.blocks.set_index("block_hash")["consensus_price"]
        known = prices.reindex(final["block_hash"]).dropna()
        return {
            "tip": self.hashes.index(tip.iloc[0]) if len(tip) else 0,
            "finalized": self.hashes.index(final["block_hash"].iloc[0]) if len(final) else 0,
            "reference": float(known.iloc[0]) if len(known) else math.nan,
        }

    def flying(self, t: float) -> list[int]:
        rows = (self.trace["sent_s"] <= t) & (t < self.trace["received_s"])
        return [int(row) for row in self.trace.index[rows]]


@pytest.fixture(params=SETTINGS, scope="module")
def run(request: pytest.FixtureRequest) -> sl.Result:
    settings = SETTINGS[request.param]
    return sl.Experiment(epochs=16, seed=5, trace=True, signatures="none", **settings).run()


def questions(result: sl.Result, count: int = 100) -> list[tuple[int, int, float]]:
    """Draw a node, a block and an instant for each: any, or one at which something happens."""
    random = Random(1)
    instants = [*result.trace["received_s"], *result.finality["notarized_s"]]
    return [
        (
            random.randrange(result.config.nodes + 1),
            random.randrange(len(result.blocks) + 1),
            random.choice([random.uniform(0, 16), random.choice(instants)]),
        )
        for _ in range(count)
    ]


def test_who_knows_what_at_an_instant(bare: Page, run: sl.Result) -> None:
    load(bare, "film", film=make_film(run))
    asked, naive = questions(run), Naive(run)

    for (node, block, t), answer in zip(asked, bare.evaluate(ASK, [asked]), strict=True):
        case = f"node {node}, block {block}, {t} s"
        assert answer["state"] == naive.block_state(node, block, t), case
        assert len(answer["votes"]) == len({*answer["votes"]}), case
        assert {*answer["votes"]} == naive.votes(node, block, t), case
        assert answer["flying"] == naive.flying(t), case
        for name, value in naive.knows(node, t).items():
            assert answer["node"][name] == pytest.approx(value, abs=0, nan_ok=True), (case, name)


def test_a_node_is_down_while_its_crash_lasts(bare: Page) -> None:
    faults = "node_3=crash@2-4,node_1=silent_leader@3"
    run = sl.Experiment(epochs=6, faults=faults, trace=True, signatures="none").run()
    load(bare, "film", film=make_film(run))
    ask = """(t) => [3, 1].map((node) => bench.stateOf(film, node, t))
        .map((it) => [it.down, it.fault, it.epoch])"""

    up, down = [False, None], [True, "crash"]
    assert bare.evaluate(ask, 1.999999) == [[*up, 1], [*up, 1]]
    assert bare.evaluate(ask, 2) == [[*down, 2], [*up, 2]]
    assert bare.evaluate(ask, 3) == [[*down, 3], [False, "silent_leader", 3]]
    assert bare.evaluate(ask, 4) == [[*up, 4], [False, "silent_leader", 4]]
    assert bare.evaluate(ask, 6) == [[*up, 5], [False, "silent_leader", 5]]


def test_consecutive_epochs_decide_a_block(bare: Page, run: sl.Result) -> None:
    film = make_film(run)
    load(bare, "film", film=film)
    final = bare.evaluate(
        "Array.from({ length: film.tables.blocks.rows }, (_, b) => bench.decidingThree(film, b))"
    )
    naive, rule = Naive(run), film.header["finality"]
    seen = run.finality[run.finality["node"] == "observer"].set_index("block_hash")
    blocks = pd.concat([pd.Series([-1]), run.blocks["epoch"]], ignore_index=True)
    parents = ["", *run.blocks["parent_hash"]]

    assert sum(row is not None for row in final[1:]) == run.blocks["finalized"].sum() > 0
    for block, row in enumerate(final):
        if row is None:
            continue
        hashes = [naive.hashes[each] for each in row]
        assert [blocks[each] for each in row] == [
            blocks[row[0]] + step for step in range(rule["consecutive"])
        ]
        assert [parents[each] for each in row[1:]] == hashes[:-1]
        # The last of them to be notarized was when the block became final.
        finalized = seen["finalized_s"][naive.hashes[block]]
        assert seen["notarized_s"].reindex(hashes).max() == finalized
        assert blocks[block] <= blocks[row[-1 - rule["chopped"]]]


def test_the_first_violation_is_the_earliest(bare: Page) -> None:
    settings = SETTINGS["forks"]
    film = make_film(sl.Experiment(epochs=40, signatures="none", **settings).run())
    load(bare, "film", film=film)
    first = bare.evaluate("bench.firstViolation(film)")

    assert first == min(film.header["violations"], key=lambda one: one["time_s"])


def test_without_arrivals_a_block_is_there_once_it_is_proposed(bare: Page) -> None:
    run = sl.Experiment(epochs=6, signatures="none").run()
    load(bare, "film", film=make_film(run))
    ask = """(t) => [
        bench.blockState(film, 3, 0, t), bench.votesSeen(film, 3, 0, t), bench.inFlight(film, t)
    ]"""

    assert bare.evaluate(ask, 1.9) == ["unknown", [], []]
    assert bare.evaluate(ask, 2) == ["proposed", [], []]
    assert bare.evaluate(ask, 5.9) == ["finalized", [], []]


def test_a_film_of_another_version_is_refused(bare: Page) -> None:
    load(bare, "film")

    with pytest.raises(Error, match="This film is of version 2; this page plays 1"):
        bare.evaluate(READ, [{"version": 2}, []])


def test_columns_are_read_from_wherever_their_bytes_begin(bare: Page) -> None:
    """The kernel's bytes are views of one message, and begin anywhere."""
    load(bare, "film")
    column = {"type": "f64", "buffer": 0}
    header = {"version": 1, "names": [], "tables": {"path": {"rows": 2, "columns": {"t": column}}}}

    read = """(header) => {
        const bytes = new Uint8Array(27);
        bytes.set(new Uint8Array(Float64Array.of(1.5, -2).buffer), 3);
        const view = new DataView(bytes.buffer, 3, 16);
        return [...bench.readFilm(header, [view]).tables.path.t];
    }"""
    assert bare.evaluate(read, header) == [1.5, -2]
