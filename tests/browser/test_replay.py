"""The protocol is seen: messages fly, the tree grows, and what is clicked is told."""

import math
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .pages import TIMEOUT_MS

pytestmark = pytest.mark.browser

MODULES = (
    *("film", "store", "play", "playbar", "ring", "flights", "network", "lanes", "tree"),
    "inspector",
)
PANELS = ("network", "tree", "inspector", "play")
# Two pictures later everyone has heard of what changed.
SETTLE = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
MOUNT = """([names, start]) => {
    const main = document.querySelector("main");
    main.className = "sl-bench";
    main.dataset.theme = start.theme ?? "light";
    window.store = bench.createStore({ film: window.film ?? null, ...start });
    window.panels = Object.fromEntries(
        names.map((name) => [name, bench[`${name}Panel`](store, () => {})]),
    );
    for (const { element } of Object.values(panels)) {
        element.style.height = element.className.includes("bar") ? "" : "360px";
        main.append(element);
    }
}"""
PARTITION = {"partitions": [{"groups": "node_0,node_1|node_2,node_3", "start": "4s", "stop": "9s"}]}
BLOCKS = """() => [...document.querySelectorAll(".sl-blocks > g")].map((group) => ({
    block: Number(group.dataset.block),
    kinds: [...group.classList],
    ticks: group.querySelectorAll(".sl-tick-seen").length,
    says: group.getAttribute("aria-label"),
}))"""
# How many pixels have the colour of messages and of whose eyes one sees with.
BLUE = """() => {
    const canvas = document.querySelector(".sl-ring");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        count += data[at] === 0 && data[at + 1] === 114 && data[at + 2] === 178;
    }
    return count;
}"""


def run(epochs: int = 12, trace: bool = True, **settings: Any) -> sl.Result:
    return sl.Experiment(epochs=epochs, trace=trace, signatures="none", **settings).run()


def show(page: Page, result: sl.Result, names: tuple[str, ...] = PANELS, **start: Any) -> None:
    load(page, *MODULES, film=make_film(result))
    page.evaluate(MOUNT, [[*names], start])
    page.evaluate(SETTLE)


def put(page: Page, **patch: Any) -> None:
    page.evaluate("(patch) => store.set(patch)", patch)
    page.evaluate(SETTLE)


def get(page: Page, name: str) -> Any:
    return page.evaluate("(name) => store.get()[name]", name)


def facts(page: Page) -> dict[str, str]:
    pairs = """(all) => all.map((term) => [term.innerText, term.nextSibling.innerText])"""
    return dict(page.locator(".sl-facts dt").evaluate_all(pairs))


@pytest.fixture(scope="module")
def calm() -> sl.Result:
    return run()


@pytest.fixture(scope="module")
def parted() -> sl.Result:
    return run(16, network=PARTITION)


@pytest.fixture(scope="module")
def unsafe() -> sl.Result:
    """A run that violates two properties, one after the other."""
    return run(8, nodes=5, quorum=3, faults=[{"kind": "split", "count": 2}])


# --- the store ---


def test_who_listens_hears_the_newest_state_once_a_picture(bare: Page) -> None:
    load(bare, "store")
    heard = bare.evaluate("""async () => {
        const next = () => new Promise(requestAnimationFrame);
        const store = bench.createStore({ time: 0 });
        const heard = [];
        const off = store.on(["time", "viewer"], ({ time }) => heard.push(time));
        store.on(["film"], () => heard.push("film"));
        store.set({ time: 1 }); store.set({ time: 2, viewer: "node_0" });
        await next();
        store.set({ time: 2 });  // no other than before
        await next();
        store.set({ time: 3 });
        off();
        await next(); await next();
        return heard;
    }""")

    assert heard == [2]


def test_who_sets_something_in_each_picture_is_heard_in_each(bare: Page) -> None:
    load(bare, "store")
    heard = bare.evaluate("""() => new Promise((done) => {
        const store = bench.createStore({ time: 0 });
        const heard = [];
        store.on(["time"], ({ time }) => heard.push(time));
        const advance = () => {
            if (store.get().time === 20) return done(heard);
            requestAnimationFrame(advance);
            store.set({ time: store.get().time + 1 });
        };
        advance();
    })""")

    assert len(heard) >= 18


