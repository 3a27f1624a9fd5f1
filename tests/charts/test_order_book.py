"""The chart of the order book: what rests where, and trades on it."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyQuadMesh
from matplotlib.colors import to_rgb

from streamlet_lab.charts import draw_book, style
from streamlet_lab.charts.order_book import depth_grid
from streamlet_lab.charts.series import band_steps, price_limits, true_path

from .drawing import answer, drawn, explained, find, points, rows
from .runs import in_states, run


def cells(axes):
    """Bids and asks, by what the colours stand for."""
    asks, bids = (
        np.ma.filled(mesh.get_array().astype(float), np.nan)
        for mesh in axes.collections
        if isinstance(mesh, PolyQuadMesh)
    )
    return bids, asks


def changed(result, **frames):
    return replace(result, frames={**result.frames, **frames})


@pytest.mark.parametrize(
    ("case", "span", "dollars"),
    [
        ("market maker", (5.0, 7.0), 1.4),
        ("market maker", (3.0, 9.0), None),
        ("market maker", (0.0, 30.0), None),
        ("900 epochs", (0.0, 900.0), None),
    ],
)
def test_cells_hold_the_mean_shares_of_their_instants_and_prices(case, span, dollars):
    result = run(case)
    book, depth = (
        frame[frame["time_s"].between(*span, inclusive="left")]
        for frame in (result.book, result.depth)
    )
    low, high = depth["price"].min(), depth["price"].max()
    if dollars:
        low = depth["price"].median() - dollars / 2
        high = low + dollars
    grid = depth_grid(result, "AAPL", span, (low, high))
    assert (grid.cents == 1) == (dollars is not None)
    assert grid.times[[0, -1]].tolist() == [*span]
    assert grid.bids.shape == grid.asks.shape == (len(grid.prices) - 1, len(grid.times) - 1)
    assert len(grid.times) <= 401
    samples = np.bincount(np.searchsorted(grid.times, book["time_s"], side="right") - 1)
    held = {}
    for row in depth.itertuples():
        place = np.searchsorted(grid.prices, row.price) - 1
        column = np.searchsorted(grid.times, row.time_s, side="right") - 1
        if 0 <= place < len(grid.prices) - 1:
            sides = held.setdefault((place, column), {"buy": 0, "sell": 0})
            sides[row.side] += row.quantity / samples[column]
    for (place, column), sides in held.items():
        more = "sell" if sides["sell"] > sides["buy"] else "buy"
        shown = {"buy": grid.bids[place, column], "sell": grid.asks[place, column]}
        assert shown.pop(more) == pytest.approx(sides[more])
        assert np.isnan([*shown.values()]).all()
    assert np.isfinite([grid.bids, grid.asks]).sum() == len(held) > 10


class TestBook:
    def test_colours_are_the_shares_of_the_grid(self):
        result = run("market maker")
        axes = drawn(draw_book, result)
        grid = depth_grid(result, "AAPL", (0.0, 30.0), axes.get_ylim())
        for shown, expected in zip(cells(axes), (grid.bids, grid.asks), strict=True):
            np.testing.assert_array_equal(shown, expected)

    def test_bids_and_asks_get_darker_with_the_shares(self):
        for colors in style.DEPTH.values():
            grey = [np.dot(to_rgb(color), (0.299, 0.587, 0.114)) for color in colors]
            assert grey == sorted(grey, reverse=True)

    def test_colour_bars_have_a_unit_and_a_common_logarithmic_scale(self):
        result = run("market maker")
        axes = drawn(draw_book, result)
        asks, bids = axes.get_figure().axes[1:]
        assert (bids.get_xlabel(), asks.get_xlabel()) == ("bids", "asks")
        cents = depth_grid(result, "AAPL", (0.0, 30.0), axes.get_ylim()).cents
        assert asks.get_ylabel() == f"Shares in each ${cents / 100:.2f}, logarithmic"
        assert bids.get_ylim() == asks.get_ylim()
        assert asks.get_yscale() == "log"

    def test_band_and_reference_are_steps_of_the_frames(self):
        result = in_states()
        axes, steps = drawn(draw_book, result), band_steps(result, "AAPL")
        for label, column in (("band (consensus", "low"), ("reference", "reference_price")):
            line = find(axes, label)
            assert line.get_drawstyle() == "steps-post"
            np.testing.assert_array_equal(line.get_xydata(), rows(steps, "time_s", column))
        highs = [line for line in axes.get_lines() if line.get_color() == style.SKY][1]
        np.testing.assert_array_equal(highs.get_xydata(), rows(steps, "time_s", "high"))

    def test_trades_are_marks_with_an_area_by_shares(self):
        result = run("keep resting")
        axes = drawn(draw_book, result)
        for fair, label in ((True, "fair trade"), (False, "unfair trade")):
            own = result.trades[result.trades["fair"] == fair]
            assert len(own)
            seen = own[own["price"].between(*axes.get_ylim())]
            marks = find(axes, f"{label} ({len(own)}), area by shares")
            np.testing.assert_array_equal(marks.get_offsets(), rows(seen, "time_s", "price"))
            larger = marks.get_sizes()[np.argsort(seen["quantity"], kind="stable")]
            assert (np.diff(larger) >= 0).all()
            assert (larger[-1] > larger[0]) == (seen["quantity"].nunique() > 1)
        fair, missed = (find(axes, label).get_paths()[0] for label in ("fair", "unfair"))
        assert len(fair.vertices) != len(missed.vertices)

    def test_scale_is_that_of_trades_and_quotes_not_of_far_orders(self):
        result = run("market maker")
        far = result.depth.copy()
        last = far["time_s"] == far["time_s"].iloc[len(far) // 2]
        far.loc[last, ["price", "price_cents"]] = [900.0, 90_000]
        axes = drawn(draw_book, changed(result, depth=far))
        low, high = axes.get_ylim()
        assert (low, high) == drawn(draw_book, result).get_ylim()
        path = true_path(result, "AAPL")
        assert low < path.min()
        assert high > path.max()
        assert high - low < 2.5 * (path.max() - path.min())

    def test_a_trade_far_away_is_marked_at_the_edge(self):
        result = run("market maker")
        trades = result.trades.copy()
        trades.loc[7, "price"] = 9999.0
        axes = drawn(draw_book, changed(result, trades=trades))
        assert axes.get_ylim()[1] < 1.4 * true_path(result, "AAPL").max()
        (mark, _) = points(axes, "off the scale (1)")
        assert mark.tolist() == [trades["time_s"][7], axes.get_ylim()[1]]

    def test_answer_counts_what_is_shown_at_times_at_which_orders_are_matched(self):
        result = run("keep resting")
        crossed = result.book.copy()  # as it may be in an auction
        crossed.loc[40:120, "state"] = "auction"
        crossed.loc[40:120, "best_ask"] = crossed.loc[40:120, "best_bid"] - 1
        trades = result.trades
        traded = f"{len(trades)} trades of {trades['quantity'].sum():,} shares, "
        for book in (result.book, crossed):
            both = book[book["state"] == "open"].dropna(subset=["best_bid", "best_ask"])
            spread = (both["best_ask"] / both["best_bid"] - 1).median() * 1e4
            said = answer(drawn(draw_book, changed(result, book=book)))
            share = f"bids and asks {len(both) / len(book):.0%} of the time, median spread "
            assert said.startswith(share)
            number = float(said.removeprefix(share).split(" bp")[0])
            assert number == pytest.approx(spread, rel=0.03)
            assert said.endswith(f"; {traded}{(~trades['fair']).sum()} of them unfair")
        assert answer(drawn(draw_book, run("no orders"))) == (
            "never both bids and asks; 0 trades of 0 shares, 0 of them unfair"
        )

    def test_legend_explains_nothing_that_is_not_there(self):
        labels = explained(drawn(draw_book, run("no orders")))
        assert "true price" in labels
        assert not [label for label in labels if "trade" in label]

    def test_of_some_epochs_only_they_are_shown(self):
        result = run("keep resting")
        axes = drawn(draw_book, result, None, 10, 14)
        assert axes.get_xlim() == pytest.approx((10 - 0.05, 15 + 0.05))
        trades = result.trades.query("10 <= time_s <= 15")
        assert answer(axes).split("; ")[1].startswith(f"{len(trades)} trades of ")
        bids, _ = cells(axes)
        assert bids.shape[1] == 20
        near = true_path(result, "AAPL")[10.0:15.0]
        assert axes.get_ylim()[1] < price_limits(near)[1] * 1.2
