"""An answer that narrows: the difference of the first runs, and what 1/√runs makes of it."""

import numpy as np
import pandas as pd
import pytest

from streamlet_lab import Sweep
from streamlet_lab.charts import plot_narrowing
from streamlet_lab.intervals import mean_interval

from .drawing import means, points

#: The second is above the first by 1, 2, … 40.
PAIRS = Sweep(
    pd.DataFrame(
        [
            (leaders, repeat, 0, float(repeat + 1) if leaders == "in turn" else 0.0)
            for leaders in ("hashed", "in turn")
            for repeat in range(40)
        ],
        columns=["leaders", "repeat", "seed", "latency_s"],
    ),
    ("leaders",),
    planned=80,
)


def chart():
    (axes,) = plot_narrowing(PAIRS, "latency_s", "leaders", "hashed", "in turn").axes
    return axes


def test_each_mark_is_the_difference_of_the_first_so_many_runs():
    marks, bars = means(chart(), "difference")
    assert marks[:, 0].tolist() == [5, 10, 20, 40]
    for (count, mean), bar in zip(marks, bars, strict=True):
        expected = mean_interval(range(1, int(count) + 1))
        assert (mean, *bar[:, 1]) == pytest.approx((expected.mean, expected.low, expected.high))


def test_the_closed_form_ends_in_the_last_interval_and_doubles_at_a_quarter_of_the_runs():
    curve = points(chart(), "closed form")
    last = mean_interval(range(1, 41))
    at = {runs: np.interp(runs, *curve.T) - last.mean for runs in (10, 40)}
    assert at[40] == pytest.approx(last.high - last.mean)
    assert at[10] == pytest.approx(2 * at[40], rel=1e-3)


def test_runs_that_are_too_few_for_an_interval_have_a_mark_without_one():
    frame = PAIRS.frame.query("repeat < 6").rename(columns={"latency_s": "late.part"})
    frame = frame.assign(late=frame["late.part"] / 10, **{"late.whole": 10.0})
    few = Sweep(frame[[*frame.columns[:3], "late", "late.part", "late.whole"]], ("leaders",), 12)
    (axes,) = plot_narrowing(few, "late", "leaders", "hashed", "in turn").axes
    assert axes.texts[-1].get_text() == "no intervals: 5 to 6 runs each, too few"
