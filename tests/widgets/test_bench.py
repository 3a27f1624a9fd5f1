"""The bench: what is asked of it is run in a thread, and the newest counts."""

import gc
import json
import threading
import weakref
from pathlib import Path

import pytest

import streamlet_lab as sl
from streamlet_lab import Bench, Experiment, InvalidInput
from streamlet_lab.errors import StreamletLabError
from streamlet_lab.widgets import Explorer
from streamlet_lab.widgets import bench as module
from streamlet_lab.widgets.answers import Question, make_answer
from streamlet_lab.widgets.figures import PANELS, draw_still
from streamlet_lab.widgets.loop import Loop

PNG = b"\x89PNG"
SHORT = {"epochs": 10}
#: Runs for minutes unless it is stopped.
LONG = {"epochs": 10_000, "nodes": 7}
WAIT_S = 60


@pytest.fixture
def bench():
    bench = Bench(**SHORT)
    bench.wait()
    yield bench
    bench.close()


@pytest.fixture
def sent(bench, monkeypatch):
    """What custom messages the bench sends from now on."""
    messages = []
    monkeypatch.setattr(bench, "send", lambda content, buffers=None: messages.append(content))
    return messages


def ask(bench, **message):
    """Send a message as a view does."""
    bench._handle_custom_msg({"version": module.VERSION, **message}, [])


def begin(bench, settings):
    """Ask for a long run, and wait until it is under way."""
    running = threading.Event()
    bench.observe(lambda change: change.new["epoch"] and running.set(), "status")
    bench.settings = settings
    assert running.wait(WAIT_S)


class TestAnswers:
    def test_the_first_run_is_made_without_being_asked_for(self, bench):
        assert bench.film["header"]["title"].startswith("10 epochs of AAPL on 4 nodes, quorum 3;")
        assert "without signatures" in bench.film["header"]["title"]
        assert bench.status["state"] == "idle"

    def test_what_a_view_asks_is_run_and_told_with_its_number(self, bench):
        bench.set_state({"settings": {"epochs": 11, "nodes": 7}, "asked": 5})
        bench.wait()
        assert (bench.film["header"]["epochs"], bench.film["asked"]) == (11, 5)
        assert bench.status["asked"] == 5
        assert len(bench.result.config.node_ids) == 7

    def test_a_film_comes_with_the_word_that_the_run_is_over(self, bench, monkeypatch):
        told = []
        monkeypatch.setattr(bench, "send_state", lambda key: told.append([*key]))
        bench.set_state({"settings": {"epochs": 11}, "asked": 5})
        bench.wait()
        assert [{*names} for names in told if "film" in names] == [{"film", "status"}]

    def test_one_change_is_one_run_and_the_same_again_none(self, bench, monkeypatch):
        made = []
        monkeypatch.setattr(
            module, "make_answer", lambda ask, told: made.append(ask) or make_answer(ask, told)
        )
        for asked in (1, 2):
            bench.set_state({"settings": {"epochs": 11}, "touches": [], "asked": asked})
            bench.wait()
            assert bench.film["asked"] == asked
        bench._repr_mimebundle_()
        assert len(made) == 1

    def test_its_code_gives_the_numbers_on_the_screen(self, bench):
        bench.set_state(
            {
                "settings": {"epochs": 12, "faulty": 1, "loss": 0.05},
                "touches": [{"at": 4.0, "kind": "crash", "nodes": ["node_1"]}],
            }
        )
        assert bench.result.config.trace
        assert "trace" not in bench.code
        summary = eval(bench.code, {"sl": sl}).run().summary
        bench.wait()
        shown = {each["name"]: each["value"] for each in bench.film["header"]["numbers"]}
        assert shown == {name: summary[name] for name in shown}
        assert {"crash"} == {fault.kind for fault in bench.experiment.config.faults}

    def test_messages_are_recorded_unless_they_are_too_many(self, monkeypatch):
        monkeypatch.setattr("streamlet_lab.widgets.answers.MOST_ARRIVALS", 10 * 4 * 5)
        told = []
        for epochs in (10, 11):
            experiment = Experiment(epochs=epochs, signatures="none")
            answer = make_answer(Question("", 0, experiment), None)
            told.append((answer.film.header["has_trace"], answer.result.config.trace))
        assert told == [(True, True), (False, False)]

    def test_many_runs_are_told_with_intervals_and_bands(self, bench):
        many = bench.run_many()
        assert many == bench.many
        numbers = {each["name"]: each for each in many["numbers"]}
        final = numbers["finalized_blocks"]
        assert final["low"] <= final["mean"] <= final["high"]
        assert final["runs"] == many["runs"] == 200
        latency = many["epochs"]["latency_s"]
        assert latency["low"][0] <= latency["middle"][0] <= latency["high"][0]
        assert len(latency["low"]) == 10
        assert latency["low"][-1] is None  # the last block never is final
        json.dumps(many, allow_nan=False)

    def test_many_runs_of_other_settings_are_forgotten(self, bench):
        bench.run_many()
        bench.settings = {"epochs": 11}
        bench.wait()
        assert bench.many == {}

    def test_many_in_the_place_of_a_run_that_waits_makes_that_too(self, bench):
        with bench._loop.lock:
            bench.settings = {"epochs": 11}
            ask(bench, type="many")
        bench.wait()
        assert bench.film["header"]["epochs"] == 11
        assert len(bench.many["epochs"]["start_s"]) == 11


