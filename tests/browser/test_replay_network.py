"""Nodes on a ring say what they know, and messages fly between them."""

from itertools import pairwise, product

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .replay import PARTITION, SETTLE, facts, get, put, run, show

pytestmark = pytest.mark.browser

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


def known_to(result: sl.Result, node: str, t: float) -> tuple[int, int]:
    seen = result.finality[result.finality["node"] == node]
    tip = seen[seen["notarized_s"] <= t]["height"].max()
    final = seen[seen["finalized_s"] <= t]["height"].max()
    return (0 if pd.isna(tip) else int(tip), 0 if pd.isna(final) else int(final))


def test_each_node_shows_what_it_knows(bare: Page, parted: sl.Result) -> None:
    show(bare, parted, ("network",))

    for t, node in product((0.0, 3.1, 6.05, 12.0), (*parted.config.node_ids, "observer")):
        put(bare, time=t)
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
    assert said["final up to"].endswith(f"height {final}")
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


def test_nodes_stand_inside_and_apart(bare: Page) -> None:
    load(bare, "ring")
    sizes = [(320, 260), (640, 480), (1400, 900)]
    for nodes, (width, height) in product((1, 2, 4, 7, 16, 40, 100), sizes):
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


def test_the_pointer_on_a_message_says_what_it_is_and_when_it_arrives(
    bare: Page, calm: sl.Result
) -> None:
    show(bare, calm, ("network",))
    trace, names = calm.trace, ["node_0", "node_1"]
    way = trace[(trace["sender"] == names[0]) & (trace["receiver"] == names[1])]
    first = way.iloc[0]
    middle = (first["sent_s"] + first["received_s"]) / 2
    put(bare, time=middle)
    boxes = [bare.locator(f"[data-node={name}]").bounding_box() for name in names]
    across, down = (
        sum(box[side] + box[size] / 2 for box in boxes if box) / 2
        for side, size in (("x", "width"), ("y", "height"))
    )
    tip = bare.locator(".sl-network .sl-tip")
    expect(tip).to_be_hidden()
    bare.mouse.move(across, down)

    expect(tip).to_contain_text("from node_0 to node_1")
    expect(tip).to_contain_text(
        f"sent {first['sent_s']:.3f} s, arrives {first['received_s']:.3f} s"
    )
    put(bare, time=0.999)
    expect(tip).to_be_hidden()


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
