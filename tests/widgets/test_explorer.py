"""The explorer: what its controls say is run, drawn and put into words."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

import streamlet_lab.widgets.explorer as module
from streamlet_lab import Experiment, Fault, InvalidInput, fault_kinds
from streamlet_lab.charts.figures import OVERVIEW
from streamlet_lab.widgets import Explorer
from streamlet_lab.widgets.explorer import Settings, describe, explore, render

PNG = b"\x89PNG"


@pytest.fixture
def explorer():
    return Explorer(epochs=20)


@pytest.fixture
def runs(monkeypatch):
    """Settings of every run that an explorer makes from now on."""
    made = []

    def counted(settings):
        made.append(settings)
        return explore(settings)

    monkeypatch.setattr(module, "explore", counted)
    return made


class TestSettings:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("epochs", 9),
            ("epochs", 201),
            ("epochs", 20.5),
            ("nodes", 0),
            ("nodes", "4"),
            ("nodes", 17),
            ("faulty", -1),
            ("faulty", 5),
            ("seed", -1),
            ("fault", "gremlins"),
        ],
    )
    def test_what_the_controls_cannot_take_is_refused(self, field, value):
        with pytest.raises(InvalidInput) as caught:
            Settings(**{field: value})
        assert (caught.value.field, caught.value.value) == (field, value)

    def test_an_explorer_refuses_them_too(self):
        with pytest.raises(InvalidInput, match="faulty"):
            Explorer(nodes=3, faulty=4)


class TestExplore:
    def test_the_last_nodes_have_the_fault_from_the_beginning(self):
        config = explore(Settings(epochs=10, nodes=7, faulty=2, fault="silent_leader")).config
        assert config.faulty_nodes == {"node_5", "node_6"}
        assert config.faults[0].start == 0
        assert (config.epochs, config.nodes) == (10, 7)

    def test_signatures_would_change_nothing_but_the_count_of_them(self):
        settings = Settings(epochs=20, nodes=4, faulty=1, seed=3)
        without = explore(settings)
        signed = Experiment(epochs=20, seed=3, faults=[Fault("crash", count=1)]).run()
        assert (without.signatures, signed.signatures > 0) == (0, True)
        for name, frame in signed.frames.items():
            pd.testing.assert_frame_equal(without.frames[name], frame)


class TestRender:
    def test_the_same_results_in_the_same_order_give_the_same_bytes(self):
        results = [explore(Settings(epochs=20, faulty=faulty)) for faulty in (1, 2)]
        first, second = Figure(figsize=OVERVIEW.size), Figure(figsize=OVERVIEW.size)
        pictures = [render(first, result) for result in results]
        assert pictures == [render(second, result) for result in results]
        assert pictures[0] != pictures[1]
        assert pictures[0].startswith(PNG)

    def test_the_layout_is_found_once_and_has_room_for_the_legends(self):
        figure = Figure(figsize=OVERVIEW.size)
        render(figure, explore(Settings(epochs=20)))
        places = [axes.get_position().bounds for axes in figure.axes]
        assert min(axes.get_legend().get_window_extent().y0 for axes in figure.axes) >= 0
        render(figure, explore(Settings(epochs=50, nodes=1, faulty=0)))
        assert [axes.get_position().bounds for axes in figure.axes] == places


class TestDescribe:
    def test_says_what_is_tolerated_and_what_became_final(self):
        result = explore(Settings(epochs=20))
        text = describe(result)
        summary = result.summary
        assert "4 nodes, 1 faulty (crash) · f = 1 tolerated · quorum 3" in text
        assert "signatures: none" in text
        assert f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks" in text
        assert f"median latency {summary['median_latency_s']:.2f} s" in text
        assert f"{summary['outside_band']} orders outside the band" in text
        assert "inside the model</b>" in text
        assert ">safe</b>" in text

    def test_says_why_a_run_is_outside_the_model(self):
        text = describe(explore(Settings(epochs=20, faulty=2)))
        assert "outside the model</b>: 2 of 4 nodes faulty, 1 tolerated" in text
        assert "no latency" in text

    def test_says_which_property_was_violated(self):
        text = describe(explore(Settings(epochs=20, faulty=3, fault="lying_leader")))
        assert "not safe</b>: valid prices" in text


class TestExplorer:
    def test_shows_charts_and_numbers_at_once(self, explorer):
        assert bytes(explorer.image.value).startswith(PNG)
        assert explorer.readout.value == describe(explore(Settings(epochs=20)))
        assert "streamlet-readout" in explorer.readout._dom_classes

    @pytest.mark.parametrize(
        ("control", "value"),
        [("epochs", 30), ("nodes", 5), ("faulty", 2), ("fault", "silent_leader"), ("seed", 1)],
    )
    def test_every_control_changes_the_charts_and_the_run(self, explorer, control, value):
        before = explorer.image.value
        getattr(explorer, control).value = value
        assert explorer.image.value != before
        expected = Settings(**{"epochs": 20, control: value})
        assert explorer.settings == expected
        assert explorer.readout.value == describe(explore(expected))

    def test_there_are_never_more_faulty_nodes_than_nodes(self, explorer, runs):
        explorer.nodes.value = 7
        explorer.faulty.value = 7
        explorer.nodes.value = 3
        assert (explorer.faulty.max, explorer.faulty.value) == (3, 3)
        explorer.faulty.value = 9
        assert explorer.faulty.value == 3
        assert runs[-1] == explorer.settings

    def test_one_change_is_one_run(self, explorer, runs):
        explorer.faulty.value = 4
        explorer.nodes.value = 2  # takes the slider of the faulty nodes along
        assert [(settings.nodes, settings.faulty) for settings in runs] == [(4, 4), (2, 2)]

    def test_offers_every_kind_of_fault(self, explorer):
        assert explorer.fault.options == fault_kinds()

    def test_an_error_is_said_in_the_readout_and_the_charts_stay(self, explorer, monkeypatch):
        def broken(settings):
            raise InvalidInput("faults.parameters", "<none>", "a price")

        picture = explorer.image.value
        monkeypatch.setattr(module, "explore", broken)
        explorer.seed.value = 5
        assert "InvalidInput" in explorer.readout.value
        assert "&lt;none&gt;" in explorer.readout.value
        assert explorer.image.value == picture
        monkeypatch.undo()
        explorer.seed.value = 6
        assert explorer.image.value != picture
        assert "InvalidInput" not in explorer.readout.value

    def test_its_text_says_its_settings_and_nothing_else(self):
        text = "Explorer(epochs=20, nodes=4, faulty=1, fault='crash', seed=2)"
        assert repr(Explorer(epochs=20, seed=2)) == text

    def test_leaves_no_pyplot_figure_behind(self, explorer):
        assert plt.get_fignums() == []