def test_an_error_of_one_listener_spares_the_others(bare: Page) -> None:
    load(bare, "store")
    heard = bare.evaluate("""async () => {
        const reported = [];
        window.reportError = (error) => reported.push(error.message);
        const store = bench.createStore();
        store.on(["time"], () => { throw new Error("oh"); });
        store.on(["time"], ({ time }) => reported.push(time));
        store.set({ time: 5 });
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        return reported;
    }""")

    assert heard == ["oh", 5]


# --- play ---


def test_arrows_step_from_arrival_to_arrival(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("play",))
    arrivals = sorted({*calm.trace["received_s"]})
    slider = bare.get_by_role("slider", name="time")

    for expected in arrivals[:5]:
        slider.press("ArrowRight")
        assert get(bare, "time") == expected
    bare.evaluate(SETTLE)
    row = calm.trace[calm.trace["received_s"] == arrivals[4]].iloc[0]
    said = bare.locator(".sl-happened").inner_text()
    assert said.startswith(
        f"{row['kind']} of {row['author']} for the block of epoch {row['epoch']}"
    )
    assert f"reaches {row['receiver']}" in said
    slider.press("ArrowLeft")
    assert get(bare, "time") == arrivals[3]


@pytest.mark.parametrize(
    ("key", "time"),
    [("PageUp", 4), ("PageDown", 3), ("Home", 0), ("End", 12)],
)
def test_other_keys_step_by_epochs_and_to_the_ends(
    bare: Page, calm: sl.Result, key: str, time: float
) -> None:
    show(bare, calm, ("play",), time=3.25)
    slider = bare.get_by_role("slider", name="time")
    slider.press(key)
    bare.evaluate(SETTLE)

    assert get(bare, "time") == time
    said = slider.get_attribute("aria-valuetext")
    assert said == f"epoch {min(time, 11)}, {time:.3f} s of 12.0 s"


def test_steps_by_epochs_do_not_stick_at_rounded_starts(bare: Page) -> None:
    show(bare, run(9, epoch_length="0.7s", network={"delta": "0.35s"}), ("play",))
    button = bare.get_by_role("button", name="next epoch")
    for _ in range(8):
        button.click()

    assert get(bare, "time") == pytest.approx(8 * 0.7)


def test_it_plays_to_the_end_and_then_again(bare: Page) -> None:
    show(bare, run(3), speed=10)
    bare.get_by_role("button", name="play", exact=True).click()
    bare.wait_for_function("!store.get().playing && store.get().time > 0", timeout=TIMEOUT_MS)
    assert get(bare, "time") == 3

    bare.get_by_role("button", name="play", exact=True).click()
    bare.wait_for_function("store.get().time < 3", timeout=TIMEOUT_MS)


def test_play_stops_where_the_protocol_is_violated(bare: Page, unsafe: sl.Result) -> None:
    show(bare, unsafe, speed=5)
    violations = sorted(bare.evaluate("film.header.violations"), key=lambda it: it["time_s"])

    assert len({violation["time_s"] for violation in violations}) == 2
    for violation in violations:
        bare.evaluate("panels.play.player.play()")
        bare.wait_for_function(
            "(t) => !store.get().playing && store.get().time >= t",
            arg=violation["time_s"],
            timeout=TIMEOUT_MS,
        )
        assert get(bare, "time") == violation["time_s"]
        alarm = bare.locator(".sl-alarm")
        expect(alarm).to_contain_text(violation["sentence"], timeout=TIMEOUT_MS)
    bare.evaluate("panels.play.player.play()")
    bare.wait_for_function("store.get().time === 8", timeout=TIMEOUT_MS)


def test_with_reduced_motion_it_plays_from_epoch_to_epoch(bare: Page) -> None:
    show(bare, run(3), ("play", "network"), speed=10, reducedMotion=True)
    bare.evaluate("""() => {
        window.times = [];
        store.on(["time"], ({ time }) => times.push(time));
        panels.play.player.play();
    }""")
    bare.wait_for_function("times.at(-1) === 3", timeout=TIMEOUT_MS)

    assert bare.evaluate("times") == [1, 2, 3]


# --- the network ---


def known_to(result: sl.Result, node: str, t: float) -> tuple[int, int]:
    seen = result.finality[result.finality["node"] == node]
    tip = seen[seen["notarized_s"] <= t]["height"].max()
    final = seen[seen["finalized_s"] <= t]["height"].max()
    return (0 if pd.isna(tip) else int(tip), 0 if pd.isna(final) else int(final))


