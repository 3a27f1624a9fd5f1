"""The explorer: what its controls say is run, drawn and put into words."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import streamlet_lab.widgets.explorer as module
from streamlet_lab import Experiment, Fault, InvalidInput
from streamlet_lab.charts import to_png
from streamlet_lab.charts.plots import PAGES
from streamlet_lab.widgets import Explorer
from streamlet_lab.widgets.explorer import describe, explore
from streamlet_lab.widgets.explorer_settings import CONTROLS, Settings

from .others import OTHERS

PNG = b"\x89PNG"


@pytest.fixture
def explorer():
    return Explorer(epochs=20)


@pytest.fixture
def runs(monkeypatch):
    """Settings of every run that an explorer makes from now on; no pictures, which take longer."""
    made = []

    def counted(settings):
        made.append(settings)
        return explore(settings)

    monkeypatch.setattr(module, "explore", counted)
    monkeypatch.setattr(Explorer, "_draw", lambda *_: PNG)
    return made


def said(**settings):
    """What the readout says of a run with these settings."""
    chosen = Settings(**settings)
    return describe(explore(chosen), chosen)


class TestExplore:
    def test_the_last_nodes_have_the_fault_from_the_beginning(self):
        config = explore(Settings(epochs=10, nodes=7, faulty=2, fault="silent_leader")).config
        assert config.faulty_nodes == {"node_5", "node_6"}
        assert config.faults[0].start == 0
        assert (config.epochs, config.nodes) == (10, 7)

    @pytest.mark.parametrize("policy", ["observe", "evidence"])
    def test_signatures_would_change_nothing_but_the_count_of_them(self, policy):
        without = explore(Settings(epochs=20, seed=3, lying=1, voter_policy=policy))
        faults = [Fault("crash", count=1), Fault("adaptive", count=1)]
        prices = {"voter_policy": policy}
        signed = Experiment(epochs=20, seed=3, faults=faults, prices=prices).run()
        assert (without.signatures, signed.signatures > 0) == (0, True)
        # Evidence is signed quotes in the blocks, which have other hashes then.
        other = ["block_hash", "parent_hash"] if policy == "evidence" else []
        for name, frame in signed.frames.items():
            left, right = (
                each.drop(columns=other, errors="ignore") for each in (without.frames[name], frame)
            )
            pd.testing.assert_frame_equal(left, right)


class TestDescribe:
    def test_says_what_is_tolerated_and_what_became_final(self):
        settings = Settings(epochs=20)
        result = explore(settings)
        text, summary = describe(result, settings), result.summary
        assert "4 nodes, 1 faulty (crash) · f = 1 tolerated · quorum 3" in text
        assert "signatures: none" in text
        assert f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks" in text
        assert f"median latency {summary['median_latency_s']:.2f} s" in text
        stopped, fair = summary["fair_orders_stopped"], summary["fair_orders"]
        assert f"fair orders stopped: {stopped} of {fair} ({stopped / fair:.1%})" in text
        assert "inside the model</b>" in text
        assert ">safe</b>" in text
        assert "convicted" not in text

    def test_says_why_a_run_is_outside_the_model(self):
        text = said(epochs=20, faulty=2)
        assert "outside the model</b>: 2 of 4 nodes faulty, 1 tolerated" in text
        assert "no latency" in text
        assert "nothing violated</b>, but nothing is final that could be compared" in text
        assert ">safe<" not in text
        assert "mean tolerates 0 · no final prices" in text
        assert "orders stopped: 79, 79 at entry (of these 79 without a reference)" in text

    def test_says_which_property_was_violated_and_who_is_convicted(self):
        text = said(epochs=20, faulty=2, fault="split")
        assert "not safe</b>: consistency" in text
        assert "convicted: node_2, node_3" in text

    def test_says_who_lies_what_is_tolerated_and_what_it_did(self):
        settings = Settings(epochs=20, sources=7, lying=2, aggregator="trimmed_mean")
        result = explore(settings)
        assert (
            "2 of 7 sources lying (adaptive) · trimmed mean tolerates 2 · final prices at most "
            f"{result.largest_displacement_bp:.1f} bp from the truth"
        ) in describe(result, settings)

    def test_says_that_no_source_lies(self):
        honest = said(epochs=20, lying=2, lying_epochs=(20, 200))
        assert "0 of 3 sources lying · mean tolerates 0" in honest

    def test_says_which_settings_of_a_closed_section_are_not_the_defaults(self):
        text = said(epochs=20, seed=3, loss=0.1, when_lost="forever", partition_s=(2, 4))
        assert text.endswith("<br>loss: 0.1 · if lost: forever · partition (s): 2 to 4")
        assert "loss" not in said(epochs=20)

    def test_is_free_of_markup_from_names(self):
        assert module._verdict("", "<i>", ["<none>"]).endswith("&lt;none&gt;")


class TestExplorer:
    def test_shows_charts_and_numbers_at_once(self, explorer):
        assert bytes(explorer.image.value).startswith(PNG)
        assert explorer.readout.value == said(epochs=20)
        assert "streamlet-readout" in explorer.readout._dom_classes

    @pytest.mark.parametrize(
        "name", ["seed", "nodes", "fault_epochs", "echo", "loss", "aggregator", "lying"]
    )
    def test_every_control_starts_one_run_with_its_value(self, runs, name):
        explorer = Explorer(epochs=20)
        explorer.controls[name].value = OTHERS[name]
        changed = Settings(**{"epochs": 20, name: OTHERS[name]})
        assert runs == [Settings(epochs=20), changed]
        assert explorer.readout.value == describe(explore(changed), changed)

    def test_five_controls_and_the_picture_are_on_top_and_the_rest_in_closed_sections(
        self, explorer
    ):
        top, sections = explorer.children[:2]
        names = {control: name for name, control in explorer.controls.items()}
        on_top = ["epochs", "nodes", "faulty", "fault", "seed", "picture"]
        assert [names[control] for control in top.children] == on_top
        assert sections.titles == ("Protocol", "Faults", "Network", "Prices", "Market")
        assert sections.selected_index is None
        hidden = [names[control] for rows in sections.children for control in rows.children]
        assert on_top + hidden == list(CONTROLS)

    @pytest.mark.parametrize(
        ("picture", "name"),
        [
            *(("overview", name) for name in ("nodes", "fault_epochs", "lying")),
            *(("block_tree", name) for name in ("loss", "gst_s")),
            *(("sources", name) for name in ("market_time", "path_model")),
        ],
    )
    def test_every_picture_follows_the_controls(self, picture, name):
        explorer = Explorer(epochs=20, picture=picture, when_lost="forever")
        before = explorer.image.value
        explorer.controls[name].value = OTHERS[name]
        assert explorer.image.value != before

    @pytest.mark.parametrize("name", [*CONTROLS["picture"].choices])
    def test_draws_any_picture_instead_of_the_overview(self, explorer, name):
        overview = explorer.image.value
        explorer.controls["picture"].value = name
        result = explore(Settings(epochs=20))
        assert explorer.image.value == to_png(PAGES[name].make(result, 75), 1)
        explorer.controls["picture"].value = "overview"
        assert explorer.image.value == overview

    def test_the_layout_of_the_overview_is_found_once_and_has_room_for_the_legends(self):
        explorer = Explorer(epochs=20)
        figure = explorer._overview
        places = [axes.get_position().bounds for axes in figure.axes]
        assert min(axes.get_legend().get_window_extent().y0 for axes in figure.axes) >= 0
        explorer.controls["epochs"].value = 50
        assert explorer._overview is figure
        assert [axes.get_position().bounds for axes in figure.axes] == places

    def test_there_are_never_more_faulty_nodes_than_nodes(self, explorer, runs):
        faulty, nodes = explorer.controls["faulty"], explorer.controls["nodes"]
        assert faulty.max == 4
        nodes.value = 7
        faulty.value = 7
        nodes.value = 3
        assert (faulty.max, faulty.value) == (3, 3)
        faulty.value = 9
        assert faulty.value == 3
        assert runs[-1] == explorer.settings

    def test_there_are_never_more_lying_sources_than_sources(self, explorer, runs):
        lying, sources = explorer.controls["lying"], explorer.controls["sources"]
        assert lying.max == 3
        sources.value = 7
        lying.value = 6
        sources.value = 4
        assert (lying.max, lying.value) == (4, 4)
        assert [(settings.sources, settings.lying) for settings in runs] == [(7, 0), (7, 6), (4, 4)]

    def test_one_change_is_one_run(self, explorer, runs):
        explorer.controls["faulty"].value = 4
        explorer.controls["nodes"].value = 2  # takes the slider of the faulty nodes along
        assert [(settings.nodes, settings.faulty) for settings in runs] == [(4, 4), (2, 2)]

    def test_what_does_not_go_together_is_said_in_the_readout_and_the_picture_hides(self):
        explorer = Explorer(epochs=20, faulty=0, partition_s=(2, 6))
        picture = explorer.image.value
        explorer.controls["nodes"].value = 1
        assert "InvalidInput</b>: network.partitions" in explorer.readout.value
        assert "two or more groups of nodes" in explorer.readout.value
        assert explorer.image.layout.visibility == "hidden"
        explorer.controls["partition_s"].value = (0, 0)
        assert explorer.image.layout.visibility == "visible"
        assert explorer.image.value != picture
        assert "InvalidInput" not in explorer.readout.value

    def test_refuses_to_start_with_what_the_controls_cannot_take(self):
        with pytest.raises(InvalidInput, match="faulty"):
            Explorer(nodes=3, faulty=4)
        with pytest.raises(InvalidInput, match="lying"):
            Explorer(sources=3, lying=4)

    def test_its_text_says_which_settings_are_not_the_defaults(self):
        explorer = Explorer(nodes=4, partition_s=(2, 6))
        explorer.controls["seed"].value = 2
        assert repr(explorer) == "Explorer(seed=2, partition_s=(2, 6))"

    def test_leaves_no_pyplot_figure_behind(self, explorer):
        assert plt.get_fignums() == []
