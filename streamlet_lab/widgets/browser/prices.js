// Two charts of prices: the path with the final prices, and VWAP against consensus.

import { textOf } from "./film.js";
import { withDigits } from "./scale.js";
import { inDollars, inSeconds, nameBlock } from "./words.js";

/** A price that is so many times another does not flatten the rest: it is marked at the edge. */
const WILD = 4;
const BP = 10_000;
/** The scale of a difference is at least so wide, in basis points: a cent is no mountain. */
const LEAST_BP = 2;

export const withoutMarket = ({ header }) =>
  header.has_market ? "" : "This run has no market: it is the protocol alone.";

/** Columns of some rows of a table. */
function pickRows(rows, columns) {
  const picked = Object.entries(columns).map(([name, column]) => [
    name,
    Float64Array.from(rows, (row) => column[row]),
  ]);
  return Object.fromEntries(picked);
}

/** The rows of a table of which something is true. */
export function rowsWhere(count, isMeant) {
  return Array.from({ length: count }, (_, row) => row).filter(isMeant);
}

/** The least, the greatest and the last of the numbers of a column; null if there are none. */
export function spanOf(column) {
  const known = Array.from(column).filter(Number.isFinite);
  if (!known.length) return null;
  const low = known.reduce((one, other) => Math.min(one, other));
  const high = known.reduce((one, other) => Math.max(one, other));
  return { low, high, last: known.at(-1), count: known.length };
}

const selectBlock = (blocks) => (row) => ({ kind: "block", id: blocks[row] });

/** What is near a path of prices: its scale is not for what is wild. */
function nearPath(path) {
  const span = spanOf(path) ?? { low: 0, high: 0 };
  return [span.low / WILD, span.high * WILD];
}

function pathSeries({ tables }) {
  const { time_s: x, true_price: y } = tables.path;
  const says = (row) => inDollars(y[row]);
  return { name: "path", label: "true price", kind: "line", colour: "truth", x, y, says, pins: true };
}

/** The band as steps, and the reference that it is around. */
function bandSeries({ tables }) {
  const { time_s: x, reference, low, high } = tables.band;
  const says = (row) => (low[row] > 0 ? `${inDollars(low[row])} to ${inDollars(high[row])}` : "");
  const saysReference = (row) => (reference[row] > 0 ? inDollars(reference[row]) : "");
  return [
    {
      ...{ name: "band", label: "band", kind: "band", colour: "consensus", x, low, high },
      ...{ means: "the market's band, and the reference that it is around", says },
    },
    {
      ...{ name: "band", label: "reference", kind: "step", colour: "consensus", x, y: reference },
      ...{ dash: [2, 2], says: saysReference },
    },
  ];
}

/** The prices of the epochs: final ones tied to when they were quoted, and others. */
function finalSeries(film) {
  const { epochs } = film.tables;
  const { start_s: from, price, finalized_s: until, block, latency_s: latency } = epochs;
  const isFinal = (row) => price[row] > 0 && until[row] > 0;
  const finals = rowsWhere(epochs.rows, isFinal);
  const others = rowsWhere(epochs.rows, (row) => price[row] > 0 && !isFinal(row));
  const tied = pickRows(finals, { x: from, y: price, x1: until, y1: price, block, latency });
  const open = pickRows(others, { x: from, y: price, block });
  const name = (blocks, row) => nameBlock(film, blocks[row]);
  return [
    {
      ...{ name: "final", kind: "ties", colour: "consensus", width: 1.2, ...tied, pins: true },
      label: `final (${finals.length})`,
      means: "final prices, each tied to when its epoch began, for which it was quoted",
    },
    {
      ...{ name: "final", label: "final price", kind: "dots", shape: "disc", colour: "consensus" },
      ...{ x: tied.x1, y: tied.y, pins: true, selects: selectBlock(tied.block) },
      says: (row) =>
        `${inDollars(tied.y[row])}, ${inSeconds(tied.latency[row])} after it was quoted ` +
        `(${name(tied.block, row)})`,
    },
    {
      ...{ name: "open", label: `not final (${others.length})`, kind: "dots", shape: "ring" },
      ...{ colour: "muted", x: open.x, y: open.y, selects: selectBlock(open.block) },
      means: "prices of blocks that are not final by the end of the run",
      says: (row) => `${inDollars(open.y[row])} (${name(open.block, row)})`,
      ...{ faded: true, brief: "not final" },
    },
  ];
}

