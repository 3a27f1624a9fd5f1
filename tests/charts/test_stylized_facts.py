"""The chart of stylized facts: where the real one could be a path is seen at once."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab.charts import plot_facts
from streamlet_lab.prices.facts import FACTS, compare_facts

from .drawing import assert_apart, find, means, tick_labels

INSIDE = "paths of a model (median, middle 95 %): real AAPL inside"
OUTSIDE = "real AAPL outside"
COLUMNS = ["model", "fact", "value", "median", "low", "high", "inside", "below"]


@pytest.fixture(scope="module")
def compared():
    return compare_facts(("gjr_garch", "gbm"), seeds=range(39))


def test_every_fact_has_a_panel_with_every_model(compared):
    panels = plot_facts(compared).axes
    assert [axes.get_title(loc="left") for axes in panels][:2] == [
        "Standard deviation (% a day)",
        "Excess kurtosis",
    ]
    assert len(panels) == len(FACTS) == 6
    for axes, fact in zip(panels, FACTS, strict=True):
        own = compared[(compared["fact"] == fact) & (compared["model"] != "real")]
        for label, is_in in ((INSIDE, True), (OUTSIDE, False)):
            marks, bars = means(axes, label)
            rows = [each for each in enumerate(own.itertuples()) if each[1].inside == is_in]
            assert marks.tolist() == [[row.median, place] for place, row in rows]
            ends = [[[row.low, place], [row.high, place]] for place, row in rows]
            np.testing.assert_allclose(np.reshape(bars, (-1, 2, 2)), np.reshape(ends, (-1, 2, 2)))
        (real,) = compared[(compared["fact"] == fact) & (compared["model"] == "real")]["value"]
        assert list(find(axes, "real AAPL").get_xdata()) == [real] * 2
        low, high = axes.get_xlim()
        assert low < real < high
    assert tick_labels(panels[0].yaxis) == ["gjr garch", "gbm"]


def test_heading_and_legend_cover_nothing(compared):
    figure = plot_facts(compared)
    figure.draw_without_rendering()
    question = figure.get_suptitle()
    assert question.strip() == "Which model of prices is like real AAPL?"
    (legend,) = figure.legends
    (answered,) = [text for text in figure.axes[0].texts if "facts in which" in text.get_text()]
    patches = [axes.patch for axes in figure.axes]
    titles = [axes._left_title for axes in figure.axes]
    shares = [text for axes in figure.axes for text in axes.texts if text is not answered]
    assert_apart(figure, [legend, answered, *patches, *titles, *shares])
    ticks = [axes.xaxis.get_tightbbox().y0 for axes in figure.axes]
    assert legend.get_window_extent().y1 < min(ticks) - 4  # pixels


def test_models_keep_the_order_of_the_frame():
    names = ["two", "one", "three"]
    rows = [
        (name, fact, number, number, number - 1, number + 1, True, 1.0)
        for number, name in enumerate(["real", *names])
        for fact in ("leverage", "kurtosis")
    ]
    first, second = plot_facts(pd.DataFrame(rows, columns=COLUMNS)).axes
    assert tick_labels(first.yaxis) == names
    low, high = first.get_ylim()
    assert low > high  # from top to bottom
    for axes in (first, second):
        assert means(axes, INSIDE)[0].tolist() == [[1, 0], [2, 1], [3, 2]]
    (answered,) = [text.get_text() for text in first.texts]
    assert answered.endswith(": two 2 of 2, one 2 of 2, three 2 of 2")
