"""Charts of displacements: the worst in every cell, lock-outs, closed forms beside the game."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from streamlet_lab.charts import plot_displacement, plot_push
from streamlet_lab.theory import mean_displacement

from .drawing import answer, find, labels, points, tick_labels

NAN = float("nan")
COLUMNS = ["aggregator", "sources", "liars", "seed", "first_bp", "worst_bp", "locked_out"]
FRAME = pd.DataFrame(
    [
        ("mean", 3, 1, 0, 333.3, 527.0, False),
        ("mean", 3, 1, 1, 334.7, 526.0, False),
        ("mean", 7, 2, 0, 286.0, 417.0, False),
        ("mean", 7, 2, 1, 285.0, 416.0, False),
        ("vwap", 3, 1, 0, 1000.0, 2100.0, True),
        ("vwap", 3, 1, 1, 1000.0, 2099.0, True),
        ("vwap", 7, 2, 0, 1000.0, 23_333.0, False),
        ("vwap", 7, 2, 1, 1000.0, 100.0, True),
        ("trimmed_mean", 3, 1, 0, 0.0, 0.0, False),
        ("trimmed_mean", 7, 2, 0, NAN, NAN, True),
    ],
    columns=COLUMNS,
)


def cells(axes):
    """What is written in each cell, by column and row; the answer was written last."""
    return {text.get_position(): text.get_text() for text in axes.texts[:-1]}


def answer_below(axes):
    return axes.texts[-1].get_text()


class TestDisplacement:
    def test_cells_are_the_worst_of_all_seeds(self):
        axes, _ = plot_displacement(FRAME).axes
        assert cells(axes) == {
            (0, 0): "527",
            (1, 0): "417",
            (0, 1): "2,100\nlocked out",
            (1, 1): "23,333\nlocked out: 50%",
            (0, 2): "0.0",
            (1, 2): "no price\nlocked out",
        }
        assert tick_labels(axes.yaxis) == ["mean", "vwap", "trimmed mean"]
        assert tick_labels(axes.xaxis) == ["1 of 3 sources", "2 of 7 sources"]

    def test_colours_are_logarithmic_and_zero_is_the_lightest(self):
        axes, bar = plot_displacement(FRAME).axes
        (image,) = axes.images
        shown = image.get_array()
        assert shown[:2].tolist() == [[527, 417], [2100, 23_333]]
        assert shown.mask.tolist() == [[False, False], [False, False], [False, True]]
        places = np.asarray(image.norm(np.array([417.0, 23_333.0, (417 * 23_333) ** 0.5])))
        np.testing.assert_allclose(places, [0, 1, 0.5], atol=1e-9)
        assert shown[2, 0] == 417
        assert bar.get_ylabel() == "Displacement (basis points), logarithmic"

    def test_numbers_stand_out_from_their_cells(self):
        axes, _ = plot_displacement(FRAME).axes
        (image,) = axes.images
        for text in axes.texts[:-2]:  # the last two are a cell without a price, and the answer
            column, row = text.get_position()
            *ground, _ = image.to_rgba(np.array(image.get_array()[row, column]))
            contrast = np.subtract(ground, to_rgb(text.get_color()))
            assert abs(np.dot(contrast, (0.299, 0.587, 0.114))) > 0.45

    def test_lock_outs_have_a_frame_and_are_explained(self):
        axes, _ = plot_displacement(FRAME).axes
        frames = [
            tuple(patch.get_center().round(9))
            for patch in axes.patches
            if isinstance(patch, Rectangle) and patch.get_width()
        ]
        assert sorted(frames) == [(0, 1), (1, 1), (1, 2)]
        assert labels(axes) == ["locked out: no quotes are valid in the end"]
        axes, _ = plot_displacement(FRAME[~FRAME["locked_out"]]).axes
        assert axes.get_legend() is None

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            (
                {"mean": 9, "vwap": 700, "median": 3},
                "worst: from 3.0 bp at median to 700 bp at vwap",
            ),
            ({"mean": 3, "median": 3.01}, "worst: 3.0 bp at mean and 1 more"),
            ({"mean": 3, "median": 3, "vwap": NAN}, "worst: 3.0 bp at mean and 1 more"),
        ],
    )
    def test_answer_names_every_aggregator_of_a_tie(self, rows, expected):
        cells = [(name, 3, 1, 0, bp, bp, False) for name, bp in rows.items()]
        frame = pd.DataFrame(cells, columns=COLUMNS)
        assert answer_below(plot_displacement(frame).axes[0]) == expected
        many = frame.assign(liars=2, worst_bp=23_333.0)
        said = answer_below(plot_displacement(pd.concat([frame, many])).axes[0])
        assert said == f"fewer than half lying: {expected}"


def pushed(**values):
    return pd.concat(
        pd.DataFrame(
            {"aggregator": name, "epoch": range(len(bp)), "displacement_bp": np.array(bp, float)}
        )
        for name, bp in values.items()
    )


PUSHED = pushed(mean=[333, 456, 500], vwap=[1000, 2100, NAN], trimmed_mean=[1, -2, 1])


def game_form(epoch):
    return 1e4 * mean_displacement(3, 1, 0.1, epoch + 1)


class TestPush:
    def test_marks_are_the_displacements(self):
        (axes,) = plot_push(PUSHED).axes
        assert points(axes, "mean").tolist() == [[0, 333], [1, 456], [2, 500]]
        assert points(axes, "trimmed mean").tolist() == [[0, 1], [1, -2], [2, 1]]
        np.testing.assert_array_equal(
            points(axes, "vwap, no price in 1 epochs"), [[0, 1000], [1, 2100], [2, NAN]]
        )

    def test_closed_form_is_a_dashed_line_beside_marks_that_are_not_joined(self):
        (axes,) = plot_push(PUSHED, {"mean": game_form}).axes
        line = find(axes, "closed form, mean")
        assert line.get_linestyle() == "--"
        np.testing.assert_allclose(line.get_xydata(), [[e, game_form(e)] for e in range(3)])
        assert find(axes, "mean").get_linestyle() == "None"
        assert find(axes, "trimmed mean").get_linestyle() != "None"
        assert answer(axes) == (
            "worst: from 2.0 bp at trimmed mean to 2,100 bp at vwap; "
            f"closed form: off by at most {456 - game_form(1):.1f} bp"
        )

    @pytest.mark.parametrize("epochs", [2, 60, 120])
    def test_marks_of_an_aggregator_do_not_cover_each_other(self, epochs):
        figure = plot_push(pushed(mean=[500] * epochs))
        figure.draw_without_rendering()
        (axes,) = figure.axes
        apart = axes.bbox.width / figure.dpi * 72 / epochs
        assert 3 < find(axes, "mean").get_markersize() <= min(apart, 9.5)

    def test_the_axis_is_linear_whatever_is_on_it(self):
        (axes,) = plot_push(pushed(mean=[300, 500], median=[3, 3])).axes
        assert axes.get_yscale() == "linear"
        assert axes.get_ylabel().startswith("Above the true price (basis points)")
