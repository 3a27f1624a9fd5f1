"""What is on the charts: the numbers of the frames, marks for what is missing, units, legends."""

from collections import Counter

import numpy as np
import pytest
from matplotlib.figure import Figure

from streamlet_lab.charts import draw_latency, draw_prices, draw_rejections, draw_vwap, style
from streamlet_lab.charts.figures import OVERVIEW, PAGES
from streamlet_lab.charts.series import judged_orders, reference_prices, refusal_counts

from .drawing import drawn, find, points, rows
from .runs import CASES, run


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

    def test_band_is_a_step_at_each_instant_of_finality(self):
        result = run("crash in the middle")
        axes = drawn(draw_prices, result)
        references = reference_prices(result)
        low, high = (line for line in axes.get_lines() if line.get_drawstyle() == "steps-post")
        times = [*references["time_s"], 60]
        prices = np.array([*references["price"], references["price"].iloc[-1]])
        np.testing.assert_allclose(low.get_xydata(), np.column_stack([times, prices * 0.95]))
        np.testing.assert_allclose(high.get_xydata(), np.column_stack([times, prices * 1.05]))

    def test_a_refused_lie_is_marked_at_the_edge_and_does_not_flatten_the_rest(self):
        result = run("one lying leader")
        axes = drawn(draw_prices, result)
        high = axes.get_ylim()[1]
        assert high < 1.2 * result.epochs["true_price"].max()
        lies = points(axes, "off the scale (15)")
        assert (lies[:, 1] == high).all()
        assert len(points(axes, "not final (16)")) == 1

    def test_a_lie_that_became_final_is_on_the_scale(self):
        axes = drawn(draw_prices, run("liars in the majority"))
        assert axes.get_ylim()[1] > 9999

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
        draw_vwap(difference, result, averages)
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

    def test_nothing_final_leaves_a_sensible_scale(self):
        axes = drawn(draw_latency, run("nothing final"))
        assert axes.get_ylim() == pytest.approx((0, 1.1))
        assert len(points(axes, "not final (60)")) == 60


class TestRejections:
    @pytest.mark.parametrize("case", ["crash in the middle", "too many crashed"])
    def test_there_is_one_mark_for_each_order_by_fate_and_intent(self, case):
        result = run(case)
        axes, judged = drawn(draw_rejections, result), judged_orders(result)
        for action, intent in style.ORDERS:
            part = judged[(judged["action"] == action) & (judged["intent"] == intent)]
            shown = points(axes, f"{action}, {intent} ({len(part)})")
            np.testing.assert_array_equal(shown, rows(part, "time_s", "deviation_percent"))
        refused = sum(
            len(points(axes, f"{action}, {intent}"))
            for action, intent in style.ORDERS
            if action != "accepted"
        )
        assert refused == result.rejections["deviation_percent"].notna().sum()

    def test_orders_before_the_first_reference_stand_apart(self):
        result = run("crash in the middle")
        early = result.rejections.query("reason == 'no_consensus'")
        axes = drawn(draw_rejections, result)
        marks = points(axes, f"no reference yet ({len(early)})")
        assert marks[:, 0].tolist() == early["time_s"].tolist()
        band = find(axes, "band, ±5 %").get_paths()[0].vertices
        assert band[:, 0].min() == reference_prices(result)["time_s"].min()
        assert (band[:, 1].min(), band[:, 1].max()) == (-5, 5)

    def test_bars_count_the_reasons(self):
        result = run("too many crashed")
        orders, counts = Figure().subplots(1, 2)
        draw_rejections(orders, result, counts)
        widths = [bar.get_width() for bar in counts.patches]
        expected = refusal_counts(result)
        assert widths == [*expected["honest"], *expected["far"]]
        begins = [bar.get_x() for bar in counts.patches]
        assert begins == [*np.zeros(len(expected)), *expected["honest"]]
        names = [label.get_text() for label in counts.get_yticklabels()]
        assert names[0] == "rejected:\noutside band"


@pytest.mark.parametrize("case", CASES)
def test_legends_and_headings_cover_nothing(case):
    figure = Figure(figsize=OVERVIEW.size)
    OVERVIEW.put_on(figure, run(case))
    figure.draw_without_rendering()
    boxes = []
    for axes in figure.axes:
        heading = [text for text in axes.texts if text.get_position() == (0, 1)]
        artists = [axes.get_legend(), axes.title, axes.xaxis.label, axes.patch, *heading]
        boxes += [artist.get_window_extent() for artist in artists]
    assert len(boxes) == 20
    width, height = figure.bbox.size
    for number, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[:number])


UNITS = {"Price (US dollars)", "AAPL (US dollars)", "Difference (basis points)", "Latency (s)"}
UNITS |= {"Price relative to the reference (%)", ""}


@pytest.mark.parametrize("name", PAGES)
def test_every_axis_says_its_unit_and_every_chart_asks_something(name):
    figure = Figure()
    PAGES[name].put_on(figure, run("default"))
    assert {axes.get_ylabel() for axes in figure.axes} <= UNITS
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert any(label.startswith("Protocol time (s); an epoch is 1 s, 6.5 h") for label in labels)
    assert figure.axes[0].get_title(loc="left").endswith("?")


@pytest.mark.parametrize("name", PAGES)
def test_marks_differ_by_more_than_colour(name):
    figure = Figure()
    PAGES[name].put_on(figure, run("crash in the middle"))
    for axes in figure.axes:
        explained = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
        shapes = Counter(
            (
                line.get_marker(),
                line.get_linestyle(),
                line.get_markerfacecolor() == line.get_color(),  # filled, or hollow
            )
            for line in explained
        )
        assert all(count == 1 for count in shapes.values()), shapes