/** Orders at their own prices, switched off at first. */
function orderSeries({ tables }) {
  const { orders } = tables;
  const parts = [
    ["accepted", "square", "accepted", (status) => status !== "rejected"],
    ["rejected", "cross", "rejected", (status) => status === "rejected"],
  ];
  return parts.map(([word, shape, colour, isMeant]) => {
    const rows = rowsWhere(orders.rows, (row) => isMeant(textOf(orders, "status", row)));
    const { x, y } = pickRows(rows, { x: orders.time_s, y: orders.price });
    return {
      ...{ name: "orders", label: `orders (${orders.rows})`, kind: "dots", shape, colour },
      ...{ x, y, size: 2.6, hidden: true, faded: true, brief: `order ${word}` },
      selects: (row) => ({ kind: "order", id: rows[row] }),
      says: (row) => `${textOf(orders, "order_id", rows[row])} at ${inDollars(y[row])}`,
    };
  });
}

/**
 * What many runs gave by epoch, as a band between their quantiles; nothing where it is not known.
 * What is not even final has no greatest value: its band goes to the edge.
 */
export function manyBand(many, name, label) {
  const { low, high } = many?.epochs?.[name] ?? {};
  const { start_s: from = [] } = many?.epochs ?? {};
  if (!low || from.length < 2) return [];
  // The last epoch is as long as the others.
  const x = [...from, 2 * from.at(-1) - from.at(-2)];
  const edge = (column, missing) => [...column, column.at(-1)].map((each) => each ?? missing);
  const [lows, highs] = [edge(low, NaN), edge(high, Infinity)];
  const says = (row) =>
    Number.isNaN(lows[row]) ? "" : `${withDigits(lows[row], 3)} to ${sayHigh(highs[row])}`;
  return [
    {
      ...{ name: "many", label: `${many.runs} runs`, kind: "band", colour: "muted" },
      ...{ x, low: lows, high: highs, says, brief: `${many.runs} runs, ${label}` },
      means: "of this setting with other seeds: the 5 % to the 95 % quantile",
    },
  ];
}

const sayHigh = (value) => (value < Infinity ? withDigits(value, 3) : "never");

/** @type {import("./chart.js").Kind} */
export const PRICES = {
  name: "prices",
  title: "Final prices",
  missing: withoutMarket,
  panes: (film) => [
    {
      title: `price of ${film.header.symbol} (US dollars)`,
      near: nearPath(film.tables.path.true_price),
      series: [...bandSeries(film), pathSeries(film), ...finalSeries(film), ...orderSeries(film)],
    },
  ],
  says({ header, tables }) {
    const path = spanOf(tables.path.true_price);
    const { price, finalized_s: until, latency_s: latency } = tables.epochs;
    const final = spanOf(price.filter((each, row) => each > 0 && until[row] > 0));
    const parts = [
      `Price of ${header.symbol} over ${header.end_s.toFixed(1)} s.`,
      path &&
        `The true price is from ${inDollars(path.low)} to ${inDollars(path.high)}, ` +
          `at last ${inDollars(path.last)}.`,
      final
        ? `${final.count} of ${header.epochs} epochs have a final price, the last one ` +
          `${inDollars(final.last)}, final up to ${inSeconds(spanOf(latency).high)} after it was ` +
          "quoted."
        : `None of ${header.epochs} epochs has a final price.`,
    ];
    return parts.filter(Boolean).join(" ");
  },
};

