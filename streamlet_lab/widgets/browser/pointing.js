// Pointer and keys on a chart: hover, click, drag to zoom, and the same from the keyboard.

import { instantsOfPanes, pointsAt, pointUnder } from "./reading.js";

/** Nearer than this a drag is a click. */
const DRAG_PX = 5;
/** Two clicks within this time are a double one. */
const DOUBLE_MS = 600;
/** A zoom shows at least this much of an epoch. */
const LEAST_ZOOM = 0.05;

const KEYS = {
  ArrowRight: (chart) => chart.step(1),
  ArrowLeft: (chart) => chart.step(-1),
  PageUp: (chart) => chart.leap(1),
  PageDown: (chart) => chart.leap(-1),
  Home: (chart) => chart.hoverAt(chart.window[0]),
  End: (chart) => chart.hoverAt(chart.window[1]),
  ArrowUp: (chart) => chart.choose(1),
  ArrowDown: (chart) => chart.choose(-1),
  Enter: (chart) => chart.act(),
  " ": (chart) => chart.act(),
  "+": (chart) => chart.zoomBy(0.5),
  "=": (chart) => chart.zoomBy(0.5),
  "-": (chart) => chart.zoomBy(2),
  Escape: (chart) => chart.leave(),
};

/** What is pointed at on the plot of a chart; `chart` is asked to draw it. */
export class Pointing {
  constructor(store, plot, chart) {
    this.store = store;
    this.plot = plot;
    this.chart = chart;
    this.hover = null;
    this.drag = null;
    this.before = { at: -Infinity, time: 0 };
    const listeners = {
      pointerdown: (event) => this.press(event),
      pointermove: (event) => this.move(event),
      pointerup: (event) => this.release(event),
      pointercancel: () => this.forget(),
      pointerleave: () => this.drag || this.forget(),
      dblclick: () => this.unzoom(),
      keydown: (event) => this.key(event),
      focus: () => plot.matches(":focus-visible") && this.chart.tip.hint(),
      blur: () => this.leaveKeys(),
    };
    for (const [name, listener] of Object.entries(listeners)) {
      plot.addEventListener(name, listener);
    }
  }

  get all() {
    return this.chart.scene.all;
  }

  get window() {
    return this.chart.scene.window;
  }

  /** A place of a pointer as an instant of the plot. */
  timeAt(x) {
    const { left, right, x: scale } = this.all[0];
    return scale.back(Math.min(Math.max(x, left), right));
  }

  press(event) {
    if (!this.chart.scene || event.button !== 0) return;
    this.drag = { from: event.offsetX, to: event.offsetX };
    this.plot.setPointerCapture(event.pointerId);
  }

  move({ offsetX: x, offsetY: y }) {
    if (!this.chart.scene) return;
    if (this.drag) this.drag.to = x;
    const point = pointUnder(this.all, { x, y });
    const t = point ? this.all[0].x.back(point.x) : this.timeAt(x);
    this.setHover({ t, point, byKey: false });
  }

  release({ offsetX: x, timeStamp }) {
    if (!this.drag) return;
    const { from } = this.drag;
    this.drag = null;
    if (Math.abs(x - from) < DRAG_PX) this.click(x, timeStamp);
    else this.zoomTo(...[this.timeAt(from), this.timeAt(x)].sort((a, b) => a - b));
    this.chart.draw();
  }

  /** Select the point that was clicked; beside all points, move the cursor there. */
  click(x, at) {
    if (at - this.before.at > DOUBLE_MS) this.before = { at, time: this.store.get().time };
    if (this.hover?.point) this.select(this.hover.point);
    else this.store.set({ time: this.timeAt(x), playing: false });
  }

  select({ series, row, unit }) {
    this.store.set({ selection: series.selects(row, unit) });
  }

  key(event) {
    const act = KEYS[event.key];
    if (!act || !this.chart.scene || event.ctrlKey || event.metaKey || event.altKey) return;
    // Escape with nothing to leave is somebody else's.
    if (event.key === "Escape" && !this.hover && !this.drag && !this.store.get().zoom) return;
    event.preventDefault();
    event.stopPropagation();
    act(this);
  }

  hoverAt(t) {
    const points = pointsAt(this.all, t);
    this.setHover({ t, point: points[0] ?? null, byKey: true });
  }

  /** Go to the next instant that has something to read. */
  step(direction) {
    const times = instantsOfPanes(this.all);
    const t = this.hover?.t ?? this.store.get().time;
    // An instant read off a pixel and back is no longer exactly the same.
    const least = (this.window[1] - this.window[0]) * 1e-9;
    const next =
      direction > 0
        ? times.find((each) => each > t + least)
        : times.findLast((each) => each < t - least);
    this.hoverAt(next ?? this.window[direction > 0 ? 1 : 0]);
  }

  leap(direction) {
    const { epoch_s: length } = this.store.get().film.header;
    const t = (this.hover?.t ?? this.store.get().time) + direction * length;
    this.hoverAt(Math.min(Math.max(t, this.window[0]), this.window[1]));
  }

  /** Among points at one instant, go to the next. */
  choose(direction) {
    if (!this.hover) return;
    const points = pointsAt(this.all, this.hover.t);
    const { point } = this.hover;
    const at = points.findIndex(
      ({ series, row, unit }) =>
        series === point?.series && row === point.row && unit === point.unit,
    );
    const next = points[(at + direction + points.length) % points.length] ?? null;
    this.setHover({ ...this.hover, point: next, byKey: true });
  }

  act() {
    if (!this.hover) return;
    if (this.hover.point) this.select(this.hover.point);
    else this.store.set({ time: this.hover.t, playing: false });
  }

  setHover(hover) {
    this.hover = hover;
    this.chart.draw();
  }

  forget() {
    this.drag = null;
    if (this.hover) this.setHover(null);
  }

  /** Who goes on with Tab wants neither values nor the names of keys. */
  leaveKeys() {
    this.forget();
    this.chart.tip.hide();
  }

  /** Escape: first a drag or what is hovered, then the zoom. */
  leave() {
    if (this.drag || this.hover) this.forget();
    else this.store.set({ zoom: null });
  }

  zoomTo(from, to) {
    const { epoch_s: length, end_s: end } = this.store.get().film.header;
    if (to - from < LEAST_ZOOM * length) return;
    const zoom = [Math.max(from, 0), Math.min(to, end)];
    this.store.set({ zoom: zoom[0] <= 0 && zoom[1] >= end ? null : zoom });
  }

  zoomBy(factor) {
    const [from, to] = this.window;
    const { time } = this.store.get();
    const t = Math.min(Math.max(this.hover?.t ?? time, from), to);
    this.zoomTo(t - (t - from) * factor, t + (to - t) * factor);
  }

  /** A double click shows all; the cursor, which its first click moved, is put back. */
  unzoom() {
    this.store.set({ zoom: null, time: this.before.time });
  }
}