class TestStopping:
    def test_a_long_run_is_given_up_for_a_newer_question(self, bench):
        begin(bench, LONG)
        bench.settings = {"epochs": 12}
        assert bench.result.config.epochs == 12

    def test_of_the_questions_that_wait_only_the_newest_is_run(self, bench):
        begin(bench, LONG)
        told = []
        bench.observe(lambda change: told.append(change.new["header"]["epochs"]), "film")
        with bench._loop.lock:  # however long this takes
            for epochs in range(11, 20):
                bench.settings = {"epochs": epochs}
        bench.wait()
        assert told == [19]

    def test_a_run_is_stopped_and_says_so(self, bench):
        begin(bench, LONG)
        assert bench.status["left_s"] > 1
        ask(bench, type="stop")
        assert bench.status["state"] == "stopped"
        assert "of 10,000 epochs" in bench.status["sentence"]
        bench.wait()
        assert bench.film["header"]["epochs"] == 10
        with pytest.raises(StreamletLabError, match="Stopped after"):
            bench.result  # noqa: B018
        bench.settings = SHORT
        assert bench.result.config.epochs == 10

    def test_there_is_nothing_to_stop_when_nothing_runs(self, bench):
        bench.stop()
        assert bench.status["state"] == "idle"

    def test_many_runs_are_stopped_and_the_run_stays(self, bench, monkeypatch):
        def play(config, report):
            report(20, 200)
            bench.stop()
            report(40, 200)

        monkeypatch.setattr(module, "play_many", play)
        with pytest.raises(StreamletLabError, match="Stopped after 20 of 200 runs"):
            bench.run_many()
        assert bench.result.config.epochs == 10

    def test_an_interrupt_stops_the_run_that_is_waited_for(self, bench, monkeypatch):
        def interrupt():
            raise KeyboardInterrupt

        begin(bench, LONG)
        with monkeypatch.context() as patch:
            patch.setattr(bench._loop, "wait", interrupt)
            with pytest.raises(KeyboardInterrupt):
                bench.wait()
        bench.wait()
        assert bench.status["state"] == "stopped"


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "field", "said"),
        [
            ({"nodes": 0}, "nodes", "nodes: 0 is not valid"),
            ({"nodes": "many"}, "nodes", "expected a whole number"),
            ({"nodes": {"a": [1]}}, "nodes", "expected a whole number"),
            ({"nodes": 3, "faulty": 4}, "faulty", "more than there are nodes"),
            ({"noodles": 4}, "setting", "noodles"),
            ({"epochs": 10**9}, "epochs", "expected a whole number"),
        ],
    )
    def test_settings_are_refused_in_place_and_the_next_are_run(self, bench, settings, field, said):
        bench.set_state({"settings": settings, "asked": 3})
        assert (bench.status["state"], bench.status["field"]) == ("refused", field)
        assert (bench.status["asked"], bench.code) == (3, "")
        assert said in bench.status["sentence"]
        with pytest.raises(InvalidInput):
            bench.result  # noqa: B018
        assert bench.film["header"]["epochs"] == 10
        bench.set_state({"settings": {"epochs": 11}, "asked": 4})
        assert bench.result.config.epochs == 11
        assert bench.status["state"] == "idle"

    def test_a_refused_touch_names_itself(self, bench):
        bench.set_state({"touches": [{"at": 4, "kind": "crash", "nodes": ["node_9"]}]})
        assert bench.status["state"] == "refused"
        assert "crash node_9 at 4 s" in bench.status["sentence"]

    @pytest.mark.parametrize("state", [{"settings": 7}, {"touches": 7}, {"asked": "x"}])
    def test_what_is_of_a_wrong_type_changes_nothing(self, bench, sent, state):
        before = bench.get_state(["settings", "touches", "asked"])
        bench.set_state(state)
        assert [message["type"] for message in sent] == ["refused"]
        assert bench.get_state(["settings", "touches", "asked"]) == before
        assert bench.result.config.epochs == 10

    @pytest.mark.parametrize(
        ("message", "said"),
        [
            ({"version": 2, "type": "stop"}, "version 1"),
            ({"version": 1, "type": "dance"}, "one of stop, many, figure, save"),
            ({"version": 1, "type": ["stop"]}, "one of stop, many, figure, save"),
            ({"version": 1, "type": "figure", "panel": "moon"}, "one of network, tree"),
            ("stop", "version 1"),
            (None, "version 1"),
        ],
    )
    def test_a_message_that_it_does_not_know_is_refused_in_a_sentence(
        self, bench, sent, message, said
    ):
        bench._handle_custom_msg(message, [])
        (refusal,) = sent
        assert (refusal["type"], refusal["version"]) == ("refused", 1)
        assert said in refusal["sentence"]
        assert bench.status["state"] == "idle"

    def test_what_the_batched_engine_cannot_play_is_said_in_words(self, bench, sent):
        bench.settings = {**SHORT, "loss": 0.1}
        ask(bench, type="many")
        assert "not played for loss" in sent[0]["sentence"]

    def test_an_error_of_a_run_is_said_and_the_bench_goes_on(self, bench, monkeypatch):
        def fail(*_):
            raise ZeroDivisionError("no reason")

        with monkeypatch.context() as patch:
            patch.setattr(module, "make_answer", fail)
            bench.settings = {"epochs": 11}
            bench.wait()
        assert bench.status["sentence"] == "ZeroDivisionError: no reason"
        bench.settings = {"epochs": 12}
        assert bench.result.config.epochs == 12

    @pytest.mark.parametrize(
        "given",
        [
            {"nodes": 0},
            {"noodles": 4},
            {"show": ["nodles"]},
            {"show": "nodes"},
            {"panels": ["moon"]},
            {"panels": 3},
            {"touches": [{"at": 1, "kind": "dance"}]},
        ],
    )
    def test_a_program_is_refused_at_once(self, given):
        with pytest.raises(InvalidInput):
            Bench(**given)

    def test_who_writes_explorer_is_told_what_to_write(self):
        with pytest.raises(StreamletLabError, match=r"write sl.Bench\(nodes=7\)"):
            Explorer(nodes=7)


