// Two charts of what comes of a run: how late a price is final, and which orders are stopped.

import { textOf } from "./film.js";
import { manyBand, rowsWhere, spanOf, withoutMarket } from "./prices.js";
import { withDigits } from "./scale.js";
import { counted, inDollars, inSeconds, nameBlock, spaced } from "./words.js";

/** Bars are at least so wide, in pixels: of narrower ones several epochs make one. */
const BAR_PX = 3;
const BAR_SHARE = 0.84;
const EPOCHS_IN_ONE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/**
 * The verdicts in the order of the bars, from below: what was stopped wrongly stands on the axis.
 * Crosses are wrong, diamonds are right; the ones that are so from the start are filled.
 */
const VERDICTS = [
  {
    ...{ name: "false", shape: "cross", colour: "rejected" },
    means: "fair when it came and when it was stopped",
  },
  {
    ...{ name: "turned_fair", shape: "plus", colour: "rejected", isLight: true },
    means: "fair when it was stopped, not when it came",
  },
  {
    ...{ name: "turned_unfair", shape: "gem", colour: "justified", isLight: true },
    means: "fair when it came, not when it was stopped",
  },
  {
    ...{ name: "justified", shape: "diamond", colour: "justified" },
    means: "fair neither when it came nor when it was stopped",
  },
  {
    ...{ name: "market", shape: "box", colour: "muted", isLight: true },
    means: "a market order, which has no price to judge",
  },
];

/** The middle one of some numbers, or between the two in the middle. */
function medianOf(column) {
  const known = Float64Array.from(Array.from(column).filter(Number.isFinite)).sort();
  const half = known.length >> 1;
  if (!known.length) return NaN;
  return known.length % 2 ? known[half] : (known[half - 1] + known[half]) / 2;
}

const across = ({ header }, level) => ({ x: [0, header.end_s], y: [level, level] });

/** What became of the block of an epoch that is not final. */
const whyOpen = (film, row) =>
  film.tables.epochs.block[row] < 0 ? "no block was proposed" : "not final by the end of the run";

/** @type {import("./chart.js").Kind} */
export const LATENCY = {
  name: "latency",
  title: "Finality latency",
  missing: () => "",
  panes(film, { many }) {
    const { rows, start_s: x, latency_s: y, finalized_s: since, block } = film.tables.epochs;
    const median = medianOf(y);
    const open = rowsWhere(rows, (row) => Number.isNaN(y[row]));
    const inWords = inSeconds(median);
    const series = [
      ...manyBand(many, "latency_s", "latency (s)"),
      {
        ...{ name: "median", kind: "line", colour: "truth", dash: [6, 4], ...across(film, median) },
        ...{ label: `median ${Number.isNaN(median) ? "unknown" : inWords}`, pins: true },
      },
      {
        ...{ name: "latency", label: "by epoch", kind: "dots", shape: "disc" },
        ...{ colour: "consensus", x, y, since, pins: true },
        selects: (row) => ({ kind: "block", id: block[row] }),
        says: (row) => (Number.isNaN(y[row]) ? "" : `${inSeconds(y[row])}`),
        brief: "latency",
        tells: (row) => `${nameBlock(film, block[row])}: final after ${inSeconds(y[row])}`,
      },
      {
        ...{ name: "open", label: `${open.length} never final`, kind: "dots", shape: "cross" },
        ...{ colour: "rejected", x: open.map((row) => x[row]), y: open.map(() => Infinity) },
        ...{ since: open.map(() => film.header.end_s), size: 3.6 },
        ...{ brief: "never final", means: "epochs without a block that is final by the end" },
        selects: (row) => ({ kind: "block", id: block[open[row]] }),
        says: (row) => whyOpen(film, open[row]),
      },
    ];
    return [{ title: "from the start of the epoch to final (s)", includes: [0], series }];
  },
  says(film) {
    const { latency_s: latency } = film.tables.epochs;
    const span = spanOf(latency);
    if (!span) return `None of ${counted(film.header.epochs, "epoch")} has a final block.`;
    return (
      `Finality latency: ${span.count} of ${film.header.epochs} epochs have a final block, after ` +
      `${inSeconds(span.low)} to ${inSeconds(span.high)}, median ${inSeconds(medianOf(latency))}, ` +
      `at last ${inSeconds(span.last)}. ${film.header.epochs - span.count} never final.`
    );
  },
};

