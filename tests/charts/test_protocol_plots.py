"""The protocol's charts as figures: of every run, for the epochs that were asked for."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from streamlet_lab import Experiment, Fault
from streamlet_lab.charts import ProtocolPlots, message_counts, plot_messages
from streamlet_lab.charts.figures import MESSAGES, block_tree_page, timeline_page, violation_page
from streamlet_lab.errors import InvalidInput

from .drawing import answer, assert_apart, labels, written
from .protocol_runs import TRACE, VIOLATION, protocol_run
from .runs import run


@pytest.fixture(autouse=True)
def _headless():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture
def plots():
    messages = run("default").messages
    return ProtocolPlots(protocol_run(messages=messages))


@pytest.mark.parametrize("method", ["block_tree", "timeline", "messages", "violation"])
def test_each_method_returns_an_open_pyplot_figure(plots, method):
    figure = getattr(plots, method)()
    assert plt.gcf() is figure
    assert figure.axes[0].get_title(loc="left").endswith("?")
    assert f"{method}()" in repr(plots)


def test_the_block_tree_is_whole_by_default_and_knows_the_faulty(plots):
    (axes,) = plots.block_tree().axes
    assert answer(axes).startswith("as the observer sees it, 3 of 7 proposed blocks")
    assert "final, faulty leader (1)" in labels(axes)
    (axes,) = plots.block_tree(2, 4).axes
    assert answer(axes).startswith("as the observer sees it, 1 of 2 proposed blocks")


def test_the_timeline_shows_two_epochs_by_default(plots):
    (axes,) = plots.timeline().axes
    assert answer(axes).startswith("epochs 0 to 1: 6 first arrivals")
    assert "a node sees a block final (1)" in labels(axes)
    assert axes.get_yticklabels()[3].get_text() == "node_3 (faulty)"
    (axes,) = plots.timeline(2).axes
    assert answer(axes).startswith("epochs 2 to 3: 1 first")
    (axes,) = plots.timeline(6).axes
    assert answer(axes).startswith("epoch 6: 0 first")


@pytest.mark.parametrize("method", ["block_tree", "timeline"])
@pytest.mark.parametrize(
    ("span", "field"),
    [
        ((-1, 2), "first"),
        ((7,), "first"),
        ((3, 2), "last"),
        ((0, 7), "last"),
        (("a",), "first"),
        (("a", 1), "first"),
        ((2.5, 3), "first"),
        ((2, "3"), "last"),
    ],
)
def test_epochs_that_the_run_does_not_have_are_refused(plots, method, span, field):
    with pytest.raises(InvalidInput) as caught:
        getattr(plots, method)(*span)
    assert caught.value.field == field


def test_the_view_of_a_run_whose_nodes_disagree():
    split = [Fault("split", nodes=("node_2", "node_3"))]
    torn = Experiment(nodes=4, epochs=12, seed=1, faults=split, signatures="none").run()
    assert torn.checks["consistency"].status == "violated"
    (axes,) = torn.plot.block_tree().axes
    assert answer(axes).startswith("HONEST NODES DISAGREE")
    seen = torn.finality.query("node == 'node_0'").dropna(subset=["finalized_s"])["block_hash"]
    elsewhere = set(seen) - set(torn.blocks.query("finalized")["block_hash"])
    marks = [line for line in axes.get_lines() if str(line.get_label()).startswith("final else")]
    assert sum(len(line.get_xdata()) for line in marks) == len(elsewhere) > 0


def test_a_run_without_a_trace_or_a_violation_says_so():
    empty = protocol_run(trace=TRACE.iloc[:0], violation=VIOLATION.iloc[:0])
    with pytest.raises(InvalidInput, match="trace=True"):
        ProtocolPlots(empty).timeline()
    with pytest.raises(InvalidInput, match="without a violation"):
        ProtocolPlots(empty).violation()


def test_messages_can_be_drawn_of_several_results_or_a_frame():
    results = [run("default"), run("16 nodes")]
    for shown in (results, message_counts(results)):
        (axes,) = plot_messages(shown).axes
        assert answer(axes).startswith("n = 16: ")


@pytest.mark.parametrize(
    ("shown", "value"), [([], []), (run("default"), "Result"), ({"a": 1}, "dict")]
)
def test_what_is_not_a_list_of_runs_is_refused(shown, value):
    with pytest.raises(InvalidInput, match="one run or more, as a list") as caught:
        plot_messages(shown)
    assert (caught.value.field, caught.value.value) == ("shown", value)


PAGES = {
    "block_tree": (block_tree_page(), protocol_run()),
    "timeline": (timeline_page(), protocol_run()),
    "messages": (MESSAGES, message_counts([run("default")])),
    "violation": (violation_page(VIOLATION), VIOLATION),
}


@pytest.mark.parametrize("name", PAGES)
def test_legends_and_headings_cover_nothing(name):
    page, shown = PAGES[name]
    figure = Figure(figsize=page.size)
    page.put_on(figure, shown)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    notes = {id(text) for text in axes.texts if text.get_position() != (0, 1)}
    around = [text for text in written(axes) if id(text) not in notes]
    assert len(around) == 3
    assert_apart(figure, [*around, axes.get_legend(), axes.patch])
