/**
 * What stands in a chart, by its kind, and the shapes of marks.
 *
 * @typedef {object} Series
 * @property {string} name        which switch of the legend is its own; several may share one
 * @property {string} label       what the legend says
 * @property {string} [means]     what it is, where the legend has no room to say it
 * @property {"line"|"step"|"band"|"dots"|"ties"|"bars"} kind
 * @property {string} colour      the name of a colour, `--sl-<name>`
 * @property {ArrayLike<number>} x  seconds; of a tie where it begins, of a bar its left edge
 * @property {ArrayLike<number>} y  of a bar its top; an infinite one is marked at the edge
 * @property {ArrayLike<number>} [x1] where ties and bars end
 * @property {ArrayLike<number>} [y1] where ties end, and where bars begin: their bottom
 * @property {ArrayLike<number>} [low]  a band's edges, in place of `y`
 * @property {ArrayLike<number>} [high]
 * @property {string} [shape]     of dots, and of the units of bars
 * @property {number[]} [dash]
 * @property {number} [width]     of lines, in pixels
 * @property {number} [size]      of dots: their radius, in pixels
 * @property {boolean} [isLight]  whether bars have an outline and little more
 * @property {boolean} [hidden]   whether it is switched off at first
 * @property {boolean} [faded]    whether it takes no part in the scale
 * @property {ArrayLike<number>} [since] of dots: when each is known, if not at its place
 * @property {(row: number, unit?: number) => object} [selects] what a click on it selects
 * @property {(row: number) => string} [says] its value in words; without it there is none to read
 * @property {(row: number, unit?: number) => string} [tells] all of a point, where that is more
 * @property {string} [brief]     a label for the values, if the legend's is too long
 * @property {boolean|"only"} [pins] whether it is drawn of a pinned run too, or of that only
 */

import { rowsWithin, thinned } from "./scale.js";

/** Shapes within a radius of 1, as SVG paths. */
const SHAPES = {
  disc: "M-1,0a1,1 0 1,0 2,0a1,1 0 1,0 -2,0Z",
  ring: "M-1,0a1,1 0 1,0 2,0a1,1 0 1,0 -2,0Z",
  square: "M-.9,-.9h1.8v1.8h-1.8Z",
  box: "M-.9,-.9h1.8v1.8h-1.8Z",
  diamond: "M0,-1.2L1,0L0,1.2L-1,0Z",
  gem: "M0,-1.2L1,0L0,1.2L-1,0Z",
  cross: "M-.9,-.9L.9,.9M.9,-.9L-.9,.9",
  plus: "M-1.1,0H1.1M0,-1.1V1.1",
  up: "M0,-1L1,.8H-1Z",
  down: "M0,1L1,-.8H-1Z",
};
const SOLID_SHAPES = ["disc", "square", "diamond", "up", "down"];
const BAND_ALPHA = 0.12;
/** A bar is made of units where each has so many pixels; else it is one piece. */
const UNIT_PX = 7;
/** How large a dot is where there is room. */
export const DOT_PX = 3.2;
const PATHS = new Map();

export const isSolid = (shape) => SOLID_SHAPES.includes(shape);
export const shapeOf = (shape) => SHAPES[shape];

function pathOf(shape, radius) {
  const key = `${shape} ${radius}`;
  if (!PATHS.has(key)) {
    const path = new Path2D();
    path.addPath(new Path2D(SHAPES[shape]), new DOMMatrix().scale(radius));
    PATHS.set(key, path);
  }
  return PATHS.get(key);
}

/** Draw one mark; what is no solid shape is drawn as a line. */
export function drawMark(pen, shape, x, y, radius) {
  pen.translate(x, y);
  if (isSolid(shape)) pen.fill(pathOf(shape, radius));
  else pen.stroke(pathOf(shape, radius));
  pen.translate(-x, -y);
}

/** Where a dot is drawn: at the edge, where it is beyond the scale; an arrow, if it has a value. */
export function placeDot({ shape, size = DOT_PX, x, y }, row, axes) {
  const value = y[row];
  const place = { x: axes.x.of(x[row]), y: axes.y.of(value), shape };
  if (value > axes.y.high) {
    place.y = axes.top + size + 1;
    if (Number.isFinite(value)) place.shape = "up";
  } else if (value < axes.y.low) {
    place.y = axes.bottom - size - 1;
    if (Number.isFinite(value)) place.shape = "down";
  }
  return place;
}

function traceLine(pen, { x, y }, axes) {
  let isDown = false;
  for (const row of thinned(x, y, axes.x)) {
    if (Number.isNaN(y[row])) isDown = false;
    else if (isDown) pen.lineTo(axes.x.of(x[row]), axes.y.of(y[row]));
    else pen.moveTo(axes.x.of(x[row]), axes.y.of(y[row]));
    isDown = !Number.isNaN(y[row]);
  }
}