@pytest.mark.parametrize("t", [0.0, 3.1, 6.05, 12.0])
def test_each_node_shows_what_it_knows(bare: Page, parted: sl.Result, t: float) -> None:
    show(bare, parted, ("network",), time=t)

    for node in (*parted.config.node_ids, "observer"):
        tip, final = known_to(parted, node, t)
        said = f"longest chain ends at height {tip}, final up to height {final}"
        name = bare.locator(f"[data-node={node}]").get_attribute("aria-label") or ""
        assert name.startswith(f"{node}: epoch {int(t)}, {said}")


def test_who_is_down_who_lies_who_leads_and_who_is_cut_off_is_said(bare: Page) -> None:
    faults = "node_3=crash@4-6,node_1=equivocate"
    show(bare, run(16, faults=faults, network=PARTITION), ("network",), time=5.0)
    names = bare.locator(".sl-node-button").evaluate_all("(all) => all.map((it) => it.ariaLabel)")

    assert "down, faulty: crash" in names[3]
    assert "leads this epoch, faulty: equivocate" in names[1]
    picture = bare.get_by_role("img")
    expect(picture).to_have_accessible_name(
        f"4 nodes at 5.000 s, epoch 5; led by node_1; node_3 down; "
        f"cut: node_0, node_1 | node_2, node_3; "
        f"{bare.evaluate('bench.inFlight(film, 5).length')} messages under way."
    )


def test_a_click_on_a_node_is_to_see_with_its_eyes(bare: Page, parted: sl.Result) -> None:
    show(bare, parted, time=6.0)
    bare.get_by_role("button", name="node_2:").click()
    bare.evaluate(SETTLE)

    assert get(bare, "viewer") == "node_2"
    expect(bare.get_by_role("button", name="node_2:")).to_have_attribute("aria-pressed", "true")
    expect(bare.locator(".sl-title")).to_have_text("The world as node_2 sees it")
    tip, final = known_to(parted, "node_2", 6.0)
    said = facts(bare)
    assert said["longest chain"].endswith(f"height {tip}")
    assert said["final"].endswith(f"height {final}")
    assert said["network"] == "cut: node_0, node_1 | node_2, node_3"


def test_arrows_go_round_the_ring_and_tab_passes_it_in_one_step(bare: Page) -> None:
    show(bare, run(2), ("network", "play"))
    bare.get_by_role("button", name="node_0:").focus()

    bare.keyboard.press("ArrowLeft")
    assert bare.evaluate("document.activeElement.dataset.node") == "observer"
    bare.keyboard.press("ArrowRight")
    bare.keyboard.press("ArrowRight")
    assert bare.evaluate("document.activeElement.dataset.node") == "node_1"
    bare.keyboard.press("Enter")
    assert get(bare, "viewer") == "node_1"
    bare.keyboard.press("Tab")
    assert bare.evaluate("document.activeElement.title") == "epoch back"


@pytest.mark.parametrize("size", [(320, 260), (640, 480), (1400, 900)])
def test_nodes_stand_inside_and_apart(bare: Page, size: tuple[int, int]) -> None:
    load(bare, "ring")
    width, height = size
    for nodes in (1, 2, 4, 7, 16, 40, 100):
        placed = bare.evaluate("(all) => bench.placeNodes(...all)", [nodes, width, height])
        card, places = placed["card"], placed["places"]

        assert len(places) == nodes + 1
        for index, one in enumerate(places):
            assert card["width"] / 2 <= one["x"] <= width - card["width"] / 2
            assert card["height"] / 2 <= one["y"] <= height - card["height"] / 2
            for other in places[:index]:
                across, down = abs(one["x"] - other["x"]), abs(one["y"] - other["y"])
                assert across >= card["width"] or down >= card["height"] or card["lines"] == 0


def test_a_message_is_half_way_at_half_of_its_time_and_waits_at_a_cut(
    bare: Page, parted: sl.Result
) -> None:
    load(bare, "film", "ring", "flights", film=make_film(parted))
    trace = parted.trace
    sides = {"node_0": "A", "node_1": "A", "node_2": "B", "node_3": "B"}
    from_, to = trace["sender"].map(sides), trace["receiver"].map(sides)
    during = trace["sent_s"].between(4, 9, inclusive="left")
    held = trace.index[(from_ != to) & from_.notna() & to.notna() & during]
    free = trace.index[from_ == to]
    share = "([row, t]) => bench.shareOfWay(film, row, t)"

    assert not held.empty
    assert not free.empty
    for row in free[:20].tolist():
        middle = (trace["sent_s"][row] + trace["received_s"][row]) / 2
        assert bare.evaluate(share, [row, middle]) == pytest.approx(0.5)
    for row in held[:20].tolist():
        assert 0 < bare.evaluate(share, [row, 9 - 1e-6]) < 0.5
        assert bare.evaluate(share, [row, trace["received_s"][row]]) == pytest.approx(1)