const inBp = (value) => `${withDigits(value, 1)} bp`;

/** Both averages of each epoch whose block is notarized, and what sets them apart, in basis points. */
function comparedPrices({ tables }) {
  const { rows, start_s: x, true_price: truth, block } = tables.epochs;
  const { notarized_s: notarized } = tables.blocks;
  // Whatever nobody voted for is no consensus.
  const agreed = (column) => column.map((each, row) => (notarized[block[row]] >= 0 ? each : NaN));
  const [price, vwap] = [agreed(tables.epochs.price), agreed(tables.epochs.vwap)];
  const difference = price.map((each, row) => (each / vwap[row] - 1) * BP);
  const error = price.map((each, row) => (each / truth[row] - 1) * BP);
  return { rows, x, price, vwap, truth, block, difference, error };
}

function averageSeries(film, { x, price, vwap, truth, block }) {
  const dollars = (column) => (row) => (column[row] > 0 ? inDollars(column[row]) : "");
  const tells = (row) =>
    `${nameBlock(film, block[row])}: consensus ${inDollars(price[row])}, VWAP ${inDollars(vwap[row])}`;
  const common = { x, tells, selects: selectBlock(block) };
  return [
    { name: "truth", label: "true price", kind: "line", colour: "truth", x, y: truth, width: 1 },
    {
      ...{ ...common, name: "vwap", label: "VWAP", kind: "line", colour: "vwap", y: vwap },
      ...{ says: dollars(vwap), dash: [6, 3] },
    },
    { ...common, name: "vwap", kind: "dots", shape: "box", colour: "vwap", y: vwap, size: 4 },
    {
      ...{ ...common, name: "consensus", label: "consensus", kind: "line", colour: "consensus" },
      ...{ y: price, says: dollars(price), pins: true },
    },
    { ...common, name: "consensus", kind: "dots", shape: "disc", colour: "consensus", y: price },
  ].map((series) => ({ label: series.name, ...series }));
}

function differenceSeries({ rows, x, block, difference, error }) {
  const zero = new Float64Array(rows);
  const says = (column) => (row) => (Number.isNaN(column[row]) ? "" : inBp(column[row]));
  const common = { name: "difference", label: "minus VWAP", colour: "consensus", x };
  return [
    {
      ...{ name: "error", label: "minus true price", kind: "line", colour: "truth" },
      ...{ x, y: error, dash: [2, 3], says: says(error), brief: "consensus minus true price" },
    },
    { ...common, kind: "ties", x1: x, y: zero, y1: difference, width: 2 },
    {
      ...{ ...common, kind: "dots", shape: "disc", y: difference, pins: true },
      brief: "consensus minus VWAP",
      ...{ says: says(difference), selects: selectBlock(block) },
    },
  ];
}

/** @type {import("./chart.js").Kind} */
export const VWAP = {
  name: "vwap",
  title: "VWAP against consensus",
  missing: withoutMarket,
  panes(film, { many }) {
    const compared = comparedPrices(film);
    return [
      {
        title: "price (US dollars)",
        near: nearPath(compared.truth),
        series: averageSeries(film, compared),
      },
      {
        title: "consensus minus … by epoch (basis points)",
        share: 1.3,
        includes: [-LEAST_BP, 0, LEAST_BP],
        series: [...manyBand(many, "error_bp", "minus true price"), ...differenceSeries(compared)],
      },
    ];
  },
  says(film) {
    const { difference, error } = comparedPrices(film);
    const [apart, off] = [spanOf(difference), spanOf(error.map(Math.abs))];
    if (!apart) return "No epoch has a price.";
    return (
      `Consensus minus VWAP of ${apart.count} epochs: from ${inBp(apart.low)} to ` +
      `${inBp(apart.high)}, at last ${inBp(apart.last)}. ` +
      `Consensus is off the true price by up to ${inBp(off.high)}.`
    );
  },
};
