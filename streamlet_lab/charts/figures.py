"""Figures in the style of the charts: shown by pyplot, or as PNG with the same bytes each time."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile

import matplotlib.pyplot as plt
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from streamlet_lab.charts.style import STYLE, WHITE


class Chart(Figure):
    """A pyplot figure that a notebook shows exactly once.

    Jupyter shows pyplot's open figures at the end of a cell: one that is the cell's last value, or
    is displayed by hand, would appear a second time.
    """

    def _ipython_display_(self) -> None:
        from IPython.display import display  # only IPython calls this

        if plt.get_backend().endswith("inline"):
            opened = [plt.figure(number) for number in plt.get_fignums()]
            for figure in takewhile(lambda figure: figure is not self, opened):
                if isinstance(figure, Chart):
                    # The cell drew it earlier, so it comes first.
                    display(figure)  # type: ignore[no-untyped-call]
            plt.close(self)
        raise NotImplementedError  # IPython shows it like any other figure


@contextmanager
def chart_style(figure: Figure) -> Iterator[Figure]:
    """Draw on a figure in the style of the charts, whatever the user's own settings are."""
    with matplotlib.style.context(STYLE, after_reset=True):
        figure.set_layout_engine("constrained")
        yield figure


@contextmanager
def new_chart(width: float, height: float) -> Iterator[Figure]:
    """Open a pyplot figure of a size in inches, to draw on; close it if that fails."""
    # Not within the style: the first figure of all loads pyplot's backend, and the end of the style
    # would undo what that sets, so that Jupyter would show no later figure.
    figure = plt.figure(FigureClass=Chart, figsize=(width, height), facecolor=WHITE)
    try:
        with chart_style(figure):
            yield figure
    except BaseException:
        plt.close(figure)  # a notebook would show it empty
        raise


def to_png(figure: Figure, compress_level: int = 6) -> bytes:
    """Return a figure as PNG: drawn by Agg in the charts' style, and free of versions and dates.

    It is compressed from 1, fastest, to 9, smallest.
    """
    buffer = io.BytesIO()
    with matplotlib.style.context(STYLE, after_reset=True):
        # ``savefig`` would draw everything twice.
        FigureCanvasAgg(figure).print_png(  # type: ignore[no-untyped-call]
            buffer, metadata={"Software": None}, pil_kwargs={"compress_level": compress_level}
        )
    return buffer.getvalue()