def test_messages_are_drawn_while_they_fly(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("network",))
    times = sorted({*calm.trace["sent_s"], *calm.trace["received_s"]})
    middles = [(one + other) / 2 for one, other in pairwise(times)]
    flying = {t: bare.evaluate("(t) => bench.inFlight(film, t).length", t) for t in middles[:60]}
    still, busy = min(flying, key=flying.__getitem__), max(flying, key=flying.__getitem__)

    put(bare, time=still)
    without = bare.evaluate(BLUE)
    put(bare, time=busy)
    assert bare.evaluate(BLUE) > without + 5 * flying[busy]
    put(bare, reducedMotion=True)
    assert bare.evaluate(BLUE) == pytest.approx(without, abs=20)
    put(bare, time=calm.trace["received_s"][5])  # what arrives is drawn there
    assert bare.evaluate(BLUE) > without + 20


def test_a_click_on_a_link_tells_of_it(bare: Page, parted: sl.Result) -> None:
    show(bare, parted, ("network", "inspector"), time=6.0)
    middle = """() => {
        const [one, other] = ["node_0", "node_2"].map((name) => {
            const { left, top, width, height } =
                document.querySelector(`[data-node=${name}]`).getBoundingClientRect();
            return [left + width / 2, top + height / 2];
        });
        return [(3 * one[0] + other[0]) / 4, (3 * one[1] + other[1]) / 4];
    }"""
    bare.mouse.click(*bare.evaluate(middle))
    bare.evaluate(SETTLE)

    assert get(bare, "selection") == {"kind": "link", "id": "node_0|node_2"}
    expect(bare.locator(".sl-title")).to_have_text("Link between node_0 and node_2")
    came = parted.trace[parted.trace["received_s"] <= 6]
    count = ((came["sender"] == "node_0") & (came["receiver"] == "node_2")).sum()
    said = facts(bare)
    assert said["state"] == "cut from 4.000 s to 9.000 s"
    assert said["first at node_2"] == f"{count} messages"


# --- the block tree ---


def heights_of(result: sl.Result) -> list[int]:
    return [0, *result.blocks["height"]]


@pytest.mark.parametrize(("viewer", "t"), [("observer", 2.08), ("node_0", 8.4), ("node_3", 15.9)])
def test_the_tree_is_what_the_viewer_knows(
    bare: Page, parted: sl.Result, viewer: str, t: float
) -> None:
    show(bare, parted, ("tree",), viewer=viewer, time=t)
    heights = heights_of(parted)
    states = bare.evaluate(
        """([viewer, t]) => Array.from({ length: film.tables.blocks.rows }, (_, block) =>
            bench.blockState(film, block, film.names.indexOf(viewer), t))""",
        [viewer, t],
    )
    known = [block for block, state in enumerate(states) if state != "unknown"]
    top = max(heights[block] for block in known)
    drawn = {each["block"]: each for each in bare.evaluate(BLOCKS)}

    assert sorted(drawn) == [block for block in known if heights[block] > top - 12]
    for block, each in drawn.items():
        assert f"sl-{states[block]}" in each["kinds"]
        ask = "([b, viewer, t]) => bench.votesSeen(film, b, film.names.indexOf(viewer), t).length"
        assert each["ticks"] == bare.evaluate(ask, [block, viewer, t])


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
    assert all("one of two blocks of this epoch" in it for it in twins)


@pytest.mark.parametrize("fixture", ["calm", "parted", "unsafe"])
def test_no_block_lies_on_another(bare: Page, fixture: str, request: pytest.FixtureRequest) -> None:
    load(bare, "film", "lanes", film=make_film(request.getfixturevalue(fixture)))
    places = bare.evaluate(
        """() => [...bench.layOutTree(film).lane].map(
            (lane, block) => `${film.tables.blocks.height[block]}/${lane}`)"""
    )

    assert len({*places}) == len(places)


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