/** Each value holds until the next one; the last stays as it is at its own instant. */
function traceSteps(pen, { x, y }, axes) {
  const rows = thinned(x, y, axes.x);
  rows.forEach((row, at) => {
    if (Number.isNaN(y[row])) return;
    const level = axes.y.of(y[row]);
    if (at > 0 && !Number.isNaN(y[rows[at - 1]])) pen.lineTo(axes.x.of(x[row]), level);
    else pen.moveTo(axes.x.of(x[row]), level);
    if (at + 1 < rows.length) pen.lineTo(axes.x.of(x[rows[at + 1]]), level);
  });
}

function drawLine(pen, series, axes) {
  pen.setLineDash(series.dash ?? []);
  pen.lineWidth = (series.width ?? 1.5) * axes.grown;
  pen.beginPath();
  (series.kind === "step" ? traceSteps : traceLine)(pen, series, axes);
  pen.stroke();
  pen.setLineDash([]);
}

function drawBand(pen, series, axes) {
  const { x, low, high } = series;
  const [first, end] = rowsWithin(x, axes.x.low, axes.x.high);
  // What has no end goes on beyond the edge.
  const highs = high.map((value) => Math.min(value, 2 * axes.y.high - axes.y.low));
  pen.globalAlpha = BAND_ALPHA;
  for (let row = first; row + 1 < end; row += 1) {
    if (Number.isNaN(low[row])) continue;
    const [left, right] = [axes.x.of(x[row]), axes.x.of(x[row + 1])];
    const [top, bottom] = [axes.y.of(highs[row]), axes.y.of(low[row])];
    pen.fillRect(left, top, right - left, bottom - top);
  }
  pen.globalAlpha = 0.5;
  for (const y of [low, highs]) drawLine(pen, { ...series, kind: "step", y, width: 1 }, axes);
  pen.globalAlpha = 1;
}

function drawTies(pen, { x, y, x1, y1, width = 1 }, axes) {
  pen.lineWidth = width * axes.grown;
  pen.beginPath();
  for (let row = 0; row < x.length; row += 1) {
    const isSeen = x1[row] >= axes.x.low && x[row] <= axes.x.high && !Number.isNaN(y[row]);
    if (!isSeen) continue;
    pen.moveTo(axes.x.of(x[row]), axes.y.of(y[row]));
    pen.lineTo(axes.x.of(x1[row]), axes.y.of(y1[row]));
  }
  pen.stroke();
}

/** Draw the dots of which `isMeant` is true; of those in one place one. */
export function drawDots(pen, series, axes, isMeant = () => true) {
  const { x, y, size = DOT_PX } = series;
  const taken = new Set();
  pen.lineWidth = 1.6 * axes.grown;
  for (let row = 0; row < x.length; row += 1) {
    if (Number.isNaN(y[row]) || !isMeant(row)) continue;
    if (x[row] < axes.x.low || x[row] > axes.x.high) continue;
    const place = placeDot(series, row, axes);
    const key = Math.round(place.x * 2) * 65536 + Math.round(place.y * 2);
    if (taken.has(key)) continue;
    taken.add(key);
    drawMark(pen, place.shape, place.x, place.y, size);
  }
}

/** The pixels of a bar. */
export function placeBar({ x, x1, y, y1 }, row, axes) {
  const [left, right] = [axes.x.of(x[row]), axes.x.of(x1[row])];
  const [top, bottom] = [axes.y.of(y[row]), axes.y.of(y1[row])];
  return { left, right, top, bottom, width: right - left, height: bottom - top };
}

/** Bars: of marks, one for each unit, where there is room; else filled, or their outline. */
function drawBars(pen, series, axes) {
  const { shape, x, y, y1 } = series;
  pen.lineWidth = 1.3 * axes.grown;
  for (let row = 0; row < x.length; row += 1) {
    const { left, right, top, bottom, width, height } = placeBar(series, row, axes);
    const units = y[row] - y1[row];
    if (!units || right < axes.left || left > axes.right) continue;
    const room = Math.min(width, height / units);
    const hasUnits = shape && room >= UNIT_PX;
    pen.globalAlpha = hasUnits || series.isLight ? 0.2 : 1;
    pen.fillRect(left, top, width, height);
    pen.globalAlpha = 1;
    for (let unit = 0; hasUnits && unit < units; unit += 1) {
      const middle = bottom - ((unit + 0.5) * height) / units;
      drawMark(pen, shape, (left + right) / 2, middle, Math.min(room * 0.32, 5 * axes.grown));
    }
    if (!hasUnits && width > 3) pen.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
  }
}

const DRAWN = {
  line: drawLine,
  step: drawLine,
  band: drawBand,
  ties: drawTies,
  dots: drawDots,
  bars: drawBars,
};

/** Draw a series on axes: scales `x` and `y`, the edges of the plot, colours by name. */
export function drawSeries(pen, series, axes) {
  pen.strokeStyle = pen.fillStyle = axes.colours[series.colour];
  DRAWN[series.kind](pen, series, axes);
}
