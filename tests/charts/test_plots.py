"""Figures for notebooks and scripts: one picture each, in one style, for every kind of run."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient

from streamlet_lab.charts import STYLE
from streamlet_lab.charts.figures import OVERVIEW, PAGES, block_tree_page, market_pages

from .runs import CASES, in_states, run

METHODS = [*PAGES, "book", "sources", "overview", "block_tree", "messages"]


@pytest.fixture(autouse=True)
def _headless():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("method", METHODS)
def test_each_method_returns_an_open_pyplot_figure(method):
    figure = getattr(run("default").plot, method)()
    assert isinstance(figure, Figure)
    assert plt.gcf() is figure


def test_text_of_plots_and_figures_is_the_same_every_time():
    plots = run("default").plot
    names = [
        *PAGES,
        "book",
        "sources",
        "overview",
        "block_tree",
        "timeline",
        "messages",
        "violation",
    ]
    assert repr(plots) == f"Plots: {', '.join(f'{name}()' for name in names)}"
    assert all(callable(getattr(plots, name)) for name in names)
    assert repr(plots.prices()) == repr(plots.prices()) == "<Chart size 900x500 with 1 Axes>"


DRAWN = {
    **PAGES,
    "sources": market_pages()["sources"],
    "book": market_pages()["book"],
    "block_tree": block_tree_page(),
}


@pytest.mark.parametrize("page", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_run_can_be_drawn(case, page):
    """Warnings are errors here."""
    figure = Figure(figsize=page.size)
    page.put_on(figure, run(case))
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", ["prices", "rejections", "book", "overview"])
def test_every_state_of_a_market_can_be_drawn(name):
    page = market_pages()[name]
    figure = Figure(figsize=page.size)
    page.put_on(figure, in_states())
    figure.draw_without_rendering()


@pytest.mark.parametrize("case", ["one node", "nothing final", "no orders", "one epoch"])
def test_the_overview_drawn_again_shows_the_new_run_only(case):
    figure = Figure(figsize=OVERVIEW.size)
    OVERVIEW.draw(figure, run("liars in the majority"))
    OVERVIEW.draw(figure, run(case))
    fresh = Figure(figsize=OVERVIEW.size)
    OVERVIEW.draw(fresh, run(case))
    for again, first in zip(figure.axes, fresh.axes, strict=True):
        assert again.get_title(loc="left") == first.get_title(loc="left")
        assert again.get_xlim() == first.get_xlim()
        assert again.get_ylim() == first.get_ylim()
        assert len(again.get_children()) == len(first.get_children())


def test_the_users_own_settings_neither_matter_nor_change():
    plain = _appearance(run("default").plot.prices())
    with mpl.rc_context({"axes.facecolor": "black", "axes.grid": False, "font.size": 20}):
        before = dict(mpl.rcParams)
        changed = _appearance(run("default").plot.prices())
        assert dict(mpl.rcParams) == before
    assert changed == plain


def _appearance(figure):
    (axes,) = figure.axes
    grid = {line.get_color() for line in axes.get_ygridlines() if line.get_visible()}
    sizes = {text.get_fontsize() for text in (axes.xaxis.label, *axes.get_yticklabels()[:4])}
    return axes.get_facecolor(), figure.get_facecolor(), sizes, grid


def test_the_style_is_there_for_the_users_own_charts():
    with plt.style.context(STYLE):
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][0] == "#0072B2"


PICTURES = {
    "result.plot.prices()": 1,
    "result.plot.prices()\nplt.show()": 1,
    "figure = result.plot.vwap()": 1,
    "figure": 1,
    "display(figure)": 1,
    "figure = result.plot.overview()\nfigure": 1,
    "figure = result.plot.latency()\ndisplay(figure)": 1,
    "result.plot.prices()\nresult.plot.rejections()": 2,
    "for draw in (result.plot.prices, result.plot.rejections):\n    draw()": 2,
    "result.plot.prices()\nresult.plot.rejections()\nplt.show()": 2,
    "plt.plot([1, 2])\nresult.plot.prices()\nplt.show()": 2,
    "plt.close(result.plot.prices())": 0,
}


@pytest.mark.slow
def test_a_notebook_shows_every_chart_exactly_once_and_in_order():
    begin = (
        "import streamlet_lab as sl\n"
        "result = sl.Experiment(epochs=8).run()\n"
        "result.plot.prices()"  # the first chart loads the backend
    )
    cells = [begin, "import matplotlib.pyplot as plt", *PICTURES]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, kernel_name="python3").execute()
    shown = [
        [output["data"]["text/plain"] for output in cell.outputs if "image/png" in output["data"]]
        for cell in book.cells
    ]
    assert dict(zip(cells, map(len, shown), strict=True)) == {cells[0]: 1, cells[1]: 0, **PICTURES}
    prices, rejections = "<Chart size 900x500 with 1 Axes>", "<Chart size 1100x500 with 2 Axes>"
    both = [texts for texts in shown if rejections in texts]
    assert both == 3 * [[prices, rejections]]
