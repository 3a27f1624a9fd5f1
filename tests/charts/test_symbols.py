"""Charts of a run with several symbols show one of them, never a mixture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from streamlet_lab import InvalidInput
from streamlet_lab.charts import draw_prices, draw_rejections, draw_vwap, save_charts, to_png
from streamlet_lab.charts.figures import OVERVIEW, market_pages
from streamlet_lab.charts.series import agreed_prices, judged

from .drawing import answer, drawn, labels, points, rows
from .runs import run

CHARTS = ["prices", "vwap", "rejections", "book", "sources", "overview"]


@pytest.fixture(autouse=True)
def _headless():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
def test_prices_are_those_of_the_symbol(symbol):
    result = run("two symbols")
    axes = drawn(draw_prices, result, symbol)
    prices = result.prices[result.prices["symbol"] == symbol]
    assert points(axes, "underlying price")[:, 1].tolist() == prices["true_price"].tolist()
    quotes = result.quotes[result.quotes["symbol"] == symbol]
    quoted = points(axes, "quotes")
    outside = points(axes, "off the scale") if "off the scale" in str(labels(axes)) else []
    assert len(quoted) + len(outside) == len(quotes)
    assert set(quoted[:, 1]) <= set(quotes["price"])
    assert axes.get_ylabel() == f"{symbol} (US dollars)"


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
def test_differences_and_orders_are_those_of_the_symbol(symbol):
    result = run("two symbols")
    axes = drawn(draw_vwap, result, None, symbol)
    expected = rows(agreed_prices(result, symbol), "time_s", "difference_bp")
    np.testing.assert_array_equal(points(axes, "consensus − VWAP"), expected)

    axes = drawn(draw_rejections, result, None, symbol)
    false = judged(result, symbol).stopped.query("verdict == 'false'")
    shown = points(axes, f"fair order stopped ({len(false)})")
    assert shown.tolist() == rows(false, "time_s", "own_price").tolist()
    assert axes.get_ylabel() == f"{symbol} (US dollars)"
    number = result.market_quality.loc[symbol, "fair_orders_stopped"]
    assert answer(axes).startswith(f"{symbol}: fair orders stopped: {number:.0f} of ")


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
def test_bars_count_the_refusals_of_the_symbol(symbol):
    result = run("two symbols")
    _, counts = result.plot.rejections(symbol).axes
    refused = result.rejections[result.rejections["symbol"] == symbol]
    assert sum(bar.get_width() for bar in counts.patches) == len(refused) > 0


def test_a_chart_of_one_symbol_does_not_repeat_its_name():
    for draw in (draw_prices, draw_vwap, draw_rejections):
        assert not answer(drawn(draw, run("default"))).startswith("AAPL")
        assert answer(drawn(draw, run("two symbols"))).startswith("AAPL: ")


def test_the_overview_shows_the_first_symbol_unless_another_is_named():
    result = run("two symbols")
    default = Figure(figsize=OVERVIEW.size)
    OVERVIEW.put_on(default, result)
    for shown, symbol in ((default, "AAPL"), (result.plot.overview("MSFT"), "MSFT")):
        prices, latency, vwap, rejections = shown.axes
        for axes in (prices, vwap, rejections):
            assert answer(axes).startswith(f"{symbol}: ")
        assert not answer(latency).startswith(symbol)


@pytest.mark.parametrize("chart", CHARTS)
def test_methods_take_the_symbol(chart):
    result = run("two symbols")
    figure = getattr(result.plot, chart)("MSFT")
    assert answer(figure.axes[0]).startswith("MSFT: ")
    assert answer(getattr(result.plot, chart)().axes[0]).startswith("AAPL: ")


@pytest.mark.parametrize("chart", CHARTS)
def test_a_symbol_that_the_run_does_not_have_leaves_no_figure(chart):
    with pytest.raises(InvalidInput, match="one of AAPL, MSFT"):
        getattr(run("two symbols").plot, chart)("IBM")
    assert not plt.get_fignums()


def test_every_symbol_has_its_own_files_and_the_first_ones_names_are_plain(tmp_path):
    result = run("two symbols")
    names = [path.name for path in save_charts(result, tmp_path)]
    assert names == [
        *("prices.png", "vwap.png", "latency.png", "rejections.png"),
        *("prices_MSFT.png", "vwap_MSFT.png", "rejections_MSFT.png"),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {*names}
    for name in ("prices", "vwap", "rejections"):
        page = market_pages("MSFT")[name]
        figure = Figure(figsize=page.size, dpi=150, facecolor="white")
        page.put_on(figure, result)
        assert (tmp_path / f"{name}_MSFT.png").read_bytes() == to_png(figure)
