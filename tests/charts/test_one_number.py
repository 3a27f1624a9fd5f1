"""One definition, one number: every place that says how many orders were stopped says the same."""

import re
from functools import cache

import pytest

from streamlet_lab import Experiment
from streamlet_lab.charts.rejections import _BARS
from streamlet_lab.demos import whole_system
from streamlet_lab.metrics import VERDICTS
from streamlet_lab.studies import band_numbers, oracle_numbers, staleness_numbers
from streamlet_lab.widgets.film import make_film

from .drawing import answer

FAST = {"market_time_per_epoch": "1min", "prices": {"volatility": 20}}
BUSY = ["market_maker", {"kind": "noise_trader", "count": 20}, "fat_finger"]
RUNS = {
    "notebook 01": {"faults": {"node_3": "crash@20"}},
    "trade only": {"market": {"band": "trade_only"}},
    "keep resting": {"market": {"band": "keep_resting"}},
    "clip": {"market": {"band": "clip"}},
    "luld": {"market": {"band": "luld", "traders": BUSY}, **FAST},
    "volatility auction": {"market": {"band": "volatility_auction", "traders": BUSY}, **FAST},
    "pauses": {
        "faults": {"node_3": "crash@20"},
        "market": {"band_parameters": {"stale": "halt", "stale_after": "8h"}},
    },
    "another path": {"seed": 5},
    "another measure": {"market": {"fair_percent": 1}},
    "two symbols": {"symbols": ["AAPL", "MSFT"], "prices": {"volatility": 2}},
}


@cache
def run(name):
    return Experiment(**{"epochs": 60, "seed": 1, "signatures": "none", **RUNS[name]}).run()


COUNTS = {
    "false": "fair_orders_stopped",
    "turned_fair": "stopped_turned_fair",
    "turned_unfair": "stopped_turned_unfair",
    "justified": "unfair_orders_stopped",
    "market": "market_orders_stopped",
}


@pytest.fixture(scope="module", params=RUNS)
def result(request):
    return run(request.param)


def by_hand(result, symbol=None):
    """How many fair orders were stopped, of how many: from prices and true prices alone.

    Nobody replaces orders in these runs, so that a limit is what it was.
    """
    orders, stops = result.orders, result.rejections[result.rejections["stopped"] != ""]
    if symbol is not None:
        orders, stops = (each[each["symbol"] == symbol] for each in (orders, stops))
    percent = float(result.config.market.fair_percent)
    limits = orders[orders["type"] == "limit"]
    off = (limits["price"] / limits["true_price"] - 1).abs()
    fair = limits[off <= percent / 100 + 1e-12].set_index("order_id")["price"]
    own = stops["order_id"].map(fair)
    false = (own / stops["true_price"] - 1).abs() <= percent / 100 + 1e-12
    return int(false.sum()), len(fair)


def numbers_in(text):
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", text)]


def test_summary_quality_text_and_studies_say_the_same(result):
    stopped, fair = by_hand(result)
    numbers, summary = result.market_numbers, result.summary
    assert (numbers["fair_orders_stopped"], numbers["fair_orders"]) == (stopped, fair)
    for name in summary.keys() & numbers.keys() - {"halted_s", "median_reference_age_s"}:
        assert summary[name] == numbers[name], name
    table = result.market_quality
    assert table["fair_orders_stopped"].sum() == stopped
    assert table["fair_orders"].sum() == fair
    for measure in (band_numbers, staleness_numbers, oracle_numbers):
        rate = measure(result)["fair_stopped_rate"]
        assert (rate.part, rate.whole) == (stopped, fair)
    said = f"{stopped:,} of {fair:,} ({stopped / fair:.1%})"
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in repr(result).splitlines())
    assert lines["Fair orders stopped"] == said
    assert f"Fair orders stopped    {said}" in whole_system(result).lines
    readout = {each["label"]: each["text"] for each in make_film(result).header["numbers"]}
    assert readout["fair orders stopped"] == said
    assert said in result._repr_html_()
    all_stopped, *where = numbers_in(lines["Orders stopped"].replace("of these", ""))
    early = [numbers["without_reference"]] if numbers["without_reference"] else []
    assert all_stopped == sum(where) - sum(early) == (result.rejections["stopped"] != "").sum()


def test_the_chart_says_it_in_its_subtitle_its_legend_and_its_bars(result):
    for symbol in result.config.symbols:
        stopped, fair = by_hand(result, symbol)
        numbers = result.market_quality.loc[symbol]
        axes, counts = result.plot.rejections(symbol).axes
        said = f"fair orders stopped: {stopped:,} of {fair:,} ({stopped / fair:.1%})"
        assert said in answer(axes)
        labels = [str(artist.get_label()) for artist in axes.get_children()]
        for verdict, name in COUNTS.items():
            (label,) = [label for label in labels if label.startswith(f"{VERDICTS[verdict]} (")]
            assert numbers_in(label) == [numbers[name]]
            (bars,) = [each for each in counts.containers if each.get_label() == _BARS[verdict]]
            assert sum(bar.get_width() for bar in bars) == numbers[name]
        found = (re.fullmatch(r"(.+) \(([\d,]+)\)", label) for label in labels)
        legend = {match[1]: int(match[2].replace(",", "")) for match in found if match}
        assert legend["unfair trade"] == numbers["unfair_trades"]
        assert legend["unfair trade"] + legend["fair trade"] == numbers["trades"]
        assert legend.get("call auction", 0) == numbers["auctions"]
        assert legend.get("pause, stale reference", 0) == numbers["halts"]
        book = result.plot.book(symbol).axes[0]
        assert f"{numbers['unfair_trades']:.0f} of them unfair" in answer(book)


def test_these_runs_have_something_to_say():
    runs = {name: run(name).market_numbers for name in RUNS}
    for name in (*COUNTS.values(), "unfair_trades", "auctions", "halts"):
        assert any(numbers[name] for numbers in runs.values()), name
    assert all(numbers["fair_orders_stopped"] for numbers in runs.values())
