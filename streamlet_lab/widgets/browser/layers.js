// The picture of a chart: layers that are kept, and what is drawn over them at each instant.

import { drawFrame } from "./axes.js";
import { fitCanvases, penFor } from "./look.js";
import { drawDots, drawMark, drawSeries } from "./marks.js";

/** How much is left of what lies in the future. */
const FUTURE_ALPHA = 0.3;
/** Of more dots than these it is not looked up which are known already. */
const MOST_LIVE = 2000;
const RING_PX = 7;

/** Whether the dots of a series are known at instants other than where they stand. */
const isLive = ({ since, x }) => Boolean(since) && x.length <= MOST_LIVE;

/** Draw within the plots of panes only, from one place to another. */
function within(pen, all, from, to, draw) {
  if (to <= from) return;
  pen.save();
  pen.beginPath();
  for (const { top, bottom } of all) pen.rect(from, top, to - from, bottom - top);
  pen.clip();
  draw();
  pen.restore();
}

function drawAllSeries(pen, { all, colours }) {
  for (const axes of all) {
    within(pen, [axes], axes.left, axes.right, () => {
      for (const series of axes.pane.series) {
        if (!isLive(series)) drawSeries(pen, series, { ...axes, colours });
      }
    });
  }
}

/** Draw what changes with the run, the size or a switch only: the chart as it is in the past. */
export function drawPast(layers, scene) {
  fitCanvases([layers.past], scene);
  const pen = penFor(layers.past, scene);
  drawFrame(pen, scene.all, scene);
  drawAllSeries(pen, scene);
  layers.hasFuture = false;
}

/** Draw the chart as it is in the future, once there is one: many a run is seen at its end only. */
function drawFuture(layers, scene) {
  const { series, future } = layers;
  const { width, height } = scene;
  fitCanvases([series, future], scene);
  const pen = penFor(series, scene);
  pen.clearRect(0, 0, width, height);
  drawAllSeries(pen, scene);
  const after = penFor(future, scene);
  drawFrame(after, scene.all, scene);
  after.globalAlpha = FUTURE_ALPHA;
  after.drawImage(series, 0, 0, width, height);
  after.globalAlpha = 1;
  layers.hasFuture = true;
}

/** Copy a part of a layer, from one column to another. */
function copyColumns(pen, layer, { height, ratio }, from, to) {
  if (to <= from) return;
  const size = [(to - from) * ratio, height * ratio];
  pen.drawImage(layer, from * ratio, 0, ...size, from, 0, to - from, height);
}

/** Compose the picture of an instant: what has been as it is, what is to come pale. */
export function drawInstant(pen, layers, scene, time, end) {
  const { all, width } = scene;
  const cursor = all[0].x.of(time);
  // Before the play has begun, and when it is over, nothing is to come.
  const isUnderWay = time > 0 && time < end;
  const upTo = isUnderWay ? Math.round(Math.min(Math.max(cursor, 0), width)) : width;
  if (upTo < width && !layers.hasFuture) drawFuture(layers, scene);
  copyColumns(pen, layers.past, scene, 0, upTo);
  copyColumns(pen, layers.future, scene, upTo, width);
  drawLive(pen, scene, isUnderWay ? time : Infinity);
  drawCursor(pen, scene, cursor);
}

/** Dots of which each is known from an instant of its own on. */
function drawLive(pen, { all, colours }, time) {
  for (const axes of all) {
    for (const series of axes.pane.series.filter(isLive)) {
      const isKnown = (row) => !(series.since[row] > time);
      pen.strokeStyle = pen.fillStyle = colours[series.colour];
      pen.globalAlpha = FUTURE_ALPHA;
      drawDots(pen, series, axes, (row) => !isKnown(row));
      pen.globalAlpha = 1;
      drawDots(pen, series, axes, isKnown);
    }
  }
}

function drawCursor(pen, { all, colours, letter }, at) {
  if (at < all[0].left - 1 || at > all[0].right + 1) return;
  pen.fillStyle = colours.truth;
  for (const { top, bottom } of all) pen.fillRect(at - 0.75, top, 1.5, bottom - top);
  drawMark(pen, "down", at, all[0].top + letter * 0.4, letter * 0.4);
}

/** Ring points, such as what is selected. */
export function drawRings(pen, { colours }, points) {
  pen.strokeStyle = colours.truth;
  pen.lineWidth = 2;
  for (const { x, y } of points) {
    pen.beginPath();
    pen.arc(x, y, RING_PX, 0, 2 * Math.PI);
    pen.stroke();
  }
}

/** Draw what is pointed at: an instant, a point, the part to zoom into. */
export function drawPointed(pen, scene, { hover, drag }) {
  const { all, colours, height } = scene;
  if (drag) {
    const [from, to] = [drag.from, drag.to].sort((a, b) => a - b);
    pen.fillStyle = colours.consensus;
    pen.globalAlpha = 0.18;
    const [left, right] = [Math.max(from, all[0].left), Math.min(to, all[0].right)];
    within(pen, all, left, right, () => pen.fillRect(left, 0, right - left, height));
    pen.globalAlpha = 1;
  }
  if (!hover) return;
  const at = all[0].x.of(hover.t);
  pen.fillStyle = colours.muted;
  for (const { top, bottom } of all) pen.fillRect(at - 0.5, top, 1, bottom - top);
  if (hover.point) drawRings(pen, scene, [hover.point]);
}
