"""The charts of a result, for notebooks and scripts: pyplot figures."""

from collections.abc import Sequence
from itertools import takewhile
from typing import ClassVar

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from streamlet_lab.charts import style
from streamlet_lab.charts.figures import (
    MESSAGES,
    Page,
    Run,
    Shown,
    block_tree_page,
    book_page,
    market_pages,
    timeline_page,
    violation_page,
)
from streamlet_lab.charts.messages import message_counts
from streamlet_lab.charts.series import chosen_symbol
from streamlet_lab.errors import InvalidInput
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


class ProtocolPlots:
    """The charts of what the protocol did.

    Each method returns a pyplot figure. A notebook shows it with the cell that draws it, whether or
    not ``plt.show()`` follows; in a script ``plt.show()`` opens the windows.

    Parameters
    ----------
    run : ProtocolRun or Result
    """

    _methods: ClassVar[tuple[str, ...]] = ("block_tree", "timeline", "messages", "violation")

    def __init__(self, run: Run) -> None:
        self._run = run

    def block_tree(self, first: int = 0, last: int | None = None) -> Figure:
        """Which blocks become final? Every block at its epoch, forks beside the longest chain.

        Parameters
        ----------
        first, last : int
            The epochs to show; all by default.

        Raises
        ------
        InvalidInput
            If the run has no such epochs.
        """
        return _plot(block_tree_page(first, last), self._run)

    def timeline(self, first: int = 0, last: int | None = None) -> Figure:
        """Who hears of what, and when? Every message as a line from its sender to its receiver.

        Parameters
        ----------
        first, last : int
            The epochs to show; the first and the next one by default.

        Raises
        ------
        InvalidInput
            If the run has no such epochs, or no trace: it takes one with ``trace=True``.
        """
        return _plot(timeline_page(first, last), self._run)

    def messages(self) -> Figure:
        """How does the number of messages grow? Counts by type at this n, over closed forms."""
        return plot_messages([self._run])

    def violation(self) -> Figure:
        """Which two chains conflict, and who voted on both? The blocks where they part.

        Raises
        ------
        InvalidInput
            If no final chains conflict.
        """
        blocks = self._run.frames["violation"]
        return _plot(violation_page(blocks), blocks)

    def __repr__(self) -> str:
        methods = ", ".join(f"{method}()" for method in self._methods)
        return f"{type(self).__name__}: {methods}"


class Plots(ProtocolPlots):
    """The charts of a result: those of the protocol, and those of prices and orders.

    Where there are several symbols, a chart of prices or orders shows one: the first unless another
    is named. A symbol that the run does not have is an :class:`~streamlet_lab.errors.InvalidInput`.

    Parameters
    ----------
    result : Result

    Examples
    --------
    >>> from streamlet_lab import Experiment
    >>> plots = Experiment(epochs=12).run().plot
    >>> plots  # doctest: +NORMALIZE_WHITESPACE
    Plots: prices(), vwap(), latency(), rejections(), book(), sources(), overview(),
    block_tree(), timeline(), messages(), violation()
    """

    _methods: ClassVar[tuple[str, ...]] = (*market_pages(), *ProtocolPlots._methods)

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self._result = result

    def prices(self, symbol: str | None = None) -> Figure:
        """Does the final price keep up with the market? Path, quotes, consensus and band."""
        return self._page("prices", symbol)

    def vwap(self, symbol: str | None = None) -> Figure:
        """Does weighting by volume change the price? Both averages and their difference."""
        return self._page("vwap", symbol)

    def latency(self) -> Figure:
        """How long until an epoch's price is final? Simulation and closed form."""
        return self._page("latency", None)

    def rejections(self, symbol: str | None = None) -> Figure:
        """Which orders does the band stop, and which of them wrongly? The band over time."""
        return self._page("rejections", symbol)

    def book(self, symbol: str | None = None, first: int = 0, last: int | None = None) -> Figure:
        """Where is the liquidity, and at what prices does it trade? Depth over time, with trades.

        Parameters
        ----------
        symbol : str, optional
        first, last : int
            The epochs to show; all by default.

        Raises
        ------
        InvalidInput
            If the run has no such symbol or epochs.
        """
        return _plot(book_page(chosen_symbol(self._result, symbol), first, last), self._result)

    def sources(self, symbol: str | None = None) -> Figure:
        """How far apart are the sources, and who is out of line? Quotes against the true price."""
        return self._page("sources", symbol)

    def overview(self, symbol: str | None = None) -> Figure:
        """Draw prices, latency, VWAP and rejections on one page."""
        return self._page("overview", symbol)

    def _page(self, name: str, symbol: str | None) -> Figure:
        # Asked here, before there is an empty figure that a notebook would show.
        chosen = chosen_symbol(self._result, symbol)
        return _plot(market_pages(chosen)[name], self._result)


def plot_messages(shown: Sequence[Run] | pd.DataFrame) -> Figure:
    """How does the number of messages grow with that of the nodes?

    Parameters
    ----------
    shown : sequence of results, or DataFrame
        Runs of different numbers of nodes, or what
        :func:`~streamlet_lab.charts.messages.message_counts` says of them.

    Raises
    ------
    InvalidInput
        If there is no run among them, or they are not a sequence.
    """
    if not isinstance(shown, pd.DataFrame | Sequence) or not len(shown):
        what = shown if isinstance(shown, Sequence) else type(shown).__name__
        raise InvalidInput("shown", what, "one run or more, as a list, or a frame of their counts")
    counts = shown if isinstance(shown, pd.DataFrame) else message_counts(shown)
    return _plot(MESSAGES, counts)


def _plot(page: Page[Shown], shown: Shown) -> Figure:
    # Not within the style: the first figure of all loads pyplot's backend, and the end of the style
    # would undo what that sets, so that Jupyter would show no later figure.
    figure = plt.figure(FigureClass=Chart, figsize=page.size, facecolor=style.WHITE)
    try:
        page.put_on(figure, shown)
    except InvalidInput:
        plt.close(figure)  # a notebook would show it empty
        raise
    return figure
