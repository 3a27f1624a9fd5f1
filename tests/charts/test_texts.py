"""Names of others are drawn as they are: a dollar is a dollar, and nothing is hidden or obeyed."""

from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

from streamlet_lab import Experiment
from streamlet_lab.charts import plot_displacement, plot_heat_map, plot_means, plot_messages, to_png
from streamlet_lab.charts.plots import PAGES

from .drawing import swept
from .test_displacement import FRAME

NAMES = ("$x_{$", "costs $5 or $6", "_hidden", "$\\alpha$")


def _assert_plain(figure, *names):
    """Every name is on the figure as it is, and only powers of ten are formulas."""
    to_png(figure)
    texts = figure.findobj(Text)
    written = "\n".join(text.get_text() for text in texts)
    assert all(name in written for name in names)
    formulas = [text.get_text() for text in texts if "$" in text.get_text() and text._parse_math]
    assert all("mathdefault" in formula for formula in formulas)
    shown = [text for text in texts if text.get_visible() and not text._parse_math]
    assert not any("mathdefault" in text.get_text() for text in shown)
    plt.close(figure)


def test_names_in_a_run_are_drawn_as_they_are():
    result = Experiment(epochs=3, seed=1).run()
    quotes = result.quotes.assign(source="$x_{$")
    result = replace(result, frames={**result.frames, "quotes": quotes})
    _assert_plain(PAGES["sources"].make(result, 75), "$x_{$ is furthest")


@pytest.mark.parametrize("by", [None, "leaders"])
def test_labels_of_a_sweep_are_drawn_as_they_are(by):
    settings = ["network.delta", *([by] if by else [])]
    runs = [(*labels, 1.0) for labels in product(NAMES, repeat=len(settings))]
    labels = {"question": "$q_{$", "x_label": "_x$", "y_label": "$y_{$"}
    sweep = swept(settings, ["$m_{$"], *runs)
    _assert_plain(
        plot_means(sweep, "$m_{$", "network.delta", by=by, **labels), *NAMES, *labels.values()
    )


def test_labels_of_a_heat_map_are_drawn_as_they_are():
    names = ["_x$", "$y_{$"]
    sweep = swept(names, ["$m_{$"], *[(*labels, 1.0) for labels in product(NAMES, repeat=2)])
    labels = {"question": "$q_{$", "unit": "$u_{$"}
    figure = plot_heat_map(sweep, "$m_{$", *names, **labels)
    _assert_plain(figure, *NAMES, *names, *labels.values())


def test_names_in_a_study_are_drawn_as_they_are():
    names = dict(zip(FRAME["aggregator"].unique(), NAMES, strict=False))
    _assert_plain(plot_displacement(FRAME.replace({"aggregator": names})))


def test_powers_of_ten_are_still_formulas():
    figure = plot_messages(Experiment(epochs=3, signatures="none").run())
    _assert_plain(figure)
    ticks = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert any("mathdefault{10^{" in text for text in ticks)
