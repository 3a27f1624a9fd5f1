"""`Plots`: what a run offers, as figures in one style and as files; what holds for every chart."""

import os
import struct
import subprocess
import sys
from collections import Counter

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient

from streamlet_lab import Experiment, Fault, InvalidInput, run_protocol
from streamlet_lab.charts import STYLE, draw_overview, save_charts, to_png
from streamlet_lab.charts.plots import PAGES

from .drawing import answer, assert_legible, labels
from .protocol_runs import TRACE, VIOLATION, protocol_run
from .runs import in_states, run

OF_RUNS = ["block_tree", "timeline", "votes", "finality", "messages", "violation"]
OF_TRACES = ("timeline", "votes", "finality")
OF_SYMBOLS = ["prices", "vwap", "rejections", "book", "sources", "overview"]
SAVED = ["prices", "vwap", "latency", "rejections"]


@pytest.mark.parametrize("name", PAGES)
def test_each_method_returns_an_open_pyplot_figure(name):
    plots = (protocol_run() if name in OF_RUNS else run("default")).plot
    figure = getattr(plots, name)()
    assert isinstance(figure, Figure)
    assert plt.gcf() is figure
    assert figure.axes[0].get_title(loc="left").endswith("?")
    assert getattr(plots, name).__doc__


def test_a_run_without_a_market_offers_the_charts_of_the_protocol():
    plots = run_protocol(epochs=3).plot
    assert repr(plots) == f"Plots: {', '.join(f'{name}()' for name in OF_RUNS)}"
    assert [name for name in PAGES if hasattr(plots, name)] == OF_RUNS


def test_text_of_plots_and_figures_is_the_same_every_time():
    plots = run("default").plot
    assert repr(plots) == f"Plots: {', '.join(f'{name}()' for name in PAGES)}"
    assert repr(plots.prices()) == "<Chart size 900x600 with 2 Axes>"


def made(case):
    return {"protocol": protocol_run, "states": in_states}.get(case, lambda: run(case))()


@pytest.mark.parametrize(
    ("case", "name"),
    [
        *(("protocol", name) for name in OF_RUNS),
        *(("states", name) for name in ("prices", "rejections", "book", "overview")),
        *(
            (case, name)
            for case in ("default", "one epoch", "one node", "nothing final")
            for name in PAGES
            if name not in (*OF_TRACES, "violation")
        ),
        *((case, "book") for case in ("keep resting", "no orders")),
        *((case, "overview") for case in ("no orders", "16 nodes", "900 epochs", "history")),
        *((case, "overview") for case in ("liars in the majority", "short epochs")),
    ],
)
def test_every_kind_of_run_can_be_drawn_and_read(case, name):
    """Warnings are errors here."""
    assert_legible(PAGES[name].make(made(case), 100))


@pytest.mark.parametrize("name", SAVED)
def test_every_axis_says_its_unit(name):
    figure = PAGES[name].make(run("default"), 100)
    units = {"Price (US dollars)", "AAPL (US dollars)", "Difference\n(basis points)", "Latency (s)"}
    assert {axes.get_ylabel() for axes in figure.axes} <= units | {""}
    shown = [axes.get_xlabel() for axes in figure.axes]
    assert any(label.startswith("Protocol time (s); an epoch is 1 s, 6.5 h") for label in shown)


@pytest.mark.parametrize(
    ("case", "name"),
    [
        *(("crash in the middle", name) for name in SAVED),
        ("biased source", "sources"),
        ("liars among many sources", "sources"),
    ],
)
def test_marks_differ_by_more_than_colour(case, name):
    for axes in PAGES[name].make(run(case), 100).axes:
        shapes = Counter(
            (
                str(line.get_marker()),
                line.get_linestyle(),
                line.get_markerfacecolor() == line.get_color(),  # filled, or hollow
            )
            for line in axes.get_lines()
            if not line.get_label().startswith("_")
        )
        assert all(count == 1 for count in shapes.values()), shapes


@pytest.mark.parametrize("name", OF_SYMBOLS)
def test_a_chart_shows_the_first_symbol_unless_another_is_named(name):
    method = getattr(run("two symbols").plot, name)
    shown = {
        symbol: [answer(axes) for axes in method(*symbol).axes if axes.get_title(loc="left")]
        for symbol in ((), ("MSFT",))
    }
    for (symbol,), answers in zip((("AAPL",), ("MSFT",)), shown.values(), strict=True):
        # The overview has the latency of the blocks, which is nobody's own.
        own = [text for text in answers if text.startswith(f"{symbol}: ")]
        assert len(own) == (3 if name == "overview" else 1)
    assert not answer(getattr(run("default").plot, name)().axes[0]).startswith("AAPL")
    plt.close("all")
    with pytest.raises(InvalidInput, match="one of AAPL, MSFT"):
        method("IBM")
    assert not plt.get_fignums()


