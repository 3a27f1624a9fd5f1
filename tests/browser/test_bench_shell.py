"""The bench as a whole: controls, what they ask the kernel, and what can be done with a run."""

import base64
import re
import struct
from typing import Any, Final, Literal
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

import streamlet_lab as sl
from streamlet_lab.charts import to_png
from streamlet_lab.charts.plots import PAGES
from streamlet_lab.widgets.film import Film, make_film
from streamlet_lab.widgets.knobs import describe
from streamlet_lab.widgets.page import write_page
from streamlet_lab.widgets.presets import PRESETS

from .bare import load
from .fake_model import mount, said, says, settle, to_plain
from .pages import TIMEOUT_MS

SVG: Final = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.browser

expect.set_options(timeout=TIMEOUT_MS)


def film_of(**settings: Any) -> Film:
    return make_film(sl.Experiment(epochs=12, trace=True, signatures="none", **settings).run())


@pytest.fixture(scope="module")
def calm() -> Film:
    return film_of()


@pytest.fixture(scope="module")
def crashed() -> Film:
    return film_of(faults="node_3=crash")


@pytest.fixture
def bench(bare: Page, calm: Film) -> Page:
    return mount(bare, calm)


def control(page: Page, name: str) -> Locator:
    found = page.locator(f"[data-control={name}]")
    section = page.locator("details", has=found)
    if section.count() and not section.evaluate("(section) => section.open"):
        section.locator("summary").click()
    return found


