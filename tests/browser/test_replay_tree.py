"""The block tree is what the viewer knows, and what is clicked is told in full."""

import math
import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .pages import TIMEOUT_MS
from .replay import SETTLE, facts, get, put, show

pytestmark = pytest.mark.browser

BLOCKS = """() => [...document.querySelectorAll(".sl-blocks > g")].map((group) => ({
    block: Number(group.dataset.block),
    kinds: [...group.classList],
    ticks: (group.querySelector(".sl-tick-seen")?.getAttribute("d").match(/M/g) ?? []).length,
    says: group.getAttribute("aria-label"),
}))"""


def heights_of(result: sl.Result) -> list[int]:
    return [0, *result.blocks["height"]]


def test_the_tree_is_what_the_viewer_knows(bare: Page, parted: sl.Result) -> None:
    show(bare, parted, ("tree",))
    heights = heights_of(parted)
    votes_come = [("node_0", 8.02 + each / 100) for each in range(8)]
    for viewer, t in (("observer", 2.08), *votes_come, ("node_0", 8.4), ("node_3", 15.9)):
        put(bare, viewer=viewer, time=t)
        known_to_viewer = bare.evaluate(
            """([viewer, t]) => Array.from({ length: film.tables.blocks.rows }, (_, block) => {
                const node = film.names.indexOf(viewer);
                const votes = bench.votesSeen(film, block, node, t).length;
                return [bench.blockState(film, block, node, t), votes];
            })""",
            [viewer, t],
        )
        known = [block for block, (state, _) in enumerate(known_to_viewer) if state != "unknown"]
        top = max(heights[block] for block in known)
        drawn = {each["block"]: each for each in bare.evaluate(BLOCKS)}

        assert sorted(drawn) == [block for block in known if heights[block] > top - 12]
        for block, each in drawn.items():
            state, votes = known_to_viewer[block]
            assert f"sl-{state}" in each["kinds"]
            assert each["ticks"] == votes


def test_a_narrow_tree_shows_fewer_heights_and_the_newest(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("tree",), time=11.9)
    bare.evaluate("panels.tree.element.style.width = '300px'")
    bare.wait_for_function(
        "document.querySelectorAll('.sl-blocks > g').length < 10",
        timeout=TIMEOUT_MS,
    )
    boxes = bare.locator(".sl-blocks > g > .sl-body").evaluate_all(
        "(all) => all.map((it) => it.getBoundingClientRect()).map((it) => [it.left, it.right])"
    )

    assert len(boxes) == 6
    assert all(right < left for (_, right), (left, _) in pairwise(sorted(boxes)))
    drawn = [each["block"] for each in bare.evaluate(BLOCKS)]
    assert bare.evaluate("bench.stateOf(film, film.observer, 11.9).tip") in drawn


def test_what_decides_is_lit_and_said(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("tree",), time=0.5)
    note = bare.locator(".sl-tree .sl-note")
    expect(note).to_have_text("Nothing is final yet.", timeout=TIMEOUT_MS)

    put(bare, time=12)
    final = bare.evaluate("bench.stateOf(film, film.observer, 12).finalized")
    three = bare.evaluate("(block) => bench.decidingThree(film, block)", final)
    lit = [each["block"] for each in bare.evaluate(BLOCKS) if "sl-lit" in each["kinds"]]
    assert lit == three
    epochs = [int(calm.blocks["epoch"].iloc[block - 1]) for block in three]
    expect(note).to_contain_text(f"epochs {', '.join(map(str, epochs))}.", timeout=TIMEOUT_MS)
    expect(note).to_contain_text(f"the block of epoch {epochs[-2]} and all below it are final")
    words = f"in a row: {epochs[-2]} is final"
    expect(bare.locator(".sl-label")).to_have_text(words, timeout=TIMEOUT_MS)


def test_forks_that_lie_on_one_another_are_counted(bare: Page, parted: sl.Result) -> None:
    show(bare, parted, ("tree",), time=8.9)
    bare.evaluate("panels.tree.element.style.height = '110px'")
    counted = bare.locator(".sl-block-line", has_text="+")
    expect(counted).to_have_count(1)
    covered = bare.locator(".sl-block:not(:has(text))").count()

    assert covered > 1
    assert counted.inner_html().endswith(f" +{covered}")
    name = re.compile(f"on top of {covered} more forks")
    expect(counted.locator("..")).to_have_accessible_name(name)


