"""The charts of a result, for notebooks and scripts: pyplot figures."""

from itertools import takewhile

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from streamlet_lab.charts import style
from streamlet_lab.charts.figures import OVERVIEW, PAGES, PROTOCOL, Page, Shown
from streamlet_lab.result import Result


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


class Plots:
    """The charts of a result.

    Each method returns a pyplot figure. A notebook shows it with the cell that draws it, whether or
    not ``plt.show()`` follows; in a script ``plt.show()`` opens the windows.

    Parameters
    ----------
    result : Result

    Examples
    --------
    >>> from streamlet_lab import Experiment
    >>> Experiment(epochs=12).run().plot
    Plots: prices(), vwap(), latency(), rejections(), overview()
    """

    def __init__(self, result: Result) -> None:
        self._result = result

    def prices(self) -> Figure:
        """Does the final price keep up with the market? Path, quotes, consensus and band."""
        return self._draw(PAGES["prices"])

    def vwap(self) -> Figure:
        """Does weighting by volume change the price? Both averages and their difference."""
        return self._draw(PAGES["vwap"])

    def latency(self) -> Figure:
        """How long until an epoch's price is final? Simulation and closed form."""
        return self._draw(PAGES["latency"])

    def rejections(self) -> Figure:
        """Which orders does the band turn away? Every order against its reference."""
        return self._draw(PAGES["rejections"])

    def overview(self) -> Figure:
        """Draw all four on one page."""
        return self._draw(OVERVIEW)

    def __repr__(self) -> str:
        return "Plots: prices(), vwap(), latency(), rejections(), overview()"

    def _draw(self, page: Page[Result]) -> Figure:
        return _plot(page, self._result)


def plot_protocol(epochs: pd.DataFrame) -> Figure:
    """Which blocks become final? Draw a run of the bare protocol, block by block.

    Parameters
    ----------
    epochs : DataFrame
        See :data:`~streamlet_lab.columns.PROTOCOL_COLUMNS`.
    """
    return _plot(PROTOCOL, epochs)


def _plot(page: Page[Shown], shown: Shown) -> Figure:
    # Not within the style: the first figure of all loads pyplot's backend, and the end of the style
    # would undo what that sets, so that Jupyter would show no later figure.
    figure = plt.figure(FigureClass=Chart, figsize=page.size, facecolor=style.WHITE)
    page.put_on(figure, shown)
    return figure
