"""Charts drawn for tests, and what is on them."""

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text

from streamlet_lab import Sweep
from streamlet_lab.charts import STYLE


def drawn(draw, *arguments, **options):
    """Axes with one chart on them."""
    axes = Figure().subplots()
    with matplotlib.style.context(STYLE):
        draw(axes, *arguments, **options)
    return axes


def find(axes, label):
    """The artist whose label begins so."""
    (artist,) = [a for a in axes.get_children() if str(a.get_label()).startswith(label)]
    return artist


def series(axes, label):
    """The marks with intervals that have this label."""
    (found,) = [each for each in axes.containers if each.get_label() == label]
    return found


def means(axes, label):
    """Where the marks of a series are, and the ends of their intervals."""
    line, _, (bars,) = series(axes, label).lines
    return line.get_xydata(), bars.get_segments()


def points(axes, label):
    return np.asarray(find(axes, label).get_xydata(), dtype=float)


def rows(frame, *columns):
    return frame[list(columns)].to_numpy(dtype=float)


def labels(axes):
    return axes.get_legend_handles_labels()[1]


def explained(axes):
    """What the legend says, if there is one."""
    legend = axes.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def answer(axes):
    """The line under the title."""
    (text,) = [text.get_text() for text in axes.texts if text.get_position() == (0, 1)]
    return text


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def written(axes):
    """Everything that is written on and around the axes, but for the numbers of the ticks."""
    texts = [child for child in axes.get_children() if isinstance(child, Text)]
    return [text for text in [*texts, axes.xaxis.label] if text.get_text()]


def assert_apart(figure, artists):
    """Every artist lies within the figure and covers no other."""
    width, height = figure.bbox.size
    boxes = [artist.get_window_extent() for artist in artists]
    for number, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[:number])


def assert_legible(figure):
    """Panels, their headings, labels and legends cover nothing, and legends explain what is there.

    Notes lie on what they are about.
    """
    figure.draw_without_rendering()
    artists = []
    for axes in figure.axes:
        notes = [text for text in axes.texts if text.get_transform() == axes.transData]
        notes += [text for text in axes.texts if hasattr(text, "xy")]
        texts = [text for text in (*written(axes), axes.yaxis.label) if text.get_text()]
        artists += [text for text in texts if not any(text is note for note in notes)]
        artists += [axes.patch, *([axes.get_legend()] if explained(axes) else [])]
        assert not [label for label in explained(axes) if "(0)" in label]
        for line in axes.get_lines():
            is_there = np.isfinite(line.get_xydata().astype(float)).all(axis=1).any()
            assert is_there or line.get_gid() or line.get_label() not in explained(axes)
    assert_apart(figure, artists)


def swept(settings, measures, *runs):
    """A sweep with these runs, each its settings and then what was measured."""
    frame = pd.DataFrame(runs, columns=[*settings, *measures])
    frame.insert(len(settings), "repeat", 0)
    frame.insert(len(settings) + 1, "seed", 0)
    return Sweep(frame, tuple(settings), planned=len(runs))
