"""Figures of sweeps and studies: what they refuse, and that nothing on them covers anything."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from streamlet_lab import InvalidInput
from streamlet_lab.charts import (
    plot_bands,
    plot_denial,
    plot_displacement,
    plot_facts,
    plot_heat_map,
    plot_means,
    plot_messages,
    plot_narrowing,
    plot_policies,
    plot_push,
    plot_staleness,
)

from .drawing import assert_legible, swept
from .test_displacement import FRAME, PUSHED, game_form, pushed
from .test_narrowing import PAIRS
from .test_quality import COMPARED, LABELS, NUMBERS, varied
from .test_stylized_facts import COLUMNS
from .test_sweeps import DENIED, LED, ONE, TWO

AGGREGATORS = ("mean", "vwap", "trimmed_mean", "median", "mad_filter", "pyth")
SIX = pushed(**{name: [1000, 23_333, None] for name in AGGREGATORS})
LEGIBLE = {
    "means": lambda: plot_means(
        TWO, "latency_s", "network.delta", by="leaders", closed_form=lambda x: x
    ),
    "heat map": lambda: plot_heat_map(TWO, "latency_s", "network.delta", "leaders"),
    "narrowing": lambda: plot_narrowing(PAIRS, "latency_s", "leaders", "hashed", "in turn"),
    "policies": lambda: plot_policies(LED),
    "denial": lambda: plot_denial(DENIED),
    "push": lambda: plot_push(PUSHED),
    "push of six": lambda: plot_push(SIX, {"mean": game_form, "trimmed_mean": game_form}),
    "staleness of numbers": lambda: plot_staleness(NUMBERS),
    "staleness of labels": lambda: plot_staleness(LABELS),
    "bands": lambda: plot_bands(COMPARED),
    "displacement": lambda: plot_displacement(FRAME),
}


@pytest.mark.parametrize("name", LEGIBLE)
def test_heading_and_legend_cover_nothing(name):
    figure = LEGIBLE[name]()
    assert_legible(figure)
    if len(figure.axes) == 1:
        assert figure.axes[0].get_window_extent().width > 0.8 * figure.bbox.width


def test_numbers_of_displacements_fit_into_their_cells():
    figure = plot_displacement(FRAME)
    figure.draw_without_rendering()
    axes, _ = figure.axes
    width, height = axes.bbox.width / 2, axes.bbox.height / 3
    for text in axes.texts[:-1]:
        box = text.get_window_extent()
        assert box.width < width
        assert box.height < height


def test_panels_of_bands_are_equally_wide():
    figure = plot_bands(COMPARED)
    figure.draw_without_rendering()
    widths = [axes.get_window_extent().width for axes in figure.axes]
    assert widths == pytest.approx([widths[0]] * 3, rel=0.02)


SEVEN = swept(["epochs", "nodes"], ["latency_s"], *[(1, nodes, 1.0) for nodes in range(7)])
MANY = swept(["nodes"], ["mean_bp", "denied"], *[(nodes, 1.0, 0.0) for nodes in range(7)])
UNFAIR, BAND_UNFAIR = (
    varied(setting, [4], {"unfair_trade_rate": [[0.1]]}) for setting in ("nodes", "market.band")
)
DELTA, BY = "network.delta", {"by": "leaders"}


@pytest.mark.parametrize(
    ("plot", "arguments", "options", "field"),
    [
        (plot_means, (ONE.frame, "latency_s", DELTA), {}, "swept"),
        (plot_means, (ONE, "latency", DELTA), {}, "measure"),
        (plot_means, (ONE, "latency_s", "delta"), {}, "x, by"),
        (plot_means, (ONE, "latency_s", DELTA), BY, "x, by"),
        (plot_means, (TWO, "latency_s", DELTA), {}, "x, by"),
        (plot_means, (SEVEN, "latency_s", "epochs"), {"by": "nodes"}, "by"),
        (
            plot_means,
            (TWO, "latency_s", DELTA),
            {**BY, "closed_form": {"sorted": float}},
            "closed_form",
        ),
        (plot_heat_map, (TWO, "latency_s", DELTA, "nodes"), {}, "x, y"),
        (plot_heat_map, (TWO.frame, "latency_s", DELTA, "leaders"), {}, "swept"),
        (plot_heat_map, (TWO, "latency_s", DELTA, "leaders"), {"number": "d"}, "number"),
        (plot_narrowing, (TWO, "latency_s", DELTA, 0.5, 2.0), {}, "setting"),
        (plot_narrowing, (ONE, "latency_s", DELTA, 0.5, 2.0), {}, "swept"),
        (plot_narrowing, (PAIRS, "latency_s", "leaders", "hashed", "none"), {}, "second"),
        (plot_policies, (DENIED,), {}, "x, by"),
        (plot_denial, (DENIED.frame,), {}, "swept"),
        (plot_denial, (DENIED, "aggregator"), {}, "by"),
        (plot_denial, (LED,), {}, "measure"),
        (plot_denial, (MANY, "nodes"), {}, "by"),
        (plot_staleness, (NUMBERS.frame,), {}, "swept"),
        (plot_staleness, (TWO,), {}, "swept"),
        (plot_staleness, (UNFAIR,), {}, "measure"),
        (plot_bands, (NUMBERS,), {}, "swept"),
        (plot_bands, (COMPARED.frame,), {}, "swept"),
        (plot_bands, (BAND_UNFAIR,), {}, "measure"),
        (plot_displacement, (FRAME.iloc[:0],), {}, "frame"),
        (plot_displacement, (FRAME.drop(columns="liars"),), {}, "frame"),
        (plot_displacement, (3,), {}, "frame"),
        (plot_push, (pushed(**{f"a{number}": [1] for number in range(7)}),), {}, "frame"),
        (plot_push, (PUSHED, {"median": game_form}), {}, "closed_form"),
        (plot_push, (PUSHED.drop(columns="epoch"),), {}, "frame"),
        (plot_push, (PUSHED.iloc[:0],), {}, "frame"),
        (plot_facts, (pd.DataFrame({"model": ["real"]}),), {}, "frame"),
        (
            plot_facts,
            (pd.DataFrame([("real", "leverage", 0, 0, 0, 0, True, 1.0)], columns=COLUMNS),),
            {},
            "frame",
        ),
        (plot_facts, ([1],), {}, "frame"),
        (plot_messages, ([],), {}, "shown"),
        (plot_messages, ({"a": 1},), {}, "shown"),
    ],
)
def test_what_cannot_be_shown_is_refused(plot, arguments, options, field):
    with pytest.raises(InvalidInput) as caught:
        plot(*arguments, **options)
    assert caught.value.field == field
    assert not plt.get_fignums()