def test_epochs_are_all_or_the_chosen_ones():
    plots = protocol_run().plot
    for method, span, expected in (
        (plots.block_tree, (), "as the observer sees it, 3 of 7 proposed blocks"),
        (plots.block_tree, (2, 4), "as the observer sees it, 1 of 2 proposed blocks"),
        (plots.timeline, (), "epochs 0 to 1: 6 first arrivals"),
        (plots.timeline, (2,), "epochs 2 to 3: 1 first"),
        (plots.timeline, (6,), "epoch 6: 0 first"),
    ):
        (axes,) = method(*span).axes
        assert answer(axes).startswith(expected)


@pytest.mark.parametrize("method", ["block_tree", "timeline", "book"])
@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (-1, 2, "first"),
        (60, None, "first"),
        (3, 2, "last"),
        (0, 60, "last"),
        ("a", None, "first"),
        (2.5, 3, "first"),
        (2, "3", "last"),
    ],
)
def test_epochs_that_the_run_does_not_have_are_refused(method, first, last, field):
    with pytest.raises(InvalidInput) as caught:
        getattr(run("default").plot, method)(first=first, last=last)
    assert caught.value.field == field
    assert not plt.get_fignums()


def test_a_run_without_a_trace_or_a_violation_says_so():
    empty = protocol_run(trace=TRACE.iloc[:0], violation=VIOLATION.iloc[:0]).plot
    for name in OF_TRACES:
        with pytest.raises(InvalidInput, match="trace=True"):
            getattr(empty, name)()
    with pytest.raises(InvalidInput, match="without a violation"):
        empty.violation()


def test_the_view_of_a_run_whose_nodes_disagree():
    split = [Fault("split", nodes=("node_2", "node_3"))]
    torn = Experiment(nodes=4, epochs=12, seed=1, faults=split, signatures="none").run()
    assert torn.checks["consistency"].status == "violated"
    (axes,) = torn.plot.block_tree().axes
    assert answer(axes).startswith("HONEST NODES DISAGREE")
    seen = torn.finality.query("node == 'node_0'").dropna(subset=["finalized_s"])["block_hash"]
    elsewhere = set(seen) - set(torn.blocks.query("finalized")["block_hash"])
    marks = [label for label in labels(axes) if label.startswith("final else")]
    assert sum(int(label.split("(")[1][:-1]) for label in marks) == len(elsewhere) > 0


@pytest.mark.parametrize("case", ["one node", "nothing final", "no orders", "one epoch"])
def test_the_overview_drawn_again_shows_the_new_run_only(case):
    again = PAGES["overview"].make(run("liars in the majority"), 100)
    with mpl.style.context(STYLE):
        draw_overview(again.axes, run(case))
    fresh = PAGES["overview"].make(run(case), 100)
    for redrawn, first in zip(again.axes, fresh.axes, strict=True):
        assert redrawn.get_title(loc="left") == first.get_title(loc="left")
        assert redrawn.get_xlim() == first.get_xlim()
        assert redrawn.get_ylim() == first.get_ylim()
        assert len(redrawn.get_children()) == len(first.get_children())


def test_the_users_own_settings_neither_matter_nor_change():
    plain = to_png(run("default").plot.prices())
    own = {"axes.facecolor": "black", "axes.grid": False, "font.size": 20}
    with mpl.rc_context({**own, "savefig.bbox": "tight", "path.simplify": False}):
        before = dict(mpl.rcParams)
        changed = to_png(run("default").plot.prices())
        assert dict(mpl.rcParams) == before
    assert changed == plain


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
    prices, rejections = "<Chart size 900x600 with 2 Axes>", "<Chart size 1100x500 with 2 Axes>"
    both = [texts for texts in shown if rejections in texts]
    assert both == 3 * [[prices, rejections]]


SCRIPT = """
import sys
from streamlet_lab import Experiment
from streamlet_lab.charts import save_charts
save_charts(Experiment(epochs=20, faults={"node_3": "crash@5"}).run(), sys.argv[1])
"""


def chunks(content):
    """The names of a PNG file's chunks."""
    position, names = 8, []
    while position < len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        names.append(name.decode())
        position += length + 12
    return names


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (lambda: run("default"), SAVED),
        (
            lambda: run("two symbols"),
            [*SAVED, *(f"{name}_MSFT" for name in SAVED if name != "latency")],
        ),
        (lambda: run_protocol(epochs=3), ["protocol"]),
    ],
)
def test_charts_are_written_into_a_new_folder_without_a_date_or_a_version(made, names, tmp_path):
    folder = tmp_path / "new" / "charts"
    paths = save_charts(made(), folder)
    assert paths == [folder / f"{name}.png" for name in names]
    assert {*folder.iterdir()} == {*paths}
    for path in paths:
        assert set(chunks(path.read_bytes())) == {"IHDR", "pHYs", "IDAT", "IEND"}
        name, _, symbol = path.stem.partition("_")
        page, options = PAGES.get(name, PAGES["block_tree"]), {"symbol": symbol} if symbol else {}
        assert path.read_bytes() == to_png(page.make(made(), 150, **options))


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path):
    """Two do not sort their sets alike."""
    there = tmp_path / "there"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(there)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    here = save_charts(Experiment(epochs=20, faults={"node_3": "crash@5"}).run(), tmp_path / "here")
    for path in here:
        assert path.read_bytes() == (there / path.name).read_bytes()