/** So many epochs make one bar that it can be seen. */
function epochsInBar(header, { window: [from, to], width }) {
  const pixels = (width * header.epoch_s) / (to - from);
  return EPOCHS_IN_ONE.find((each) => each * pixels >= BAR_PX + 1) ?? EPOCHS_IN_ONE.at(-1);
}

/** The rows of the rejections of each bar, by verdict: `[verdict][bar]`. */
function stackedRejections({ header, tables }, together) {
  const { rejections } = tables;
  const length = header.epoch_s * together;
  const count = Math.ceil(header.epochs / together);
  const stacks = VERDICTS.map(() => Array.from({ length: count }, () => []));
  const places = new Map(VERDICTS.map(({ name }, place) => [name, place]));
  for (let row = 0; row < rejections.rows; row += 1) {
    const place = places.get(textOf(rejections, "verdict", row));
    const bar = Math.min(Math.floor(rejections.time_s[row] / length + 1e-6), count - 1);
    stacks[place]?.[bar].push(row);
  }
  return { stacks, length, count };
}

function tellRejection({ tables }, row) {
  const { rejections, orders } = tables;
  const order = rejections.order[row];
  const at = Number.isFinite(orders.price[order]) ? inDollars(orders.price[order]) : "the market";
  const away = rejections.deviation_percent[row];
  const by = Number.isFinite(away) ? `, ${withDigits(away, 2)} % from the reference` : "";
  const [who, what] = [textOf(orders, "order_id", order), textOf(rejections, "action", row)];
  return `order ${who} at ${at} ${what} at ${inSeconds(rejections.time_s[row])}${by}`;
}

/** One series of bars for each verdict, each standing on those before it. */
function verdictSeries(film, { stacks, length, count }) {
  const x = Float64Array.from({ length: count }, (_, bar) => (bar + (1 - BAR_SHARE) / 2) * length);
  const x1 = x.map((left) => left + BAR_SHARE * length);
  let y1 = new Float64Array(count);
  return VERDICTS.map((verdict, place) => {
    const rows = stacks[place];
    const below = y1;
    const y = below.map((bottom, bar) => bottom + rows[bar].length);
    y1 = y;
    const total = rows.reduce((sum, bar) => sum + bar.length, 0);
    return {
      ...{ ...verdict, kind: "bars", x, x1, y, y1: below, total },
      ...{ label: `${spaced(verdict.name)} (${total})`, brief: spaced(verdict.name) },
      selects: (bar, unit) => ({
        kind: "order",
        id: film.tables.rejections.order[rows[bar][unit]],
      }),
      says: (bar) => (rows[bar].length ? `${rows[bar].length}` : ""),
      tells: (bar, unit) => tellRejection(film, rows[bar][unit]),
    };
  });
}

/** How many were stopped in all, for the pinned run: an outline of its bars. */
function outlineSeries({ y }, { length, count }) {
  const x = Float64Array.from({ length: count + 1 }, (_, bar) => bar * length);
  const tops = x.map((_, bar) => y[Math.min(bar, count - 1)]);
  const says = (bar) => `${tops[bar]}`;
  return {
    ...{ name: "all", label: "all stopped", kind: "step", colour: "muted", x, y: tops, says },
    pins: "only",
  };
}

/** @type {import("./chart.js").Kind} */
export const REJECTIONS = {
  name: "rejections",
  title: "Orders stopped",
  missing: withoutMarket,
  panes(film, view) {
    const together = epochsInBar(film.header, view);
    const stacked = stackedRejections(film, together);
    const verdicts = verdictSeries(film, stacked);
    const given = verdicts.filter(({ total }) => total);
    const series = [...given, outlineSeries(verdicts.at(-1), stacked)];
    const each = together === 1 ? "by epoch" : `by ${together} epochs`;
    return [{ title: `orders stopped ${each}, by verdict`, includes: [0, 1], whole: true, series }];
  },
  says(film) {
    const { stacks, count } = stackedRejections(film, 1);
    const totals = stacks.map((bars) => bars.reduce((sum, bar) => sum + bar.length, 0));
    const all = totals.reduce((sum, each) => sum + each, 0);
    const byEpoch = Array.from({ length: count }, (_, bar) =>
      stacks.reduce((sum, bars) => sum + bars[bar].length, 0),
    );
    const most = Math.max(...byEpoch, 0);
    const verdicts = VERDICTS.map(({ name }, place) => `${totals[place]} ${spaced(name)}`);
    const peak = most ? ` Most in epoch ${byEpoch.indexOf(most)}: ${most}.` : "";
    return `${counted(all, "time")} an order was stopped: ${verdicts.join("; ")}.${peak}`;
  },
};
