"""The chart of the order book: what rests where, the best prices, and trades on it."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
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
        if isinstance(mesh, QuadMesh)
    )
    return bids, asks


def changed(result, **frames):
    return replace(result, frames={**result.frames, **frames})


class TestDepthGrid:
    def test_cells_of_one_cent_and_one_instant_are_the_frame_itself(self):
        result = run("market maker")
        depth = result.depth.query("5 <= time_s < 7")
        lowest = depth["price"].median() - 0.7
        grid = depth_grid(result, "AAPL", (5.0, 7.0), (lowest, lowest + 1.4))
        assert grid.cents == 1
        assert grid.times.tolist() == [*np.arange(5, 7, 0.25), 7]
        seen = {"buy": grid.bids, "sell": grid.asks}
        found = 0
        for row in depth.itertuples():
            place = np.searchsorted(grid.prices, row.price) - 1
            if 0 <= place < len(grid.prices) - 1:
                column = np.searchsorted(grid.times, row.time_s, side="right") - 1
                assert seen[row.side][place, column] == row.quantity
                assert (grid.prices[place] + grid.prices[place + 1]) / 2 == pytest.approx(row.price)
                found += 1
        assert found == sum(np.isfinite(each).sum() for each in seen.values()) > 10

    @pytest.mark.parametrize("span", [(0.0, 30.0), (3.0, 9.0)])
    def test_shares_are_kept_where_prices_share_a_row(self, span):
        result = run("market maker")
        depth = result.depth[result.depth["time_s"].between(*span, inclusive="left")]
        limits = depth["price"].min(), depth["price"].max()
        grid = depth_grid(result, "AAPL", span, limits)
        assert grid.cents > 1
        table = depth.assign(
            row=depth["price_cents"] // grid.cents - round(100 * grid.prices[0] / grid.cents),
            column=np.searchsorted(grid.times, depth["time_s"], side="right") - 1,
        )
        shares = table.pivot_table("quantity", ["row", "column"], "side", "sum", fill_value=0)
        for (row, column), bids, asks in shares[["buy", "sell"]].itertuples():
            shown = [grid.bids[row, column], grid.asks[row, column]]
            expected = [np.nan, asks] if asks > bids else [bids, np.nan]
            np.testing.assert_array_equal(shown, expected)
        assert np.isfinite([grid.bids, grid.asks]).sum() == len(shares)
        assert np.isfinite(grid.bids).sum() > 10
        assert np.isfinite(grid.asks).sum() > 10
        assert not (np.isfinite(grid.bids) & np.isfinite(grid.asks)).any()

    def test_many_instants_share_a_column_that_holds_their_mean(self):
        result = run("900 epochs")
        limits = result.depth["price"].min(), result.depth["price"].max()
        grid = depth_grid(result, "AAPL", (0.0, 900.0), limits)
        assert grid.bids.shape[1] <= 400
        assert grid.times[[0, -1]].tolist() == [0, 900]
        widths = np.diff(grid.times)
        shown = np.nansum([grid.bids, grid.asks], axis=0).sum(axis=0) * widths
        # Samples are a quarter of a second apart; the one at the end has no width.
        rests = result.depth[result.depth["time_s"] < 900]["quantity"].sum() / 4
        assert 0.9 * rests < shown.sum() <= rests


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

    def test_best_prices_band_and_reference_are_steps_of_the_frames(self):
        result = in_states()
        axes, steps = drawn(draw_book, result), band_steps(result, "AAPL")
        for label, frame, column in (
            ("best bid", result.book, "best_bid"),
            ("best ask", result.book, "best_ask"),
            ("band (consensus", steps, "low"),
            ("reference", steps, "reference_price"),
        ):
            line = find(axes, label)
            assert line.get_drawstyle() == "steps-post"
            np.testing.assert_array_equal(line.get_xydata(), rows(frame, "time_s", column))
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
        assert "underlying price" in labels
        assert not [label for label in labels if "trade" in label or "best" in label]

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
