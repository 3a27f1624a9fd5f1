"""The protocol is played: a store, a time cursor, and panels that follow it."""

import pytest
from playwright.sync_api import Page, expect

import streamlet_lab as sl
from streamlet_lab.widgets.film import make_film

from .bare import load
from .pages import TIMEOUT_MS
from .replay import MODULES, MOUNT, PANELS, SETTLE, facts, get, put, run, show

pytestmark = pytest.mark.browser


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


def test_other_keys_step_by_epochs_and_to_the_ends(bare: Page, calm: sl.Result) -> None:
    show(bare, calm, ("play",))
    slider = bare.get_by_role("slider", name="time")
    for key, time in {"PageUp": 4, "PageDown": 3, "Home": 0, "End": 12}.items():
        put(bare, time=3.25)
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


def test_before_a_run_there_is_nothing_to_play(bare: Page) -> None:
    load(bare, *MODULES)
    bare.evaluate(MOUNT, [[*PANELS], {}])
    bare.evaluate(SETTLE)

    expect(bare.get_by_role("button", name="play", exact=True)).to_be_disabled()
    expect(bare.locator(".sl-title")).to_have_text("Nothing has been run yet")