def drag(track: Locator, *values: float) -> None:
    """Move a slider through some values, and let it go."""
    track.evaluate(
        """(track, values) => {
            for (const value of values) {
                track.value = value;
                track.dispatchEvent(new Event("input", { bubbles: true }));
            }
            track.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [*values],
    )
    settle(track.page)


def stand_at(page: Page, second: float) -> None:
    drag(page.get_by_role("slider", name="time", exact=True), second)


def do(page: Page, name: str) -> Locator:
    return page.locator(f"[data-do={name}]")


def sent(page: Page) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = page.evaluate("model.sent")
    assert all(message.pop("version") == 1 for message in messages)
    return messages


# --- Controls


def test_every_control_is_there_has_a_name_and_says_what_it_means(bench: Page) -> None:
    for about in describe({}):
        found = control(bench, about["name"])
        entered = found.locator("input:visible, select:visible").first
        name, unit = about["label"], about["unit"]
        expect(found.locator("label")).to_have_text(f"{name} ({unit})" if unit else name)
        expect(entered).to_have_accessible_description(re.compile("^" + re.escape(about["help"])))
        expect(found).to_have_attribute("title", about["help"])


ACTS: list[tuple[str, Any, object]] = [
    ("nodes", lambda it: drag(it.locator("[type=range]"), 7), 7),
    ("nodes", lambda it: it.get_by_label("typed").fill("100"), 100),
    ("loss", lambda it: drag(it.locator("[type=range]"), 0.07), 0.07),
    ("median_delay_ms", lambda it: drag(it.locator("[type=range]"), 200), 1000),
    ("seed", lambda it: it.locator("input").fill("7"), 7),
    ("seed", lambda it: it.get_by_role("button", name="next").click(), 8),
    ("fault", lambda it: it.locator("select").select_option("equivocate"), "equivocate"),
    ("echo", lambda it: it.locator("input").uncheck(), False),
    ("partition_s", lambda it: it.get_by_label("to, typed").fill("9"), [0, 9]),
    ("partition_s", lambda it: drag(it.locator("[type=range]").first, 5), [5, 9]),
    ("fault_epochs", lambda it: drag(it.locator("[type=range]").last, 20), [0, 20]),
    ("fault_epochs", lambda it: drag(it.locator("[type=range]").last, 20, 60), [0, None]),
]


def test_what_a_control_says_is_asked_at_once(bench: Page) -> None:
    expected = {}
    for name, act, value in ACTS:
        before = said(bench, "asked")
        act(control(bench, name))
        bench.keyboard.press("Tab")  # what was typed is taken when it is left

        expected[name] = value
        assert said(bench, "settings") == expected
        assert said(bench, "asked") > before
        assert bench.evaluate("model.saves") == said(bench, "asked")


def test_a_typed_value_is_taken_as_it_is(bench: Page) -> None:
    box = control(bench, "epochs").get_by_label("typed")
    numbers = {"250": 250, " 1e3 ": 1000, "0.125": 0.125, "5": 5}
    texts = {text: text for text in ("many", "", "0x10", f"{2**63 - 1}")}
    for typed, value in (numbers | texts).items():
        box.fill(typed)
        box.press("Enter")

        assert said(bench, "settings") == {"epochs": value}
        expect(box).to_have_value(f"{value}")


def test_another_choice_can_be_typed(bench: Page) -> None:
    found = control(bench, "market_time")
    found.locator("select").select_option(label="other…")
    found.get_by_label("other").fill("2h")
    found.get_by_label("other").press("Enter")

    assert said(bench, "settings") == {"market_time": "2h"}


def test_a_control_without_effect_says_why(bench: Page) -> None:
    reason = "No effect: nobody is faulty: raise faulty nodes."
    expect(control(bench, "fault").get_by_text(reason)).to_be_visible()

    says(bench, controls=describe({"faulty": 1}))

    expect(control(bench, "fault").get_by_text("No effect")).to_have_count(0)


def test_what_is_refused_is_said_in_place(bench: Page) -> None:
    says(bench, status={"state": "refused", "field": "loss", "sentence": "loss: too much"})
    found = bench.locator("[data-control=loss]")

    expect(found.get_by_text("loss: too much")).to_be_visible()  # its section is opened
    expect(found.locator("[type=range]")).to_have_attribute("aria-invalid", "true")
    expect(bench.locator(".sl-alert")).to_be_empty()

    says(bench, status={"state": "idle", "sentence": ""})

    expect(found.locator("[aria-invalid=true]")).to_have_count(0)


def test_what_no_control_is_to_blame_for_is_said_above(bench: Page) -> None:
    says(bench, status={"state": "refused", "field": "checks", "sentence": "no such check"})

    expect(bench.get_by_role("alert")).to_have_text("no such check")
    expect(bench.locator(".sl-summary")).to_be_empty()  # what is read aloud twice disturbs


def test_what_is_being_typed_is_left_alone(bench: Page) -> None:
    box = control(bench, "epochs").get_by_label("typed")
    box.fill("12")
    says(bench, controls=describe({"nodes": 7}), settings={"nodes": 7})

    expect(box).to_have_value("12")
    expect(control(bench, "nodes").get_by_label("typed")).to_have_value("7")


def test_rules_of_jupyterlab_do_not_disturb_the_numbers(bench: Page) -> None:
    bench.add_style_tag(
        content="""
        .cell dl, .cell dt, .cell dd { display: block; }
        .cell dt { float: left; width: 20%; font-weight: bold; } .cell dd { width: 80%; }"""
    )
    bench.evaluate("document.querySelector('main').className = 'cell'")
    where = "(all) => all.map((each) => ((box) => [box.x, box.y])(each.getBoundingClientRect()))"
    (left, top), (right, beside) = bench.locator(".sl-number").evaluate_all(where)[:2]
    (_, label), (_, value) = bench.locator(".sl-number").first.locator("dt, dd").evaluate_all(where)

    assert left < right
    assert top == beside
    assert label < value


# --- Undo, reset, presets


def test_a_drag_is_undone_at_once(bench: Page) -> None:
    undo, redo = (bench.get_by_role("button", name=name, exact=True) for name in ("undo", "redo"))
    expect(undo).to_be_disabled()
    nodes = control(bench, "nodes").locator("[type=range]")
    drag(nodes, 5, 6, 7)
    drag(nodes, 8, 9)
    settings = []
    for button in (undo, undo, redo, redo):
        button.click()
        settle(bench)
        settings.append(said(bench, "settings"))

    assert settings == [{"nodes": 7}, {}, {"nodes": 7}, {"nodes": 9}]
    expect(redo).to_be_disabled()
    bench.keyboard.press("Control+z")
    assert said(bench, "settings") == {"nodes": 7}


def test_one_control_is_reset_or_all(bench: Page) -> None:
    drag(control(bench, "nodes").locator("[type=range]"), 7)
    drag(control(bench, "faulty").locator("[type=range]"), 2)
    control(bench, "nodes").get_by_role("button", name="reset nodes to 4").click()
    assert said(bench, "settings") == {"faulty": 2}

    bench.get_by_role("button", name="reset all").click()
    assert said(bench, "settings") == {}
    expect(control(bench, "nodes").locator("[type=range]")).to_have_value("4")


def test_a_preset_is_what_it_says(bench: Page) -> None:
    menu = bench.get_by_label("preset")
    expect(menu).to_have_value("calm")
    for name, preset in PRESETS.items():
        menu.select_option(name)
        settle(bench)
        assert said(bench, "settings") == dict(preset.settings)
        expect(menu).to_have_value(name)
        expect(bench.locator(".sl-sentence")).to_contain_text(preset.sentence)
        expect(bench.locator(".sl-sentence")).to_contain_text(preset.lesson)

    drag(control(bench, "epochs").locator("[type=range]"), 33)
    expect(menu).to_have_value("")


def test_a_preset_is_compared_with_the_one_it_is_told_against(
    bench: Page, calm: Film, crashed: Film
) -> None:
    bench.get_by_label("preset").select_option("one_crashed")
    bench.get_by_role("button", name="compare with calm").click()
    assert said(bench, "settings") == {}
    says(bench, film=to_plain(calm, said(bench, "asked")))

    assert said(bench, "settings") == dict(PRESETS["one_crashed"].settings)
    says(bench, film=to_plain(crashed, said(bench, "asked")))
    expect(bench.locator("[data-number=finalized_blocks]")).to_contain_text("A 11 of 12")


def test_a_lesson_is_found_beside_the_notebook(bare: Page) -> None:
    paths = [
        "/lab/tree/bench.ipynb",
        "/base/lab/workspaces/auto-1/tree/a/bench.ipynb",
        "/voila/render/notebooks/bench.ipynb",
        "/lab",
        "/",
    ]
    load(bare, "presetmenu")
    found = bare.evaluate("(paths) => paths.map((it) => bench.lessonAddress('02_x', it))", paths)

    assert found == [*(path.replace("bench", "02_x") for path in paths[:3]), None, None]


# --- Touching the run


TOUCHES: dict[str, dict[str, Any]] = {
    "crash": {"kind": "crash", "nodes": ["node_3"]},
    "equivocate": {"kind": "equivocate", "nodes": ["node_3"]},
    "cut": {"kind": "cut", "nodes": ["node_3"]},
    "heal all": {"kind": "heal"},
    "jump": {"kind": "jump", "percent": 8},
    "order": {"kind": "order", "side": "buy", "quantity": 10},
}


def test_the_run_is_touched_where_it_stands(bench: Page) -> None:
    for press, touch in TOUCHES.items():
        button = bench.locator(f"[data-touch='{press}']")
        stand_at(bench, 12)
        expect(button).to_be_disabled()  # at the end
        stand_at(bench, 4.25)
        button.click()
        settle(bench)

        assert said(bench, "touches") == [{"at": 4.25, **touch}]
        assert sl.widgets.touches.read_touches(said(bench, "touches"))[0].at == 4_250_000
        bench.get_by_role("button", name="undo: ").click()
        assert said(bench, "touches") == []


def test_what_is_clicked_in_the_network_is_what_is_touched(bench: Page) -> None:
    stand_at(bench, 4)
    bench.locator("[data-node=node_1]").click()
    settle(bench)
    bench.get_by_label("other end of the link").select_option("node_2")
    bench.locator("[data-touch=cut]").click()
    bench.get_by_label("price of the order").fill("99.5")
    bench.get_by_label("side of the order").select_option("sell")
    bench.locator("[data-touch=order]").click()

    cut, order = said(bench, "touches")
    assert cut == {"at": 4, "kind": "cut", "nodes": ["node_1", "node_2"]}
    assert order == {"at": 4, "kind": "order", "side": "sell", "quantity": 10, "price": 99.5}
    expect(bench.locator(".sl-touches li")).to_contain_text(["cut node_1", "sell 10 at $99.5"])


def test_a_refused_touch_is_said_beside_the_touches(bench: Page) -> None:
    sentence = "crash node_3 at 11.5 s: not there"
    for field in ("touches.0.at", "crash node_3 at 11.5 s: at"):
        says(bench, status={"state": "refused", "field": field, "sentence": sentence})
        expect(bench.locator(".sl-touch").get_by_text(sentence)).to_be_visible()
        expect(bench.locator(".sl-alert")).to_be_empty()


# --- A run under way, and what it gives


def test_it_says_that_it_is_busy_and_can_be_stopped(bench: Page, crashed: Film) -> None:
    stop = do(bench, "stop")
    expect(stop).to_be_disabled()
    drag(control(bench, "faulty").locator("[type=range]"), 1)
    expect(stop).to_be_enabled()
    says(bench, status={"state": "running", "epoch": 5, "epochs": 60, "left_s": 7000})
    expect(bench.get_by_text("epoch 5 of 60, about 2 h to go")).to_be_visible()
    stop.click()
    assert sent(bench) == [{"type": "stop"}]

    says(bench, status={"state": "stopped", "sentence": "Stopped after 5 of 60 epochs."})
    expect(stop).to_be_disabled()
    expect(bench.locator(".sl-says")).to_have_text("Stopped after 5 of 60 epochs.")

    drag(control(bench, "faulty").locator("[type=range]"), 2)
    expect(stop).to_be_enabled()
    says(bench, film=to_plain(crashed, said(bench, "asked")))
    expect(stop).to_be_disabled()


def test_a_film_of_an_older_question_is_shown_while_it_is_busy(bench: Page, crashed: Film) -> None:
    drag(control(bench, "faulty").locator("[type=range]"), 1, 2, 3)
    says(bench, film=to_plain(crashed, said(bench, "asked") - 1))

    expect(bench.locator(".sl-run").first).to_contain_text("node_3: crash")
    expect(do(bench, "stop")).to_be_enabled()


def test_the_numbers_are_those_of_the_film(bench: Page, calm: Film) -> None:
    for number in calm.header["numbers"]:
        row = bench.locator(f"[data-number={number['name']}]")
        expect(row.locator("dd")).to_have_text(number["text"])
    expect(bench.locator(".sl-run").first).to_contain_text("without signatures")
    expect(bench.locator(".sl-summary[aria-live=polite]")).to_contain_text(
        "safe, blocks final 11 of 12"
    )


def test_numbers_are_those_of_the_panels(bench: Page) -> None:
    for panels, there, missing in [
        (["network", "tree"], "messages", "orders_stopped"),
        (["rejections"], "orders_stopped", "messages"),
    ]:
        says(bench, panels=panels)
        expect(bench.locator(f"[data-number={there}]")).to_be_visible()
        expect(bench.locator(f"[data-number={missing}]")).to_have_count(0)


def test_a_pinned_run_is_told_beside_the_next(bench: Page, calm: Film, crashed: Film) -> None:
    do(bench, "pin").click()
    says(bench, film=to_plain(crashed, 1))
    was, now = (
        {number["name"]: number["value"] for number in film.header["numbers"]}
        for film in (calm, crashed)
    )
    row = bench.locator("[data-number=finalized_blocks]")
    difference = was["finalized_blocks"] - now["finalized_blocks"]

    assert difference > 0
    expect(row.locator(".sl-pinned-number")).to_have_text("A 11 of 12")
    expect(row.locator(".sl-difference")).to_have_text(f"−{difference:.0f}")
    expect(bench.locator("[data-number=halted_s] .sl-difference")).to_have_text("=")
    do(bench, "pin").click()
    expect(bench.locator(".sl-difference")).to_have_count(0)


def test_many_runs_give_intervals(bench: Page) -> None:
    do(bench, "many").click()
    assert sent(bench) == [{"type": "many"}]
    known = {"name": "median_latency_s", "label": "median latency", "text": "1.1 (1.0 to 1.2) s"}
    other = {"name": "fair_refused_share", "label": "fair refused", "text": "2.0 (1.0 to 3.0) %"}
    says(bench, many={"runs": 200, "numbers": [known, other]})

    for number in (known, other):
        row = bench.locator(f"[data-number={number['name']}]")
        expect(row.locator(".sl-interval")).to_have_text(number["text"])


def test_the_code_can_be_copied_where_the_clipboard_is_refused(bench: Page) -> None:
    do(bench, "code").click()
    text = bench.get_by_label("code of the experiment")

    expect(text).to_have_value("Experiment(epochs=12)")
    expect(bench.get_by_text("Ctrl+C")).to_be_visible()
    assert text.evaluate("(it) => it.value.slice(it.selectionStart, it.selectionEnd)") == (
        "Experiment(epochs=12)"
    )
    bench.keyboard.press("Escape")
    expect(bench.locator("dialog")).to_have_count(0)
    expect(do(bench, "code")).to_be_focused()


def test_a_panel_is_drawn_by_matplotlib(bench: Page) -> None:
    png = to_png(PAGES["latency"].make(sl.Experiment(epochs=5, signatures="none").run(), 40))
    bench.get_by_role("button", name="matplotlib: network").click()
    assert sent(bench) == [{"type": "figure", "panel": "network"}]
    bench.evaluate(
        "(png) => model.tells({ version: 1, type: 'figure', panel: 'network' }, png)",
        base64.b64encode(png).decode(),
    )
    image = bench.locator("dialog img")

    expect(image).to_be_visible()
    bench.wait_for_function("document.querySelector('dialog img').naturalWidth > 100")
    bench.get_by_role("button", name="close").click()
    bench.get_by_role("button", name="matplotlib: block tree").click()
    bench.evaluate("model.tells({ version: 1, type: 'refused', sentence: 'not at this size' })")
    expect(bench.get_by_role("dialog").get_by_text("not at this size")).to_be_visible()


def test_a_result_is_saved_by_the_kernel(bench: Page) -> None:
    do(bench, "save").click()
    assert sent(bench) == [{"type": "save"}]
    bench.evaluate("model.tells({ version: 1, type: 'saved', path: 'bench.zip' })")

    expect(bench.get_by_text("Saved as bench.zip.")).to_be_visible()


def shoot(page: Page, kind: str) -> bytes:
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        do(page, kind).click()
    return download.value.path().read_bytes()


def test_a_picture_is_all_that_is_in_sight_with_its_legends(bench: Page, calm: Film) -> None:
    picture = ElementTree.fromstring(shoot(bench, "svg"))
    words = " | ".join(text.text or "" for text in picture.iter(f"{SVG}text"))
    drawn = [image.get("href", "") for image in picture.iter(f"{SVG}image")]

    assert calm.header["title"] in words
    for number in calm.header["numbers"]:
        assert f"{number['label']} | {number['text']} |" in words
    for legend in ("whose view is shown", "votes, line: quorum", "true price"):
        assert legend in words
    assert "enlarge" not in words
    assert len(drawn) == 5  # the network and the charts, sharp enough for print
    for image in drawn:
        width, _ = struct.unpack(">II", base64.b64decode(image.partition(",")[2])[16:24])
        assert width > 600
    assert "var(" not in ElementTree.tostring(picture, encoding="unicode")
    expect(do(bench, "svg")).to_be_visible()


def test_a_film_of_another_version_is_said_to_be_one(bench: Page, calm: Film) -> None:
    other = Film({**calm.header, "version": 2}, calm.buffers)
    says(bench, film=to_plain(other, 1))
    expect(bench.get_by_role("alert")).to_contain_text("version 2")

    drag(control(bench, "nodes").locator("[type=range]"), 5)
    says(bench, film=to_plain(calm, said(bench, "asked")))
    expect(bench.locator(".sl-alert")).to_be_empty()
    bench.evaluate("model.tells({ version: 2, type: 'saved', path: 'bench.zip' })")
    expect(bench.get_by_role("alert")).to_have_text(re.compile("version 2.* Reload the page"))
    expect(bench.locator(".sl-notice")).to_be_empty()


@pytest.mark.parametrize(
    "goes", ["model.loses()", "void (model.send = () => { throw new Error('Cannot send'); })"]
)
def test_a_kernel_that_is_gone_is_told_of_once(bench: Page, goes: str) -> None:
    drag(control(bench, "nodes").locator("[type=range]"), 5)
    bench.evaluate(goes)
    do(bench, "many").click()
    expect(do(bench, "stop")).to_be_disabled()
    expect(bench.get_by_text("The kernel of this bench is gone")).to_have_count(1)
    bench.get_by_role("button", name="matplotlib: network").click()
    expect(bench.get_by_role("dialog").get_by_text("run its cell again")).to_be_visible()


def test_charts_and_numbers_say_that_they_are_the_observers(bench: Page) -> None:
    title, verdict = bench.locator("[data-panel=latency] h3"), bench.locator(".sl-verdict")
    bench.locator("[data-node=node_1]").click()
    for each in (title, verdict):
        expect(each).to_contain_text("as the observer sees")
    bench.locator("[data-node=observer]").click()
    expect(title).to_have_text("finality latency")
    expect(verdict).not_to_contain_text("observer")


# --- Light and dark, large, by keys


def test_the_theme_is_that_of_the_page_unless_one_is_chosen(bench: Page) -> None:
    theme = bench.locator(".sl-bench")
    expect(theme).to_have_attribute("data-theme", "light")
    bench.emulate_media(color_scheme="dark")
    expect(theme).to_have_attribute("data-theme", "dark")
    bench.evaluate("document.body.setAttribute('data-jp-theme-light', 'true')")
    expect(theme).to_have_attribute("data-theme", "light")
    do(bench, "theme").click()
    expect(theme).to_have_attribute("data-theme", "dark")
    bench.evaluate("document.body.setAttribute('data-jp-theme-light', 'false')")
    do(bench, "theme").click()
    expect(theme).to_have_attribute("data-theme", "light")


def test_one_panel_is_shown_large(bench: Page) -> None:
    frames = bench.locator(".sl-frame:visible")
    do(bench, "projector").focus()
    bench.keyboard.press("f")
    expect(frames).to_have_count(1)
    expect(frames).to_have_attribute("data-panel", "network")
    box = bench.locator(".sl-bench").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1280, "height": 800}

    bench.keyboard.press("2")
    expect(frames).to_have_attribute("data-panel", "tree")
    bench.keyboard.press("Escape")
    expect(frames).to_have_count(6)  # the inspector waits until something is clicked
    expect(do(bench, "projector")).to_be_focused()


def test_the_page_gets_no_key_of_the_bench(bench: Page) -> None:
    bench.evaluate("""() => {
        window.keys = [];
        document.addEventListener("keydown", ({ key }) => keys.push(key));
    }""")
    bench.get_by_label("preset").focus()
    for key in ("a", "ArrowDown", "Enter", "Tab", "Shift+Enter"):
        bench.keyboard.press(key)

    assert bench.evaluate("keys") == []


def test_tab_reaches_everything_and_leaves(bench: Page) -> None:
    bench.evaluate("""() => {
        const after = document.createElement("button");
        after.id = "after";
        document.body.append(after);
        for (const section of document.querySelectorAll("details")) section.open = true;
    }""")
    stand_at(bench, 4)
    reached = set()
    bench.evaluate("document.activeElement.blur()")
    for _ in range(250):
        bench.keyboard.press("Tab")
        where = bench.evaluate("""() => {
            const { activeElement: it } = document;
            const control = it.closest("[data-control]")?.dataset.control;
            return it.id === "after" ? "after" : control ?? it.dataset.do ?? it.dataset.touch
                ?? it.getAttribute("aria-label") ?? it.className;
        }""")
        reached.add(where)
        if where == "after":
            break

    controls = {about["name"] for about in describe({})}
    doing = {"pin", "many", "code", "save", "png", "svg", "theme", "projector"}
    touches = {"crash", "revive", "equivocate", "cut", "heal", "heal all", "jump", "order"}
    assert controls | doing | touches | {"preset", "time", "play", "after"} <= reached


def test_nothing_serious_bars_anyone(bench: Page, crashed: Film) -> None:
    do(bench, "pin").click()
    bench.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
    says(
        bench,
        film=to_plain(crashed, 1),
        status={"state": "refused", "field": "nodes", "sentence": "nodes: too few"},
    )
    stand_at(bench, 4)
    bench.locator(".sl-blocks > g").last.click()
    bench.locator("[data-panel=prices] canvas").press("+")
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        bench.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        settle(bench)
        found = Axe().run(bench, context=".sl-bench")
        serious = [
            (each["id"], [node["html"][:120] for node in each["nodes"]])
            for each in found.response["violations"]
            if each["impact"] in ("serious", "critical")
        ]

        assert serious == [], scheme


# --- Small benches, several, none


def test_a_lesson_shows_a_few_controls_and_panels(bare: Page, calm: Film) -> None:
    mount(bare, calm, shown=["nodes", "fault"], panels=["network", "tree"])

    names = "(all) => all.map((each) => each.dataset.control ?? each.dataset.panel)"
    visible = bare.locator("[data-control]:visible, [data-panel]:visible").evaluate_all(names)
    assert visible == ["nodes", "fault", "network", "tree"]
    expect(bare.get_by_label("preset")).to_be_hidden()
    expect(bare.locator("[data-touch=crash]")).to_be_hidden()
    says(bare, status={"state": "refused", "field": "loss", "sentence": "loss: too much"})
    expect(bare.get_by_role("alert")).to_have_text("loss: too much")


def test_nothing_is_wider_than_its_room(bench: Page) -> None:
    for width in (500, 700, 900, 1280, 1920):
        bench.set_viewport_size({"width": width, "height": 900})
        settle(bench)
        over = bench.evaluate("""() => [...document.querySelectorAll(".sl-bench *")]
            .filter((it) => !it.closest("svg, .sl-unseen") && it.scrollWidth > it.clientWidth + 1
                && it.clientWidth && getComputedStyle(it).overflowX !== "hidden")
            .map((it) => it.className)""")

        assert bench.evaluate("document.documentElement.scrollWidth") <= width
        assert over == []
        if width >= 900:
            picture = bench.locator(".sl-panels").bounding_box()
            first = bench.locator(".sl-range").first.bounding_box()
            assert picture is not None
            assert first is not None
            assert picture["y"] + picture["height"] <= 900
            assert bench.locator(".sl-panels").evaluate(
                "(it) => it.scrollHeight <= it.clientHeight"
            )
            assert first["width"] > 180


def test_one_shown_twice_agrees_with_itself(bench: Page) -> None:
    bench.evaluate("window.other = mount()")
    settle(bench)
    nodes = bench.locator("[data-control=nodes] [type=range]")
    drag(nodes.first, 9)
    expect(nodes.last).to_have_value("9")
    do(bench, "pin").last.click()
    expect(bench.locator("[data-do=pin][aria-pressed=true]")).to_have_count(1)


def test_a_view_that_goes_leaves_nothing(bench: Page) -> None:
    bench.evaluate("window.other = mount()")
    settle(bench)
    bench.get_by_role("button", name="play", exact=True).last.click()
    bench.evaluate("view.end(); other.end();")
    settle(bench)

    assert bench.evaluate("model.listeners.length") == 0
    assert bench.locator("main *").count() == 2  # where anywidget had put them
    frames = bench.evaluate("""async () => {
        let asked = 0;
        const ask = window.requestAnimationFrame;
        window.requestAnimationFrame = (callback) => { asked += 1; return ask(callback); };
        model.says("status", { state: "idle" });
        document.body.setAttribute("data-jp-theme-light", "false");
        await new Promise((done) => setTimeout(done, 300));
        return asked;
    }""")
    assert frames == 0


# --- A saved page


def test_a_saved_page_plays_without_a_kernel(chromium: Browser, tmp_path: Any, calm: Film) -> None:
    write_page(calm, tmp_path / "run.html")
    saved = chromium.new_page(viewport={"width": 1280, "height": 800})
    errors: list[str] = []
    saved.on("pageerror", lambda error: errors.append(str(error)))
    own = ("file:", "data:", "blob:")
    saved.on("request", lambda one: one.url.startswith(own) or errors.append(one.url))
    saved.goto((tmp_path / "run.html").as_uri())
    expect(saved.locator("[data-number=finalized_blocks]")).to_contain_text("11 of 12")
    expect(saved.locator("[data-control]")).to_have_count(0)
    for name in ("stop", "many", "code", "save"):
        expect(do(saved, name)).to_have_count(0)
    saved.get_by_role("button", name="play", exact=True).click()
    expect(saved.locator(".sl-clock")).to_contain_text("epoch 1,")
    saved.get_by_role("button", name="pause").click()
    expect(saved.locator(".sl-frame:visible")).to_have_count(6)
    assert shoot(saved, "png").startswith(b"\x89PNG")
    saved.close()
    assert errors == []
