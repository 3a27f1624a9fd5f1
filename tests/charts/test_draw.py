"""What is on the charts: the numbers of the frames, marks for what is missing, units, legends."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from streamlet_lab.charts import draw_latency, draw_prices, draw_rejections, draw_vwap
from streamlet_lab.charts.band import band_name
from streamlet_lab.charts.rejections import _BARS
from streamlet_lab.charts.series import band_steps, refusal_counts, true_path
from streamlet_lab.config import MarketConfig
from streamlet_lab.metrics import VERDICTS

from .drawing import answer, drawn, explained, find, points, rows
from .runs import in_states, run


class TestPrices:
    def test_shows_the_path_and_every_price_by_what_became_of_it(self):
        result = run("crash in the middle")
        epochs, axes = result.epochs, drawn(draw_prices, result)
        priced = epochs["claim"] == "price_consensus"
        final = priced & epochs["finalized_s"].notna()
        for label, part, column in (
            ("underlying price", epochs, "true_price"),
            (f"final price ({final.sum()})", epochs[final], "consensus_price"),
            (f"not final ({(priced & ~final).sum()})", epochs[priced & ~final], "consensus_price"),
        ):
            assert len(part)
            np.testing.assert_array_equal(points(axes, label), rows(part, "start_s", column))
        missing = points(axes, f"no price ({(~priced).sum()})")
        assert len(missing)
        assert missing[:, 0].tolist() == epochs["start_s"][~priced].tolist()

    def test_shows_every_quote(self):
        result = run("default")
        axes = drawn(draw_prices, result)
        np.testing.assert_array_equal(points(axes, "quotes"), rows(result.quotes, "epoch", "price"))

    @pytest.mark.parametrize("case", ["crash in the middle", "keep resting"])
    def test_band_is_that_of_the_frame(self, case):
        result = run(case)
        axes = drawn(draw_prices, result)
        low, high = (line for line in axes.get_lines() if line.get_drawstyle() == "steps-post")
        for line, side in ((low, "low"), (high, "high")):
            times = [0, *result.bands["time_s"], result.config.epochs]
            edges = [np.nan, *result.bands[side], result.bands[side].iloc[-1]]
            np.testing.assert_array_equal(line.get_xydata(), np.column_stack([times, edges]))

    def test_band_has_its_name(self):
        labels = explained(drawn(draw_prices, run("keep resting")))
        assert "band (keep resting, ±5 %)" in labels

    @pytest.mark.parametrize(
        ("market", "name"),
        [
            ({"band": "luld", "band_percent": 2.5}, "band (US LULD, ±2.5 %)"),
            (
                {"band": "volatility_auction"},
                "band (volatility auction, static range ±5 %)",
            ),
            (
                {"band_parameters": {"stale": "widen", "stale_after": "13h"}},
                "band (consensus, ±5 %, wider with age)",
            ),
            (
                {"band_parameters": {"stale": "halt", "stale_after": "13h"}},
                "band (consensus, ±5 %)",
            ),
            ({"reference": "twap"}, "band (TWAP, ±5 %)"),
            ({"reference": "twap", "band": "luld"}, "band (US LULD, ±5 %)"),
        ],
    )
    def test_its_width_is_said_as_it_is_meant(self, market, name):
        assert band_name(MarketConfig(**market)) == name

    def test_a_refused_lie_is_marked_at_the_edge_and_does_not_flatten_the_rest(self):
        result = run("one lying leader")
        axes = drawn(draw_prices, result)
        high = axes.get_ylim()[1]
        assert high < 1.2 * result.epochs["true_price"].max()
        lies = points(axes, "off the scale (15)")
        assert lies[~np.isnan(lies[:, 0]), 0].tolist() == list(range(3, 60, 4))
        assert (lies[:, 1] == high).all()
        assert len(points(axes, "not final (16)")) == 1

    def test_lies_in_one_epoch_after_the_other_are_one_stretch(self):
        result = run("colluding source")
        axes = drawn(draw_prices, result)
        wild = result.quotes[result.quotes["price"] > axes.get_ylim()[1]]
        epochs = wild["epoch"].to_numpy()
        assert len(epochs) > 3
        ends = [
            [run[0], run[-1]] for run in np.split(epochs, np.flatnonzero(np.diff(epochs) > 1) + 1)
        ]
        marks = points(axes, f"off the scale ({len(wild)})")[:, 0]
        stretches = np.split(marks, np.flatnonzero(np.isnan(marks)) + 1)[:-1]
        assert [[part[0], part[-2]] for part in stretches] == ends
        assert len(marks) < len(epochs)

    def test_says_where_a_fault_of_a_node_or_a_source_begins(self):
        axes = drawn(draw_prices, run("crash in the middle"))
        assert list(find(axes, "a fault begins or ends").get_xdata()) == [20, 20]
        axes = drawn(draw_prices, run("biased source"))
        assert list(find(axes, "a fault begins or ends").get_xdata()) == [10, 10]

    def test_time_is_in_seconds_where_an_epoch_is_not_one(self):
        result = run("short epochs")
        axes = drawn(draw_prices, result)
        assert points(axes, "underlying price")[-1, 0] == pytest.approx(19 * 0.2)
        assert points(axes, "quotes")[-1, 0] == pytest.approx(19 * 0.2)
        assert "an epoch is 200 ms, 1 min of the market" in axes.get_xlabel()


class TestVwap:
    def test_shows_the_difference_of_every_agreed_price(self):
        result = run("default")
        axes = drawn(draw_vwap, result)
        expected = (result.epochs["consensus_price"] / result.epochs["vwap"] - 1) * 10_000
        np.testing.assert_allclose(points(axes, "consensus − VWAP")[:, 1], expected, atol=1e-9)

    def test_shows_both_averages_above(self):
        result = run("default")
        averages, difference = Figure().subplots(2, 1)
        draw_vwap((averages, difference), result)
        for label, column in (("VWAP", "vwap"), ("consensus", "consensus_price")):
            expected = rows(result.epochs, "start_s", column)
            np.testing.assert_array_equal(points(averages, label), expected)
        texts = [text.get_text() for text in difference.get_legend().get_texts()]
        assert texts[:2] == ["VWAP", "consensus (simple average)"]


class TestLatency:
    def test_shows_every_latency_and_marks_epochs_that_are_not_final(self):
        result = run("crash in the middle")
        epochs, axes = result.epochs, drawn(draw_latency, result)
        shown = points(axes, "seen by the observer")
        np.testing.assert_array_equal(shown, rows(epochs, "start_s", "latency_s"))
        waiting = epochs["start_s"][epochs["finalized_s"].isna()]
        assert points(axes, "not final (11)")[:, 0].tolist() == waiting.tolist()

    def test_shows_simulation_and_closed_form_side_by_side(self):
        result = run("silent leader")
        axes = drawn(draw_latency, result)
        mean = result.epochs["latency_s"].mean()
        np.testing.assert_allclose(points(axes, "mean of the sim"), [[0, mean], [60, mean]])
        np.testing.assert_allclose(points(axes, "closed form"), [[0, 7 / 3], [60, 7 / 3]])

    def test_closed_form_changes_where_the_fault_begins(self):
        axes = drawn(draw_latency, run("crash in the middle"))
        dashed = [line for line in axes.get_lines() if line.get_linestyle() == "--"]
        assert [line.get_xdata()[0] for line in dashed] == [0, 20]
        assert [line.get_ydata()[0] for line in dashed] == pytest.approx([1, 7 / 3])

    def test_closed_form_is_scaled_to_seconds(self):
        result = run("short epochs")
        assert result.outside_model
        assert "closed form" not in str(drawn(draw_latency, result).get_legend_handles_labels())
        slow = drawn(draw_latency, run("slow epochs"))
        assert points(slow, "closed form")[0, 1] == 2

    def test_no_closed_form_for_other_faults(self):
        labels = drawn(draw_latency, run("one lying leader")).get_legend_handles_labels()[1]
        assert not any(label.startswith(("closed form", "mean")) for label in labels)

    def test_second_axis_counts_epochs(self):
        axes = drawn(draw_latency, run("slow epochs"))
        (second,) = axes.child_axes
        axes.get_figure().draw_without_rendering()
        assert second.get_ylabel() == "Latency (epochs)"
        assert second.get_ylim() == pytest.approx(np.array(axes.get_ylim()) / 2)

    def test_spread_over_the_nodes_is_that_of_the_finality_frame(self):
        result = run("default")
        segments = find(drawn(draw_latency, result), "range over nodes").get_segments()
        seen = result.finality.query("epoch == 7")["latency_s"]
        np.testing.assert_allclose(segments[7], [[7, seen.min()], [7, seen.max()]])


class TestRejections:
    @pytest.mark.parametrize("case", ["crash in the middle", "volatile", "market maker"])
    def test_there_is_one_mark_for_each_rejection_and_trade_by_what_was_right(self, case):
        result = run(case)
        axes, trades = drawn(draw_rejections, result), result.trades
        stopped = result.rejections[~result.rejections["verdict"].isin(["", "market"])]
        low, high = axes.get_ylim()
        fair = trades["fair"]
        groups = {
            "fair trade": trades[fair],
            "unfair trade": trades[~fair],
            **{
                VERDICTS[verdict]: own.assign(price=own["own_price"])
                for verdict, own in stopped.groupby("verdict")
            },
        }
        assert len(groups) >= 4
        off_scale = 0
        for what, own in groups.items():
            seen = own[own["price"].between(low, high)]
            off_scale += len(own) - len(seen)
            shown = points(axes, f"{what} ({len(own):,})")
            np.testing.assert_array_equal(shown, rows(seen, "time_s", "price"))
        beyond = points(axes, f"off the scale ({off_scale})") if off_scale else np.empty((0, 2))
        assert set(beyond[:, 1]) <= {low, high}
        assert np.isfinite(beyond[:, 0]).sum() == off_scale

    def test_scale_is_that_of_path_and_band_not_of_far_orders(self):
        result = run("market maker")
        low, high = drawn(draw_rejections, result).get_ylim()
        path, bands = true_path(result), result.bands
        assert low < min(path.min(), bands["low"].min()) < low + 0.1 * (high - low)
        assert high > max(path.max(), bands["high"].max()) > high - 0.1 * (high - low)
        prices = result.rejections["price"]
        assert prices.max() > high
        assert prices.min() < low

    def test_path_and_reference_are_lines(self):
        result = run("crash in the middle")
        axes, path, steps = drawn(draw_rejections, result), true_path(result), band_steps(result)
        shown = points(axes, "underlying price")
        assert shown.tolist() == np.column_stack([path.index, path]).tolist()
        assert {*result.book["time_s"]} < {*shown[:, 0]}
        reference = find(axes, "reference")
        assert reference.get_drawstyle() == "steps-post"
        expected = rows(steps, "time_s", "reference_price")
        np.testing.assert_array_equal(reference.get_xydata(), expected)

    def test_band_is_filled_between_the_edges_of_the_frame(self):
        result = in_states()
        axes = drawn(draw_rejections, result)
        pieces = find(axes, "band (consensus, ±5 %)").get_paths()
        low, high = axes.get_ylim()
        steps = band_steps(result)
        for now, after in zip(
            steps.itertuples(index=False), steps.iloc[1:].itertuples(index=False), strict=False
        ):
            middle = (now.time_s + after.time_s) / 2
            is_limited = not (np.isnan(now.low) and np.isnan(now.high))
            bottom = low if np.isnan(now.low) else now.low
            top = high if np.isnan(now.high) else now.high
            for price in (bottom + 0.01, top - 0.01):
                inside = any(piece.contains_point((middle, price)) for piece in pieces)
                assert inside == is_limited
            for price in (now.low - 0.01, now.high + 0.01):
                assert not any(piece.contains_point((middle, price)) for piece in pieces)

    def test_states_of_the_market_are_shaded_and_named(self):
        axes = drawn(draw_rejections, in_states())
        states = ["call auction (2)", "halt (1)", "limit state (1)", "pause, stale reference (1)"]
        assert [label for label in explained(axes) if label in states] == states
        times = in_states().bands["time_s"]
        box = find(axes, "pause").get_extents().transformed(axes.transData.inverted())
        assert (box.x0, box.x1) == pytest.approx((times[12], times[14]))

    def test_market_orders_stand_apart_at_the_bottom(self):
        result = run("nothing final")
        axes = drawn(draw_rejections, result)
        unpriced = result.rejections[result.rejections["verdict"] == "market"]
        marks = points(axes, f"market order stopped ({len(unpriced)})")
        assert len(unpriced) > 5
        assert marks[:, 0].tolist() == unpriced["time_s"].tolist()
        assert set(marks[:, 1]) == {0.025}

    def test_answer_is_what_market_quality_says(self):
        result = run("volatile")
        quality = result.market_quality.iloc[0]
        stopped, fair, unfair = quality[["fair_orders_stopped", "fair_orders", "unfair_trades"]]
        assert min(stopped, unfair) > 0
        assert answer(drawn(draw_rejections, result)) == (
            f"fair orders stopped: {stopped:.0f} of {fair:.0f} ({stopped / fair:.1%}); "
            f"{quality['orders_stopped'] - stopped:.0f} other orders stopped; "
            f"{unfair:.0f} of {quality['trades']:.0f} trades at an unfair price"
        )
        assert answer(drawn(draw_rejections, run("no orders"))) == "no orders were sent"

    def test_bars_count_the_reasons_by_verdict(self):
        result = run("default")
        orders, counts = Figure().subplots(1, 2)
        draw_rejections((orders, counts), result)
        widths = [bar.get_width() for bar in counts.patches]
        expected = refusal_counts(result)
        assert widths == [number for verdict in expected for number in expected[verdict]]
        begins = [bar.get_x() for bar in counts.patches]
        before = expected.cumsum(axis="columns") - expected
        assert begins == [number for verdict in before for number in before[verdict]]
        names = [label.get_text() for label in counts.get_yticklabels()]
        assert names[0] == "{}:\n{}".format(*expected.index[0]).replace("_", " ")
        seen = [what for what in _BARS if expected[what].any()]
        assert {"false", "turned_unfair", ""} <= {*seen}
        assert explained(counts) == [_BARS[what] for what in seen]