class TestShown:
    def test_its_text_is_the_code_that_makes_it_again(self, bench):
        assert repr(bench) == "Bench(epochs=10)"
        given = {
            "show": ["nodes"],
            "panels": ["tree"],
            "nodes": 7,
            "network": {"held_together": True},
            "touches": [{"at": 4.0, "kind": "crash", "nodes": ["node_1"]}],
        }
        other = Bench(**SHORT, **given)
        again = eval(repr(other))
        assert repr(again) == repr(other)
        assert again.code == other.code
        assert (again.shown, again.panels) == (["nodes"], ["tree"])

    def test_what_is_the_default_is_not_in_its_text(self):
        assert repr(Bench(epochs=60, nodes=4)) == "Bench()"

    def test_it_shows_its_view_a_picture_and_a_sentence(self, bench):
        data, _ = bench._repr_mimebundle_()
        assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == bench.model_id
        assert data["image/png"].startswith(PNG)
        summary = bench.result.summary
        assert (
            f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks final"
            in (data["text/plain"])
        )

    def test_showing_changes_nothing_and_is_the_same_in_another_bench(self, bench):
        before = bench.get_state()
        first, again = bench._repr_mimebundle_()[0], bench._repr_mimebundle_()[0]
        assert bench.get_state() == before
        other = Bench(**SHORT)._repr_mimebundle_()[0]
        assert first["image/png"] == again["image/png"] == other["image/png"]
        assert first["text/plain"] == other["text/plain"]

    def test_a_cell_has_the_view_and_then_the_picture(self, bench, monkeypatch):
        displayed = []
        monkeypatch.setattr(
            "IPython.display.display", lambda data, **_: displayed.append(sorted(data))
        )
        bench._ipython_display_()
        view = ["application/vnd.jupyter.widget-view+json", "text/plain"]
        assert displayed == [view, ["image/png", "text/plain"]]

    def test_a_small_one_shows_one_of_its_panels(self, bench):
        whole, tree, prices = (
            Bench(**SHORT, panels=panels)._repr_mimebundle_()[0]["image/png"]
            for panels in (None, ["network", "tree"], ["prices", "inspector"])
        )
        assert len({whole, tree, prices}) == 3
        assert tree == draw_still(bench.result, ["tree"])

    def test_menus_can_be_shown_beside_controls(self):
        small = Bench(**SHORT, show=["nodes", "touches", "presets"])
        assert small.shown == ["nodes", "touches", "presets"]
        assert "inspector" in small.panels

    def test_a_refused_one_shows_why(self, bench):
        bench.settings = {"nodes": 0}
        data, _ = bench._repr_mimebundle_()
        assert data["text/plain"].startswith("nodes: 0 is not valid")
        assert "image/png" not in data

    @pytest.mark.parametrize("panel", PANELS)
    def test_every_panel_has_a_chart(self, bench, sent, panel):
        ask(bench, type="figure", panel=panel)
        assert [(message["type"], message["panel"]) for message in sent] == [("figure", panel)]
        assert bench.figure(panel).startswith(PNG)

    def test_a_chart_shows_what_is_on_the_screen_while_a_newer_run_is_under_way(self, bench, sent):
        begin(bench, LONG)
        ask(bench, type="figure", panel="latency")
        assert bench.status["state"] == "running"
        bench.stop()
        assert [message["type"] for message in sent] == ["figure"]

    def test_a_result_is_saved_beside_others(self, bench, sent, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for _ in range(2):
            ask(bench, type="save")
        assert [message["path"] for message in sent] == ["bench.zip", "bench-2.zip"]
        assert sl.Result.load("bench-2.zip").summary == bench.result.summary

    def test_a_page_has_its_film(self, bench, tmp_path):
        bench.to_html(tmp_path / "lesson.html")
        page = Path(tmp_path / "lesson.html").read_text(encoding="utf-8")
        assert bench.film["header"]["title"] in page


class TestEnding:
    def test_no_thread_is_left_when_nothing_is_asked(self, bench):
        bench.wait()
        for thread in threading.enumerate():
            if thread.name == "bench":
                thread.join(WAIT_S)
        assert "bench" not in [thread.name for thread in threading.enumerate()]

    def test_closing_stops_the_run_and_frees_the_memory(self):
        bench = Bench(**SHORT)
        begin(bench, LONG)
        thread = bench._loop._thread
        gone = weakref.ref(bench)
        bench.close()
        thread.join(WAIT_S)
        del bench
        gc.collect()
        assert not thread.is_alive()
        assert gone() is None

    def test_who_keeps_a_closed_one_keeps_no_run(self, bench):
        gone = [weakref.ref(each) for each in (bench.result, bench._last.film)]
        bench.close()
        gc.collect()
        assert [each() for each in gone] == [None, None]
        assert not bench.film
        bench.settings = {"epochs": 12}
        with pytest.raises(StreamletLabError, match="closed"):
            bench.run_many()

    def test_two_do_not_know_each_other(self):
        one, other = Bench(**SHORT), Bench(epochs=11)
        one.settings = {"epochs": 12}
        assert (one.result.config.epochs, other.result.config.epochs) == (12, 11)

    def test_a_program_that_ends_waits_for_no_thread(self, monkeypatch):
        bench = Bench(**SHORT)
        bench.wait()
        monkeypatch.setattr(module.sys, "is_finalizing", lambda: True)
        # As the thread may have it when it is ended.
        with bench._loop.lock:
            closing = threading.Thread(target=bench.close, daemon=True)
            closing.start()
            closing.join(10)
            assert not closing.is_alive()


class TestLoop:
    def test_who_is_gone_is_not_asked(self):
        class Owner:
            def answer(self, task):
                raise AssertionError

        owner = Owner()
        loop = Loop(owner.answer)
        del owner
        loop.ask("anything")
        loop.wait()
