"""The chart of stylized facts: what is inside the real one's interval is seen at once."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from streamlet_lab import InvalidInput
from streamlet_lab.charts import plot_facts
from streamlet_lab.prices.facts import FACTS, compare_facts

from .drawing import assert_apart, find, points

COLUMNS = ["model", "fact", "value", "median", "low", "high", "inside", "share_inside"]


@pytest.fixture(autouse=True)
def _headless():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def compared():
    return compare_facts(("gjr_garch", "gbm"), seeds=range(2))


def test_every_fact_has_a_panel_with_every_model(compared):
    panels = plot_facts(compared).axes
    assert [axes.get_title(loc="left") for axes in panels][:2] == [
        "Standard deviation (% a day)",
        "Excess kurtosis",
    ]
    assert len(panels) == len(FACTS) == 6
    for axes, fact in zip(panels, FACTS, strict=True):
        own = compared[(compared["fact"] == fact) & (compared["model"] != "real")]
        inside = points(axes, "mean of the paths, inside").tolist()
        outside = points(axes, "mean of the paths, outside").tolist()
        places = [[row.value, place] for place, row in enumerate(own.itertuples())]
        assert inside == [
            place for place, is_in in zip(places, own["inside"], strict=True) if is_in
        ]
        assert sorted(inside + outside) == sorted(places)
        medians = points(axes, "median of the paths")
        assert medians[:, 0].tolist() == own["median"].tolist()
    names = [tick.get_text() for tick in panels[0].get_yticklabels()]
    assert names == ["gjr garch", "gbm"]


def test_band_and_line_are_those_of_the_real_history(compared):
    for axes, fact in zip(plot_facts(compared).axes, FACTS, strict=True):
        rows = compared[(compared["fact"] == fact) & (compared["model"] == "real")]
        (real,) = rows.itertuples()
        band = find(axes, "real AAPL, 95 % interval")
        assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx(
            (real.low, real.high)
        )
        (line,) = [line for line in axes.get_lines() if line.get_label() == "real AAPL"]
        assert list(line.get_xdata()) == [real.value] * 2
        low, high = axes.get_xlim()
        assert low < real.low < real.high < high


def test_the_share_of_single_paths_stands_beside_each_row():
    rows = [
        ("real", "leverage", -0.05, -0.05, -0.08, -0.02, True, 1.0),
        ("one", "leverage", -0.04, -0.04, -0.08, -0.02, True, 0.825),
        ("two", "leverage", 0.01, 0.01, -0.08, -0.02, False, 0.0),
    ]
    figure = plot_facts(pd.DataFrame(rows, columns=COLUMNS))
    (axes,) = figure.axes
    beside = {
        text.get_position()[1]: text.get_text() for text in axes.texts if "%" in text.get_text()
    }
    assert beside == {0: "82%", 1: "0%"}
    (answered,) = [text.get_text() for text in axes.texts if "inside" in text.get_text()]
    assert answered.startswith("facts inside: one 1 of 1, two 0 of 1")


def test_heading_and_legend_cover_nothing(compared):
    figure = plot_facts(compared)
    figure.draw_without_rendering()
    question = figure.get_suptitle()
    assert question.strip() == "Which model of prices is like real AAPL?"
    (legend,) = figure.legends
    (answered,) = [text for text in figure.axes[0].texts if "facts inside" in text.get_text()]
    patches = [axes.patch for axes in figure.axes]
    titles = [axes._left_title for axes in figure.axes]
    shares = [text for axes in figure.axes for text in axes.texts if text is not answered]
    assert_apart(figure, [legend, answered, *patches, *titles, *shares])
    ticks = [axes.xaxis.get_tightbbox().y0 for axes in figure.axes]
    assert legend.get_window_extent().y1 < min(ticks) - 4  # pixels


def test_models_keep_the_order_of_the_frame():
    names = ["two", "one", "three"]
    rows = [
        (name, fact, number, number, 0, 1, True, 1.0)
        for number, name in enumerate(["real", *names])
        for fact in ("leverage", "kurtosis")
    ]
    first, second = plot_facts(pd.DataFrame(rows, columns=COLUMNS)).axes
    assert [tick.get_text() for tick in first.get_yticklabels()] == names
    low, high = first.get_ylim()
    assert low > high  # from top to bottom
    for axes in (first, second):
        assert points(axes, "mean of the paths, inside").tolist() == [[1, 0], [2, 1], [3, 2]]
    (answered,) = [text.get_text() for text in first.texts if "inside" in text.get_text()]
    assert answered.startswith("facts inside: two 2 of 2, one 2 of 2, three 2 of 2")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"model": ["real"]}),
        pd.DataFrame([("real", "leverage", 0, 0, 0, 0, True, 1.0)], columns=COLUMNS),
        [1],
    ],
)
def test_what_is_no_comparison_is_refused(frame):
    with pytest.raises(InvalidInput) as caught:
        plot_facts(frame)
    assert caught.value.field == "frame"
    assert not plt.get_fignums()