def test_forks_stand_out(bare: Page, parted: sl.Result) -> None:
    show(bare, parted, ("tree",), time=15.9)
    drawn = {each["block"]: each for each in bare.evaluate(BLOCKS)}
    heights, tip = heights_of(parted), max(drawn)
    parents = bare.evaluate("[...film.tables.blocks.parent]")
    chain = {tip}
    while (tip := parents[tip]) > 0:
        chain.add(tip)
    forks = {block for block, each in drawn.items() if "sl-off" in each["kinds"]}

    assert forks == {block for block in drawn if block not in chain and block > 0}
    assert all("on a fork" in drawn[block]["says"] for block in forks)
    assert any(heights[one] == heights[other] for one in forks for other in drawn if one != other)


def test_conflicts_stand_out_where_they_happen(bare: Page, unsafe: sl.Result) -> None:
    show(bare, unsafe, ("tree",))
    violated = {it["check"]: it["time_s"] for it in bare.evaluate("film.header.violations")}

    def flagged(t: float, flag: str) -> list[str]:
        put(bare, time=t, viewer="node_0")
        return [each["says"] for each in bare.evaluate(BLOCKS) if flag in each["kinds"]]

    assert flagged(violated["consistency"] - 1e-6, "sl-conflict") == []
    conflicting = flagged(violated["consistency"], "sl-conflict")
    assert len(conflicting) == 2
    assert all("conflicts with a final block of the same height" in it for it in conflicting)
    twins = flagged(violated["consistency"], "sl-twin")
    assert len(twins) == 2
    height = re.search(r"height (\d+)", conflicting[0])
    words = f"conflict: two are final at height {height[1] if height else None}"
    expect(bare.locator(".sl-label-conflict")).to_have_text(words, timeout=TIMEOUT_MS)
    assert all("one of two blocks of this epoch" in it for it in twins)


@pytest.mark.parametrize("fixture", ["calm", "parted", "unsafe"])
def test_no_block_lies_on_another(bare: Page, fixture: str, request: pytest.FixtureRequest) -> None:
    load(bare, "film", "lanes", film=make_film(request.getfixturevalue(fixture)))
    places = bare.evaluate(
        """() => [...bench.layOutTree(film).lane].map(
            (lane, block) => `${film.tables.blocks.height[block]}/${lane}`)"""
    )

    assert len({*places}) == len(places)


def test_the_final_chain_and_what_extends_it_have_the_first_lane(
    bare: Page, parted: sl.Result
) -> None:
    load(bare, "film", "lanes", film=make_film(parted))
    lanes = bare.evaluate("[...bench.layOutTree(film).lane]")
    blocks = parted.blocks
    final = [place + 1 for place, is_final in enumerate(blocks["finalized"]) if is_final]
    last = blocks["parent_hash"].iloc[-1]

    assert {lanes[block] for block in (0, *final, len(blocks))} == {0}
    assert blocks.loc[blocks["block_hash"] == last, "notarized"].all()
    assert sum(lane > 0 for lane in lanes) == (~blocks["notarized"]).sum() - (
        not blocks["notarized"].iloc[-1]
    )


def test_conflicting_final_blocks_are_told_from_when_both_are_final(bare: Page) -> None:
    load(bare, "lanes")
    since = bare.evaluate("""() => [...bench.layOutTree({ tables: {
        blocks: { rows: 4, height: [0, 1, 1, 2], parent: [-1, 0, 0, 1] },
        known: { block: [1, 2, 3, 1], finalized_s: [5, 7, 9, 4], rows: 4 },
    } }).conflictSince].map((time) => time === Infinity ? null : time)""")

    assert since == [None, 7, 7, None]


def test_blocks_are_reached_and_chosen_by_keys(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, time=8.9)
    tip = bare.evaluate("bench.stateOf(film, film.observer, 8.9).tip")
    bare.locator(".sl-blocks [tabindex='0']").focus()
    assert bare.evaluate("Number(document.activeElement.dataset.block)") == tip

    bare.keyboard.press("ArrowLeft")
    bare.keyboard.press("Enter")
    bare.evaluate(SETTLE)
    parent = bare.evaluate("(block) => film.tables.blocks.parent[block]", tip)
    assert get(bare, "selection") == {"kind": "block", "id": parent}
    expect(bare.locator(f"[data-block='{parent}']")).to_have_attribute("aria-pressed", "true")
    bare.keyboard.press("ArrowRight")
    assert bare.evaluate("Number(document.activeElement.dataset.block)") == tip


