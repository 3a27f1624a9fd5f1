// The frame of a chart: where its panes are, the range of their values, ticks, grid and titles.

import { DOT_PX } from "./marks.js";
import { rowsWithin, linearScale, ticksOf, tickText } from "./scale.js";

/** Above and below what is shown, as a share of it, and of a value that is alone. */
const ROOM = 0.06;
const ROOM_OF_ONE = 1e-4;
/** So much more, where something is marked at the upper edge. */
const MARKED_ROOM = 3;
/** In letters: left of the plot, below it, above each pane, between two texts. */
const GUTTER = 5;
const FOOT = 1.7;
const HEAD = 1.9;
const GAP = 1;
const ROW = 1.25;
/** A dot has at most this share of the room between it and the next, and is never a speck. */
const DOT_SHARE = 0.38;
const DOT_LEAST_PX = 1.3;
const LETTER_PX = 12;
const TIME_TITLE = "time (s)";
const SPAN_ALPHA = 0.4;
const MOST_ROWS = 6;

const SORTED_KINDS = ["line", "step", "band"];

/**
 * The range of values of a pane: of what is switched on and within the time shown.
 *
 * `includes` are values that are always in it; one outside of `near` does not flatten the rest.
 */
export function rangeOf({ series, includes = [], near = [-Infinity, Infinity] }, from, to) {
  let [low, high] = [Math.min(...includes), Math.max(...includes)];
  for (const each of series) {
    const { kind, x, x1 = x, faded } = each;
    const isSorted = SORTED_KINDS.includes(kind);
    const columns = [each.y, each.y1, each.low, each.high].filter((column) => column && !faded);
    const [first, end] = isSorted ? rowsWithin(x, from, to) : [0, x.length];
    for (let row = first; row < end; row += 1) {
      if (!isSorted && (x[row] > to || x1[row] < from)) continue;
      for (const column of columns) {
        if (!Number.isFinite(column[row])) continue;
        const value = Math.min(Math.max(column[row], near[0]), near[1]);
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  if (low > high) return [0, 1];
  const room = Math.max((high - low) * ROOM, Math.abs(high) * ROOM_OF_ONE) || 1;
  const above = series.some(({ y }) => y?.includes(Infinity)) ? MARKED_ROOM * room : room;
  return [low === 0 && includes.includes(0) ? 0 : low - room, high + above];
}

/** A series with dots so small that they do not cover each other. */
function sized(series, { low, high, from, to }, grown) {
  if (series.kind !== "dots") return series;
  const count = series.x.filter((t) => t >= low && t <= high).length;
  const room = (DOT_SHARE * (to - from)) / Math.max(count, 1);
  const largest = (series.size ?? DOT_PX) * grown;
  return { ...series, size: Math.max(Math.min(largest, room), DOT_LEAST_PX) };
}

/**
 * Lay panes out, one below the other: for each its axes.
 *
 * @param {{title: string, share?: number, whole?: boolean, series: object[]}[]} panes
 * @param {{width: number, height: number, letter: number}} size  in pixels; of text its height
 * @param {[number, number]} window  the seconds shown
 */
export function layOut(panes, { width, height, letter }, [from, to]) {
  const left = Math.round(GUTTER * letter);
  const right = Math.max(width - Math.round(0.8 * letter), left + 1);
  const heads = HEAD * letter * panes.length;
  const free = Math.max(height - heads - FOOT * letter, panes.length);
  const shares = panes.reduce((sum, { share = 1 }) => sum + share, 0);
  const x = linearScale([from, to], [left, right]);
  // With larger text, on a projector, marks and lines are larger too.
  const grown = Math.max(letter / LETTER_PX, 1);
  let next = 0;
  return panes.map((pane) => {
    const top = Math.round(next + HEAD * letter);
    const bottom = Math.round(top + (free * (pane.share ?? 1)) / shares);
    next = bottom;
    const y = linearScale(rangeOf(pane, from, to), [bottom, top]);
    const series = pane.series.map((each) => sized(each, x, grown));
    return { pane: { ...pane, series }, left, right, top, bottom, x, y, grown };
  });
}

/** The lines of a grid, with their texts: as many as have room beside each other. */
function gridOf(scale, most, least, roomFor) {
  for (let count = Math.max(Math.floor(most), 1); count > 0; count -= 1) {
    const { step, ticks } = ticksOf(scale.low, scale.high, count, least);
    const lines = ticks.map((value) => ({ at: scale.of(value), text: tickText(value, step) }));
    const apart = lines.length < 2 ? Infinity : Math.abs(lines[1].at - lines[0].at);
    if (apart >= roomFor(lines)) return lines;
  }
  return [];
}

/** The grid of the values of a pane. */
export function rowsOfGrid({ pane, y, top, bottom }, letter) {
  const most = (bottom - top) / (ROW * letter);
  return gridOf(y, Math.min(most, MOST_ROWS), pane.whole ? 1 : 0, () => ROW * letter);
}

/** The grid of the time. */
export function columnsOfGrid({ x, left, right }, widthOf, letter) {
  const widest = (lines) => Math.max(0, ...lines.map(({ text }) => widthOf(text)));
  return gridOf(x, (right - left) / (2.5 * letter), 0, (lines) => widest(lines) + GAP * letter);
}

/** A text whose middle is at a place, moved so far that it stays between two others. */
function writeBetween(pen, text, at, y, [leftmost, rightmost]) {
  const half = pen.measureText(text).width / 2;
  pen.fillText(text, Math.max(Math.min(at, rightmost - half), leftmost + half), y);
}

function drawRows(pen, axes, { letter, colours }) {
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const { at, text } of rowsOfGrid(axes, letter)) {
    pen.fillRect(axes.left, Math.round(at), axes.right - axes.left, 1);
    pen.fillStyle = colours.muted;
    pen.fillText(text, axes.left - letter * 0.4, at);
    pen.fillStyle = colours.faint;
  }
}

/** Shade when messages are held up. */
function drawSpans(pen, { x, left, right, top, bottom }, { spans, colours }) {
  pen.fillStyle = colours.faint;
  pen.globalAlpha = SPAN_ALPHA;
  for (const { start_s, stop_s } of spans) {
    const [from, to] = [Math.max(x.of(start_s), left), Math.min(x.of(stop_s), right)];
    if (from < to) pen.fillRect(from, top, to - from, bottom - top);
  }
  pen.globalAlpha = 1;
}

/** Draw grid, ticks and titles of all panes; the titles of the values stand above their panes. */
export function drawFrame(pen, all, scene) {
  const { width, height, letter, font, colours } = scene;
  pen.fillStyle = colours.panel;
  pen.fillRect(0, 0, width, height);
  pen.font = `${letter}px ${font}`;
  const columns = columnsOfGrid(all[0], (text) => pen.measureText(text).width, letter);
  for (const axes of all) {
    const { left, right, top, bottom } = axes;
    drawSpans(pen, axes, scene);
    pen.fillStyle = colours.faint;
    for (const { at } of columns) pen.fillRect(Math.round(at), top, 1, bottom - top);
    drawRows(pen, axes, { letter, colours });
    pen.strokeStyle = colours.muted;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
    pen.fillStyle = colours.text;
    pen.textAlign = "left";
    pen.textBaseline = "alphabetic";
    pen.fillText(axes.pane.title, 0, top - letter * 0.7, width);
  }
  const foot = height - letter * 0.45;
  pen.fillText(TIME_TITLE, 0, foot);
  const room = [pen.measureText(TIME_TITLE).width + letter * 0.4, width];
  pen.fillStyle = colours.muted;
  pen.textAlign = "center";
  for (const { at, text } of columns) writeBetween(pen, text, at, foot, room);
}
