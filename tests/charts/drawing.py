"""Charts drawn for tests, and what is on them."""

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

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