@pytest.mark.parametrize(("lanes", "room"), [(2, 120), (5, 120), (12, 120), (18, 120), (1, 60)])
def test_all_lanes_have_room_and_the_first_is_in_full(bare: Page, lanes: int, room: int) -> None:
    load(bare, "lanes")
    middles, heights, total = bare.evaluate(
        """([lanes, room]) => {
            const { middleOf, heightOf, total } = bench.spreadLanes(lanes, room, 1);
            const all = Array.from({ length: lanes }, (_, lane) => lane);
            return [all.map(middleOf), all.map(heightOf), total];
        }""",
        [lanes, room],
    )

    assert total <= room
    assert heights[0] >= 23
    assert all(one < other for one, other in pairwise(middles))
    assert middles[0] >= heights[0] / 2
    assert middles[-1] + heights[-1] / 2 <= total
    if lanes > 1:  # nothing lies on the chain that is final
        assert middles[1] - heights[1] / 2 >= middles[0] + heights[0] / 2


# --- the inspector ---


def test_a_block_is_told_in_full(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("inspector",), time=5.0, selection={"kind": "block", "id": 3})
    block, epoch = calm.blocks.iloc[2], calm.epochs.iloc[2]
    said = facts(bare)

    assert said["hash"] == f"{block['block_hash'][:8]}…"
    assert said["proposer"] == block["proposer"]
    assert said["parent"] == "block of epoch 1"
    assert said["consensus price"] == f"${block['consensus_price']:.2f}"
    assert said["VWAP"] == f"${epoch['vwap']:.2f}"
    assert said["sources counted"] == f"{epoch['price_count']}"
    assert said["notarized"] == f"{epoch['notarized_s']:.3f} s"
    assert said["final"] == f"{epoch['finalized_s']:.3f} s"
    assert said["made final by"] == "block of epoch 1, block of epoch 2, block of epoch 3"
    votes = calm.trace[
        (calm.trace["block_hash"] == block["block_hash"])
        & (calm.trace["kind"] == "vote")
        & (calm.trace["receiver"] == "observer")
    ]
    rows = bare.locator(".sl-votes tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    assert {name: seen for name, _, seen in rows} == {
        vote.author: f"{vote.received_s:.3f} s" for vote in votes.itertuples()
    }


def test_what_has_not_come_yet_is_not_told(bare: Page, calm: sl.Result) -> None:
    start = calm.blocks["proposed_s"].iloc[2]
    show(bare, calm, ("inspector",), time=start, selection={"kind": "block", "id": 3})
    said = facts(bare)

    assert (said["for observer"], said["notarized"]) == ("not known yet", "not yet")
    assert "made final by" not in said


def test_an_order_is_told_with_its_reference_and_verdict(bare: Page, calm: sl.Result) -> None:
    orders, rejections = calm.orders, calm.rejections
    judged = rejections[rejections["deviation_percent"].notna() & rejections["verdict"].ne("")]
    stopped = judged.iloc[0]
    row = int(orders.index[orders["order_id"] == stopped["order_id"]][0])
    order = orders.loc[row]
    show(bare, calm, ("inspector",), time=12.0, selection={"kind": "order", "id": row})
    said = facts(bare)

    assert said["order"] == (
        f"{order['side']} {order['quantity']} AAPL at ${order['price']:.2f}"
        if not math.isnan(order["price"])
        else f"{order['side']} {order['quantity']} AAPL at the market's price"
    )
    assert said["reference"].startswith(f"${order['reference_price']:.2f} of the block of epoch")
    assert said["its age"] == f"{order['reference_age_s']:.3f} s"
    away = 100 * (order["price"] / order["reference_price"] - 1)
    assert said["deviation"].startswith(f"{away:+.2f} %".replace("-", "−"))
    assert said["verdict"] == f"{stopped['verdict'].replace('_', ' ')} rejection"
    assert said["reason"] == stopped["reason"].replace("_", " ")


def test_what_another_film_has_not_is_no_error(bare: Page, calm: sl.Result) -> None:
    show(bare, calm)
    for kind in ("block", "order", "node"):
        put(bare, selection={"kind": kind, "id": 99_999})

        expect(bare.locator(".sl-title")).to_have_text("The world as observer sees it")
        bare.get_by_role("button", name="back to the viewer").click()
        assert get(bare, "selection") is None