@pytest.mark.parametrize(
    "selection", [{"kind": "block", "id": 999}, {"kind": "order", "id": 99_999}, {"kind": "node"}]
)
def test_what_another_film_has_not_is_no_error(
    bare: Page, calm: sl.Result, selection: dict[str, Any]
) -> None:
    show(bare, calm, selection=selection)

    expect(bare.locator(".sl-title")).to_have_text("The world as observer sees it")
    bare.get_by_role("button", name="back to the viewer").click()
    assert get(bare, "selection") is None


# --- all of them ---


def test_a_run_without_messages_is_played_and_says_so(bare: Page) -> None:
    result = run(4, trace=False)
    show(bare, result, time=1.5, selection={"kind": "block", "id": 1})

    expect(bare.locator(".sl-network .sl-note")).to_contain_text("not recorded")
    assert facts(bare)["votes"] == "not recorded for this run"
    bare.get_by_role("slider", name="time").press("ArrowRight")
    known = {*result.finality["notarized_s"], *result.finality["finalized_s"]}
    assert get(bare, "time") == min(t for t in known if t > 1.5)


def test_a_bare_protocol_has_no_prices(bare: Page) -> None:
    result = sl.run_protocol(epochs=6, trace=True)
    show(bare, result, time=5.5, selection={"kind": "block", "id": 2})
    assert "consensus price" not in facts(bare)


def test_another_film_takes_the_place_of_one(bare: Page, calm: sl.Result) -> None:
    show(bare, run(4, nodes=7), time=4.0)
    load(bare, "film", film=make_film(calm))
    bare.evaluate("store.set({ film, time: 2 })")
    bare.evaluate(SETTLE)

    expect(bare.locator(".sl-node-button")).to_have_count(5)
    assert bare.get_by_role("slider", name="time").get_attribute("max") == "12"


def test_closing_leaves_nothing_behind(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, speed=10)
    left = bare.evaluate("""async () => {
        panels.play.player.play();
        await new Promise(requestAnimationFrame);
        const drawn = [];
        for (const panel of Object.values(panels)) panel.destroy();
        for (const panel of Object.values(panels)) panel.draw = () => drawn.push(panel);
        const { time } = store.get();
        const main = document.querySelector("main");
        store.set({ viewer: "node_1" });
        for (let count = 0; count < 4; count += 1) await new Promise(requestAnimationFrame);
        return [main.children.length, drawn.length, store.get().time - time];
    }""")

    assert left == [0, 0, 0]


def test_pictures_are_saved(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, time=3.05)
    png, svg = bare.evaluate("""async () => {
        const blob = await panels.network.toPNG();
        const text = panels.tree.toSVG();
        const read = new DOMParser().parseFromString(text, "image/svg+xml");
        return [[blob.type, blob.size], [read.documentElement.nodeName, text]];
    }""")

    assert png[0] == "image/png"
    assert png[1] > 5_000
    assert svg[0] == "svg"
    assert "var(" not in svg[1]
    assert "rgb(0, 114, 178)" in svg[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_for_who_cannot_see_or_point(
    bare: Page, unsafe: sl.Result, theme: str
) -> None:
    show(bare, unsafe, time=7.0, theme=theme, selection={"kind": "block", "id": 3})
    found = Axe().run(bare).response["violations"]

    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_before_a_run_there_is_nothing_to_play(bare: Page) -> None:
    load(bare, *MODULES)
    bare.evaluate(MOUNT, [[*PANELS], {}])
    bare.evaluate(SETTLE)

    expect(bare.get_by_role("button", name="play", exact=True)).to_be_disabled()
    expect(bare.locator(".sl-title")).to_have_text("Nothing has been run yet")
    assert bare.evaluate("panels.network.toPNG()") is None


def test_another_theme_has_other_colours_at_once(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("network",))
    bare.evaluate("""() => void store.on(["theme"], ({ theme }) => {
        document.querySelector("main").dataset.theme = theme;
    })""")
    corner = """() => [...document.querySelector(".sl-ring").getContext("2d")
        .getImageData(0, 0, 1, 1).data]"""
    light = bare.evaluate(corner)
    put(bare, theme="dark")
    bare.evaluate(SETTLE)

    assert light == [255, 255, 255, 255]
    assert max(bare.evaluate(corner)[:3]) < 60


def test_links_are_reached_by_keys(bare: Page) -> None:
    show(bare, run(2), ("network",))
    bare.get_by_role("button", name="node_1:").focus()
    seen = []
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft"):
        bare.keyboard.press(key)
        seen.append(get(bare, "selection")["id"])

    assert seen == ["node_1|node_2", "node_1|node_3", "node_0|node_1", "node_1|node_3"]
